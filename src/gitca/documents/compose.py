"""Events of a YAML parser to a value, with the place of each part and all that is refused."""

from __future__ import annotations

from typing import Protocol

from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from gitca.documents.fields import shown
from gitca.documents.flaws import flaw
from gitca.documents.scalars import UnfitNumberError, plain_scalar
from gitca.documents.text import control_character
from gitca.findings import Finding, Location

MAX_DEPTH = 32
"""Collections that may lie within each other."""

MAX_VALUES = 20_000
"""Values that a document may hold: 256 KiB of one-letter items would keep a reviewer's CI busy."""

Pointer = tuple[str | int, ...]
Place = tuple[int, int, int, int]
"""Line and column of a value and line and column of its key, from 1."""


class Parser(Protocol):
    """A YAML parser: libyaml's or PyYAML's own."""

    def get_event(self) -> Event:
        """Return the next event. Raises: yaml.YAMLError."""


class StopError(Exception):
    """A finding after which nothing more can be read."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def _place(event: Event) -> tuple[int, int]:
    """Return line and column, from 1, of where an event begins."""
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


class Composer:
    """Reads one document; afterwards `places`, `nulls` and `findings` say what it met."""

    def __init__(self, path: str, parser: Parser) -> None:
        self.places: dict[Pointer, Place] = {}
        self.nulls: list[Pointer] = []
        self.findings: list[Finding] = []
        self._path = path
        self._next = parser.get_event

    def compose(self) -> object:
        """Return the value of the only document, None where there is none.

        Raises: StopError where reading cannot go on; yaml.YAMLError for malformed YAML.
        """
        self._next()
        event = self._next()
        if isinstance(event, StreamEndEvent):
            return None
        if isinstance(event, DocumentStartEvent) and (event.version or event.tags):
            self._refuse(event, "yaml.directive", "a directive is not allowed", "remove the line")
        value = self._value(self._next(), (), None)
        self._next()
        event = self._next()
        if not isinstance(event, StreamEndEvent):
            raise StopError(
                self._finding(
                    event,
                    "yaml.several-documents",
                    "a second document begins, and a file holds one",
                    "move it to a file of its own",
                )
            )
        return value

    def _value(self, event: Event, pointer: Pointer, key: Event | None) -> object:
        """Return the value that begins with this event, at this pointer, under this key."""
        self._note(event, pointer, key)
        if len(self.places) > MAX_VALUES:
            message = f"the document holds more than {MAX_VALUES} values"
            raise StopError(self._finding(event, "yaml.values", message, "split it"))
        if type(event) is ScalarEvent:
            self._check_node(event)
            return self._scalar(event, pointer)
        if type(event) is MappingStartEvent:
            self._check_node(event)
            return self._mapping(event, pointer)
        if type(event) is SequenceStartEvent:
            self._check_node(event)
            return self._sequence(event, pointer)
        name = shown(f"*{event.anchor}") if isinstance(event, AliasEvent) else "an alias"
        self._refuse(
            event, "yaml.alias", f"alias {name} is not allowed", "write the value itself here"
        )
        return None

    def _note(self, event: Event, pointer: Pointer, key: Event | None) -> None:
        line, column = _place(event)
        if key is None:
            self.places[pointer] = (line, column, line, column)
            return
        key_line, key_column = _place(key)
        # A block collection begins with its first item; what people look for is its key. An absent
        # value has no place but its key's.
        if isinstance(event, CollectionStartEvent):
            of_key = not event.flow_style
        else:
            of_key = type(event) is ScalarEvent and event.implicit[0] and not event.value
        self.places[pointer] = (
            (key_line, key_column, key_line, key_column)
            if of_key
            else (line, column, key_line, key_column)
        )

    def _check_node(self, event: ScalarEvent | CollectionStartEvent) -> None:
        if event.anchor is not None:
            name = shown(f"&{event.anchor}")
            self._refuse(event, "yaml.anchor", f"anchor {name} is not allowed", "remove it")
        if event.tag is not None:
            remedy = "remove it; put text that looks like a number in quotes"
            self._refuse(event, "yaml.tag", f"tag {shown(event.tag)} is not allowed", remedy)

    def _scalar(self, event: ScalarEvent, pointer: Pointer) -> str | int | float | bool | None:
        if not event.implicit[0]:
            self._check_text(event)
            return event.value
        try:
            value = plain_scalar(event.value)
        except UnfitNumberError as error:
            remedy = "put it in quotes if it is meant as text"
            self._refuse(event, "yaml.number", f"{shown(event.value)} {error}", remedy)
            return event.value
        if value is None:
            self.nulls.append(pointer)
        return value

    def _check_text(self, event: ScalarEvent) -> None:
        character = control_character(event.value)
        if character:
            self._refuse(
                event,
                "yaml.control-character",
                f"the text holds character {character}, which is not allowed in a document",
                "remove the escape sequence",
            )

    def _mapping(self, start: MappingStartEvent, pointer: Pointer) -> dict[str, object]:
        self._check_depth(start, pointer)
        mapping: dict[str, object] = {}
        while type(event := self._next()) is not MappingEndEvent:
            name = self._key(event, pointer)
            here = (*pointer, name)
            if name in mapping:
                self._refuse_duplicate(event, name, self.places[here])
                self._skip(here, event)
                continue
            mapping[name] = self._value(self._next(), here, event)
        return mapping

    def _skip(self, pointer: Pointer, key: Event) -> None:
        """Read a value for its findings alone; the first under this key keeps its place."""
        nulls = len(self.nulls)
        # No document can hold this pointer, since it holds no NUL.
        self._value(self._next(), (*pointer, f"\0{_place(key)}"), key)
        del self.nulls[nulls:]

    def _refuse_duplicate(self, event: Event, name: str, first: Place) -> None:
        self._refuse(
            event,
            "yaml.duplicate-key",
            f"key {shown(name)} is written twice, first in line {first[2]}",
            "remove one of them",
        )

    def _key(self, event: Event, pointer: Pointer) -> str:
        """Return the key that this event is; keys are text, whatever they look like."""
        if type(event) is not ScalarEvent:
            raise StopError(
                self._finding(
                    event,
                    "yaml.key",
                    "a key is an alias, a list or a mapping, where only text is allowed",
                    "write a plain key",
                )
            )
        self._check_node(event)
        self._check_text(event)
        if event.value == "<<" and event.implicit[0]:
            remedy = "write the keys themselves here"
            self._refuse(event, "yaml.merge-key", "merge key << is not allowed", remedy)
        return event.value

    def _sequence(self, start: SequenceStartEvent, pointer: Pointer) -> list[object]:
        self._check_depth(start, pointer)
        items: list[object] = []
        while type(event := self._next()) is not SequenceEndEvent:
            items.append(self._value(event, (*pointer, len(items)), None))
        return items

    def _check_depth(self, event: Event, pointer: Pointer) -> None:
        if len(pointer) < MAX_DEPTH:
            return
        message = f"more than {MAX_DEPTH} collections lie within each other"
        raise StopError(self._finding(event, "yaml.depth", message, "nest less"))

    def _finding(self, event: Event, rule: str, message: str, remedy: str) -> Finding:
        return flaw(rule, message, Location(self._path, *_place(event)), remedy)

    def _refuse(self, event: Event, rule: str, message: str, remedy: str) -> None:
        self.findings.append(self._finding(event, rule, message, remedy))
