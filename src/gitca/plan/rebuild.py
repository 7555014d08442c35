"""Rebuild: from the documents that an order names to the bytes that it must hold.

Before gitca signs an order that another run recorded, and when it verifies a repository, the
documents of the order's source commit are judged again and the TBS is built again with the recorded
serial number and dates. An order whose bytes come out otherwise was not made by gitca from them.

Of a key's past counts what the ledger had before the order's segment; of other requests for the
same new key those that the same segment orders. Not judged again: whether a request whose key was
another's had moved (its document was gone), and revocations, which may be later than the order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from gitca.documents.load import Read, Requests, TreeEntry, load_governing, load_requests
from gitca.errors import BackendUnavailableError, ContradictionError
from gitca.findings import has_errors
from gitca.ledger.draft import recorded_at
from gitca.ledger.events import CertificateParticulars, DocumentReference, Ordered
from gitca.ledger.image import certificate_der
from gitca.ledger.state import LedgerState
from gitca.plan.desired import Desired, ReadRequesters, asks_for_requesters, requesters_of
from gitca.plan.issuers import authority_template, read_issuers
from gitca.plan.requested_keys import KeyOrders, RequestedKeys
from gitca.plan.requests import Judged, RequestPlanner
from gitca.plan.reserved_keys import judge_new_key
from gitca.plan.revocations import Revocations
from gitca.policy.case import Requester
from gitca.policy.period import ONE_SECOND, Period
from gitca.policy.windows import was_open
from gitca.x509.certificate import Certificate, Issuer, parse_certificate, rehearse
from gitca.x509.template import CertificateTemplate, spki_identifier


def references(ordered: Ordered) -> tuple[DocumentReference, ...]:
    """Return the documents that an order names."""
    documents = ordered.documents
    listed = (documents.ca, documents.policy, documents.request, documents.csr)
    return tuple(reference for reference in listed if reference is not None)


def source_paths(ordered: Ordered) -> tuple[str, ...]:
    """Return the paths whose entries at the order's source commit `Rebuild` needs."""
    return ("ca", "policies", *(reference.path for reference in references(ordered)))


class HistoryUnknownError(BackendUnavailableError):
    """A policy asks who changed a request last, and this clone's history does not reach it."""


_Dates = tuple[datetime, datetime]


class Rebuild:
    """Rebuilds orders of one source commit; the ledger tells the CAs' certificates."""

    def __init__(
        self,
        entries: Iterable[TreeEntry],
        read: Read,
        state: LedgerState,
        read_requesters: ReadRequesters,
    ) -> None:
        self._entries = {entry.path: entry for entry in entries}
        self._read = read
        self._state = state
        self._read_requesters = read_requesters
        self._governing = load_governing(self._entries.values(), read)

    def certificate_bytes(self, ordered: Ordered, authority_spki: bytes | None) -> bytes:
        """Return the TBS that an order for a certificate must hold.

        `authority_spki` is the key of the CA that the order creates; None for a request's.
        Raises: ContradictionError when the documents are not those that the order names, are denied
        by their policy, or say something else than the order.
        """
        given = ordered.particulars
        if not isinstance(given, CertificateParticulars):
            raise TypeError(f"order {ordered.order} is for a CRL")
        self._check_references(ordered)
        if given.authority is not None:
            template, dates = self._authority(ordered, given.authority, authority_spki)
        else:
            template, dates = self._request(ordered)
        if dates != (given.not_before, given.not_after):
            raise _contradiction(ordered, "its dates are not those that its documents give")
        if template.digest != given.template or template.key_identifier != given.key:
            raise _contradiction(ordered, "its documents ask for another certificate")
        rehearsal = rehearse(
            template,
            self._issuer(ordered),
            serial=int(given.serial, 16),
            not_before=given.not_before,
            not_after=given.not_after,
        )
        return rehearsal.tbs

    def _check_references(self, ordered: Ordered) -> None:
        for reference in references(ordered):
            entry = self._entries.get(reference.path)
            if entry is None or entry.blob != reference.blob:
                raise _contradiction(
                    ordered, f"{reference.path} was another file at commit {ordered.source[:12]}"
                )

    def _authority(
        self, ordered: Ordered, name: str, spki_der: bytes | None
    ) -> tuple[CertificateTemplate, _Dates]:
        document = self._governing.authorities.get(name)
        signing = self._governing.authorities.get(ordered.ca)
        if document is None or signing is None or spki_der is None:
            raise _contradiction(ordered, "the document of its CA is missing or broken")
        key, blocked = spki_identifier(spki_der), self._governing.blocked_keys
        for finding in judge_new_key(document, key, blocked, self._orders_before(ordered)):
            raise _contradiction(ordered, f"its key is not allowed: {finding}")
        template = authority_template(document, signing, spki_der)
        return template, self._dates(ordered, Period(document.spec.validity), None)

    def _request(self, ordered: Ordered) -> tuple[CertificateTemplate, _Dates]:
        moment = recorded_at(ordered)
        issuers = read_issuers(self._governing, self._state, moment)
        reference = ordered.documents.request
        path = reference.path if reference else ""
        named = [self._entries[item.path] for item in references(ordered)]
        requests = load_requests(named, self._read, only={path}, governing=self._governing)
        requesters = self._requesters(ordered, requests)
        desired = Desired(self._governing, {}, {}, requests, requesters)
        keys = RequestedKeys.read(requests, self._orders_before(ordered), requests.requests)
        refused = Revocations((), self._governing.blocked_keys, frozenset(), ())
        planner = RequestPlanner(desired, self._state, issuers, refused, moment, keys)
        document = next(iter(requests.requests.values()), None)
        judged = document and planner.judge(document)
        if not isinstance(judged, Judged) or judged.verdict.template is None:
            raise _contradiction(ordered, f"{path} at its source commit is no sound request")
        verdict = planner.judge_anew(judged).verdict
        if has_errors(verdict.findings):
            first = next(finding for finding in verdict.findings if finding.is_error)
            raise _contradiction(ordered, f"the policy denies it: {first}")
        windows = judged.policy.spec.validity.windows
        if verdict.hold is not None and not (windows and was_open(windows, moment)):
            raise _contradiction(ordered, f"nothing was to be ordered then: {verdict.hold}")
        return judged.verdict.template, self._dates(ordered, verdict.period, verdict.ends_by)

    def _dates(self, ordered: Ordered, period: Period, ends_by: datetime | None) -> _Dates:
        """Return notBefore and notAfter as the moment of the order gives them."""
        parent = self._parent(ordered)
        issuer = (parent.not_before, parent.not_after) if parent else (None, None)
        begin, end = period.dates(recorded_at(ordered), *issuer)
        return begin, end if ends_by is None else min(end, ends_by - ONE_SECOND)

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
        record = self._state.orders.get(ordered.order)
        return KeyOrders(self._state, record.segment if record else None)

    def _issuer(self, ordered: Ordered) -> Issuer:
        parent = self._parent(ordered)
        return Issuer(parent.der if parent else None, ordered.signature_algorithm)

    def _parent(self, ordered: Ordered) -> Certificate | None:
        """Return the certificate of the CA that signs; None where a root signs itself."""
        given = ordered.particulars
        if isinstance(given, CertificateParticulars) and given.authority == ordered.ca:
            return None
        certificate = self._state.authority(ordered.ca).certificate
        if certificate is None:
            raise _contradiction(ordered, f"its CA {ordered.ca} has no certificate")
        return parse_certificate(certificate_der(certificate))


def _contradiction(ordered: Ordered, reason: str) -> ContradictionError:
    return ContradictionError(
        f"order {ordered.order} (CA {ordered.ca}, recorded by run {ordered.run}) does not come from"
        f" its documents: {reason}",
        remedy="nothing was signed for it; find the commit that recorded it and who pushed that",
    )
