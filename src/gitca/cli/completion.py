"""What the shell offers for a half-typed name: files alone are looked at, nothing is parsed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import typer

from gitca.cli.settings import find_root
from gitca.errors import UsageError

_MOST = 500  # a menu that nobody reads further


def authority_names(context: typer.Context, incomplete: str) -> list[str]:
    """The CAs of the repository that begin so."""
    names = (name for name in _names(context, "ca") if name != "repository")
    return _beginning(names, incomplete)


def policy_names(context: typer.Context, incomplete: str) -> list[str]:
    """The policies of the repository that begin so."""
    names = (name for name in _names(context, "policies") if not name.endswith(".tests"))
    return _beginning(names, incomplete)


def request_names(context: typer.Context, incomplete: str) -> list[str]:
    """The documents below `requests/` that begin so."""
    return _beginning(_names(context, "requests"), incomplete)


def certificate_names(context: typer.Context, incomplete: str) -> list[str]:
    """The requests and the CAs that begin so."""
    return [*authority_names(context, incomplete), *request_names(context, incomplete)]


def _beginning(names: Iterator[str], incomplete: str) -> list[str]:
    found = []
    for name in names:
        if name.startswith(incomplete) and name.isprintable():
            found.append(name)
        if len(found) == _MOST:
            break
    return sorted(found)


def _names(context: typer.Context, folder: str) -> Iterator[str]:
    given = context.find_root().params.get("repo")
    try:
        top = find_root(Path(given or ".")) / folder
    except UsageError:
        return
    for place, _, files in os.walk(top):  # links to folders are not followed
        for file in files:
            if file.endswith(".yaml"):
                yield Path(place, file).relative_to(top).as_posix().removesuffix(".yaml")
