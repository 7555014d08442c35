"""The plan is a value: pure, the same for the same state, and empty after its reconcile (I4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ca_documents import GOVERNING, authority, policy, request, revocation
from ca_world import NOW, Clone, KeyRing, git, kinds
from gitca.plan.desired import read_desired
from gitca.plan.make import make_plan
from gitca.plan.model import Plan

API = "requests/payments/api.yaml"


def test_planning_twice_gives_the_same_plan(issued: Clone) -> None:
    issued.save(
        {
            "requests/web.yaml": request("web", "web.example.internal"),
            "requests/bad.yaml": request("bad", "www.example.com"),
            "requests/stop.yaml": revocation(certificate="payments/api"),
        }
    )
    first, second = issued.plan(), issued.plan()
    assert first == second
    assert first.digest == second.digest
    assert kinds(first.actions) == ["revoke", "sign-crl", "issue"]


def test_planning_changes_neither_the_repository_nor_the_state(issued: Clone) -> None:
    issued.save({API: request("api-2", "api.example.internal")})
    before, state = issued.tip, issued.state
    issued.plan()
    assert issued.tip == before
    assert issued.status == ""
    with issued.store() as store:
        snapshot = store.at(before, before)
        desired = read_desired(
            snapshot.entries,
            store.read,
            snapshot.state,
            NOW,
            read_requesters=store.requesters(snapshot.source),
        )
        make_plan(desired, snapshot.state, NOW)
        make_plan(desired, snapshot.state, NOW)
        assert snapshot.state.orders.keys() == state.orders.keys()


def test_the_plans_digest_is_the_same_on_the_branch_and_after_the_merge(shared: Clone) -> None:
    shared.save({API: request("api", "api.example.internal")})
    assert shared.reconcile().exit_code == 0
    git(shared.folder, "switch", "-q", "-c", "change")
    (shared.folder / "requests/web.yaml").write_text(request("web", "web.example.internal"))
    (shared.folder / "requests/stop.yaml").write_text(revocation(certificate="payments/api"))
    git(shared.folder, "add", "requests")
    git(shared.folder, "commit", "-q", "-m", "change")
    branch = shared.plan(git(shared.folder, "rev-parse", "HEAD"))
    git(shared.folder, "switch", "-q", "main")
    shared.save({"README.md": "something else was merged in between\n"})
    git(shared.folder, "merge", "-q", "--no-ff", "-m", "merge", "change")
    shared.clock.forward(hours=5)
    merged = shared.plan()
    assert kinds(branch.actions) == ["revoke", "sign-crl", "issue"]
    assert merged.digest == branch.digest


def test_the_plans_digest_does_not_depend_on_the_time(tmp_path: Path, key_ring: KeyRing) -> None:
    files = {**GOVERNING, API: request("api", "api.example.internal")}
    clone = Clone.create(tmp_path / "clone", key_ring, files)
    digests = {clone.plan(at=NOW + timedelta(hours=hours)).digest for hours in (0, 1, 48)}
    assert len(digests) == 1


@pytest.mark.parametrize(
    "change",
    [
        {API: request("api-2", "api.example.internal")},
        {API: request("api", "api.example.internal", validity="20d")},
        {"requests/other.yaml": request("api", "api.example.internal"), API: None},
        {"requests/stop.yaml": revocation("superseded", key="sha256:" + "0" * 64)},
        {"ca/root.yaml": authority("root", validity="9y")},
        {"policies/server.yaml": policy(extendedKeyUsage={"default": ["clientAuth"]})},
    ],
    ids=["key", "validity", "name", "revocation", "authority", "policy"],
)
def test_another_outcome_has_another_digest(
    tmp_path: Path, key_ring: KeyRing, change: dict[str, str | None]
) -> None:
    files = {**GOVERNING, API: request("api", "api.example.internal")}
    clone = Clone.create(tmp_path / "clone", key_ring, files)
    before = clone.plan().digest
    clone.save(change)
    assert clone.plan().digest != before


def test_the_digest_says_nothing_of_serial_numbers_findings_and_reasons(
    tmp_path: Path, made: Clone
) -> None:
    """Two repositories that were asked for the same and gave other serial numbers."""
    plans = []
    for name in ("one", "two"):
        clone = made.copy(tmp_path / name)
        clone.save({API: request("api", "api.example.internal")})
        assert clone.reconcile().exit_code == 0
        clone.save({"requests/stop.yaml": revocation(certificate="payments/api")})
        plans.append(clone.plan())
    one, two = plans
    assert one.actions != two.actions
    assert one.digest == two.digest
    reworded = tuple(replace(action, reason="otherwise") for action in one.actions)
    assert Plan(reworded, ()).digest == one.digest


def test_a_plan_right_after_its_reconcile_is_empty(issued: Clone) -> None:
    issued.save(
        {
            "requests/web.yaml": request("web", "web.example.internal"),
            API: request("api-2", "api.example.internal"),
            "requests/stop.yaml": revocation("superseded", certificate="payments/api"),
        }
    )
    assert issued.plan().actions
    assert issued.reconcile().exit_code == 0
    assert issued.plan() == Plan((), ())


def reads_of(clone: Clone, names: dict[str, str]) -> list[str]:
    """Plan, and return which of the files by blob id were read."""
    read: list[str] = []
    with clone.store() as store:
        snapshot = store.at(clone.tip, clone.tip)

        def counting(blob: str) -> bytes:
            read.append(names.get(blob, ""))
            return store.read(blob)

        desired = read_desired(
            snapshot.entries,
            counting,
            snapshot.state,
            clone.clock.now,
            read_requesters=store.requesters(snapshot.source),
        )
        make_plan(desired, snapshot.state, clone.clock.now)
    return sorted(filter(None, read))


def blobs_below(clone: Clone, folder: str) -> dict[str, str]:
    listing = git(clone.folder, "ls-tree", "-r", clone.tip, folder)
    fields = (line.split(maxsplit=3) for line in listing.splitlines())
    return {blob: path for _, _, blob, path in fields}


def test_unchanged_requests_are_not_read(made: Clone) -> None:
    names = [f"web{number}" for number in range(5)]
    made.save(
        {f"requests/{name}.yaml": request(name, f"{name}.example.internal") for name in names}
    )
    assert made.reconcile().exit_code == 0
    made.save({"requests/stop.yaml": revocation("superseded", certificate="web4")})
    assert made.reconcile().exit_code == 0
    assert reads_of(made, blobs_below(made, "requests")) == []
    made.save({"requests/web1.yaml": request("web1", "new.example.internal")})
    made.save({"requests/web9.yaml": request("web9", "web9.example.internal")})
    read = reads_of(made, blobs_below(made, "requests"))
    assert read == ["requests/web1.yaml", "requests/web9.yaml"]


def test_a_csr_file_that_changed_has_its_request_read_again(made: Clone) -> None:
    from ca_documents import csr_pem

    text = request("x", "web.example.internal", csr=None, csrFile="web.csr")
    made.save({"requests/web.yaml": text, "requests/web.csr": csr_pem("one")})
    assert made.reconcile().exit_code == 0
    assert reads_of(made, blobs_below(made, "requests")) == []
    made.save({"requests/web.csr": csr_pem("two")})
    assert kinds(made.plan().actions) == ["rekey"]
