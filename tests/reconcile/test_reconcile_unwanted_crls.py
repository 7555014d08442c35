"""Orders for CRLs that the CA's document of this moment would not give: they are given up."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import pytest
from cryptography.x509.oid import SignatureAlgorithmOID

from ca_documents import authority
from ca_forger import blob, push_events
from ca_signers import failing_after
from ca_world import PASSPHRASE, Clone, git
from gitca.documents.load import load_governing
from gitca.ledger.draft import LEASE, crl_tbs
from gitca.ledger.events import CrlParticulars, Ordered, SourceDocuments
from gitca.ledger.image import standing_certificate
from gitca.plan.dates import crl_period
from gitca.signers import create_key

ISSUING = "ca/issuing.yaml"
DECADE = {"lifetime": "3650d", "refreshBefore": "3d"}


def issuing(**spec: object) -> dict[str, str]:
    return {ISSUING: authority("issuing", "root", **spec)}


def order_crl(clone: Clone, source: str) -> Ordered:
    """Record the order for a CRL that the document of a commit gives, as whoever may push can."""
    state, now = clone.state, clone.clock.now
    record = state.authority("issuing")
    assert record.certificate is not None
    issuer = standing_certificate(record.certificate)
    with clone.store() as store:
        entries = store.at(source, source).entries
        document = load_governing(entries, store.read).authorities["issuing"]
    begin, end = crl_period(now, document.spec, record.crl, issuer.not_after)
    given = CrlParticulars(record.last_crl_number + 1, begin, end, len(record.revocations))
    carried = [event for _, event in record.carried.values()]
    tbs = crl_tbs(issuer, given, carried, signature_algorithm="ecdsa-sha256")
    digest = hashlib.sha256(tbs).hexdigest()
    ordered = Ordered(
        order=digest[:32],
        ca="issuing",
        particulars=given,
        tbs=f"sha256:{digest}",
        signature_algorithm="ecdsa-sha256",
        documents=SourceDocuments(blob(clone, ISSUING, source)),
        source=source,
        run="forged",
        lease=now + LEASE,
    )
    push_events(clone, ordered)
    clone.clock.forward(minutes=11)
    return ordered


def leave_crl(clone: Clone, ca: str = "issuing") -> datetime:
    """Let the CRL of a CA be ordered and not signed; return its end."""
    clone.clock.forward(days=5)
    dead = failing_after(clone.keys.named(ca), 0)
    assert clone.reconcile(opener=clone.keys.but(**{ca: dead})).exit_code == 4
    pending = clone.state.authority(ca).pending_crl
    assert pending is not None
    clone.clock.forward(minutes=11)
    return pending[0].crl.next_update


def test_a_crl_by_a_document_that_a_merged_branch_took_back_is_not_signed(issued: Clone) -> None:
    """No reviewer saw that document: what was merged is what there was."""
    folder = issued.folder
    git(folder, "checkout", "-q", "-b", "change")
    hidden = issued.save(issuing(crl=DECADE)) and git(folder, "rev-parse", "HEAD")
    git(folder, "revert", "--no-edit", "HEAD")
    git(folder, "checkout", "-q", "main")
    git(folder, "merge", "-q", "--no-ff", "--no-edit", "change")
    ordered = order_crl(issued, hidden)
    before = issued.crl().next_update_utc
    report = issued.reconcile()
    assert (report.abandoned, report.signed) == ([ordered.order], [])
    assert issued.crl().next_update_utc == before
    assert issued.verify().contradictions == []


def test_a_crl_by_a_document_of_long_ago_is_not_signed(issued: Clone) -> None:
    old = issued.save(issuing(crl=DECADE))
    assert issued.reconcile().exit_code == 0
    issued.save(issuing())
    ordered = order_crl(issued, old)
    assert issued.reconcile().abandoned == [ordered.order]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"crl": {"lifetime": "6d", "refreshBefore": "3d"}}),
        ({}, {"state": "retired"}),
        ({"state": "retired"}, {}),
    ],
    ids=["shorter", "retired since", "retired no more"],
)
def test_a_waiting_crl_that_the_document_would_not_give_by_now_is_ordered_anew(
    issued: Clone, before: dict[str, object], after: dict[str, object]
) -> None:
    if before:
        issued.save(issuing(**before))
    left = leave_crl(issued)
    issued.save(issuing(**after))
    report = issued.reconcile()
    assert report.exit_code == 0
    assert len(report.abandoned) == 1
    crl = issued.crl()
    assert crl.next_update_utc != left
    lasting = {"crl": 6}.get(next(iter(after), ""), 7)
    if after.get("state") != "retired":
        assert crl.next_update_utc == issued.clock.now + timedelta(days=lasting)
    assert issued.verify().contradictions == []


def test_a_waiting_crl_is_signed_where_the_document_would_let_it_last_longer_by_now(
    issued: Clone,
) -> None:
    left = leave_crl(issued)
    issued.save(issuing(crl=DECADE, state="crl-only"))
    assert issued.reconcile().abandoned == []
    assert issued.crl().next_update_utc == left


def test_a_waiting_crl_of_another_algorithm_than_the_ca_signs_with_is_ordered_anew(
    issued: Clone,
) -> None:
    if not (issued.keys.folder / ".gitca/keys/rsa.pem").exists():
        create_key(
            "file:.gitca/keys/rsa.pem",
            "RSA-2048",
            base=issued.keys.folder,
            passphrase=lambda _: PASSPHRASE,
        )
    issued.save({"ca/rsa.yaml": authority("rsa", signatureAlgorithm="rsa-pkcs1-sha256")})
    assert issued.reconcile().exit_code == 0
    leave_crl(issued, "rsa")
    issued.save({"ca/rsa.yaml": authority("rsa", signatureAlgorithm="rsa-pss-sha256")})
    assert len(issued.reconcile().abandoned) == 1
    assert issued.crl("rsa").signature_algorithm_oid == SignatureAlgorithmOID.RSASSA_PSS
    assert issued.verify().contradictions == []
