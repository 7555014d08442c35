"""What policies and requests say of time, usages, CAs and extensions, and what is a mistake."""

from __future__ import annotations

import pytest
from document_samples import POLICY, REQUEST, marked, only_finding, parsed, with_line

from gitca.documents.extensions import ExtensionValue
from gitca.documents.managed_extensions import MANAGED_EXTENSIONS
from gitca.x509.extension_values import value_der

VALIDITY = "  validity: {default: 30d, max: 90d, "


def test_a_policy_keeps_what_it_says_of_time_cas_and_extensions():
    text = (
        POLICY.replace(
            "backdate: 5m}",
            "backdate: 5m, latestNotAfter: 2027-12-31T00:00:00Z, requestDates: [notAfter],"
            " windows: [{days: [mon], hours: 08:00-18:00, timeZone: Europe/London}, {}],"
            " beyondIssuer: truncate}",
        )
        + "  ca: {pathLength: {max: 1}, nameConstraints: {permitted: {ip: [10.0.0.0/8]}}}\n"
        + "  extensions: {tlsFeature: [statusRequest], ocspNoCheck: true}\n"
    )
    spec = parsed(text)[0].spec
    first, second = spec.validity.windows
    assert (first.days, first.hours, first.time_zone) == (("mon",), "08:00-18:00", "Europe/London")
    assert (len(second.days), second.hours, second.time_zone) == (7, "00:00-24:00", "UTC")
    assert spec.validity.request_dates == ("notAfter",)
    assert spec.ca.path_length.max == 1
    assert spec.ca.name_constraints.required
    assert spec.ca.name_constraints.permitted.ip == ("10.0.0.0/8",)
    assert spec.extensions.tls_feature == ("statusRequest",)


def test_what_a_policy_does_not_say_allows_nothing():
    spec = parsed(POLICY)[0].spec
    assert spec.ca is None
    assert spec.validity.request_dates == ()
    assert spec.validity.beyond_issuer == "reject"
    assert spec.extensions.allow == spec.extensions.from_request == ()
    assert (spec.key_usage.critical, spec.extended_key_usage.critical) == (True, False)
    mentioned = parsed(POLICY + "  ca: {}\n")[0].spec.ca
    assert (mentioned.path_length.max, mentioned.name_constraints.required) == (0, True)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ({"utf8": "ü"}, "0c02c3bc"),
        ({"ia5": "a"}, "160161"),
        ({"ia5": ""}, "1600"),
        ({"integer": 0}, "020100"),
        ({"integer": -129}, "0202ff7f"),
        ({"integer": 128}, "02020080"),
        ({"boolean": True}, "0101ff"),
        ({"boolean": False}, "010100"),
        ({"der": "BQA="}, "0500"),
        ({"der": "BQ\n A="}, "0500"),
    ],
)
def test_a_value_has_one_encoding(value, encoded):
    assert value_der(ExtensionValue.model_validate(value)).hex() == encoded


POLICIES = {
    "backdate beyond a day": (9, f"{VALIDITY}backdate: ‸25h}}", "policy.validity.order"),
    "date": (9, f"{VALIDITY}requestDates: [‸notbefore]}}", "document.value"),
    "latest": (9, f"{VALIDITY}latestNotAfter: ‸2027-12-31}}", "document.timestamp"),
    "truncation": (9, f"{VALIDITY}beyondIssuer: ‸clamp}}", "document.value"),
    "weekday": (9, f"{VALIDITY}windows: [{{days: [‸monday]}}]}}", "document.value"),
    "no weekday": (9, f"{VALIDITY}windows: [{{days: ‸[]}}]}}", "policy.validity.days"),
    "hours": (9, f"{VALIDITY}windows: [{{hours: ‸8-18}}]}}", "policy.validity.hours"),
    "hours past the day": (
        9,
        f"{VALIDITY}windows: [{{hours: ‸08:00-24:01}}]}}",
        "policy.validity.hours",
    ),
    "hours over midnight": (
        9,
        f"{VALIDITY}windows: [{{hours: ‸22:00-06:00}}]}}",
        "policy.validity.hours",
    ),
    "time zone": (
        9,
        f"{VALIDITY}windows: [{{timeZone: ‸Europe/Londn}}]}}",
        "policy.validity.time-zone",
    ),
    "time zone that is a folder": (
        9,
        f"{VALIDITY}windows: [{{timeZone: ‸Europe}}]}}",
        "policy.validity.time-zone",
    ),
    "time zone that is a way out": (
        9,
        f"{VALIDITY}windows: [{{timeZone: ‸../../etc/passwd}}]}}",
        "policy.validity.time-zone",
    ),
    "time zone that is no zone": (
        9,
        f"{VALIDITY}windows: [{{timeZone: ‸tzdata.zi}}]}}",
        "policy.validity.time-zone",
    ),
    "required usage": (
        10,
        "  keyUsage: {default: [digitalSignature], required: [‸keyAgreement]}",
        "policy.usage.required",
    ),
    "required extended usage": (
        11,
        "  extendedKeyUsage: {allow: [serverAuth], required: [‸clientAuth]}",
        "policy.usage.required",
    ),
    "CA key usage": (10, "  keyUsage: {default: [‸keyCertSign]}", "document.value"),
    "path length": (10, "  ca: {pathLength: {max: ‸17}}", "document.value"),
    "subtree": (
        10,
        "  ca: {nameConstraints: {permitted: {dns: [‸.a]}}}",
        "authority.name-constraints.dns",
    ),
    "certificate policy": (
        10,
        "  extensions: {certificatePolicies: [{oid: ‸1.2.3.x}]}",
        "document.oid",
    ),
    "certificate policy twice": (
        10,
        "  extensions: {certificatePolicies: ‸[{oid: 1.2.3}, {oid: 1.2.3}]}",
        "extensions.duplicate",
    ),
    "CPS": (
        10,
        "  extensions: {certificatePolicies: [{oid: 1.2.3, cps: [‸'ftp://a/b']}]}",
        "document.url",
    ),
    "long notice": (
        10,
        f"  extensions: {{certificatePolicies: [{{oid: 1.2.3, notice: ‸{'a' * 201}}}]}}",
        "document.value",
    ),
    "TLS feature": (10, "  extensions: {tlsFeature: [‸mustStaple]}", "document.value"),
    "twice": (
        10,
        "  extensions: {other: [{oid: 1.2.3, value: {utf8: a}}, {oid: ‸1.2.3, value: {utf8: a}}]}",
        "extensions.duplicate",
    ),
    "twice by name": (
        10,
        "  extensions: {ocspNoCheck: true, other: [{oid: ‸1.3.6.1.5.5.7.48.1.5,"
        " value: {der: BQA=}}]}",
        "extensions.duplicate",
    ),
    "pattern": (10, "  extensions: {allow: [{oid: 1.2.3, values: [‸'***']}]}", "policy.pattern"),
}


@pytest.mark.parametrize("name", POLICIES)
def test_a_mistake_in_a_policy_is_one_finding_at_its_place(name):
    number, line, rule = POLICIES[name]
    text, place = marked(with_line(POLICY, number, line))
    finding = only_finding(text)
    assert finding.startswith(f"x.yaml:{place}: "), finding
    assert f"({rule})" in finding


EXTENSION = "  extensions: [{oid: 1.2.3, value: "
REQUESTS = {
    "both": ("  validity: 30d\n  notAfter: ‸2027-01-01T00:00:00Z", "request.not-after.both"),
    "order": (
        "  notBefore: 2027-01-01T00:00:00Z\n  notAfter: ‸2027-01-01T00:00:00Z",
        "request.not-after.order",
    ),
    "local time": ("  notAfter: ‸2027-01-01T00:00:00+01:00", "document.timestamp"),
    "path length": ("  ca: {pathLength: ‸-1}", "document.value"),
    "no subtree": ("  ca: {nameConstraints: ‸{}}", "authority.name-constraints.empty"),
    "no value": (f"{EXTENSION}‸{{}}}}]", "extensions.value"),
    "two values": (f"{EXTENSION}‸{{utf8: a, ia5: a}}}}]", "extensions.value"),
    "type of value": (f"{EXTENSION}{{‸printable: a}}}}]", "document.unknown-key"),
    "beyond ASCII": (f"{EXTENSION}{{ia5: ‸ü}}}}]", "extensions.value"),
    "no base64": (f"{EXTENSION}{{der: ‸'BQ*='}}}}]", "extensions.value"),
    "no octets": (f"{EXTENSION}{{der: ‸''}}}}]", "extensions.value"),
    "text for a number": (f"{EXTENSION}{{integer: ‸'7'}}}}]", "document.type"),
    "number for text": (f"{EXTENSION}{{utf8: ‸7}}}}]", "document.type"),
    "criticality": (
        "  extensions: [{oid: 1.2.3, critical: ‸'true', value: {utf8: a}}]",
        "document.type",
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_mistake_in_a_request_is_one_finding_at_its_place(name):
    line, rule = REQUESTS[name]
    text, place = marked(with_line(REQUEST, 8, line))
    finding = only_finding(text)
    assert finding.startswith(f"x.yaml:{place}: "), finding
    assert f"({rule})" in finding


@pytest.mark.parametrize("oid", MANAGED_EXTENSIONS)
@pytest.mark.parametrize(
    ("text", "number", "line"),
    [
        (REQUEST, 8, "  extensions: [{{oid: ‸{oid}, value: {{der: MAMBAf8=}}}}]"),
        (POLICY, 10, "  extensions: {{other: [{{oid: ‸{oid}, value: {{der: MAMBAf8=}}}}]}}"),
        (POLICY, 10, "  extensions: {{allow: [{{oid: ‸{oid}}}]}}"),
        (POLICY, 10, "  extensions: {{fromRequest: [{{oid: ‸{oid}}}]}}"),
    ],
    ids=["request", "other", "allow", "fromRequest"],
)
def test_an_extension_that_gitca_writes_can_be_given_nowhere(oid, text, number, line):
    document, place = marked(with_line(text, number, line.format(oid=oid)))
    finding = only_finding(document)
    assert finding.startswith(f"x.yaml:{place}: extension {oid} (")
    assert "(extensions.managed); " in finding
