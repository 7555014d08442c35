"""Markdown as GitHub's own parser reads it: cmark-gfm, with every extension that it has.

It has limits that other parsers have not: a code span's fence, for one, has at most 80 backticks.
What GitHub does after parsing (mentions, emoji, math, alerts) it does to text outside of code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from cmarkgfm import cmark

# Not tagfilter: it would hide from the judge what it hides from readers.
EXTENSIONS = ["table", "strikethrough", "autolink", "tasklist"]
OPTIONS = cmark.Options.CMARK_OPT_UNSAFE | cmark.Options.CMARK_OPT_FOOTNOTES
ELEMENTS = {
    "p", "h2", "h3", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "code", "strong",
    "em", "a", "details", "summary", "b", "br",
}  # fmt: skip
MARKUP = re.compile(r"[`\[\]<>|~$\\{}#@_=^&%]")
"""What gitca writes none of outside of code: there it could be markup, here or on some forge."""


@dataclass
class Page:
    """What a reader sees: the code spans (less those of summaries), links, and what is wrong."""

    codes: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read(markdown: str) -> Page:
    """Read Markdown as GitHub would."""
    text = markdown.encode("utf-8", "backslashreplace").decode()
    reader = _Reader()
    reader.feed(cmark.markdown_to_html_with_extensions(text, OPTIONS, EXTENSIONS))
    reader.close()
    return reader.page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self.within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "br":
            self.within.append(tag)
        match tag, attrs:
            case "a", [("href", str(target))]:
                self.page.links.append(target)
            case "details", [] | [("open", None | "")]:
                pass
            case _, []:
                if tag not in ELEMENTS:
                    self.page.problems.append(f"<{tag}>")
            case _:
                self.page.problems.append(f"<{tag} {attrs}>")
        if tag == "code":
            self.page.codes += [] if "summary" in self.within else [""]

    def handle_endtag(self, tag: str) -> None:
        if not self.within or self.within.pop() != tag:
            self.page.problems.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if "code" not in self.within:
            found = MARKUP.search(data)
            self.page.problems += [f"{found[0]!r} in {data!r}"] if found else []
        elif "summary" not in self.within:
            self.page.codes[-1] += data

    def handle_comment(self, data: str) -> None:
        if data.strip() != "gitca plan" or self.getpos() != (1, 0):
            self.page.problems.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self.page.problems.append(f"<!{decl}>")

    unknown_decl = handle_pi = handle_decl
