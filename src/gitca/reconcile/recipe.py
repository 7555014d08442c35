"""The recipe (DESIGN section 5), numbered as it is there.

A round loads the branch, finishes what others left, plans, builds, records, signs and commits what
is ready. Rounds are repeated until nothing is: a root is signed before the CA below it is built.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gitca.documents.load import load_governing
from gitca.errors import ContradictionError, GitcaError, LostRaceError
from gitca.findings import Finding
from gitca.git.store import RecordedOrder, Snapshot, Store
from gitca.ledger.draft import Batch
from gitca.ledger.events import Abandoned, CrlParticulars, Ordered
from gitca.plan.desired import Desired, read_desired
from gitca.plan.make import make_plan
from gitca.plan.model import Action, Plan, SignCrl
from gitca.reconcile.build import Builder, Built
from gitca.reconcile.fulfil import CONCURRENCY, Fulfiller, Progress
from gitca.reconcile.keys import Keys
from gitca.reconcile.moment import Moment
from gitca.reconcile.publish import Loaded, Publishing, publish
from gitca.reconcile.report import Report
from gitca.reconcile.resume import Leftovers, Resumer
from gitca.reconcile.subject_keys import knows_subject

LOST_RACES = 20
GIVEN_UP = 5
NEAR = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class World:
    """What a reconcile takes from outside: the clock, serial numbers, a name for the run.

    `clock` gives aware UTC in whole seconds; `sleep` takes seconds.
    """

    clock: Callable[[], datetime]
    next_serial: Callable[[], int]
    run: str
    sleep: Callable[[float], None] = time.sleep


def reconcile(
    store: Store,
    keys: Keys,
    world: World,
    *,
    take_over: bool = False,
    progress: Progress = lambda *_: None,
    concurrency: int = CONCURRENCY,
    publishing: Publishing | None = None,
) -> Report:
    """Make the branch's documents true and return what was done.

    `concurrency` bounds how many signatures are asked for at once. Orders of a CA whose key is not
    at this machine, or not selected, are recorded and left for whoever has the key.

    Safe to run at any time, on any clone, twice at once, and after a run that died anywhere.
    With `publishing`, all that the pushed commit holds is published, also where nothing was to do.
    A key that does not answer, or refuses, is not asked again, and what needs no more than the
    other keys is done; the report and its exit code tell.
    Raises: LostRaceError after 20 lost races; BackendUnavailableError where origin does not answer;
    ContradictionError, also where this run gives up what it ordered itself for the fifth time; with
    everything that was signed until then committed and, if the branch can be loaded, published.
    """
    reconciler = _Reconciler(
        store, keys, world, take_over, progress, Report(world.run), concurrency
    )
    try:
        while reconciler.round():
            pass
    except ContradictionError:
        # What was pushed goes out all the same: a revocation does not wait for a person to look.
        if publishing is not None:
            reconciler.publish_pushed(publishing)
        raise
    finally:
        reconciler.bring_forward()
    if publishing is not None:
        reconciler.publish(publishing)  # 10
    return reconciler.report


def build_actions(
    snapshot: Snapshot,
    desired: Desired,
    keys: Keys,
    world: World,
    actions: Iterable[Action],
    now: datetime,
) -> Built:
    """Return what is ready of planned actions, built and linted, and what was found (step 5).

    Raises: ContradictionError when a CA's key was exchanged.
    """
    moment = Moment(now, world.run, snapshot.source, world.next_serial)
    return Builder(desired.governing, snapshot.state, keys, moment).build(actions)


def refusals(desired: Desired, keys: Keys) -> Iterator[Finding]:
    """Yield `authority.key` of each CA whose key was asked for and cannot sign."""
    for name in keys.cannot_sign:
        document = desired.governing.authorities.get(name)
        refusal = keys.refusal(document) if document else None
        if refusal is not None:
            yield refusal


@dataclass(slots=True)
class _Reconciler:
    store: Store
    keys: Keys
    world: World
    take_over: bool
    progress: Progress
    report: Report
    concurrency: int
    remarks: dict[Finding, None] = field(default_factory=dict)
    given_up: Counter[str] = field(default_factory=Counter)
    own: set[Ordered] = field(default_factory=set)
    loaded: Loaded | None = None

    def round(self) -> bool:
        """Run the recipe once; False when there was nothing left that this run can do."""
        now = self.world.clock()
        snapshot = self.store.load()  # 1 load, 2 verify the chain
        desired = self._read(snapshot, now)
        self.loaded = Loaded(snapshot, desired.governing)
        try:
            if self._resume(snapshot, desired, now):  # 3
                return True
            now, desired, plan = self._plan(snapshot, desired, now)  # 4
            built = build_actions(snapshot, desired, self.keys, self.world, plan.actions, now)  # 5
            self._note(plan, built, desired)
            if not built.batch:
                return False
            self.progress("record", 0, len(built.batch.drafts))
            self.own.update(draft.ordered for draft in built.batch.drafts)
            snapshot, orders = self.store.record(snapshot, built.batch, now=now)  # 6
        except LostRaceError:
            return self._lost()
        self.report.revoked += built.batch.revoked
        self.report.adopted += built.batch.adopted
        self._fulfil(snapshot, desired, orders)  # 7 sign, 8 check, 9 commit
        return True

    def _plan(
        self, snapshot: Snapshot, desired: Desired, now: datetime
    ) -> tuple[datetime, Desired, Plan]:
        """Return the plan, and the moment and documents that it is of."""
        plan = make_plan(desired, snapshot.state, now)
        later = self._beyond_last_crls(plan, snapshot, now)
        if later == now:
            return now, desired, plan
        # Judged is the moment that the orders are dated: a waiver may have ended meanwhile.
        desired = self._read(snapshot, later)
        return later, desired, make_plan(desired, snapshot.state, later)

    def _read(self, snapshot: Snapshot, now: datetime) -> Desired:
        requesters = self.store.requesters(snapshot.source)
        return read_desired(
            snapshot.entries, self.store.read, snapshot.state, now, read_requesters=requesters
        )

    def bring_forward(self) -> None:
        """Show the user's branch and working tree what was pushed."""
        outcome = self.store.bring_forward()
        self.report.tip = self.store.tip
        self.report.working_tree = outcome.reason if outcome else ""

    def publish(self, publishing: Publishing) -> None:
        """Publish what the last round loaded: it found nothing more to do."""
        if self.loaded is not None and self.loaded.governing.repository.spec.publish:
            self.report.published = publish(
                self.store,
                self.loaded,
                publishing=publishing,
                clock=self.world.clock,
                progress=self.progress,
            )

    def publish_pushed(self, publishing: Publishing) -> None:
        """Publish what the branch has, as far as that can be done beside another failure."""
        with contextlib.suppress(GitcaError):
            snapshot = self.store.load()
            self.loaded = Loaded(snapshot, load_governing(snapshot.entries, self.store.read))
            self.publish(publishing)

    def _resume(self, snapshot: Snapshot, desired: Desired, now: datetime) -> bool:
        resumer = Resumer(self.store, snapshot, desired, self.keys, self.own)
        left = resumer.sort(now, take_over=self.take_over, give_up_ahead=self.take_over)
        self._note_left(left)
        if left.abandon:
            self.store.record(snapshot, Batch(abandoned=left.abandon), now=now)
            self.report.abandoned += [event.order for event in left.abandon]
            self._count_given_up(snapshot, left.abandon)
            return True
        if left.take:
            self.store.check_movable()  # before a key is used
            self.report.resumed += self._fulfil(snapshot, desired, left.take)
            return True
        return False

    def _count_given_up(self, snapshot: Snapshot, abandoned: Iterable[Abandoned]) -> None:
        """Raise ContradictionError where this run gave up too many orders of its own for one thing.

        A plan that orders what is not to be signed would be made again and again, two commits each.
        """
        for event in abandoned:
            record = snapshot.state.orders[event.order]
            ordered = record.ordered
            is_crl = isinstance(ordered.particulars, CrlParticulars)
            target = f"CRL of CA {ordered.ca}" if is_crl else record.about
            self.given_up[target] += ordered in self.own
            if self.given_up[target] >= GIVEN_UP:
                raise ContradictionError(
                    f"this run ordered {target} {GIVEN_UP} times and gave each order up, the last"
                    f" one because: {event.reason}",
                    remedy="unless documents changed all the while, report this as a defect of"
                    " gitca; else run gitca reconcile again",
                )

    def _beyond_last_crls(self, plan: Plan, snapshot: Snapshot, now: datetime) -> datetime:
        """Return a time later than the last CRLs of the CAs that are to sign one, if it is near.

        A CRL of the same second would have to be dated into the future to look newer.
        """
        records = (
            snapshot.state.authority(action.ca).crl
            for action in plan.actions
            if isinstance(action, SignCrl)
        )
        last = max((record.crl.this_update for record in records if record), default=now - NEAR)
        if not timedelta(0) <= last - now <= NEAR:
            return now
        self.world.sleep((last - now).total_seconds() + 1)
        return self.world.clock()

    def _fulfil(
        self, snapshot: Snapshot, desired: Desired, orders: tuple[RecordedOrder, ...]
    ) -> tuple[Ordered, ...]:
        """Sign what can be signed here and now, and return it."""
        fulfiller = Fulfiller(
            self.store,
            self.keys,
            desired.governing.authorities,
            self.world.clock,
            self.progress,
            self.concurrency,
        )
        authorities, state = desired.governing.authorities, snapshot.state
        within = [
            order
            for order in orders
            if fulfiller.is_within_reach(order)
            and knows_subject(self.keys, authorities, state, order.ordered)
        ]
        made = fulfiller.fulfil(snapshot, within)
        self.report.signed += made
        return made

    def _note(self, plan: Plan, built: Built, desired: Desired) -> None:
        self.report.plan = self.report.plan or plan
        # What stopped nothing was issued in its round, and no later round would say it again.
        remarks = (finding for finding in built.findings if not finding.is_error)
        self.remarks |= dict.fromkeys(remarks)
        errors = (finding for finding in built.findings if finding.is_error)
        unsuitable = refusals(desired, self.keys)
        found = dict.fromkeys((*plan.findings, *self.remarks, *errors, *unsuitable))
        self.report.findings = tuple(found)
        self.report.absent = dict(self.keys.absent)
        self.report.unreachable = dict(self.keys.unreachable)
        self.report.is_wrongly_used = self.keys.is_wrongly_used

    def _note_left(self, left: Leftovers) -> None:
        self.report.held = left.held
        self.report.waiting = left.waiting

    def _lost(self) -> bool:
        self.report.lost_races += 1
        if self.report.lost_races >= LOST_RACES:
            raise LostRaceError(
                f"the branch moved {LOST_RACES} times before the orders could be recorded; nothing"
                " was signed for them",
                remedy="run gitca reconcile again",
            )
        return True
