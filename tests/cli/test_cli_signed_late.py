"""list, show, status and revoke: orders that were given up, and signed all the same or not."""

from __future__ import annotations

import json

from cli_command import Command
from cryptography import x509

from ca_world import Clone
from gitca.publishers.layout import leaves
from late_world import given_up, signed_late


def test_what_was_signed_late_is_listed_shown_and_published(shared: Clone) -> None:
    record = signed_late(shared)
    serial = record.certificate.serial
    gitca = Command(shared.folder)
    (row,) = json.loads(gitca.runs("list", "--format", "json"))
    assert (row["serial"], row["status"]) == (serial, "valid")
    assert row["fingerprint"] == record.late.fingerprint if record.late else None
    assert "after the order had been given up" in gitca.runs("show", serial)
    assert gitca.runs("show", "payments/api") == gitca.runs("show", serial)
    pem = gitca.runs("show", serial, "--format", "pem")
    assert f"{x509.load_pem_x509_certificate(pem.encode()).serial_number:x}" == serial
    standing = json.loads(gitca.runs("status", "--format", "json"))
    assert standing["certificates"]["valid"] == 1
    assert [item["about"] for item in standing["kept"]] == ["payments/api"]
    assert [leaf.path for leaf in leaves(shared.state)] == [f"serials/issuing/{serial}.cer"]
    gitca.runs("revoke", "payments/api", "--reason", "superseded")


def test_an_order_that_nobody_signed_is_not_listed_and_not_shown(shared: Clone) -> None:
    given_up(shared)
    gitca = Command(shared.folder)
    assert json.loads(gitca.runs("list", "--format", "json")) == []
    assert "no request, serial number or CA" in gitca("show", "payments/api").err


def test_revoke_writes_the_document_for_what_was_given_up(shared: Clone) -> None:
    serial = given_up(shared).certificate.serial
    gitca = Command(shared.folder)
    refused = gitca("revoke", "payments/api", "--reason", "superseded")
    assert refused.code == 2
    assert serial in refused.err.replace("\n", "").replace(" ", "")
    gitca.runs("revoke", serial, "--reason", "superseded")
    gitca.commit("revoke it")
    gitca.git("push", "--quiet", "origin", "HEAD")
    assert shared.reconcile().exit_code == 0
    assert set(shared.revoked()) == {serial}
