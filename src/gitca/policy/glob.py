"""Match text against a pattern with stars, in time linear in the text, whatever the pattern."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_MOST_STATES = 5000


@dataclass(frozen=True, slots=True)
class CharacterClass:
    """The characters that a token takes: those listed or, if `excluded`, all but those listed."""

    characters: frozenset[str]
    excluded: bool = False

    def takes(self, character: str) -> bool:
        """Whether the class holds the character."""
        return (character in self.characters) is not self.excluded


@dataclass(frozen=True, slots=True)
class Token:
    """One step of a pattern: one character of the class or, if `repeats`, one or more of them."""

    takes: CharacterClass
    repeats: bool = False


def literal(text: str) -> list[Token]:
    """Return the tokens that match exactly this text."""
    return [Token(CharacterClass(frozenset(character))) for character in text]


class Glob:
    """A compiled pattern: a non-deterministic automaton whose states are the bits of an integer.

    Bit i stands for "the first i tokens are matched". One character of text costs a few operations
    on an integer of as many bits as the pattern has tokens, so that no pattern can make matching
    explode, as backtracking regular expressions do.
    """

    __slots__ = ("_alphabet", "_goal", "_otherwise", "_repeats")

    def __init__(self, tokens: Iterable[Token]) -> None:
        steps = tuple(tokens)
        # The tokens that take a character which no token lists.
        self._otherwise = _bits(place for place, step in enumerate(steps) if step.takes.excluded)
        self._alphabet: dict[str, int] = {}
        for place, step in enumerate(steps):
            # A listed character is one that an excluding class does not take, and others do.
            for character in step.takes.characters:
                known = self._alphabet.get(character, self._otherwise)
                self._alphabet[character] = known ^ (1 << place)
        self._repeats = _bits(place for place, step in enumerate(steps) if step.repeats)
        self._goal = 1 << len(steps)

    def matches(self, text: str) -> bool:
        """Whether the whole text matches."""
        state = 1
        for character in text:
            state = self._step(state, self._alphabet.get(character, self._otherwise))
            if not state:
                return False
        return bool(state & self._goal)

    def overlaps(self, first: CharacterClass, rest: str) -> bool:
        """Whether any text matches that is one or more characters of `first` and then `rest`."""
        taken = self._union(first)
        state = reached = self._step(1, taken)
        while state:
            state = self._step(state, taken) & ~reached
            reached |= state
        for character in rest:
            reached = self._step(reached, self._alphabet.get(character, self._otherwise))
        return bool(reached & self._goal)

    def meets(self, other: Glob) -> bool:
        """Whether some text matches both."""
        letters = self._letters(other)
        reached = [0] * (self._goal.bit_length())
        reached[0] = 1
        waiting = {0}
        while waiting:
            place = waiting.pop()
            for mine, theirs in letters:
                onward = other._step(reached[place], theirs)
                for following in self._following(place, mine):
                    if onward & ~reached[following]:
                        reached[following] |= onward
                        waiting.add(following)
        return bool(reached[-1] & other._goal)

    def is_within(self, other: Glob) -> bool:
        """Whether all that matches this matches the other, too.

        The states of two patterns together can be very many; where they are, the answer is no.
        """
        letters = self._letters(other)
        waiting = [(0, 1)]
        seen = set(waiting)
        while waiting:
            place, state = waiting.pop()
            if self._goal >> place == 1 and not state & other._goal:
                return False
            for mine, theirs in letters:
                onward = other._step(state, theirs)
                found = {(after, onward) for after in self._following(place, mine)} - seen
                seen |= found
                waiting += found
            if len(seen) > _MOST_STATES:
                return False
        return True

    def _letters(self, other: Glob) -> frozenset[tuple[int, int]]:
        """Return the tokens of both that take a character, once for all characters alike."""
        characters = ("", *self._alphabet, *other._alphabet)  # "" stands for all that none lists
        return frozenset(
            (
                self._alphabet.get(character, self._otherwise),
                other._alphabet.get(character, other._otherwise),
            )
            for character in characters
        )

    def _following(self, place: int, accepting: int) -> Iterator[int]:
        """Yield the places after one character, from one place."""
        if accepting >> place & 1:
            yield place + 1
        # The token before a place goes on taking characters where it repeats.
        if place and accepting & self._repeats & 1 << (place - 1):
            yield place

    def _step(self, state: int, accepting: int) -> int:
        """Return the states after one character that the tokens in `accepting` take."""
        advanced = (state & accepting) << 1
        return advanced | (state & ((accepting & self._repeats) << 1))

    def _union(self, characters: CharacterClass) -> int:
        """Return the tokens that take at least one of the characters."""
        masks = [mask for char, mask in self._alphabet.items() if characters.takes(char)]
        if characters.excluded or characters.characters - self._alphabet.keys():
            masks.append(self._otherwise)
        union = 0
        for mask in masks:
            union |= mask
        return union


def _bits(places: Iterable[int]) -> int:
    return sum(1 << place for place in places)
