"""Revocations: each held against the documents of the commit that it was recorded upon.

Whoever can push can write `revoked` into the ledger. What gitca writes there, a plan gave: the
document that the event names lay there in that form and asked for it, or a policy did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from gitca.documents.load import Governing, TreeEntry, load_governing, load_requests
from gitca.git.store import Store
from gitca.ledger.draft import LEASE
from gitca.ledger.events import Revoked
from gitca.ledger.state import LedgerState
from gitca.plan.desired import Desired
from gitca.plan.model import RevokeCertificate
from gitca.plan.policy_revocations import revoke_deleted, revoke_replaced
from gitca.plan.revocations import judge_revocation
from gitca.verify.report import FIND, Contradiction

POLICIES = "policies/"
_FORM = "%Y-%m-%dT%H:%M:%SZ"
_Target = tuple[str | None, str | None, str | None]


def misdated(events: Iterable[Revoked], when: datetime) -> Iterator[Contradiction]:
    """Yield the revocations that are dated more than a lease before or after their commit's date.

    A run dates both by one clock, at one moment. Of a commit whose own date is false, too, nothing
    tells here.
    """
    for event in events:
        if abs(event.date - when) > LEASE:
            reason = f"it is dated {event.date:{_FORM}}, and the commit that says so {when:{_FORM}}"
            yield _against(event, reason)


@dataclass(slots=True)
class RevocationJudge:
    """Judges the revocations of a segment by the documents of one commit."""

    store: Store
    _governing: tuple[frozenset[TreeEntry], Governing] | None = None

    def judge(
        self, state: LedgerState, events: Sequence[Revoked], source: str
    ) -> Iterator[Contradiction]:
        """Yield the revocations that the documents did not ask for.

        `state` is the one before their segment. Raises: BackendUnavailableError where this clone
        lacks the commit.
        """
        by_path: dict[str, list[Revoked]] = {}
        for event in events:
            by_path.setdefault(event.document.path, []).append(event)
        for path, named in by_path.items():
            entries = self.store.entries(source, path)
            blobs = {entry.path: entry.blob for entry in entries}
            by_policy = path.startswith(POLICIES)
            planned = self._by_policy if by_policy else self._by_document
            for event in named:
                if blobs.get(path) != event.document.blob:
                    yield _against(event, f"{path} was another file at commit {source[:12]}")
                elif event not in planned(state, event, entries, source):
                    yield _against(event, f"{path} at commit {source[:12]} does not ask for it")

    def _by_document(
        self, state: LedgerState, event: Revoked, entries: Sequence[TreeEntry], _: str
    ) -> list[Revoked]:
        requests = load_requests(entries, self.store.read)
        documents = requests.revocations.values()
        judged = (judge_revocation(document, state, event.date)[0] for document in documents)
        return [_event(action, event) for actions in judged for action in actions]

    def _by_policy(
        self, state: LedgerState, event: Revoked, _: Sequence[TreeEntry], source: str
    ) -> list[Revoked]:
        record = state.serials.get((event.ca or "", event.serial or ""))
        name = record.certificate.request if record else None
        if name is None:
            return []
        entries = self.store.entries(source, f"requests/{name}.yaml")
        desired = Desired(
            governing=self._governing_at(source),
            entries={name: entries[0]} if entries else {},
            blobs={entry.path: entry.blob for entry in entries},
            requests=load_requests(entries, self.store.read),
        )
        planned: tuple[_ByPolicy, ...] = (revoke_deleted, revoke_replaced)
        return [
            _event(action, event)
            for revoke in planned
            for action in revoke(desired, state, event.date, (name,))
        ]

    def _governing_at(self, source: str) -> Governing:
        """Return the CAs and policies of a commit; of the one before, where they are the same."""
        entries = frozenset(self.store.entries(source, "ca", "policies"))
        if self._governing is None or self._governing[0] != entries:
            ordered = sorted(entries, key=lambda entry: entry.path)
            self._governing = entries, load_governing(ordered, self.store.read)
        return self._governing[1]


_ByPolicy = Callable[..., Iterator[RevokeCertificate]]


def _event(action: RevokeCertificate, event: Revoked) -> Revoked:
    """Return a planned revocation as the event that records it, at the moment of another."""
    return Revoked(
        reason=action.revocation_reason,
        date=event.date,
        document=action.document,
        ca=action.ca,
        serial=action.serial,
        key=action.key,
        invalidity_date=action.invalidity_date,
    )


def _against(event: Revoked, reason: str) -> Contradiction:
    what = f"serial number {event.serial} of CA {event.ca}" if event.serial else f"key {event.key}"
    message = f"it was recorded as revoked ({event.reason}), and {reason}"
    remedy = f"find who pushed the commit; {FIND}"
    return Contradiction("I8", what, message, remedy)
