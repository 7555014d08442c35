"""Orders on refused keys and by revoked CAs: gitca makes no such thing, so somebody else did.

The order is the honest one, of documents from before the refusal, and is recorded after it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from verify_material import Scene, refuses

from authority_forger import honest_orders
from ca_documents import authority, key_identifier, request, revocation
from ca_forger import API, NAME, plant, push_events, signed_with
from ca_world import COMMITTER, Clone
from external_parent import ExternalWorld
from gitca.errors import ContradictionError
from gitca.ledger.events import Abandoned, Ordered
from gitca.ledger.image import order_path
from gitca.ledger.segment import render_segment
from gitca.x509.template import spki_identifier


def refuse(clone: Clone, key: str) -> None:
    clone.save({"requests/ca/stop.yaml": revocation(key=key)})
    clone.reconcile()
    assert key in clone.state.refused_keys


def key_of(clone: Clone, name: str) -> str:
    return spki_identifier(clone.keys.named(name).public_key())


def ordered_in_a_copy(clone: Clone) -> tuple[Ordered, bytes]:
    """Return the honest order for a certificate that these documents ask for, and its bytes."""
    folders = set(clone.folder.parent.iterdir())
    (ordered,) = honest_orders(clone)
    (copy,) = set(clone.folder.parent.iterdir()) - folders
    return ordered, replace(clone, folder=copy).read(order_path(ordered.order))


def of_a_new_ca(clone: Clone) -> tuple[Ordered, bytes, str]:
    clone.save({"ca/spare.yaml": authority("spare", "root")})
    ordered, tbs = ordered_in_a_copy(clone)
    refuse(clone, key_of(clone, "spare"))
    return ordered, tbs, "root"


def of_a_cross_certificate(clone: Clone) -> tuple[Ordered, bytes, str]:
    clone.save({"ca/other.yaml": authority("other")})
    assert clone.reconcile().exit_code == 0
    listed = [{"subject": "issuing", "validity": "1y"}]
    clone.save({"ca/other.yaml": authority("other", crossCertificates=listed)})
    ordered, tbs = ordered_in_a_copy(clone)
    refuse(clone, key_of(clone, "issuing"))
    return ordered, tbs, "other"


def of_a_request(clone: Clone) -> tuple[Ordered, bytes, str]:
    clone.save({API: request("api", NAME)})
    ordered, tbs = ordered_in_a_copy(clone)
    refuse(clone, key_identifier("api"))
    return ordered, tbs, "issuing"


ORDERS: tuple[Callable[[Clone], tuple[Ordered, bytes, str]], ...] = (
    of_a_new_ca,
    of_a_cross_certificate,
    of_a_request,
)


def record(clone: Clone, ordered: Ordered, tbs: bytes, key: str, *, is_signed: bool) -> str:
    """Write an order into the branch, with a signature or without; return the commit."""
    if is_signed:
        plant(clone, ordered, signed_with(clone, ordered, tbs, key))
    else:
        push_events(clone, ordered, files={order_path(ordered.order): tbs})
    return clone.tip


def told_by_verify_and_the_next_run(clone: Clone, forged: str) -> tuple[str, str]:
    """Return what both say, who name the commit and stop there."""
    origin = clone.folder.parent / "origin.git"
    clone.with_origin(origin)
    scene = Scene(clone, origin, clone)
    report = scene.fresh("judge").verify()
    assert report.exit_code == 5
    (found,) = report.contradictions
    assert found.commit == forged
    words = refuses(scene.fresh("next"), forged)
    assert forged[:12] in words
    return found.message, words


@pytest.mark.parametrize("is_signed", [True, False], ids=["signed", "not signed yet"])
@pytest.mark.parametrize("order", ORDERS, ids=lambda function: function.__name__)
def test_an_order_on_a_key_that_was_refused_before_is_found(
    made: Clone, order: Callable[[Clone], tuple[Ordered, bytes, str]], is_signed: bool
) -> None:
    ordered, tbs, key = order(made)
    assert made.verify().contradictions == []
    forged = record(made, ordered, tbs, key, is_signed=is_signed)
    message, words = told_by_verify_and_the_next_run(made, forged)
    assert "was refused by then: revoked for keyCompromise in segment" in message
    assert "was refused by then" in words


@pytest.mark.parametrize("is_lost", [False, True], ids=["late", "lost"])
@pytest.mark.parametrize("order", [of_a_new_ca, of_a_request], ids=lambda item: item.__name__)
def test_an_order_that_was_given_up_and_signed_against_a_refusal_is_found(
    made: Clone, order: Callable[[Clone], tuple[Ordered, bytes, str]], is_lost: bool
) -> None:
    ordered, tbs, key = order(made)
    forged = record(made, ordered, tbs, key, is_signed=False)
    given_up = Abandoned(ordered.order, "the key is refused since")
    path, data = render_segment(made.state.head, [given_up])
    changes = {path: data, order_path(ordered.order): None}
    made.write_issued(changes, "gitca: abandon: 1", COMMITTER)
    assert made.verify().contradictions == []
    use = replace(signed_with(made, ordered, tbs, key), spent=True)
    push_events(made, replace(use, fingerprint=None, certificate=None) if is_lost else use)
    (found,) = made.verify().contradictions
    assert found.commit == forged
    assert "was refused by then: revoked for keyCompromise in segment" in found.message
    with pytest.raises(ContradictionError, match=f"was refused by then.*{forged[:12]}"):
        made.reconcile(take_over=True)


@pytest.mark.parametrize("is_signed", [True, False], ids=["signed", "not signed yet"])
@pytest.mark.parametrize("above", ["issuing", "root"])
def test_an_order_by_a_ca_that_was_revoked_before_is_found(
    made: Clone, above: str, is_signed: bool
) -> None:
    """Whatever it was revoked for: gitca orders nothing from a CA that is revoked."""
    made.save({API: request("api", NAME)})
    ordered, tbs = ordered_in_a_copy(made)
    if above == "root":
        refuse(made, key_of(made, "root"))
    else:
        standing = made.state.authority("issuing").certificate
        assert standing is not None
        serial = standing.certificate.serial
        made.save(
            {"requests/ca/stop.yaml": revocation("cessationOfOperation", ca="root", serial=serial)}
        )
        made.reconcile()
        assert made.state.refused_keys == {}
    assert made.state.is_authority_revoked("issuing")
    assert made.state.requests == {}
    assert made.verify().contradictions == []
    forged = record(made, ordered, tbs, "issuing", is_signed=is_signed)
    for words in told_by_verify_and_the_next_run(made, forged):
        assert f"CA {above} was revoked by then: for" in words


def test_a_certificate_adopted_on_a_key_that_was_refused_before_is_found(
    tmp_path: Path, waiting_once: ExternalWorld
) -> None:
    clone = waiting_once.clone.copy(tmp_path / "clone")
    world = replace(waiting_once, clone=clone)
    world.answer(world.good())
    honest = clone.copy(clone.folder.parent / "honest")
    assert honest.reconcile().exit_code == 0
    adopted = honest.state.authority("issuing").adopted
    assert adopted is not None
    refuse(clone, key_of(clone, "issuing"))
    assert clone.verify().contradictions == []
    forged = plant(clone, adopted)
    (found,) = clone.verify().contradictions
    assert (found.commit, "was refused by then" in found.message) == (forged, True)
    with pytest.raises(ContradictionError, match="was refused by then") as refusal:
        clone.reconcile()
    assert forged[:12] in refusal.value.message
