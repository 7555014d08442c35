"""A document in a folder that is spelt otherwise: nobody else's certificate waits for it."""

from __future__ import annotations

import pytest

from ca_documents import request, revocation
from ca_world import Clone, kinds
from gitca.ledger.events import Abandoned
from gitca.plan.desired import certified
from gitca.plan.model import Plan

API, STOP = "requests/payments/api.yaml", "requests/payments/api-revoked.yaml"
NEW = "requests/Payments/x.yaml"
OTHER = request("other", "other.example.internal")


def errors(plan: Plan) -> list[tuple[str, str]]:
    return [(item.rule, item.location.file) for item in plan.findings if item.is_error]


@pytest.mark.parametrize("new", [NEW, "requests/PAYMENTS/API.yaml", "requests/payments/API.yaml"])
def test_a_newcomer_holds_up_neither_a_renewal_nor_a_revocation(issued: Clone, new: str) -> None:
    first = issued.current("payments/api").certificate.serial
    issued.save({new: OTHER})
    assert errors(issued.plan()) == [("path.case", new)]
    issued.clock.forward(days=25)
    assert "renew" in kinds(issued.plan().actions)
    issued.reconcile()
    renewed = issued.current("payments/api").certificate.serial
    assert renewed != first
    issued.save({STOP: revocation(certificate="payments/api")})
    issued.reconcile()
    assert set(issued.revoked()) == {first, renewed}
    assert errors(issued.plan()) == [("path.case", new)]
    assert [path for path in issued.paths("issued") if "api.pem" in path.lower()] == [
        "issued/issuing/certificates/payments/api.pem"
    ]
    assert issued.verify().contradictions == []


def test_a_newcomer_beside_the_revocations_of_cas_holds_up_none_of_them(issued: Clone) -> None:
    stop = revocation(
        "cACompromise", serial=issued.state.authority("issuing").certificate.certificate.serial,
        ca="root",
    )  # fmt: skip
    issued.save({"requests/CA/x.yaml": OTHER, "requests/ca/issuing-revoked.yaml": stop})
    assert "revoke" in kinds(issued.plan().actions)
    issued.reconcile()
    assert issued.state.is_authority_revoked("issuing")


def test_a_revocation_in_a_folder_spelt_otherwise_is_executed(issued: Clone) -> None:
    path = "requests/PAYMENTS/stop.yaml"
    issued.save({path: revocation(certificate="payments/api")})
    plan = issued.plan()
    assert [(str(item.severity), item.rule) for item in plan.findings] == [("warning", "path.case")]
    assert "revoke" in kinds(plan.actions)
    issued.reconcile()
    assert issued.revoked()
    assert issued.plan() == Plan((), ())


def test_of_two_new_spellings_neither_is_issued_and_each_is_told(issued: Clone) -> None:
    one, two = "requests/Shop/a.yaml", "requests/shop/b.yaml"
    issued.save({one: OTHER, two: request("more", "more.example.internal")})
    plan = issued.plan()
    assert errors(plan) == [("path.case", one), ("path.case", two)]
    assert plan.actions == ()
    issued.save({one: None})
    assert errors(issued.plan()) == []
    assert kinds(issued.plan().actions) == ["issue"]


def test_a_request_renamed_in_case_alone_is_told_to_keep_its_name(issued: Clone) -> None:
    """Both certificates would be one file of `issued/` in a clone that folds case."""
    new = "requests/payments/Api.yaml"
    issued.save({API: None, new: request("other", "other.example.internal")})
    assert errors(issued.plan()) == [("path.case", new)]
    issued.save({API: OTHER, new: None})
    assert errors(issued.plan()) == []


def test_an_order_that_was_given_up_takes_no_name(issued: Clone) -> None:
    """Nothing of it is in `issued/`."""
    state = issued.state
    assert certified(state) == {"payments/api"}
    order = state.requests["payments/api"].orders[0]
    order.signed, order.abandoned = None, Abandoned(order.ordered.order, "test")
    assert certified(state) == frozenset()
