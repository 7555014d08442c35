"""YAML text to values that know their line and column: the safe subset and nothing else.

UTF-8 without BOM, one document a file, at most 256 KiB; no anchors, aliases, tags, merge keys,
duplicate keys or directives; scalars of the YAML 1.2 core schema (see `scalars`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

import yaml
from yaml.parser import Parser as PlainParser
from yaml.reader import Reader
from yaml.scanner import Scanner

from gitca.documents.compose import Composer, Parser, Place, Pointer, StopError
from gitca.documents.fields import escaped
from gitca.documents.flaws import bounded, flaw
from gitca.documents.text import decode, position
from gitca.findings import Finding, Location


@dataclass(frozen=True)
class Source:
    """The value of one YAML document (as JSON would have it) and the place of each part of it.

    `nulls` are the pointers of the keys and items that are written without a value.
    """

    path: str
    blob: str
    value: object
    nulls: tuple[Pointer, ...] = ()
    places: Mapping[Pointer, Place] = field(default_factory=dict, repr=False, compare=False)

    def at(self, *pointer: str | int) -> Location:
        """Return the place of a value: its own, or its key's where it is a block or absent.

        Where nothing is there: the place of the deepest part on the way to it that is.
        """
        for length in range(len(pointer), -1, -1):
            found = self.places.get(pointer[:length])
            if found:
                return Location(self.path, found[0], found[1])
        return Location(self.path)

    def key_at(self, *pointer: str | int) -> Location:
        """Return the place of the key of a value, or that of the deepest part that is there."""
        found = self.places.get(pointer)
        return Location(self.path, found[2], found[3]) if found else self.at(*pointer)


class PythonParser(Reader, Scanner, PlainParser):
    """PyYAML's parser in Python, where it was built without libyaml; the same events."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        PlainParser.__init__(self)


def _fastest_parser() -> Callable[[str], Parser]:
    try:
        from yaml._yaml import CParser
    except ImportError:
        return PythonParser
    return cast("Callable[[str], Parser]", CParser)  # its events are never None before the end


_new_parser = _fastest_parser()


def parse_source(
    path: str,
    data: bytes,
    *,
    blob: str = "",
    new_parser: Callable[[str], Parser] = _new_parser,
) -> tuple[Source | None, tuple[Finding, ...]]:
    """Return the source of a YAML text, and all that speaks against it.

    A source comes together with findings where reading could go on after them, so that the models
    can add theirs; whoever gets an error must not use the value for anything else.
    """
    text, findings = decode(path, data)
    if text is None:
        return None, bounded(findings)
    composer = Composer(path, new_parser(text))
    try:
        value = composer.compose()
    except StopError as stop:
        return None, bounded((*composer.findings, stop.finding))
    except yaml.MarkedYAMLError as error:
        return None, bounded((*composer.findings, _malformed(path, text, error)))
    source = Source(path, blob, value, tuple(composer.nulls), composer.places)
    return source, bounded(composer.findings)


_REMEDIES = {
    "mapping values are not allowed": "put a value that contains “: ” in quotes, and check the"
    " indentation",
    "cannot start any token": "put a value that begins with this character in quotes",
    "could not find expected ':'": "write a colon and a space after the key",
    "did not find expected key": "align the keys of a mapping in one column",
    "unexpected end of stream": "close the quote or bracket",
    "found undefined tag handle": "remove the tag",
    "found undefined alias": "write the value itself",
}


def _malformed(path: str, text: str, error: yaml.MarkedYAMLError) -> Finding:
    problem = str(error.problem or error.context or "malformed")
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    end = text.rstrip("\n")
    # What is missing at the end is found missing after it, in a line that is not there.
    if line > end.count("\n") + 1:
        line, column = position(end, len(end))
    place = Location(path, line, column)
    remedies = [remedy for words, remedy in _REMEDIES.items() if words in problem]
    remedy = remedies[0] if remedies else "check the indentation, brackets and quotes here"
    message = f"malformed YAML: {escaped(problem)}"
    return flaw("yaml.syntax", message, place, remedy)
