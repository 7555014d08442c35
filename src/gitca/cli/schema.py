"""`gitca schema`: the JSON Schemas of the documents, for editors."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from gitca.cli.output import write_block, write_line
from gitca.cli.settings import settings_of
from gitca.errors import UsageError


class Kind(enum.StrEnum):
    """The kinds of document."""

    REPOSITORY = "Repository"
    CERTIFICATE_AUTHORITY = "CertificateAuthority"
    ISSUANCE_POLICY = "IssuancePolicy"
    POLICY_TESTS = "PolicyTests"
    KEY_BLOCKLIST = "KeyBlocklist"
    WAIVER = "Waiver"
    CERTIFICATE_REQUEST = "CertificateRequest"
    REVOCATION_REQUEST = "RevocationRequest"


def schema(
    context: typer.Context,
    kind: Annotated[
        Kind | None,
        typer.Argument(metavar="KIND", show_choices=False, help="One of the kinds above."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="Write all schemas to a folder.")
    ] = None,
) -> None:
    """Print the JSON Schema of a kind of document.

    With --output, write the schemas of all kinds to a folder. KIND is one of Repository,
    CertificateAuthority, IssuancePolicy, PolicyTests, KeyBlocklist, Waiver, CertificateRequest,
    RevocationRequest. Editors that know a schema complete and explain while one types.
    """
    if (kind is None) == (output is None):
        raise UsageError("give either a KIND or --output DIR", remedy="see gitca schema --help")
    if kind is not None:
        from gitca.documents.schema import schema_text

        write_block(schema_text(kind.value))
    if output is not None:
        _write_all(output)
        if not settings_of(context).is_quiet:
            write_line(f"Wrote {len(Kind)} schemas to {output}.")


def _write_all(folder: Path) -> None:
    from gitca.documents.schema import schema_text

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind in Kind:
            file = folder / f"{kind.value}.schema.json"
            file.write_text(schema_text(kind.value), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {error.filename}: {error.strerror}") from error
