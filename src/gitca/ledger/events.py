"""The events of the ledger: ordered, signed, adopted, revoked, abandoned.

Times are aware UTC with whole seconds, serial numbers lower-case hexadecimal, digests `sha256:` and
hexadecimal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class DocumentReference:
    """A document as it stood: path from the repository's root and Git blob id."""

    path: str
    blob: str


@dataclass(frozen=True, slots=True)
class SourceDocuments:
    """The documents that an order came from; a CA's has neither request, csr nor policy."""

    ca: DocumentReference
    request: DocumentReference | None = None
    csr: DocumentReference | None = None
    policy: DocumentReference | None = None


@dataclass(frozen=True, slots=True)
class CertificateParticulars:
    """What an order for a certificate fixes.

    Exactly one of `request` (by request name), `authority` (a CA's own, by CA name) and `cross` (a
    cross-certificate for the CA of this name) is set. `key` is the subject key's SPKI digest; the
    dates are inclusive.
    """

    serial: str
    request: str | None
    authority: str | None
    template: str
    key: str
    not_before: datetime
    not_after: datetime
    cross: str | None = None


@dataclass(frozen=True, slots=True)
class CsrParticulars:
    """What an order for a CSR fixes: the CA that asks an external one, its key, and what it asks.

    `template` is the digest of what the certificate is to say.
    """

    authority: str
    template: str
    key: str


@dataclass(frozen=True, slots=True)
class CrlParticulars:
    """What an order for a CRL fixes; `revocations` counts the CA's revocations known to it.

    With the ledger up to the order these give the CRL's bytes again (RFC 5280 section 5.1).
    """

    number: int
    this_update: datetime
    next_update: datetime
    revocations: int


Particulars = CertificateParticulars | CrlParticulars | CsrParticulars


@dataclass(frozen=True, slots=True)
class Ordered:
    """An intent to sign exact bytes: `tbs` is their digest, `order` its first 32 digits.

    `ca` is the CA that signs, `source` the commit whose documents were judged. Until `lease` is
    over the order belongs to `run`.
    """

    order: str
    ca: str
    particulars: Particulars
    tbs: str
    signature_algorithm: str
    documents: SourceDocuments
    source: str
    run: str
    lease: datetime


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature that the key made over an order's bytes.

    A certificate and a CSR are held whole (base64 DER); of a CRL the signature (base64), since its
    other bytes follow from the ledger. `fingerprint` is the SHA-256 of the whole signed object.
    `spent` marks a second signature over the same bytes: recorded because the key made it, used for
    nothing. One without a fingerprint was lost: the key may have made it, and no answer came.
    """

    order: str
    fingerprint: str | None
    key: str
    request_id: str | None = None
    certificate: str | None = None
    signature: str | None = None
    csr: str | None = None
    spent: bool = False

    @property
    def is_lost(self) -> bool:
        """Whether the signature never came back from the key."""
        return self.fingerprint is None


@dataclass(frozen=True, slots=True)
class Adopted:
    """A certificate that an external CA gave to a CA of this repository, taken into use.

    `certificate` and `chain` (those above it, leaf-side first, as far as they were given) are
    base64 DER. `document` is the CA's, `file` holds the certificates as a person added them.
    """

    authority: str
    fingerprint: str
    certificate: str
    chain: tuple[str, ...]
    document: DocumentReference
    file: DocumentReference
    source: str
    run: str
    date: datetime


@dataclass(frozen=True, slots=True)
class Revoked:
    """A certificate revoked, or a key refused from now on.

    With `ca` and `serial` a certificate is revoked; with `key` (an SPKI digest) the key is refused.
    `document` is what a person wrote; for a deleted request under `onDelete: revoke` it is the
    request as it last was.
    """

    reason: str
    date: datetime
    document: DocumentReference
    ca: str | None = None
    serial: str | None = None
    key: str | None = None
    invalidity_date: datetime | None = None


@dataclass(frozen=True, slots=True)
class Abandoned:
    """An order that will not be signed, and why; its serial or CRL number stays used."""

    order: str
    reason: str


Event = Ordered | Signed | Adopted | Revoked | Abandoned

# datetime.fromisoformat takes week dates and fractions of a second, too.
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def time_text(moment: datetime) -> str:
    """Return RFC 3339 in UTC with whole seconds, as the ledger writes times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """Return the aware time of `YYYY-MM-DDThh:mm:ssZ`. Raises: ValueError for any other form."""
    if _TIME.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a time like 2026-11-20T00:00:00Z")
    return datetime.fromisoformat(text)
