"""YAML text with the place of every value."""

from __future__ import annotations

from dataclasses import dataclass

from gitca.findings import Finding, Location


@dataclass(frozen=True)
class Source:
    """The value of one YAML document, and where each part of it stands."""

    path: str
    blob: str
    value: object

    def at(self, *pointer: str | int) -> Location:
        """Return the place of a value."""
        return Location(self.path)


def parse_source(path: str, data: bytes, *, blob: str = "") -> tuple[Source | None, tuple[Finding, ...]]:
    """Return the source of a YAML text."""
    raise NotImplementedError
