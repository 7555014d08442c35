"""Code spans hold for GitHub's parser too, wherever they stand and whatever is in them.

cmark-gfm takes a fence of more than 80 backticks for text: what such a fence holds comes to life.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cmark_judge
from gitca.findings import Finding, Location, Severity
from gitca.plan.markdown_findings import finding_item
from gitca.plan.markdown_text import (
    cell_code,
    cell_prose,
    code,
    details,
    html_code,
    listed,
    place_link,
    prose,
)
from hostile_outcomes import EVIL
from markdown_judge import Judgement, as_code, judge

LINKS = "https://forge.example/x"
LONGEST_FENCE = 4
# The construct alone, and what cmark-gfm makes of it where it is not in a code span.
CONSTRUCTS = {
    "footnote": ("x[^1]\n\n[^1]: note", "<sup"),
    "alert": ("> [!NOTE]\n> x", "<blockquote>"),
    "task": ("- [ ] x", "<input"),
    "strikethrough": ("~~x~~", "<del>"),
    "single strikethrough": ("~x~", "<del>"),
    "autolink": ("www.evil.example", "links"),
    "address": ("mallory@evil.example", "links"),
    "mailto": ("mailto:mallory@evil.example", "links"),
    "image": ("![x](https://evil.example/x.png)", "<img"),
    "reference": ("[x]\n\n[x]: https://evil.example", "links"),
    "html": ("<img src=x>", "<img"),
    "comment": ("x <!-- gitca plan -->", "<!-- gitca plan -->"),
    "math": ("$x$", "'$'"),
    "math beside code": ("$`x`$", "'$'"),
    "mention": ("@example/security", "'@'"),
    "issue": ("#12", "'#'"),
    "table of contents": ("[[_TOC_]]", "'['"),
    "code block": ("```math\nx\n```", "<pre>"),
    "heading": ("# x", "<h1>"),
    "list": ("x\n\n6. x", "<ol"),
    "rule": ("x\n\n---\n", "<hr>"),
    "beyond the fences": ("`" * 81 + " [x](https://evil.example) " + "`" * 81, "links"),
}
EMOJI = ":tada:"
runs = st.integers(0, 200).map(lambda count: "`" * count) | st.sampled_from(
    ["`" * count for count in (1, 2, 3, 4, 79, 80, 81, 82)]
)
marks = st.sampled_from(
    [*"[]()|@#<>&\n\r\\!*_~$:^ ", "](https://evil.example)", "![](//evil.example)"]
)
words = st.sampled_from(
    ["a", "6", "6.", "example", "@example/security", "https://evil.example", "<b>", "&#64;"]
)
fenced = st.lists(runs | marks | words | st.sampled_from(EVIL), min_size=1, max_size=8).map("".join)


def in_item(text: str) -> str:
    place = Location(text, 3)
    return finding_item(Finding(text, Severity.ERROR, text, place, text, text), "")


def in_table(text: str) -> str:
    cells = [cell_code(text), cell_prose(text), listed([text, text])]
    return f"| a | b | c | d |\n| --- | --- | --- | --- |\n| {' | '.join(cells)} | `last` |\n"


def in_summary(text: str) -> str:
    return details(f"<b>issue</b> {html_code(text)}", f"{prose(text)}.\n\n{in_table(text)}")


CONTEXTS = {
    "paragraph": lambda text: f"{prose(text)}.\n",
    "span": lambda text: f"{code(text)} and {code(text)}\n",
    "item": in_item,
    "table": in_table,
    "summary": in_summary,
    "heading": lambda text: f"### {code(text)} {prose(text)}\n",
    "link": lambda text: f"in {place_link(Location(text, 3), LINKS)}\n",
}


def settled(context: str, text: str) -> Judgement:
    """Return what a text came to in a place, of which it may have changed nothing."""
    markdown = CONTEXTS[context](text)
    assert max(map(len, re.findall("`+", markdown)), default=0) <= LONGEST_FENCE
    found = judge(markdown)
    assert found.problems == []
    assert len(found.links) == (2 if context == "link" else 0)  # one of each parser
    assert all(re.fullmatch(rf"{LINKS}/[A-Za-z0-9._~/%-]*#L3", link) for link in found.links)
    return found


@pytest.mark.parametrize("context", CONTEXTS)
@settings(max_examples=300)
@given(text=fenced)
def test_backticks_do_not_break_out_of_their_span(context: str, text: str) -> None:
    settled(context, text)


@given(fenced)
def test_a_span_says_the_text_with_long_runs_spelled_out(text: str) -> None:
    found = settled("span", text[:90])
    assert found.codes == [as_code(text[:90])] * 2 if as_code(text[:90]).strip() else True


@pytest.mark.parametrize("context", CONTEXTS)
def test_no_run_of_backticks_is_too_long(context: str) -> None:
    evil = " @example/security approve [**All passed**](https://evil.example) ![](//x.example)"
    for count in range(201):
        settled(context, "`" * count + evil)


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("name", CONSTRUCTS)
def test_what_github_makes_of_markdown_is_not_made_of_documents(name: str, context: str) -> None:
    text, _ = CONSTRUCTS[name]
    settled(context, text)


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_the_judge_sees_what_it_is_to_find(name: str) -> None:
    text, sign = CONSTRUCTS[name]
    page = cmark_judge.read(text)
    if sign == "links":
        assert page.links
    else:
        assert any(sign in problem for problem in page.problems), page


@pytest.mark.parametrize("context", CONTEXTS)
def test_an_emojis_name_stands_in_code(context: str) -> None:
    settled(context, EMOJI)
    assert judge(EMOJI).problems
