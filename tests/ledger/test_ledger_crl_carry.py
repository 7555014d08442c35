"""Which revocations a CRL carries (I6), held against a model that remembers everything.

RFC 5280 section 3.3: an entry leaves after it was on one CRL issued beyond the certificate's end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_material import T0, certificate_order, crl_order, digest, order_id, revoked, signed

from gitca.ledger.events import Abandoned, Event
from gitca.ledger.image import crl_entries
from gitca.ledger.segment import Segment, SegmentHead
from gitca.ledger.state import LedgerState

STEPS = st.one_of(
    st.tuples(st.just("issue"), st.integers(0, 20)),
    st.tuples(st.just("revoke"), st.integers(0, 30)),
    st.tuples(st.just("order"), st.just(0)),
    st.tuples(st.just("sign"), st.just(0)),
    st.tuples(st.just("abandon"), st.just(0)),
    # Backwards too: another machine's clock may be behind.
    st.tuples(st.just("wait"), st.integers(-2, 12)),
)


@dataclass
class Model:
    """Remembers every CRL and searches them all. `listed` are thisUpdate and serials of each."""

    ends: dict[str, datetime] = field(default_factory=dict)
    revoked: list[str] = field(default_factory=list)
    listed: list[tuple[datetime, list[str]]] = field(default_factory=list)
    pending: tuple[datetime, list[str]] | None = None

    def carried(self) -> list[str]:
        return [serial for serial in self.revoked if not self.may_leave(serial)]

    def may_leave(self, serial: str) -> bool:
        return any(
            serial in serials and this_update > self.ends[serial]
            for this_update, serials in self.listed
        )


@dataclass
class Bench:
    """Does each step to the ledger and to the model."""

    state: LedgerState = field(default_factory=LedgerState)
    model: Model = field(default_factory=Model)
    now: datetime = T0
    number: int = 0

    def __post_init__(self) -> None:
        self.state.link(Segment(SegmentHead(1, digest("segment")), None, ()))

    def take(self, *events: Event) -> None:
        for event in events:
            self.state.apply_event(event)

    def do(self, step: str, value: int) -> None:
        getattr(self, step)(value)

    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)

    def issue(self, days: int) -> None:
        serial = f"{len(self.model.ends) + 1:x}"
        order = certificate_order(serial, serial=serial, request=serial, days=days, at=self.now)
        self.take(order, signed(serial))
        self.model.ends[serial] = order.particulars.not_after

    def revoke(self, place: int) -> None:
        candidates = [serial for serial in self.model.ends if serial not in self.model.revoked]
        if candidates:
            serial = candidates[place % len(candidates)]
            self.take(revoked(serial, at=self.now))
            self.model.revoked.append(serial)

    def order(self, _: int) -> None:
        if self.model.pending is None:
            self.number += 1
            count = len(self.model.revoked)
            self.take(crl_order(f"crl {self.number}", self.number, count, at=self.now))
            self.model.pending = (self.now, self.model.carried())

    def sign(self, _: int) -> None:
        if self.model.pending is not None:
            self.take(signed(f"crl {self.number}", crl=True))
            self.model.listed.append(self.model.pending)
            self.model.pending = None

    def abandon(self, _: int) -> None:
        if self.model.pending is not None:
            self.take(Abandoned(order_id(f"crl {self.number}"), "pointless"))
            self.model.pending = None

    def check(self) -> None:
        authority = self.state.authority("issuing")
        carried = [event.serial for _, event in authority.carried.values()]
        assert carried == self.model.carried()
        pending = authority.pending_crl
        entries = pending and [f"{entry.serial:x}" for entry in crl_entries(pending[1])]
        assert entries == (self.model.pending and self.model.pending[1])


@settings(max_examples=400)
@given(st.lists(STEPS, min_size=1, max_size=40))
def test_a_crl_carries_what_a_model_that_remembers_everything_says(
    steps: list[tuple[str, int]],
) -> None:
    bench = Bench()
    for step, value in steps:
        bench.do(step, value)
        bench.check()


def scenario(*steps: tuple[str, int]) -> Bench:
    bench = Bench()
    for step, value in steps:
        bench.do(step, value)
    bench.check()
    return bench


def test_an_entry_stays_until_a_crl_beyond_its_end_has_listed_it() -> None:
    crl = (("order", 0), ("sign", 0))
    bench = scenario(("issue", 10), ("revoke", 0), *crl, ("wait", 11))
    assert len(bench.model.carried()) == 1
    bench = scenario(("issue", 10), ("revoke", 0), *crl, ("wait", 11), *crl)
    assert bench.model.carried() == []


def test_a_crl_of_the_certificates_very_last_second_does_not_let_its_entry_go() -> None:
    bench = scenario(("issue", 10), ("revoke", 0), ("wait", 10), ("order", 0), ("sign", 0))
    assert len(bench.model.carried()) == 1


def test_an_expired_certificate_revoked_after_a_crls_order_is_on_the_next_one() -> None:
    bench = scenario(
        *(("issue", 1), ("wait", 2), ("order", 0), ("revoke", 0), ("sign", 0), ("order", 0))
    )
    assert bench.model.pending is not None
    assert bench.model.pending[1] == ["1"]


def test_a_crl_that_was_abandoned_lets_nothing_go() -> None:
    bench = scenario(("issue", 1), ("revoke", 0), ("wait", 2), ("order", 0), ("abandon", 0))
    assert bench.model.carried() == ["1"]


def test_a_certificate_that_was_revoked_when_it_had_expired_is_listed_once_and_leaves() -> None:
    crl = (("order", 0), ("sign", 0))
    bench = scenario(("issue", 1), ("wait", 2), ("order", 0), ("revoke", 0), ("sign", 0), *crl)
    assert bench.model.listed[-1][1] == ["1"]
    assert bench.model.carried() == []
