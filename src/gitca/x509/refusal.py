"""Why bytes that somebody handed in are not accepted, in the form of which findings are made."""

from __future__ import annotations


class RefusedError(ValueError):
    """Bytes or text that gitca does not accept.

    `rule` is the stable dotted name of the check (`csr.truncated`, `key.curve`), `message` says
    what was seen and what was allowed, `remedy` what to do. None of them holds content that could
    be secret.
    """

    def __init__(self, rule: str, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[RefusedError], tuple[str, str, str]]:
        return type(self), (self.rule, self.message, self.remedy)
