"""The message of a commit that gitca makes: what it did, in a line and a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from gitca.ledger.events import (
    Abandoned,
    Adopted,
    CertificateParticulars,
    CrlParticulars,
    CsrParticulars,
    Event,
    Ordered,
    Revoked,
    Signed,
)

LISTED = 50


DOCUMENTS = "Documents"
"""The trailer that names the documents' commit, where they have a branch of their own."""


def commit_message(
    events: Sequence[Event], stated: str, *, documents: str | None = None, remark: str = ""
) -> str:
    """Return the message for these events: a subject line, then one line an event, 50 at most.

    `stated` is the `statement` of their segment; `documents` the commit of the documents, where no
    parent of this commit has them. Both stand in the last paragraph, where Git looks for trailers.
    """
    counts = Counter(_verb(event) for event in events)
    subject = ", ".join(f"{verb} {count}" for verb, count in counts.items())
    lines = list(_lines(events[:LISTED]))
    if len(events) > LISTED:
        lines.append(f"… and {len(events) - LISTED} more, in the ledger's segment")
    if remark:
        lines += ["", remark]
    named = [] if documents is None else [f"{DOCUMENTS}: {documents}"]
    lines += ["", *named, stated]
    return "\n".join([f"gitca: {subject}", "", *lines, ""])


def statement(path: str, blob: str) -> str:
    """Return the line of a commit's message that says which segment it adds, and its blob.

    `gitca.git.growth` reads it: so a history of n segments is looked through without listing the
    ledger n times.
    """
    number = int(path.rpartition("/")[2].partition(".")[0])
    return f"Ledger-Segment: {number} {blob}"


def _verb(event: Event) -> str:
    match event:
        case Ordered():
            return _ordering(event)
        case Signed():
            return _signing(event)
        case Adopted():
            return "adopt certificates:"
        case Revoked():
            return "revoke:"
        case Abandoned():
            return "abandon:"


def _ordering(event: Ordered) -> str:
    match event.particulars:
        case CertificateParticulars():
            return "order certificates:"
        case CsrParticulars():
            return "order CSRs:"
        case CrlParticulars():
            return "order CRLs:"


def _signing(event: Signed) -> str:
    if event.is_lost:
        return "count lost signatures:"
    if event.certificate is not None:
        return "sign certificates:"
    return "sign CRLs:" if event.csr is None else "sign CSRs:"


def _lines(events: Sequence[Event]) -> Iterator[str]:
    for event in events:
        match event:
            case Ordered(particulars=CertificateParticulars() as particulars):
                subject = particulars.request or f"CA {particulars.authority or particulars.cross}"
                yield f"ordered {event.ca} {particulars.serial} {subject} ({event.order})"
            case Ordered(particulars=CsrParticulars()):
                yield f"ordered CSR of CA {event.ca} ({event.order})"
            case Ordered():
                yield f"ordered CRL of {event.ca} ({event.order})"
            case Signed():
                lost = "lost" if event.is_lost else "spent"
                yield f"signed {event.order}{f' ({lost})' if event.spent else ''}"
            case Adopted():
                yield f"adopted for CA {event.authority} {event.fingerprint} ({event.file.path})"
            case Revoked():
                target = f"{event.ca} {event.serial}" if event.serial else event.key
                yield f"revoked {target} {event.reason} ({event.document.path})"
            case Abandoned():
                yield f"abandoned {event.order}: {event.reason}"
