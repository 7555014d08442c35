"""Requests whose certificate is revoked and whose revocation no document asks for any more."""

from __future__ import annotations

import pytest

from ca_documents import policy, request, revocation
from ca_fixtures import both_layouts
from ca_world import Clone, kinds
from gitca.findings import Severity
from gitca.plan.model import Plan

API = "requests/payments/api.yaml"
STOP = "requests/stop.yaml"
NAME = "api.example.internal"


@pytest.fixture
def restored(made: Clone) -> Clone:
    """A request that was deleted, whose certificate its policy revoked, and that is back."""
    made.save({"policies/server.yaml": policy(onDelete={"action": "revoke"})})
    for text in (request("api", NAME), None):
        made.save({API: text})
        assert made.reconcile().exit_code == 0
        made.clock.forward(hours=1)
    assert len(made.revoked()) == 1
    made.save({API: request("api", NAME)})
    return made


@both_layouts
def test_who_restores_a_deleted_request_is_told_that_it_stays_revoked(restored: Clone) -> None:
    plan = restored.plan()
    (found,) = plan.findings
    assert plan.actions == ()
    assert (found.rule, found.severity) == ("request.revoked", Severity.WARNING)
    assert found.location.file == API
    assert found.location.line == 3
    (serial,) = restored.revoked()
    for word in (serial, "policies/server.yaml", "2026-"):
        assert word in found.message
    assert restored.reconcile().exit_code == 0
    assert restored.plan().findings == (found,), "until somebody acts on it"


@pytest.mark.parametrize(
    "change",
    [None, request("api-2", NAME), request("api", NAME, "b.example.internal")],
    ids=["deleted", "another key", "another name"],
)
def test_what_the_warning_asks_for_ends_it(restored: Clone, change: str | None) -> None:
    restored.save({API: change})
    plan = restored.plan()
    assert plan.findings == ()
    assert kinds(plan.actions) == (
        [] if change is None else ["issue" if "b." in change else "rekey"]
    )


def test_a_revocation_whose_document_stands_needs_no_warning(issued: Clone) -> None:
    issued.save({STOP: revocation("superseded", certificate="payments/api")})
    assert issued.reconcile().exit_code == 0
    assert issued.plan() == Plan((), ())
    issued.save({API: request("api", NAME) + "# a remark\n"})
    assert issued.plan() == Plan((), ())
    issued.save({STOP: revocation("superseded", certificate="payments/api") + "broken: [\n"})
    assert "request.revoked" not in {found.rule for found in issued.plan().findings}
    issued.save({STOP: None})
    assert [found.rule for found in issued.plan().findings] == ["request.revoked"]
