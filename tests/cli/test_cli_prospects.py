"""status: which certificates reconcile renews by itself, and why it does not renew the others."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ca_documents import (
    GOVERNING,
    POLICY,
    authority,
    csr_pem,
    document,
    key_identifier,
    policy,
    request,
    revocation,
)
from ca_world import Clone
from gitca.cli.clone import open_clone
from gitca.cli.standing import Standing, read_standing

API = "requests/payments/api.yaml"
NAME = "api.example.internal"
SERVER = "policies/server.yaml"


def standing(clone: Clone) -> Standing:
    with open_clone(clone.folder) as opened:
        return read_standing(opened, clone.clock.now, within=timedelta(days=30))


def told(clone: Clone) -> tuple[list[str], list[str]]:
    """Return why what ends soon is not renewed, and what is."""
    now = standing(clone)
    return [item.why for item in now.expiring], [item.about for item in now.renewing]


def due(clone: Clone) -> list[str]:
    return [item.why for item in standing(clone).overdue if item.about == "payments/api"]


def waiver(**spec: object) -> str:
    until = {"rule": "validity.max", "until": "2027-01-10T00:00:00Z", "reason": "INC-42"}
    return document("Waiver", {"request": "payments/api", **until, **spec})


def blocked(*labels: str) -> str:
    keys = [{"key": key_identifier(label), "reason": "leaked"} for label in labels]
    return document("KeyBlocklist", {"keys": keys})


REASONS: dict[str, tuple[dict[str, str | None], str]] = {
    "the request is deleted": ({API: None}, "its request is gone"),
    "a revocation lies in its place": (
        {API: revocation(certificate="payments/other")},
        "its request is gone",
    ),
    "the request is broken": ({API: "apiVersion: gitca/v1\nkind: Cert"}, "its request is broken"),
    "the request is denied": (
        {API: request("api", "www.example.com")},
        "its request is denied (subject.commonName.allow)",
    ),
    "the next validity is too short": (
        {API: request("api", NAME, validity="7d")},
        "its request is denied (renewal.before)",
    ),
    "its CSR is none": (
        {API: request("api", NAME, csr=csr_pem("api").replace("MI", "MA", 1))},
        "its request is denied (csr",
    ),
    "the policy is deleted": ({SERVER: None}, "its policy is gone"),
    "the policy is broken": ({SERVER: "kind: IssuancePolicy\n"}, "its policy is broken"),
    "the request names another policy that is not there": (
        {API: request("api", NAME, policy="nobodys")},
        "its request is broken",
    ),
    "the policy denies it": (
        {SERVER: policy(selector={"paths": ["shop/**"]})},
        "its request is denied (selector.paths)",
    ),
    "the policy renews nothing": (
        {SERVER: policy(renewal=None)},
        "needs a new CSR to be renewed",
    ),
    "the policy wants new keys": (
        {SERVER: policy(renewal={"key": "new", "before": "10d"})},
        "needs a new key to be renewed",
    ),
    "the key is blocked": (
        {"policies/blocked.yaml": blocked("api")},
        "its key is refused (",
    ),
    "a revocation is about to be recorded": (
        {"requests/out.yaml": revocation("superseded", certificate="payments/api")},
        "it is to be revoked",
    ),
    "a broken revocation names it": (
        {"requests/out.yaml": revocation("typo", certificate="payments/api")},
        "a revocation that names it is to be mended first",
    ),
    "the CA is closed": (
        {"ca/issuing.yaml": authority("issuing", "root", state="crl-only")},
        "CA issuing is crl-only",
    ),
    "the CA's document is another": (
        {"ca/issuing.yaml": authority("issuing", "root", pathLength=1)},
        "CA issuing is held up",
    ),
    "another CA is to issue that is not there": (
        {SERVER: policy(issuer="nobody")},
        "its policy is broken",
    ),
}


@pytest.mark.parametrize(("files", "reason"), REASONS.values(), ids=REASONS)
def test_what_is_not_renewed_by_itself_is_expiring_with_the_reason(
    issued: Clone, files: dict[str, str | None], reason: str
) -> None:
    issued.save(files)
    (expiring,), renewing = told(issued)
    assert expiring.startswith(reason)
    assert renewing == []


def test_the_reason_of_a_certificate_that_is_due_stands_beside_it(issued: Clone) -> None:
    issued.clock.forward(days=21)
    assert due(issued) == ["its renewal is due"]
    issued.save({SERVER: policy(selector={"paths": ["shop/**"]})})
    assert due(issued) == ["its renewal is due; its request is denied (selector.paths)"]


def test_what_stays_allowed_under_other_documents_is_renewed(issued: Clone) -> None:
    issued.save({SERVER: policy(validity={**POLICY["validity"], "max": "60d"})})
    assert told(issued) == ([], ["payments/api"])
    issued.save({API: request("api", NAME, "api2.example.internal")})
    assert told(issued) == ([], ["payments/api"])


@pytest.mark.parametrize("reason", ["superseded", "cACompromise"])
def test_a_revoked_ca_renews_nothing(issued: Clone, reason: str) -> None:
    given = issued.state.authority("issuing").certificate
    assert given is not None
    serial = given.certificate.serial
    issued.save({"requests/ca/out.yaml": revocation(reason, serial=serial, ca="root")})
    assert told(issued) == (["CA issuing, or one above it, is revoked"], [])
    issued.reconcile()
    assert told(issued) == (["CA issuing is revoked"], [])


def test_a_stated_end_is_no_renewal_that_is_due(issued: Clone) -> None:
    dated = policy(validity={**POLICY["validity"], "requestDates": ["notAfter"]})
    end = issued.current("payments/api").certificate.not_after - timedelta(days=1)
    stated = request("api", NAME, notAfter=f"{end:%Y-%m-%dT%H:%M:%SZ}")
    issued.save({SERVER: dated, API: stated})
    assert issued.reconcile().exit_code == 0
    assert told(issued) == (["it ends as its request says (notAfter)"], [])
    issued.clock.forward(days=25)
    assert due(issued) == []


def test_what_ends_with_its_ca_or_its_waiver_is_renewed_when_that_lasts_longer(
    issued: Clone,
) -> None:
    issued.save({API: request("api", NAME, validity="120d", extendedKeyUsage=["clientAuth"])})
    issued.save({"policies/waivers/api.yaml": waiver()})
    assert issued.reconcile().exit_code == 0
    issued.clock.forward(days=30)
    assert told(issued) == (["it cannot outlast its waiver"], [])
    issued.save({"policies/waivers/api.yaml": waiver(until="2027-03-01T00:00:00Z")})
    assert told(issued) == ([], ["payments/api"])


def test_a_certificate_that_ends_with_a_ca_that_is_not_renewed_is_not_either(
    issued: Clone,
) -> None:
    mortal = authority("issuing", "root", leafBeyondIssuer="truncate")
    lasting = policy(validity={**POLICY["validity"], "beyondIssuer": "truncate"})
    issued.save({**GOVERNING, "ca/issuing.yaml": mortal, SERVER: lasting})
    issued.clock.forward(days=5 * 365 - 20)
    issued.reconcile()
    assert told(issued) == (["it cannot outlive CA issuing"], [])
    renewing = authority("issuing", "root", leafBeyondIssuer="truncate", renewBefore="60d")
    issued.save({"ca/issuing.yaml": renewing})
    assert told(issued) == ([], ["payments/api"])
