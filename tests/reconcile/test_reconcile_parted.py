"""`issued/` on a branch of its own: what only that layout can get wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from offline_world import Hierarchy

from ca_documents import document, request
from ca_fixtures import both_layouts
from ca_world import MAIN, PARTED, PARTING, Clone, git
from gitca.cli.clone import open_change, open_clone, open_store
from gitca.errors import (
    BackendUnavailableError,
    ContradictionError,
    LostRaceError,
    UsageError,
)
from gitca.git.store import Branches

API = {"requests/payments/api.yaml": request("api", "api.example.internal")}
WEB = {"requests/web.yaml": request("web", "web.example.internal")}
REPOSITORY = "ca/repository.yaml"

parted = pytest.mark.parametrize("layout", [PARTED], ids=["parted"], indirect=True)


def named(branch: str) -> dict[str, str]:
    return {REPOSITORY: document("Repository", {"issuedBranch": branch})}


def force(clone: Clone, commit: str, branch: str) -> None:
    git(clone.folder, "push", "-q", "--force", "origin", f"{commit}:refs/heads/{branch}")


@parted
def test_the_first_reconcile_begins_a_branch_without_history(shared: Clone) -> None:
    assert git(shared.folder, "rev-list", "--max-parents=0", shared.tip) != git(
        shared.folder, "rev-list", "--max-parents=0", shared.source
    )
    assert {path.partition("/")[0] for path in shared.paths()} == {"issued"}
    before = shared.source
    shared.save(API)
    report = shared.reconcile()
    assert (report.exit_code, report.working_tree) == (0, "")
    assert git(shared.folder, "rev-parse", "HEAD~1") == before, "main has people's commits alone"
    message = git(shared.folder, "log", "-1", "--format=%B", shared.origin_tip)
    assert f"Documents: {shared.source}" in message


@parted
def test_documents_that_are_rewound_are_found_by_a_clone_that_saw_them(shared: Clone) -> None:
    before = shared.source
    shared.save(WEB)
    assert shared.reconcile().exit_code == 0
    shared.save({"notes": "nothing is ordered upon this commit"})
    assert shared.reconcile().exit_code == 0
    force(shared, f"{shared.source}~1", "main")
    for _ in range(2):
        with pytest.raises(ContradictionError, match="main of origin was rewound") as refusal:
            shared.reconcile()
    assert "git push --force origin" in refusal.value.remedy
    force(shared, before, "main")
    with pytest.raises(ContradictionError, match="main of origin was rewound"):
        shared.reconcile()


@parted
def test_documents_that_are_rewound_below_an_order_are_found_by_a_fresh_clone(
    shared: Clone,
) -> None:
    before = shared.source
    shared.save(WEB)
    assert shared.reconcile().exit_code == 0
    force(shared, before, "main")
    fresh = shared.beside("fresh")
    with pytest.raises(ContradictionError, match="that was rewound or rewritten") as refusal:
        fresh.reconcile()
    assert refusal.value.exit_code == 5
    force(shared, shared.source, "main")
    assert fresh.reconcile().exit_code == 0


@parted
def test_issued_that_is_rewound_is_found(shared: Clone) -> None:
    assert shared.reconcile().exit_code == 0
    before = shared.origin_tip
    shared.save(WEB)
    assert shared.reconcile().exit_code == 0
    force(shared, before, "issued")
    with pytest.raises(ContradictionError, match="issued of origin was rewound"):
        shared.reconcile()


@pytest.mark.parametrize("with_origin", [False, True], ids=["no remote", "remote"])
def test_a_document_alone_does_not_part_the_branches(made: Clone, with_origin: bool) -> None:
    """An empty ledger beside the one that there is would make every CA anew."""
    if with_origin:
        made.with_origin(made.folder.parent / "origin.git")
    made.save({REPOSITORY: PARTING})
    made.branches = PARTED
    with pytest.raises(ContradictionError, match="main has 6 segments of the ledger") as refusal:
        made.reconcile()
    assert "nothing was signed" in refusal.value.remedy
    assert "Moving issued/" in refusal.value.remedy


@parted
@pytest.mark.parametrize("with_origin", [False, True], ids=["no remote", "remote"])
@pytest.mark.parametrize("other", [None, "elsewhere"], ids=["joined", "moved"])
def test_a_document_alone_moves_nothing_elsewhere(
    made: Clone, with_origin: bool, other: str | None
) -> None:
    if with_origin:
        made.with_origin(made.folder.parent / "origin.git")
    made.save(named(other) if other else {REPOSITORY: None})
    made.branches = Branches("main", other or "main")
    with pytest.raises(ContradictionError, match="the branch issued has 6 segments"):
        made.reconcile()


@parted
def test_a_shallow_clone_begins_no_ledger(shared: Clone) -> None:
    shared.save({REPOSITORY: None})
    folder = shared.folder.parent / "shallow"
    url = Path(shared.origin).as_uri()
    git(folder.parent, "clone", "-q", "--depth", "1", url, str(folder))
    shallow = replace(shared, folder=folder, branches=MAIN)
    with pytest.raises(BackendUnavailableError, match="shallow") as refusal:
        shallow.reconcile()
    assert "--unshallow" in refusal.value.remedy


@both_layouts
def test_a_run_that_began_with_other_branches_than_the_documents_name_is_run_again(
    shared: Clone,
) -> None:
    """A clone reads which branches to obey before it fetches; they may have changed since."""
    other = shared.beside("other")
    other.save(named("elsewhere"))
    words = r"names the branches main \(documents\) and elsewhere"
    with pytest.raises(LostRaceError, match=words) as lost:
        shared.reconcile()
    assert lost.value.exit_code == 3
    with open_store(shared.folder) as store:
        assert store.branches == Branches("main", "elsewhere"), "the next run knows"


@contextmanager
def single(clone: Clone) -> Iterator[Clone]:
    """A clone that has the documents' branch alone, as some pipelines make it."""
    folder = clone.folder.parent / "single"
    url = Path(clone.origin).as_uri()
    git(folder.parent, "clone", "-q", "--single-branch", "--branch", "main", url, str(folder))
    yield replace(clone, folder=folder)


@parted
def test_a_clone_without_the_branch_of_issued_is_told_how_to_fetch_it(shared: Clone) -> None:
    shared.reconcile()
    with single(shared) as clone:
        with pytest.raises(UsageError, match="has not fetched the branch issued") as refusal:
            open_clone(clone.folder).__enter__()
        command = refusal.value.remedy.partition(" (")[0]
        git(clone.folder, *command.split()[1:])
        with open_clone(clone.folder) as opened:
            assert opened.state.head.number == shared.state.head.number


@parted
def test_whether_there_is_such_a_branch_is_asked_of_origin(shared: Clone) -> None:
    git(Path(shared.origin), "branch", "-q", "-D", "issued")
    with single(shared) as clone:
        with open_clone(clone.folder) as opened:
            assert opened.state.head.number == 0, "nothing was issued yet"
        git(clone.folder, "remote", "set-url", "origin", "/nowhere")
        with pytest.raises(BackendUnavailableError, match="cannot be told"):
            open_clone(clone.folder).__enter__()


@parted
def test_what_was_signed_offline_is_seen_where_it_was_signed(standing: Hierarchy) -> None:
    standing.office.clock.forward(days=5)
    standing.reconcile()
    safe = standing.safe()
    with open_clone(safe.folder) as opened:
        assert opened.state.pending
    assert standing.sign(safe).signed
    with open_clone(safe.folder) as opened:
        assert not opened.state.pending


@parted
def test_the_bundles_of_the_offline_page_carry_the_branch_there_and_back(
    standing: Hierarchy,
) -> None:
    office, folder = standing.office, standing.folder
    office.clock.forward(days=5)
    standing.reconcile()
    office.pull()
    git(office.folder, "bundle", "create", "-q", "../there.bundle", "main", "issued")
    git(folder, "clone", "-q", "-b", "main", "there.bundle", "ceremony")
    safe = replace(office, folder=folder / "ceremony")
    assert standing.sign(safe).signed
    git(safe.folder, "bundle", "create", "-q", "../back.bundle", "origin/issued..issued")
    git(folder, "clone", "-q", "-b", "main", office.origin, "courier")
    courier = replace(office, folder=folder / "courier")
    git(courier.folder, "fetch", "-q", "../back.bundle", "issued:issued")
    done = courier.carry_over()
    assert done is not None
    assert (len(done.signed), done.commit) == (1, office.origin_tip)
    standing.pull()


@parted
def test_a_pull_request_may_take_what_is_left_of_issued_away_and_add_nothing(
    shared: Clone,
) -> None:
    shared.save({"issued/root/ca.pem": "left over"})
    base = shared.source
    git(shared.folder, "switch", "-q", "-c", "feature")
    (shared.folder / "issued/root/crl.der").write_text("planted")
    git(shared.folder, "rm", "-q", "issued/root/ca.pem")
    git(shared.folder, "add", "issued")
    git(shared.folder, "commit", "-q", "-m", "change")
    with open_change(shared.folder, base) as change:
        (finding,) = change.findings
        assert finding.rule == "change.issued"
        assert finding.location.file == "issued/root/crl.der"
