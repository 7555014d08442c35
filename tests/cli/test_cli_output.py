"""What reaches a terminal: escaped, aligned, coloured only where that is wanted."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitca.cli.output import (
    Styled,
    display_width,
    shortened,
    write_block,
    write_json,
    write_line,
    write_table,
)
from gitca.x509.visible_text import spelled_out


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("line\nbreak\r", r"line\x0abreak\x0d"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\U000e0041", r"\U000e0041"),
        ("\x9b31m\x7f\x00", r"\x9b31m\x7f\x00"),
        ("\udcff", r"\udcff"),
        ("Zürich, 日本", "Zürich, 日本"),
    ],
)
def test_control_and_format_characters_are_spelled_out(text: str, shown: str) -> None:
    assert spelled_out(text) == shown


@given(st.text())
def test_whatever_a_document_holds_a_line_stays_one_printable_line(text: str) -> None:
    stream = io.StringIO()
    write_line("before ", Styled(text, "red"), stream=stream)
    line = stream.getvalue()
    assert line.count("\n") == 1
    assert line.endswith("\n")
    # Unassigned and private characters show as a box; they move nothing.
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in line[:-1])
    assert not set(line) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


def test_colours_appear_on_a_terminal_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal, pipe = Terminal(), io.StringIO()
    write_line(Styled("no", "red"), stream=terminal)
    write_line(Styled("no", "red"), stream=pipe)
    assert terminal.getvalue() == "\x1b[31mno\x1b[0m\n"
    assert pipe.getvalue() == "no\n"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_color_and_dumb_terminals_are_respected(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(name, value)
    terminal = Terminal()
    write_line(Styled("no", "red"), stream=terminal)
    assert terminal.getvalue() == "no\n"


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_a_table_fits_the_terminal_and_shows_what_it_cut(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    rows = [("a" * 40, "b" * 60), ("短い", "c")]
    write_table(("FIRST", "SECOND"), rows, shrink=1)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(display_width, lines)) <= columns
    assert ("…" in lines[1]) == (columns < 102)
    assert [display_width(line[: line.index(word)]) for line, word in zip(
        lines, ("SECOND", "bb", "c"), strict=True)] == [42, 42, 42]  # fmt: skip


@given(st.text(alphabet="abc日本é", max_size=40), st.integers(min_value=1, max_value=30))
def test_a_shortened_text_is_never_wider_than_asked(text: str, width: int) -> None:
    assert display_width(shortened(text, width)) <= width


def test_a_block_keeps_its_line_breaks_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    write_block("one\ntwo\x1b\n")
    assert capsys.readouterr().out == "one\ntwo\\x1b\n"


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    write_json({"name": "Zürich\u202e"})
    assert capsys.readouterr().out.isascii()
