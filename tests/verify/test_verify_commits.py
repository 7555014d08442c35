"""The commits that touched `issued/`: what gitca alone does, and everything else."""

from __future__ import annotations

from pathlib import Path

import pytest
from verify_material import WEB_PEM

from ca_documents import request
from ca_forger import push_events
from ca_world import COMMITTER, Clone, git
from gitca.git.repository import Identity
from gitca.ledger.events import Signed
from gitca.ledger.segment import render_segment


def harmless(clone: Clone) -> Signed:
    """Return an event that may follow any: a use of the key whose answer was lost."""
    order = next(item.ordered.order for item in clone.state.orders.values() if item.signed)
    return Signed(order, None, "file:issuing", request_id="1-2-3", spent=True)


def first(clone: Clone) -> tuple[str, str, str]:
    """Return the first contradiction: its commit, place and message."""
    found = clone.verify().contradictions[0]
    return found.commit, found.place, found.message


def test_a_commit_in_another_name_than_the_repositorys_is_found(rich: Clone) -> None:
    path, data = render_segment(rich.state.head, [harmless(rich)])
    commit = rich.save({path: data})
    assert first(rich)[0] == commit
    assert "and gitca commits as gitca <gitca@localhost>" in first(rich)[2]


def test_a_commit_that_touches_documents_too_is_found(rich: Clone) -> None:
    path, data = render_segment(rich.state.head, [harmless(rich)])
    commit = rich.save({path: data, "requests/web.yaml": None}, "gitca: sign", COMMITTER)
    assert first(rich)[:2] == (commit, "requests/web.yaml")


def test_a_commit_that_adds_two_segments_is_found(rich: Clone) -> None:
    path, data = render_segment(rich.state.head, [harmless(rich)])
    push_events(rich, harmless(rich), files={path.replace("14", "99"): data})
    commit, place, message = first(rich)
    assert (commit, place) == (rich.tip, "issued/ledger/00000099.jsonl")
    assert "not the next segment" in message


def test_a_commit_that_adds_more_than_its_segment_explains_is_found_even_after_it_is_removed(
    rich: Clone,
) -> None:
    push_events(rich, harmless(rich), files={"issued/issuing/evil.pem": b"x"})
    commit = rich.tip
    path, data = render_segment(rich.state.head, [harmless(rich)])
    rich.save({path: data, "issued/issuing/evil.pem": None}, "gitca: sign", COMMITTER)
    assert first(rich)[:2] == (commit, "issued/issuing/evil.pem")


def test_who_gitca_commits_as_is_what_the_document_of_that_time_says(rich: Clone) -> None:
    """The commits before keep their name, and a run that began before the change may have it."""
    document = (
        "apiVersion: gitca/v1\nkind: Repository\nspec:\n  committer: {name: ca, email: ca@x.y}\n"
    )
    rich.save({"ca/repository.yaml": document})
    push_events(rich, harmless(rich))
    path, data = render_segment(rich.state.head, [harmless(rich)])
    rich.save({path: data}, "gitca: sign", Identity("ca", "ca@x.y"))
    assert rich.verify().contradictions == []
    push_events(rich, harmless(rich))
    commit = rich.tip
    assert first(rich)[0] == commit, "the name of before is over by now"


def branch(clone: Clone, files: dict[str, str | bytes], *, back: int) -> None:
    """Commit files on a branch that left main some commits ago, and stay on main."""
    git(clone.folder, "switch", "-q", "-c", "feature", f"main~{back}")
    for path, content in files.items():
        target = clone.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        git(clone.folder, "add", path)
    git(clone.folder, "commit", "-q", "-m", "feature")
    git(clone.folder, "switch", "-q", "main")


@pytest.mark.parametrize("back", [0, 1, 5])
def test_a_merge_of_a_branch_that_left_issued_alone_is_as_it_should_be(
    rich: Clone, back: int
) -> None:
    branch(rich, {"requests/new.yaml": request("new", "new.example.internal")}, back=back)
    git(rich.folder, "merge", "-q", "--no-ff", "-m", "merge", "feature")
    report = rich.verify()
    assert (report.contradictions, report.remarks) == ([], [])


def test_a_merge_of_a_branch_that_changed_issued_is_found_with_the_branchs_commit(
    rich: Clone,
) -> None:
    branch(rich, {WEB_PEM: b"evil"}, back=1)
    git(rich.folder, "merge", "-q", "--no-ff", "-m", "merge", "feature")
    report = rich.verify()
    assert {item.place for item in report.contradictions} == {WEB_PEM, "issued"}
    assert "it is a merge" in report.contradictions[0].message


def test_a_merge_that_keeps_the_older_side_is_found(rich: Clone) -> None:
    branch(rich, {"README.md": "hello\n"}, back=6)
    git(rich.folder, "switch", "-q", "feature")
    git(rich.folder, "merge", "-q", "-s", "ours", "-m", "mine wins", "main")
    git(rich.folder, "switch", "-q", "main")
    git(rich.folder, "merge", "-q", "--ff-only", "feature")
    commit, _, message = first(rich)
    assert commit == rich.tip
    assert "has another issued/ than the further one of its parents" in message


def test_a_shallow_clone_says_what_it_could_not_check(rich: Clone, tmp_path: Path) -> None:
    url = rich.folder.as_uri()
    folder = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth", "3", "--branch", "main", url, str(folder))
    shallow = Clone(folder, rich.keys, rich.clock)
    report = shallow.verify()
    assert report.contradictions == []
    assert not report.is_complete
    assert any("who wrote segments up to" in text for text in report.unchecked)
    assert any("lacks their source commit" in text for text in report.unchecked)


def test_a_shallow_clone_finds_what_its_own_commits_did(rich: Clone, tmp_path: Path) -> None:
    commit = rich.save({WEB_PEM: b"evil"})
    folder = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth", "2", rich.folder.as_uri(), str(folder))
    shallow = Clone(folder, rich.keys, rich.clock)
    assert first(shallow)[0] == commit
