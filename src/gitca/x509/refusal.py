"""Why bytes or text that somebody wrote are not accepted, as findings will say it."""

from __future__ import annotations

from dataclasses import dataclass

_SHOWN = 80  # characters of somebody's text that a message repeats


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a piece of text, and what to do.

    `rule` is the stable dotted name of the check (`dns.label-length`), `message` says what was seen
    and what was allowed.
    """

    rule: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        return self.message


class RefusedError(ValueError):
    """Bytes that gitca does not accept; the attributes are those of a `Problem`.

    None of them holds content that could be secret.
    """

    def __init__(self, rule: str, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[RefusedError], tuple[str, str, str]]:
        return type(self), (self.rule, self.message, self.remedy)


def quoted(text: str) -> str:
    """Return somebody's text in quotes, cut to 80 characters, invisible characters escaped.

    Control and bidirectional characters would change what a terminal or a review page shows.
    """
    cut = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return f"“{''.join(char if char.isprintable() else ascii(char)[1:-1] for char in cut)}”"
