"""Whoever may push plants a certificate of a CA whose key is elsewhere: no CA certifies it."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta

import pytest
from offline_world import Hierarchy, standing

from authority_forger import governing_of
from ca_documents import authority
from ca_forger import blob, push_events
from ca_signers import Watched
from ca_world import Clone
from cross_world import CROSS, crossed, crossed_once
from gitca.errors import ContradictionError
from gitca.ledger.events import CertificateParticulars, Event, Ordered, Signed, SourceDocuments
from gitca.ledger.image import authority_path, standing_certificate
from gitca.ledger.records import OrderRecord
from gitca.plan.issuers import authority_template
from gitca.reconcile.ceremony import Proposal
from gitca.reconcile.report import Missing
from gitca.x509.certificate import Issuer, rehearse
from gitca.x509.pem import to_pem
from gitca.x509.signed import assemble
from gitca.x509.template import spki_identifier

__all__ = ["crossed", "crossed_once", "standing"]

THIEF = "spare"
CERTIFIES = {"ca/root.yaml": authority("root", crossCertificates=[CROSS])}
OTHER = {"ca/other.yaml": authority("other", pathLength=0)}


def plant(clone: Clone, name: str, issuer: str) -> None:
    """Push an order and a certificate of a CA on the thief's key, signed by that key."""
    documents = governing_of(clone).authorities
    thief, parent = clone.keys.named(THIEF), clone.state.authority(issuer).certificate
    standing = standing_certificate(parent) if parent and issuer != name else None
    spki_der = standing.template.spki_der if standing else thief.public_key()
    template = authority_template(documents[name], documents[issuer], thief.public_key(), spki_der)
    begin = clone.clock.now
    end = begin + (timedelta(days=2) if standing else documents[name].spec.validity)
    issued_by = Issuer(standing.der if standing else None, "ecdsa-sha256")
    tbs = rehearse(template, issued_by, serial=0xABC, not_before=begin, not_after=end).tbs
    digest = hashlib.sha256(tbs).hexdigest()
    ordered = Ordered(
        order=digest[:32],
        ca=issuer,
        particulars=CertificateParticulars(
            serial="abc",
            request=None,
            authority=name,
            template=template.digest,
            key=template.key_identifier,
            not_before=begin,
            not_after=end,
        ),
        tbs=f"sha256:{digest}",
        signature_algorithm="ecdsa-sha256",
        documents=SourceDocuments(blob(clone, f"ca/{name}.yaml")),
        source=clone.tip,
        run="thief",
        lease=begin + timedelta(minutes=10),
    )
    der = assemble(tbs, "ecdsa-sha256", thief.sign(tbs, "ecdsa-sha256").value)
    signed: Event = Signed(
        order=ordered.order,
        fingerprint=f"sha256:{hashlib.sha256(der).hexdigest()}",
        key="file",
        certificate=base64.b64encode(der).decode(),
    )
    files = {authority_path(name): to_pem(der, "CERTIFICATE").encode()}
    push_events(clone, ordered, signed, files=files)
    clone.clock.forward(minutes=20)


def identifier(clone: Clone, name: str) -> str:
    return spki_identifier(clone.keys.named(name).public_key())


def waiting_cross(clone: Clone, key: str) -> OrderRecord:
    """Return the order for the cross-certificate, which is recorded and not signed."""
    assert clone.state.authority("other").crosses == {}
    record = clone.state.authority("other").pending_crosses["root"]
    assert record.key == identifier(clone, key)
    return record


def test_the_root_renews_no_ca_below_it_that_it_never_signed(made: Clone) -> None:
    made.save({"ca/other.yaml": authority("other", "root", renewBefore="30d")})
    plant(made, "other", "root")
    root = Watched(made.keys.named("root"), lambda _: None)
    with pytest.raises(ContradictionError, match="is not one of CA root's key") as refusal:
        made.reconcile(opener=made.keys.but(root=root, other=None), take_over=True)
    assert refusal.value.exit_code == 5
    assert root.signed == []
    said = [item.message for item in made.verify().contradictions]
    assert any("not one of CA root's key" in message for message in said)


def test_nor_does_a_root_in_a_safe(standing: Hierarchy) -> None:
    standing.office.save({"ca/other.yaml": authority("other", "root", renewBefore="30d")})
    plant(standing.office, "other", "root")
    with pytest.raises(ContradictionError, match="is not one of CA root's key"):
        standing.sign(standing.safe())


def test_a_cross_certificate_for_a_planted_root_waits_for_its_own_key(made: Clone) -> None:
    """The planted certificate is self-signed, and sound in itself."""
    made.save(CERTIFIES | OTHER)
    plant(made, "other", "other")
    away = made.keys.but(other=None)
    for _ in range(2):  # the order of this run, and of one before
        report = made.reconcile(opener=away)
        ordered = waiting_cross(made, THIEF).ordered
        (waiting,) = (item for item in report.waiting if item.ordered.ca == "root")
        assert (waiting.ordered, waiting.missing, waiting.ca) == (ordered, Missing.ABSENT, "other")
        made.clock.forward(hours=1)
    with pytest.raises(ContradictionError, match="holds another key than the CA's certificate"):
        made.reconcile()
    waiting_cross(made, THIEF)


def test_in_the_safe_the_key_of_a_planted_root_is_to_be_compared(standing: Hierarchy) -> None:
    office = standing.office
    office.save(CERTIFIES | OTHER)
    plant(office, "other", "other")
    office.reconcile(opener=office.keys.but(root=None, other=None))
    record = waiting_cross(office, THIEF)
    seen: list[tuple[str, bool]] = []

    def refuse(proposal: Proposal) -> bool:
        seen.extend((item.ordered.order, item.key_is_told) for item in proposal.items)
        return False

    safe = standing.safe()
    report = safe.sign("root", offline=True, approve=refuse, opener=standing.safe_keys)
    assert report.declined
    assert (record.ordered.order, True) in seen
    waiting_cross(safe, THIEF)


def test_an_honest_cross_certificate_is_signed_once_its_key_was_here(made: Clone) -> None:
    made.save(OTHER)
    assert made.reconcile().exit_code == 0
    made.clock.forward(hours=1)
    made.save(CERTIFIES)
    assert made.reconcile(opener=made.keys.but(other=None)).exit_code == 0
    waiting_cross(made, "other")
    made.clock.forward(minutes=11)
    assert made.reconcile().exit_code == 0
    assert list(made.state.authority("other").crosses) == ["root"]
    assert made.verify().contradictions == []


def test_a_cross_certificate_is_made_anew_while_its_subjects_key_is_away(crossed: Clone) -> None:
    """The root's own key vouched for it before."""
    before = crossed.state.authority("other").crosses["root"]
    crossed.clock.now = before.certificate.not_after - timedelta(days=29)
    crossed.reconcile(opener=crossed.keys.but(other=None))
    assert crossed.state.authority("other").crosses["root"].ordered != before.ordered
