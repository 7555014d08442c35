"""Windows, stated times, CAs and extensions as a plan and a reconcile see them."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from ca_documents import POLICY, authority, csr_pem, document, policy, private_key, request
from ca_world import NOW, Clone, kinds
from gitca.errors import ContradictionError
from gitca.findings import Severity
from gitca.plan.model import IssueCertificate, Plan
from gitca.plan.rebuild import Rebuild
from gitca.plan.render_json import plan_record
from gitca.plan.render_text import render_text

API = "requests/payments/api.yaml"
SERVER = "policies/server.yaml"
NAME = "api.example.internal"
OID = "1.3.6.1.4.1.99999.7"


def rules(plan: Plan) -> list[tuple[str, str]]:
    return [(finding.rule, finding.location.file) for finding in plan.findings]


def with_validity(**more: object) -> str:
    return policy(validity={**POLICY["validity"], **more})


def issued_dates(clone: Clone, name: str = "payments/api") -> list[tuple[datetime, datetime]]:
    orders = clone.state.requests[name].orders
    return [(order.certificate.not_before, order.certificate.not_after) for order in orders]


# Tuesday, 13:00 in London: an hour after the CAs were made.
CLOSED = {"windows": [{"days": ["wed"], "hours": "09:00-17:00", "timeZone": "Europe/London"}]}


def test_an_issuance_waits_for_its_window_and_is_no_error(made: Clone) -> None:
    made.save({SERVER: with_validity(**CLOSED)})
    made.save({API: request("api", NAME)})
    plan = made.plan()
    assert plan.actions == ()
    (finding,) = plan.findings
    assert (finding.rule, finding.severity) == ("validity.windows", Severity.NOTE)
    assert finding.location.file == API
    assert made.reconcile().exit_code == 0
    assert "payments/api" not in made.state.requests
    made.clock.now = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
    assert made.reconcile().exit_code == 0
    assert made.openssl_verify("payments/api") == "OK"
    assert made.verify().contradictions == []
    assert made.plan() == Plan((), ())


def test_a_standing_certificate_says_nothing_of_windows(issued: Clone) -> None:
    issued.save({SERVER: with_validity(**CLOSED)})
    assert issued.plan() == Plan((), ())
    issued.save({API: request("api", NAME, "web.example.internal")})
    assert rules(issued.plan()) == [("validity.windows", API)]


def test_a_denial_is_told_outside_of_windows_too(made: Clone) -> None:
    made.save({SERVER: with_validity(**CLOSED)})
    made.save({API: request("api", "vault.example.internal")})
    assert ("sans.dns.deny", API) in rules(made.plan())
    assert made.reconcile().exit_code == 1


def test_stated_times_are_those_of_the_certificate(made: Clone) -> None:
    made.save({SERVER: with_validity(requestDates=["notBefore", "notAfter"])})
    dates = {"notBefore": "2026-12-01T00:00:00Z", "notAfter": "2026-12-31T23:59:59Z"}
    made.save({API: request("api", NAME, **dates)})
    digests = {made.plan(at=NOW + timedelta(hours=hours)).digest for hours in (1, 5, 48)}
    assert len(digests) == 1
    (action,) = made.plan().actions
    assert "until 2026-12-31T23:59:59Z" in render_text(Plan((action,), ()))
    assert made.reconcile().exit_code == 0
    wanted = (
        datetime(2026, 12, 1, tzinfo=UTC),
        datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
    )
    assert issued_dates(made) == [wanted]
    assert made.plan() == Plan((), ())
    assert made.verify().contradictions == []


def test_another_stated_end_is_another_certificate_and_an_old_one_is_not_renewed(
    made: Clone,
) -> None:
    made.save({SERVER: with_validity(requestDates=["notAfter"])})
    made.save({API: request("api", NAME, notAfter="2026-12-31T23:59:59Z")})
    assert made.reconcile().exit_code == 0
    made.save({API: request("api", NAME, notAfter="2027-01-15T23:59:59Z")})
    (action,) = made.plan().actions
    assert action.reason == "notAfter: 2026-12-31T23:59:59Z -> 2027-01-15T23:59:59Z"
    assert made.reconcile().exit_code == 0
    assert [end for _, end in issued_dates(made)][-1] == datetime(
        2027, 1, 15, 23, 59, 59, tzinfo=UTC
    )
    near, past = datetime(2027, 1, 10, tzinfo=UTC), datetime(2027, 1, 16, tzinfo=UTC)
    actions = (*made.plan(at=near).actions, *made.plan(at=past).actions)
    assert not [action for action in actions if isinstance(action, IssueCertificate)]
    assert ("renewal.notAfter", API) in rules(made.plan(at=near))
    assert ("validity.notAfter", API) in rules(made.plan(at=past))


def test_a_stated_end_beyond_the_ca_is_truncated_once(made: Clone) -> None:
    mortal = authority("issuing", "root", leafBeyondIssuer="truncate")
    lasting = with_validity(requestDates=["notAfter"], beyondIssuer="truncate", max="6y")
    made.save({"ca/issuing.yaml": mortal, SERVER: lasting})
    made.save({API: request("api", NAME, notAfter="2031-12-31T00:00:00Z")})
    assert made.reconcile().exit_code == 0
    assert len(issued_dates(made)) == 1
    assert kinds(made.plan().actions) == []
    assert made.verify().contradictions == []


@pytest.mark.parametrize(
    ("field", "seconds", "reason"),
    [
        ("not_after", 86400, "its dates are not those that its documents give"),
        ("not_before", -60, "its dates are not those that its documents give"),
        ("lease", 86400, "nothing was to be ordered then"),
    ],
)
def test_an_order_that_the_documents_do_not_give_is_a_contradiction(
    made: Clone, field: str, seconds: int, reason: str
) -> None:
    made.save({SERVER: with_validity(windows=[{"days": ["tue"]}])})
    made.save({API: request("api", NAME)})
    assert made.reconcile().exit_code == 0
    record = made.current("payments/api")
    shift = timedelta(seconds=seconds)
    ordered = record.ordered
    if field == "lease":
        forged = replace(ordered, lease=ordered.lease + shift)
    else:
        given = record.certificate
        changed = replace(given, **{field: getattr(given, field) + shift})
        forged = replace(ordered, particulars=changed)
    with made.store() as store:
        entries = store.entries(ordered.source, "ca", "policies", "requests")
        requesters = store.requesters(ordered.source)
        rebuild = Rebuild(entries, store.read, made.state, requesters)
        assert rebuild.bytes_of(ordered, None)
        with pytest.raises(ContradictionError, match=reason):
            rebuild.bytes_of(forged, None)


CA_POLICY = policy(
    ca={"nameConstraints": {"permitted": {"dns": ["example.internal"]}}},
    subject={"commonName": {"allow": ["Payments CA"]}},
)


@pytest.mark.parametrize("pathlen", [0, 1])
def test_a_ca_by_request_is_planned_in_words_and_issued(made: Clone, pathlen: int) -> None:
    made.save({"policies/sub.yaml": CA_POLICY.replace("issuer: issuing", "issuer: root")})
    spec = {
        "policy": "sub",
        "subject": {"commonName": "Payments CA"},
        "ca": {
            "pathLength": pathlen,
            "nameConstraints": {"permitted": {"dns": ["k8s.example.internal"]}},
        },
        "csr": csr_pem("sub"),
    }
    made.save({"requests/sub.yaml": document("CertificateRequest", spec)})
    plan = made.plan()
    if pathlen:
        assert {rule for rule, _ in rules(plan)} == {"ca.pathLength.max", "issuer.pathLength"}
        assert plan.actions == ()
        return
    assert kinds(plan.actions) == ["issue"]
    words = "CA, path length 0; permitted dns:k8s.example.internal; any ip, uri, email"
    assert words in render_text(plan)
    assert plan_record(plan)["actions"][0]["authority"] == words
    assert made.reconcile().exit_code == 0
    basic = made.certificate("sub").extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    assert made.plan() == Plan((), ())
    assert made.verify().contradictions == []


def csr_asking(oid: str, value: bytes) -> str:
    builder = x509.CertificateSigningRequestBuilder(x509.Name([]))
    asked = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)
    signed = builder.add_extension(asked, False).sign(private_key("api"), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def test_an_extension_of_the_csr_is_in_the_plan_and_byte_for_byte_in_the_certificate(
    made: Clone,
) -> None:
    value = base64.b64decode("MAUMA3BheQ==")
    made.save({SERVER: policy(extensions={"fromRequest": [{"oid": OID}]})})
    made.save({API: request("api", NAME, csr=csr_asking(OID, value))})
    plan = made.plan()
    assert f"extension {OID}: der {value.hex()}" in render_text(plan)
    assert made.reconcile().exit_code == 0
    found = made.certificate("payments/api").extensions.get_extension_for_oid(
        x509.ObjectIdentifier(OID)
    )
    assert found.value.public_bytes() == value
    assert made.plan() == Plan((), ())
    assert made.verify().contradictions == []


def test_a_policy_that_gives_another_extension_issues_anew(issued: Clone) -> None:
    other = [{"oid": OID, "value": {"utf8": "a"}}]
    issued.save({SERVER: policy(extensions={"other": other})})
    (action,) = issued.plan().actions
    assert action.reason == f"extensions: + extension {OID}: utf8 “a”"
    issued.save({SERVER: policy(extensions={"certificatePolicies": [{"oid": "1.2.3"}]})})
    assert issued.plan().actions == ()
