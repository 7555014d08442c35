"""Writing for people and for programs: escaped, coloured on a terminal only, or JSON."""

from __future__ import annotations

import contextlib
import enum
import json
import os
import re
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TextIO

from gitca.x509.visible_text import spelled_out

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


# What a CI system takes for a command in a job's log: GitHub's runner at the beginning of a line,
# and in its older form (as Azure's, ##vso[…], and TeamCity's) anywhere in it.
_COMMAND_AT_START = re.compile(r"^(\s*):(?=:)")
_COMMAND_ANYWHERE = re.compile(r"##(?=[A-Za-z]*\[)")


class Format(enum.StrEnum):
    """How an answer is written."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Styled:
    """Text and the colour it has on a terminal."""

    text: str
    style: str


Piece = str | Styled


def write_line(*pieces: Piece, stream: TextIO | None = None) -> None:
    """Write one line; whatever the pieces hold, it stays one line and moves no cursor."""
    target = sys.stdout if stream is None else stream
    coloured = has_colour(target)
    target.write(_inert("".join(_render(piece, coloured) for piece in pieces)) + "\n")


def _inert(line: str) -> str:
    """Return a line that no CI system obeys; a document may have put a command into it."""
    line = _COMMAND_AT_START.sub(r"\1\\x3a", line)
    return _COMMAND_ANYWHERE.sub(r"#\\x23", line)


def write_block(text: str, *, stream: TextIO | None = None) -> None:
    """Write lines that a rendering composed; only their line breaks are kept as they are."""
    for line in text.removesuffix("\n").split("\n"):
        write_line(line, stream=stream)


def json_text(value: object) -> str:
    """Return a value as JSON, in ASCII; no terminal and no CI system is moved by what it holds."""
    text = json.dumps(value, indent=2, ensure_ascii=True)
    # Only a string can hold these characters, and there the escape means the same.
    return _COMMAND_ANYWHERE.sub(r"#\\u0023", text) + "\n"


def write_json(value: object) -> None:
    """Write a value as `json_text` has it."""
    sys.stdout.write(json_text(value))


def complain(message: str) -> None:
    """Write one line on standard error, as every failure is told, where anybody reads it."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()  # where both go to one file, what came before stands before
    with contextlib.suppress(OSError):
        write_line(Styled("gitca: ", "red"), message, stream=sys.stderr)


def has_colour(stream: TextIO) -> bool:
    """Whether colours are wanted: a terminal, `NO_COLOR` unset, and not a dumb one."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def _render(piece: Piece, coloured: bool) -> str:
    if isinstance(piece, str):
        return spelled_out(piece)
    text = spelled_out(piece.text)
    return f"\x1b[{_STYLES[piece.style]}m{text}\x1b[0m" if coloured and piece.style else text


def terminal_columns() -> int:
    """How wide a line may be: `COLUMNS` where set, the terminal's width, or 120 elsewhere."""
    declared = os.environ.get("COLUMNS", "")
    if declared.isascii() and declared.isdigit() and int(declared) > 0:
        return int(declared)
    if sys.stdout.isatty():
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    return 120


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 finding`, `2 findings`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def display_width(text: str) -> int:
    """How many columns a terminal gives the text; East Asian wide characters take two."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    combining = sum(unicodedata.combining(char) > 0 for char in text)
    return len(text) + wide - combining


def write_table(headings: Sequence[str], rows: Iterable[Sequence[Piece]], *, shrink: int) -> None:
    """Write an aligned table that fits the terminal; column `shrink` gives way when it must."""
    table = [list(row) for row in rows]
    widths = [
        max(display_width(_plain(row[column])) for row in [headings, *table])
        for column in range(len(headings))
    ]
    excess = sum(widths) + 2 * (len(widths) - 1) - terminal_columns()
    if excess > 0:
        widths[shrink] = max(8, widths[shrink] - excess)
    write_line(*_cells([Styled(heading, "bold") for heading in headings], widths))
    for row in table:
        write_line(*_cells(row, widths))


def _plain(piece: Piece) -> str:
    return spelled_out(piece if isinstance(piece, str) else piece.text)


def _cells(row: Sequence[Piece], widths: Sequence[int]) -> list[Piece]:
    pieces: list[Piece] = []
    for column, (piece, width) in enumerate(zip(row, widths, strict=True)):
        text = shortened(_plain(piece), width)
        last = column == len(widths) - 1
        pad = "" if last else " " * (width - display_width(text) + 2)
        pieces += [Styled(text, piece.style) if isinstance(piece, Styled) else text, pad]
    return pieces


def shortened(text: str, width: int) -> str:
    """The text in at most `width` columns; what is cut is shown by an ellipsis in its middle."""
    if display_width(text) <= width:
        return text
    head = _beginning(text, (width - 1) // 2)
    tail = _beginning(text[::-1], width - 1 - display_width(head))[::-1]
    return f"{head}…{tail}"


def _beginning(text: str, width: int) -> str:
    """As many characters of the text as `width` columns hold."""
    used = 0
    for place, char in enumerate(text):
        used += display_width(char)
        if used > width:
            return text[:place]
    return text


def field_lines(name: str, value: str, columns: int) -> list[str]:
    """The line `name value`, or the value wrapped below the name where it would be too long."""
    line = f"  {name:<14}{value}"
    if display_width(line) <= columns:
        return [line]
    folded = textwrap.wrap(
        value, max(20, columns - 4), break_long_words=False, break_on_hyphens=False
    )
    return [*([f"  {name}"] if name else []), *(f"    {part}" for part in folded)]
