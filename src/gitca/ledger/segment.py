"""Segments: one file of the ledger, one commit's events, linked by hash to the file before.

The first line is the segment's head `{"segment": N, "previous": "sha256:…" | null, "format": 1}`,
each further line an event. The digest of a segment is the SHA-256 of its bytes, so that a changed,
dropped or reordered segment breaks the link of the next (I10).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from gitca.errors import ContradictionError
from gitca.ledger.decoding import parse_event, parse_json
from gitca.ledger.encoding import encode_line, event_record
from gitca.ledger.events import Event
from gitca.ledger.fields import DIGEST, Fields
from gitca.ledger.usual_lines import usual_event

LEDGER_FOLDER = "issued/ledger"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class SegmentHead:
    """Where a chain stands: the number of its last segment (0 for none) and that one's digest."""

    number: int = 0
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A parsed segment: its own head, the digest of the one before, and its events in order."""

    head: SegmentHead
    previous: str | None
    events: tuple[Event, ...]


def segment_path(number: int) -> str:
    """Return the repository path of a segment: eight digits, then more where they no longer do."""
    return f"{LEDGER_FOLDER}/{number:08d}.jsonl"


def render_segment(after: SegmentHead, events: Iterable[Event]) -> tuple[str, bytes]:
    """Return the path and the bytes of the segment that follows `after`."""
    number = after.number + 1
    head = {"segment": number, "previous": after.digest, "format": FORMAT}
    lines = [encode_line(head), *(encode_line(event_record(event)) for event in events)]
    return segment_path(number), b"".join(lines)


def parse_segment(path: str, data: bytes) -> Segment:
    """Return the segment that a file holds.

    Raises: ContradictionError, naming file and line, for what gitca cannot have written. The link
    to the segment before is the chain's to check (`LedgerState.apply`).
    """
    lines = data.split(b"\n")
    if lines.pop() != b"" or not lines:
        raise _contradiction(path, len(lines) + 1, "the last line is not whole")
    number, previous = _parse_head(path, lines[0])
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    events = tuple(_parse_line(path, place, line) for place, line in enumerate(lines[1:], start=2))
    return Segment(SegmentHead(number, digest), previous, events)


def _parse_head(path: str, line: bytes) -> tuple[int, str | None]:
    try:
        fields = Fields(parse_json(line))
        if fields.number("format") != FORMAT:
            raise ValueError(f"the format is not {FORMAT}; a newer gitca wrote this")
        number = fields.number("segment")
        previous = fields.nullable("previous", DIGEST)
        fields.close()
    except (ValueError, RecursionError) as error:
        raise _contradiction(path, 1, str(error)) from error
    if path != segment_path(number):
        raise _contradiction(path, 1, f"the file holds segment {number}")
    return number, previous


def _parse_line(path: str, place: int, line: bytes) -> Event:
    try:
        return usual_event(line) or parse_event(parse_json(line))
    except (ValueError, RecursionError) as error:
        raise _contradiction(path, place, str(error)) from error


def _contradiction(path: str, line: int, reason: str) -> ContradictionError:
    return ContradictionError(
        f"{path}:{line}: not an event that gitca wrote: {reason}",
        remedy=f"find the commit that changed it (git log -- {path}) and restore the file",
    )
