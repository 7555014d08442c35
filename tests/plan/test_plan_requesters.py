"""A policy that asks who changed a request last, from the plan to the proof."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ca_documents import csr_pem, policy, request
from ca_world import Clone, git
from gitca.plan.model import IssueCertificate, Plan

API = "requests/payments/api.yaml"
CSR = "requests/payments/api.csr"
NAME = "api.example.internal"
ASKING = policy(selector={"paths": ["**"], "requesters": {"authors": ["*@example.com"]}})


def save_as(clone: Clone, who: str, files: dict[str, str]) -> None:
    """Commit files with an author of this address."""
    for path, text in files.items():
        target = clone.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    git(clone.folder, "add", "-A")
    git(clone.folder, "commit", "-q", "-m", "x", "--author", f"Who <{who}>")


def issued_names(plan: Plan) -> list[str]:
    return [action.request for action in plan.actions if isinstance(action, IssueCertificate)]


@pytest.fixture
def asking(made: Clone) -> Clone:
    """A repository whose policy wants authors of example.com."""
    made.save({"policies/server.yaml": ASKING})
    return made


def test_a_request_of_the_right_author_is_issued_and_proved(asking: Clone) -> None:
    save_as(asking, "ann@example.com", {API: request("api", NAME)})
    save_as(asking, "eve@evil.example", {"README": "x", "issued/.gitkeep": ""})
    report = asking.reconcile()
    assert report.exit_code == 0, report.findings
    assert asking.verify().contradictions == []
    assert asking.verify().unchecked == []


def test_a_request_that_somebody_else_changed_is_denied_and_holds_up_itself_alone(
    asking: Clone,
) -> None:
    save_as(asking, "ann@example.com", {API: request("api", NAME),
                                        "requests/b.yaml": request("b", NAME)})  # fmt: skip
    save_as(asking, "eve@evil.example", {API: request("api", NAME, validity="20d")})
    plan = asking.plan()
    assert issued_names(plan) == ["b"]
    (finding,) = plan.findings
    assert (finding.rule, finding.location.file) == ("selector.requesters.authors", API)


def test_a_csr_that_somebody_else_exchanged_denies_the_request(asking: Clone) -> None:
    text = request("api", NAME, csr=None, csrFile="api.csr")
    save_as(asking, "ann@example.com", {API: text, CSR: csr_pem("api")})
    assert issued_names(asking.plan()) == ["payments/api"]
    save_as(asking, "eve@evil.example", {CSR: csr_pem("eve")})
    plan = asking.plan()
    assert issued_names(plan) == []
    assert CSR in plan.findings[0].message


def test_a_renewal_asks_again(asking: Clone) -> None:
    save_as(asking, "ann@example.com", {API: request("api", NAME)})
    asking.reconcile()
    asking.clock.forward(days=25)
    assert issued_names(asking.plan()) == ["payments/api"]
    none = {"paths": ["**"], "requesters": {"authors": ["*@other.example"]}}
    asking.save({"policies/server.yaml": policy(selector=none)})
    assert issued_names(asking.plan()) == []


def test_an_order_that_another_run_recorded_is_judged_by_its_own_commit_and_by_this(
    asking: Clone,
) -> None:
    """By its own it was sound, so that nobody is alarmed; by this one it is not signed any more."""
    save_as(asking, "ann@example.com", {API: request("api", NAME)})
    asking.reconcile(selected=["root"])
    assert asking.state.pending
    save_as(asking, "eve@evil.example", {API: request("api", "x.example.internal")})
    report = asking.reconcile(take_over=True)
    assert (report.resumed, len(report.abandoned)) == ([], 1)
    assert len(report.findings) == 1
    assert asking.verify().contradictions == []


def test_a_shallow_clone_denies_what_it_cannot_know_and_leaves_it_unchecked(
    asking: Clone, tmp_path: Path
) -> None:
    save_as(asking, "ann@example.com", {API: request("api", NAME)})
    asking.reconcile()
    save_as(asking, "ann@example.com", {"requests/b.yaml": request("b", NAME)})
    save_as(asking, "ann@example.com", {"README": "x"})
    shallow = tmp_path / "shallow"
    origin = f"file://{asking.folder}"
    subprocess.run(["git", "clone", "-q", "--depth", "1", origin, str(shallow)], check=True)
    there = Clone(shallow, asking.keys, asking.clock)
    plan = there.plan()
    assert issued_names(plan) == []
    (finding,) = plan.findings
    assert "is not in this clone's history" in finding.message
    assert issued_names(asking.plan()) == ["b"]


def test_verification_in_a_clone_that_lacks_the_history_says_so(
    asking: Clone, tmp_path: Path
) -> None:
    save_as(asking, "ann@example.com", {API: request("api", NAME)})
    save_as(asking, "ann@example.com", {"README": "x"})
    source = asking.tip
    asking.reconcile()
    depth = int(git(asking.folder, "rev-list", "--count", f"{source}..HEAD")) + 1
    shallow = tmp_path / "shallow"
    origin = f"file://{asking.folder}"
    subprocess.run(["git", "clone", "-q", f"--depth={depth}", origin, str(shallow)], check=True)
    report = Clone(shallow, asking.keys, asking.clock).verify()
    assert report.contradictions == []
    assert [words for words in report.unchecked if "who changed" in words]


def test_a_policy_that_does_not_ask_costs_no_walk(made: Clone) -> None:
    made.save({API: request("api", NAME)})
    with made.store() as store:
        snapshot = store.at(made.tip, made.tip)

        def never(_: object) -> dict[str, object]:
            raise AssertionError("nobody asked")

        from gitca.plan.desired import read_desired

        desired = read_desired(
            snapshot.entries, store.read, snapshot.state, made.clock.now, read_requesters=never
        )
    assert desired.requesters == {}
