"""What was given up and yet signed is judged as what was signed in time.

Whoever may push, and uses a CA's key behind gitca's back, could else let the ledger and the key's
log agree on a certificate that no policy allows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from verify_material import found

from ca_documents import authority, request
from ca_fixtures import both_layouts
from ca_forger import Forger, forger_of, push_events, signed_with
from ca_signers import Watched, failing_after
from ca_world import COMMITTER, Clone
from gitca.ledger.draft import LEASE
from gitca.ledger.events import Abandoned, Ordered, Signed
from gitca.ledger.image import order_path
from gitca.ledger.segment import render_segment
from gitca.x509.certificate import template_of
from gitca.x509.template import GeneralName

SPARE = "file:.gitca/keys/spare.pem"
GONE = "its policy issues from CA other by now"
"""A reason that is about documents: any change of theirs lets it pass."""


def give_up(clone: Clone, ordered: Ordered) -> None:
    """Record that an order was abandoned, as a run does after a document changed."""
    clone.save({"requests/web.yaml": request("web", "web.example.internal")})
    path, data = render_segment(clone.state.head, [Abandoned(ordered.order, GONE)])
    changes = {path: data, order_path(ordered.order): None}
    clone.write_issued(changes, "gitca: abandon: 1", COMMITTER)


def late(clone: Clone, ordered: Ordered, tbs: bytes, key: str = "issuing") -> Signed:
    return replace(signed_with(clone, ordered, tbs, key), spent=True)


def lost(_: Clone, ordered: Ordered, __: bytes, ___: str = "") -> Signed:
    return Signed(ordered.order, None, "file:issuing", request_id="1-2-3", spent=True)


Use = Callable[..., Signed]


def evil(forger: Forger) -> tuple[Ordered, bytes]:
    """Return an order for names and years that no policy allows."""
    names = (GeneralName("dns", "vault.example.internal"), GeneralName("dns", "bank.example.com"))
    now = forger.clone.clock.now
    return forger.certificate(
        template=replace(forger.template, sans=names),
        particulars={"not_before": now, "not_after": now + timedelta(days=3000)},
        lease=now + LEASE,
    )


@pytest.mark.parametrize("use", [late, lost], ids=["late", "lost"])
@both_layouts
def test_a_certificate_that_was_given_up_and_signed_is_held_against_its_documents(
    made: Clone, use: Use
) -> None:
    forger = forger_of(made)
    made.reconcile()
    made.clock.forward(minutes=30)
    ordered, tbs = evil(forger)
    forger.push(ordered, tbs)
    give_up(made, ordered)
    push_events(made, use(made, ordered, tbs))
    (contradiction,) = found(made)
    assert contradiction.invariant == "I5"
    assert contradiction.place == f"order {ordered.order}"


@pytest.mark.parametrize("use", [late, lost], ids=["late", "lost"])
def test_a_new_cas_certificate_that_was_given_up_and_signed_is_held_against_its_documents(
    made: Clone, use: Use
) -> None:
    """Of such a CA no certificate tells the key: the bytes that were recorded do."""
    made.save({"ca/spare.yaml": authority("spare", "root")})
    copy = made.copy(made.folder.parent / "copy")
    dead = failing_after(copy.keys.named("root"), 0)
    assert copy.reconcile(opener=copy.keys.but(root=dead)).exit_code == 4
    (pending,) = copy.state.pending.values()
    template = template_of(copy.read(order_path(pending.ordered.order)))
    forger = Forger(made, pending.ordered, template)
    ordered, tbs = forger.certificate(
        ca="root", particulars={"not_after": pending.certificate.not_after + timedelta(days=3000)}
    )
    forger.push(ordered, tbs)
    give_up(made, ordered)
    push_events(made, use(made, ordered, tbs, "root"))
    assert found(made)[0].place == f"order {ordered.order}"


@both_layouts
def test_what_a_run_signed_after_another_gave_it_up_is_no_contradiction(shared: Clone) -> None:
    shared.save({"requests/api.yaml": request("api", "api.example.internal")})
    other, person = shared.beside("other"), shared.beside("person")

    def stall(_: bytes) -> None:
        if not issuing.signed:
            person.pull()
            person.save({"requests/api.yaml": None})
            shared.clock.forward(minutes=11)
            assert other.reconcile().abandoned

    issuing = Watched(shared.keys.named("issuing"), stall)
    shared.reconcile(opener=shared.keys.but(issuing=issuing))
    assert any(record.spent for record in shared.state.orders.values())
    assert found(shared) == []


def test_a_new_cas_certificate_that_came_after_its_document_named_another_key_is_none(
    shared: Clone,
) -> None:
    """The CA is made on the other key; what was signed before is on the one it named then."""
    shared.save({"ca/other.yaml": authority("other", "root")})
    other, person = shared.beside("other"), shared.beside("person")

    def stall(_: bytes) -> None:
        if not root.signed:
            person.pull()
            person.save({"ca/other.yaml": authority("other", "root", key=SPARE)})
            shared.clock.forward(minutes=11)
            assert other.reconcile().abandoned

    root = Watched(shared.keys.named("root"), stall)
    shared.reconcile(opener=shared.keys.but(root=root))
    made = shared.state.authority("other").certificate
    assert made is not None
    assert made.signed is not None
    assert any(
        record.spent and record.key != made.key
        for record in shared.state.orders.values()
        if record.about == "CA other"
    )
    assert found(shared) == []
