"""Telling a story: plain sentences, the commands that a user would type, and what they answer."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gitca.cli.output import Styled, write_line
from gitca.errors import GitcaError

WIDTH = 78
_ANSWER_WIDTH = 80
_INDENT = "    "
_LONGEST_RUN = 600  # seconds; a command that takes longer is not coming back


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody at a keyboard: a name, a prompt, a folder to work in, and what only they know."""

    name: str
    prompt: str
    folder: Path
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def environment(self) -> dict[str, str]:
        """The environment of this actor's commands: Git and AWS as they come, not the user's."""
        own = ("GIT_", "GITCA_", "AWS_")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(own)}
        identity = {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", self.name), ("EMAIL", f"{self.name.lower()}@example.com"))
        }
        plain = {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "NO_COLOR": "1",
            "COLUMNS": str(_ANSWER_WIDTH - len(_INDENT)),
            "LC_ALL": "C.UTF-8",
        }
        return inherited | identity | plain | dict(self.secrets)


def chapter(title: str) -> None:
    """Begin a new part."""
    write_line()
    write_line(Styled(title, "bold"))


def tell(text: str) -> None:
    """Say something, wrapped."""
    for line in textwrap.wrap(" ".join(text.split()), WIDTH):
        write_line(line)


def perform(
    actor: Actor, *command: str, expect: int = 0, hidden: bool = False, quiet: bool = False
) -> str:
    """Show a command, run it as `actor`, show what it answers, and return that.

    `quiet` leaves the answer out, `hidden` the command too, where they would teach nothing.
    Raises: GitcaError when the exit code is not the expected one.
    """
    if not hidden:
        _write_command(actor.prompt, command)
        sys.stdout.flush()  # what takes its time is announced before it runs
    answer = _run(actor, command)
    if not (hidden or quiet) or answer.returncode != expect:
        _write_answer(answer.stdout)
    if answer.returncode != expect:
        raise GitcaError(
            f"the demo stopped: `{shlex.join(command)}` gave exit code {answer.returncode} "
            f"where {expect} was expected",
            remedy=f"look around in {actor.folder}",
        )
    return answer.stdout


def _run(actor: Actor, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "gitca"] if command[0] == "gitca" else [command[0]]
    try:
        return subprocess.run(
            [*program, *command[1:]],
            cwd=actor.folder,
            env=actor.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_LONGEST_RUN,
            check=False,
            encoding="utf-8",
            errors="backslashreplace",
        )
    except FileNotFoundError as error:
        raise GitcaError(f"{command[0]} is not installed here", remedy="install it") from error
    except subprocess.TimeoutExpired as error:
        raise GitcaError(
            f"`{shlex.join(command)}` did not end within {_LONGEST_RUN} seconds"
        ) from error


def _write_command(prompt: str, command: Sequence[str]) -> None:
    words = [shlex.quote(word) for word in command]
    lines = _folded(words, WIDTH - len(prompt) - 2)
    for number, line in enumerate(lines):
        start = prompt if number == 0 else " " * (len(prompt) + 2)
        end = " \\" if number < len(lines) - 1 else ""
        write_line(Styled(f"{start}{line}{end}", "cyan"))


def _folded(words: Sequence[str], width: int) -> list[str]:
    """The words in lines that end before `width`; an option stays with its value."""
    lines = [words[0]]
    for group in _groups(words[1:]):
        if len(lines[-1]) + 1 + len(group) > width - 2:
            lines.append(group)
        else:
            lines[-1] += f" {group}"
    return lines


def _groups(words: Sequence[str]) -> list[str]:
    groups: list[str] = []
    for word in words:
        takes_value = bool(groups) and groups[-1].startswith("-") and " " not in groups[-1]
        if takes_value and not word.startswith("-"):
            groups[-1] += f" {word}"
        else:
            groups.append(word)
    return groups


def _write_answer(text: str) -> None:
    for line in text.rstrip("\n").split("\n") if text.strip() else []:
        folded = textwrap.wrap(
            line,
            _ANSWER_WIDTH - len(_INDENT),
            subsequent_indent="  ",
            break_on_hyphens=False,
            break_long_words=False,
            replace_whitespace=False,
            drop_whitespace=True,
        )
        for part in folded or [""]:
            write_line(Styled(f"{_INDENT}{part}" if part else "", "dim"))
