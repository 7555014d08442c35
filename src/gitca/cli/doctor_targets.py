"""What `gitca doctor` says of the targets that a repository is published to."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gitca.cli.doctor_check import Check, Outcome, attempt
from gitca.documents.load import Governing
from gitca.ledger.state import LedgerState

if TYPE_CHECKING:
    from gitca.publishers.manifest import Manifest


def target_checks(root: Path, governing: Governing, state: LedgerState | None) -> Iterator[Check]:
    """Read each target's manifest; nothing is written, so that a right to write is not proven."""
    for target in governing.repository.spec.publish:
        yield from attempt("target", partial(_target, target.to, root, state))


def _target(uri: str, root: Path, state: LedgerState | None) -> Iterator[Check]:
    """Say what a target holds. Raises: UsageError, BackendUnavailableError."""
    from gitca.publishers import open_publisher
    from gitca.publishers.layout import MANIFEST_PATH
    from gitca.publishers.manifest import ManifestError, parse_manifest

    publisher = open_publisher(uri, base=root)
    try:
        stored = publisher.read(MANIFEST_PATH)
    finally:
        publisher.close()
    if stored is None:
        seen = f"{uri} answers; nothing is published there yet"
        yield Check("target", Outcome.NOTE, seen, "gitca reconcile, or gitca publish, does that")
        return
    try:
        manifest = parse_manifest(stored.content)
    except ManifestError as error:
        remedy = "find who wrote it; gitca publish --complete looks at every object"
        yield Check("target", Outcome.FAILED, f"{uri}: manifest.json: {error}", remedy)
        return
    segment = state.head.number if state else manifest.segment
    if state is not None and not _is_of_this_history(manifest, root):
        seen = f"{uri}: manifest.json names {manifest.ledger} as segment {manifest.segment} of the"
        remedy = "give each repository a target of its own; if the history was rewritten, see"
        yield Check(
            "target",
            Outcome.FAILED,
            f"{seen} ledger, and here it is another",
            f"{remedy} docs/publishing.md",
        )
    elif manifest.segment > segment:
        seen = f"{uri} has segment {manifest.segment} of the ledger, which ends with {segment} here"
        remedy = "fetch origin's branch; if it has no such segment, see docs/publishing.md"
        yield Check("target", Outcome.WARNING, seen, remedy)
    elif manifest.segment < segment or not manifest.complete:
        seen = f"{uri} has segment {manifest.segment} of the ledger, which is at {segment}"
        remedy = "gitca publish sends what is missing there, and says what hinders it"
        yield Check("target", Outcome.WARNING, seen, remedy)
    else:
        seen = f"{uri} answers, and has segment {manifest.segment} of the ledger"
        yield Check("target", Outcome.OK, seen)


def _is_of_this_history(manifest: Manifest, root: Path) -> bool:
    """Whether the ledger has the manifest's segment, or does not reach as far here."""
    from gitca.cli.clone import open_clone
    from gitca.reconcile.held_manifest import digest_of

    with open_clone(root) as clone:
        head, tip = clone.state.head, clone.snapshot.tip
        if tip is None or manifest.segment > head.number:
            return True
        return digest_of(clone.store, tip, manifest.segment) == manifest.ledger
