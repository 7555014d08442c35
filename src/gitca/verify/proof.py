"""The proof: the ledger replayed, its image compared with `issued/`, each order judged again."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping

from gitca.documents.load import TreeEntry
from gitca.errors import BackendUnavailableError, ContradictionError
from gitca.git.store import DOCUMENT_FOLDERS, Store
from gitca.ledger.events import CertificateParticulars, CrlParticulars, CsrParticulars, Signed
from gitca.ledger.image import ISSUED_FOLDER, csr_der, standing_certificate
from gitca.ledger.records import OrderRecord
from gitca.ledger.segment import LEDGER_FOLDER, Segment, parse_segment
from gitca.ledger.state import LedgerState
from gitca.plan.rebuild import HistoryUnknownError, Rebuild
from gitca.policy.case import Requester
from gitca.verify.adoption import judge_adoption
from gitca.verify.replay import Replay
from gitca.verify.report import FIND, Contradiction, VerifyReport
from gitca.verify.signature import digest
from gitca.x509.csr_writing import csr_spki

Progress = Callable[[str, int, int], None]
"""What is being checked, how many are done, and of how many."""

PLACEHOLDER = f"{ISSUED_FOLDER}/.gitkeep"
"""The one file under issued/ that the ledger need not explain; it must be empty."""


def verify(store: Store, commit: str, *, progress: Progress = lambda *_: None) -> VerifyReport:
    """Return what one commit of a clone proves; nothing is fetched and no key is used.

    Proved: the ledger's chain and the order of its events, serial numbers (I2), CRL numbers and
    contents (I6, I7), every signature and its bytes (I1, I3, I5), every file under `issued/`, and
    every order judged again under the documents of its source commit (I5), which is in the
    documents' history (I8). Not proved: what the ledger's own newest segments said before a
    rewritten history (hold the tip against another clone), whose key the first certificate of a
    self-signed root is on (compare it out of band), and when a publisher served what.
    """
    report = VerifyReport()
    files = {entry.path: entry for entry in store.entries(commit, ISSUED_FOLDER)}
    try:
        segments = tuple(_segments(store, files))
        replay = Replay(blob_id_of(commit), _spent(segments))
        for place, segment in enumerate(segments, start=1):
            report.contradictions += replay.take(segment)
            progress("replay", place, len(segments))
        snapshot = store.at(commit, commit)
        pending = tuple(store.pending(snapshot))
    except ContradictionError as error:
        report.contradictions.append(_of_ledger(error))
        return report
    try:
        store.check_growth(snapshot)
    except ContradictionError as error:
        report.contradictions.append(_of_ledger(error))
    report.checked["segments"] = len(segments)
    report.checked["pending orders"] = len(pending)
    report.contradictions += _compare(files, replay, store)
    _count(report, replay.state)
    _judge_again(store, commit, replay, report, progress)
    _judge_adoptions(store, commit, replay, report)
    return report


def blob_id_of(commit: str) -> Callable[[bytes], str]:
    """Return the function from bytes to blob id, in the object format that a commit id shows."""
    new = hashlib.sha1 if len(commit) == 40 else hashlib.sha256  # Git's own ids, not ours to choose

    def blob_id(data: bytes) -> str:
        return new(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()

    return blob_id


def _segments(store: Store, files: dict[str, TreeEntry]) -> Iterator[Segment]:
    paths = [path for path in files if path.startswith(f"{LEDGER_FOLDER}/")]
    blobs = store.read_segments([files[path].blob for path in paths])
    for path, data in zip(paths, blobs, strict=True):
        yield parse_segment(path, data)


def _of_ledger(error: ContradictionError) -> Contradiction:
    return Contradiction("I10", "ledger", error.message, error.remedy)


def _spent(segments: tuple[Segment, ...]) -> frozenset[str]:
    """Return the orders that were signed more than once."""
    events = (event for segment in segments for event in segment.events)
    return frozenset(event.order for event in events if isinstance(event, Signed) and event.spent)


def _compare(files: dict[str, TreeEntry], replay: Replay, store: Store) -> Iterator[Contradiction]:
    """Yield every file under issued/ that is missing, other, or not explained by the ledger."""
    expected: dict[str, str | None] = {**replay.image, **replay.pending_image()}
    for path, blob in expected.items():
        entry = files.get(path)
        if entry is None:
            yield Contradiction("I3", path, "the ledger gives this file, and it is missing", FIND)
        elif entry.mode != "100644" or (blob is not None and entry.blob != blob):
            yield Contradiction("I3", path, "the file is not what the ledger gives", FIND)
    for path, entry in files.items():
        explained = path in expected or path.startswith(f"{LEDGER_FOLDER}/")
        empty = path == PLACEHOLDER and store.read(entry.blob) == b""
        if not explained and not empty:
            yield Contradiction("I8", path, "the ledger does not explain this file", FIND)


_KINDS: Mapping[type, str] = {
    CertificateParticulars: "certificates",
    CsrParticulars: "CSRs",
    CrlParticulars: "CRLs",
}


def _count(report: VerifyReport, state: LedgerState) -> None:
    for record in state.orders.values():
        if record.signed:
            report.checked[_KINDS[type(record.ordered.particulars)]] += 1
        report.checked["spent signatures"] += record.spent
    report.checked["revocations"] = len(state.revoked)


def _judge_again(
    store: Store, commit: str, replay: Replay, report: VerifyReport, progress: Progress
) -> None:
    records = [record for record in replay.state.orders.values() if not record.abandoned]
    reviewed = store.reviewed(commit)
    paths: dict[str, set[str]] = {}
    for record in records:
        documents = record.ordered.documents
        named = (item.path for item in (documents.request, documents.csr) if item is not None)
        paths.setdefault(record.ordered.source, set()).update(named)
    rebuilds: dict[str, Rebuild] = {}
    for place, record in enumerate(records, start=1):
        source, order = record.ordered.source, f"order {record.ordered.order}"
        is_here = True
        try:
            if source not in rebuilds:
                # Orders of one commit stand together: one commit's documents are kept at a time.
                rebuilds = {source: _rebuild(store, replay.state, source, paths[source])}
            report.contradictions += _judge(rebuilds[source], record, replay)
            report.checked["judged again"] += 1
        except HistoryUnknownError as error:
            report.unchecked.append(f"order {record.ordered.order}: {error.message}")
        except BackendUnavailableError:
            is_here = False
            report.unchecked.append(f"{order}: this clone lacks its source commit {source[:12]}")
        # Where the documents have a branch of their own, this clone may not have the newest of it.
        if is_here or not store.is_parted:
            report.contradictions += _unreviewed(reviewed, source, order)
        progress("judge", place, len(records))


def _unreviewed(
    reviewed: frozenset[str] | None, source: str, place: str
) -> Iterator[Contradiction]:
    """Yield what is wrong where a source commit was never the documents'."""
    if reviewed is not None and source not in reviewed:
        message = f"its source commit {source[:12]} is not in the history of the documents"
        yield Contradiction("I8", place, message, FIND)


def _judge_adoptions(store: Store, commit: str, replay: Replay, report: VerifyReport) -> None:
    """Judge again what external CAs gave, under the documents that it was taken into use by."""
    reviewed = store.reviewed(commit) if replay.adoptions else None
    for adoption in replay.adoptions:
        source, is_here = adoption.event.source, True
        try:
            report.contradictions += judge_adoption(store, adoption)
            report.checked["adopted certificates"] += 1
        except BackendUnavailableError:
            is_here = False
            lacking = f"this clone lacks its source commit {source[:12]}"
            report.unchecked.append(f"{adoption.place}: {lacking}")
        if is_here or not store.is_parted:
            report.contradictions += _unreviewed(reviewed, source, adoption.place)


def _rebuild(store: Store, state: LedgerState, source: str, paths: Collection[str]) -> Rebuild:
    entries = store.entries(source, *DOCUMENT_FOLDERS)

    # One walk through the history for all orders of a commit, if any of them needs it.
    @functools.cache
    def changes() -> Mapping[str, Requester]:
        return store.requesters(source)(paths)

    def requesters(_: Collection[str]) -> Mapping[str, Requester]:
        return changes()

    return Rebuild(entries, store.read, state, requesters)


def _judge(rebuild: Rebuild, record: OrderRecord, replay: Replay) -> Iterator[Contradiction]:
    place = f"order {record.ordered.order}"
    try:
        tbs = _given_bytes(rebuild, record, replay)
    except ContradictionError as error:
        yield Contradiction("I5", place, error.message, error.remedy)
        return
    if tbs is not None and digest(tbs) != record.ordered.tbs:
        message = "its documents give another certificate than the one that was ordered"
        yield Contradiction("I5", place, message, FIND)


def _given_bytes(rebuild: Rebuild, record: OrderRecord, replay: Replay) -> bytes | None:
    """Return the bytes that the documents give for a certificate or a CSR.

    None for a CRL, whose bytes the replay has compared, and for what is a new CA's own and not
    signed yet: its key is known to the signer alone. Raises: ContradictionError.
    """
    ordered = record.ordered
    if isinstance(ordered.particulars, CrlParticulars):
        rebuild.check_crl(ordered, replay.before.get(ordered.order))
        return None
    if ordered.particulars.authority is None:
        return rebuild.bytes_of(ordered, None)
    if record.signed is None:
        standing = replay.state.authority(ordered.particulars.authority).certificate
        # A renewal is on the key that the CA has.
        own = standing and standing_certificate(standing).template.spki_der
        return rebuild.bytes_of(ordered, own) if own else None
    if isinstance(ordered.particulars, CsrParticulars):
        return rebuild.bytes_of(ordered, csr_spki(csr_der(record)))
    return rebuild.bytes_of(ordered, standing_certificate(record).template.spki_der)
