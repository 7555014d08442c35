"""Orders for cross-certificates that somebody who may push wrote by hand: none is signed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from authority_forger import AuthorityForger
from ca_forger import signed_with
from ca_signers import Watched
from ca_world import Clone
from cross_world import cross_certificate, crossed, crossed_once, old_root
from gitca.errors import ContradictionError
from gitca.x509.template import CertificateTemplate

__all__ = ["crossed", "crossed_once"]


@pytest.fixture
def forger(crossed: Clone) -> AuthorityForger:
    crossed.clock.forward(days=2 * 365 - 20)
    return AuthorityForger.of_cross(crossed, "other")


def refused(clone: Clone, words: str) -> None:
    """Reconcile stops with exit 5 and signs nothing; verify says so too."""
    before = clone.tip
    signers = {
        name: Watched(clone.keys.named(name), lambda _: None)
        for name in ("root", "issuing", "other")
    }
    with pytest.raises(ContradictionError, match=words) as refusal:
        clone.reconcile(take_over=True, opener=clone.keys.but(**signers))
    assert refusal.value.exit_code == 5
    assert [signer.signed for signer in signers.values()] == [[], [], []]
    assert clone.tip == before
    assert clone.verify().exit_code == 5


def test_the_honest_cross_certificate_written_by_hand_is_signed(forger: AuthorityForger) -> None:
    forger.push(*forger.certificate())
    assert forger.clone.reconcile(take_over=True).exit_code == 0
    assert f"{cross_certificate(forger.clone).serial_number:x}" == forger.given.serial
    assert forger.clone.verify().contradictions == []


@pytest.mark.parametrize("change", [AuthorityForger.freer, AuthorityForger.renamed])
def test_a_forged_cross_certificate_that_says_something_else_is_refused(
    forger: AuthorityForger, change: Callable[[AuthorityForger], CertificateTemplate]
) -> None:
    forger.push(*forger.certificate(template=change(forger)))
    refused(forger.clone, "ask for another certificate")


def test_a_forged_cross_certificate_of_another_validity_is_refused(
    forger: AuthorityForger,
) -> None:
    later = forger.given.not_after + timedelta(seconds=1)
    forger.push(*forger.certificate(particulars={"not_after": later}))
    refused(forger.clone, "its dates are not those")


def test_a_forged_cross_certificate_by_a_ca_that_lists_none_is_refused(
    forger: AuthorityForger,
) -> None:
    clone = forger.clone
    clone.save(old_root())
    forger.push(*forger.certificate(source=clone.tip, documents=forger.documents("root")))
    refused(clone, "lists no cross-certificate")


def test_a_forged_cross_certificate_on_another_key_is_refused(forger: AuthorityForger) -> None:
    """The ledger itself admits the subject's key alone."""
    spki_der = forger.clone.keys.named("spare").public_key()
    forger.push(*forger.certificate(template=replace(forger.template, spki_der=spki_der)))
    with pytest.raises(ContradictionError, match="key not CA other's") as refusal:
        forger.clone.reconcile(take_over=True)
    assert refusal.value.exit_code == 5
    assert forger.clone.verify().exit_code == 5


def test_a_cross_certificate_that_was_signed_behind_gitcas_back_is_found_by_verify(
    forger: AuthorityForger,
) -> None:
    """By whoever has the old root's key and may push."""
    clone = forger.clone
    clone.save(old_root())
    ordered, tbs = forger.certificate(source=clone.tip, documents=forger.documents("root"))
    forger.push(ordered, tbs, signed_with(clone, ordered, tbs, "root"))
    words = [item.message for item in clone.verify().contradictions]
    assert any("lists no cross-certificate" in message for message in words), words


def test_a_cross_certificate_under_another_key_is_found_by_verify(forger: AuthorityForger) -> None:
    ordered, tbs = forger.certificate()
    forger.push(ordered, tbs, signed_with(forger.clone, ordered, tbs, "spare"))
    words = [item.message for item in forger.clone.verify().contradictions]
    assert any("not one of CA root's key" in message for message in words), words
