"""`gitca keys`: make the key of a CA at its signer, or describe it."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitca.cli.completion import authority_names
from gitca.cli.key_specs import parse_spec, spec_names
from gitca.cli.output import Format, write_block, write_json
from gitca.cli.settings import settings_of
from gitca.cli.times import clock
from gitca.errors import UsageError

if TYPE_CHECKING:
    from gitca.signers import KeyOptions


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
_Roles = list[str] | None


def create(
    context: typer.Context,
    target: _Target,
    spec: Annotated[
        str,
        typer.Option(
            "--spec",
            metavar="SPEC",
            parser=parse_spec,
            help="Its kind and size.",
            autocompletion=spec_names,
        ),
    ] = "P-256",
    multi_region: Annotated[
        bool, typer.Option("--multi-region", help="AWS KMS: a key with replicas elsewhere.")
    ] = False,
    sign_role: Annotated[
        _Roles,
        typer.Option("--sign-role", metavar="ARN", help="AWS KMS: may sign; repeatable."),
    ] = None,
    admin_role: Annotated[
        _Roles,
        typer.Option(
            "--admin-role", metavar="ARN", help="AWS KMS: may manage, not sign; repeatable."
        ),
    ] = None,
    is_preview: Annotated[
        bool, typer.Option("--print", help="Show what would be made, and do nothing.")
    ] = False,
    output_format: Annotated[Format, typer.Option("--format", help="text or json.")] = Format.TEXT,
) -> None:
    """Make a new key at a signer.

    An existing key is never replaced, nor one that a CA's certificate has. SPEC is RSA-2048,
    RSA-3072, RSA-4096, P-256, P-384, P-521, Ed25519, ML-DSA-44, ML-DSA-65 or ML-DSA-87, or AWS
    KMS's name for one of them (ECC_NIST_P384). The passphrase of a file is GITCA_KEY_PASSPHRASE,
    the content of the file that GITCA_KEY_PASSPHRASE_FILE names, or asked for; the PIN of a PKCS
    #11 token is GITCA_PKCS11_PIN, or likewise.
    """
    from gitca.cli.key_text import write_preview
    from gitca.signers import KeyOptions, preview_key

    root, uri = _signer_uri(context, target)
    options = KeyOptions(multi_region, tuple(sign_role or ()), tuple(admin_role or ()))
    if not is_preview:
        _create(context, root, uri, spec=spec, options=options, output_format=output_format)
        return
    preview = preview_key(uri, spec, options=options)
    if output_format is Format.JSON:
        write_json(preview)
    else:
        write_preview(preview)


def _create(
    context: typer.Context,
    root: Path,
    uri: str,
    *,
    spec: str,
    options: KeyOptions,
    output_format: Format,
) -> None:
    from gitca.cli.key_bindings import bindings_of, check_unbound, known_of
    from gitca.cli.key_text import write_made
    from gitca.cli.passphrase import passphrase_of_user, pin_of_user
    from gitca.signers import create_key

    bindings = bindings_of(known_of(root), now=clock(), uri=uri)
    check_unbound(bindings, uri=uri)
    spki_der = create_key(
        uri,
        spec,
        base=root,
        passphrase=passphrase_of_user(confirm=True),
        pin=pin_of_user(),
        options=options,
    )
    record = _record(uri, spki_der)
    if output_format is Format.JSON:
        write_json(record)
    else:
        write_made(record, bindings, quiet=settings_of(context).is_quiet)


def show(
    context: typer.Context,
    target: _Target,
    output_format: Annotated[
        KeyFormat, typer.Option("--format", help="text, json or pem.")
    ] = KeyFormat.TEXT,
) -> None:
    """Describe a key, and the CA certificate that it is bound to.

    The certificate is looked for in the ledger of the checked-out commit. Exits with 5 where the
    CA's certificate has another key than the one that its document names.
    """
    from gitca.cli.key_bindings import bindings_of, check_bindings, known_of
    from gitca.cli.key_text import binding_record, write_key
    from gitca.x509.pem import to_pem

    root, uri = _signer_uri(context, target)
    spki_der, details = _look(root, uri)
    record, known, now = _record(uri, spki_der), known_of(root), clock()
    bindings = bindings_of(known, now=now, uri=uri, identifier=record["identifier"])
    if output_format is KeyFormat.PEM:
        write_block(to_pem(spki_der, "PUBLIC KEY"))
    elif output_format is KeyFormat.JSON:
        bound = [binding_record(item, record["identifier"]) for item in bindings]
        write_json(record | {"details": dict(details), "authorities": bound})
    else:
        write_key(record, details, bindings, unknown=known.unknown)
    check_bindings(bindings, uri=uri, identifier=record["identifier"])


def _look(root: Path, uri: str) -> tuple[bytes, dict[str, str]]:
    from gitca.cli.passphrase import signer_opener

    signer = signer_opener(root)(uri)
    try:
        return signer.public_key(), dict(signer.describe())
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


def _record(uri: str, spki_der: bytes) -> dict[str, str]:
    from gitca.x509.keys import describe_key
    from gitca.x509.template import spki_identifier

    return {
        "signer": uri,
        "key": str(describe_key(spki_der)),
        "identifier": spki_identifier(spki_der),
    }
