"""Signatures that no CA's key made, planted by whoever may push: the next run and `verify` tell.

The ledger and its files are whole: the forger writes the order, the signature and the file that the
ledger gives then, as gitca would. What is wrong is the signature alone.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from verify_material import Scene, refuses, the_cover

from ca_documents import request
from ca_forger import (
    API,
    NAME,
    crl_order,
    crl_signed_with,
    plant,
    renewal_order,
    rewrite_ledger,
    signed_with,
)
from ca_world import Clone, git
from gitca.errors import ContradictionError
from gitca.git.repository import GitRepository
from gitca.git.signatures import check_certificates
from gitca.ledger.endorsement import check_crl
from gitca.ledger.events import Signed

JUNK = b"\x30\x06\x02\x01\x01\x02\x01\x01"  # the form of an ECDSA signature, and none


def a_crl_of_a_higher_number_without_a_signature(clone: Clone) -> str:
    ordered, tbs = crl_order(clone)
    event, der = crl_signed_with(clone, ordered, tbs, JUNK)
    return plant(clone, ordered, event, crl=der)


def a_crl_that_another_cas_key_signed(clone: Clone) -> str:
    ordered, tbs = crl_order(clone)
    event, der = crl_signed_with(clone, ordered, tbs, "root")
    return plant(clone, ordered, event, crl=der)


def a_crl_of_other_bytes_than_were_ordered(clone: Clone) -> str:
    """The last genuine CRL, whose signature is good, in the place of the next one."""
    ordered, _ = crl_order(clone)
    der = clone.read("issued/issuing/crl.der")
    last = clone.state.authority("issuing").crl
    assert last is not None
    assert last.signed is not None
    return plant(clone, ordered, replace(last.signed, order=ordered.order), crl=der)


def a_certificate_for_an_order_that_waits(clone: Clone) -> str:
    (record,) = clone.state.pending.values()
    tbs = clone.read(f"issued/orders/{record.ordered.order}.der")
    return plant(clone, signed_with(clone, record.ordered, tbs, key="other"))


def garbage_for_an_order_that_waits(clone: Clone) -> str:
    (order,) = clone.state.pending
    fingerprint = f"sha256:{hashlib.sha256(b'garbage').hexdigest()}"
    garbage = base64.b64encode(b"garbage").decode()
    return plant(clone, Signed(order, fingerprint, "file:issuing", certificate=garbage))


def a_certificate_in_the_place_of_a_standing_one(clone: Clone) -> str:
    ordered, tbs = renewal_order(clone, "web")
    return plant(clone, ordered, signed_with(clone, ordered, tbs, key="other"))


FORGERIES: tuple[Callable[[Clone], str], ...] = (
    a_crl_of_a_higher_number_without_a_signature,
    a_crl_that_another_cas_key_signed,
    a_crl_of_other_bytes_than_were_ordered,
    a_certificate_for_an_order_that_waits,
    garbage_for_an_order_that_waits,
    a_certificate_in_the_place_of_a_standing_one,
)


def looked_at(clone: Clone) -> Clone:
    """Let a clone look at the branch as a run does that has nothing to do."""
    with clone.store() as store:
        store.load()
    return clone


@pytest.mark.parametrize("covered", [False, True], ids=["alone", "covered"])
@pytest.mark.parametrize("forge", FORGERIES, ids=lambda function: function.__name__)
def test_a_signature_that_is_not_the_cas_is_found_and_nothing_is_signed_upon_it(
    scene: Scene, forge: Callable[[Clone], str], covered: bool
) -> None:
    old = looked_at(scene.old)
    forged = forge(scene.forger)
    if covered:
        the_cover(scene.forger)
    judge = scene.fresh("judge")
    report = judge.verify()
    assert report.exit_code == 5
    assert report.contradictions[0].commit == forged, report.contradictions
    for clone in (scene.fresh("next"), old):
        words = refuses(clone, judge.tip)
        assert forged[:12] in words
        assert "issued/ledger/" in words


def test_after_a_forgery_the_branch_is_put_back_and_the_clones_that_saw_it_are_told(
    scene: Scene,
) -> None:
    """The runbook of docs/operations.md; a revert takes a segment away, and is refused as well."""
    folder, good = scene.forger.folder, scene.forger.tip
    a_certificate_in_the_place_of_a_standing_one(scene.forger)
    saw = scene.fresh("saw")
    git(folder, "revert", "--no-edit", "HEAD")
    git(folder, "push", "-q", "origin", "main")
    refuses(saw, git(folder, "rev-parse", "main"))
    git(folder, "push", "-q", "--force", "origin", f"{good}:refs/heads/main")
    assert "rewound" in refuses(saw, good)
    git(saw.folder, "update-ref", "-d", "refs/gitca/seen/main")
    git(saw.folder, "fetch", "-q", "origin")
    for clone in (saw, scene.fresh("next")):
        assert clone.reconcile(take_over=True).exit_code == 0
    assert scene.fresh("judge").verify().contradictions == []


def test_a_clone_looks_at_what_is_new_to_it_and_a_fresh_one_at_the_newest(scene: Scene) -> None:
    """What lies deeper is for `verify`: it was the newest once, and then a run looked at it."""
    clone = scene.forger
    a_certificate_in_the_place_of_a_standing_one(clone)
    forged = clone.state.head.number
    (record,) = clone.state.pending.values()
    tbs = clone.read(f"issued/orders/{record.ordered.order}.der")
    plant(clone, signed_with(clone, record.ordered, tbs))

    def check(**bounds: int) -> None:
        with GitRepository.open(clone.folder) as repository:
            check_certificates(repository, clone.tip, clone.state, **bounds)

    check(newest=1)
    check(since=forged)
    for bounds in ({"newest": 2}, {"since": forged - 1}, {"since": 0}, {}):
        with pytest.raises(ContradictionError, match="not one of CA issuing's key"):
            check(**bounds)


def test_what_a_run_signed_itself_is_not_looked_at_again(made: Clone) -> None:
    """A hundred thousand certificates in one run are not verified once more by the next."""
    made.save({API: request("api", NAME)})
    assert made.reconcile().signed
    assert git(made.folder, "rev-parse", "refs/gitca/checked/main") == made.tip


def test_a_crl_under_another_signature_than_the_ledgers_is_found(rich: Clone) -> None:
    """Of a history that was rewritten as a whole: the file is good, the ledger is not."""
    state = rich.state
    record, issuer = state.authority("issuing").crl, state.authority("issuing").certificate
    assert record is not None
    der = rich.read("issued/issuing/crl.der")
    check_crl(record, der, issuer)

    def change(event: object) -> list[object]:
        is_it = isinstance(event, Signed) and event.order == record.ordered.order
        return [replace(event, signature=base64.b64encode(JUNK).decode()) if is_it else event]

    rewrite_ledger(rich, change)
    forged = rich.state.authority("issuing").crl
    assert forged is not None
    with pytest.raises(ValueError, match="not the one in the ledger"):
        check_crl(forged, der, issuer)
    assert rich.verify().exit_code == 5
