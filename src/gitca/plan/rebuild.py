"""Rebuild: from the documents that an order names to the bytes that it must hold.

Before gitca signs an order that another run recorded, and when it verifies a repository, the
documents of the order's source commit are judged again, as of the moment of recording, and the TBS
is built again with the recorded serial number. An order whose bytes come out otherwise, or that is
for another name, CA, algorithm or time than its documents give, was not made by gitca from them.

Of a key's past counts what the ledger had before the order's segment; of other requests for the
same new key those that the same segment orders. A key that was refused by then is a contradiction.
Not judged again: whether a request whose key was another's had moved (its document was gone), other
revocations, which may be later than the order, and `renewal.before`, which is about the next
certificate: ledgers from before that rule have such orders.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.documents.load import Governing, Read, Requests, TreeEntry, load_governing, load_requests
from gitca.errors import BackendUnavailableError
from gitca.ledger.draft import recorded_at
from gitca.ledger.events import (
    CertificateParticulars,
    CrlParticulars,
    CsrParticulars,
    DocumentReference,
    Ordered,
    SourceDocuments,
)
from gitca.ledger.records import OrderRecord
from gitca.ledger.refused import refusal_words
from gitca.ledger.state import LedgerState
from gitca.plan.authority_demands import AuthorityDemands
from gitca.plan.dates import certificate_dates, crl_period
from gitca.plan.demand import (
    Demand,
    check_granted,
    check_named,
    contradiction,
    issuer_certificate,
    issuer_of,
    segment_of,
)
from gitca.plan.desired import Desired, ReadRequesters, asks_for_requesters, requesters_of
from gitca.plan.issuers import read_issuers, signature_algorithm
from gitca.plan.requested_keys import KeyOrders, RequestedKeys
from gitca.plan.requests import Judged, RequestPlanner
from gitca.plan.revocations import Revocations
from gitca.policy.case import Requester
from gitca.policy.renewal import BEFORE
from gitca.policy.windows import was_open
from gitca.x509.certificate import Certificate, rehearse
from gitca.x509.refusal import RefusedError


class HistoryUnknownError(BackendUnavailableError):
    """A policy asks who changed a request last, and this clone's history does not reach it."""


def references(ordered: Ordered) -> tuple[DocumentReference, ...]:
    """Return the documents that an order names."""
    documents = ordered.documents
    listed = (documents.ca, documents.policy, documents.request, documents.csr)
    return tuple(reference for reference in listed if reference is not None)


class Rebuild:
    """Rebuilds orders of one source commit; the ledger tells the CAs' certificates."""

    def __init__(
        self,
        entries: Iterable[TreeEntry],
        read: Read,
        state: LedgerState,
        read_requesters: ReadRequesters,
        governing: Governing | None = None,
    ) -> None:
        """`governing`: what the entries below `ca/` and `policies/` hold, if it is known."""
        self._entries = {entry.path: entry for entry in entries}
        self._read = read
        self._state = state
        self._read_requesters = read_requesters
        self._governing = governing or load_governing(self._entries.values(), read)

    def bytes_of(self, ordered: Ordered, authority_spki: bytes | None) -> bytes:
        """Return the TBS that an order for a certificate or a CSR must hold.

        `authority_spki` is the key of the CA that the order creates; None for a request's.
        Raises: ContradictionError when the documents are not those that the order names, are denied
        by their policy, or say something else than the order.
        """
        given = ordered.particulars
        if isinstance(given, CrlParticulars):
            raise TypeError(f"order {ordered.order} is for a CRL")
        self.check_refusal(ordered)
        self._check_references(ordered)
        try:
            if isinstance(given, CsrParticulars):
                return self._demands(ordered).csr(given, authority_spki)
            demand = self._demand(ordered, given, authority_spki)
            self._check(ordered, given, demand)
            return rehearse(
                demand.template,
                demand.issuer,
                serial=int(given.serial, 16),
                not_before=given.not_before,
                not_after=given.not_after,
            ).tbs
        except RefusedError as error:
            raise contradiction(ordered, error.message) from error

    def _demand(
        self, ordered: Ordered, given: CertificateParticulars, authority_spki: bytes | None
    ) -> Demand:
        if given.request is not None:
            return self._request(ordered, given.request)
        if given.cross is not None:
            return self._demands(ordered).cross(given.cross)
        return self._demands(ordered).own(given.authority or "", authority_spki)

    def _demands(self, ordered: Ordered) -> AuthorityDemands:
        orders = self._orders_before(ordered)
        return AuthorityDemands(self._governing, self._state, ordered, orders)

    def check_crl(self, ordered: Ordered, last: OrderRecord | None) -> None:
        """Raise ContradictionError where the CA's document does not give a CRL's order.

        `last` is the CA's last CRL that was signed before. The entries follow from the ledger.
        """
        given = ordered.particulars
        if not isinstance(given, CrlParticulars):
            raise TypeError(f"order {ordered.order} is for a certificate")
        self._check_references(ordered)
        document = self._signing(ordered)
        issuer = self._issuer_certificate(ordered)
        try:
            algorithm = signature_algorithm(document, issuer.template.spki_der)
        except RefusedError as error:
            raise contradiction(ordered, error.message) from error
        period = crl_period(recorded_at(ordered), document.spec, last, issuer.not_after)
        if (given.this_update, given.next_update) != period:
            raise contradiction(ordered, "its dates are not those that the CA's document gives")
        if ordered.signature_algorithm != algorithm:
            raise contradiction(ordered, f"its CA signs with {algorithm}")

    def check_refusal(self, ordered: Ordered) -> None:
        """Raise ContradictionError where an order's key or CA was refused when it was recorded."""
        record = self._state.orders.get(ordered.order)
        refusal = refusal_words(self._state, record) if record else ""
        if refusal:
            raise contradiction(ordered, refusal)

    def _check_references(self, ordered: Ordered) -> None:
        for reference in references(ordered):
            entry = self._entries.get(reference.path)
            if entry is None or entry.blob != reference.blob:
                raise contradiction(
                    ordered, f"{reference.path} was another file at commit {ordered.source[:12]}"
                )

    def _check(self, ordered: Ordered, given: CertificateParticulars, demand: Demand) -> None:
        template, algorithm = demand.template, demand.issuer.signature_algorithm
        if template.digest != given.template or template.key_identifier != given.key:
            raise contradiction(ordered, "its documents ask for another certificate")
        if (given.not_before, given.not_after) != demand.period:
            raise contradiction(ordered, "its dates are not those that its documents give")
        if ordered.signature_algorithm != algorithm:
            raise contradiction(ordered, f"its CA signs with {algorithm}")

    def _request(self, ordered: Ordered, name: str | None) -> Demand:
        moment = recorded_at(ordered)
        before = segment_of(self._state, ordered)
        issuers = read_issuers(self._governing, self._state, moment, before=before)
        named = [self._entries[item.path] for item in references(ordered)]
        path = f"requests/{name}.yaml"
        requests = load_requests(named, self._read, only={path}, governing=self._governing)
        requesters = self._requesters(ordered, requests)
        desired = Desired(self._governing, {}, {}, requests, requesters)
        keys = RequestedKeys.read(requests, self._orders_before(ordered), requests.requests)
        blocked = Revocations((), self._governing.blocked_keys, frozenset(), ())
        planner = RequestPlanner(desired, self._state, issuers, blocked, moment, keys)
        document = requests.requests.get(name or "")
        judged = document and planner.judge(document)
        if not isinstance(judged, Judged) or judged.verdict.template is None:
            raise contradiction(ordered, f"{path} at its source commit is no sound request")
        if judged.issuer.name != ordered.ca:
            raise contradiction(ordered, f"its policy issues from CA {judged.issuer.name}")
        check_named(ordered, judged.sources)
        return self._granted(ordered, planner.judge_anew(judged))

    def _granted(self, ordered: Ordered, judged: Judged) -> Demand:
        moment, verdict = recorded_at(ordered), judged.verdict
        check_granted(ordered, (item for item in verdict.findings if item.rule != BEFORE))
        windows = judged.policy.spec.validity.windows
        if verdict.hold is not None and not (windows and was_open(windows, moment)):
            raise contradiction(ordered, f"nothing was to be ordered then: {verdict.hold}")
        if verdict.template is None:
            raise contradiction(ordered, "it has no template")
        issuer = self._issuer_certificate(ordered)
        return Demand(
            template=verdict.template,
            period=certificate_dates(moment, verdict.period, issuer, verdict.ends_by),
            issuer=issuer_of(judged.issuer.document, issuer, b""),
        )

    def _requesters(self, ordered: Ordered, requests: Requests) -> Mapping[str, Requester]:
        requesters = requesters_of(self._governing, requests, self._read_requesters)
        for name, document in requests.requests.items():
            policy = self._governing.policies.get(document.spec.policy)
            paths = {document.path, requests.csrs[name].path}
            if asks_for_requesters(policy) and not paths <= requesters.keys():
                raise HistoryUnknownError(
                    f"who changed {document.path} or its CSR last, as of commit"
                    f" {ordered.source[:12]}, is not in this clone's history",
                    remedy="fetch the whole history (git fetch --unshallow)",
                )
        return requesters

    def _orders_before(self, ordered: Ordered) -> KeyOrders:
        return KeyOrders(self._state, segment_of(self._state, ordered))

    def _signing(self, ordered: Ordered) -> Document[CertificateAuthoritySpec]:
        document = self._governing.authorities.get(ordered.ca)
        if document is None:
            raise contradiction(ordered, "the document of its CA is missing or broken")
        if isinstance(ordered.particulars, CrlParticulars):
            check_named(ordered, SourceDocuments(DocumentReference(document.path, document.blob)))
        return document

    def _issuer_certificate(self, ordered: Ordered) -> Certificate:
        return issuer_certificate(self._state, ordered)
