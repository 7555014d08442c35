"""As much of a report as a limit lets through: what is left out is counted, and nothing is cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and blocks below it, which are composed one by one, as far as they fit.

    `share` is the part of the space that the section may take before the others had theirs; what
    they leave goes to the sections in the order of `rank`. `left_out` says what is not shown, of
    the blocks from a number on.
    """

    heading: str
    blocks: Sequence[Callable[[], str]]
    left_out: Callable[[int], str]
    share: float
    rank: int


def fit(start: str, sections: Sequence[Section], end: str, limit: int) -> str:
    """Return a text of at most `limit` bytes in UTF-8, as long as headings and counts fit in.

    Every block is whole or counted.
    """
    fills = [_Fill.of(section) for section in sections if section.blocks]
    reserved = sum(fill.reserved for fill in fills)
    space = limit - _size(start) - _size(end) - reserved
    by_rank = sorted(fills, key=lambda fill: fill.section.rank)
    for fill in by_rank:
        space -= fill.add(min(space, int(fill.section.share * max(space, 0))))
    for fill in by_rank:
        space -= fill.add(space)
    return start + "".join(fill.text() for fill in fills) + end


@dataclass(slots=True)
class _Fill:
    """A section with the blocks that it got so far; one that did not fit waits in `next`."""

    section: Section
    reserved: int
    shown: list[str]
    waiting: Iterator[str]
    next: str | None

    @classmethod
    def of(cls, section: Section) -> _Fill:
        rest = section.left_out(0)
        waiting = (block() for block in section.blocks)
        # The line that counts the rest can grow by a few digits as the rest changes.
        return cls(section, _size(section.heading) + _size(rest) + 40, [], waiting, None)

    def add(self, space: int) -> int:
        """Take blocks while they fit; return the bytes that they took."""
        taken = 0
        while (block := self.next or next(self.waiting, None)) is not None:
            if taken + _size(block) > space:
                self.next = block
                break
            self.next = None
            self.shown.append(block)
            taken += _size(block)
        return taken

    def text(self) -> str:
        count = len(self.shown)
        rest = self.section.left_out(count) if count < len(self.section.blocks) else ""
        return self.section.heading + "".join(self.shown) + rest


def _size(text: str) -> int:
    return len(text.encode("utf-8", "backslashreplace"))
