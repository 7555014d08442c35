"""Forgeries, pushed through real clones of a bare remote: `verify` and the next run find each.

Each is tried by itself, and covered by one more commit that looks like gitca's; the run is that of
a fresh clone, which has seen nothing before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from verify_material import API_PEM, WEB_PEM, Scene, refuses, the_cover

from ca_documents import revocation
from ca_forger import blob, forger_of, push_events, rewrite_ledger, signed_with
from ca_world import COMMITTER, Clone, git
from gitca.errors import ContradictionError
from gitca.ledger.events import Event, Revoked, Signed
from gitca.ledger.segment import parse_segment, render_segment
from gitca.verify.since import find_since
from gitca.x509.template import GeneralName


def last_segment_with(clone: Clone, kind: type[Event]) -> str:
    paths = clone.paths("issued/ledger")
    return next(
        path
        for path in reversed(paths)
        if any(isinstance(event, kind) for event in parse_segment(path, clone.read(path)).events)
    )


def an_event_is_removed(clone: Clone) -> None:
    path = last_segment_with(clone, Revoked)
    lines = clone.read(path).splitlines(keepends=True)
    clone.save({path: b"".join(line for line in lines if b'"revoked"' not in line)})


def an_event_is_removed_and_the_chain_linked_anew(clone: Clone) -> None:
    order = clone.state.requests["web"].orders[0].ordered.order
    rewrite_ledger(clone, lambda event: [] if getattr(event, "order", "") == order else [event])


def an_event_is_changed(clone: Clone) -> None:
    path = last_segment_with(clone, Revoked)
    clone.save({path: clone.read(path).replace(b"keyCompromise", b"superseded")})


def an_event_is_changed_and_the_chain_linked_anew(clone: Clone) -> None:
    def change(event: Event) -> list[Event]:
        return [replace(event, key="file:other") if isinstance(event, Signed) else event]

    rewrite_ledger(clone, change)


def an_event_is_duplicated(clone: Clone) -> None:
    path = last_segment_with(clone, Revoked)
    lines = clone.read(path).splitlines(keepends=True)
    clone.save({path: b"".join([*lines, lines[1]])})


def events_are_reordered(clone: Clone) -> None:
    path = last_segment_with(clone, Revoked)
    head, *lines = clone.read(path).splitlines(keepends=True)
    assert len(lines) > 1
    clone.save({path: b"".join([head, *reversed(lines)])})


def events_are_reordered_and_the_chain_linked_anew(clone: Clone) -> None:
    paths = clone.paths("issued/ledger")
    segments = [parse_segment(path, clone.read(path)) for path in paths]
    head = segments[-1].head
    files: dict[str, str | bytes | None] = {}
    place = next(place for place, item in enumerate(segments) if len(item.events) > 1)
    head = segments[place - 1].head
    for number, segment in enumerate(segments[place:]):
        events = segment.events[::-1] if number == 0 else segment.events
        path, data = render_segment(head, events)
        head, files[path] = parse_segment(path, data).head, data
    clone.save(files, "gitca: order certificates: 1", COMMITTER)


def the_last_segment_is_dropped(clone: Clone) -> None:
    path = clone.paths("issued/ledger")[-1]
    orders = dict.fromkeys(clone.paths("issued/orders"))
    clone.save({path: None, **orders})


def a_segment_in_the_middle_is_dropped(clone: Clone) -> None:
    clone.save({clone.paths("issued/ledger")[5]: None})


def a_certificate_is_swapped_for_another_valid_one(clone: Clone) -> None:
    clone.save({API_PEM: clone.read(WEB_PEM)})


def a_certificate_is_swapped_in_gitcas_name(clone: Clone) -> None:
    clone.save({API_PEM: clone.read(WEB_PEM)}, "gitca: sign certificates: 1", COMMITTER)


def a_revocation_is_undone(clone: Clone) -> None:
    """The CRL of before the revocation comes back, whose signature is good."""
    first = git(clone.folder, "log", "--format=%H", "--", "issued/issuing/crl.der").split()[-1]
    old = clone.snapshot(first)
    assert not old.state.revoked
    blob = git(clone.folder, "rev-parse", f"{first}:issued/issuing/crl.der")
    with clone.store() as store:
        data = store.read(blob)
    clone.save({"issued/issuing/crl.der": data})


def a_ca_certificate_is_replaced(clone: Clone) -> None:
    clone.save({"issued/root/ca.pem": clone.read("issued/issuing/ca.pem")})


def a_file_is_hidden_below_issued(clone: Clone) -> None:
    clone.save({"issued/issuing/certificates/evil.pem": clone.read(WEB_PEM)})


def an_orders_bytes_are_exchanged(clone: Clone) -> None:
    (path,) = clone.paths("issued/orders")
    data = clone.read(path)
    clone.save({path: data[:-1] + bytes([data[-1] ^ 1])})


def an_order_that_its_documents_do_not_give(clone: Clone) -> None:
    forger = forger_of(clone)
    template = replace(forger.template, sans=(GeneralName("dns", "evil.example.com"),))
    ordered, tbs = forger.certificate(template=template)
    forger.push(ordered, tbs)


def an_order_made_by_hand_of_a_commit_that_nobody_reviewed(clone: Clone) -> None:
    forger = forger_of(clone)
    git(clone.folder, "switch", "-q", "-c", "unreviewed")
    (clone.folder / "ca" / "note.txt").write_text("x")
    git(clone.folder, "add", "ca")
    git(clone.folder, "commit", "-q", "-m", "never merged")
    source = git(clone.folder, "rev-parse", "HEAD")
    git(clone.folder, "switch", "-q", "main")
    ordered, tbs = forger.certificate(source=source)
    forger.push(ordered, tbs)


def a_certificate_that_the_stolen_key_signed(clone: Clone) -> None:
    forger = forger_of(clone)
    template = replace(forger.template, sans=(GeneralName("dns", "evil.example.com"),))
    ordered, tbs = forger.certificate(template=template)
    forger.push(ordered, None, signed_with(clone, ordered, tbs))


# To whom the ledger is unreadable no cover can be written by the ledger's own means.
UNREADABLE = (
    an_event_is_removed,
    an_event_is_changed,
    an_event_is_duplicated,
    events_are_reordered,
    events_are_reordered_and_the_chain_linked_anew,
    a_segment_in_the_middle_is_dropped,
)
FORGERIES: tuple[Callable[[Clone], None], ...] = (
    *UNREADABLE,
    an_event_is_removed_and_the_chain_linked_anew,
    an_event_is_changed_and_the_chain_linked_anew,
    the_last_segment_is_dropped,
    a_certificate_is_swapped_for_another_valid_one,
    a_certificate_is_swapped_in_gitcas_name,
    a_revocation_is_undone,
    a_ca_certificate_is_replaced,
    a_file_is_hidden_below_issued,
    an_orders_bytes_are_exchanged,
)
CASES = [
    *((forge, False) for forge in FORGERIES),
    *((forge, True) for forge in FORGERIES if forge not in UNREADABLE),
]


@pytest.mark.parametrize(
    ("forge", "covered"),
    CASES,
    ids=lambda value: value.__name__ if callable(value) else "covered" if value else "alone",
)
def test_a_forgery_is_found_by_verify_and_by_the_next_run_and_nothing_is_signed_upon_it(
    scene: Scene, forge: Callable[[Clone], None], covered: bool
) -> None:
    forge(scene.forger)
    forged = scene.forger.tip
    if covered:
        the_cover(scene.forger)
    judge = scene.fresh("judge")
    report = judge.verify()
    assert report.exit_code == 5
    first = report.contradictions[0]
    assert first.commit == forged, report.contradictions
    assert first.remedy
    words = refuses(scene.fresh("next"), judge.tip)
    assert forged[:12] in words or covered, words


@pytest.mark.parametrize(
    "forge",
    [
        an_order_that_its_documents_do_not_give,
        an_order_made_by_hand_of_a_commit_that_nobody_reviewed,
        a_certificate_that_the_stolen_key_signed,
    ],
    ids=lambda function: function.__name__,
)
def test_an_order_made_by_hand_is_found_and_is_not_signed(
    made: Clone, tmp_path: Path, forge: Callable[[Clone], None]
) -> None:
    forge(made)
    made.with_origin(tmp_path / "origin.git")
    scene = Scene(made, tmp_path / "origin.git", made)
    judge = scene.fresh("judge")
    report = judge.verify()
    assert report.contradictions[0].commit == made.tip
    words = refuses(scene.fresh("next"), made.tip)
    assert made.tip[:12] in words


def rewind(scene: Scene, commits: int) -> str:
    """Force the remote's branch back and return the commit that it lost."""
    lost = scene.forger.tip
    git(scene.forger.folder, "push", "-q", "--force", "origin", f"main~{commits}:main")
    return lost


def test_a_rewound_remote_is_found_by_a_clone_that_has_seen_more_however_often_it_looks(
    scene: Scene,
) -> None:
    lost = rewind(scene, 3)
    for _ in range(2):
        words = refuses(scene.old, git(scene.origin, "rev-parse", "main"))
        assert lost[:12] in words
        assert "rewound" in words
    git(scene.old.folder, "push", "-q", "--force", "origin", f"{lost}:refs/heads/main")
    assert scene.old.reconcile(take_over=True).exit_code == 0


def test_a_remote_without_its_branch_is_found_by_a_clone_that_has_seen_it(scene: Scene) -> None:
    git(scene.origin, "update-ref", "-d", "refs/heads/main")
    with pytest.raises(ContradictionError, match="is at nothing"):
        scene.old.reconcile()


def test_what_the_user_fetched_in_between_does_not_hide_that_the_remote_was_rewound(
    scene: Scene,
) -> None:
    assert scene.old.reconcile(take_over=True).exit_code == 0
    git(scene.old.folder, "push", "-q", "--force", "origin", "main~2:main")
    git(scene.old.folder, "fetch", "-q", "origin")
    with pytest.raises(ContradictionError, match="rewound"):
        scene.old.reconcile()


def test_a_person_who_rewrote_history_before_anything_was_issued_is_let_pass(
    made: Clone, tmp_path: Path
) -> None:
    clone = Clone.create(tmp_path / "new", made.keys).with_origin(tmp_path / "new.git")
    clone.save({"README.md": "hello\n"})
    other = clone.beside("other")
    git(clone.folder, "commit", "-q", "--amend", "-m", "other words")
    git(clone.folder, "push", "-q", "--force", "origin", "main")
    assert other.reconcile().exit_code == 0


def test_a_fresh_clone_cannot_see_a_rewound_remote_and_an_auditors_old_one_can(
    scene: Scene,
) -> None:
    lost = scene.forger.tip
    # To the end of a run: what is left is whole, and says nothing of what is gone.
    whole = next(
        f"main~{back}"
        for back in range(1, 9)
        if not scene.forger.snapshot(
            git(scene.forger.folder, "rev-parse", f"main~{back}")
        ).state.pending
    )
    git(scene.forger.folder, "push", "-q", "--force", "origin", f"{whole}:main")
    assert scene.fresh("fresh").verify().contradictions == []
    git(scene.old.folder, "fetch", "-q", "origin")
    tip = git(scene.old.folder, "rev-parse", "refs/remotes/origin/main")
    with (
        scene.old.store() as store,
        pytest.raises(ContradictionError, match=f"{lost[:12]}.*rewound"),
    ):
        find_since(store, tip, lost)


@pytest.mark.parametrize("name", ["gitca", "somebody"])
def test_what_a_person_put_back_is_told_and_is_no_contradiction(scene: Scene, name: str) -> None:
    good = scene.forger.tip
    a_certificate_is_swapped_for_another_valid_one(scene.forger)
    forged = scene.forger.tip
    folder = scene.forger.folder
    git(folder, "restore", f"--source={good}", "--staged", "--worktree", "issued")
    named = ("-c", f"user.name={name}")
    git(folder, *named, "commit", "-q", "-m", "put back")
    git(folder, "push", "-q", "origin", "main")
    judge = scene.fresh("judge")
    report = judge.verify()
    assert report.contradictions == []
    (remark,) = report.remarks
    assert forged[:12] in remark
    assert judge.reconcile(take_over=True).exit_code == 0


def test_a_revocation_that_no_document_asked_for_is_found(scene: Scene) -> None:
    current = scene.forger.current("web")
    document = current.ordered.documents.request
    assert document is not None
    event = Revoked(
        reason="superseded",
        date=scene.forger.clock.now,
        document=document,
        ca="issuing",
        serial=current.certificate.serial,
    )
    push_events(scene.forger, event)
    report = scene.fresh("judge").verify()
    first = report.contradictions[0]
    assert first.commit == scene.forger.tip
    assert "does not ask for it" in first.message


def test_a_revocation_whose_document_says_another_reason_is_found(scene: Scene) -> None:
    path = "requests/stop-web.yaml"
    scene.forger.save({path: revocation(certificate="web")})
    event = Revoked(
        reason="cessationOfOperation",
        date=scene.forger.clock.now + timedelta(seconds=1),
        document=blob(scene.forger, path),
        ca="issuing",
        serial=scene.forger.current("web").certificate.serial,
    )
    push_events(scene.forger, event)
    first = scene.fresh("judge").verify().contradictions[0]
    assert "does not ask for it" in first.message
