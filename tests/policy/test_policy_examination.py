"""What is wrong with a policy by itself: each finding, and a document without it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from policy_material import NOW, governing

from gitca.findings import Finding
from gitca.policy.authority import propose_authority
from gitca.policy.examination import examine_policy
from gitca.policy.pattern_relations import is_denied
from gitca.policy.patterns import compile_pattern

ISSUING = """\
apiVersion: gitca/v1
kind: CertificateAuthority
spec:
  subject: {commonName: Example Issuing CA}
  issuer: root
  key: "file:issuing.key"
  validity: 5y
  nameConstraints:
    permitted:
      dns: [example.internal]
      ip: [10.0.0.0/8]
      email: [example.internal]
      uri: [example.internal, .example.internal]
    excluded: {dns: [vault.example.internal]}
"""
SPEC: dict[str, Any] = {
    "issuer": "issuing",
    "subject": {"commonName": {"allow": ["**.example.internal"], "mustBeInSans": True}},
    "sans": {"dns": {"allow": ["**.example.internal"]}},
    "key": {"algorithms": [{"type": "ecdsa", "curves": ["P-256"]}]},
    "validity": {"default": "30d", "max": "90d"},
    "keyUsage": {"default": ["digitalSignature"]},
}


def policy_text(**spec: Any) -> str:
    head = {"apiVersion": "gitca/v1", "kind": "IssuancePolicy", "spec": SPEC | spec}
    return yaml.safe_dump(head, sort_keys=False)


def examined(requests: Iterable[str] = (), *, issuing: str = ISSUING, **spec: Any) -> list[Finding]:
    documents = governing(policy_text(**spec), issuing=issuing)
    policy = documents.policies["internal-server"]
    constraints = propose_authority(documents.authorities["issuing"], b"").name_constraints
    return list(examine_policy(policy, constraints, requests, NOW))


def said(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    return [(finding.rule, finding.severity.value) for finding in findings]


def dns(*allow: str, **rules: Any) -> dict[str, Any]:
    return {"sans": {"dns": {"allow": list(allow), **rules}}}


def test_a_usual_policy_has_no_findings() -> None:
    assert examined(["payments/api"]) == []


ENTRIES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "denied by a wider pattern": (
        dns("*.a.example.internal", "**.example.internal", deny=["**.a.example.internal"]),
        dns("*.a.example.internal", "**.example.internal", deny=["web.a.example.internal"]),
        "pattern “*.a.example.internal” allows nothing: all that it matches is denied by"
        " “**.a.example.internal”",
    ),
    "denied to the letter": (
        dns("b.example.internal", "**.example.internal", deny=["B.example.internal"]),
        dns("b.example.internal", "**.example.internal", deny=["c.example.internal"]),
        "all that it matches is denied by “B.example.internal”",
    ),
    "an address that is denied": (
        {"sans": {"ip": {"allow": ["10.1.0.0/16", "10.2.0.0/16"], "deny": ["10.1.0.0/16"]}}},
        {"sans": {"ip": {"allow": ["10.1.0.0/16", "10.2.0.0/16"], "deny": ["10.1.2.0/24"]}}},
        "pattern “10.1.0.0/16” allows nothing",
    ),
    "a value that is denied in other letters": (
        {"subject": {"organization": {"allow": ["Example *", "Other"], "deny": ["example *"]}}},
        {"subject": {"organization": {"allow": ["Example *", "Other"], "deny": ["example x"]}}},
        "all that it matches is denied by “example *”",
    ),
    "an address of mail that is denied": (
        {"sans": {"email": {"allow": ["Ops@example.internal", "*@example.internal"],
                            "deny": ["ops@example.internal"]}}},
        {"sans": {"email": {"allow": ["ops@example.internal", "*@example.internal"],
                            "deny": ["root@example.internal"]}}},
        "pattern “Ops@example.internal” allows nothing",
    ),
    "outside of the CA's domain": (
        dns("**.example.com", "**.example.internal"),
        dns("**.internal", "**.example.internal"),
        "it lies outside of the permitted nameConstraints of the CA (example.internal)",
    ),
    "in what the CA may not certify": (
        dns("*.vault.example.internal", "**.example.internal"),
        dns("vault-*.example.internal", "**.example.internal"),
        "it lies in the excluded nameConstraints of the CA (vault.example.internal)",
    ),
    "outside of the CA's networks": (
        {"sans": {"ip": {"allow": ["192.168.0.0/16", "10.0.0.0/8"]}}},
        {"sans": {"ip": {"allow": ["0.0.0.0/0", "10.0.0.0/8"]}}},
        "it lies outside of the permitted nameConstraints of the CA (10.0.0.0/8)",
    ),
    "outside of the CA's mail": (
        {"sans": {"email": {"allow": ["*@example.com", "*@example.internal"]}}},
        {"sans": {"email": {"allow": ["jo@*.internal", "*@example.internal"]}}},
        "pattern “*@example.com” allows nothing",
    ),
    "outside of the CA's hosts of URIs": (
        {"sans": {"uri": {"allow": ["https://*.example.com/x", "spiffe://example.internal/**"]}}},
        {"sans": {"uri": {"allow": ["https://a.*.internal/x", "spiffe://example.internal/**"]}}},
        "pattern “https://*.example.com/x” allows nothing",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("dead", "alive", "words"), ENTRIES.values(), ids=ENTRIES)
def test_an_entry_that_can_match_nothing_is_a_warning_at_the_entry(
    dead: dict[str, Any], alive: dict[str, Any], words: str
) -> None:
    subject = {"commonName": {"allow": ["**"]}}
    (finding,) = examined(**{"subject": subject, **dead})
    assert said([finding]) == [("policy.allow", "warning")]
    assert words in finding.message
    assert finding.location.file == "policies/internal-server.yaml"
    assert finding.location.line > 1
    assert finding.policy == "internal-server"
    assert examined(**{"subject": subject, **alive}) == []


@pytest.mark.parametrize(
    ("dead", "alive"),
    [
        (dns("**.example.com"), dns("**.example.com", "a.example.internal")),
        (dns("*.example.internal", deny=["**"]), dns("*.example.internal", deny=["*"])),
        (dns("a.vault.example.internal"), dns()),
    ],
    ids=["outside", "denied", "excluded"],
)
def test_a_list_that_no_name_can_match_is_an_error(
    dead: dict[str, Any], alive: dict[str, Any]
) -> None:
    found = examined(subject={}, **dead)
    assert said(found) == [("policy.allow", "warning"), ("policy.allow", "error")]
    assert found[1].message.startswith("no name can match sans.dns.allow")
    assert ("policy.allow", "error") not in said(examined(subject={}, **alive))


def test_spiffe_ids_outside_of_the_cas_domain_are_found() -> None:
    rules = {"trustDomain": "example.com", "paths": ["**"]}
    found = examined(subject={}, sans={"uri": {"spiffe": rules}})
    assert found[-1].message.startswith("no name can match sans.uri.spiffe.paths")
    rules = {"trustDomain": "example.internal", "paths": ["**"]}
    assert examined(subject={}, sans={"uri": {"spiffe": rules}}) == []


def test_of_a_template_nothing_is_certain() -> None:
    assert examined(subject={}, **dns("{path[0]}.example.com", deny=["**.example.com"])) == []


@pytest.mark.parametrize(
    ("never", "possible"),
    [
        ({"sans": {"ip": {"required": True}}}, {"sans": {"ip": {}}}),
        (
            {"sans": {"dns": {"allow": ["a.example.internal"], "required": True, "max": 0}}},
            {"sans": {"dns": {"allow": ["a.example.internal"], "required": True, "max": 1}}},
        ),
        (
            {"sans": {"otherName": {"1.2.3": {"required": True}}}},
            {"sans": {"otherName": {"1.2.3": {"allow": ["x"], "required": True}}}},
        ),
        (
            {"subject": {"organization": {"required": True}}},
            {"subject": {"organization": {"required": True, "default": "Example"}}},
        ),
    ],
    ids=["a type", "a count", "an other name", "an attribute"],
)
def test_what_is_required_and_never_allowed_is_an_error(
    never: dict[str, Any], possible: dict[str, Any]
) -> None:
    subject: dict[str, Any] = {"subject": {}}
    assert said(examined(**(subject | never))) == [("policy.required", "error")]
    assert examined(**(subject | possible)) == []


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"country": {"fixed": "GBR"}}, "country “GBR” of fixed is none"),
        ({"organization": {"default": "Example", "deny": ["exam*"]}}, "is denied by “exam*”"),
        ({"commonName": {"fixed": "www.example.com"}}, "is outside of the permitted"),
        ({"email": {"default": "jo@example.com"}}, "is outside of the permitted"),
        (
            {"commonName": {"fixed": "x.example.internal.", "mustBeInSans": True}},
            "no such name may be asked for",
        ),
    ],
    ids=["malformed", "denied", "constrained", "constrained mail", "not among the names"],
)
def test_a_supplied_value_that_is_never_let_pass_is_an_error(
    rule: dict[str, Any], words: str
) -> None:
    found = examined(subject=rule)
    assert set(said(found)) == {("policy.subject.value", "error")}
    assert any(words in finding.message for finding in found)


@pytest.mark.parametrize(
    "rule",
    [
        {"country": {"fixed": "GB"}},
        {"organization": {"default": "Example", "deny": ["other"]}},
        {"commonName": {"fixed": "www.example.internal", "mustBeInSans": True}},
        {"email": {"default": "jo@example.internal"}},
    ],
)
def test_a_supplied_value_that_may_stand_is_none(rule: dict[str, Any]) -> None:
    assert examined(subject=rule) == []


def usages(key: str, **lists: list[str]) -> dict[str, Any]:
    more = {"curves": ["P-256"]} if key == "ecdsa" else {}
    return {"key": {"algorithms": [{"type": key, **more}]}, "keyUsage": lists}


@pytest.mark.parametrize(
    ("spec", "severity"),
    [
        (usages("ecdsa", default=["keyEncipherment"]), "error"),
        (usages("ecdsa", default=["digitalSignature"], allow=["digitalSignature",
                                                              "keyEncipherment"]), "warning"),
        (usages("ed25519", default=["digitalSignature", "keyAgreement"]), "error"),
    ],
)  # fmt: skip
def test_a_key_usage_that_no_allowed_key_can_have_is_found(
    spec: dict[str, Any], severity: str
) -> None:
    assert said(examined(**spec)) == [("policy.keyUsage", severity)]
    both = {"type": "rsa"}, {"type": "ecdsa", "curves": ["P-256"]}
    assert examined(**(spec | {"key": {"algorithms": list(both)}})) == []


def test_a_selector_of_nothing_is_an_error() -> None:
    assert said(examined(selector={"paths": []})) == [("policy.selector", "error")]


def test_a_selector_that_fits_no_request_there_is_is_a_warning() -> None:
    selector = {"paths": ["orders/**"]}
    (finding,) = examined(["payments/api", "order"], selector=selector)
    assert said([finding]) == [("policy.selector", "warning")]
    assert "none of the 2 requests" in finding.message
    assert examined(["payments/api", "orders/a/b"], selector=selector) == []
    assert examined([], selector=selector) == []


def test_an_expression_that_does_not_compile_is_an_error() -> None:
    rule = {"name": "r", "expression": "size(nobody) < 3", "message": "short"}
    assert said(examined(rules=[rule])) == [("policy.rules.expression", "error")]
    assert examined(rules=[rule | {"expression": "size(request.name) < 3"}]) == []


def test_a_maximum_below_the_default_is_an_error_of_the_document() -> None:
    with pytest.raises(AssertionError, match=r"policy\.validity\.order"):
        examined(validity={"default": "90d", "max": "30d"})


PARTS = ("*", "**", "a", "b", "a*", "*b", "a*b", "ab")
NAMES = [
    ".".join(labels)
    for depth in (1, 2, 3)
    for labels in itertools.product(("a", "b", "ab", "aab", "abb"), repeat=depth)
]
PATTERNS = st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).map(".".join)


@given(PATTERNS, PATTERNS)
def test_what_is_said_of_two_patterns_holds_for_every_name(one: str, other: str) -> None:
    first, second = compile_pattern("dns", one), compile_pattern("dns", other)
    both = [name for name in NAMES if first.admits(name)]
    denied = [name for name in both if second.forbids(name)]
    if is_denied("dns", one, other):
        assert denied == both
    meets = first.language.meets(second.language)
    assert meets or not denied


@pytest.mark.parametrize("pattern", ["*a" * 60 + ".x", "**." * 40 + "x", "*-" * 80 + "b.c"])
def test_long_patterns_are_compared_in_bounded_time(pattern: str) -> None:
    assert is_denied("dns", pattern, "**")
    is_denied("dns", "**." + pattern, pattern)
