"""Orders that are given up: signed all the same by a run that stalled, or by nobody."""

from __future__ import annotations

from ca_documents import request
from ca_signers import Watched, failing_after
from ca_world import Clone, serials_of
from gitca.ledger.records import OrderRecord

API = "requests/payments/api.yaml"
NAME = "api.example.internal"


def signed_late(shared: Clone, **files: str | None) -> OrderRecord:
    """Have a run stall at its key while another one gives its order up; return that order.

    A person takes the request back meanwhile, unless other files are given.
    """
    before = set(serials_of(shared.state))
    shared.save({API: request("api", NAME)})
    other, person = shared.beside("other"), shared.beside("person")

    def stall(_: bytes) -> None:
        if not issuing.signed:
            person.pull()
            person.save(files or {API: None})
            shared.clock.forward(minutes=11)
            assert len(other.reconcile().abandoned) == 1

    issuing = Watched(shared.keys.named("issuing"), stall)
    assert shared.reconcile(opener=shared.keys.but(issuing=issuing)).exit_code == 0
    shared.pull()
    shared.clock.forward(minutes=1)
    serial = next(item for item in serials_of(shared.state) if item not in before)
    record = shared.state.serials[serial]
    assert record.abandoned
    assert record.late
    return record


def given_up(shared: Clone) -> OrderRecord:
    """Have a run reach no key, and the next one give its order up; return that order."""
    shared.save({API: request("api", NAME)})
    dead = failing_after(shared.keys.named("issuing"), 0)
    assert shared.reconcile(opener=shared.keys.but(issuing=dead)).exit_code == 4
    shared.pull()
    shared.save({API: None})
    shared.clock.forward(minutes=11)
    assert len(shared.reconcile().abandoned) == 1
    (record,) = (order for order in shared.state.orders.values() if order.abandoned)
    return record
