"""A forger who links the segments anew, so that the chain is whole, is found by what they say."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from verify_material import API_PEM, WEB_PEM, found, places

from ca_forger import forger_of, push_events, rewrite_ledger, signed_with
from ca_world import Clone
from gitca.ledger.events import (
    Abandoned,
    CertificateParticulars,
    CrlParticulars,
    DocumentReference,
    Event,
    Ordered,
    Revoked,
    Signed,
)
from gitca.ledger.image import order_path
from gitca.x509.template import GeneralName


def of_request(event: Event, name: str) -> bool:
    given = event.particulars if isinstance(event, Ordered) else None
    return isinstance(given, CertificateParticulars) and given.request == name


def changing(kind: type[Event], name: str, **changes: Any) -> Callable[[Event], list[Event]]:
    """Return what changes fields of the order of a request, or of its particulars."""

    def change(event: Event) -> list[Event]:
        if not of_request(event, name) or not isinstance(event, kind):
            return [event]
        assert isinstance(event, Ordered)
        outer = {key: value for key, value in changes.items() if hasattr(event, key)}
        inner = {key: value for key, value in changes.items() if key not in outer}
        return [replace(event, particulars=replace(event.particulars, **inner), **outer)]

    return change


def order_of(clone: Clone, name: str) -> str:
    return f"order {clone.state.requests[name].orders[0].ordered.order}"


DIGEST = "sha256:" + "0" * 64


def crl_order(rich: Clone) -> str:
    """The order of the issuing CA's current CRL."""
    record = rich.state.authority("issuing").crl
    assert record is not None
    return record.ordered.order


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"template": DIGEST}, "the certificate's content is not the order's"),
        ({"key": DIGEST}, "the certificate's key is not the order's"),
        ({"serial": "abc"}, "the certificate's serial number is not the order's"),
        ({"request": "payments/other"}, "is no sound request"),
        ({"tbs": None}, "what was signed is not what was ordered"),
        ({"ca": "root"}, "the signature is not one of CA root's key"),
        ({"signature_algorithm": "ecdsa-sha384"}, "its CA signs with ecdsa-sha256"),
        ({"source": "0" * 40}, "is not in the history of the documents"),
    ],
    ids=lambda changes: next(iter(changes)) if isinstance(changes, dict) else "",
)
def test_an_order_that_says_something_else_than_its_certificate_is_found(
    rich: Clone, changes: dict[str, Any], words: str
) -> None:
    place = order_of(rich, "web")
    if "tbs" in changes:
        changes = {"tbs": f"sha256:{place.removeprefix('order ')}{'0' * 32}"}
    rewrite_ledger(rich, changing(Ordered, "web", **changes))
    said = [item.message for item in found(rich) if item.place == place]
    assert any(words in message for message in said), said


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("not_before", "the certificate's notBefore is not the order's"),
        ("not_after", "the certificate's notAfter is not the order's"),
        ("lease", "its dates are not those that its documents give"),
    ],
)
def test_an_order_with_another_time_is_found(rich: Clone, field: str, words: str) -> None:
    place = order_of(rich, "web")

    def change(event: Event) -> list[Event]:
        if not of_request(event, "web") or not isinstance(event, Ordered):
            return [event]
        by = timedelta(seconds=60)
        if field == "lease":
            return [replace(event, lease=event.lease + by)]
        given = event.particulars
        return [replace(event, particulars=replace(given, **{field: getattr(given, field) + by}))]

    rewrite_ledger(rich, change)
    assert any(words in item.message for item in found(rich) if item.place == place)


@pytest.mark.parametrize("document", ["request", "csr", "policy", "ca"])
@pytest.mark.parametrize("part", ["path", "blob"])
def test_an_order_that_names_another_document_is_found(
    rich: Clone, document: str, part: str
) -> None:
    place = order_of(rich, "web")
    other = {"path": "requests/late.yaml", "blob": "0" * 40}[part]

    def change(event: Event) -> list[Event]:
        if not of_request(event, "web") or not isinstance(event, Ordered):
            return [event]
        named = getattr(event.documents, document)
        assert isinstance(named, DocumentReference)
        documents = replace(event.documents, **{document: replace(named, **{part: other})})
        return [replace(event, documents=documents)]

    rewrite_ledger(rich, change)
    assert place in places(found(rich))


def signatures(
    name: str, clone: Clone, der: Callable[[bytes], bytes]
) -> Callable[..., list[Event]]:
    """Return what puts another certificate in the place of a request's, fingerprint and all."""
    order = order_of(clone, name).removeprefix("order ")

    def change(event: Event) -> list[Event]:
        if not isinstance(event, Signed) or event.order != order or event.certificate is None:
            return [event]
        new = der(base64.b64decode(event.certificate))
        return [
            replace(
                event,
                certificate=base64.b64encode(new).decode(),
                fingerprint=f"sha256:{hashlib.sha256(new).hexdigest()}",
            )
        ]

    return change


def test_a_changed_signature_is_found(rich: Clone) -> None:
    place = order_of(rich, "web")
    rewrite_ledger(rich, signatures("web", rich, lambda der: der[:-1] + bytes([der[-1] ^ 1])))
    assert place in places(found(rich))


@pytest.mark.parametrize("garbage", [b"\x30\x00", b"garbage", b"\x30\x82\xff\xff"])
def test_a_signature_that_is_no_certificate_is_found(rich: Clone, garbage: bytes) -> None:
    place = order_of(rich, "web")
    rewrite_ledger(rich, signatures("web", rich, lambda _: garbage))
    assert place in places(found(rich))


@pytest.mark.parametrize("ca", ["root", "issuing"])
def test_a_ca_whose_certificate_is_garbage_is_found(rich: Clone, ca: str) -> None:
    record = rich.state.authority(ca).certificate
    assert record is not None
    order = record.ordered.order

    def change(event: Event) -> list[Event]:
        if isinstance(event, Signed) and event.order == order:
            return [replace(event, certificate=base64.b64encode(b"garbage").decode())]
        return [event]

    rewrite_ledger(rich, change)
    assert rich.verify().exit_code == 5


def test_a_fingerprint_of_something_else_is_found(rich: Clone) -> None:
    place = order_of(rich, "web")

    def change(event: Event) -> list[Event]:
        is_it = isinstance(event, Signed) and f"order {event.order}" == place
        return [replace(event, fingerprint=DIGEST)] if is_it else [event]

    rewrite_ledger(rich, change)
    assert place in places(found(rich))


def test_a_changed_signature_of_a_crl_is_found(rich: Clone) -> None:
    order = crl_order(rich)

    def change(event: Event) -> list[Event]:
        if not isinstance(event, Signed) or event.order != order:
            return [event]
        value = base64.b64decode(event.signature or "")
        return [
            replace(event, signature=base64.b64encode(value[:-1] + bytes([value[-1] ^ 1])).decode())
        ]

    rewrite_ledger(rich, change)
    assert f"order {order}" in places(found(rich))


@pytest.mark.parametrize(
    "changes",
    [{"reason": "superseded"}, {"reason": "certificateHold"}],
    ids=["reason", "hold"],
)
def test_a_revocation_that_the_crl_does_not_say_is_found(
    rich: Clone, changes: dict[str, str]
) -> None:
    order = crl_order(rich)
    rewrite_ledger(
        rich,
        lambda event: [replace(event, **changes) if isinstance(event, Revoked) else event],
    )
    said = [item.message for item in found(rich) if item.place == f"order {order}"]
    assert any("CRL 2 of CA issuing is not what the ledger gives" in message for message in said)


def test_a_revocation_that_was_taken_out_is_found(rich: Clone) -> None:
    rewrite_ledger(rich, lambda event: [] if isinstance(event, Revoked) else [event])
    contradictions = found(rich)
    assert any("counts 1 revocations, the ledger 0" in item.message for item in contradictions)


def test_a_crls_order_with_another_number_is_found(rich: Clone) -> None:
    """The ledger cannot be folded with it."""
    order = crl_order(rich)

    def change(event: Event) -> list[Event]:
        if not isinstance(event, Ordered) or event.order != order:
            return [event]
        given = event.particulars
        assert isinstance(given, CrlParticulars)
        return [replace(event, particulars=replace(given, number=given.number + 1))]

    rewrite_ledger(rich, change)
    words = "CRL number 3 of CA issuing is not the one after 1"
    assert any(words in item.message for item in found(rich))


@pytest.mark.parametrize("field", ["this_update", "next_update"])
def test_a_crls_order_that_says_something_else_is_found(rich: Clone, field: str) -> None:
    order = crl_order(rich)

    def change(event: Event) -> list[Event]:
        if not isinstance(event, Ordered) or event.order != order:
            return [event]
        given = event.particulars
        assert isinstance(given, CrlParticulars)
        moved = getattr(given, field) + timedelta(1)
        return [replace(event, particulars=replace(given, **{field: moved}))]

    rewrite_ledger(rich, change)
    assert f"order {order}" in places(found(rich))


def test_a_certificate_that_was_taken_out_of_the_ledger_is_found(rich: Clone) -> None:
    """Somebody hides a certificate: its order and signature go, and its file too."""
    order = order_of(rich, "web").removeprefix("order ")
    rewrite_ledger(
        rich,
        lambda event: [] if getattr(event, "order", "") == order else [event],
    )
    rich.save({WEB_PEM: None})
    first, *_ = found(rich)
    assert first.invariant == "I10", "the history still has it"
    assert "changed a segment of the ledger" in first.message


def test_a_pending_order_that_was_given_up_by_hand_leaves_its_file(rich: Clone) -> None:
    (order,) = rich.state.pending
    push_events(rich, Abandoned(order, "not wanted"))
    assert places(found(rich)) == {order_path(order), f"order {order}"}


# The CA's own key was used behind gitca's back.


def test_a_certificate_that_its_documents_do_not_give_is_found_even_if_the_ca_signed_it(
    made: Clone,
) -> None:
    forger = forger_of(made)
    template = replace(forger.template, sans=(GeneralName("dns", "evil.example.com"),))
    ordered, tbs = forger.certificate(template=template)
    forger.push(ordered, None, signed_with(made, ordered, tbs))
    contradictions = found(made)
    assert ("I5", f"order {ordered.order}") in {
        (item.invariant, item.place) for item in contradictions
    }
    assert any("ask for another certificate" in item.message for item in contradictions)


def test_a_certificate_that_another_key_signed_is_found(made: Clone) -> None:
    forger = forger_of(made)
    ordered, tbs = forger.certificate()
    forger.push(ordered, None, signed_with(made, ordered, tbs, key="other"))
    contradictions = found(made)
    assert any("not one of CA issuing's key" in item.message for item in contradictions)


def test_an_honest_certificate_that_gitca_never_committed_is_found_by_its_missing_file(
    made: Clone,
) -> None:
    forger = forger_of(made)
    ordered, tbs = forger.certificate()
    forger.push(ordered, None, signed_with(made, ordered, tbs))
    assert places(found(made)) == {API_PEM}


def test_a_spent_signature_is_checked_like_any_other(rich: Clone) -> None:
    record = rich.state.requests["web"].orders[0]
    assert record.signed is not None
    assert record.signed.certificate is not None
    der = base64.b64decode(record.signed.certificate)
    good = replace(record.signed, spent=True)
    bad_der = der[:-1] + bytes([der[-1] ^ 1])
    bad = replace(
        good,
        certificate=base64.b64encode(bad_der).decode(),
        fingerprint=f"sha256:{hashlib.sha256(bad_der).hexdigest()}",
    )
    push_events(rich, good)
    assert found(rich) == []
    push_events(rich, bad)
    assert places(found(rich)) == {order_of(rich, "web")}
