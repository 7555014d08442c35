"""The whole loop: documents in, certificates, CRLs and a ledger out, and openssl agrees."""

from __future__ import annotations

from pathlib import Path

from ca_documents import GOVERNING, request
from ca_world import Clone, KeyRing, kinds


def api(**spec: object) -> dict[str, str]:
    return {"requests/payments/api.yaml": request("api", "api.example.internal", **spec)}


def test_a_fresh_repository_becomes_cas_crls_and_a_certificate_in_one_reconcile(
    tmp_path: Path, key_ring: KeyRing
) -> None:
    clone = Clone.create(tmp_path / "clone", key_ring, {**GOVERNING, **api()})
    planned = clone.plan()
    report = clone.reconcile()
    assert kinds(planned.actions) == ["create-ca", "create-ca", "sign-crl", "sign-crl", "issue"]
    assert report.exit_code == 0
    assert len(report.signed) == len(planned.actions)
    assert clone.openssl_verify("payments/api") == "OK"
    assert clone.plan().actions == ()
    assert clone.verify().contradictions == []
    assert clone.status == ""
    assert clone.paths("issued") == [
        "issued/issuing/ca.pem",
        "issued/issuing/certificates/payments/api.pem",
        "issued/issuing/chain.pem",
        "issued/issuing/crl.der",
        *(f"issued/ledger/0000000{number}.jsonl" for number in range(1, 7)),
        "issued/root/ca.pem",
        "issued/root/crl.der",
    ]
