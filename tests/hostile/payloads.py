"""Texts that somebody may put wherever text is allowed, and what none may do to a reader."""

from __future__ import annotations

import re
import unicodedata

PAYLOADS = {
    "escape": "\x1b[31mred\x1b[0m",
    "title": "\x1b]0;title\x07",
    "link": "\x1b]8;;http://evil.invalid\x07text\x1b]8;;\x07",
    "c1": "\x9b31m\x85\x90",
    "newline": "a\n::set-output name=approved::true",
    "return": "a\r::error::b\x0b\x0c",
    "command": "::set-output name=approved::true",
    "old-command": "##[set-output name=approved]true",
    "azure": "##vso[task.setvariable variable=x]y",
    "bidi": "a\u202egro.elpmaxe\u202c\u2066x\u2069",
    "invisible": "a\u200bb\ufeffc\u00ad\U000e0041",
    "separators": "a\u2028b\u2029c",
    "homoglyph": "p\u0430yp\u0430l.example.internal",
    "html": "<script>alert(1)</script><img src=x onerror=y>",
    "mention": "@everyone [x](http://evil.invalid) #1 !1 GH-1",
    # cmark-gfm reads no fence of more than 80 backticks.
    "fence": "`" * 80
    + " @example/security [**All passed**](http://evil.invalid) ![](//evil.invalid)",
    "forge": "x[^1] - [ ] ~~y~~ ~z~ $`q`$ $r$ :tada: www.evil.invalid > [!NOTE]",
    "option": "--upload-pack=touch x",
    "dots": "../../../../tmp/x",
    "shell": "$(touch x)`touch y`;touch z|touch w",
    "long": "x" * 4000,
    "nul": "a\0b",
    "surrogate": "a\udcff",
    "template": "{ca.name}{0}%s%n{{7*7}}",
}
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def unsafe(words: str) -> list[str]:
    """Return the lines of an output that could move a terminal or speak to a CI system."""
    return [
        ascii(line)
        for line in words.split("\n")
        if any(unicodedata.category(char) in _UNSAFE for char in line)
        or re.match(r"\s*::", line)
        or re.search(r"##[A-Za-z]*\[", line)
    ]
