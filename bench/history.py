"""A past: certificates that were issued, and revoked, long ago and in great number.

Everything is what a reconcile would have made: documents in a commit, orders recorded before they
were signed, signatures of the CA's own key, one segment a batch, the image under `issued/`; the
store writes it all, and `gitca verify` finds nothing to say against it. Left out are the judging
and the linting of each certificate, whose templates differ in names and keys alone: the policy
judges the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cryptography import x509

from fixture import ISSUING, CaRepository, Request, now
from gitca.git.store import Fulfilment, RecordedOrder, Snapshot, Store
from gitca.ledger.draft import Batch, Draft, Origin, crl_tbs, draft_order
from gitca.ledger.events import (
    CertificateParticulars,
    CrlParticulars,
    DocumentReference,
    Revoked,
    SourceDocuments,
)
from gitca.ledger.image import certificate_der
from gitca.plan.desired import read_desired
from gitca.plan.make import make_plan
from gitca.plan.model import IssueCertificate
from gitca.reconcile.fulfil import sign
from gitca.signers import Signer
from gitca.x509.attributes import ATTRIBUTE_OIDS
from gitca.x509.certificate import Certificate, Issuer, parse_certificate, rehearse
from gitca.x509.template import CertificateTemplate, GeneralName, NameAttribute
from measure import tell
from openssl_ca import IndexEntry

BATCH = 5000
REASON = "superseded"
ALGORITHM = "ecdsa-sha256"
RUN = "bench"
_COMMON_NAME = ATTRIBUTE_OIDS["commonName"]


def add_issued(repository: CaRepository, requests: Sequence[Request]) -> None:
    """Commit the requests, issue a certificate for each, and show all in the working tree."""
    tell(f"a past with {len(requests)} certificates")
    files = {request.path: request.document for request in requests}
    repository.commit(files, f"Ask for {len(requests)} certificates")
    with repository.store() as store:
        past = _Past.begin(repository, store, requests)
        snapshot = store.load()
        for start in range(0, len(requests), BATCH):
            drafts = past.drafts(requests[start : start + BATCH])
            snapshot = past.settle(store, snapshot, Batch(tuple(drafts)))
        store.bring_forward()


def add_revoked(repository: CaRepository, requests: Sequence[Request]) -> None:
    """Commit a revocation of each request's certificate, and the CRL that lists them."""
    tell(f"a past with {len(requests)} revocations")
    files = {revocation_path(request): revocation(request) for request in requests}
    repository.commit(files, f"Revoke {len(requests)} certificates")
    with repository.store() as store:
        past = _Past.begin(repository, store, ())
        snapshot = store.load()
        revoked = tuple(_revocations(snapshot, requests, past.origin.now))
        draft = past.crl(snapshot, revoked)
        past.settle(store, snapshot, Batch((draft,), revoked))
        store.bring_forward()


def index_entries(repository: CaRepository) -> list[IndexEntry]:
    """Return what openssl's database holds of the certificates that the issuing CA issued."""
    with repository.store() as store:
        state = store.load().state
    entries = []
    for (ca, serial), record in state.serials.items():
        if ca == ISSUING:
            name = (record.certificate.request or "").rpartition("/")[2]
            revoked = state.revoked.get((ca, serial))
            date, reason = (revoked.date, revoked.reason) if revoked else (None, "")
            entries.append(IndexEntry(serial, record.certificate.not_after, name, date, reason))
    return entries


def revocation_path(request: Request) -> str:
    """Return where a request's revocation lies."""
    return f"requests/{request.name}-revoked.yaml"


def revocation(request: Request) -> bytes:
    """Return the document that revokes a request's certificates."""
    lines = (
        "apiVersion: gitca/v1",
        "kind: RevocationRequest",
        "spec:",
        f"  certificate: {request.name}",
        f"  reason: {REASON}",
        "",
    )
    return "\n".join(lines).encode()


def _revocations(
    snapshot: Snapshot, requests: Sequence[Request], date: datetime
) -> Iterator[Revoked]:
    blobs = {entry.path: entry.blob for entry in snapshot.entries}
    for request in requests:
        path = revocation_path(request)
        current = snapshot.state.requests[request.name].current
        if current is None:
            raise SystemExit(f"{request.name} has no certificate")
        yield Revoked(
            reason=REASON,
            date=date,
            document=DocumentReference(path, blobs[path]),
            ca=ISSUING,
            serial=current.certificate.serial,
        )


@dataclass(frozen=True)
class _Past:
    """What all orders share: the CA and its key, the documents, the moment, a judged example."""

    signer: Signer
    issuer: Certificate
    origin: Origin
    blobs: Mapping[str, str]
    example: IssueCertificate | None

    @classmethod
    def begin(cls, repository: CaRepository, store: Store, requests: Sequence[Request]) -> _Past:
        snapshot, moment = store.load(), now()
        record = snapshot.state.authority(ISSUING).certificate
        if record is None:
            raise SystemExit(f"CA {ISSUING} has no certificate")
        blobs = {entry.path: entry.blob for entry in snapshot.entries}
        path = f"ca/{ISSUING}.yaml"
        sources = SourceDocuments(ca=DocumentReference(path, blobs[path]))
        return cls(
            signer=repository.signer(repository.key),
            issuer=parse_certificate(certificate_der(record)),
            origin=Origin(sources, snapshot.source, RUN, moment),
            blobs=blobs,
            example=_judged(store, snapshot, requests[0], moment) if requests else None,
        )

    def drafts(self, requests: Sequence[Request]) -> Iterator[Draft]:
        """Yield the draft of an order for each request."""
        if self.example is None:
            raise SystemExit("no request was judged")
        for request in requests:
            yield self._draft(request, self.example)

    def _draft(self, request: Request, example: IssueCertificate) -> Draft:
        template = _template(request, example.template)
        issuer = self.issuer
        not_before, not_after = example.period.dates(
            self.origin.now, issuer.not_before, issuer.not_after
        )
        serial = x509.random_serial_number()
        rehearsal = rehearse(
            template,
            Issuer(self.issuer.der, ALGORITHM),
            serial=serial,
            not_before=not_before,
            not_after=not_after,
        )
        particulars = CertificateParticulars(
            serial=f"{serial:x}",
            request=request.name,
            authority=None,
            template=template.digest,
            key=template.key_identifier,
            not_before=not_before,
            not_after=not_after,
        )
        reference = DocumentReference(request.path, self.blobs[request.path])
        sources = replace(example.documents, request=reference, csr=reference)
        return self._order(rehearsal.tbs, particulars, sources)

    def crl(self, snapshot: Snapshot, revoked: Sequence[Revoked]) -> Draft:
        """Return the draft of the next CRL, with these revocations upon what it carries."""
        record = snapshot.state.authority(ISSUING)
        particulars = CrlParticulars(
            number=record.last_crl_number + 1,
            this_update=self.origin.now,
            next_update=self.origin.now + timedelta(days=7),
            revocations=len(record.revocations) + len(revoked),
        )
        carried = (event for _, event in record.carried.values())
        tbs = crl_tbs(self.issuer, particulars, (*carried, *revoked), signature_algorithm=ALGORITHM)
        return self._order(tbs, particulars, self.origin.documents)

    def _order(
        self,
        tbs: bytes,
        particulars: CertificateParticulars | CrlParticulars,
        sources: SourceDocuments,
    ) -> Draft:
        return draft_order(
            tbs,
            particulars,
            ca=ISSUING,
            signature_algorithm=ALGORITHM,
            origin=replace(self.origin, documents=sources),
        )

    def settle(self, store: Store, snapshot: Snapshot, batch: Batch) -> Snapshot:
        """Record a batch, sign it, and commit the signatures."""
        snapshot, orders = store.record(snapshot, batch, now=self.origin.now)
        return store.commit(snapshot, [self._sign(order) for order in orders], now=self.origin.now)

    def _sign(self, order: RecordedOrder) -> Fulfilment:
        return sign(order, self.signer, self.issuer.template.spki_der)


def _template(request: Request, example: CertificateTemplate) -> CertificateTemplate:
    return replace(
        example,
        subject=(NameAttribute(_COMMON_NAME, request.host),),
        sans=(GeneralName("dns", request.host),),
        spki_der=request.spki_der,
    )


def _judged(
    store: Store, snapshot: Snapshot, request: Request, moment: datetime
) -> IssueCertificate:
    """Return what a plan makes of one request."""
    entries = [
        entry
        for entry in snapshot.entries
        if entry.path == request.path or not entry.path.startswith("requests/")
    ]
    desired = read_desired(
        entries,
        store.read,
        snapshot.state,
        moment,
        read_requesters=store.requesters(snapshot.source),
    )
    plan = make_plan(desired, snapshot.state, moment)
    issues = [action for action in plan.actions if isinstance(action, IssueCertificate)]
    if len(issues) != 1:
        raise SystemExit(f"{request.path} is not to be issued: {plan.findings[:3]}")
    return issues[0]
