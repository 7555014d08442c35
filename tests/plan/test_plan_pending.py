"""Orders that a run left behind are in the plan, as what a reconcile will sign."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ca_documents import authority, policy, request
from ca_fixtures import both_layouts
from ca_signers import failing_after
from ca_world import Clone, kinds
from gitca.plan.model import PendingOrder, Plan
from gitca.plan.render_json import plan_record
from gitca.plan.render_text import NOTHING, render_text

API = "requests/payments/api.yaml"
NAME = "api.example.internal"


def die_before_signing(clone: Clone, *names: str) -> None:
    dead = {name: failing_after(clone.keys.named(name), 0) for name in names}
    assert clone.reconcile(opener=clone.keys.but(**dead)).exit_code == 4


@pytest.fixture
def left(made: Clone) -> Clone:
    """A repository whose order for payments/api awaits its signature."""
    made.save({API: request("api", NAME)})
    die_before_signing(made, "issuing")
    return made


@both_layouts
def test_a_pending_order_is_in_the_plan_and_not_in_its_actions(left: Clone) -> None:
    (order,) = left.state.pending
    lease = left.clock.now + timedelta(minutes=10)
    pending = PendingOrder(order, "issuing", "payments/api", None, lease, "payments/api")
    assert left.plan() == Plan((), (), (pending,))
    assert left.plan().digest == Plan((), ()).digest
    left.reconcile(take_over=True)
    assert left.plan() == Plan((), ())


@both_layouts
def test_the_text_never_says_that_there_is_nothing_to_do_while_an_order_is_pending(
    left: Clone,
) -> None:
    (order,) = left.state.pending
    text = render_text(left.plan())
    assert NOTHING not in text
    assert f"issuing: payments/api  order {order}, leased until 2026-11-24T13:10:00Z\n" in text
    left.save({"requests/web.yaml": request("web", "web.example.internal")})
    text = render_text(left.plan())
    assert text.startswith("issue  issuing: web")
    assert "\n\n1 action, plan sha256:" in text
    assert "\n\n1 order awaiting a signature" in text


@both_layouts
def test_the_json_names_pending_orders(left: Clone) -> None:
    (order,) = left.state.pending
    assert plan_record(left.plan())["pending"] == [
        {
            "order": order,
            "ca": "issuing",
            "request": "payments/api",
            "authority": None,
            "leasedUntil": "2026-11-24T13:10:00Z",
            "about": "payments/api",
        }
    ]


@both_layouts
def test_orders_of_cas_and_crls_are_pending_too(made: Clone) -> None:
    made.save({"ca/other.yaml": authority("other", "root")})
    made.clock.forward(days=5)
    die_before_signing(made, "root", "issuing")
    words = {(order.ca, order.request, order.authority) for order in made.plan().pending}
    assert words == {("root", None, "other"), ("root", None, None), ("issuing", None, None)}
    text = render_text(made.plan())
    assert "  root: other  order " in text
    assert "  issuing: CRL  order " in text
    assert "3 orders awaiting a signature" in text


@both_layouts
def test_what_a_policy_finds_of_a_request_whose_order_is_pending_is_found(left: Clone) -> None:
    left.save({"policies/server.yaml": policy(selector={"paths": ["nothing"]})})
    plan = left.plan()
    assert kinds(plan.actions) == []
    assert [finding.rule for finding in plan.findings if finding.is_error] == ["selector.paths"]
    assert len(plan.pending) == 1
