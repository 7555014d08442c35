"""`gitca init`: a CA repository that reconciles as it is."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from gitca.cli.scaffold import Names, render
from gitca.cli.scaffold.key_places import (
    FILES,
    ISSUING_SPEC,
    ROOT_SPEC,
    KeyPlaces,
    kms_keys,
    slug,
    token_keys,
)
from gitca.cli.scaffold.pipelines import SCHEDULE, Forge
from gitca.cli.settings import settings_of
from gitca.errors import UsageError


class SignerKind(enum.StrEnum):
    """Where the keys of a new repository's CAs lie."""

    FILE = "file"
    AWSKMS = "awskms"
    PKCS11 = "pkcs11"


_OPTIONS = {
    SignerKind.FILE: (),
    SignerKind.AWSKMS: ("--region",),
    SignerKind.PKCS11: ("--token", "--module"),
}


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
        SignerKind, typer.Option("--signer", help="What keeps the CAs' keys.")
    ] = SignerKind.FILE,
    region: Annotated[
        str, typer.Option("--region", metavar="REGION", help="awskms: the region of the keys.")
    ] = "",
    token: Annotated[
        str, typer.Option("--token", metavar="LABEL", help="pkcs11: the label of the token.")
    ] = "",
    module: Annotated[
        str, typer.Option("--module", metavar="PATH", help="pkcs11: the token's library.")
    ] = "",
    issued_branch: Annotated[
        str,
        typer.Option(
            "--issued-branch",
            metavar="NAME",
            help="Write issued/ to a branch of its own, where main is closed to bots.",
        ),
    ] = "",
    publish: Annotated[
        list[str] | None,
        typer.Option(
            "--publish",
            metavar="URI",
            help="Publish there: s3://BUCKET/PREFIX?region=R or directory:PATH; repeatable.",
        ),
    ] = None,
    ci: Annotated[
        Forge, typer.Option("--ci", help="Write the pipelines of this forge as well.")
    ] = Forge.NONE,
    repository: Annotated[
        str, typer.Option("--repository", metavar="OWNER/NAME", help="--ci: where it will be.")
    ] = "",
    tool: Annotated[
        str,
        typer.Option(
            "--tool",
            metavar="REPOSITORY@COMMIT",
            help="--ci: where pipelines get gitca from; by default as it is installed here.",
        ),
    ] = "",
    aws_role: Annotated[
        str,
        typer.Option(
            "--aws-role", metavar="ARN", help="--ci: the role that it runs as; else a variable."
        ),
    ] = "",
    security_team: Annotated[
        str,
        typer.Option(
            "--security-team", metavar="@TEAM", help="--ci: owns ca/, policies/ and pipelines."
        ),
    ] = "",
    owners: Annotated[
        list[str] | None,
        typer.Option(
            "--owners",
            metavar="FOLDER=@TEAM",
            help="--ci: who owns a folder of requests/; repeatable.",
        ),
    ] = None,
) -> None:
    """Make a CA repository that reconciles as it is.

    It has a root, an issuing CA, and policies with their tests. With --signer file their keys are
    made, too: encrypted, in .gitca/keys/ and out of Git, under GITCA_KEY_PASSPHRASE, the content of
    the file that GITCA_KEY_PASSPHRASE_FILE names, or a passphrase that is asked for. With awskms
    and pkcs11 the CAs' documents name keys that `gitca keys create` is then to make. The folder
    appears whole or not at all.

    With --ci come the pipelines: a plan for each pull request, and a reconcile for each merge and
    by schedule; and SETUP.md, which says what remains to be done for them.
    """
    from gitca.cli.fresh import fresh_folder
    from gitca.cli.init_documents import check_repository
    from gitca.cli.init_pipelines import Given, Keys, checked_pipelines
    from gitca.cli.init_text import write_made

    names = _checked(domain, organization, country)
    given = {"--region": region, "--token": token, "--module": module}
    keys = _key_places(names, signer, given)
    issued = _issued_branch(issued_branch)
    wanted = Given(ci, repository, tool, aws_role, security_team, tuple(owners or ()), issued)
    where = Keys(signer.value, region, module)
    pipelines = checked_pipelines(wanted, where, tuple(publish or ()), directory)
    every = SCHEDULE if pipelines.files else ""
    files = render(names, keys, every=every, publish=tuple(publish or ()), issued_branch=issued)
    check_repository(files)
    make = _maker(keys) if signer is SignerKind.FILE else None
    with fresh_folder(directory) as folder:
        for path, content in (files | dict(pipelines.files)).items():
            _write(folder / path, content)
        if make is not None:
            make(folder)
        _commit(folder, names)
    if not settings_of(context).is_quiet:
        write_made(directory, names.domain, keys=where, steps=pipelines.steps)


def _issued_branch(name: str) -> str:
    """Return the name of the branch for issued/, empty for none. Raises: UsageError.

    Whether it can name a branch at all, the rules of ca/repository.yaml say.
    """
    # Git keeps no branch main/x beside main (git-check-ref-format(1)).
    if f"{name}/".startswith("main/"):
        raise UsageError(
            "--issued-branch: main is where the documents are"
            + (f", and Git has no branch {name} beside it" if name != "main" else ""),
            remedy="give another name, as issued, or leave it out: issued/ is then on main",
        )
    return name


def _key_places(names: Names, signer: SignerKind, given: Mapping[str, str]) -> KeyPlaces:
    """Return where the keys lie. Raises: UsageError for options that do not make such places."""
    wanted = _OPTIONS[signer]
    missing = [option for option in wanted if not given[option]]
    if missing:
        raise UsageError(
            f"--signer {signer.value} without {' and '.join(missing)}", remedy="give it as well"
        )
    foreign = [option for option, value in given.items() if value and option not in wanted]
    if foreign:
        others = {option: kind.value for kind, options in _OPTIONS.items() for option in options}
        raise UsageError(
            f"{foreign[0]} does not go with --signer {signer.value}",
            remedy=f"leave it out, or give --signer {others[foreign[0]]}",
        )
    name = slug(names.organization, names.domain)
    if signer is SignerKind.FILE:
        return FILES
    if signer is SignerKind.AWSKMS:
        return _sound(kms_keys(name, given["--region"]), "--region")
    places = token_keys(name, given["--token"], given["--module"])
    return _sound(places, "--token and --module")


def _sound(keys: KeyPlaces, options: str) -> KeyPlaces:
    """Return the places, whose URIs the documents' own rules allow. Raises: UsageError."""
    from gitca.documents.aws_key_uri import AwsKeyUriError, parse_aws_key_uri
    from gitca.documents.pkcs11_uri import Pkcs11UriError, parse_pkcs11_uri

    try:
        if keys.root.startswith("awskms:"):
            parse_aws_key_uri(keys.root)
        else:
            parse_pkcs11_uri(keys.root)
    except (AwsKeyUriError, Pkcs11UriError) as error:
        raise UsageError(f"{options}: {error.message}", remedy=error.remedy) from error
    return keys


def _maker(keys: KeyPlaces) -> Callable[[Path], None]:
    from gitca.cli.passphrase import passphrase_of_user
    from gitca.signers import create_key

    passphrase = passphrase_of_user(confirm=True)

    def make(folder: Path) -> None:
        for uri, spec in ((keys.root, ROOT_SPEC), (keys.issuing, ISSUING_SPEC)):
            create_key(uri, spec, base=folder, passphrase=passphrase)

    return make


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
