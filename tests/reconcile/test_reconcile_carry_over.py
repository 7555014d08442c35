"""What was signed without a network, brought to an origin that has gone on meanwhile."""

from __future__ import annotations

import base64
import hashlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from offline_world import Hierarchy

from ca_documents import authority, request, revocation
from ca_fixtures import both_layouts
from ca_world import Clone, git
from gitca.errors import ContradictionError, UsageError
from gitca.ledger.events import Abandoned, Event, Signed
from gitca.ledger.segment import parse_segment, render_segment
from gitca.reconcile.carry_over import carry_over
from gitca.x509.signed import assemble
from gitca.x509.template import spki_identifier

WEB = {"requests/web.yaml": request("web", "web.example.internal")}


def signed_in_the_safe(world: Hierarchy, **documents: str) -> Clone:
    """Return the safe's clone with signatures that origin lacks."""
    world.office.clock.forward(days=5)
    if documents:
        world.office.save(documents)
    world.reconcile()
    safe = world.safe()
    assert world.sign(safe).signed
    return world.bring_back(safe)


def gone_on(world: Hierarchy) -> None:
    """Let origin issue something meanwhile."""
    world.office.save(WEB)
    assert world.reconcile().exit_code == 0


def check(world: Hierarchy, clone: Clone) -> None:
    """The clone shows origin's branch, and all of it is sound."""
    assert clone.origin_tip == clone.tip
    assert clone.status == ""
    assert clone.verify().contradictions == []
    world.pull()


@both_layouts
def test_signatures_are_carried_over_to_an_origin_that_has_gone_on(standing: Hierarchy) -> None:
    safe = signed_in_the_safe(standing, **{"ca/other.yaml": authority("other", "root")})
    gone_on(standing)
    local = safe.tip
    with pytest.raises(AssertionError, match="rejected"):
        git(safe.folder, "push", "origin", safe.branches.issued)
    done = safe.carry_over()
    assert done is not None
    assert (done.local, done.commit, done.working_tree) == (local, safe.tip, "")
    assert (len(done.signed), done.spent) == (2, ())
    check(standing, safe)
    assert git(safe.folder, "rev-parse", f"refs/gitca/carried/{local}") == local
    assert not safe.state.pending
    report = standing.reconcile()
    assert (report.exit_code, report.waiting) == (0, ())
    assert standing.office.openssl_verify("web") == "OK"
    assert safe.carry_over() is None, "nothing is left"


@both_layouts
def test_a_root_that_was_born_in_the_safe_is_carried_over(fresh: Hierarchy) -> None:
    safe = fresh.safe()
    fresh.sign(safe)
    fresh.bring_back(safe)
    fresh.office.save(WEB)
    assert safe.carry_over() is not None
    check(fresh, safe)
    paths = safe.paths("issued/ledger")
    assert len(paths) == 4, "a commit for each order, and one for each signature"
    assert fresh.reconcile().exit_code == 0


@both_layouts
def test_a_branch_that_origin_takes_as_it_is_is_pushed(standing: Hierarchy) -> None:
    safe = signed_in_the_safe(standing)
    local = safe.tip
    done = safe.carry_over()
    assert done is not None
    assert (done.local, done.commit, len(done.signed)) == (local, local, 1)
    check(standing, safe)
    assert git(safe.folder, "for-each-ref", "refs/gitca/carried") == ""


@both_layouts
def test_a_signature_of_an_order_that_origin_gave_up_meanwhile_is_spent(
    standing: Hierarchy,
) -> None:
    safe = signed_in_the_safe(standing)
    office = standing.office
    issuing = office.state.authority("issuing").certificate
    assert issuing is not None
    serial = issuing.certificate.serial
    office.save({"requests/ca/stop.yaml": revocation("superseded", serial=serial, ca="root")})
    standing.reconcile()
    office.clock.forward(hours=1)
    assert len(standing.reconcile().abandoned) == 1
    done = safe.carry_over()
    assert done is not None
    assert (done.signed, len(done.spent)) == ((), 1)
    check(standing, safe)
    assert [record.spent for record in safe.state.orders.values() if record.spent] == [1]
    standing.sign(again := standing.safe())
    standing.push(again)
    assert list(office.revoked("root")) == [serial]


@both_layouts
def test_two_copies_of_one_ceremony_are_carried_over_once(standing: Hierarchy) -> None:
    """The courier's clone pushes, and later the safe's own clone meets the network."""
    safe = signed_in_the_safe(standing)
    gone_on(standing)
    copy = replace(safe, folder=safe.folder.parent / "copy")
    shutil.copytree(safe.folder, copy.folder, symlinks=True)
    assert copy.carry_over() is not None
    tip = copy.tip
    done = safe.carry_over()
    assert done is not None
    assert (safe.tip, done.signed, done.spent) == (tip, (), ())
    check(standing, safe)
    assert not any(record.spent for record in safe.state.orders.values())


@both_layouts
def test_two_ceremonies_over_one_order_are_recorded_both(standing: Hierarchy) -> None:
    standing.office.clock.forward(days=5)
    standing.reconcile()
    one, two = standing.safe(), standing.safe()
    for safe in (one, two):
        standing.sign(safe)
        standing.bring_back(safe)
    assert one.carry_over() is not None
    done = two.carry_over()
    assert done is not None
    assert (done.signed, len(done.spent)) == ((), 1)
    check(standing, two)
    assert sum(record.spent for record in two.state.orders.values()) == 1


@both_layouts
def test_two_roots_of_one_name_cannot_stand_beside_each_other(fresh: Hierarchy) -> None:
    one, two = fresh.safe(), fresh.safe()
    for safe in (one, two):
        fresh.sign(safe)
        fresh.bring_back(safe)
    assert one.carry_over() is not None
    before = two.tip
    with pytest.raises(ContradictionError, match="cannot stand beside"):
        two.carry_over()
    assert two.tip == before
    check(fresh, one)


def test_a_root_on_a_key_that_origin_refused_meanwhile_is_not_carried_over(
    fresh: Hierarchy,
) -> None:
    safe = fresh.safe()
    fresh.sign(safe)
    fresh.bring_back(safe)
    key = spki_identifier(fresh.office.keys.named("root").public_key())
    fresh.office.save({"requests/ca/stop.yaml": revocation(key=key)})
    fresh.reconcile()
    before, origin = safe.tip, fresh.office.tip
    with pytest.raises(ContradictionError, match="the key of CA root was refused"):
        safe.carry_over()
    assert (safe.tip, git(Path(safe.origin), "rev-parse", "main")) == (before, origin)


def test_other_changes_of_the_local_branch_are_left_to_a_person(standing: Hierarchy) -> None:
    safe = signed_in_the_safe(standing)
    (safe.folder / "ca/other.yaml").write_text(authority("other", "root"))
    git(safe.folder, "add", "ca/other.yaml")
    git(safe.folder, "commit", "-q", "-m", "one more CA")
    gone_on(standing)
    before, origin = safe.tip, safe.origin_tip
    with pytest.raises(UsageError, match=r"changes of ca/other\.yaml"):
        safe.carry_over()
    assert (safe.tip, safe.origin_tip) == (before, origin)


def test_a_local_branch_without_signatures_is_nobodys_business(standing: Hierarchy) -> None:
    other = standing.office.beside("other")
    gone_on(standing)
    (other.folder / "notes.txt").write_text("mine\n")
    git(other.folder, "add", "notes.txt")
    git(other.folder, "commit", "-q", "-m", "mine")
    assert other.carry_over() is None


def test_reconcile_in_a_clone_that_parted_names_the_command(standing: Hierarchy) -> None:
    safe = signed_in_the_safe(standing)
    gone_on(standing)
    report = safe.reconcile(opener=standing.safe_keys)
    assert "`gitca sign` carries over what was signed there" in report.working_tree


def test_files_that_are_modified_stay_and_the_next_run_goes_on(standing: Hierarchy) -> None:
    safe = signed_in_the_safe(standing)
    gone_on(standing)
    crl = safe.folder / "issued/issuing/certificates/web.pem"
    crl.parent.mkdir(parents=True)
    crl.write_text("in the way\n")
    done = safe.carry_over()
    assert done is not None
    assert "web.pem is not tracked" in done.working_tree
    assert safe.verify().contradictions == []
    crl.unlink()
    safe.reconcile(opener=standing.safe_keys)
    check(standing, safe)


@both_layouts
def test_a_race_for_origins_branch_is_run_again(standing: Hierarchy) -> None:
    """Another pushes between the look at origin and the push."""
    safe = signed_in_the_safe(standing)
    gone_on(standing)
    with safe.store() as store:
        snapshot = store.load()
        standing.office.save({"requests/late.yaml": request("late", "late.example.internal")})
        done = carry_over(store, snapshot, safe.clock.now)
    assert done is not None
    check(standing, safe)


# What is not what an offline ceremony makes.

Change = Callable[[Clone, tuple[Event, ...]], tuple[Event, ...]]


def by_another_key(clone: Clone, events: tuple[Event, ...]) -> tuple[Event, ...]:
    """The issuing CA's signature over the root's bytes, and the fingerprint that goes with it."""
    (signed,) = events
    assert isinstance(signed, Signed)
    with clone.store() as store:
        (order,) = store.pending(store.at(clone.source, clone.tip))
    algorithm = order.ordered.signature_algorithm
    value = clone.keys.named("issuing").sign(order.tbs, algorithm).value
    digest = hashlib.sha256(assemble(order.tbs, algorithm, value)).hexdigest()
    text = base64.b64encode(value).decode()
    return (replace(signed, signature=text, fingerprint=f"sha256:{digest}"),)


FORGERIES: dict[str, tuple[Change, str]] = {
    "a signature that is not the CA's": (by_another_key, "not one of CA root's key"),
    "a wrong fingerprint": (
        lambda _, events: tuple(
            replace(event, fingerprint="sha256:" + "0" * 64)
            for event in events
            if isinstance(event, Signed)
        ),
        "not one of CA root's key",
    ),
    "no base64": (
        lambda _, events: tuple(
            replace(event, signature="AAAA" * 4) for event in events if isinstance(event, Signed)
        ),
        "not one of CA root's key|order",
    ),
    "an order that nobody recorded": (
        lambda _, events: tuple(
            replace(event, order="0" * 32) for event in events if isinstance(event, Signed)
        ),
        "never recorded",
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_signature_is_not_carried_over(standing: Hierarchy, forgery: str) -> None:
    change, words = FORGERIES[forgery]
    safe = signed_in_the_safe(standing)
    gone_on(standing)
    path = safe.paths("issued/ledger")[-1]
    segment = parse_segment(path, safe.read(path))
    git(safe.folder, "reset", "-q", "--hard", "HEAD^")
    events = change(safe, segment.events)
    _, data = render_segment(safe.state.head, events)
    (safe.folder / path).write_bytes(data)
    git(safe.folder, "add", "issued")
    git(safe.folder, "commit", "-q", "-m", "gitca: sign CRLs: 1")
    before, origin = safe.tip, safe.origin_tip
    with pytest.raises(ContradictionError, match=words):
        safe.carry_over()
    assert (safe.tip, safe.origin_tip) == (before, origin)


@both_layouts
def test_what_only_reconcile_records_is_not_carried_over(standing: Hierarchy) -> None:
    """Made in a clone whose origin was taken away: more than an offline ceremony does."""
    office = standing.office
    office.save(WEB)
    alone = standing.safe()
    git(alone.folder, "remote", "remove", "origin")
    assert alone.reconcile().exit_code == 0
    git(alone.folder, "remote", "add", "origin", office.origin)
    with pytest.raises(ContradictionError, match="more than signatures"):
        alone.carry_over()


@both_layouts
def test_an_order_given_up_in_the_safe_is_given_up_at_origin(standing: Hierarchy) -> None:
    standing.office.clock.forward(days=5)
    standing.reconcile()
    safe = standing.bring_back(standing.safe())
    (pending,) = safe.state.pending
    safe.clock = type(safe.clock)(safe.clock.now)
    safe.clock.forward(days=30)
    report = standing.sign(safe)
    assert report.abandoned == [pending]
    gone_on(standing)
    assert safe.carry_over() is not None
    check(standing, safe)
    assert isinstance(safe.state.orders[pending].abandoned, Abandoned)
