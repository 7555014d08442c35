"""CAs that one outside of the repository certifies: what is asked of it, and what it gave.

The external CA is asked with a CSR on the CA's key. Its answer is a file beside the CA's document;
it is judged, and put into use by an event of the ledger. A renewal is another file on the same key.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime

from gitca.documents.authority_certificates import CertificateFile
from gitca.documents.load import Governing
from gitca.documents.words import listed
from gitca.errors import ContradictionError
from gitca.findings import Finding, Severity, has_errors
from gitca.ledger.events import Adopted, DocumentReference
from gitca.ledger.image import csr_der, csr_path
from gitca.ledger.records import OrderRecord
from gitca.ledger.state import LedgerState
from gitca.plan.external_renewal import judge_identity
from gitca.plan.issuers import CHANGED, Issuer
from gitca.plan.model import AdoptAuthority, RequestAuthority
from gitca.plan.reserved_keys import judge_standing_key
from gitca.plan.revocations import Revocations
from gitca.policy.authority import propose_authority
from gitca.policy.external import ExternalCase, judge_external
from gitca.x509.certificate_file import CertificatePath
from gitca.x509.csr_writing import csr_spki
from gitca.x509.der import DerError

External = RequestAuthority | AdoptAuthority | Finding


def plan_external(
    issuers: Mapping[str, Issuer],
    governing: Governing,
    revocations: Revocations,
    state: LedgerState,
    now: datetime,
) -> Iterator[External]:
    """Yield the CSRs to sign and the certificates to adopt, and what speaks against those."""
    for issuer in issuers.values():
        if not issuer.is_external:
            continue
        refused = tuple(_refused(issuer, issuers, governing, revocations))
        yield from refused
        if not refused and not _is_closed(issuer, revocations):
            yield from _steps(issuer, issuers, governing, state, now)


def _steps(
    issuer: Issuer,
    issuers: Mapping[str, Issuer],
    governing: Governing,
    state: LedgerState,
    now: datetime,
) -> Iterator[External]:
    found = tuple(_adoption(issuer, governing.authority_certificates, state, now))
    if issuer.document.spec.state == "active":
        yield from _request(issuer)
        if issuer.certificate is None and not found:
            yield _awaited(issuer, issuers, governing)
    yield from found


def _refused(
    issuer: Issuer,
    issuers: Mapping[str, Issuer],
    governing: Governing,
    revocations: Revocations,
) -> Iterator[Finding]:
    """Yield why the key that a CA has asked on is refused; with a certificate it was told."""
    key, document = issuer.record.key, issuer.document
    if issuer.certificate is not None or key is None:
        return
    if key in governing.blocked_keys:
        yield from judge_standing_key(document, key, governing.blocked_keys)
    elif key in revocations.refused_keys and document.spec.state == "active":
        file = governing.authority_certificates.get(issuer.name)
        unused = f", {file.path} is not used" if file else ""
        yield Finding(
            rule="authority.revoked",
            severity=Severity.ERROR,
            message=f"the key {key} that CA {issuer.name} has asked on is refused"
            f" ({revocations.refused_keys[key]}){unused}, and nothing is issued from it"
            f"{_waiting_for(issuer, issuers, governing)}",
            location=document.at("spec", "key"),
            remedy="write a CA document with a new key, and give its policies that issuer",
        )


def _is_closed(issuer: Issuer, revocations: Revocations) -> bool:
    """Whether nothing is asked or adopted: the CA is retired, revoked, or its document denied.

    Revoked is also what is about to be, or may be by a document that is to be mended. That the CA's
    document asks for another certificate than it has is what a new CSR is for.
    """
    denials = [item for item in issuer.findings if item.rule != CHANGED]
    key = issuer.record.key or ""
    refused = key in revocations.refused_keys or revocations.holds_up("", key, issuer.name)
    retired = issuer.document.spec.state == "retired"
    return retired or refused or issuer.is_revoked or has_errors(denials)


def _request(issuer: Issuer) -> Iterator[RequestAuthority]:
    signed = issuer.record.csr
    if issuer.record.pending_csr is not None:
        return
    if signed is None:
        reason = "an external CA is to certify it"
    elif signed.request.template != wanted_digest(issuer, signed):
        reason = "its document asks for another certificate than its CSR"
    else:
        return
    yield RequestAuthority(issuer.name, issuer.name, reason, issuer.sources)


def wanted_digest(issuer: Issuer, signed: OrderRecord) -> str:
    """Return the digest of what a CA's CSR would ask for now, on the key of the one it has."""
    return propose_authority(issuer.document, csr_key(signed)).digest


def csr_key(record: OrderRecord) -> bytes:
    """Return the key (SPKI, DER) of a signed order for a CSR.

    Raises: ContradictionError when the ledger holds no CSR there.
    """
    try:
        return csr_spki(csr_der(record))
    except DerError as error:
        raise ContradictionError(
            f"the CSR of order {record.ordered.order} in the ledger cannot be read",
            remedy="find the commit that changed the ledger and restore it",
        ) from error


def _adoption(
    issuer: Issuer, files: Mapping[str, CertificateFile], state: LedgerState, now: datetime
) -> Iterator[AdoptAuthority | Finding]:
    file, key, adopted = files.get(issuer.name), issuer.record.key, issuer.record.adopted
    # Without a CSR nobody knows the CA's key; what lies there waits for it.
    if file is None or key is None or (adopted and adopted.file.blob == file.blob):
        return
    verdict = judge_external(ExternalCase(issuer.document, file, key, issuer.certificate, now))
    path = verdict.path
    if path is not None and adopted is not None and _is_adopted(adopted, path):
        return
    yield from verdict.findings
    if path is None or has_errors(verdict.findings):
        return
    action = AdoptAuthority(
        authority=issuer.name,
        reason=f"{file.path} has its certificate, until {path.subject.not_after:%Y-%m-%d}",
        documents=issuer.sources,
        file=DocumentReference(file.path, file.blob),
        certificate_der=path.subject.der,
        chain=tuple(item.der for item in path.above),
    )
    yield from judge_identity(action, state, now)
    yield action


def _is_adopted(adopted: Adopted, path: CertificatePath) -> bool:
    """Whether a file in other words holds what is in use already."""
    encoded = [base64.b64encode(item.der).decode() for item in path.certificates]
    return encoded == [adopted.certificate, *adopted.chain]


def adopted_event(action: AdoptAuthority, source: str, run: str, now: datetime) -> Adopted:
    """Return the event that records an adoption from a commit, dated now."""
    digest = hashlib.sha256(action.certificate_der).hexdigest()
    return Adopted(
        authority=action.authority,
        fingerprint=f"sha256:{digest}",
        certificate=base64.b64encode(action.certificate_der).decode(),
        chain=tuple(base64.b64encode(item).decode() for item in action.chain),
        document=action.documents.ca,
        file=action.file,
        source=source,
        run=run,
        date=now,
    )


def _awaited(issuer: Issuer, issuers: Mapping[str, Issuer], governing: Governing) -> Finding:
    """Return the one finding that tells why nothing comes from a CA that has no certificate."""
    name = issuer.name
    remedy = "run gitca reconcile where its key is, to sign its CSR"
    if issuer.record.csr is not None:
        remedy = f"let the external CA certify {csr_path(name)}, and commit its answer as"
        remedy = f"{remedy} ca/{name}.pem, with the CAs above it"
    return Finding(
        rule="authority.external",
        severity=Severity.WARNING,
        message=f"CA {name} has no certificate yet, and nothing is issued from it"
        f"{_waiting_for(issuer, issuers, governing)}",
        location=issuer.document.at("spec", "issuer"),
        remedy=remedy,
    )


def _waiting_for(issuer: Issuer, issuers: Mapping[str, Issuer], governing: Governing) -> str:
    """Return what waits for a CA, in words."""
    name = issuer.name
    policies = (item for item in governing.policies.values() if item.spec.issuer == name)
    waiting = [
        *(f"policy {item.name}" for item in policies),
        *(f"CA {item.name}" for item in issuers.values() if item.parent == name),
    ]
    return f": {listed(waiting)}" if waiting else ""
