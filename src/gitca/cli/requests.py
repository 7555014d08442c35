"""`gitca request new`: write the document that asks for a certificate."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitca.cli.completion import policy_names
from gitca.cli.output import write_line
from gitca.cli.settings import settings_of
from gitca.errors import UsageError

if TYPE_CHECKING:
    from gitca.cli.yaml_text import Value

_Names = list[str] | None


def new(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its path below requests/.")],
    policy: Annotated[
        str,
        typer.Option("--policy", metavar="POLICY", help="The policy.", autocompletion=policy_names),
    ],
    csr: Annotated[
        Path | None, typer.Option("--csr", metavar="FILE", help="A CSR, in PEM or DER.")
    ] = None,
    new_key: Annotated[
        Path | None,
        typer.Option(
            "--new-key",
            metavar="FILE",
            help="Instead of a CSR: make a P-256 key in this new file, not encrypted, mode 0600.",
        ),
    ] = None,
    dns: Annotated[_Names, typer.Option("--dns", metavar="N", help="A DNS name.")] = None,
    ip: Annotated[_Names, typer.Option("--ip", metavar="N", help="An IP address.")] = None,
    uri: Annotated[_Names, typer.Option("--uri", metavar="N", help="A URI.")] = None,
    email: Annotated[_Names, typer.Option("--email", metavar="N", help="A mail address.")] = None,
    common_name: Annotated[
        str, typer.Option("--common-name", metavar="N", help="The subject's common name.")
    ] = "",
    validity: Annotated[
        str, typer.Option("--validity", metavar="DURATION", help="30d, 12h; else as the policy.")
    ] = "",
    key_usage: Annotated[
        _Names, typer.Option("--key-usage", metavar="USAGE", help="digitalSignature, …")
    ] = None,
    extended_key_usage: Annotated[
        _Names, typer.Option("--extended-key-usage", metavar="USAGE", help="serverAuth, …, an OID.")
    ] = None,
) -> None:
    """Write requests/NAME.yaml, and check it.

    --dns, --ip, --uri, --email, --key-usage and --extended-key-usage may be repeated. Without a
    usage, the policy's default holds.

    The names that the certificate shall carry are those given here, because a reviewer can read
    them; of the CSR only the public key is used. An existing document is never replaced. If the
    check finds an error the new document stays, to be mended, and the exit code is 1.
    """
    settings = settings_of(context)
    root = settings.root
    path = document_path(root, name)
    _check_no_authority(root, name)
    _check_policy(root, policy)
    request_pem = _csr_pem(csr, new_key)
    spec: dict[str, Value] = {"policy": policy}
    if common_name:
        spec["subject"] = {"commonName": common_name}
    sans = {"dns": dns, "ip": ip, "uri": uri, "email": email}
    if any(sans.values()):
        spec["sans"] = {kind: names for kind, names in sans.items() if names}
    if validity:
        spec["validity"] = validity
    usages = {"keyUsage": key_usage, "extendedKeyUsage": extended_key_usage}
    spec |= {field: stated for field, stated in usages.items() if stated}
    write_document(root, path, "CertificateRequest", {**spec, "csr": request_pem})
    if new_key is not None and not settings.is_quiet:
        write_line(f"Made a key in {new_key}. It is not encrypted: keep it out of the repository.")
    check_written(root, path, quiet=settings.is_quiet)


def document_path(root: Path, name: str) -> str:
    """The path of a new document below `requests/`. Raises: UsageError when it cannot be made."""
    import re

    from gitca.cli.new_file import check_free
    from gitca.documents.fields import SEGMENT

    if re.fullmatch(rf"{SEGMENT}(?:/{SEGMENT})*", name) is None or name.endswith(".yaml"):
        raise UsageError(
            f"{name!r} cannot be a request's name",
            remedy="use letters, digits, dots, hyphens, underscores and slashes; leave .yaml out",
        )
    path = f"requests/{name}.yaml"
    check_free(root, path)
    return path


def write_document(root: Path, path: str, kind: str, spec: dict[str, Value]) -> None:
    """Write a new document. Raises: UsageError."""
    from gitca.cli.new_file import write_new
    from gitca.cli.yaml_text import document_text

    write_new(root, path, document_text(kind, spec).encode())


def check_written(root: Path, path: str, *, quiet: bool) -> None:
    """Check the new document, tell what was found and what comes next. Raises: typer.Exit."""
    from gitca.cli.examine import examine
    from gitca.cli.report import FINDINGS, write_findings
    from gitca.cli.times import clock
    from gitca.findings import has_errors

    found = examine(root, clock(), only={path})
    if not quiet:
        write_line(f"Wrote {path}.")
    write_findings(found.findings)
    if has_errors(found.findings):
        raise typer.Exit(FINDINGS)
    if not quiet:
        write_line(f"Next: git add {path} && git commit, then gitca plan")


def _check_no_authority(root: Path, name: str) -> None:
    # A name that no file can have is told of where the request's own is made.
    if name != "repository" and os.path.lexists(root / "ca" / f"{name}.yaml"):
        raise UsageError(
            f"{name} is the name of a CA, and commands that take either could not tell them apart",
            remedy="choose another name, or put the request into a folder",
        )


def _check_policy(root: Path, policy: str) -> None:
    from gitca.cli.worktree import governing_of

    policies = governing_of(root).policies
    if policy not in policies:
        raise UsageError(
            f"no usable policy {policy!r}; there are {', '.join(sorted(policies)) or 'none'}",
            remedy="`gitca validate policies` tells what is wrong with one",
        )


def _csr_pem(csr: Path | None, new_key: Path | None) -> str:
    if csr is not None and new_key is None:
        return _read_csr(csr)
    if new_key is not None and csr is None:
        return _make_csr(new_key)
    raise UsageError("give either --csr FILE or --new-key FILE", remedy="see --help")


def _read_csr(file: Path) -> str:
    from gitca.cli.report import write_findings
    from gitca.cli.worktree import read_given
    from gitca.findings import Finding, Location, Severity
    from gitca.x509.csr import CsrError, parse_csr
    from gitca.x509.pem import is_pem, pem_blocks, to_pem

    data = read_given(file, "CSR")
    try:
        parse_csr(data)
    except CsrError as error:
        at = Location(str(file))
        write_findings([Finding(error.rule, Severity.ERROR, error.message, at, error.remedy)])
        raise typer.Exit(1) from error
    request_der = pem_blocks(data)[0].decode() if is_pem(data) else data
    # Written anew: the text around the PEM, and Java's label, are nothing for a reviewer.
    return to_pem(request_der, "CERTIFICATE REQUEST")


def _make_csr(file: Path) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    from gitca.signers.secret_file import create_secret_file

    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    key_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        create_secret_file(file, key_pem)
    except FileExistsError as error:
        raise UsageError(f"{file} is there already", remedy="name a new file") from error
    except OSError as error:
        raise UsageError(f"cannot write the key {file}: {error.strerror}") from error
    signed = request.sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode("ascii")
