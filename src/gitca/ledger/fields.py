"""Strict reading of one JSON object of the ledger: its fields, their types and their forms.

Whoever may push to the branch can write what they like into the ledger. What is not in a form that
gitca writes is refused here, so that nothing further in has to expect it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime

from gitca.documents.fields import SEGMENT
from gitca.ledger.events import DocumentReference, parse_time

_DIGEST = "sha256:[0-9a-f]{64}"
ORDER = re.compile(r"[0-9a-f]{32}")
DIGEST = re.compile(_DIGEST)
SERIAL = re.compile(r"[1-9a-f][0-9a-f]{0,39}")
OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
CA_NAME = re.compile(SEGMENT)
REQUEST_NAME = re.compile(rf"{SEGMENT}(?:/{SEGMENT})*")
DOCUMENT_PATH = REQUEST_NAME
BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
"""The forms that values take in the ledger, each to be matched whole."""


class Fields:
    """Reads one JSON object strictly: each key is taken once and `close` refuses what is left."""

    __slots__ = ("_record",)

    def __init__(self, record: object) -> None:
        if not isinstance(record, dict):
            raise ValueError(f"expected an object, found {type(record).__name__}")
        self._record = dict(record)

    def text(self, key: str) -> str:
        """Return the string at `key`. Raises: ValueError when it is absent or another type."""
        value = self._record.pop(key, None)
        if not isinstance(value, str):
            raise ValueError(f"{key!r} must be a string, found {value!r:.60}")
        return value

    def matching(self, key: str, form: re.Pattern[str]) -> str:
        """Return the string at `key`. Raises: ValueError when it has another form."""
        value = self.text(key)
        if form.fullmatch(value) is None:
            raise ValueError(f"{key!r} has no form that gitca writes: {value!r:.60}")
        return value

    def one_of(self, key: str, words: Collection[str]) -> str:
        """Return the string at `key`. Raises: ValueError when it is none of the words."""
        value = self.text(key)
        if value not in words:
            raise ValueError(f"{key!r} is {value!r:.60}, and none of {', '.join(words)}")
        return value

    def optional(self, key: str, form: re.Pattern[str]) -> str | None:
        """Return the string of this form at `key`, or None where the key is absent."""
        return self.matching(key, form) if key in self._record else None

    def optional_text(self, key: str) -> str | None:
        """Return the string at `key`, or None where the key is absent."""
        return self.text(key) if key in self._record else None

    def nullable(self, key: str, form: re.Pattern[str]) -> str | None:
        """Return the string at `key`, or None for null. Raises: ValueError when it is absent."""
        if key in self._record and self._record[key] is None:
            del self._record[key]
            return None
        return self.matching(key, form)

    def each(self, key: str, form: re.Pattern[str]) -> tuple[str, ...]:
        """Return the strings of the list at `key`. Raises: ValueError when one has another form."""
        value = self._record.pop(key, None)
        if not isinstance(value, list):
            raise ValueError(f"{key!r} must be a list, found {value!r:.60}")
        for item in value:
            if not isinstance(item, str) or form.fullmatch(item) is None:
                raise ValueError(f"{key!r} has an entry in no form that gitca writes: {item!r:.60}")
        return tuple(value)

    def number(self, key: str) -> int:
        """Return the whole number at `key`. Raises: ValueError when it is anything else."""
        value = self._record.pop(key, None)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ValueError(f"{key!r} must be a whole number, found {value!r:.60}")
        return value

    def flag(self, key: str) -> bool:
        """Return the boolean at `key`, False where the key is absent."""
        value = self._record.pop(key, False)
        if not isinstance(value, bool):
            raise ValueError(f"{key!r} must be true or false, found {value!r:.60}")
        return value

    def time(self, key: str) -> datetime:
        """Return the time at `key`. Raises: ValueError for any but the ledger's form."""
        return parse_time(self.text(key))

    def optional_time(self, key: str) -> datetime | None:
        """Return the time at `key`, or None where the key is absent."""
        return self.time(key) if key in self._record else None

    def fields(self, key: str) -> Fields:
        """Return the object at `key`."""
        return Fields(self._record.pop(key, None))

    def reference(self, key: str) -> DocumentReference:
        """Return the document reference at `key`."""
        fields = self.fields(key)
        path, blob = fields.matching("path", DOCUMENT_PATH), fields.matching("blob", OBJECT_ID)
        reference = DocumentReference(path, blob)
        fields.close()
        return reference

    def optional_reference(self, key: str) -> DocumentReference | None:
        """Return the document reference at `key`, or None where the key is absent."""
        return self.reference(key) if key in self._record else None

    def close(self) -> None:
        """Raises: ValueError when a key was not taken."""
        if self._record:
            raise ValueError(f"unknown field {min(self._record)!r}")
