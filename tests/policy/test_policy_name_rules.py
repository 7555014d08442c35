"""Every rule about names beyond the usual four types: what it allows, what it denies, and where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from policy_material import POLICY, UPN, changed, csr, judge, place, request_text, texts

from gitca.findings import Finding
from gitca.x509.template import GeneralName, NameAttribute

_SANS = POLICY[POLICY.index("  sans:\n") : POLICY.index("  key:")]
_SUBJECT = POLICY[POLICY.index("  subject:\n") : POLICY.index("  sans:\n")]


def with_sans(*lines: str) -> str:
    """The policy with other lines under `sans` and no attribute that it supplies."""
    body = "  sans:\n" + "".join(f"    {line}\n" for line in lines)
    return changed(POLICY, (_SANS, body), ("    organization: {fixed: Example}\n", ""))


def with_subject(*lines: str) -> str:
    """The policy with other lines under `subject`."""
    return changed(POLICY, (_SUBJECT, "  subject:\n" + "".join(f"    {line}\n" for line in lines)))


@dataclass(frozen=True)
class Rule:
    """One rule: what the requests say that it allows and denies, the place, and the message."""

    name: str
    policy: str
    allowed: str
    denied: str
    at: str
    says: str
    denied_options: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


OTHER = with_sans(
    f'otherName: {{{UPN}: {{allow: ["*@example.internal"], deny: ["root@example.internal"],'
    " max: 2}, 1.2.3.4: {allow: ['site-*'], required: true}}"
)
DIRECTORY = with_sans(
    'directoryName: {allow: [{organization: Example, commonName: "*"},'
    ' {organization: Example, organizationalUnit: [Team, "*"]}], deny: [{commonName: root}],'
    " max: 2}"
)
IDS = with_sans(
    'registeredID: {allow: ["1.3.6.1.4.1.99999.**", "1.2.*.4"], deny: ["1.3.6.1.4.1.99999.6.*"],'
    " max: 2}"
)
SPIFFE = with_sans(
    'uri: {allow: ["https://**.example.internal/**"], deny: ["spiffe://example.internal/payments/x"],'
    ' spiffe: {trustDomain: example.internal, paths: ["payments/*"]}}'
)
WILDCARDS = with_sans(
    'dns: {allow: ["**.example.internal"], wildcards: ["*.apps.example.internal"]}'
)
SPECIAL = with_sans("dns: {allow: ['**', printer, co.uk], wildcards: true}")


def special(*kinds: str) -> str:
    return changed(SPECIAL, ("wildcards: true", f"wildcards: true, special: [{', '.join(kinds)}]"))


def other(*pairs: tuple[str, str]) -> str:
    """The line of a request that states other names, by OID."""
    names = ", ".join(f"{{oid: {oid}, utf8: {text}}}" for oid, text in pairs)
    return f"sans: {{otherName: [{names}]}}"


_SITE = ("1.2.3.4", "site-1")
EXAMPLES = [
    Rule(
        "sans.otherName.1.2.3.5",
        OTHER,
        other(_SITE),
        other(_SITE, ("1.2.3.5", "site-1")),
        "{oid: 1.2.3.5",
        "other name “1.2.3.5;UTF8:site-1” is of a type that the policy does not mention; allowed"
        f" are otherName.{UPN}, otherName.1.2.3.4",
    ),
    Rule(
        f"sans.otherName.{UPN}.allow",
        OTHER,
        other(_SITE, (UPN, "jo.doe@example.internal")),
        other(_SITE, (UPN, "jo@other.internal")),
        f"{{oid: {UPN}",
        f"other name “{UPN};UTF8:jo@other.internal” is not allowed; allowed is"
        " “*@example.internal”",
    ),
    Rule(
        f"sans.otherName.{UPN}.deny",
        OTHER,
        other(_SITE, (UPN, "roots@example.internal")),
        other(_SITE, (UPN, "Root@example.internal")),
        f"{{oid: {UPN}",
        f"other name “{UPN};UTF8:Root@example.internal” is denied by “root@example.internal”",
    ),
    Rule(
        f"sans.otherName.{UPN}.max",
        OTHER,
        other(_SITE, *((UPN, f"{name}@example.internal") for name in "ab")),
        other(_SITE, *((UPN, f"{name}@example.internal") for name in "abc")),
        "[{oid",
        f"3 names of type otherName.{UPN}; allowed are 2",
    ),
    Rule(
        "sans.otherName.1.2.3.4.required",
        OTHER,
        other(_SITE),
        other((UPN, "jo@example.internal")),
        "[{oid",
        "no other name 1.2.3.4 is stated and at least one is required",
    ),
    Rule(
        "otherName.upn",
        OTHER,
        other(_SITE, (UPN, "jo@example.internal")),
        other(_SITE, (UPN, "jo@corp@example.internal")),
        f"{{oid: {UPN}",
        f"otherName {UPN} “jo@corp@example.internal” is no user principal name",
    ),
    Rule(
        "otherName.space",
        OTHER,
        other(_SITE),
        other(_SITE, ("1.2.3.4", '"site-1 "')),
        '{oid: 1.2.3.4, utf8: "',
        "otherName 1.2.3.4 “site-1 ” begins or ends with white space",
    ),
    Rule(
        "sans.directoryName.allow",
        DIRECTORY,
        "sans: {directoryName: [{organization: Example, organizationalUnit: [Team, a]}]}",
        "sans: {directoryName: [{organization: Example, organizationalUnit: [a, Team]}]}",
        "{organization",
        "directory name “organization=Example,organizationalUnit=a,organizationalUnit=Team” is not"
        " allowed; allowed are “organization=Example,commonName=*”,",
    ),
    Rule(
        "sans.directoryName.allow",
        DIRECTORY,
        "sans: {directoryName: [{organization: Example, commonName: jo}]}",
        "sans: {directoryName: [{organization: Example, commonName: jo, title: Boss}]}",
        "{organization",
        "directory name “organization=Example,commonName=jo,title=Boss” is not allowed",
    ),
    Rule(
        "sans.directoryName.allow",
        DIRECTORY,
        "sans: {directoryName: [{organization: Example, commonName: jo}]}",
        "sans: {directoryName: [{commonName: jo, organization: Example}]}",
        "{commonName",
        "directory name “commonName=jo,organization=Example” is not allowed",
    ),
    Rule(
        "sans.directoryName.deny",
        DIRECTORY,
        "sans: {directoryName: [{organization: Example, commonName: roots}]}",
        "sans: {directoryName: [{organization: Example, commonName: ROOT}]}",
        "{organization",
        "directory name “organization=Example,commonName=ROOT” is denied by “commonName=root”",
    ),
    Rule(
        "sans.directoryName.max",
        DIRECTORY,
        "sans: {directoryName: [{organization: Example, commonName: a}]}",
        "sans: {directoryName: ["
        + ", ".join(f"{{organization: Example, commonName: {name}}}" for name in "abc")
        + "]}",
        "[{",
        "3 names of type directoryName; allowed are 2",
    ),
    Rule(
        "directoryName.country",
        changed(DIRECTORY, ("organization: Example, commonName", "country: '*', commonName")),
        "sans: {directoryName: [{country: GB, commonName: a}]}",
        "sans: {directoryName: [{country: gb, commonName: a}]}",
        "{country",
        "directory name's country “gb” is not two letters",
    ),
    Rule(
        "sans.registeredID.allow",
        IDS,
        "sans: {registeredID: [1.3.6.1.4.1.99999.1.2, 1.2.99.4]}",
        "sans: {registeredID: [1.2.3.3.4]}",
        "1.2.3.3.4",
        "registered ID “1.2.3.3.4” is not allowed; allowed are “1.3.6.1.4.1.99999.**”, “1.2.*.4”",
    ),
    Rule(
        "sans.registeredID.deny",
        IDS,
        "sans: {registeredID: [1.3.6.1.4.1.99999.7.1]}",
        "sans: {registeredID: [1.3.6.1.4.1.99999.6.1]}",
        "1.3.6",
        "registered ID “1.3.6.1.4.1.99999.6.1” is denied by “1.3.6.1.4.1.99999.6.*”",
    ),
    Rule(
        "sans.registeredID.max",
        IDS,
        "sans: {registeredID: [1.2.1.4, 1.2.2.4]}",
        "sans: {registeredID: [1.2.1.4, 1.2.2.4, 1.2.3.4]}",
        "[1.2",
        "3 names of type registeredID; allowed are 2",
    ),
    Rule(
        "sans.duplicate",
        OTHER,
        other(_SITE, ("1.2.3.4", "site-2")),
        other(_SITE, _SITE),
        "{oid: 1.2.3.4, utf8: site-1}]",
        "other name “1.2.3.4;UTF8:site-1” stands already at requests/payments/api.yaml:6:22",
    ),
    Rule(
        "sans.min",
        with_sans("min: 2", 'dns: {allow: ["**.example.internal"]}', "ip: {allow: [10.0.0.0/8]}"),
        "sans: {dns: [a.example.internal], ip: [10.1.2.3]}",
        "sans: {dns: [a.example.internal]}",
        "{dns",
        "1 alternative names are stated; at least 2 are required",
    ),
    Rule(
        "sans.max",
        with_sans("max: 2", 'dns: {allow: ["**.example.internal"]}', "ip: {allow: [10.0.0.0/8]}"),
        "sans: {dns: [a.example.internal], ip: [10.1.2.3]}",
        "sans: {dns: [a.example.internal, b.example.internal], ip: [10.1.2.3]}",
        "{dns",
        "3 alternative names are stated; allowed are 2",
    ),
    Rule(
        "sans.dns.wildcards",
        WILDCARDS,
        "sans: {dns: ['*.apps.example.internal', api.example.internal]}",
        "sans: {dns: ['*.x.example.internal']}",
        "'*",
        "DNS name “*.x.example.internal” is a wildcard; allowed are names without, and wildcards"
        " “*.apps.example.internal”",
    ),
    Rule(
        "sans.dns.allow",
        with_sans(
            'dns: {allow: ["**.example.internal", "*.bar.test"], special: [bareDomain],'
            " deny: [x.y]}"
        ),
        "sans: {dns: [example.internal, bar.test, a.example.internal]}",
        "sans: {dns: [example.internal]}",
        "example",
        "DNS name “example.internal” is not allowed; allowed is “**.example.internal”",
        denied_options={"policy": with_sans('dns: {allow: ["**.example.internal"]}')},
    ),
    Rule(
        "sans.dns.special",
        special("localhost"),
        "sans: {dns: [localhost, api.localhost, a.example.internal]}",
        "sans: {dns: [localhost]}",
        "localhost",
        "DNS name “localhost” names the machine that it is read on (localhost); allowed is nothing,"
        " and what a pattern without stars says",
        denied_options={"policy": SPECIAL},
    ),
    Rule(
        "sans.dns.special",
        SPECIAL,
        "sans: {dns: [a.example.internal]}",
        "sans: {dns: ['*.localhost']}",
        "'*",
        "DNS name “*.localhost” names the machine that it is read on (localhost)",
    ),
    Rule(
        "sans.dns.special",
        SPECIAL,
        "sans: {dns: [printer]}",
        "sans: {dns: [scanner]}",
        "scanner",
        "DNS name “scanner” has no dot, so that every network has one of its own (singleLabel)",
    ),
    Rule(
        "sans.dns.special",
        special("singleLabel"),
        "sans: {dns: [scanner]}",
        "sans: {dns: [github.io]}",
        "github",
        "DNS name “github.io” is of a public suffix, below which anybody can have a name"
        " (publicSuffix)",
    ),
    Rule(
        "sans.dns.special",
        special("publicSuffix"),
        "sans: {dns: [github.io, '*.github.io', '*.internal']}",
        "sans: {dns: ['*.github.io']}",
        "'*",
        "DNS name “*.github.io” is of a public suffix",
        denied_options={"policy": SPECIAL},
    ),
    Rule(
        "sans.dns.special",
        SPECIAL,
        "sans: {dns: [co.uk, '*.example.co.uk']}",
        "sans: {dns: ['*.internal']}",
        "'*",
        "DNS name “*.internal” is of a public suffix",
    ),
    Rule(
        "sans.dns.special",
        SPECIAL,
        "sans: {dns: [xn--bcher-kva.example]}",
        "sans: {dns: [xn--55qx5d.cn]}",
        "xn--",
        "DNS name “xn--55qx5d.cn” is of a public suffix",
    ),
    Rule(
        "sans.uri.spiffe.trustDomain",
        SPIFFE,
        "sans: {uri: ['spiffe://example.internal/payments/api']}",
        "sans: {uri: ['spiffe://example.test/payments/api']}",
        "'spiffe",
        "URI “spiffe://example.test/payments/api” is of another trust domain; allowed is"
        " “example.internal”",
    ),
    Rule(
        "sans.uri.spiffe.paths",
        SPIFFE,
        "sans: {uri: ['https://a.example.internal/x']}",
        "sans: {uri: ['spiffe://example.internal/payments/api/x']}",
        "'spiffe",
        "URI “spiffe://example.internal/payments/api/x” has a path that is not allowed; allowed is"
        " “payments/*”",
    ),
    Rule(
        "sans.uri.spiffe.paths",
        changed(SPIFFE, ('"https://**.example.internal/**"', '"spiffe://example.internal/**"')),
        "sans: {uri: ['spiffe://example.internal/payments/api']}",
        "sans: {uri: ['spiffe://example.internal/fraud/api']}",
        "'spiffe",
        "URI “spiffe://example.internal/fraud/api” has a path that is not allowed",
    ),
    Rule(
        "sans.uri.spiffe.paths",
        SPIFFE,
        "sans: {uri: ['spiffe://example.internal/payments/api']}",
        "sans: {uri: ['spiffe://example.internal']}",
        "'spiffe",
        "URI “spiffe://example.internal” has a path that is not allowed",
    ),
    Rule(
        "sans.uri.spiffe",
        SPIFFE,
        "sans: {uri: ['https://a.example.internal/x', 'https://b.example.internal/x']}",
        "sans: {uri: ['spiffe://example.internal/payments/api', 'https://a.example.internal/x']}",
        "'https",
        "URI “https://a.example.internal/x” stands beside URI"
        " “spiffe://example.internal/payments/api”; allowed with a SPIFFE ID is no other URI",
    ),
    Rule(
        "sans.uri.deny",
        SPIFFE,
        "sans: {uri: ['spiffe://example.internal/payments/y']}",
        "sans: {uri: ['spiffe://example.internal/payments/x']}",
        "'spiffe",
        "URI “spiffe://example.internal/payments/x” is denied by",
    ),
    Rule(
        "uri.spiffe",
        SPIFFE,
        "sans: {uri: ['spiffe://example.internal/payments/y']}",
        "sans: {uri: ['SPIFFE://example.internal/payments/y']}",
        "'SPIFFE",
        "URI “SPIFFE://example.internal/payments/y” is no SPIFFE ID",
    ),
    Rule(
        "subject.commonName.deny",
        with_subject('commonName: {allow: ["**"], deny: ["*admin*", "vault.**"]}'),
        "subject: {commonName: admin}",
        "subject: {commonName: xADMINx}",
        "xADMINx",
        "subject commonName “xADMINx” is denied by “*admin*”; deny goes before allow",
    ),
    Rule(
        "subject.organization.deny",
        with_subject("organization: {fixed: Example, deny: [example]}"),
        "subject: {}",
        "subject: {organization: Example}",
        "Example",
        "subject organization “Example” is denied by “example”; deny goes before allow",
        options={"policy": with_subject("organization: {fixed: Example, deny: [other]}")},
    ),
    Rule(
        "subject.organizationalUnit.max",
        with_subject("organizationalUnit: {allow: ['*'], max: 2}"),
        "subject: {organizationalUnit: [b, a]}",
        "subject: {organizationalUnit: [b, a, d, c]}",
        "d,",
        "subject organizationalUnit “d” is value 3 of its attribute; allowed are 2",
    ),
    Rule(
        "subject.1.2.840.99999.7.allow",
        with_subject("1.2.840.99999.7: {allow: ['unit-*'], required: true}"),
        "subject: {1.2.840.99999.7: [unit-2, unit-1]}",
        "subject: {1.2.840.99999.7: [unit-2, x]}",
        "x]",
        "subject 1.2.840.99999.7 “x” is not allowed; allowed is “unit-*”",
    ),
    Rule(
        "subject.1.2.840.99999.8",
        with_subject("1.2.840.99999.7: {allow: ['unit-*']}"),
        "subject: {1.2.840.99999.7: unit-2}",
        "subject: {1.2.840.99999.8: unit-2}",
        "unit-2",
        "subject 1.2.840.99999.8 “unit-2” is not mentioned by the policy; allowed is"
        " 1.2.840.99999.7",
    ),
    Rule(
        "subject.1.2.840.99999.7.required",
        with_subject("1.2.840.99999.7: {allow: ['*'], required: true}", "title: {allow: ['*']}"),
        "subject: {1.2.840.99999.7: x}",
        "subject: {title: x}",
        "{title",
        "subject 1.2.840.99999.7 is missing and required",
    ),
]
_SANS_LINE = "sans: {dns: [api.example.internal]}"


def whole(line: str) -> str:
    """A request with the line, and a DNS name where it says nothing of alternative names."""
    return request_text(line) if line.startswith("sans") else request_text(line, _SANS_LINE)


@pytest.mark.parametrize("rule", EXAMPLES, ids=lambda rule: rule.name)
def test_a_document_that_the_rule_allows_is_issued_without_a_finding(rule: Rule) -> None:
    verdict = judge(whole(rule.allowed), **{"policy": rule.policy} | rule.options)
    assert texts(verdict.findings) == []
    assert verdict.template is not None


@pytest.mark.parametrize("rule", EXAMPLES, ids=lambda rule: rule.name)
def test_a_document_that_the_rule_denies_is_a_finding_at_its_place(rule: Rule) -> None:
    text = whole(rule.denied)
    verdict = judge(text, **{"policy": rule.policy} | rule.denied_options)
    (finding,) = verdict.findings
    line, column = place(text, rule.at)
    assert finding.rule == rule.name
    assert str(finding.location) == f"requests/payments/api.yaml:{line}:{column}"
    assert finding.message.startswith(rule.says)
    assert finding.remedy


ALL = with_sans(
    f'otherName: {{{UPN}: {{allow: ["*@example.internal"]}}}}',
    'directoryName: {allow: [{organization: "*", commonName: "*"}]}',
    'registeredID: {allow: ["1.2.**"]}',
    'dns: {allow: ["**.example.internal"]}',
)
ALL_STATED = request_text(
    f"sans: {{otherName: [{{oid: {UPN}, utf8: jo@example.internal}}], registeredID: [1.2.3],"
    " directoryName: [{organization: Example, commonName: jo}], dns: [a.example.internal]}"
)
ALL_ASKED = (
    "id:1.2.3",
    "dns:a.example.internal",
    "directory:organization=Example,commonName=jo",
    "upn:jo@example.internal",
)


def test_every_type_of_name_reaches_the_template_in_one_order() -> None:
    verdict = judge(ALL_STATED, policy=ALL, csr_bytes=csr((), ALL_ASKED))
    assert texts(verdict.findings) == []
    assert verdict.template is not None
    assert verdict.template.sans == (
        GeneralName("dns", "a.example.internal"),
        GeneralName("otherName", "jo@example.internal", UPN),
        GeneralName(
            "directoryName",
            attributes=(NameAttribute("2.5.4.10", "Example"), NameAttribute("2.5.4.3", "jo")),
        ),
        GeneralName("registeredID", "1.2.3"),
    )


@pytest.mark.parametrize("left_out", ALL_ASKED)
def test_a_csr_that_states_names_states_all_types_of_them(left_out: str) -> None:
    asked = tuple(name for name in ALL_ASKED if name != left_out)
    (finding,) = judge(ALL_STATED, policy=ALL, csr_bytes=csr((), asked)).findings
    assert finding.rule == "csr.sans"
    assert "and the CSR, which states others, does not" in finding.message


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("id:1.3.1", "csr.sans"),
        ("upn:root@example.internal", "csr.sans"),
        ("directory:commonName=jo,organization=Example", "csr.sans"),
        ("ia5:jo@example.internal", "csr.names"),
    ],
)
def test_a_csr_states_no_name_beyond_those_of_the_request(name: str, rule: str) -> None:
    (finding,) = judge(ALL_STATED, policy=ALL, csr_bytes=csr((), (*ALL_ASKED, name))).findings
    assert finding.rule == rule


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("id:1.3.1", "sans.registeredID.allow"),
        ("upn:jo@other.internal", f"sans.otherName.{UPN}.allow"),
        ("upn:jo", "otherName.upn"),
        ("directory:commonName=jo", "sans.directoryName.allow"),
        ("ia5:jo@example.internal", "csr.names"),
    ],
)
def test_names_from_the_csr_are_judged_alike(name: str, rule: str) -> None:
    policy = changed(ALL, ("  issuer: issuing\n", "  issuer: issuing\n  namesFrom: csr\n"))
    request = request_text("validity: 30d")
    assert texts(judge(request, policy=policy, csr_bytes=csr((), ALL_ASKED)).findings) == []
    (finding,) = judge(request, policy=policy, csr_bytes=csr((), (*ALL_ASKED, name))).findings
    assert finding.rule == rule


def test_a_csr_can_state_an_attribute_that_has_no_name() -> None:
    policy = with_subject("1.2.840.99999.7: {allow: ['unit-*']}")
    text = request_text("subject: {1.2.840.99999.7: unit-1}", _SANS_LINE)
    same = csr((("1.2.840.99999.7", "unit-1"),))
    assert texts(judge(text, policy=policy, csr_bytes=same).findings) == []
    (finding,) = judge(text, policy=policy, csr_bytes=csr((("1.2.840.99999.7", "x"),))).findings[:1]
    assert finding.rule == "csr.subject"


def test_other_types_do_not_count_as_names_of_a_machine() -> None:
    policy = changed(
        ALL, ('    commonName: {allow: ["**.example.internal"]', "    commonName: {allow: ['**']")
    )
    text = request_text(
        "subject: {commonName: jo@example.internal}",
        f"sans: {{otherName: [{{oid: {UPN}, utf8: jo@example.internal}}]}}",
    )
    (finding,) = judge(text, policy=policy).findings
    assert finding.rule == "subject.commonName.mustBeInSans"


def test_the_order_of_a_subject_with_several_values_is_kept() -> None:
    policy = with_subject("domainComponent: {allow: ['*']}", "organizationalUnit: {allow: ['*']}")
    text = request_text(
        "subject: {organizationalUnit: [b, a], domainComponent: [internal, example]}", _SANS_LINE
    )
    template = judge(text, policy=policy).template
    assert template is not None
    assert [part.value for part in template.subject] == ["b", "a", "internal", "example"]


def test_a_wildcard_common_name_is_held_against_deny_and_the_wildcard_patterns() -> None:
    policy = changed(
        WILDCARDS,
        (_SUBJECT.replace("    organization: {fixed: Example}\n", ""),
         "  subject:\n    commonName: {allow: ['**.example.internal'],"
         " deny: [vault.apps.example.internal]}\n"),
    )  # fmt: skip
    name = "*.apps.example.internal"
    text = request_text(f"subject: {{commonName: '{name}'}}", f"sans: {{dns: ['{name}']}}")
    (finding,) = judge(text, policy=policy).findings
    assert finding.rule == "subject.commonName.deny"
    allowed = changed(policy, ("deny: [vault.apps.", "deny: [vault."))
    assert texts(judge(text, policy=allowed).findings) == []
    elsewhere = text.replace("*.apps", "*.x")
    assert [found.rule for found in judge(elsewhere, policy=allowed).findings] == [
        "subject.commonName.allow",
        "sans.dns.wildcards",
    ]


def test_a_special_name_that_is_not_allowed_is_one_finding() -> None:
    policy = with_sans('dns: {allow: ["**.example.internal"]}')
    verdict = judge(request_text("sans: {dns: [localhost]}"), policy=policy)
    assert [finding.rule for finding in verdict.findings] == ["sans.dns.allow"]


@pytest.mark.parametrize(
    ("lines", "at"),
    [
        (['dns: {allow: ["Bü.example"]}'], '"Bü'),
        (['dns: {allow: [], wildcards: ["*.Bü.example"]}'], '"*.Bü'),
        ([f"otherName: {{{UPN}: {{allow: ['*']}}}}"], "'*'}"),
        ([f"otherName: {{{UPN}: {{deny: ['admin']}}}}"], "'admin'"),
    ],
)
def test_a_pattern_that_means_nothing_to_its_type_is_a_finding(lines: list[str], at: str) -> None:
    policy = with_sans(*lines)
    at = at.removesuffix("}")
    findings: list[Finding] = [
        found for found in judge(policy=policy).findings if found.rule == "policy.pattern"
    ]
    line, column = place(policy, at)
    assert [str(found.location) for found in findings] == [
        f"policies/internal-server.yaml:{line}:{column}"
    ]
