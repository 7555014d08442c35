"""The ceremony: what one CA's key is to sign is shown to a person, and signed where the key is.

It takes the orders that reconcile has recorded, each rebuilt from its documents and judged by those
of today. What nobody without the key could order, a root orders of itself: its own certificate, and
its first CRL. Nothing else is ordered here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.errors import BackendUnavailableError, LostRaceError, UsageError
from gitca.findings import Finding
from gitca.git.carry import may_order_first_crl, published_source
from gitca.git.store import RecordedOrder, Snapshot, Store
from gitca.ledger.draft import LEASE, Batch, Draft, recorded_at
from gitca.ledger.events import (
    Abandoned,
    CertificateParticulars,
    CrlParticulars,
    Ordered,
    Revoked,
)
from gitca.plan.desired import Desired, read_desired
from gitca.plan.make import make_plan
from gitca.plan.model import Action, CreateAuthority, Plan, SignCrl
from gitca.reconcile.fulfil import Fulfiller
from gitca.reconcile.keys import Keys
from gitca.reconcile.recipe import LOST_RACES, World, build_actions
from gitca.reconcile.report import Report
from gitca.reconcile.resume import Leftovers, Resumer
from gitca.reconcile.subject_keys import has_vouched, subject_of
from gitca.x509.certificate import template_of
from gitca.x509.refusal import RefusedError
from gitca.x509.template import CertificateTemplate

Approve = Callable[["Proposal"], bool]
"""Shows a proposal to a person; whether the key may sign it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One object that is to be signed, as its order and its bytes have it.

    `segment` is the one that recorded the order; None for an order that is made here. `template` is
    what a certificate will say; `key_is_told` that nothing but the ledger says what its key is.
    `entries` are what a CRL will list, `new` those of them that the CA's last CRL did not have.
    """

    ordered: Ordered
    segment: int | None
    template: CertificateTemplate | None = None
    key_is_told: bool = False
    entries: tuple[Revoked, ...] = ()
    new: tuple[Revoked, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """All that a person is asked to let the key sign at once, and what is given up unsigned."""

    ca: str
    snapshot: Snapshot
    orders: tuple[RecordedOrder, ...]
    drafts: tuple[Draft, ...]
    abandoned: tuple[Abandoned, ...]
    items: tuple[Item, ...]

    def __bool__(self) -> bool:
        return bool(self.items or self.abandoned)


def hold_ceremony(
    store: Store,
    keys: Keys,
    world: World,
    ca: str,
    *,
    approve: Approve,
) -> Report:
    """Sign what awaits the key of one CA, as far as a person approves, and return what was done.

    `keys` should be limited to that CA. Safe to repeat, and after a run that died anywhere: what is
    recorded is signed with the bytes it was recorded with.
    Raises: BackendUnavailableError where the key is not here; KeyUnsuitableError where it cannot
    sign; UsageError for a clock that is behind the orders; ContradictionError for an order that its
    documents do not give; LostRaceError after 20 lost races.
    """
    ceremony = _Ceremony(store, keys, world, ca, approve, Report(world.run))
    try:
        while ceremony.round():
            pass
    finally:
        outcome = store.bring_forward()
        ceremony.report.tip = store.tip
        ceremony.report.working_tree = outcome.reason if outcome else ""
    return ceremony.report


@dataclass(slots=True)
class _Ceremony:
    store: Store
    keys: Keys
    world: World
    ca: str
    approve: Approve
    report: Report
    told: set[str] = field(default_factory=set)
    own: set[Ordered] = field(default_factory=set)

    def round(self) -> bool:
        """Propose once, and sign what is approved; False when there is nothing left to propose."""
        now = self.world.clock()
        snapshot = self.store.load()
        requesters = self.store.requesters(snapshot.source)
        desired = read_desired(
            snapshot.entries, self.store.read, snapshot.state, now, read_requesters=requesters
        )
        document = desired.governing.authorities.get(self.ca)
        if document is not None:
            self._check_key(document, snapshot)
        proposal = self._propose(snapshot, desired, now)
        if not proposal:
            return False
        self.store.check_movable()  # before a person is asked, and a key used
        if not self.approve(proposal):
            self.report.declined = True
            return False
        try:
            self._perform(proposal, desired, now)
        except LostRaceError:
            self.report.lost_races += 1
            if self.report.lost_races >= LOST_RACES:
                raise
        return True

    def _check_key(self, document: Document[CertificateAuthoritySpec], snapshot: Snapshot) -> None:
        """Raise where the key is not here, or another than the CA's certificate has."""
        if self.keys.pinned_signer(document, snapshot.state) is not None:
            return
        refusal = self.keys.cannot_sign.get(self.ca)
        if refusal is not None:
            raise refusal
        reason = self.keys.absent.get(self.ca) or self.keys.unreachable.get(self.ca, "")
        raise BackendUnavailableError(
            f"the key of CA {self.ca} is not within reach: {reason}",
            remedy="run this at the machine that has the key",
        )

    def _propose(self, snapshot: Snapshot, desired: Desired, now: datetime) -> Proposal:
        self._learn_keys(snapshot)
        resumer = Resumer(self.store, snapshot, desired, self.keys, self.own)
        left = resumer.sort(now, take_over=True, ca=self.ca)
        _check_clock(left, now)
        drafts = self._drafts(snapshot, desired, now)
        self.report.waiting = left.waiting
        items = (
            *(self._item(snapshot, order.ordered, order.tbs) for order in left.take),
            *(self._item(snapshot, draft.ordered, draft.tbs) for draft in drafts),
        )
        return Proposal(self.ca, snapshot, left.take, drafts, left.abandon, items)

    def _learn_keys(self, snapshot: Snapshot) -> None:
        """Take the keys of CAs that this one never vouched for from the orders: they lie elsewhere.

        That one is the CA's own nobody here can tell; a person compares it with what `gitca keys
        show` says there.
        """
        self.told.clear()
        for order in self.store.pending(snapshot):
            name = subject_of(order.ordered)
            if order.ordered.ca != self.ca or name is None or name == self.ca:
                continue
            if has_vouched(snapshot.state, self.ca, name):
                continue
            try:
                self.keys.tell(name, template_of(order.tbs).spki_der)
            except RefusedError:
                continue  # bytes that are no certificate's are refused when they are rebuilt
            self.told.add(name)

    def _drafts(self, snapshot: Snapshot, desired: Desired, now: datetime) -> tuple[Draft, ...]:
        """Return the orders of what nobody could order who has not the key."""
        plan = make_plan(desired, snapshot.state, now)
        own = [action for action in plan.actions if self._is_own(action, snapshot)]
        published = replace(snapshot, source=published_source(self.store, snapshot))
        built = build_actions(published, desired, self.keys, self.world, own, now)
        self.report.findings = (*self._findings(plan), *built.findings)
        return tuple(built.batch.drafts)

    def _is_own(self, action: Action, snapshot: Snapshot) -> bool:
        if isinstance(action, CreateAuthority):
            return action.ca == action.authority == self.ca
        if not isinstance(action, SignCrl) or action.ca != self.ca:
            return False
        is_first = snapshot.state.authority(self.ca).last_crl_number == 0
        return is_first and may_order_first_crl(self.store, self.ca)

    def _findings(self, plan: Plan) -> Iterator[Finding]:
        path = f"ca/{self.ca}.yaml"
        return (finding for finding in plan.findings if finding.location.file == path)

    def _item(self, snapshot: Snapshot, ordered: Ordered, tbs: bytes) -> Item:
        """Return what a person is shown of an order, read from the bytes that are to be signed."""
        state, given = snapshot.state, ordered.particulars
        record = state.orders.get(ordered.order)
        segment = record.segment if record else None
        if isinstance(given, CertificateParticulars):
            return Item(ordered, segment, template_of(tbs), subject_of(ordered) in self.told)
        if not isinstance(given, CrlParticulars):
            return Item(ordered, segment)
        authority = state.authority(ordered.ca)
        carried = tuple(event for _, event in authority.carried.values())
        entries = authority.pending_crl[1] if authority.pending_crl else carried
        listed = authority.crl.crl.revocations if authority.crl else 0
        new = {id(event) for event in authority.revocations[listed:]}
        return Item(
            ordered,
            segment,
            entries=entries,
            new=tuple(event for event in entries if id(event) in new),
        )

    def _perform(self, proposal: Proposal, desired: Desired, now: datetime) -> None:
        snapshot, orders = proposal.snapshot, proposal.orders
        batch = Batch(drafts=proposal.drafts, abandoned=proposal.abandoned)
        if batch:
            self.own.update(draft.ordered for draft in proposal.drafts)
            snapshot, made = self.store.record(snapshot, batch, now=now)
            orders = (*orders, *made)
            self.report.abandoned += [event.order for event in proposal.abandoned]
        authorities = desired.governing.authorities
        fulfiller = Fulfiller(
            self.store, self.keys, authorities, self.world.clock, lambda *_: None, 1
        )
        # A key that failed is given up; the next round raises what it said.
        self.report.signed += fulfiller.fulfil(snapshot, orders)


def _check_clock(left: Leftovers, now: datetime) -> None:
    """Raise UsageError where this machine's clock is behind the orders.

    None of them is given up here: a machine without a network may have any time, and what is
    carried over later is dated anew, so that nobody could tell whether the order was ahead.
    """
    ahead = max((recorded_at(held.ordered) for held in left.held), default=now)
    if ahead > now + LEASE:
        raise UsageError(
            f"an order was recorded at {ahead:%Y-%m-%dT%H:%M:%SZ}, and the clock of this machine is"
            f" at {now:%Y-%m-%dT%H:%M:%SZ}; nothing was signed",
            remedy="set the clock, by which certificates and CRLs are judged; if it is right, that"
            " of the other machine was ahead, and gitca reconcile --take-over gives its order up",
        )
