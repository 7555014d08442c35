"""What GitHub's runner obeys in the log of a step, and in the files that it gives to a step.

GitHub Docs, "Workflow commands for GitHub Actions". The runner looks for `::name …::` at the start
of a line (blanks before it are skipped), and for the older `##[name …]` anywhere in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pipeline.expressions import UnknownSyntaxError

ANNOTATIONS = {"error", "warning", "notice"}
HARMLESS = {"group", "endgroup", "debug"}
_NEW = re.compile(r"^\s*::(?P<name>[A-Za-z-]+)(?:\s+(?P<properties>.*?))?::(?P<data>.*)$")
_OLD = re.compile(r"##\[(?P<name>[A-Za-z-]+)(?:\s+(?P<properties>.*?))?\](?P<data>.*)$")


@dataclass(frozen=True)
class Command:
    """One command, with `%0A` and its like turned back into characters."""

    name: str
    properties: dict[str, str]
    data: str


@dataclass
class Obeyed:
    """The commands that were found in a log; `others` should never hold one that a text brought."""

    annotations: list[Command] = field(default_factory=list)
    others: list[Command] = field(default_factory=list)
    masks: list[str] = field(default_factory=list)
    stopped: str | None = None

    def read(self, log: str) -> None:
        """Take the commands of a step's log."""
        for line in re.split(r"\r\n|\r|\n", log):
            command = parse_command(line)
            if command is None:
                continue
            if self.stopped is not None:
                self.stopped = None if command.name == self.stopped else self.stopped
            elif command.name in ANNOTATIONS:
                self.annotations.append(command)
            elif command.name == "add-mask":
                self.masks.append(command.data)
            elif command.name not in HARMLESS:
                self.stopped = command.data if command.name == "stop-commands" else None
                self.others.append(command)


def parse_command(line: str) -> Command | None:
    """Return the command of a line, if it is one."""
    found = _NEW.match(line) or _OLD.search(line)
    if found is None:
        return None
    pairs = (each.partition("=") for each in (found["properties"] or "").split(",") if each.strip())
    properties = {name.strip(): _plain(value, inside=True) for name, _, value in pairs}
    return Command(found["name"], properties, _plain(found["data"], inside=False))


def _plain(text: str, *, inside: bool) -> str:
    for code, char in (("%0D", "\r"), ("%0A", "\n")):
        text = text.replace(code, char)
    if inside:
        text = text.replace("%3A", ":").replace("%2C", ",")
    return text.replace("%25", "%")


def read_assignments(text: str) -> dict[str, str]:
    """Return what a step wrote to GITHUB_OUTPUT or GITHUB_ENV. Raises: UnknownSyntaxError."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, sign, rest = re.match(r"([^=<]*)(=|<<)?(.*)", line).groups()
        if not line:
            continue
        if sign == "=":
            found[name] = rest
        elif sign == "<<" and rest:
            found[name] = "\n".join(_until(lines, rest))
        else:
            raise UnknownSyntaxError(f"a line of a command file: {line!r}")
    return found


def _until(lines: object, delimiter: str) -> list[str]:
    taken: list[str] = []
    for line in lines:
        if line == delimiter:
            return taken
        taken.append(line)
    raise UnknownSyntaxError(f"a value without its end {delimiter!r}")
