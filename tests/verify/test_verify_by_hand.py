"""What needs no key, and whoever can push can write: revocations, and orders given up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from verify_material import found

from ca_documents import policy, request, revocation
from ca_fixtures import both_layouts
from ca_forger import blob, push_events
from ca_signers import failing_after
from ca_world import COMMITTER, PARTED, Clone, git
from gitca.ledger.events import Abandoned, DocumentReference, Revoked
from gitca.ledger.segment import render_segment


def revoked(clone: Clone, by: DocumentReference, **changes: object) -> Revoked:
    """Return the revocation of web's certificate by a document, as gitca would write it."""
    facts = {"reason": "keyCompromise", "date": clone.clock.now, "document": by}
    named = {"ca": "issuing", "serial": clone.current("web").certificate.serial}
    return Revoked(**{**facts, **named, **changes})


STOP = "requests/stop-web.yaml"


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": "superseded"},
        {"invalidity_date": "now"},
        {"document": DocumentReference(STOP, "0" * 40)},
        {"document": DocumentReference("requests/other.yaml", "0" * 40)},
        {"ca": None, "serial": None, "key": "sha256:" + "0" * 64},
    ],
    ids=["reason", "invalidity date", "blob", "path", "key"],
)
@both_layouts
def test_a_revocation_that_its_document_does_not_give_is_found(
    rich: Clone, changes: dict[str, object]
) -> None:
    rich.save({STOP: revocation(certificate="web")})
    if "invalidity_date" in changes:
        changes = {"invalidity_date": rich.clock.now - timedelta(days=1)}
    push_events(rich, revoked(rich, blob(rich, STOP), **changes))
    contradiction = found(rich)[0]
    assert contradiction.commit == rich.tip
    assert "it was recorded as revoked" in contradiction.message


@both_layouts
def test_a_revocation_that_its_document_gives_is_none(rich: Clone) -> None:
    rich.save({STOP: revocation(certificate="web")})
    push_events(rich, revoked(rich, blob(rich, STOP)))
    assert found(rich) == []


@both_layouts
def test_a_revocation_in_the_name_of_a_policy_that_keeps_certificates_is_found(
    rich: Clone,
) -> None:
    document = rich.current("web").ordered.documents.policy
    assert document is not None
    push_events(rich, revoked(rich, document, reason="cessationOfOperation"))
    assert "does not ask for it" in found(rich)[0].message


@pytest.mark.parametrize("rule", ["onDelete", "onReplace"])
@both_layouts
def test_what_a_policy_revokes_is_no_contradiction(issued: Clone, rule: str) -> None:
    reason = {"onDelete": "cessationOfOperation", "onReplace": "superseded"}[rule]
    name = issued.current("payments/api").ordered.documents.policy
    assert name is not None
    issued.save({name.path: policy(**{rule: {"action": "revoke", "reason": reason}})})
    issued.reconcile()
    path = "requests/payments/api.yaml"
    new = None if rule == "onDelete" else request("api-new", "api.example.internal")
    issued.save({path: new})
    issued.clock.forward(minutes=1)
    assert issued.reconcile().exit_code == 0
    assert issued.state.revoked
    assert found(issued) == []


REASONS = (
    "the certificate would have expired already",
    "the certificate was revoked before it was signed",
    "the key is refused since",
    "its CA was revoked before it was signed",
    "the CRL would have lapsed already",
    "revocations were recorded since; the next CRL lists them",
    "the request is gone",
    "because",
)


@pytest.mark.parametrize("reason", REASONS)
@both_layouts
def test_an_order_that_is_given_up_for_a_reason_that_does_not_hold_is_found(
    rich: Clone, reason: str
) -> None:
    (order,) = rich.state.pending
    (path,) = rich.paths("issued/orders")
    event = Abandoned(order, reason)
    push_events(rich, event)
    rich.write_issued({path: None}, "by hand", COMMITTER)
    contradiction = found(rich)[0]
    assert contradiction.place == f"order {order}"
    assert "which did not hold then" in contradiction.message


@both_layouts
def test_an_order_that_a_run_gave_up_is_no_contradiction(rich: Clone) -> None:
    rich.save({"requests/late.yaml": None})
    rich.clock.forward(minutes=11)
    assert rich.reconcile().abandoned
    assert found(rich) == []


@both_layouts
def test_an_order_that_is_given_up_as_expired_long_after_is_no_contradiction(rich: Clone) -> None:
    rich.clock.forward(days=300)
    dead = failing_after(rich.keys.named("issuing"), 0)
    assert rich.reconcile(opener=rich.keys.but(issuing=dead)).exit_code == 4
    assert any(
        record.abandoned and record.abandoned.reason == REASONS[0]
        for record in rich.state.orders.values()
    )
    assert found(rich) == []


@pytest.mark.parametrize("layout", [PARTED], ids=["parted"], indirect=True)
def test_a_commit_that_names_documents_which_nobody_reviewed_is_found(rich: Clone) -> None:
    rich.save({STOP: revocation(certificate="web")})
    proposed = rich.source
    git(rich.folder, "reset", "-q", "--hard", "HEAD~1")
    path, data = render_segment(rich.state.head, [revoked(rich, blob(rich, STOP, proposed))])
    rich.write_issued({path: data}, "gitca: revoke: 1", COMMITTER, documents=proposed)
    (contradiction,) = found(rich)
    assert contradiction.invariant == "I8"
    assert "is not in the history of the documents" in contradiction.message
