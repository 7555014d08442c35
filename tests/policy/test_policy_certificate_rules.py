"""The rules of time, usages, CAs and extensions: a document that each allows and one it denies."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from policy_material import (
    ISSUING,
    NOW,
    POLICY,
    case,
    changed,
    judge,
    place,
    private_key,
    request_text,
    rules,
    texts,
)

from gitca.findings import Severity
from gitca.policy.evaluate import evaluate
from gitca.x509 import der
from gitca.x509.template import (
    BasicConstraints,
    Extension,
    GeneralName,
    NameConstraints,
    PolicyInformation,
)

API = "sans: {dns: [api.example.internal]}"
CA = "subject: {commonName: Payments CA}"
OID = "1.3.6.1.4.1.99999.7"

VALIDITY = "validity: {default: 30d, min: 1d, max: 90d, backdate: 5m}"
USAGE = "keyUsage:\n    default: [digitalSignature]"
EKU = "extendedKeyUsage: {default: [serverAuth], allow: [serverAuth, clientAuth]}"
CA_NAME = 'commonName: {allow: ["Payments CA"]}'
ISSUING_1 = changed(ISSUING, ("pathLength: 0", "pathLength: 1"))
CONSTRAINED = ISSUING_1 + (
    "  nameConstraints: {permitted: {dns: [example.internal]},"
    " excluded: {dns: [vault.example.internal]}}\n"
)


def with_validity(more: str) -> str:
    return changed(POLICY, (VALIDITY, f"{VALIDITY[:-1]}, {more}}}"))


def with_ca(rules: str) -> str:
    names = ('commonName: {allow: ["**.example.internal"], mustBeInSans: true}', CA_NAME)
    return changed(POLICY, names) + f"  ca: {rules}\n"


def with_extensions(rules: str) -> str:
    whole = "extensions: {certificatePolicies: [{oid: 1.3.6.1.4.1.99999.1.1}]}"
    return changed(POLICY, (whole, f"extensions: {rules}"))


def csr_with(*extensions: tuple[str, bool, bytes]) -> bytes:
    """Return a CSR on the key of the other tests that asks for extensions."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    for oid, critical, value in extensions:
        asked = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)
        builder = builder.add_extension(asked, critical)
    signed = builder.sign(private_key("P-256"), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True)
class Rule:
    """One rule: what the requests say that it allows and denies, the place, and the message."""

    name: str
    policy: str
    allowed: tuple[str, ...]
    denied: tuple[str, ...]
    at: str
    says: str
    denied_options: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


DATES = with_validity("requestDates: [notBefore, notAfter]")
PERMITTED = "{pathLength: {max: 0}, nameConstraints: {permitted: {dns: [example.internal]}}}"
EXCLUDED = (
    "{pathLength: {max: 1}, nameConstraints: {permitted: {dns: [example.internal]},"
    " excluded: {ip: [0.0.0.0/0], dns: [vault.example.internal]}}}"
)
SUBORDINATE = (
    CA,
    "ca: {pathLength: 0, nameConstraints: {permitted: {dns: [k8s.example.internal]}}}",
)
ALLOW = with_extensions(f'{{allow: [{{oid: {OID}, values: ["pay*", "7", "true", "BQA="]}}]}}')
UTF8 = der.tlv(0x0C, b"x")

EXAMPLES = [
    Rule(
        "validity.requestDates",
        DATES,
        (API, "notAfter: 2026-12-20T00:00:00Z"),
        (API, "notAfter: 2026-12-20T00:00:00Z"),
        "2026-12-20",
        "notAfter 2026-12-20T00:00:00Z is stated; allowed is validity",
        denied_options={"policy": POLICY},
    ),
    Rule(
        "validity.requestDates",
        with_validity("requestDates: [notAfter]"),
        (API, "notAfter: 2026-12-20T00:00:00Z"),
        (API, "notBefore: 2026-12-20T00:00:00Z"),
        "2026-12-20",
        "notBefore 2026-12-20T00:00:00Z is stated; allowed is validity, notAfter",
    ),
    Rule(
        "validity.max",
        DATES,
        (API, "notAfter: 2027-02-22T11:54:59Z"),
        (API, "notAfter: 2027-02-22T11:55:00Z"),
        "2027",
        "the certificate would end on 2027-02-22T11:55:00Z, more than 90d after its issuance",
    ),
    Rule(
        "validity.max",
        DATES,
        (API, "notBefore: 2027-01-01T00:00:00Z"),
        (API, "notBefore: 2027-02-01T00:00:00Z"),
        "spec",
        "the certificate would end on 2027-03-02T23:59:59Z, more than 90d after its issuance",
    ),
    Rule(
        "validity.min",
        DATES,
        (API, "notAfter: 2026-11-25T11:54:59Z"),
        (API, "notAfter: 2026-11-25T11:54:58Z"),
        "2026",
        "the time until notAfter 2026-11-25T11:54:58Z is below 1d",
    ),
    Rule(
        "validity.latestNotAfter",
        with_validity("latestNotAfter: 2026-12-24T00:00:00Z"),
        (API, "validity: 29d"),
        (API, "validity: 31d"),
        "31d",
        "validity 31d reaches beyond 2026-12-24T00:00:00Z",
    ),
    Rule(
        "keyUsage.required",
        changed(POLICY, (USAGE, f"{USAGE}\n    required: [digitalSignature]")),
        (API, "keyUsage: [digitalSignature, keyAgreement]"),
        (API, "keyUsage: [keyAgreement]"),
        "[keyAgreement]",
        "keyUsage digitalSignature is missing and required; stated: keyAgreement",
    ),
    Rule(
        "extendedKeyUsage.required",
        changed(POLICY, (EKU, f"{EKU[:-1]}, required: [1.3.6.1.5.5.7.3.1]}}")),
        (API, "extendedKeyUsage: [clientAuth, serverAuth]"),
        (API, "extendedKeyUsage: [clientAuth]"),
        "[clientAuth]",
        "extendedKeyUsage 1.3.6.1.5.5.7.3.1 is missing and required; stated: clientAuth",
    ),
    Rule(
        "ca",
        with_ca(PERMITTED),
        SUBORDINATE,
        SUBORDINATE,
        "{pathLength",
        "the request asks for a CA certificate; allowed are certificates of end entities",
        denied_options={"policy": changed(with_ca("{}"), ("  ca: {}\n", ""))},
    ),
    Rule(
        "ca.pathLength.max",
        with_ca(PERMITTED),
        SUBORDINATE,
        (CA, "ca: {pathLength: 1, nameConstraints: {permitted: {dns: [k8s.example.internal]}}}"),
        "1, name",
        "pathLength 1 is above 0",
        options={"issuing": changed(ISSUING, ("pathLength: 0", "pathLength: 2"))},
    ),
    Rule(
        "ca.pathLength.max",
        with_ca(PERMITTED),
        SUBORDINATE,
        (CA, "ca: {nameConstraints: {permitted: {dns: [k8s.example.internal]}}}"),
        "{nameC",
        "no pathLength, which is any, is above 0",
        options={"issuing": changed(ISSUING, ("  pathLength: 0\n", ""))},
    ),
    Rule(
        "issuer.pathLength",
        with_ca(PERMITTED),
        SUBORDINATE,
        SUBORDINATE,
        "0, name",
        "CA issuing has pathLength 0; allowed below it is no CA",
        denied_options={"issuing": ISSUING},
    ),
    Rule(
        "issuer.pathLength",
        with_ca(EXCLUDED.replace("excluded: {ip: [0.0.0.0/0], dns: [vault.example.internal]}", "")),
        SUBORDINATE,
        (CA, "ca: {pathLength: 1, nameConstraints: {permitted: {dns: [k8s.example.internal]}}}"),
        "1, name",
        "pathLength 1 is above 0, what pathLength 1 of CA issuing leaves",
    ),
    Rule(
        "ca.nameConstraints.required",
        with_ca("{}"),
        SUBORDINATE,
        (CA, "ca: {pathLength: 0}"),
        "{pathLength",
        "the request states no nameConstraints; allowed is a CA with some",
    ),
    Rule(
        "ca.nameConstraints.syntax",
        with_ca("{}"),
        SUBORDINATE,
        (CA, "ca: {pathLength: 0, nameConstraints: {permitted: {dns: [xn--a.internal]}}}"),
        "xn--",
        "subtree “xn--a.internal” is none",
    ),
    Rule(
        "ca.nameConstraints.permitted",
        with_ca(PERMITTED),
        SUBORDINATE,
        (CA, "ca: {pathLength: 0, nameConstraints: {permitted: {dns: [internal]}}}"),
        "internal]",
        "permitted DNS name “internal” is too wide: policy internal-server permits only"
        " example.internal",
    ),
    Rule(
        "ca.nameConstraints.permitted",
        with_ca(PERMITTED),
        SUBORDINATE,
        (CA, "ca: {pathLength: 0, nameConstraints: {permitted: {ip: [10.0.0.0/8]}}}"),
        "{ip",
        "no DNS name is constrained, and policy internal-server permits only example.internal",
    ),
    Rule(
        "ca.nameConstraints.excluded",
        with_ca(EXCLUDED),
        (
            CA,
            "ca: {pathLength: 0, nameConstraints: {permitted: {dns: [k8s.example.internal]},"
            " excluded: {ip: [0.0.0.0/0]}}}",
        ),
        (
            CA,
            "ca: {pathLength: 0, nameConstraints: {permitted: {dns: [k8s.example.internal]},"
            " excluded: {ip: [10.0.0.0/8]}}}",
        ),
        "{ip",
        "IP address “0.0.0.0/0” is excluded by policy internal-server and not here",
    ),
    Rule(
        "issuer.nameConstraints",
        with_ca("{}"),
        SUBORDINATE,
        (CA, "ca: {pathLength: 0, nameConstraints: {permitted: {dns: [example.com]}}}"),
        "example.com",
        "permitted DNS name “example.com” is too wide: CA issuing permits only example.internal",
        options={"issuing": CONSTRAINED},
    ),
    Rule(
        "issuer.nameConstraints",
        with_ca("{nameConstraints: {required: false}}"),
        SUBORDINATE,
        (CA, "ca: {pathLength: 0, nameConstraints: {permitted: {dns: [example.internal]}}}"),
        "{permitted",
        "DNS name “vault.example.internal” is excluded by CA issuing and not here",
        options={"issuing": CONSTRAINED},
    ),
    Rule(
        "ca.subject",
        changed(with_ca(PERMITTED), ("    organization: {fixed: Example}\n", "")),
        SUBORDINATE,
        ("sans: {uri: ['spiffe://example.internal/payments/a']}", SUBORDINATE[1]),
        "spec",
        "the subject is empty; allowed is a CA with a name",
    ),
    Rule(
        "subject.issuer",
        changed(with_ca(PERMITTED), ('["Payments CA"]', '["Payments CA", "example  issuing ca"]')),
        SUBORDINATE,
        (
            "subject: {commonName: 'example  issuing ca', organization: Example}",
            SUBORDINATE[1],
        ),
        "{commonName",
        "the subject is that of CA issuing itself",
    ),
    Rule(
        "extensions.allow",
        ALLOW,
        (API, f"extensions: [{{oid: {OID}, value: {{utf8: payments}}}}]"),
        (API, "extensions: [{oid: 1.2.3.4, value: {utf8: payments}}]"),
        "1.2.3.4",
        f"extension 1.2.3.4 is not allowed; allowed is {OID}",
    ),
    Rule(
        "extensions.allow",
        ALLOW,
        (API, f"extensions: [{{oid: {OID}, value: {{integer: 7}}}}]"),
        (API, f"extensions: [{{oid: {OID}, critical: true, value: {{integer: 7}}}}]"),
        "true",
        f"extension {OID} is critical: true; allowed is false",
    ),
    Rule(
        "extensions.allow",
        ALLOW,
        (API, f"extensions: [{{oid: {OID}, value: {{boolean: true}}}}]"),
        (API, f"extensions: [{{oid: {OID}, value: {{ia5: billing}}}}]"),
        "{ia5",
        f"extension {OID} has value ia5 “billing”; allowed are “pay*”, “7”, “true”, “BQA=”",
    ),
    Rule(
        "extensions.allow",
        with_extensions(f'{{allow: [{{oid: {OID}, values: ["**", "BQA="]}}]}}'),
        (API, f"extensions: [{{oid: {OID}, value: {{der: 'BQA='}}}}]"),
        (API, f"extensions: [{{oid: {OID}, value: {{der: 'DAF4'}}}}]"),
        "{der",
        f"extension {OID} has value utf8 “x”; allowed are “**”, “BQA=”",
    ),
    Rule(
        "extensions.value",
        with_extensions(f"{{allow: [{{oid: {OID}}}]}}"),
        (API, f"extensions: [{{oid: {OID}, value: {{der: 'BQA='}}}}]"),
        (API, f"extensions: [{{oid: {OID}, value: {{der: 'BQAA'}}}}]"),
        "{der",
        f"the value of extension {OID} is not the DER of one ASN.1 value: 1 octets follow",
    ),
    Rule(
        "extensions.duplicate",
        with_extensions(
            f"{{other: [{{oid: {OID}, value: {{utf8: a}}}}], allow: [{{oid: {OID}}},"
            " {oid: 1.2.3.4}]}"
        ),
        (API, "extensions: [{oid: 1.2.3.4, value: {utf8: b}}]"),
        (API, f"extensions: [{{oid: {OID}, value: {{utf8: b}}}}]"),
        "{utf8",
        f"extension {OID} is given by the request and by the policy; allowed is once",
    ),
    Rule(
        "extensions.duplicate",
        with_extensions(f"{{allow: [{{oid: {OID}}}], fromRequest: [{{oid: {OID}}}]}}"),
        (API,),
        (API, f"extensions: [{{oid: {OID}, value: {{utf8: b}}}}]"),
        "api.csr",
        f"extension {OID} is given by the CSR and by the request; allowed is once",
        options={"csr_bytes": csr_with((OID, False, UTF8))},
    ),
    Rule(
        "extensions.fromRequest",
        with_extensions(f"{{fromRequest: [{{oid: {OID}}}]}}"),
        (API,),
        (API,),
        "api.csr",
        f"the CSR asks for extension {OID} as critical; allowed is not critical",
        options={"csr_bytes": csr_with((OID, False, UTF8))},
        denied_options={"csr_bytes": csr_with((OID, True, UTF8))},
    ),
    Rule(
        "extensions.value",
        with_extensions(f"{{fromRequest: [{{oid: {OID}}}]}}"),
        (API,),
        (API,),
        "api.csr",
        f"the value of extension {OID} is not the DER of one ASN.1 value: truncated",
        options={"csr_bytes": csr_with((OID, False, UTF8))},
        denied_options={"csr_bytes": csr_with((OID, False, UTF8[:2]))},
    ),
]


def _options(rule: Rule) -> dict[str, Any]:
    return {"policy": rule.policy, "issuing": ISSUING_1, **rule.options}


@pytest.mark.parametrize("rule", EXAMPLES, ids=lambda rule: rule.name)
def test_what_the_rule_allows_is_issued_without_a_finding(rule: Rule) -> None:
    verdict = judge(request_text(*rule.allowed), **_options(rule))
    assert texts(verdict.findings) == []
    assert verdict.template is not None
    assert verdict.hold is None


@pytest.mark.parametrize("rule", EXAMPLES, ids=lambda rule: rule.name)
def test_what_the_rule_denies_is_one_finding_at_its_place(rule: Rule) -> None:
    text = request_text(*rule.denied)
    (finding,) = judge(text, **_options(rule) | rule.denied_options).findings
    assert finding.rule == rule.name
    assert (finding.location.line, finding.location.column) == place(text, rule.at)
    assert finding.message.startswith(rule.says)
    assert finding.remedy
    assert finding.is_error


def test_a_ca_request_says_what_request_policy_and_authority_say() -> None:
    lines = (
        CA,
        "ca: {pathLength: 0, nameConstraints: {permitted: {dns: [k8s.example.internal]},"
        " excluded: {ip: [0.0.0.0/0]}}}",
    )
    options = {"policy": with_ca(EXCLUDED), "issuing": ISSUING_1}
    template = judge(request_text(*lines), **options).template
    assert template is not None
    assert template.basic_constraints == BasicConstraints(0)
    assert template.key_usage == ("digitalSignature", "keyCertSign", "cRLSign")
    assert template.key_usage_critical
    assert template.name_constraints == NameConstraints(
        (GeneralName("dns", "k8s.example.internal"),), (GeneralName("ip", "0.0.0.0/0"),)
    )
    assert template.crl_urls == ("http://pki.example.internal/issuing.crl",)


def test_a_ca_may_go_unconstrained_only_where_the_policy_says_so() -> None:
    policy = with_ca("{nameConstraints: {required: false, permitted: {dns: [example.internal]}}}")
    bare = request_text(CA, "ca: {pathLength: 0}")
    assert texts(judge(bare, policy=policy, issuing=ISSUING_1).findings) == []
    wide = request_text(CA, "ca: {pathLength: 0, nameConstraints: {permitted: {dns: [com]}}}")
    assert rules(judge(wide, policy=policy, issuing=ISSUING_1)) == ["ca.nameConstraints.permitted"]
    assert rules(judge(bare, policy=policy, issuing=CONSTRAINED)) == ["issuer.nameConstraints"] * 2


def test_a_ca_key_usage_is_critical_whatever_the_policy_says() -> None:
    policy = changed(with_ca(PERMITTED), (USAGE, f"{USAGE}\n    critical: false"))
    ca = judge(request_text(*SUBORDINATE), policy=policy, issuing=ISSUING_1).template
    leaf = judge(
        request_text(API), policy=changed(POLICY, (USAGE, f"{USAGE}\n    critical: false"))
    ).template
    assert ca is not None
    assert leaf is not None
    assert (ca.key_usage_critical, leaf.key_usage_critical) == (True, False)


def test_criticality_of_usages_that_are_not_there_is_the_usual() -> None:
    policy = changed(
        POLICY,
        (USAGE, "keyUsage:\n    default: []\n    critical: false"),
        (EKU, "extendedKeyUsage: {critical: true}"),
    )
    template = judge(request_text(API), policy=policy).template
    assert template is not None
    assert template.key_usage_critical
    assert not template.extended_key_usage_critical


def test_extensions_stand_in_the_order_policy_request_csr() -> None:
    policy = with_extensions(
        "{certificatePolicies: [{oid: 1.2.3, cps: ['http://pki.example.internal/cps'],"
        " notice: inside}], tlsFeature: [statusRequest, statusRequestV2], ocspNoCheck: true,"
        f" other: [{{oid: 1.2.3.1, critical: true, value: {{ia5: a}}}}], allow: [{{oid: {OID}}}],"
        " fromRequest: [{oid: 1.2.3.9}]}"
    )
    text = request_text(API, f"extensions: [{{oid: {OID}, value: {{integer: -129}}}}]")
    asked = csr_with(("1.2.3.9", False, UTF8), ("1.2.3.10", False, UTF8))
    template = judge(text, policy=policy, csr_bytes=asked).template
    assert template is not None
    assert template.certificate_policies == (
        PolicyInformation("1.2.3", ("http://pki.example.internal/cps",), "inside"),
    )
    assert template.extensions == (
        Extension("1.3.6.1.5.5.7.1.24", False, bytes.fromhex("3006020105020111")),
        Extension("1.3.6.1.5.5.7.48.1.5", False, b"\x05\x00"),
        Extension("1.2.3.1", True, b"\x16\x01a"),
        Extension(OID, False, b"\x02\x02\xff\x7f"),
        Extension("1.2.3.9", False, UTF8),
    )


def test_a_value_pattern_may_hold_an_identity_template() -> None:
    policy = with_extensions(f'{{allow: [{{oid: {OID}, values: ["{{path[0]}}"]}}]}}')
    own, other = (
        request_text(API, f"extensions: [{{oid: {OID}, value: {{utf8: '{team}'}}}}]")
        for team in ("payments", "fraud")
    )
    assert texts(judge(own, policy=policy).findings) == []
    assert rules(judge(other, policy=policy)) == ["extensions.allow"]


def test_a_stated_beginning_is_kept_and_one_that_has_passed_says_nothing() -> None:
    future = case(request_text(API, "notBefore: 2027-01-01T00:00:00Z"), policy=DATES)
    past = case(request_text(API, "notBefore: 2026-11-01T00:00:00Z"), policy=DATES)
    begin, end = evaluate(future).period.dates(NOW, None, None)
    assert begin == datetime(2027, 1, 1, tzinfo=UTC)
    assert end == datetime(2027, 1, 30, 23, 59, 59, tzinfo=UTC)
    assert evaluate(past).period.dates(NOW, None, None)[0] == NOW - timedelta(minutes=5)
    assert evaluate(past).findings == ()


def test_a_stated_end_that_has_passed_is_a_warning_and_holds_the_request() -> None:
    verdict = judge(request_text(API, "notAfter: 2026-11-24T12:00:00Z"), policy=DATES)
    assert verdict.findings == ()
    assert verdict.hold is not None
    assert (verdict.hold.rule, verdict.hold.severity) == ("validity.notAfter", Severity.WARNING)


def test_an_end_at_the_end_of_time_overflows_nothing() -> None:
    text = request_text(API, "notBefore: 9999-12-31T23:59:59Z")
    assert set(rules(judge(text, policy=DATES))) == {
        "validity.max",
        "validity.min",
        "issuer.validity",
    }


@pytest.mark.parametrize(
    ("authority", "policy", "rule"),
    [
        ("truncate", "reject", "validity.beyondIssuer"),
        ("reject", "truncate", "leafBeyondIssuer"),
        ("reject", "reject", "leafBeyondIssuer"),
    ],
)
def test_truncation_wants_both_the_ca_and_the_policy(
    authority: str, policy: str, rule: str
) -> None:
    issuing = ISSUING + f"  leafBeyondIssuer: {authority}\n"
    age = timedelta(days=5 * 365 - 20)
    text = with_validity(f"beyondIssuer: {policy}")
    (finding,) = judge(request_text(API), policy=text, issuing=issuing, issuer_age=age).findings
    assert (finding.rule, finding.is_error) == (rule, True)


WINDOWS = with_validity(
    'windows: [{days: [mon, tue], hours: "08:00-18:00", timeZone: Europe/London},'
    ' {days: [sun], hours: "22:00-24:00"}]'
)


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        (datetime(2026, 11, 24, 8, 0, tzinfo=UTC), None),
        (datetime(2026, 11, 24, 17, 59, 59, tzinfo=UTC), None),
        (datetime(2026, 11, 24, 18, 0, tzinfo=UTC), "2026-11-29T22:00Z"),
        (datetime(2026, 11, 24, 7, 59, 59, tzinfo=UTC), "2026-11-24T08:00Z"),
        (datetime(2026, 11, 29, 23, 59, 59, tzinfo=UTC), None),
        (datetime(2026, 11, 30, 0, 0, tzinfo=UTC), "2026-11-30T08:00Z"),
        # Summer time: 08:00 in London is 07:00 in UTC.
        (datetime(2027, 6, 1, 7, 0, tzinfo=UTC), None),
        (datetime(2027, 6, 1, 6, 59, tzinfo=UTC), "2027-06-01T07:00Z"),
        (datetime(2027, 6, 1, 17, 0, tzinfo=UTC), "2027-06-06T22:00Z"),
    ],
)
def test_outside_of_the_windows_an_issuance_waits(moment: datetime, opens: str | None) -> None:
    verdict = judge(request_text(API), policy=WINDOWS, now=moment)
    assert not verdict.is_denied
    if opens is None:
        assert verdict.hold is None
    else:
        assert verdict.hold is not None
        assert (verdict.hold.rule, verdict.hold.severity) == ("validity.windows", Severity.NOTE)
        assert verdict.hold.message.endswith(f"; the next opens {opens}")
