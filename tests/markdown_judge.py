"""What a forge would make of Markdown: two parsers, and the links that forges add.

markdown-it-py reads GitHub Flavored Markdown with linkify on, and cmark-gfm, GitHub's own, reads it
again (`cmark_judge.py`): they must agree. What GitHub and GitLab make of plain text after that
(mentions, issues, commits, emoji) is looked for in what the parsers call text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.token import Token

import cmark_judge
from gitca.x509.visible_text import spelled_out

STRUCTURE = {
    "heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "text",
    "softbreak", "strong_open", "strong_close", "em_open", "em_close", "code_inline", "link_open",
    "link_close", "html_inline", "html_block", "bullet_list_open", "bullet_list_close",
    "list_item_open", "list_item_close", "table_open", "table_close", "thead_open", "thead_close",
    "tbody_open", "tbody_close", "tr_open", "tr_close", "th_open", "th_close", "td_open",
    "td_close",
}  # fmt: skip
ELEMENTS = {"details", "summary", "b", "br", "code"}
ADDED_LINKS = re.compile(
    r"[@#$:]\w|://|\bwww\.|\bGH-\d|\b[0-9a-fA-F]{7,40}\b|[\w.]+@[\w.]|!\d|%\w|~\w|&\w|\w\.\w"
)
"""What GitHub and GitLab turn into something else outside of code."""
# Numbers with separators and times that gitca writes itself.
_OWN = re.compile(r"\b\d{1,3}(,\d{3})+\b|\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\dZ")


def as_code(text: str) -> str:
    """Return a text as a code span is to say it: on one line, with fences that all parsers read."""
    return re.sub("`{4,}", lambda run: r"\x60" * len(run[0]), spelled_out(text))


@dataclass
class Judgement:
    """What a text came to: the code spans, links and plain text in it, and what was wrong."""

    codes: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def judge(markdown: str) -> Judgement:
    """Read Markdown as a forge would."""
    found = Judgement()
    for character in markdown:
        # Unassigned and private ones show as a box; they move nothing.
        if character != "\n" and unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
            found.problems.append(f"character {character!r}")
    for token in _tokens(MarkdownIt("gfm-like").parse(markdown)):
        _judge(token, found)
    page = cmark_judge.read(markdown)
    found.problems += [f"cmark-gfm: {problem}" for problem in page.problems]
    if page.codes != found.codes:
        found.problems.append(f"cmark-gfm: codes {page.codes} are not {found.codes}")
    if len(page.links) != len(found.links):
        found.problems.append(f"cmark-gfm: links {page.links} are not {found.links}")
    found.links += page.links
    return found


def _tokens(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _tokens(token.children or [])


def _judge(token: Token, found: Judgement) -> None:
    if token.type not in STRUCTURE:
        found.problems.append(f"{token.type} {token.content!r}")
    if token.type == "code_inline":
        found.codes.append(token.content)
    if token.type == "link_open":
        found.links.append(str(token.attrGet("href")))
    if token.type == "text":
        found.texts.append(token.content)
        added = ADDED_LINKS.search(_OWN.sub("", token.content))
        if added:
            found.problems.append(f"{added[0]!r} in {token.content!r}")
    if token.type in ("html_inline", "html_block"):
        found.problems += _Elements.of(token.content)


class _Elements(HTMLParser):
    """The elements of a piece of HTML that gitca does not write."""

    def __init__(self) -> None:
        super().__init__()
        self.problems: list[str] = []
        self.within: list[str] = []

    @classmethod
    def of(cls, text: str) -> list[str]:
        if text.strip() == "<!-- gitca plan -->":
            return []
        parser = cls()
        parser.feed(text)
        parser.close()
        return parser.problems

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.within.append(tag)
        if tag not in ELEMENTS or attrs not in ([], [("open", None)]):
            self.problems.append(f"<{tag} {attrs}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.within:
            self.within.remove(tag)

    def handle_data(self, data: str) -> None:
        if "code" not in self.within and ADDED_LINKS.search(data):
            self.problems.append(f"{data!r} outside of code")

    def handle_comment(self, data: str) -> None:
        self.problems.append(f"<!--{data}-->")
