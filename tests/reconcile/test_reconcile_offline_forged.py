"""Orders that somebody wrote by hand for the root's key: none is signed in the safe."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from offline_world import Hierarchy

from ca_documents import authority
from ca_forger import push_events
from ca_signers import Watched
from ca_world import Clone, git
from gitca.errors import ContradictionError
from gitca.ledger.draft import crl_tbs
from gitca.ledger.events import CertificateParticulars, CrlParticulars, Ordered
from gitca.ledger.image import order_path, standing_certificate
from gitca.ledger.segment import parse_segment
from gitca.x509.certificate import Certificate, Issuer, rehearse, template_of
from gitca.x509.template import BasicConstraints, CertificateTemplate

OTHER = {"ca/other.yaml": authority("other", "root")}


@pytest.fixture
def honest(standing: Hierarchy) -> Ordered:
    """Orders of the root recorded by an honest run: a CRL, and a certificate for CA other."""
    standing.office.clock.forward(days=5)
    standing.office.save(OTHER)
    keys = standing.office.keys
    standing.office.reconcile(opener=keys.but(root=None, issuing=None))
    (found,) = [
        record.ordered
        for record in standing.office.state.pending.values()
        if isinstance(record.ordered.particulars, CertificateParticulars)
    ]
    return found


def template(office: Clone, ordered: Ordered) -> CertificateTemplate:
    return template_of(office.read(order_path(ordered.order)))


def replaced(office: Clone, old: Ordered, new: Ordered, files: dict[str, bytes]) -> None:
    """Let the last commit order something else, as somebody who may push can."""
    path = office.paths("issued/ledger")[-1]
    events = parse_segment(path, office.read(path)).events
    assert old in events
    git(office.folder, "reset", "-q", "--hard", "HEAD^")
    git(office.folder, "push", "-q", "--force", "origin", "main")
    push_events(office, *(new if event == old else event for event in events), files=files)


def renamed(ordered: Ordered, tbs: bytes, **changes: Any) -> Ordered:
    """Return the order for other bytes."""
    digest = hashlib.sha256(tbs).hexdigest()
    return replace(ordered, order=digest[:32], tbs=f"sha256:{digest}", **changes)


def forged(
    office: Clone, honest: Ordered, wanted: CertificateTemplate, **changes: Any
) -> tuple[Ordered, dict[str, bytes]]:
    """Return an order whose bytes say what it says, and its file."""
    given = honest.particulars
    assert isinstance(given, CertificateParticulars)
    given = replace(given, template=wanted.digest, key=wanted.key_identifier, **changes)
    tbs = rehearse(
        wanted,
        Issuer(root_certificate(office).der, honest.signature_algorithm),
        serial=int(given.serial, 16),
        not_before=given.not_before,
        not_after=given.not_after,
    ).tbs
    order = renamed(honest, tbs, particulars=given)
    return order, {order_path(order.order): tbs}


def root_certificate(office: Clone) -> Certificate:
    record = office.state.authority("root").certificate
    assert record is not None
    return standing_certificate(record)


def refused(standing: Hierarchy, words: str) -> None:
    safe = standing.safe()
    before = safe.tip
    root = Watched(safe.keys.named("root"), lambda _: None)
    away = dict.fromkeys(("issuing", "other", "spare"))
    with pytest.raises(ContradictionError, match=words) as refusal:
        safe.sign("root", offline=True, opener=safe.keys.but(root=root, **away))
    assert refusal.value.exit_code == 5
    assert (root.signed, safe.tip) == ([], before)


def test_a_ca_without_the_limits_of_its_document_is_not_signed(
    standing: Hierarchy, honest: Ordered
) -> None:
    office = standing.office
    wanted = replace(template(office, honest), basic_constraints=BasicConstraints(None))
    replaced(office, honest, *forged(office, honest, wanted))
    refused(standing, "ask for another certificate")


def test_a_ca_that_lives_longer_than_its_document_says_is_not_signed(
    standing: Hierarchy, honest: Ordered
) -> None:
    office = standing.office
    assert isinstance(honest.particulars, CertificateParticulars)
    later = honest.particulars.not_after + timedelta(days=400)
    replaced(office, honest, *forged(office, honest, template(office, honest), not_after=later))
    refused(standing, "its dates are not those")


def test_bytes_that_the_order_does_not_say_are_not_signed(
    standing: Hierarchy, honest: Ordered
) -> None:
    office = standing.office
    wanted = replace(template(office, honest), basic_constraints=BasicConstraints(None))
    order, files = forged(office, honest, wanted)
    replaced(office, honest, replace(order, particulars=honest.particulars), files)
    refused(standing, "holds other bytes than its documents give")


def test_an_order_from_documents_that_nobody_reviewed_is_not_signed(
    standing: Hierarchy, honest: Ordered
) -> None:
    office = standing.office
    path = order_path(honest.order)
    files = {path: office.read(path)}
    replaced(office, honest, replace(honest, source="0" * 40), files)
    refused(standing, "not in the history of the documents' branch")


def test_a_crl_that_its_document_does_not_give_is_not_signed(
    standing: Hierarchy, honest: Ordered
) -> None:
    office = standing.office
    (crl,) = [
        record.ordered
        for record in office.state.pending.values()
        if record.ordered.ca == "root" and isinstance(record.ordered.particulars, CrlParticulars)
    ]
    assert isinstance(crl.particulars, CrlParticulars)
    later = crl.particulars.next_update + timedelta(days=900)
    given = replace(crl.particulars, next_update=later)
    algorithm = crl.signature_algorithm
    tbs = crl_tbs(root_certificate(office), given, (), signature_algorithm=algorithm)
    path = order_path(honest.order)
    files = {path: office.read(path)}
    replaced(office, crl, renamed(crl, tbs, particulars=given), files)
    refused(standing, "its dates are not those")
