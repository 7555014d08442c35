"""Text in Markdown that stays text, whatever a document says (GitHub Flavored Markdown, GitLab's).

Forges make links of more than Markdown does: of @names, #123, commit hashes, addresses without any
markup, and of words that a repository's settings name. None of that happens in code spans. So what
comes from documents stands in code spans, and outside of them nothing but plain words.

A span's fence is longer than any run of backticks in it, but cmark-gfm, GitHub's parser, knows no
fence of more than 80 (MAXBACKTICKS in its src/inlines.c): the span would come out as markup. So
long runs are spelled out, and all fences are short.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from gitca.findings import Location
from gitca.plan.url_path import url_path
from gitca.x509.visible_text import spelled_out

LONGEST = 400
"""Characters of one text that are shown; how long it is then stands behind it."""

LONGEST_MESSAGE = 1200
LISTED = 50
"""Values of one field that are listed; the others are counted."""

_FENCES = re.compile(r"`+")
_LONG_RUN = re.compile(r"`{4,}")
_QUOTED = re.compile(r"([(]*“)([^“”]*)(”[)”.,;:!?…]*)")
_TOKEN = re.compile(r"[(]*“[^“”]*”[)”.,;:!?…]*(?!\S)|\S+")
# A word, with the punctuation around it. Longer numbers, and letters that can all be digits of a
# hexadecimal number, could be a commit's name; a number with a full stop could begin a list.
_WORD = re.compile(
    r"([(“]*)((?:[A-Za-z]+(?:['\u2019][a-z]{0,2})?|[0-9]{1,6}(?![.)]))|)([)”.,;:!?…]*)"
)
_SIGNS = ("+", "-", "->")  # of a difference: what follows is a value
_HASH = re.compile(r"[0-9A-Fa-f]{7,}")


def code(text: str, *, longest: int = LONGEST) -> str:
    """Return a text in a code span.

    Control and format characters are spelled out, and backticks where there are many in a row.
    """
    shown = _shown(text)
    if len(shown) > longest:
        return f"{_span(shown[:longest] + '…')} ({len(shown):,} characters)"
    return _span(shown)


def cell_code(text: str) -> str:
    """Return a text in a code span for a cell of a table, which ends at every pipe."""
    return code(text).replace("|", r"\x7c")


def _shown(text: str) -> str:
    """Return a text on one line, without what no code span could hold."""
    return _LONG_RUN.sub(lambda run: r"\x60" * len(run[0]), spelled_out(text))


def _span(text: str) -> str:
    if not text.strip():
        return "*(empty)*" if not text else f"*({len(text)} spaces)*"
    longest = max((len(run) for run in _FENCES.findall(text)), default=0)
    fence = "`" * (longest + 1)
    # One space at each end is taken off again, where both are there.
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def prose(text: str, *, longest: int = LONGEST_MESSAGE) -> str:
    """Return a sentence: plain words as they are, all else in code spans."""
    shown = _shown(text)
    words = [
        word
        for is_plain, run in groupby(_pieces(shown[:longest]), key=lambda piece: piece[0])
        for word in _joined(is_plain, [piece[1:] for piece in run])
    ]
    return " ".join([*words, *([f"… ({len(shown):,} characters)"] if len(shown) > longest else [])])


def cell_prose(text: str) -> str:
    """Return a sentence for a cell of a table."""
    return prose(text).replace("|", r"\x7c")


def _pieces(text: str) -> Iterator[tuple[bool, str, str, str]]:
    """Yield the words of a text: whether each is plain, what stands before it, itself, after it."""
    before = ""
    # A number that is all there is would begin a list with the full stop that comes after it.
    is_number = text.strip().isdigit()
    for token in _TOKEN.findall(text):
        plain = None if is_number else _WORD.fullmatch(token)
        quoted = _QUOTED.fullmatch(token)
        if plain and not _HASH.fullmatch(plain[2]) and before not in _SIGNS:
            yield True, "", token, ""
        elif quoted:
            yield False, quoted[1], quoted[2], quoted[3]
        else:
            yield False, *_apart(token)
        before = token


def _apart(token: str) -> tuple[str, str, str]:
    """Return a token without the punctuation around it, which is no part of what it says."""
    body = token.lstrip("(").rstrip(".,;:)")
    if not body:
        return "", token, ""
    start = token.index(body)
    before, after = token[:start], token[start + len(body) :]
    if ")" in after and "(" in body and "(" not in before:
        return before, body + after, ""
    return before, body, after


def _joined(is_plain: bool, run: list[tuple[str, str, str]]) -> Iterator[str]:
    """Yield the words, with what needs a code span side by side in one."""
    if is_plain:
        yield from (word for _, word, _ in run)
        return
    before, words = "", list[str]()
    for head, word, tail in run:
        if head and words:
            yield before + _span(" ".join(words))
            before, words = head, []
        before = before or head
        words.append(word)
        if tail:
            yield before + _span(" ".join(words)) + tail
            before, words = "", []
    if words:
        yield before + _span(" ".join(words))


def html_code(text: str) -> str:
    """Return a text for a line of HTML, in which no Markdown is read."""
    shown = _shown(text)
    cut = f"{shown[:100]}…" if len(shown) > 100 else shown
    return f"<code>{html.escape(cut)}</code>"


def place_link(place: Location, links: str, *, in_table: bool = False, line: bool = True) -> str:
    """Return a file and line, linked below `links` where that is given.

    A paragraph must not begin with it: there `[…]:` defines a link, code span or not.
    """
    shown = f"{place.file}:{place.line}" if line else place.file
    words = cell_code(shown) if in_table else code(shown)
    if not links:
        return words
    anchor = f"#L{place.line}" if line else ""
    return f"[{words}]({links}/{url_path(place.file)}{anchor})"


def listed(values: Sequence[str], *, show: int = LISTED) -> str:
    """Return values in code spans for a cell, one to a line; the surplus is counted."""
    lines = [cell_code(value) for value in values[:show]]
    if len(values) > show:
        lines.append(f"… and **{len(values) - show:,} more**")
    return "<br>".join(lines)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose cells are Markdown already."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return `1 error`, `2,000 errors`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def details(summary: str, body: str, *, is_open: bool = False) -> str:
    """Return a part that unfolds; `summary` is HTML, `body` Markdown."""
    start = "<details open>" if is_open else "<details>"
    return f"{start}<summary>{summary}</summary>\n\n{body.rstrip()}\n\n</details>\n"
