"""What remains for a person to do once a repository's pipelines are written: steps, in order."""

from __future__ import annotations

import json
import shlex
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitca.cli.scaffold.key_places import ISSUING_SPEC, ROOT_SPEC
from gitca.cli.scaffold.pipelines import Forge, Setting, Tool, pinned
from gitca.signers.key_spec_names import KMS_SPECS

_HERE = Path(__file__).parent / "ci" / "setup"
_COLUMNS = 79
_HEAD = """\
# What remains

The pipelines are written; these steps make them work, in this order. The commands run in this
folder, with `git`, `gitca`, {clients}. Delete this file and `setup/` when all is done.
"""

NO_TOOL: Tool = pinned("GITCA-REPOSITORY", "GITCA-COMMIT")
"""What stands in pipelines where nobody said where gitca is: nothing can be fetched by it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: what and why, and its commands, each of one line or several."""

    text: str
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the repository will be: `path` on the forge at `host`.

    `buckets` are the buckets of AWS's S3 that it publishes into, each with its prefix.
    """

    host: str
    path: str
    buckets: tuple[tuple[str, str], ...] = ()


def setup_files(setting: Setting, place: Place, issuer: str) -> Mapping[str, bytes]:
    """Return the documents that the steps' commands read, by their path in the repository.

    `issuer` is whose tokens AWS is to accept, without `https://`.
    """
    files = {}
    if setting.forge is Forge.GITHUB:
        files["github-environment.json"] = _text("github-environment.json")
        files |= _rulesets(setting)
    if needs_aws(setting, place):
        trust = _text("aws-trust.json").replace("__ISSUER__", issuer)
        files["aws-trust.json"] = trust.replace("arn:aws:", f"arn:{_partition(setting)}:")
    if place.buckets:
        files["aws-permissions.json"] = _permissions(place.buckets, _partition(setting))
    return {f"setup/{name}": text.encode() for name, text in files.items()}


def needs_aws(setting: Setting, place: Place) -> bool:
    """Whether the pipeline has to be known to AWS: for its keys, or to publish."""
    return setting.signer == "awskms" or bool(place.buckets)


def key_step(setting: Setting, *, store: Sequence[str]) -> Step:
    """Return the step that makes the keys, or brings them to where the pipeline has them.

    `store` are the commands for what the forge keeps secret for it.
    """
    if setting.signer == "awskms":
        specs = {"root": ROOT_SPEC, "issuing": ISSUING_SPEC}
        commands = [
            f'gitca keys create {ca} --spec {KMS_SPECS[spec]} --sign-role "$ROLE"'
            for ca, spec in specs.items()
        ]
        text = (
            "The CAs' keys. Their own policies let the role sign, so that it needs no permission of"
            " IAM for that; --print shows them first, --admin-role says who else manages a key."
        )
        return Step(text, tuple(commands))
    if setting.signer == "file":
        text = (
            "The encrypted keys and their passphrase. Leave out the root's, and its key stays"
            " offline: `gitca sign --ca root` signs where it is."
        )
        return Step(text, tuple(store))
    text = (
        f"The token. Register a runner of its own, labelled gitca, where {setting.module} is, and"
        " make the keys there:"
    )
    create = (
        f"export GITCA_PKCS11_MODULES={shlex.quote(setting.module)}",
        f"gitca keys create root --spec {ROOT_SPEC}",
        f"gitca keys create issuing --spec {ISSUING_SPEC}",
    )
    return Step(text, (*create, *store))


def target_steps(setting: Setting, *, store: Sequence[str]) -> Iterator[Step]:
    """Yield the steps for targets that are neither AWS's nor anybody's who is asked for a role.

    `store` are the commands for the key of another S3, which the forge keeps secret.
    """
    if setting.targets.endpoints:
        yield Step(
            f"What publishes at {', '.join(setting.targets.endpoints)}: an access key of an"
            " identity that may list the bucket, read and write its objects, and nothing else.",
            tuple(store),
        )
    if setting.targets.directories:
        yield Step(
            "What is published on that runner's machine: folders that the runner's user owns and a"
            " web server serves. For a runner in a container, they are volumes of it.",
            tuple(
                f"sudo install --directory --owner RUNNER {path}"
                for path in setting.targets.directories
            ),
        )


def tool_step(files: str) -> Step:
    """Return the step that says where the pipelines get gitca from, in these files."""
    text = (
        "Where the pipelines get gitca from: a repository that holds it, and the full id of a"
        " commit of it that you trust. (`gitca init --tool REPOSITORY@COMMIT` writes them.)"
    )
    command = (
        f"perl -pi -e 's|{NO_TOOL.repository}|REPOSITORY|; s|{NO_TOOL.ref}|COMMIT|' \\\n  {files}"
    )
    return Step(text, (command, 'git commit --all --message "Where gitca comes from"'))


def aws_steps(setting: Setting, place: Place, *, issuer: str, subject: str) -> Iterator[Step]:
    """Yield the steps that make the role; `subject` is a shell word, the tokens' claim `sub`."""
    if not needs_aws(setting, place):
        return
    yield Step(
        "AWS's trust in the forge's tokens, once in an account:",
        (
            "aws iam create-open-id-connect-provider \\\n"
            f"  --url https://{issuer} \\\n  --client-id-list sts.amazonaws.com",
        ),
    )
    role = setting.role or f"arn:{_partition(setting)}:iam::$ACCOUNT:role/gitca"
    folder, _, name = role.partition(":role/")[2].rpartition("/")
    option = f" --path /{folder}/" if folder else ""
    account = "$(aws sts get-caller-identity --query Account --output text)"
    if setting.role:
        account = setting.role.split(":")[4]
    yield Step(
        "The role that the pipeline becomes, and nobody else (setup/aws-trust.json):",
        (
            f"ACCOUNT={account}",
            f'ROLE="{role}"',
            f"SUBJECT={subject}",
            'TRUST=$(sed "s|ACCOUNT|$ACCOUNT|; s|SUBJECT|$SUBJECT|" \\\n  setup/aws-trust.json)',
            f"aws iam create-role --role-name {name}{option} \\\n"
            '  --assume-role-policy-document "$TRUST"',
        ),
    )
    if place.buckets:
        yield Step(
            "What the role may do in the buckets that are published into:",
            (
                f"aws iam put-role-policy --role-name {name} --policy-name publish \\\n"
                "  --policy-document file://setup/aws-permissions.json",
            ),
        )


def in_folder(steps: Sequence[Step], folder: str) -> tuple[Step, ...]:
    """Return the steps, the first of which goes to a folder, a shell word, where there is one."""
    first, *others = steps
    enter = (f"cd {folder}",) if folder else ()
    return (Step(first.text, (*enter, *first.commands)), *others)


def terminal_lines(steps: Sequence[Step]) -> Iterator[str]:
    """Yield the steps for a terminal of 80 columns: commands stand below, ready to be copied."""
    for number, step in enumerate(steps, start=1):
        head = f"{number:2}. "
        yield from textwrap.wrap(
            step.text,
            _COLUMNS,
            initial_indent=head,
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for command in step.commands:
            yield from textwrap.indent(command, "      ").splitlines()


def markdown(steps: Sequence[Step], *, clients: str) -> bytes:
    """Return the same steps as a page of the repository; `clients` are the programs they need."""
    lines = [_HEAD.format(clients=clients)]
    for number, step in enumerate(steps, start=1):
        lines.append(f"{number}. {step.text}\n")
        if step.commands:
            body = textwrap.indent("\n".join(step.commands), "   ")
            lines.append(f"   ```sh\n{body}\n   ```\n")
    return "\n".join(lines).encode()


def _rulesets(setting: Setting) -> Mapping[str, str]:
    """Return the rules of the branches; the App passes those of the one that it pushes to."""
    rules = _text("github-ruleset.json").replace("__BRANCH__", setting.branch)
    if not setting.issued_branch:
        return {"github-ruleset.json": rules}
    closed = json.dumps(json.loads(rules) | {"bypass_actors": []}, indent=2) + "\n"
    issued = _text("github-ruleset-issued.json").replace("__ISSUED__", setting.issued_branch)
    return {"github-ruleset.json": closed, "github-ruleset-issued.json": issued}


def _partition(setting: Setting) -> str:
    """Return the partition of AWS that ARNs name (AWS IAM User Guide, "IAM ARNs")."""
    if setting.role:
        return setting.role.split(":")[1]
    for beginning, partition in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov")):
        if setting.region.startswith(beginning):
            return partition
    return "aws"


def _permissions(buckets: Sequence[tuple[str, str]], partition: str) -> str:
    statements: list[Mapping[str, object]] = []
    for bucket, prefix in buckets:
        below = f"{prefix}/*" if prefix else "*"
        arn = f"arn:{partition}:s3:::{bucket}"
        listing: dict[str, object] = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn}
        if prefix:
            # IfExists: S3 answers 403, and not 404, for an object that is not there, to whoever may
            # not list; and reading an object is a request without a prefix.
            listing["Condition"] = {"StringLikeIfExists": {"s3:prefix": [below, prefix]}}
        statements.append(listing)
        actions = ["s3:GetObject", "s3:PutObject"]
        statements.append({"Effect": "Allow", "Action": actions, "Resource": f"{arn}/{below}"})
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2) + "\n"


def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
