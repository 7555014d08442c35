"""The manifest of a target: what a publication left there, as of which commit.

It is written last. A run compares with it instead of reading every object again, and one that is
late sees that another was there before it. It says what to send and proves nothing: certificates
and CRLs carry their own signatures.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from gitca.publishers import Item
from gitca.publishers.kinds import MANIFEST
from gitca.publishers.layout import MANIFEST_PATH

VERSION = 1
LARGEST = 256 * 1024**2
"""No larger one is read, in octets: 37 MB are 100,000 certificates."""

# An entry has 4 of them in 130 octets. Text of little else takes 30 times its size in memory.
_PARTS = (b"{", b"[", b",")
_FEWEST_OCTETS_A_PART, _PARTS_OF_HEAD = 16, 64
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LEDGER = re.compile(r"sha256:[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LONGEST_PATH = 1024
_LONGEST_TYPE = 127


class ManifestError(ValueError):
    """Bytes that are no manifest that gitca wrote."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the manifest says of an object; `sha256` in hexadecimal, `size` in octets."""

    sha256: str
    size: int
    media_type: str

    @classmethod
    def of(cls, item: Item) -> Entry:
        """Return the entry of an object."""
        return cls(item.sha256, len(item.content), item.media_type)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is published, as of `commit`.

    `segment` is the number of the ledger's last segment there, `ledger` its digest. `certificates`
    says whether those of requests are published. While `complete` is false, a run is under way or
    was broken off: `objects` has what is known to be there. `source` is the commit of the
    documents where they are on another branch; empty where that is `commit`.
    """

    segment: int
    ledger: str | None
    commit: str
    certificates: bool
    complete: bool
    objects: Mapping[str, Entry] = field(repr=False)
    source: str = ""

    def says_more_than(self, other: Manifest) -> bool:
        """Whether it has to be written where the other stands; the commit alone is no reason."""
        return (
            self.segment,
            self.ledger,
            self.certificates,
            self.complete,
            self.objects,
        ) != (
            other.segment,
            other.ledger,
            other.certificates,
            other.complete,
            other.objects,
        )


NOTHING = Manifest(0, None, "", True, False, MappingProxyType({}))
"""What stands for the manifest of a target that has none."""


def manifest_item(manifest: Manifest) -> Item:
    """Return a manifest as an object: JSON in UTF-8, an object a line, sorted by path."""
    head = {
        "version": VERSION,
        "segment": manifest.segment,
        "ledger": manifest.ledger,
        "commit": manifest.commit,
        **({"source": manifest.source} if manifest.source else {}),
        "certificates": manifest.certificates,
        "complete": manifest.complete,
    }
    lines = ",\n".join(
        f'{json.dumps(path)}:{{"sha256":"{entry.sha256}","size":{entry.size},'
        f'"mediaType":{json.dumps(entry.media_type)}}}'
        for path, entry in sorted(manifest.objects.items())
    )
    text = f'{json.dumps(head)[:-1]}, "objects": {{\n{lines}\n}}}}\n'
    return MANIFEST.item(MANIFEST_PATH, text.encode())


def parse_manifest(content: bytes) -> Manifest:
    """Return the manifest that bytes hold. Raises: ManifestError."""
    if len(content) > LARGEST:
        raise ManifestError(f"it has {len(content)} octets; allowed are {LARGEST}")
    parts = sum(map(content.count, _PARTS))
    if parts > len(content) // _FEWEST_OCTETS_A_PART + _PARTS_OF_HEAD:
        raise ManifestError(f"it has {parts} parts in {len(content)} octets")
    try:
        read = json.loads(content)
        if not isinstance(read, dict) or read.get("version") != VERSION:
            raise ManifestError(f"it is of no version {VERSION}")
        return Manifest(
            _number(read["segment"]),
            _text(read["ledger"], _LEDGER) if read["ledger"] is not None else None,
            _text(read["commit"], _COMMIT),
            _truth(read["certificates"]),
            _truth(read["complete"]),
            MappingProxyType({_path(path): _entry(one) for path, one in read["objects"].items()}),
            _text(read["source"], _COMMIT) if "source" in read else "",
        )
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise ManifestError(f"it cannot be read ({type(error).__name__})") from error


def _entry(value: Any) -> Entry:
    media_type = value["mediaType"]
    if not isinstance(media_type, str) or len(media_type) > _LONGEST_TYPE:
        raise ManifestError("a media type")
    return Entry(_text(value["sha256"], _DIGEST), _number(value["size"]), media_type)


def _path(value: str) -> str:
    if len(value) > _LONGEST_PATH:
        raise ManifestError("a path")
    return value


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ManifestError("a number")
    return value


def _truth(value: Any) -> bool:
    if type(value) is not bool:
        raise ManifestError("a truth value")
    return value


def _text(value: Any, form: re.Pattern[str]) -> str:
    if not isinstance(value, str) or form.fullmatch(value) is None:
        raise ManifestError("a text")
    return value
