"""The plan: a value that says what a reconcile would do, and the findings.

It holds no serial number and no time, so that the digest of a plan is the same on the pull request
and after the merge.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gitca.findings import Finding
from gitca.ledger.events import DocumentReference, SourceDocuments
from gitca.ledger.records import EXTERNAL
from gitca.policy.period import Period
from gitca.x509.template import CertificateTemplate


@dataclass(frozen=True, slots=True)
class CreateAuthority:
    """Make the certificate of the CA `authority`, signed by the CA `ca` (itself, for a root).

    The first one or, on the same key, the next. The first one's key is asked of the signer when the
    certificate is built, so there is no template yet.
    """

    ca: str
    authority: str
    reason: str
    documents: SourceDocuments

    action: Literal["create-ca", "renew-ca"] = "create-ca"


@dataclass(frozen=True, slots=True)
class CrossCertify:
    """Certify the name and key of the CA `authority`, which has a certificate, by `ca` as well."""

    ca: str
    authority: str
    reason: str
    documents: SourceDocuments
    template: CertificateTemplate
    period: Period

    action: Literal["cross-certify"] = "cross-certify"


@dataclass(frozen=True, slots=True)
class RequestAuthority:
    """Sign the CSR by which the CA `authority` asks an external one; its own key signs (`ca`).

    The first one's key is asked of the signer when the CSR is built.
    """

    ca: str
    authority: str
    reason: str
    documents: SourceDocuments

    action: Literal["request-ca"] = "request-ca"


@dataclass(frozen=True, slots=True)
class AdoptAuthority:
    """Put the certificate that an external CA gave into use: no key signs anything.

    `chain` are the certificates above it as far as they were given, leaf-side first, in DER; `file`
    holds them all.
    """

    authority: str
    reason: str
    documents: SourceDocuments
    file: DocumentReference
    certificate_der: bytes
    chain: tuple[bytes, ...]

    ca: str = EXTERNAL
    action: Literal["adopt-ca"] = "adopt-ca"


@dataclass(frozen=True, slots=True)
class IssueCertificate:
    """Issue a certificate for a request: the first, a renewal on the same key, or on a new one.

    `waivers` are the paths of the waivers that it needs; it ends before `ends_by`, whatever its
    validity.
    """

    action: Literal["issue", "renew", "rekey"]
    ca: str
    request: str
    reason: str
    documents: SourceDocuments
    template: CertificateTemplate
    period: Period
    waivers: tuple[str, ...] = ()
    ends_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class RevokeCertificate:
    """Revoke one certificate, or (without `serial`) refuse a key from now on.

    `request` is the request that the certificate answers; None for a CA's certificate or a key.
    """

    ca: str | None
    serial: str | None
    key: str | None
    request: str | None
    revocation_reason: str
    invalidity_date: datetime | None
    document: DocumentReference
    reason: str

    action: Literal["revoke"] = "revoke"


@dataclass(frozen=True, slots=True)
class SignCrl:
    """Sign the next CRL of a CA; the last one, of a CA that is retired."""

    ca: str
    reason: str
    documents: SourceDocuments

    action: Literal["sign-crl", "retire-ca"] = "sign-crl"


Action = (
    CreateAuthority
    | CrossCertify
    | RequestAuthority
    | AdoptAuthority
    | IssueCertificate
    | RevokeCertificate
    | SignCrl
)


@dataclass(frozen=True, slots=True)
class PendingOrder:
    """An order that is recorded and not signed: a reconcile signs it, or gives it up.

    `about` says what it is for in words; `request` or `authority` names it where it is one's
    certificate. Before `lease` ends only the run that recorded it signs it, or one that takes over.
    """

    order: str
    ca: str
    request: str | None
    authority: str | None
    lease: datetime
    about: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a reconcile would do, in the order in which it would, and what was found.

    `pending` are the orders that a run left behind. No action answers what they are for, and the
    digest is without them.
    """

    actions: tuple[Action, ...]
    findings: tuple[Finding, ...]
    pending: tuple[PendingOrder, ...] = ()

    @property
    def digest(self) -> str:
        """`sha256:` and the hexadecimal digest of the actions' canonical JSON."""
        record = [_identity(action) for action in self.actions]
        text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def action_subject(action: Action) -> str | None:
    """Return what an action is about, less its CA: a request's name, a CA's, or a key."""
    match action:
        case CreateAuthority() | CrossCertify() | RequestAuthority() | AdoptAuthority():
            return action.authority
        case IssueCertificate():
            return action.request
        case RevokeCertificate():
            return action.request or action.serial or action.key
        case SignCrl():
            return None


def _identity(action: Action) -> dict[str, object]:
    record: dict[str, object] = {"action": action.action, "ca": action.ca}
    match action:
        case CreateAuthority() | RequestAuthority():
            return record | {"authority": action.authority, "documents": _blobs(action.documents)}
        case AdoptAuthority():
            return record | {
                "authority": action.authority,
                "documents": [*_blobs(action.documents), action.file.blob],
            }
        case CrossCertify():
            return record | {
                "authority": action.authority,
                "template": action.template.digest,
                "period": _period_identity(action.period),
            }
        case IssueCertificate():
            return record | {
                "request": action.request,
                "template": action.template.digest,
                "period": _period_identity(action.period),
                "endsBy": action.ends_by and action.ends_by.isoformat(),
            }
        case RevokeCertificate():
            invalidity = action.invalidity_date
            return record | {
                "request": action.request,
                "key": action.key,
                "reason": action.revocation_reason,
                "invalidityDate": invalidity and invalidity.isoformat(),
                "document": [action.document.path, action.document.blob],
            }
        case SignCrl():
            return record


def _period_identity(period: Period) -> list[float | str | None]:
    validity, begin, end = period.validity, period.not_before, period.not_after
    return [
        validity.total_seconds() if validity is not None else None,
        period.backdate.total_seconds(),
        begin.isoformat() if begin is not None else None,
        end.isoformat() if end is not None else None,
    ]


def _blobs(documents: SourceDocuments) -> list[str]:
    references = (documents.ca, documents.request, documents.csr, documents.policy)
    return [reference.blob for reference in references if reference]
