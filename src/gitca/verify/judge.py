"""Orders judged again: the signature, the bytes, and the documents of the source commit (I5)."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gitca.documents.load import Governing, Read, TreeEntry, load_governing
from gitca.errors import BackendUnavailableError, ContradictionError, GitcaError
from gitca.git.store import LARGEST_DOCUMENT, Store
from gitca.ledger.events import CertificateParticulars, CrlParticulars, CsrParticulars
from gitca.ledger.image import certificate_der, csr_der, standing_certificate
from gitca.ledger.records import OrderRecord
from gitca.ledger.state import LedgerState
from gitca.plan.rebuild import HistoryUnknownError, Rebuild
from gitca.policy.case import Requester
from gitca.verify.report import FIND, Contradiction
from gitca.verify.signature import check_signature, digest
from gitca.x509.certificate import template_of
from gitca.x509.csr_writing import csr_spki
from gitca.x509.refusal import RefusedError
from gitca.x509.signed import assemble


@dataclass(frozen=True, slots=True)
class Task:
    """Orders of one source commit; a CRL's with the order of the CA's last CRL before it.

    `recorded` has the blob of an order's bytes where no signature came back for it.
    """

    source: str
    orders: tuple[tuple[str, str | None], ...]
    recorded: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Judgement:
    """What came of a task. `lacking` counts its orders if the clone lacks their commit."""

    source: str
    orders: tuple[str, ...]
    judged: int = 0
    lacking: int = 0
    contradictions: list[Contradiction] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class OrderJudge:
    """Judges orders by the ledger's last state: what counts of a key's past is what lay before."""

    store: Store
    state: LedgerState
    _governing: tuple[list[TreeEntry], Governing] | None = None

    def judge(self, task: Task) -> Judgement:
        """Return what is wrong with the orders of a task."""
        result = Judgement(task.source, tuple(order for order, _ in task.orders))
        records = [self.state.orders[order] for order, _ in task.orders]
        for record in records:
            found = _in_place(record, self._signature(record))
            result.contradictions += [replace(item, segment=record.signed_in) for item in found]
        try:
            rebuild = self._documents(task.source, _paths(records))
        except BackendUnavailableError:
            result.lacking = len(records)
            return result
        recorded = dict(task.recorded)
        for record, (order, last) in zip(records, task.orders, strict=True):
            try:
                last_record = self.state.orders[last] if last else None
                against = tuple(self._judge(rebuild, record, last_record, recorded.get(order)))
                result.contradictions += _in_place(record, against)
                result.judged += 1
            except HistoryUnknownError as error:
                result.unknown[error.message] += 1
        return result

    def _documents(self, source: str, paths: Collection[str]) -> Rebuild:
        # A commit has many documents, and is the source of few orders: theirs are listed alone.
        entries = self.store.entries(source, "ca", "policies", *sorted(paths))

        # One walk through the history for all orders of a task, if any of them needs it.
        @functools.cache
        def changes() -> Mapping[str, Requester]:
            return self.store.requesters(source)(paths)

        def requesters(_: Collection[str]) -> Mapping[str, Requester]:
            return changes()

        read = _read_ahead(self.store, entries, paths)
        return Rebuild(entries, read, self.state, requesters, self._governed(entries))

    def _governed(self, entries: Sequence[TreeEntry]) -> Governing:
        """Return what governs a commit; most commits change none of it."""
        ours = [entry for entry in entries if entry.path.startswith(("ca/", "policies/"))]
        if self._governing is None or self._governing[0] != ours:
            self._governing = ours, load_governing(ours, self.store.read)
        return self._governing[1]

    def _signature(self, record: OrderRecord) -> Iterator[Contradiction]:
        """Yield what is wrong with a certificate's signature; the replay has seen all others."""
        is_certificate = isinstance(record.ordered.particulars, CertificateParticulars)
        if record.signed is None or not is_certificate:
            return
        try:
            der = certificate_der(record)
            yield from check_signature(self.state, record, record.signed, der)
        except (RefusedError, ContradictionError, ValueError) as error:
            yield Contradiction("I3", _place(record), str(error), FIND)

    def _judge(
        self, rebuild: Rebuild, record: OrderRecord, last: OrderRecord | None, recorded: str | None
    ) -> Iterator[Contradiction]:
        try:
            tbs = self._given_bytes(rebuild, record, last, recorded)
        except ContradictionError as error:
            yield Contradiction("I5", _place(record), error.message, error.remedy)
            return
        if tbs is not None and digest(tbs) != record.ordered.tbs:
            message = "its documents give another certificate than the one that was ordered"
            yield Contradiction("I5", _place(record), message, FIND)

    def _given_bytes(
        self, rebuild: Rebuild, record: OrderRecord, last: OrderRecord | None, recorded: str | None
    ) -> bytes | None:
        """Return the bytes that the documents give for a certificate or a CSR.

        None for a CRL, whose bytes the replay has compared, and for a CA's own where this clone
        does not tell the bytes that were recorded. Raises: ContradictionError.
        """
        ordered = record.ordered
        if isinstance(ordered.particulars, CrlParticulars):
            rebuild.check_crl(ordered, last)
            return None
        rebuild.check_refusal(ordered)
        if ordered.particulars.authority is None:
            return rebuild.bytes_of(ordered, None)
        own = self._own_key(record, ordered.particulars.authority, recorded)
        return rebuild.bytes_of(ordered, own) if own else None

    def _own_key(self, record: OrderRecord, name: str, recorded: str | None) -> bytes | None:
        """Return the key that an order of a CA's own is on, from what was signed, or recorded.

        Where neither is here: the CA's, if the order names it, as that of a renewal does.
        """
        is_csr = isinstance(record.ordered.particulars, CsrParticulars)
        if record.signed is not None and is_csr:
            return csr_spki(csr_der(record))
        if record.signed is None and recorded is not None:
            return self._recorded_key(record, recorded)
        standing = record if record.signed else self.state.authority(name).certificate
        if is_csr or standing is None or standing.key != record.key:
            return None
        return standing_certificate(standing).template.spki_der

    def _recorded_key(self, record: OrderRecord, recorded: str) -> bytes:
        try:
            tbs = self.store.read(recorded)
        except BackendUnavailableError as error:
            message = "this clone lacks the bytes that were recorded for them"
            raise HistoryUnknownError(message, remedy=error.remedy) from error
        try:
            if isinstance(record.ordered.particulars, CsrParticulars):
                return csr_spki(assemble(tbs, record.ordered.signature_algorithm, b""))
            return template_of(tbs).spki_der
        except ValueError as error:
            raise ContradictionError(f"its bytes cannot be read: {error}", remedy=FIND) from error


def _paths(records: Iterable[OrderRecord]) -> frozenset[str]:
    """Return the requests and CSRs that orders name."""
    documents = [record.ordered.documents for record in records]
    named = (item for given in documents for item in (given.request, given.csr))
    return frozenset(item.path for item in named if item is not None)


def _read_ahead(store: Store, entries: Sequence[TreeEntry], paths: Collection[str]) -> Read:
    """Return a reader that has the files at these paths already: Git answers many at once."""
    blobs = list(dict.fromkeys(entry.blob for entry in entries if entry.path in paths))
    try:
        read = store.repository.read_many(blobs, size_limit=LARGEST_DOCUMENT)
        ahead = dict(zip(blobs, read, strict=True))
    except GitcaError:
        return store.read  # which says of one document what is wrong with it

    def reader(blob: str) -> bytes:
        data = ahead.get(blob)
        return store.read(blob) if data is None else data

    return reader


def _place(record: OrderRecord) -> str:
    return f"order {record.ordered.order}"


def _in_place(record: OrderRecord, found: Iterable[Contradiction]) -> list[Contradiction]:
    return [replace(item, segment=record.segment) for item in found]
