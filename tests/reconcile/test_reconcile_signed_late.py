"""Orders that were given up and signed all the same: certificates like any other."""

from __future__ import annotations

import pytest
from cryptography import x509

from ca_documents import key_identifier, policy, request, revocation
from ca_fixtures import both_layouts
from ca_world import Clone
from gitca.ledger.image import certificate_der
from gitca.ledger.records import OrderRecord
from gitca.publishers.layout import leaves
from late_world import API, given_up, signed_late

STOP = "requests/stop.yaml"
WAYS = ["serial", "key", "name"]


def by(way: str, record: OrderRecord, reason: str = "superseded") -> str:
    given = record.certificate
    if way == "serial":
        return revocation(reason, serial=given.serial, ca=record.ordered.ca)
    if way == "key":
        return revocation(reason, key=given.key)
    return revocation(reason, certificate=given.request)


@both_layouts
@pytest.mark.parametrize("way", WAYS)
def test_what_was_signed_after_it_was_given_up_is_revoked_like_any_other(
    shared: Clone, way: str
) -> None:
    record = signed_late(shared)
    shared.save({STOP: by(way, record)})
    report = shared.reconcile()
    assert (report.exit_code, [str(found) for found in report.findings]) == (0, [])
    assert set(shared.revoked()) == {record.certificate.serial}
    der = certificate_der(record)
    assert f"{x509.load_der_x509_certificate(der).serial_number:x}" == record.certificate.serial
    assert shared.plan().actions == ()
    assert shared.verify().contradictions == []


def test_a_policy_revokes_what_was_signed_after_its_request_was_deleted(shared: Clone) -> None:
    shared.save({"policies/server.yaml": policy(onDelete={"action": "revoke"})})
    record = signed_late(shared)
    assert shared.plan().actions == (), "the run that signed it has revoked it at once"
    assert set(shared.revoked()) == {record.certificate.serial}
    assert shared.verify().contradictions == []


def test_a_policy_revokes_what_was_signed_late_once_a_newer_certificate_replaces_it(
    shared: Clone,
) -> None:
    shared.save({"policies/server.yaml": policy(onReplace={"action": "revoke"})})
    record = signed_late(shared, **{API: request("api", "other.example.internal")})
    current = shared.state.requests["payments/api"].current
    assert current is not None
    assert current.certificate.serial != record.certificate.serial
    assert shared.reconcile().exit_code == 0
    assert set(shared.revoked()) == {record.certificate.serial}
    assert shared.verify().contradictions == []


def test_a_deleted_request_is_told_of_what_was_signed_late(shared: Clone) -> None:
    record = signed_late(shared)
    (found,) = shared.plan().findings
    assert found.rule == "request.deleted"
    assert record.certificate.serial in found.message


@both_layouts
def test_what_was_given_up_and_nobody_is_known_to_have_signed_is_revoked_by_serial_number_alone(
    shared: Clone,
) -> None:
    record = given_up(shared)
    serial = record.certificate.serial
    shared.save({STOP: by("name", record)})
    (found,) = shared.plan().findings
    assert found.rule == "revocation.nothing"
    assert serial in found.remedy
    shared.save({STOP: by("serial", record)})
    assert shared.reconcile().exit_code == 0
    assert set(shared.revoked()) == {serial}
    shared.clock.forward(days=5)
    assert shared.reconcile().exit_code == 0
    assert set(shared.revoked()) == {serial}
    assert shared.verify().contradictions == []


def test_an_order_that_nobody_signed_is_no_certificate_of_its_request(shared: Clone) -> None:
    record = given_up(shared)
    shared.save({STOP: by("key", record)})
    assert shared.reconcile().exit_code == 0
    assert shared.revoked() == {}
    assert list(leaves(shared.state)) == []


def test_a_compromise_of_what_was_given_up_refuses_its_key(shared: Clone) -> None:
    shared.save({STOP: by("serial", given_up(shared), "keyCompromise")})
    assert shared.reconcile().exit_code == 0
    assert key_identifier("api") in shared.state.refused_keys
    shared.save({API: request("api", "api2.example.internal")})
    assert [found.rule for found in shared.plan().findings] == ["key.refused"]
