"""Two roots, of which the old one certifies the new one as well, and an issuing CA below that."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from ca_documents import GOVERNING, authority, policy, request
from ca_world import Clone, KeyRing

Spec = dict[str, object]
CROSS_FILE = "issued/other/cross-certificates/root.pem"
CROSS: Spec = {"subject": "other", "validity": "2y", "renewBefore": "30d"}


def old_root(*crosses: Spec, **spec: object) -> dict[str, str]:
    """Return the document of the root that certifies others."""
    more = {"crossCertificates": list(crosses)} if crosses else {}
    return {"ca/root.yaml": authority("root", **{"pathLength": 2, **more, **spec})}


@pytest.fixture(scope="module")
def crossed_once(tmp_path_factory: pytest.TempPathFactory, key_ring: KeyRing) -> Clone:
    """An old root, a new one that it certifies, and an issuing CA below the new one."""
    files = {
        **GOVERNING,
        **old_root(CROSS),
        "ca/other.yaml": authority("other"),
        "ca/issuing.yaml": authority("issuing", "other"),
        "policies/server.yaml": policy(),
        "requests/api.yaml": request("api", "api.example.internal"),
    }
    clone = Clone.create(tmp_path_factory.mktemp("crossed") / "clone", key_ring, files)
    report = clone.reconcile()
    assert (report.exit_code, report.findings) == (0, ())
    clone.clock.forward(hours=1)
    return clone


@pytest.fixture
def crossed(tmp_path: Path, crossed_once: Clone) -> Clone:
    return crossed_once.copy(tmp_path / "clone")


def own_certificate(clone: Clone, ca: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(clone.read(f"issued/{ca}/ca.pem"))


def cross_certificate(clone: Clone) -> x509.Certificate:
    return x509.load_pem_x509_certificate(clone.read(CROSS_FILE))


def check_idle(clone: Clone) -> None:
    assert clone.plan().actions == ()
    assert not clone.state.pending
    assert clone.verify().contradictions == []
