"""What `gitca doctor` says of each CA: its key, its certificate, its right to sign, its CRL."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime

from gitca.cli.certificates import Status, status_of
from gitca.cli.doctor_check import Check, Outcome, attempt, failed
from gitca.cli.times import distance, format_time
from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.documents.load import Governing
from gitca.errors import GitcaError
from gitca.ledger.records import AuthorityRecord
from gitca.ledger.state import LedgerState
from gitca.plan.issuers import signature_algorithm
from gitca.signers import KeyAbsentError, Signer
from gitca.x509.keys import describe_key
from gitca.x509.refusal import RefusedError
from gitca.x509.template import spki_identifier

Authority = Document[CertificateAuthoritySpec]
OpenSigner = Callable[[str], Signer]


def authority_checks(
    governing: Governing,
    state: LedgerState | None,
    *,
    open_signer: OpenSigner,
    names: Collection[str],
    now: datetime,
) -> Iterator[Check]:
    """Yield the checks of the CAs in `names`, of all where it is empty."""
    for name, document in sorted(
        governing.authorities.items(), key=lambda item: _rank(governing, item[0])
    ):
        if names and name not in names:
            continue
        if document.spec.state == "retired":
            yield Check("key", Outcome.NOTE, "the CA is retired and signs nothing", ca=name)
            continue
        yield from _key_checks(document, state, open_signer)
        if state is not None:
            yield _certificate_check(name, state, now)
            yield from _crl_check(document, state, now)


def _rank(governing: Governing, name: str) -> tuple[int, str]:
    """Return the place of a CA: those above come before those below."""
    above: list[str] = []
    issuer = name
    while issuer in governing.authorities and issuer not in above:
        above.append(issuer)
        issuer = governing.authorities[issuer].spec.issuer
    return len(above), name


def _key_checks(
    document: Authority, state: LedgerState | None, open_signer: OpenSigner
) -> Iterator[Check]:
    name = document.name
    try:
        signer = open_signer(document.spec.key)
    except KeyAbsentError as error:
        waits = "what it is to sign waits for a run where the key is"
        # A CA that has a key, somewhere, is never to be given another.
        has_key = state is not None and state.authority(name).key is not None
        remedy = "" if has_key else error.remedy
        yield Check("key", Outcome.NOTE, f"{error.message}; {waits}", remedy, name)
        return
    except (GitcaError, OSError) as error:
        yield failed("key", error, ca=name)
        return
    try:
        (checked,) = attempt("key", lambda: [_key_check(document, state, signer)], ca=name)
        yield checked
        if checked.outcome is not Outcome.FAILED:
            yield from attempt("signing", lambda: [_signing_check(document, signer)], ca=name)
    finally:
        signer.close()


def _key_check(document: Authority, state: LedgerState | None, signer: Signer) -> Check:
    spki_der = signer.public_key()
    identifier, kept = spki_identifier(spki_der), signer.describe().get("kept", "")
    seen = f"{describe_key(spki_der)} at {document.spec.key}"
    pinned = state.authority(document.name).key if state else None
    if pinned is None:
        return Check("key", Outcome.OK, f"{seen}, {kept}", ca=document.name)
    if pinned != identifier:
        message = f"{seen} is ANOTHER key ({identifier}) than the CA was made with ({pinned})"
        remedy = "point spec.key to the key that the CA was made with; a new key is a new CA"
        return Check("key", Outcome.FAILED, message, remedy, document.name)
    return Check("key", Outcome.OK, f"{seen}, the key that the CA was made with", ca=document.name)


def _signing_check(document: Authority, signer: Signer) -> Check:
    try:
        algorithm = signature_algorithm(document, signer.public_key())
    except RefusedError as error:
        return Check("signing", Outcome.FAILED, error.message, error.remedy, document.name)
    proof = signer.prove(algorithm)
    return Check("signing", Outcome.OK, f"{algorithm}: {proof}", ca=document.name)


def _certificate_check(name: str, state: LedgerState, now: datetime) -> Check:
    authority = state.authority(name)
    record = authority.certificate
    if record is None:
        return _no_certificate(name, authority)
    until = record.certificate.not_after
    words = f"{until:%Y-%m-%d} ({distance(until, now)})"
    status = status_of(record, state, now)
    if status is Status.EXPIRED:
        remedy = "set the CA's document to state: retired, and let another CA take its place"
        return Check("certificate", Outcome.FAILED, f"expired on {words}", remedy, name)
    if status is Status.REVOKED:
        seen = f"revoked; it would be valid until {words}"
        return Check("certificate", Outcome.FAILED, seen, "make another CA, on another key", name)
    return Check("certificate", Outcome.OK, f"valid until {words}", ca=name)


def _no_certificate(name: str, authority: AuthorityRecord) -> Check:
    if authority.csr is not None:
        seen = "none yet; an external CA is asked for it"
        remedy = f"have issued/{name}/ca.csr signed, and add what comes back as ca/{name}.pem"
        return Check("certificate", Outcome.NOTE, seen, remedy, name)
    ordered = authority.pending_certificate or authority.pending_csr
    seen = "ordered, and not yet signed" if ordered else "none yet"
    return Check("certificate", Outcome.NOTE, seen, "gitca reconcile makes it", name)


def _crl_check(document: Authority, state: LedgerState, now: datetime) -> Iterator[Check]:
    name, authority = document.name, state.authority(document.name)
    certificate, crl = authority.certificate, authority.crl
    if certificate is None or certificate.certificate.not_after < now:
        return  # a CA that is not there has no CRL to refresh
    if crl is None:
        yield Check("CRL", Outcome.WARNING, "there is none yet", "gitca reconcile makes it", name)
        return
    end = crl.crl.next_update
    due = end - document.spec.crl.refresh_before
    words = f"CRL {crl.crl.number}"
    if end < now:
        seen = f"{words} has lapsed: its nextUpdate was {format_time(end)} ({distance(end, now)})"
        yield Check("CRL", Outcome.FAILED, seen, "gitca reconcile signs the next one", name)
    elif due <= now:
        seen = f"{words} lasts until {format_time(end)} ({distance(end, now)}); the next is due"
        yield Check("CRL", Outcome.WARNING, seen, "gitca reconcile signs it", name)
    else:
        seen = f"{words} lasts until {end:%Y-%m-%d}; the next is due {distance(due, now)}"
        yield Check("CRL", Outcome.OK, seen, ca=name)
