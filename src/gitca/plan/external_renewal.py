"""A renewal from an external CA that names the CA otherwise than the certificate in use does.

The external CA chooses the key identifier and the bytes of the name. What the CA signed before goes
on naming the former ones: verifiers that compare them take it for another CA's.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gitca.documents.words import listed
from gitca.findings import Finding, Location, Severity
from gitca.ledger.endorsement import read_certificate
from gitca.ledger.image import standing_certificate
from gitca.ledger.records import AuthorityRecord, OrderRecord
from gitca.ledger.state import LedgerState
from gitca.plan.model import AdoptAuthority
from gitca.x509.certificate import Certificate


def judge_identity(action: AdoptAuthority, state: LedgerState, now: datetime) -> Iterator[Finding]:
    """Yield `authority.certificate.identity` where what a CA signed does not name what it adopts.

    Nothing is told where the certificate in use says the same, or where nothing that the CA signed
    is valid still. Raises: CertificateError where the adopted one cannot be read.
    """
    name, following = action.authority, read_certificate(action.certificate_der)
    record = state.authority(name)
    former = standing_certificate(record.certificate) if record.certificate else following
    if _identity(former) == _identity(following):
        return
    what = list(_standing(name, following, state, now))
    if not what:
        return
    changes, wanted = _changes(former, following)
    yield Finding(
        "authority.certificate.identity",
        Severity.WARNING,
        f"the certificate has {changes}; what CA {name} signed before names the former:"
        f" {listed(what)}. Many verifiers take this certificate for no issuer of it, and later CRLs"
        " of the CA for none that cover it",
        Location(action.file.path),
        f"have the external CA issue it again with {wanted}, or see what to renew first in"
        " docs/operations.md",
    )


def _identity(certificate: Certificate) -> tuple[bytes, bytes | None]:
    return certificate.subject_der, certificate.subject_key_identifier


def _changes(former: Certificate, following: Certificate) -> tuple[str, str]:
    """Return in words what is another, and what it was."""
    seen, wanted = [], []
    old, new = former.subject_key_identifier, following.subject_key_identifier
    if old != new:
        seen.append(f"the subjectKeyIdentifier {_hexadecimal(new)}, not {_hexadecimal(old)}")
        wanted.append(f"the subjectKeyIdentifier {_hexadecimal(old)}")
    if former.subject_der != following.subject_der:
        seen.append("its subject in other bytes (string types)")
        wanted.append("the subject in the bytes of the certificate in use")
    return " and ".join(seen), " and ".join(wanted)


def _hexadecimal(identifier: bytes | None) -> str:
    return identifier.hex() if identifier is not None else "(none)"


def _standing(ca: str, following: Certificate, state: LedgerState, now: datetime) -> Iterator[str]:
    """Yield in words what a CA signed, or is to sign, that names another than its next one."""
    own = state.authority(ca)
    signed = (record for (issuer, _), record in state.serials.items() if issuer == ca)
    live = [record for record in state.live(signed, now) if _differs(own, record, following)]
    if live:
        yield f"{len(live)} certificate{'s' if len(live) > 1 else ''}{_of_authorities(live)}"
    crl = own.pending_crl[0] if own.pending_crl else own.crl
    if crl is not None and _differs(own, crl, following):
        yield f"CRL {crl.crl.number}"


def _differs(own: AuthorityRecord, record: OrderRecord, following: Certificate) -> bool:
    """Whether an order was made under a certificate of the CA with another identity."""
    before = own.certificate_before(record.segment)
    return before is not None and _identity(standing_certificate(before)) != _identity(following)


def _of_authorities(records: list[OrderRecord]) -> str:
    """Return which CAs' certificates are among some: what they issued depends on them."""
    given = [record.certificate for record in records]
    names = sorted({f"CA {name}" for item in given if (name := item.authority or item.cross)})
    return f" ({listed(names)} among them)" if names else ""
