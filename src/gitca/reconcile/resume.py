"""Resume: the orders that a run left behind are taken up, with the bytes they were recorded with.

Of those that may be taken (their lease is over, or this run takes over), a certificate's is
rebuilt from its documents first. What has become pointless is abandoned: its serial number or CRL
number stays used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gitca.documents.load import Governing
from gitca.errors import ContradictionError
from gitca.git.store import RecordedOrder, Snapshot, Store
from gitca.ledger.events import Abandoned, CertificateParticulars, CrlParticulars
from gitca.ledger.state import LedgerState
from gitca.plan.rebuild import Rebuild, source_paths
from gitca.reconcile.keys import Keys
from gitca.reconcile.report import Held


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Pending orders, by what is to become of them.

    `take` are to be signed now, `abandon` will not be signed, `held` belong to other runs,
    `waiting` need a key that is not within reach.
    """

    take: tuple[RecordedOrder, ...] = ()
    abandon: tuple[Abandoned, ...] = ()
    held: tuple[Held, ...] = ()
    waiting: tuple[RecordedOrder, ...] = ()


@dataclass(frozen=True, slots=True)
class Resumer:
    """Sorts the pending orders of a snapshot."""

    store: Store
    snapshot: Snapshot
    governing: Governing
    keys: Keys
    run: str

    def sort(self, now: datetime, *, take_over: bool) -> Leftovers:
        """Return the pending orders by what is to become of them.

        Raises: ContradictionError when an order's bytes are not those its documents give.
        """
        take, abandon, held, waiting = [], [], [], []
        for order in self.store.pending(self.snapshot):
            mine = order.ordered.run == self.run
            pointless = _pointless(self.snapshot.state, order, now)
            if not mine and not take_over and order.ordered.lease > now:
                held.append(Held(order.ordered, order.ordered.lease))
            elif pointless:
                abandon.append(Abandoned(order.ordered.order, pointless))
            elif not self._is_within_reach(order):
                waiting.append(order)
            else:
                self._check(order)
                take.append(order)
        return Leftovers(tuple(take), tuple(abandon), tuple(held), tuple(waiting))

    def _is_within_reach(self, order: RecordedOrder) -> bool:
        document = self.governing.authorities.get(order.ordered.ca)
        return document is not None and self.keys.signer(document) is not None

    def _check(self, order: RecordedOrder) -> None:
        """Raise where a certificate's order is not what its documents give.

        A CRL's bytes come from the ledger itself; the store has rebuilt them.
        """
        ordered = order.ordered
        if not isinstance(ordered.particulars, CertificateParticulars):
            return
        entries = self.store.entries(ordered.source, *source_paths(ordered))
        spki = None
        if ordered.particulars.authority is not None:
            document = self.governing.authorities.get(ordered.particulars.authority)
            spki = self.keys.public_key(document) if document else None
        requesters = self.store.requesters(ordered.source)
        rebuild = Rebuild(entries, self.store.read, self.snapshot.state, requesters)
        if rebuild.certificate_bytes(ordered, spki) != order.tbs:
            raise ContradictionError(
                f"order {ordered.order} holds other bytes than its documents give; it was not"
                " signed",
                remedy="find the commit that recorded it and who pushed that",
            )


def _pointless(state: LedgerState, order: RecordedOrder, now: datetime) -> str:
    particulars = order.ordered.particulars
    if isinstance(particulars, CrlParticulars):
        if particulars.next_update <= now:
            return "the CRL would have lapsed already"
        if particulars.revocations != len(state.authority(order.ordered.ca).revocations):
            return "revocations were recorded since; the next CRL lists them"
        return ""
    if particulars.not_after < now:
        return "the certificate would have expired already"
    if (order.ordered.ca, particulars.serial) in state.revoked:
        return "the certificate was revoked before it was signed"
    return ""
