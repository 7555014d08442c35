"""CA certificates: what they say, and what their issuer lets them say."""

from __future__ import annotations

from datetime import timedelta

import pytest
from policy_material import ISSUING, NOW, ROOT, changed, governing, place, texts

from gitca.findings import Finding
from gitca.policy.authority import judge_authority, propose_authority
from gitca.policy.case import IssuerFacts
from gitca.x509.template import BasicConstraints, GeneralName, NameConstraints

YEARS = timedelta(days=365)


def _judge(
    issuing: str, root: str = ROOT, *, made: bool = True, age: timedelta = timedelta(days=1)
) -> tuple[Finding, ...]:
    documents = governing(issuing=issuing, root=root).authorities
    parent = documents["root"]
    begins = NOW - age
    ends = begins + parent.spec.validity - timedelta(seconds=1)
    facts = IssuerFacts("root", begins, ends, propose_authority(parent, b""))
    return judge_authority(documents["issuing"], parent, facts if made else None, NOW)


def _with(text: str, *lines: str) -> str:
    return text + "".join(f"  {line}\n" for line in lines)


def test_a_ca_template_is_minimal() -> None:
    issuing = _with(ISSUING, "nameConstraints: {permitted: {dns: [example.internal]}}")
    template = propose_authority(governing(issuing=issuing).authorities["issuing"], b"spki")
    assert template.spki_der == b"spki"
    assert [part.value for part in template.subject] == ["Example Issuing CA", "Example"]
    assert template.key_usage == ("keyCertSign", "cRLSign")
    assert template.extended_key_usage == ()
    assert template.basic_constraints == BasicConstraints(0)
    assert template.name_constraints == NameConstraints((GeneralName("dns", "example.internal"),))
    assert template.sans == ()


@pytest.mark.parametrize("made", [True, False])
def test_a_root_and_an_issuing_ca_below_it_have_no_findings(made: bool) -> None:
    root = governing().authorities["root"]
    assert judge_authority(root, None, None, NOW) == ()
    assert texts(_judge(ISSUING, made=made)) == []


DENIED = [
    (
        "authority.pathLength",
        changed(ISSUING, ("pathLength: 0", "pathLength: 1")),
        _with(ROOT, "pathLength: 1"),
        "1\n  crl",
        "pathLength 1 is above 0, what pathLength 1 of CA root leaves",
    ),
    (
        "authority.pathLength",
        changed(ISSUING, ("  pathLength: 0\n", "")),
        _with(ROOT, "pathLength: 1"),
        "spec",
        "no pathLength, which is any, is above 0",
    ),
    (
        "authority.pathLength",
        ISSUING,
        _with(ROOT, "pathLength: 0"),
        "root",
        "CA root has pathLength 0; allowed below it is no CA",
    ),
    (
        "authority.validity",
        changed(ISSUING, ("validity: 5y", "validity: 11y")),
        ROOT,
        "11y",
        "validity 11y",
    ),
    (
        "subject.country",
        changed(ISSUING, ("organization: Example", "country: gb")),
        ROOT,
        "gb",
        "subject country “gb” is not two letters",
    ),
    (
        "subject.duplicate",
        changed(ISSUING, ("Example Issuing CA,", "[Example Issuing CA, Another CA],")),
        ROOT,
        "Another",
        "subject value “Another CA” is one too many",
    ),
    ("authority.state", ISSUING, _with(ROOT, "state: crl-only"), "root", "CA root is crl-only"),
    (
        "authority.nameConstraints",
        ISSUING,
        _with(ROOT, "nameConstraints: {permitted: {dns: [example.internal]}}"),
        "spec",
        "no DNS name is constrained, and CA root permits only example.internal",
    ),
    (
        "authority.nameConstraints",
        _with(ISSUING, "nameConstraints: {permitted: {dns: [a.example.internal, internal]}}"),
        _with(ROOT, "nameConstraints: {permitted: {dns: [example.internal]}}"),
        "internal]}}",
        "permitted DNS name “internal” is too wide: CA root permits only example.internal",
    ),
    (
        "authority.nameConstraints",
        _with(ISSUING, "nameConstraints: {permitted: {ip: [10.0.0.0/7]}}"),
        _with(ROOT, "nameConstraints: {permitted: {ip: [10.0.0.0/8]}}"),
        "10.0",
        "permitted IP address “10.0.0.0/7” is too wide",
    ),
    (
        "authority.nameConstraints",
        _with(ISSUING, "nameConstraints: {permitted: {email: [example.internal]}}"),
        _with(ROOT, "nameConstraints: {permitted: {email: [jo@example.internal]}}"),
        "example.internal]}}",
        "permitted e-mail address “example.internal” is too wide",
    ),
    (
        "authority.nameConstraints",
        _with(ISSUING, "nameConstraints: {permitted: {uri: [.example.internal]}}"),
        _with(ROOT, "nameConstraints: {permitted: {uri: [example.internal]}}"),
        ".example.internal]}}",
        "permitted URI “.example.internal” is too wide",
    ),
    (
        "authority.nameConstraints",
        _with(ISSUING, "nameConstraints: {permitted: {dns: [example.internal]}}"),
        _with(ROOT, "nameConstraints: {excluded: {dns: [vault.example.internal]}}"),
        "{permitted",
        "DNS name “vault.example.internal” is excluded by CA root and not here",
    ),
    (
        "authority.nameConstraints",
        _with(ISSUING, "nameConstraints: {permitted: {dns: [10.1.2.3]}}"),
        ROOT,
        "10.1",
        "subtree “10.1.2.3” is none",
    ),
    (
        "authority.nameConstraints",
        changed(
            _with(ISSUING, "nameConstraints: {permitted: {email: [example.internal]}}"),
            ("organization: Example", "email: pki@example.com"),
        ),
        _with(ROOT, "nameConstraints: {permitted: {email: [example.internal]}}"),
        "pki@",
        "subject email “pki@example.com” is outside of the permitted nameConstraints",
    ),
]


@pytest.mark.parametrize(("rule", "issuing", "root", "at", "says"), DENIED)
@pytest.mark.parametrize("made", [True, False], ids=["parent-made", "parent-to-be-made"])
def test_a_ca_that_its_issuer_does_not_allow_is_a_finding(
    rule: str, issuing: str, root: str, at: str, says: str, *, made: bool
) -> None:
    (finding,) = _judge(issuing, root, made=made)
    assert finding.rule == rule
    assert finding.message.startswith(says)
    assert finding.location.file == "ca/issuing.yaml"
    assert (finding.location.line, finding.location.column) == place(issuing, at)
    assert finding.remedy


@pytest.mark.parametrize(
    ("own", "parents"),
    [
        ("{permitted: {dns: [a.example.internal]}}", "{permitted: {dns: [example.internal]}}"),
        ("{permitted: {ip: [10.1.0.0/16]}}", "{permitted: {ip: [10.0.0.0/8, 'fd00::/8']}}"),
        ("{permitted: {uri: [.a.internal]}}", "{permitted: {uri: [.internal]}}"),
        ("{permitted: {uri: [a.internal]}}", "{permitted: {uri: [.internal]}}"),
        ("{permitted: {email: [jo@a.internal]}}", "{permitted: {email: [a.internal]}}"),
        ("{excluded: {dns: [internal]}}", "{excluded: {dns: [vault.internal]}}"),
        ("{permitted: {dns: [a.internal]}}", "{excluded: {dns: [b.internal]}}"),
    ],
)
def test_constraints_within_those_of_the_issuer_are_allowed(own: str, parents: str) -> None:
    issuing = _with(ISSUING, f"nameConstraints: {own}")
    root = _with(ROOT, f"nameConstraints: {parents}")
    assert texts(_judge(issuing, root)) == []


def test_a_ca_may_end_in_the_last_second_of_its_issuer() -> None:
    assert texts(_judge(ISSUING, age=5 * YEARS)) == []
    (finding,) = _judge(ISSUING, age=5 * YEARS + timedelta(seconds=1))
    assert finding.rule == "authority.validity"
    assert finding.message.startswith("validity 5y reaches beyond the end of its issuer, CA root")


@pytest.mark.parametrize("age", [11 * YEARS, -timedelta(days=1)], ids=["expired", "not yet valid"])
def test_an_issuer_outside_of_its_validity_makes_no_ca(age: timedelta) -> None:
    (finding,) = _judge(ISSUING, age=age)
    assert finding.rule == "issuer.validity"


def test_a_parent_without_path_length_leaves_the_child_free() -> None:
    assert texts(_judge(changed(ISSUING, ("  pathLength: 0\n", "")))) == []
