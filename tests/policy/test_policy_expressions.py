"""Rules in CEL: what is true allows, and everything else denies."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from policy_material import POLICY, REQUEST, case, changed, csr, judge, place, request_text

from gitca.documents.expression_rules import shape_of
from gitca.documents.parse import parse_document
from gitca.documents.source import parse_source
from gitca.findings import Finding
from gitca.policy.evaluate import evaluate
from gitca.policy.expressions import ExpressionError, compile_expression

LABELLED = changed(
    REQUEST,
    (
        "kind: CertificateRequest\n",
        "kind: CertificateRequest\nmetadata: {owner: pay, labels: {team: payments},"
        " annotations: {ticket: OPS-1}, contacts: [a@b.c], description: d}\n",
    ),
)


def ruled(*expressions: str) -> str:
    """Return the policy with rules; each is called r0, r1 and so on."""
    lines = "".join(
        f"    - {{name: r{number}, expression: {quoted(text)}, message: m{number} is asked}}\n"
        for number, text in enumerate(expressions)
    )
    return changed(POLICY, ("  issuer: issuing\n", f"  issuer: issuing\n  rules:\n{lines}"))


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def findings(expression: str, request: str = LABELLED, **options: Any) -> list[Finding]:
    return list(judge(request, policy=ruled(expression), **options).findings)


def refusal(expression: str) -> list[Finding]:
    """Return what the document of a policy with the expression is refused for."""
    source, found = parse_source("policies/p.yaml", ruled(expression).encode())
    assert source is not None
    assert found == ()
    return list(parse_document(source, name="p", kinds=("IssuancePolicy",))[1])


@pytest.mark.parametrize(
    "expression",
    [
        'request.name == "payments/api"',
        'request.path == ["payments", "api"]',
        'request.owner == "pay" && request.contacts[0] == "a@b.c" && request.description == "d"',
        'request.labels.team == "payments" && request.annotations["ticket"].startsWith("OPS-")',
        'request.spec.sans.dns == ["api.example.internal"] && !has(request.spec.csrFile)',
        'certificate.subject.commonName == ["api.example.internal"]',
        'certificate.sans.dns.all(n, n.endsWith(".example.internal"))',
        "size(certificate.sans.ip) + size(certificate.sans.uri + certificate.sans.email) == 0",
        'certificate.key.type == "ecdsa" && certificate.key.curve == "P-256"',
        'certificate.key.size == 256 && certificate.key.identifier.startsWith("sha256:")',
        'certificate.keyUsage == ["digitalSignature"]',
        'certificate.extendedKeyUsage == ["serverAuth"] && !certificate.isCa',
        "certificate.pathLength == -1 && size(certificate.extensions) == 0",
        'certificate.certificatePolicies == ["1.3.6.1.4.1.99999.1.1"]',
        "certificate.nameConstraints.permitted.dns == [] && certificate.sans.otherName == []",
        'certificate.validity <= duration("720h") && certificate.backdate == duration("5m")',
        'certificate.issuer == "issuing" && policy.issuer == "issuing"',
        'policy.name == "internal-server" && policy.owner == "" && size(policy.labels) == 0',
        'now == timestamp("2026-11-24T12:00:00Z") && now.getFullYear() == 2026',
        "size(request.name) < 40 // names are short",
        'certificate.sans.dns.exists(n, n.matches("^api[.]")) && request.path[0] in ["payments"]',
        'certificate.sans.dns.filter(n, n.contains("map(")).size() == 0',
    ],
)
def test_a_true_expression_over_the_documented_variables_allows(expression: str) -> None:
    assert findings(expression) == []


def test_a_false_expression_denies_with_the_policys_own_words() -> None:
    (finding,) = findings("size(request.name) < 5")
    assert str(finding) == (
        "requests/payments/api.yaml:4:1: the request breaks the rule; allowed: m0 is asked"
        " (policy internal-server, rules.r0); change the request, or the policy's rule"
    )


def test_each_rule_is_a_finding_of_its_own() -> None:
    verdict = judge(policy=ruled("1 == 2", "true", "1 == 3"))
    assert [finding.rule for finding in verdict.findings] == ["rules.r0", "rules.r2"]
    assert verdict.is_denied


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ('request.labels.region == "eu"', "there is no key 'region'"),
        ("request.path[7] == 'x'", "index out of bounds: 7"),
        ("1 / (size(request.name) - size(request.name)) > 0", "division by zero"),
        ("request.name < 5", "No such overload"),
        ("9223372036854775807 + size(request.name) > 0", "overflow"),
        ('request.name.matches("[")', "not a valid regex"),
        ('timestamp("soon") < now', "timestamp"),
        ("certificate.sans.dns.all(n, n)", "No such overload"),
    ],
)
def test_an_expression_that_errs_denies(expression: str, words: str) -> None:
    (finding,) = findings(expression)
    assert finding.rule == "rules.r0"
    assert finding.is_error
    assert words in finding.message
    assert "\n" not in finding.message


@pytest.mark.parametrize(
    ("expression", "kind"),
    [("1", "int"), ('"true"', "str"), ("null", "NoneType"), ("[true]", "list"), ("1.0", "float")],
)
def test_a_value_that_is_neither_true_nor_false_denies(expression: str, kind: str) -> None:
    (finding,) = findings(expression)
    assert f"the rule gives a {kind}, neither true nor false" in finding.message


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("1 +", "does not compile: 1:4: Syntax error"),
        ("request.name ==== 1", "does not compile"),
        ("(" * 30 + "true" + ")" * 29, "does not compile"),
        ('reqest.name == "x"', "names “reqest”; there are request, certificate, policy, now"),
        ('request.name.lowerAscii() == "x"', "calls “lowerAscii”; there are"),
        ("cel.bind(x, 1, x == 1)", "names"),
        ("[1].transformList(i, v, v) == [1]", "names"),
    ],
)
def test_an_expression_that_does_not_compile_denies_and_is_a_finding_at_its_place(
    expression: str, words: str
) -> None:
    policy = ruled(expression)
    own, denial = judge(policy=policy).findings
    assert own.rule == "policy.rules.expression"
    assert own.location.file == "policies/internal-server.yaml"
    assert (own.location.line, own.location.column) == place(policy, quoted(expression))
    assert words in own.message
    assert denial.rule == "rules.r0"
    assert denial.is_error


@pytest.mark.parametrize(
    ("expression", "rule"),
    [
        ("[1].map(x, [x, x]).size() == 1", "policy.rules.map"),
        ("[1] . map ( x, x).size() == 1", "policy.rules.map"),
        ("r'\\'.size() == 1 || [1].map(x, x).size() == 1", "policy.rules.map"),
        ("[1].all(a, [1].all(b, [1].all(c, true)))", "policy.rules.size"),
        ("[1].all(a, [1].exists(b, [1].filter(c, true).size() == 1))", "policy.rules.size"),
        ("[1].all(a, true) && " * 9 + "true", "policy.rules.size"),
        ("+".join(["1"] * 18) + " > 0", "policy.rules.size"),
        ("(" * 33 + "true" + ")" * 33, "policy.rules.size"),
        ('"""x""" == "x"', "policy.rules.quotes"),
        ("true " + "|| true" * 200, "document.value"),
    ],
)
def test_an_expression_beyond_its_bounds_is_refused_with_its_policy(
    expression: str, rule: str
) -> None:
    (finding,) = refusal(expression)
    assert finding.rule == rule
    assert finding.is_error


@pytest.mark.parametrize(
    "expression",
    ['"a.map(b) + + + [1].all(x, [2].all(" == "x"', "true // .map(x, y)", r"'it\'s .map(' == 'x'"],
)
def test_what_stands_in_strings_and_comments_is_not_counted(expression: str) -> None:
    shape = shape_of(expression)
    assert (shape.maps, shape.loops, shape.additions, shape.depth) == (False, 0, 0, 0)


def test_a_loop_that_the_bounds_overlook_is_a_name_that_nobody_knows() -> None:
    # `@` is no CEL; whatever hides a loop from the bounds binds a name that they have not seen.
    assert shape_of("[1].all(x, x > 0)").variables == {"x"}
    with pytest.raises(ExpressionError, match="names"):
        compile_expression("[1].existsAny(x, x > 0)")


def test_a_rule_that_might_take_too_long_on_a_request_denies_at_once() -> None:
    names = ", ".join(f"n{number}.example.internal" for number in range(1001))
    kind = "kind: CertificateRequest\n"
    crowded = changed(REQUEST, (kind, f"{kind}metadata: {{contacts: [{names}]}}\n"))
    nested = "request.contacts.all(a, request.contacts.all(b, a == b || true))"
    before = time.process_time()
    (finding,) = findings(nested, crowded)
    assert time.process_time() - before < 1.0
    assert "it may take 2004002 steps of 1000000" in finding.message
    assert findings("request.contacts.all(a, a != '')", crowded) == []


def test_expressions_are_compiled_once() -> None:
    compile_expression.cache_clear()
    for _ in range(3):
        assert findings("size(request.name) < 40") == []
    assert compile_expression.cache_info().misses == 1


def test_where_there_is_no_template_the_rules_are_not_judged() -> None:
    text = request_text("sans: {dns: [a_b.example.internal]}")
    verdict = judge(text, policy=ruled("1 == 2"))
    assert [finding.rule for finding in verdict.findings] == ["dns.underscore"]


def test_names_out_of_the_csr_are_what_the_rules_see() -> None:
    policy = changed(
        ruled('certificate.sans.dns == ["other.example.internal"]'),
        ("  issuer: issuing\n", "  issuer: issuing\n  namesFrom: csr\n"),
    )
    names = csr((), ("dns:other.example.internal",))
    assert judge(request_text("validity: 30d"), policy=policy, csr_bytes=names).findings == ()


def test_a_hostile_document_reaches_no_traceback() -> None:
    text = changed(LABELLED, ("team: payments", "team: '\\x00\\u202e\"]}'"))
    (finding,) = findings('request.labels.team == "payments"', text)
    assert finding.rule == "rules.r0"
    judged = evaluate(replace(case(LABELLED, policy=ruled("now > now"))))
    assert judged.is_denied
