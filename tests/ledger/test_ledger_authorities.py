"""Certificates and CSRs of CAs: the fold takes what the order's bytes and the issuer's key made."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from authority_material import Authority
from ledger_material import fold

from gitca.errors import ContradictionError
from gitca.ledger.events import CertificateParticulars, Event, Ordered, Signed

DIGEST = "sha256:" + "0" * 64


class Hierarchy:
    """A root and a CA below it, their events, and a key that is neither's."""

    def __init__(self) -> None:
        self.root, self.below, self.other = map(Authority, ("root", "below", "other"))
        self.events: list[Event] = [
            *self.root.certify_itself(1),
            *self.root.certify(self.below, 2),
            *self.other.certify_itself(3),
        ]
        self.thief = Authority("below")

    def certificate(self, **changes: Any) -> list[Event]:
        """Return a renewal's order and signature; the order says something else than its bytes."""
        ordered, tbs = self.root.order(self.below, 4)
        assert isinstance(ordered.particulars, CertificateParticulars)
        changed = replace(ordered, particulars=replace(ordered.particulars, **changes))
        return [changed, self.root.sign(ordered, tbs)]


@pytest.fixture
def hierarchy() -> Hierarchy:
    return Hierarchy()


def test_certificates_renewals_and_cross_certificates_are_taken(hierarchy: Hierarchy) -> None:
    root, below, other = hierarchy.root, hierarchy.below, hierarchy.other
    cross, tbs = root.order(other, 7, is_cross=True)
    csr, info = Authority("asking").csr_order()
    state = fold(
        *hierarchy.events,
        *root.certify_itself(5),
        *root.certify(below, 6),
        *(cross, root.sign(cross, tbs)),
        csr,
    )
    assert [len(state.authority(name).certificates) for name in ("root", "below")] == [2, 2]
    assert list(state.authority("other").crosses) == ["root"]
    assert info


def _signed_by_its_own_key(h: Hierarchy) -> list[Event]:
    ordered, tbs = h.root.order(h.below, 4)
    return [ordered, h.below.sign(ordered, tbs)]


def _cross_by_another_key(h: Hierarchy) -> list[Event]:
    ordered, tbs = h.root.order(h.other, 4, is_cross=True)
    return [ordered, h.other.sign(ordered, tbs)]


def _root_by_another_key(h: Hierarchy) -> list[Event]:
    ordered, tbs = h.root.order(h.root, 4)
    return [ordered, h.other.sign(ordered, tbs)]


def _other_bytes(h: Hierarchy) -> list[Event]:
    (ordered, _), (_, others) = h.root.order(h.below, 4), h.root.order(h.below, 5)
    return [ordered, h.root.sign(ordered, others)]


def _bytes_on_a_key_that_the_order_does_not_name(h: Hierarchy) -> list[Event]:
    """The order says that the key is the CA's own; its bytes are on a thief's."""
    ordered, tbs = h.root.order(h.below, 4, template=h.thief.template)
    assert isinstance(ordered.particulars, CertificateParticulars)
    own = replace(ordered.particulars, key=h.below.template.key_identifier)
    return [replace(ordered, particulars=own), h.root.sign(ordered, tbs)]


def _garbage(h: Hierarchy, text: str) -> list[Event]:
    ordered, tbs = h.root.order(h.below, 4)
    return [ordered, replace(h.root.sign(ordered, tbs), certificate=text)]


def _fingerprint(h: Hierarchy) -> list[Event]:
    ordered, tbs = h.root.order(h.below, 4)
    return [ordered, replace(h.root.sign(ordered, tbs), fingerprint=DIGEST)]


def _issuer_without_certificate(h: Hierarchy) -> list[Event]:
    nobody = Authority("nobody", certificate=h.root.certificate)
    return list(nobody.certify(Authority("new"), 4))


def _csr(h: Hierarchy, *, signer: str = "asking", **changes: Any) -> list[Event]:
    asking = Authority("asking")
    ordered, info = asking.csr_order()
    ordered = replace(ordered, particulars=replace(ordered.particulars, **changes))
    return [ordered, (asking if signer == "asking" else h.thief).sign(ordered, info)]


def _other_csr(_: Hierarchy) -> list[Event]:
    asking = Authority("asking")
    ordered, _info = asking.csr_order()
    _, other = Authority("asking").csr_order()
    return [ordered, asking.sign(ordered, other)]


def _certificate(what: str, value: Callable[[Any], Any]) -> Callable[[Hierarchy], list[Event]]:
    def make(h: Hierarchy) -> list[Event]:
        ordered, _ = h.root.order(h.below, 4)
        return h.certificate(**{what: value(getattr(ordered.particulars, what))})

    return make


FORGED: dict[str, tuple[Callable[[Hierarchy], list[Event]], str]] = {
    "a CA's by its own key": (_signed_by_its_own_key, "is not one of CA root's key"),
    "a cross-certificate by another key": (_cross_by_another_key, "not one of CA root's key"),
    "a root's by another key": (_root_by_another_key, "not one of CA root's key"),
    "other bytes": (_other_bytes, "what was signed is not what was ordered"),
    "another key": (
        _bytes_on_a_key_that_the_order_does_not_name,
        "the certificate's key is not the order's",
    ),
    "no base64": (lambda h: _garbage(h, "!"), "order "),
    "no DER": (lambda h: _garbage(h, "AAAA"), "order "),
    "another fingerprint": (_fingerprint, "the fingerprint is of another object"),
    "another serial number": (_certificate("serial", lambda _: "abc"), "serial number is not"),
    "another beginning": (
        _certificate("not_before", lambda time: time - timedelta(days=1)),
        "notBefore is not the order's",
    ),
    "another end": (
        _certificate("not_after", lambda time: time + timedelta(days=1)),
        "notAfter is not the order's",
    ),
    "another template": (_certificate("template", lambda _: DIGEST), "content is not the order's"),
    "an issuer without a certificate": (
        _issuer_without_certificate,
        "CA nobody signed before it had a certificate",
    ),
    "a CSR by another key": (
        lambda h: _csr(h, signer="thief"),
        "the CSR's signature is not by its own key",
    ),
    "a CSR on another key": (lambda h: _csr(h, key=DIGEST), "the CSR's key is not the order's"),
    "another CSR": (_other_csr, "what was signed is not what was ordered"),
}


@pytest.mark.parametrize("name", FORGED)
def test_what_the_issuers_key_did_not_make_of_the_order_is_refused(
    hierarchy: Hierarchy, name: str
) -> None:
    make, words = FORGED[name]
    events = make(hierarchy)
    fold(*hierarchy.events, *events[:-1])
    with pytest.raises(ContradictionError, match=words) as refusal:
        fold(*hierarchy.events, *events)
    assert refusal.value.exit_code == 5
    assert refusal.value.message.startswith("issued/ledger/00000001.jsonl: order ")


def test_a_honest_csr_is_taken(hierarchy: Hierarchy) -> None:
    assert fold(*_csr(hierarchy)).authority("asking").csr is not None


def test_a_requests_certificate_is_not_looked_at(hierarchy: Hierarchy) -> None:
    """There are many, and nothing that is signed later depends on one."""
    ordered, signed = hierarchy.root.certify(Authority("api"), 4)
    assert isinstance(ordered.particulars, CertificateParticulars)
    given = replace(ordered.particulars, authority=None, request="api", key=DIGEST)
    digest = f"sha256:{hashlib.sha256(b'').hexdigest()}"
    of_request: tuple[Ordered, Signed] = (
        replace(ordered, particulars=given),
        replace(signed, fingerprint=digest, certificate=base64.b64encode(b"x").decode()),
    )
    assert fold(*hierarchy.events, *of_request).requests["api"].current is not None
