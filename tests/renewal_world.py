"""An issuing CA whose renewal is due."""

from __future__ import annotations

import pytest
from cryptography import x509

from ca_documents import authority, request
from ca_world import Clone

RENEWED = authority("issuing", "root", renewBefore="1660d")
"""The issuing CA, of 1826 days, renewed when it is 166 days old."""


def own_certificate(clone: Clone, ca: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(clone.read(f"issued/{ca}/ca.pem"))


def check_idle(clone: Clone) -> None:
    """Nothing is planned or pending, and all is proved."""
    assert clone.plan().actions == ()
    assert not clone.state.pending
    assert clone.verify().contradictions == []


@pytest.fixture
def due(issued: Clone) -> Clone:
    """The issuing CA's renewal is due, and a request waits; the root's CRL lasts for a year."""
    yearly = {"lifetime": "400d", "refreshBefore": "30d"}
    issued.save({"ca/issuing.yaml": RENEWED, "ca/root.yaml": authority("root", crl=yearly)})
    issued.clock.forward(days=5)
    assert issued.reconcile().exit_code == 0
    issued.clock.forward(days=165)
    issued.save({"requests/late.yaml": request("b", "late.example.internal")})
    return issued
