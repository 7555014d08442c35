"""What the stars of a pattern mean, written as plainly and as slowly as possible."""

from __future__ import annotations


def naive(pattern: str, text: str, *, separators: str) -> bool:
    """Whether a pattern matches: `*` crosses no separator, neither star stands for a star."""
    if pattern.startswith("**"):
        return any(
            "*" not in text[:end] and naive(pattern[2:], text[end:], separators=separators)
            for end in range(1, len(text) + 1)
        )
    if pattern.startswith("*"):
        return any(
            not set(text[:end]) & {"*", *separators}
            and naive(pattern[1:], text[end:], separators=separators)
            for end in range(1, len(text) + 1)
        )
    if not pattern or not text:
        return pattern == text
    return pattern[0] == text[0] and naive(pattern[1:], text[1:], separators=separators)
