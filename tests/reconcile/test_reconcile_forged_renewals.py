"""Orders for CAs' renewals that somebody who may push wrote by hand: none is signed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from authority_forger import AuthorityForger
from ca_documents import authority
from ca_forger import signed_with
from ca_signers import Watched
from ca_world import Clone
from gitca.errors import ContradictionError
from gitca.x509.template import CertificateTemplate
from renewal_world import due

__all__ = ["due"]


@pytest.fixture
def forger(due: Clone) -> AuthorityForger:
    return AuthorityForger.of_renewal(due)


def refused(clone: Clone, words: str) -> None:
    """Reconcile stops with exit 5 and signs nothing; verify says so too."""
    before = clone.tip
    signers = {
        name: Watched(clone.keys.named(name), lambda _: None) for name in ("root", "issuing")
    }
    with pytest.raises(ContradictionError, match=words) as refusal:
        clone.reconcile(take_over=True, opener=clone.keys.but(**signers))
    assert refusal.value.exit_code == 5
    assert [signer.signed for signer in signers.values()] == [[], []]
    assert clone.tip == before
    assert clone.verify().exit_code == 5


def test_the_honest_renewal_written_by_hand_is_signed(forger: AuthorityForger) -> None:
    forger.push(*forger.certificate())
    assert forger.clone.reconcile(take_over=True).exit_code == 0
    assert forger.clone.verify().contradictions == []
    issuing = forger.clone.state.authority("issuing")
    assert issuing.certificate is not None
    assert issuing.certificate.certificate.serial == forger.given.serial


def test_a_forged_renewal_of_another_validity_is_refused(forger: AuthorityForger) -> None:
    longer = forger.given.not_after + timedelta(days=1)
    forger.push(*forger.certificate(particulars={"not_after": longer}))
    refused(forger.clone, "its dates are not those")


def test_a_forged_renewal_on_another_key_is_refused(forger: AuthorityForger) -> None:
    """The ledger itself admits one key for a CA."""
    spki_der = forger.clone.keys.named("other").public_key()
    forger.push(*forger.certificate(template=replace(forger.template, spki_der=spki_der)))
    with pytest.raises(ContradictionError, match="key") as refusal:
        forger.clone.reconcile(take_over=True)
    assert refusal.value.exit_code == 5
    assert forger.clone.verify().exit_code == 5


@pytest.mark.parametrize("change", [AuthorityForger.freer, AuthorityForger.renamed])
def test_a_forged_renewal_that_says_something_else_is_refused(
    forger: AuthorityForger, change: Callable[[AuthorityForger], CertificateTemplate]
) -> None:
    forger.push(*forger.certificate(template=change(forger)))
    refused(forger.clone, "ask for another certificate")


def test_a_forged_renewal_that_no_document_asks_for_is_refused(due: Clone) -> None:
    """Every renewal lengthens the life of a key; whoever may push is not to decide on it."""
    forger = AuthorityForger.of_renewal(due)
    clone = forger.clone
    clone.save({"ca/issuing.yaml": authority("issuing", "root")})
    forger.push(*forger.certificate(source=clone.tip, documents=forger.documents("issuing")))
    refused(clone, "asked for no renewal")


def test_a_renewal_that_was_signed_behind_gitcas_back_is_found_by_verify(due: Clone) -> None:
    """By whoever has the root's key and may push."""
    forger = AuthorityForger.of_renewal(due)
    clone = forger.clone
    clone.save({"ca/issuing.yaml": authority("issuing", "root")})
    ordered, tbs = forger.certificate(source=clone.tip, documents=forger.documents("issuing"))
    forger.push(ordered, tbs, signed_with(clone, ordered, tbs, "root"))
    words = [item.message for item in clone.verify().contradictions]
    assert any("asked for no renewal" in message for message in words), words


def test_a_renewal_under_another_key_than_the_roots_is_found_by_verify(due: Clone) -> None:
    forger = AuthorityForger.of_renewal(due)
    ordered, tbs = forger.certificate()
    forger.push(ordered, tbs, signed_with(forger.clone, ordered, tbs, "spare"))
    words = [item.message for item in forger.clone.verify().contradictions]
    assert any("not one of CA root's key" in message for message in words), words
