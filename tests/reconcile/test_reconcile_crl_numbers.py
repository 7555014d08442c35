"""CRL numbers rise by one: nobody uses them up, and one that cannot be is no defect of gitca."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from test_reconcile_forged_orders import refused

from ca_fixtures import both_layouts
from ca_forger import crl_order, push_events
from ca_world import Clone
from gitca.documents.load import load_governing
from gitca.findings import Finding
from gitca.ledger.draft import Origin, crl_tbs, draft_order
from gitca.ledger.events import CrlParticulars, Ordered
from gitca.ledger.image import standing_certificate
from gitca.plan.model import SignCrl
from gitca.reconcile.crls import CrlBuilder
from gitca.reconcile.keys import Keys
from gitca.reconcile.moment import Moment

LAST = 2**159 - 1
"""The last number that a CRL can have (RFC 5280 section 5.2.3: 20 octets)."""


def numbered(clone: Clone, number: int) -> Ordered:
    """Return an order that is an honest one but for its CRL number."""
    authority, now = clone.state.authority("issuing"), clone.clock.now
    assert authority.certificate is not None
    assert authority.crl is not None
    given = CrlParticulars(number, now, now + timedelta(days=7), 0)
    issuer, algorithm = standing_certificate(authority.certificate), "ecdsa-sha256"
    tbs = crl_tbs(issuer, given, (), signature_algorithm=algorithm)
    origin = Origin(authority.crl.ordered.documents, authority.crl.ordered.source, "forged", now)
    return draft_order(
        tbs, given, ca="issuing", signature_algorithm=algorithm, origin=origin
    ).ordered


@pytest.mark.parametrize("number", [3, LAST], ids=["leaves one out", "is the last"])
@both_layouts
def test_a_crl_number_that_leaps_is_not_signed_and_is_found(issued: Clone, number: int) -> None:
    """No lower one could follow what was published: the CA's revocations would end there."""
    push_events(issued, numbered(issued, number))
    issued.clock.forward(minutes=11)
    refused(issued, f"CRL number {number} of CA issuing is not the one after 1")
    (contradiction,) = issued.verify().contradictions
    assert f"CRL number {number} of CA issuing is not the one after 1" in contradiction.message


@both_layouts
def test_the_crl_number_after_the_last_is_signed(issued: Clone) -> None:
    """Whoever wrote it: an honest run would have recorded the same."""
    issued.clock.forward(days=5)
    ordered, _ = crl_order(issued)
    push_events(issued, ordered)
    issued.clock.forward(minutes=11)
    assert issued.reconcile().exit_code == 0
    assert issued.crl().extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 2
    assert issued.verify().contradictions == []


@both_layouts
def test_numbers_that_were_given_up_leave_no_gap_in_what_is_recorded(issued: Clone) -> None:
    for _ in range(3):  # each is ordered, and has lapsed before anybody signs it
        issued.clock.forward(days=5)
        ordered, _ = crl_order(issued)
        push_events(issued, ordered)
        issued.clock.forward(days=8)
        assert issued.reconcile().exit_code == 0
    assert issued.verify().contradictions == []


def test_a_crl_that_cannot_be_encoded_is_a_finding_at_its_ca(issued: Clone) -> None:
    state, moment = issued.state, Moment(issued.clock.now, "run", issued.source, lambda: 1)
    state.authority("issuing").last_crl_number = LAST
    with issued.store() as store:
        governing = load_governing(issued.snapshot().entries, store.read)
        keys = Keys(issued.keys.signer)
        record = state.authority("issuing").crl
        assert record is not None
        action = SignCrl("issuing", "due", record.ordered.documents)
        built = CrlBuilder(governing, state, keys, moment).build(action, ())
    assert isinstance(built, Finding)
    assert (built.rule, built.location.file) == ("crl.number", "ca/issuing.yaml")
