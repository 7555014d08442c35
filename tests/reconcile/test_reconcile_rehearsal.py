"""A rehearsed plan: what building and linting would find, without a key."""

from __future__ import annotations

from ca_documents import authority, request
from ca_world import Clone, kinds
from gitca.plan.desired import read_desired
from gitca.plan.make import make_plan
from gitca.plan.model import Plan
from gitca.reconcile.rehearsal import rehearse_plan


def rehearsed(clone: Clone) -> tuple[Plan, Plan]:
    with clone.store() as store:
        snapshot = store.at(clone.tip, clone.tip)
        desired = read_desired(
            snapshot.entries,
            store.read,
            snapshot.state,
            clone.clock.now,
            read_requesters=store.requesters(snapshot.source),
        )
        plan = make_plan(desired, snapshot.state, clone.clock.now)
        return plan, rehearse_plan(plan, desired.governing, snapshot, clone.clock.now)


def test_a_rehearsal_of_sound_requests_changes_nothing(made: Clone) -> None:
    made.save(
        {f"requests/{name}.yaml": request(name, f"{name}.example.internal") for name in "abc"}
    )
    plan, after = rehearsed(made)
    assert kinds(plan.actions) == ["issue", "issue", "issue"]
    assert after == plan


def test_a_rehearsal_tells_that_the_cas_key_cannot_do_the_algorithm(made: Clone) -> None:
    wrong = authority("issuing", "root", signatureAlgorithm="ed25519")
    made.save({"ca/issuing.yaml": wrong, "requests/a.yaml": request("a", "a.example.internal")})
    _, after = rehearsed(made)
    assert [finding.rule for finding in after.findings] == ["authority.signatureAlgorithm"]
    assert after.actions == ()
