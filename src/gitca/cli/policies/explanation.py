"""`gitca policy explain`: a policy in sentences."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from gitca.cli.completion import policy_names
from gitca.cli.output import Format, Styled, terminal_columns, write_json, write_line
from gitca.cli.settings import settings_of

if TYPE_CHECKING:
    from gitca.documents.document import Document
    from gitca.documents.issuance_policy import IssuancePolicySpec


def explain(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="The policy's path below policies/.", autocompletion=policy_names
        ),
    ],
    output_format: Annotated[Format, typer.Option("--format", help="text or json.")] = Format.TEXT,
) -> None:
    """Say in sentences what a policy allows, and what it does not.

    For whoever reviews a policy and never saw one. Reads the working tree.
    """
    from gitca.cli.policies.working_tree import sound_policy
    from gitca.cli.worktree import governing_of
    from gitca.policy.explanation import explain as explained

    governing = governing_of(settings_of(context).root)
    policy = sound_policy(governing, name)
    sections = explained(policy, governing.authorities[policy.spec.issuer])
    if output_format is Format.JSON:
        said = [{"title": part.title, "sentences": list(part.sentences)} for part in sections]
        head = {"policy": name, "file": policy.path, "description": policy.metadata.description}
        write_json(head | {"owner": policy.metadata.owner, "sections": said})
        return
    for line in _head(policy):
        write_line(line)
    for part in sections:
        write_line()
        write_line(Styled(part.title, "bold"))
        for sentence in part.sentences:
            for line in _bullet(sentence):
                write_line(line)


def _head(policy: Document[IssuancePolicySpec]) -> Iterator[str]:
    owner = f", owned by {policy.metadata.owner}" if policy.metadata.owner else ""
    yield f"Policy {policy.name} ({policy.path}){owner}"
    if policy.metadata.description:
        yield from _folded(policy.metadata.description, "  ", "  ")
    yield from _folded("What is not allowed here is denied.", "  ", "  ")


def _bullet(sentence: str) -> Iterator[str]:
    yield from _folded(sentence, "  - ", "    ")


def _folded(text: str, first: str, further: str) -> Iterator[str]:
    yield from textwrap.wrap(
        text,
        max(40, min(terminal_columns(), 100)),
        initial_indent=first,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )
