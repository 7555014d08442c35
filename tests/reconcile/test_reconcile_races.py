"""Other writers: whoever pushes first wins, and the loser plans anew or re-parents."""

from __future__ import annotations

import pytest
from cryptography import x509

from ca_documents import request, revocation
from ca_fixtures import both_layouts
from ca_signers import Watched
from ca_world import Clone, git, serials_of
from gitca.errors import ContradictionError, LostRaceError

API = {"requests/payments/api.yaml": request("api", "api.example.internal")}
WEB = {"requests/web.yaml": request("web", "web.example.internal")}


def test_a_push_between_load_and_record_has_everything_planned_anew(shared: Clone) -> None:
    """A person deletes one request and adds another while the first is being built."""
    person = shared.beside("person")
    person.save(API)
    pushes = iter([{**WEB, "requests/payments/api.yaml": None}])

    def push_first() -> int:
        for files in pushes:
            person.save(files)
        return x509.random_serial_number()

    report = shared.reconcile(world=shared.world(serials=push_first))
    assert (report.exit_code, report.lost_races) == (0, 1)
    assert set(shared.state.requests) == {"web"}
    assert shared.openssl_verify("web") == "OK"
    assert shared.verify().contradictions == []


def test_a_local_commit_between_load_and_record_has_everything_planned_anew(made: Clone) -> None:
    made.save(API)
    commits = iter([WEB])

    def commit_first() -> int:
        for files in commits:
            made.save(files)
        return x509.random_serial_number()

    report = made.reconcile(world=made.world(serials=commit_first))
    assert (report.exit_code, report.lost_races) == (0, 1)
    assert set(made.state.requests) == {"payments/api", "web"}
    assert made.verify().contradictions == []
    assert made.status == ""


@pytest.mark.parametrize("with_origin", [False, True], ids=["no remote", "remote"])
@both_layouts
def test_a_push_while_signatures_are_made_has_them_committed_on_top_of_it(
    made: Clone, with_origin: bool
) -> None:
    if with_origin:
        made.with_origin(made.folder.parent / "origin.git")
    made.save(API)
    person = made.beside("person") if with_origin else made
    pushes = iter([WEB])

    def push_first(_: bytes) -> None:
        for files in pushes:
            if with_origin:
                person.pull()
            person.save(files)

    issuing = Watched(made.keys.named("issuing"), push_first)
    report = made.reconcile(opener=made.keys.but(issuing=issuing))
    assert (report.exit_code, report.lost_races) == (0, 0)
    assert len(issuing.signed) == 2, "what was signed is committed, not signed again"
    assert made.openssl_verify("payments/api") == "OK"
    assert made.openssl_verify("web") == "OK"
    assert made.verify().contradictions == []
    assert made.status == ""


def test_a_branch_that_never_stands_still_is_given_up_with_nothing_signed(shared: Clone) -> None:
    shared.save(API)
    person = shared.beside("person")

    def push_first() -> int:
        git(person.folder, "commit", "-q", "--allow-empty", "-m", "busy")
        git(person.folder, "push", "-q", "origin", "main")
        return x509.random_serial_number()

    issuing = Watched(shared.keys.named("issuing"), lambda _: None)
    with pytest.raises(LostRaceError) as lost:
        shared.reconcile(
            world=shared.world(serials=push_first), opener=shared.keys.but(issuing=issuing)
        )
    assert lost.value.exit_code == 3
    assert issuing.signed == []
    assert shared.reconcile().exit_code == 0


def test_a_remotes_branch_that_was_rewound_under_a_run_is_a_contradiction(shared: Clone) -> None:
    shared.save(API)
    person = shared.beside("person")

    def rewind(_: bytes) -> None:
        """Drop the commit that recorded the orders, and put another in its place."""
        git(person.folder, "commit", "-q", "--allow-empty", "-m", "instead")
        git(person.folder, "push", "-q", "--force", "origin", "main")

    issuing = Watched(shared.keys.named("issuing"), rewind)
    with pytest.raises(ContradictionError, match="signed and left the branch"):
        shared.reconcile(opener=shared.keys.but(issuing=issuing))


@pytest.mark.parametrize("moment", ["build", "sign"])
@both_layouts
def test_a_run_of_another_clone_in_the_middle_of_ours_loses_and_doubles_nothing(
    shared: Clone, moment: str
) -> None:
    other, person = shared.beside("other"), shared.beside("person")
    person.save({**API, **WEB})
    turns = [moment]

    def other_runs(now: str) -> None:
        if now in turns:
            turns.remove(now)
            person.pull()
            person.save({"requests/late.yaml": request("late", "late.example.internal")})
            assert other.reconcile().exit_code == {"build": 0, "sign": 3}[now]

    def serial() -> int:
        other_runs("build")
        return x509.random_serial_number()

    issuing = Watched(shared.keys.named("issuing"), lambda _: other_runs("sign"))
    report = shared.reconcile(
        world=shared.world(serials=serial), opener=shared.keys.but(issuing=issuing)
    )
    assert (report.exit_code, turns) == (0, [])
    state = shared.state
    assert set(state.requests) == {"payments/api", "web", "late"}
    assert all(len(record.orders) == 1 for record in state.requests.values())
    assert all(record.current for record in state.requests.values())
    assert len(serials_of(state)) == len(set(serials_of(state)))
    assert shared.verify().contradictions == []


@both_layouts
def test_a_revocation_pushed_while_signatures_are_made_is_on_the_next_crl(shared: Clone) -> None:
    """I6: it cannot be on the CRL that was ordered before it."""
    person = shared.beside("person")
    person.save(API)
    assert shared.reconcile().exit_code == 0
    shared.clock.forward(days=5)
    person.pull()
    pushes = iter([{"requests/stop.yaml": revocation(certificate="payments/api")}])

    def push_first(_: bytes) -> None:
        for files in pushes:
            person.pull()
            person.save(files)

    issuing = Watched(shared.keys.named("issuing"), push_first)
    assert shared.reconcile(opener=shared.keys.but(issuing=issuing)).exit_code == 0
    assert list(shared.revoked()) == [shared.current("payments/api").certificate.serial]
    assert shared.verify().contradictions == []
