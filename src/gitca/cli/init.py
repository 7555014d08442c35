"""`gitca init`: a CA repository that reconciles as it is."""

from __future__ import annotations

import enum
import os
from pathlib import Path
from typing import Annotated

import typer

from gitca.cli.output import Styled, write_line
from gitca.cli.scaffold import Names, render
from gitca.cli.settings import settings_of
from gitca.errors import UsageError

# The root signs a few CAs in ten years and may be the stronger for it; the issuing CA signs all day
# and is verified everywhere.
_KEYS = {"file:.gitca/keys/root.pem": "P-384", "file:.gitca/keys/issuing.pem": "P-256"}


class SignerKind(enum.StrEnum):
    """Where the keys of a new repository's CAs lie."""

    FILE = "file"


def init(
    context: typer.Context,
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder that does not exist yet, or is empty.")
    ],
    domain: Annotated[
        str, typer.Option("--domain", metavar="DOMAIN", help="Certificates are for names under it.")
    ],
    organization: Annotated[
        str, typer.Option("--organization", metavar="NAME", help="Who the CA belongs to.")
    ],
    country: Annotated[
        str, typer.Option("--country", metavar="CC", help="Two letters (ISO 3166), if any.")
    ] = "",
    signer: Annotated[
        SignerKind,
        typer.Option("--signer", help="Where keys lie: encrypted, in .gitca/keys/, out of Git."),
    ] = SignerKind.FILE,
) -> None:
    """Make a CA repository that reconciles as it is.

    It has a root, an issuing CA, policies with their tests, and the CAs' keys. The keys are
    encrypted under GITCA_KEY_PASSPHRASE, the content of the file that GITCA_KEY_PASSPHRASE_FILE
    names, or a passphrase that is asked for. The folder appears whole or not at all.
    """
    from gitca.cli.fresh import fresh_folder
    from gitca.cli.passphrase import passphrase_of_user
    from gitca.signers import create_key

    names = _checked(domain, organization, country)
    passphrase = passphrase_of_user(confirm=True)
    with fresh_folder(directory) as folder:
        for path, content in render(names).items():
            _write(folder / path, content)
        for uri, spec in _KEYS.items():
            create_key(uri, spec, base=folder, passphrase=passphrase)
        _commit(folder, names)
    if not settings_of(context).is_quiet:
        _tell(directory, names)


def _checked(domain: str, organization: str, country: str) -> Names:
    from gitca.x509.attributes import ATTRIBUTE_OIDS, check_attribute
    from gitca.x509.names import check_dns, is_wildcard

    problem = check_dns(domain)
    if problem or is_wildcard(domain):
        message = problem.message if problem else f"{domain} is a wildcard"
        remedy = problem.remedy if problem else ""
        raise UsageError(f"--domain: {message}", remedy=remedy or "give a name as example.internal")
    if domain.lower().rpartition(".")[2] == "localhost":
        message = f"--domain: {domain} names the machine that it is read on, and no other"
        raise UsageError(message, remedy="give a name as example.internal")
    attributes = {
        # What servers are called, in the tests of the policies too.
        "--domain, as part of a common name": ("commonName", f"api.{domain}"),
        "--organization": ("organization", organization),
        # The longest name that is made of it.
        "--organization, as part of a common name": ("commonName", f"{organization} Issuing CA"),
    }
    if country:
        attributes["--country"] = ("country", country)
    for option, (attribute, value) in attributes.items():
        problem = check_attribute(ATTRIBUTE_OIDS[attribute], value)
        if problem:
            raise UsageError(f"{option}: {problem.message}", remedy=problem.remedy)
    return Names(domain.lower(), organization, country)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _commit(folder: Path, names: Names) -> None:
    from gitca.git.process import Git

    git = Git(folder)
    git.ask("init", "--quiet", "--initial-branch=main", "--template=")
    git.ask("add", "--all", "--force", "--", *_committed(folder))
    if not git.run("config", "--get", "user.email").stdout.strip():
        identity = (("user.name", "gitca"), ("user.email", f"gitca@{names.domain}"))
        git = git.with_settings(identity)
    message = f"A certificate authority for {names.domain}"
    git.ask("commit", "--quiet", "--no-verify", "--no-gpg-sign", "-m", message)


def _committed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name not in {".git", ".gitca"})


def _tell(directory: Path, names: Names) -> None:
    write_line("Made a CA repository in ", Styled(str(directory), "bold"), ":")
    write_line("  ca/           a root and an issuing CA")
    write_line(f"  policies/     what they may issue, for names under {names.domain}")
    write_line("  .gitca/keys/  their keys, encrypted and out of Git: keep a copy elsewhere")
    if directory.absolute() != Path(os.getcwd()):  # noqa: PTH109 - the shell's own idea of it
        write_line(f"Next: cd {directory} && gitca reconcile")
    else:
        write_line("Next: gitca reconcile")
