"""Keys that are no CA's to have: those of others, and those that are refused."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.documents.load import Governing
from gitca.documents.words import listed
from gitca.findings import Finding, Location, Severity
from gitca.ledger.draft import recorded_at
from gitca.ledger.events import CertificateParticulars
from gitca.ledger.state import LedgerState
from gitca.plan.requested_keys import KeyOrders
from gitca.x509.refusal import quoted


@dataclass(frozen=True, slots=True)
class Reserved:
    """Keys that no CA may be made on.

    `refused` are those that blocklists and revocations refuse, and why; `orders` are those on keys
    so far, `requested` the keys that certificates are to be issued on at the same time.
    """

    refused: Mapping[str, str]
    orders: KeyOrders
    requested: Collection[str] = ()


def judge_new_key(
    document: Document[CertificateAuthoritySpec], key: str, reserved: Reserved
) -> Iterator[Finding]:
    """Yield why a CA may not be made on a key (`sha256:…`).

    That no other CA has the key follows from the ledger, which knows the keys of CAs as well.
    """
    yield from judge_standing_key(document, key, reserved.refused)
    first = reserved.orders.first(key)
    other = reserved.orders.authorities().get(key)
    if first is None and key not in reserved.requested and other in (None, document.name):
        return
    given = first.certificate if first else None
    holder = "a request" if other is None else f"CA {other}"
    if given is not None:
        name = given.request or given.authority or ""
        holder = f"{'request' if given.request else 'CA'} {quoted(name)}"
    since = f", first ordered on {recorded_at(first.ordered):%Y-%m-%d}" if first else ""
    yield _flaw(
        document,
        "authority.key.used",
        f"the CA's key {key} is that of {holder}{since}; allowed is a key that is used for nothing"
        " else",
    )


def judge_standing_key(
    document: Document[CertificateAuthoritySpec], key: str, refused: Mapping[str, str]
) -> Iterator[Finding]:
    """Yield `authority.key.blocked` where the key of a CA is among those that are refused."""
    reason = refused.get(key)
    if reason is not None:
        yield _flaw(
            document,
            "authority.key.blocked",
            f"the CA's key {key} is refused: {reason}; allowed is a key that is not",
        )


def standing_on_blocked(
    governing: Governing, state: LedgerState, now: datetime
) -> Iterator[Finding]:
    """Yield a warning for each blocked key that certificates stand on: blocking revokes nothing."""
    for document in governing.blocklists.values():
        for index, entry in enumerate(document.spec.keys):
            live = state.live(state.keys.get(entry.key, ()), now)
            standing = [record.certificate for record in live if record.certificate.request]
            if standing:
                yield _standing(document.at("spec", "keys", index, "key"), standing)


def _standing(at: Location, standing: Collection[CertificateParticulars]) -> Finding:
    last = max(certificate.not_after for certificate in standing)
    names = dict.fromkeys(quoted(certificate.request or "") for certificate in standing)
    return Finding(
        rule="blocklist.standing",
        severity=Severity.WARNING,
        message=f"certificates of {listed(names)} stand on this key until {last:%Y-%m-%d}",
        location=at,
        remedy="revoke them with a RevocationRequest that names the key",
    )


def _flaw(document: Document[CertificateAuthoritySpec], rule: str, message: str) -> Finding:
    remedy = "write a CA document with a new key"
    return Finding(rule, Severity.ERROR, message, document.at("spec", "key"), remedy)
