"""`gitca keys`: make the key of a CA at its signer, or describe it."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitca.cli.completion import authority_names
from gitca.cli.output import (
    Format,
    field_lines,
    terminal_columns,
    write_block,
    write_json,
    write_line,
)
from gitca.cli.settings import settings_of
from gitca.errors import UsageError

if TYPE_CHECKING:
    from gitca.signers import Passphrase


class KeySpec(enum.StrEnum):
    """The keys that a CA may have."""

    RSA_2048 = "RSA-2048"
    RSA_3072 = "RSA-3072"
    RSA_4096 = "RSA-4096"
    P_256 = "P-256"
    P_384 = "P-384"
    P_521 = "P-521"
    ED25519 = "Ed25519"
    ML_DSA_44 = "ML-DSA-44"
    ML_DSA_65 = "ML-DSA-65"
    ML_DSA_87 = "ML-DSA-87"


class KeyFormat(enum.StrEnum):
    """How a public key is written."""

    TEXT = "text"
    JSON = "json"
    PEM = "pem"


_Target = Annotated[
    str,
    typer.Argument(
        metavar="CA|URI",
        help="A CA, whose document names the signer URI, or such a URI itself.",
        autocompletion=authority_names,
    ),
]


def create(
    context: typer.Context,
    target: _Target,
    spec: Annotated[
        KeySpec, typer.Option("--spec", help="Its kind and size.", metavar="SPEC")
    ] = KeySpec.P_256,
    output_format: Annotated[Format, typer.Option("--format", help="text or json.")] = Format.TEXT,
) -> None:
    """Make a new key at a signer.

    An existing key is never replaced. SPEC is one of RSA-2048, RSA-3072, RSA-4096, P-256, P-384,
    P-521, Ed25519, ML-DSA-44, ML-DSA-65, ML-DSA-87. The passphrase is GITCA_KEY_PASSPHRASE, the
    content of the file that GITCA_KEY_PASSPHRASE_FILE names, or asked for.
    """
    from gitca.cli.passphrase import passphrase_of_user
    from gitca.signers import create_key

    root, uri = _signer_uri(context, target)
    passphrase = passphrase_of_user(confirm=True)
    spki_der = create_key(uri, spec.value, base=root, passphrase=passphrase)
    _describe(uri, spki_der, KeyFormat(output_format.value))


def show(
    context: typer.Context,
    target: _Target,
    output_format: Annotated[
        KeyFormat, typer.Option("--format", help="text, json or pem.")
    ] = KeyFormat.TEXT,
) -> None:
    """Describe the public half of a key."""
    from gitca.cli.passphrase import passphrase_of_user

    root, uri = _signer_uri(context, target)
    _describe(uri, _public_key(uri, root, passphrase_of_user()), output_format)


def _public_key(uri: str, root: Path, passphrase: Passphrase) -> bytes:
    from gitca.signers import open_signer

    signer = open_signer(uri, base=root, passphrase=passphrase)
    try:
        return signer.public_key()
    finally:
        signer.close()


def _signer_uri(context: typer.Context, target: str) -> tuple[Path, str]:
    root = settings_of(context).root
    if ":" in target:
        return root, target
    from gitca.cli.worktree import governing_of

    authorities = governing_of(root).authorities
    if target not in authorities:
        raise UsageError(
            f"no usable CA {target!r} in ca/; there are {', '.join(sorted(authorities)) or 'none'}",
            remedy="`gitca validate` tells what is wrong with a CA's document",
        )
    return root, authorities[target].spec.key


def _describe(uri: str, spki_der: bytes, output_format: KeyFormat) -> None:
    from gitca.x509.keys import describe_key
    from gitca.x509.pem import to_pem
    from gitca.x509.template import spki_identifier

    if output_format is KeyFormat.PEM:
        write_block(to_pem(spki_der, "PUBLIC KEY"))
        return
    record = {
        "signer": uri,
        "key": str(describe_key(spki_der)),
        "identifier": spki_identifier(spki_der),
    }
    if output_format is KeyFormat.JSON:
        write_json(record)
        return
    for name, value in record.items():
        for line in field_lines(name, value, terminal_columns()):
            write_line(line)
