"""`gitca validate`: documents against schema, semantics and policy."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from gitca.cli.formats import FindingsFormat, Rendering
from gitca.cli.output import counted, write_line
from gitca.cli.output_files import parse_files, write_files
from gitca.cli.output_options import RequireClean, Write
from gitca.cli.settings import Settings, settings_of
from gitca.cli.times import clock
from gitca.errors import UsageError

if TYPE_CHECKING:
    from gitca.plan.outcome import Outcome


def validate(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Files and folders; all documents without one."),
    ] = None,
    output_format: Annotated[
        FindingsFormat,
        typer.Option(
            "--format",
            metavar="FORMAT",
            show_default=False,
            help="text (the default), json, github (annotations), sarif, junit or codequality.",
        ),
    ] = FindingsFormat.TEXT,
    write: Write = None,
    require_clean: RequireClean = False,
) -> None:
    """Check documents of the working tree.

    Checks them against schema, semantics and policy; needs no key, no network and no commit. Every
    finding is told, with its place and its remedy. What only the ledger knows (a key that was
    refused, a serial that is unknown) `plan` tells.
    """
    from gitca.cli.examine import examine
    from gitca.cli.report import FINDINGS
    from gitca.plan.outcome import Outcome

    settings, files = settings_of(context), parse_files(write, FindingsFormat)
    root = settings.root
    only = None if not paths else _selected(root, paths)
    found = examine(root, clock(), only=only, quiet=settings.is_quiet)
    outcome = Outcome("validate", found.documents, found.findings, is_strict=require_clean)
    rendering = Rendering(
        outcome=outcome,
        write_plainly=lambda stream: _write_text(outcome, settings, stream),
        record=lambda: _record(outcome),
    )
    write_files(files, rendering)
    rendering.write(output_format, sys.stdout)
    if outcome.is_red:
        raise typer.Exit(FINDINGS)


def _record(outcome: Outcome) -> dict[str, object]:
    from gitca.plan.render_json import finding_record

    records = [finding_record(finding) for finding in outcome.findings]
    return {"documents": len(outcome.documents), "findings": records}


def _write_text(outcome: Outcome, settings: Settings, stream: TextIO) -> None:
    from gitca.cli.report import tally, write_findings

    write_findings(outcome.findings, stream=stream)
    if not settings.is_quiet:
        counts = f"{counted(len(outcome.documents), 'document')}: {tally(outcome.findings)}"
        write_line(counts, stream=stream)


def _selected(root: Path, paths: list[Path]) -> frozenset[str]:
    """The documents that the paths stand for, from the root.

    A folder stands for what is in it, a CSR for the requests of its folder and those above.
    """
    from gitca.cli.worktree import entries_of

    wanted = [_from_root(root, path) for path in paths]
    documents = [e.path for e in entries_of(root) if e.path.endswith((".yaml", ".yml"))]
    return frozenset(
        document
        for document in documents
        if any(_stands_for(path, document, root) for path in wanted)
    )


def _from_root(root: Path, path: Path) -> str:
    # Not resolved: a link within the repository is a finding, not a way out of it.
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - pathlib would follow links
    if not os.path.lexists(absolute):
        raise UsageError(f"there is no {path}", remedy="name files or folders of the repository")
    if not absolute.is_relative_to(root):
        raise UsageError(f"{path} is outside of the repository {root}", remedy="see --repo")
    return absolute.relative_to(root).as_posix()


def _stands_for(path: str, document: str, root: Path) -> bool:
    if path in (".", document) or document.startswith(f"{path}/"):
        return True
    is_csr = path.startswith("requests/") and not path.endswith((".yaml", ".yml"))
    if not is_csr or (root / path).is_dir():
        return False
    folder = document.rpartition("/")[0]
    return path.startswith(f"{folder}/")
