"""Every rule with a document that it allows and one that it denies, and the place it names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from policy_material import (
    POLICY,
    REQUEST,
    changed,
    csr,
    judge,
    openssl_csr,
    place,
    request_text,
    texts,
)

from gitca.policy.evaluate import RULES
from gitca.x509.csr import parse_csr
from gitca.x509.template import PolicyInformation, spki_identifier

_API = "sans: {dns: [api.example.internal]}"


@dataclass(frozen=True)
class Rule:
    """One rule: request texts that it allows and denies, the place, and what the message says."""

    name: str
    allowed: str
    denied: str
    at: str
    says: str
    occurrence: int = 1
    policy: str = POLICY
    csr_allowed: bytes | None = None
    csr_denied: bytes | None = None
    path_denied: str = "requests/payments/api.yaml"

    @property
    def options(self) -> dict[str, Any]:
        return {"policy": self.policy, "csr_bytes": self.csr_denied, "path": self.path_denied}


CN_DNS = csr((("commonName", "api.example.internal"),), ("dns:api.example.internal",))
FROM_CSR = changed(POLICY, ("  issuer: issuing\n", "  issuer: issuing\n  namesFrom: csr\n"))
SCHEMA = (
    "{properties: {metadata: {properties: {labels: {properties: {team: {enum: [payments]}}}}}}}"
)
TRUE_WILDCARDS = changed(POLICY, ("max: 5}\n    ip", "max: 5, wildcards: true}\n    ip"))

EXAMPLES = [
    Rule(
        "selector.paths",
        REQUEST,
        REQUEST,
        "internal-server",
        "the policy does not select request “fraud/api”; allowed is “payments/**”",
        path_denied="requests/fraud/api.yaml",
    ),
    Rule(
        "subject.locality",
        REQUEST,
        request_text("subject: {locality: London}", _API),
        "London",
        "subject locality “London” is not mentioned by the policy; allowed are commonName,"
        " organization, organizationalUnit",
    ),
    Rule(
        "subject.commonName.allow",
        REQUEST,
        request_text("subject: {commonName: api.example.com}", "sans: {dns: [api.example.com]}"),
        "api.example.com",
        "subject commonName “api.example.com” is not allowed; allowed is “**.example.internal”",
        policy=changed(POLICY, ("dns: {allow: [", 'dns: {allow: ["**.example.com", ')),
    ),
    Rule(
        "subject.organization.fixed",
        request_text("subject: {organization: Example}", _API),
        request_text("subject: {organization: example}", _API),
        "example}",
        "subject organization “example” is not allowed; allowed is “Example”",
    ),
    Rule(
        "subject.organizationalUnit.allow",
        request_text("subject: {organizationalUnit: Team Payments}", _API),
        request_text("subject: {organizationalUnit: [Team Payments, system]}", _API),
        "system",
        "subject organizationalUnit “system” is not allowed; allowed is “Team *”",
    ),
    Rule(
        "subject.organizationalUnit.required",
        request_text("subject: {organizationalUnit: Team Payments}", _API),
        request_text("subject: {commonName: api.example.internal}", _API),
        "{commonName",
        "subject organizationalUnit is missing and required",
        policy=changed(POLICY, ('["Team *"]', '["Team *"], required: true')),
    ),
    Rule(
        "subject.organizationalUnit.allow",
        request_text("subject: {organizationalUnit: Core}", _API),
        request_text("subject: {organizationalUnit: Other}", _API),
        "Other",
        "subject organizationalUnit “Other” is not allowed; allowed is “Core”",
        policy=changed(POLICY, ('{allow: ["Team *"]}', "{default: Core}")),
    ),
    Rule(
        "subject.commonName.mustBeInSans",
        REQUEST,
        request_text(
            "subject: {commonName: api.example.internal}", "sans: {dns: [web.example.internal]}"
        ),
        "api.example",
        "subject commonName “api.example.internal” is none of the alternative names; allowed is"
        " “web.example.internal”",
    ),
    Rule(
        "subject.duplicate",
        REQUEST,
        request_text(
            "subject: {commonName: [api.example.internal, web.example.internal]}",
            "sans: {dns: [api.example.internal, web.example.internal]}",
        ),
        "web.example",
        "subject commonName “web.example.internal” follows “api.example.internal” of"
        " requests/payments/api.yaml:6:26; allowed is one",
    ),
    Rule(
        "sans.dns",
        request_text("sans: {uri: ['spiffe://example.internal/payments/api']}"),
        request_text("sans: {dns: [api.example.internal]}"),
        "api.example.internal",
        "DNS name “api.example.internal” is of a type that the policy does not mention; allowed"
        " are ip, uri, email",
        policy=changed(
            POLICY,
            (
                '    dns: {allow: ["**.example.internal"], deny: ["vault.example.internal"],'
                " max: 5}\n",
                "",
            ),
        ),
    ),
    Rule(
        "sans.dns.allow",
        REQUEST,
        request_text("sans:", "  dns:", "    - api.example.internal", "    - api.example.com"),
        "api.example.com",
        "DNS name “api.example.com” is not allowed; allowed is “**.example.internal”",
    ),
    Rule(
        "sans.email.allow",
        request_text("sans: {dns: [api.example.internal]}"),
        request_text("sans: {email: [jo@example.internal]}"),
        "jo@",
        "e-mail address “jo@example.internal” is not allowed; allowed is nothing",
        policy=changed(POLICY, ('email: {allow: ["*@example.internal"]', "email: {allow: []")),
    ),
    Rule(
        "sans.dns.deny",
        request_text("sans: {dns: [vault2.example.internal]}"),
        request_text("sans: {dns: [Vault.example.internal]}"),
        "Vault",
        "DNS name “vault.example.internal” is denied by “vault.example.internal”; deny goes before"
        " allow",
    ),
    Rule(
        "sans.dns.deny",
        request_text("sans: {dns: ['*.api.example.internal']}"),
        request_text("sans: {dns: ['*.example.internal']}"),
        "'*.example",
        "DNS name “*.example.internal” is denied by “vault.example.internal”",
        policy=TRUE_WILDCARDS,
    ),
    Rule(
        "sans.dns.wildcards",
        request_text("sans: {dns: [api.api.example.internal]}"),
        request_text("sans: {dns: ['*.api.example.internal']}"),
        "'*",
        "DNS name “*.api.example.internal” is a wildcard; allowed are names without",
    ),
    Rule(
        "sans.dns.required",
        REQUEST,
        request_text("sans: {ip: [10.1.2.3]}"),
        "{ip",
        "no DNS name is stated and at least one is required",
        policy=changed(POLICY, ("max: 5}\n    ip", "max: 5, required: true}\n    ip")),
    ),
    Rule(
        "sans.ip.max",
        request_text("sans: {ip: [10.1.2.3, 10.1.2.4]}"),
        request_text("sans: {ip: [10.1.2.3, 10.1.2.4, 10.1.2.5]}"),
        "[10.1",
        "3 names of type ip; allowed are 2",
        policy=changed(POLICY, ('deny: ["10.0.0.1"], max: 5', 'deny: ["10.0.0.1"], max: 2')),
    ),
    Rule(
        "sans.ip.allow",
        request_text("sans: {ip: [10.1.2.3]}"),
        request_text("sans: {ip: [11.1.2.3]}"),
        "11.1",
        "IP address “11.1.2.3” is not allowed; allowed is “10.0.0.0/8”",
    ),
    Rule(
        "sans.ip.deny",
        request_text("sans: {ip: [10.1.2.3]}"),
        request_text("sans: {ip: [10.0.0.1]}"),
        "10.0.0.1",
        "IP address “10.0.0.1” is denied by “10.0.0.1/32”",
    ),
    Rule(
        "sans.uri.allow",
        request_text("sans: {uri: ['spiffe://example.internal/payments/api']}"),
        request_text("sans: {uri: ['spiffe://example.internal/fraud/api']}"),
        "'spiffe",
        "URI “spiffe://example.internal/fraud/api” is not allowed",
    ),
    Rule(
        "sans.email.deny",
        request_text("sans: {email: [jo@example.internal]}"),
        request_text("sans: {email: [Root@example.internal]}"),
        "Root",
        "e-mail address “Root@example.internal” is denied by “root@example.internal”",
    ),
    Rule(
        "sans.duplicate",
        request_text("sans: {dns: [api.example.internal, web.example.internal]}"),
        request_text("sans: {dns: [api.example.internal, API.example.internal]}"),
        "API",
        "DNS name “api.example.internal” stands already at requests/payments/api.yaml:6:16;"
        " allowed is once",
    ),
    Rule(
        "names.none",
        REQUEST,
        request_text("validity: 30d"),
        "spec",
        "the certificate would carry no name at all",
        policy=changed(POLICY, ("    organization: {fixed: Example}\n", "")),
    ),
    Rule(
        "namesFrom",
        request_text("validity: 30d"),
        request_text("sans: {dns: [api.example.internal]}"),
        "{dns",
        "the request states sans; allowed are the names of the CSR alone (namesFrom: csr)",
        policy=FROM_CSR,
        csr_allowed=CN_DNS,
        csr_denied=csr((("organization", "Example"),)),
    ),
    Rule(
        "csr.subject",
        REQUEST,
        REQUEST,
        "api.csr",
        "the CSR states subject locality “London” and the request does not",
        csr_allowed=CN_DNS,
        csr_denied=csr((("commonName", "api.example.internal"), ("locality", "London"))),
    ),
    Rule(
        "csr.sans",
        REQUEST,
        REQUEST,
        "api.csr",
        "the CSR states DNS name “web.example.internal” and the request does not",
        csr_allowed=csr((), ("dns:api.example.internal",)),
        csr_denied=csr((), ("dns:api.example.internal", "dns:web.example.internal")),
    ),
    Rule(
        "csr.sans",
        REQUEST,
        request_text("sans: {dns: [api.example.internal], ip: [10.1.2.3]}"),
        "api.csr",
        "the request states IP address “10.1.2.3” and the CSR, which states others, does not",
        csr_denied=csr((), ("dns:api.example.internal",)),
    ),
    Rule(
        "csr.names",
        REQUEST,
        REQUEST,
        "api.csr",
        "the CSR states “otherName 1.3.6.1.4.1.311.20.2.3”, which a request cannot state",
        csr_denied=csr((), ("dns:api.example.internal", "ia5:admin@example.internal")),
    ),
    Rule(
        "key.algorithms",
        REQUEST,
        REQUEST,
        "api.csr",
        "key P-384 is not allowed; allowed are P-256, RSA of 2048 to 4096 bits",
        csr_denied=csr(key="P-384"),
    ),
    Rule(
        "key.algorithms",
        REQUEST,
        REQUEST,
        "api.csr",
        "key RSA 1024 is not allowed",
        csr_allowed=csr(key="RSA-2048"),
        csr_denied=csr(key="RSA-1024"),
    ),
    Rule(
        "key.algorithms",
        REQUEST,
        REQUEST,
        "api.csr",
        "key ML-DSA-65 is not allowed; allowed are P-256, ML-DSA-44 or ML-DSA-87",
        policy=changed(
            POLICY,
            (
                "{type: rsa, minBits: 2048, maxBits: 4096}",
                "{type: ml-dsa, parameterSets: [ML-DSA-44, ML-DSA-87]}",
            ),
        ),
        csr_denied=csr(key="ML-DSA-65"),
    ),
    Rule(
        "key.algorithms",
        REQUEST,
        REQUEST,
        "api.csr",
        "key P-256 is not allowed; allowed is Ed25519",
        policy=changed(
            POLICY,
            (
                "{type: ecdsa, curves: [P-256]}, {type: rsa, minBits: 2048, maxBits: 4096}",
                "{type: ed25519}",
            ),
        ),
        csr_allowed=csr(key="Ed25519"),
        csr_denied=csr(key="P-256"),
    ),
    Rule(
        "key.algorithms.exponents",
        REQUEST,
        REQUEST,
        "api.csr",
        "the RSA key's public exponent is 3; allowed is 65537",
        csr_allowed=csr(key="RSA-2048"),
        csr_denied=csr(key="RSA-2048-e3"),
    ),
    Rule(
        "validity.max",
        request_text(_API, "validity: 90d"),
        request_text(_API, "validity: 400d"),
        "400d",
        "validity 400d is above 90d",
    ),
    Rule(
        "validity.min",
        request_text(_API, "validity: 1d"),
        request_text(_API, "validity: 12h"),
        "12h",
        "validity 12h is below 1d",
    ),
    Rule(
        "keyUsage.allow",
        request_text(_API, "keyUsage: [digitalSignature, keyAgreement]"),
        request_text(_API, "keyUsage: [digitalSignature, nonRepudiation]"),
        "nonRep",
        "keyUsage “nonRepudiation” is not allowed; allowed are digitalSignature",
    ),
    Rule(
        "keyUsage.allow",
        request_text(_API, "keyUsage: [digitalSignature]"),
        request_text(_API, "keyUsage: []"),
        "[]",
        "keyUsage is empty, and a certificate without it serves every purpose",
    ),
    Rule(
        "keyUsage.duplicate",
        request_text(_API, "keyUsage: [digitalSignature]"),
        request_text(_API, "keyUsage: [digitalSignature, digitalSignature]"),
        "digitalSignature",
        "keyUsage “digitalSignature” stands twice; allowed is once",
        occurrence=2,
    ),
    Rule(
        "keyUsage.key-type",
        request_text(_API, "keyUsage: [digitalSignature, keyEncipherment]"),
        request_text(_API, "keyUsage: [digitalSignature, keyEncipherment]"),
        "keyEnc",
        "keyUsage keyEncipherment (key P-256) is nothing for such a key",
        csr_allowed=csr(key="RSA-2048"),
    ),
    Rule(
        "keyUsage.key-type",
        request_text(_API, "keyUsage: [digitalSignature]"),
        request_text(_API),
        "spec",
        "keyUsage keyEncipherment (default of policy internal-server, key P-256) is nothing",
        policy=changed(
            POLICY,
            ("default: [digitalSignature]", "default: [digitalSignature, keyEncipherment]"),
        ),
    ),
    Rule(
        "keyUsage.key-agreement",
        request_text(_API, "keyUsage: [keyAgreement, encipherOnly]"),
        request_text(_API, "keyUsage: [digitalSignature, encipherOnly]"),
        "encipherOnly",
        "keyUsage encipherOnly is stated without keyAgreement, which it qualifies",
    ),
    Rule(
        "extendedKeyUsage.allow",
        request_text(_API, "extendedKeyUsage: [clientAuth]"),
        request_text(_API, "extendedKeyUsage: [clientAuth, 1.3.6.1.5.5.7.3.3]"),
        "1.3.6",
        "extendedKeyUsage “1.3.6.1.5.5.7.3.3” is not allowed; allowed are serverAuth, clientAuth",
    ),
    Rule(
        "extendedKeyUsage.allow",
        request_text(_API, "extendedKeyUsage: [1.3.6.1.5.5.7.3.1]"),
        request_text(_API, "extendedKeyUsage: []"),
        "[]",
        "extendedKeyUsage is empty, and a certificate without it serves every purpose",
    ),
    Rule(
        "extendedKeyUsage.duplicate",
        request_text(_API, "extendedKeyUsage: [clientAuth]"),
        request_text(_API, "extendedKeyUsage: [clientAuth, 1.3.6.1.5.5.7.3.2]"),
        "1.3.6",
        "extendedKeyUsage “1.3.6.1.5.5.7.3.2” stands twice",
    ),
    Rule(
        "names.count",
        REQUEST,
        request_text("sans: {ip: [" + ", ".join(["10.1.2.3"] * 1001) + "]}"),
        "{ip",
        "1001 names in one certificate; allowed are 1000",
        policy=changed(POLICY, ('deny: ["10.0.0.1"], max: 5', 'deny: ["10.0.0.1"]')),
    ),
    Rule(
        "requestSchema",
        REQUEST.replace("spec:", "metadata: {labels: {team: payments}}\nspec:"),
        REQUEST.replace("spec:", "metadata: {labels: {team: fraud}}\nspec:"),
        "fraud",
        "“metadata.labels.team”: 'fraud' is not one of ['payments'], against"
        " “properties.metadata.properties.labels.properties.team.enum”",
        policy=changed(
            POLICY,
            (
                "  issuer: issuing\n",
                f"  issuer: issuing\n  requestSchema: {SCHEMA}\n",
            ),
        ),
    ),
]


@pytest.mark.parametrize("rule", EXAMPLES, ids=lambda rule: rule.name)
def test_a_document_that_the_rule_allows_is_issued_without_a_finding(rule: Rule) -> None:
    verdict = judge(rule.allowed, policy=rule.policy, csr_bytes=rule.csr_allowed)
    assert texts(verdict.findings) == []
    assert verdict.template is not None


@pytest.mark.parametrize("rule", EXAMPLES, ids=lambda rule: rule.name)
def test_a_document_that_the_rule_denies_is_a_finding_at_its_place(rule: Rule) -> None:
    verdict = judge(rule.denied, **rule.options)
    (finding,) = verdict.findings
    line, column = place(rule.denied, rule.at, rule.occurrence)
    assert finding.rule == rule.name
    assert str(finding.location) == f"{rule.path_denied}:{line}:{column}"
    assert finding.message.startswith(rule.says)
    assert finding.remedy
    assert verdict.is_denied


def test_the_message_reads_as_the_design_says() -> None:
    (finding,) = judge(request_text(_API, "validity: 400d")).findings
    assert str(finding) == (
        "requests/payments/api.yaml:7:13: validity 400d is above 90d"
        " (policy internal-server, validity.max); shorten it or change the policy"
    )


def test_a_key_that_was_revoked_as_compromised_is_refused() -> None:
    identifier = spki_identifier(parse_csr(csr()).spki_der)
    refused = {identifier: "revoked for keyCompromise by requests/payments/gone.yaml"}
    (finding,) = judge(refused_keys=refused).findings
    assert finding.rule == "key.refused"
    assert "keyCompromise by requests/payments/gone.yaml" in finding.message
    assert str(finding.location) == "requests/payments/api.yaml:7:12"


@pytest.mark.parametrize("digest", ["md5", "sha1"])
def test_a_csr_signed_with_a_broken_hash_is_denied(digest: str, tmp_path: Any) -> None:
    (finding,) = judge(csr_bytes=openssl_csr(tmp_path, digest)).findings
    assert finding.rule == "key.csrHashes"
    assert finding.message == f"the CSR is signed with {digest}; allowed are sha256, sha384, sha512"
    assert judge(csr_bytes=openssl_csr(tmp_path, "sha256")).findings == ()


@pytest.mark.parametrize(
    ("line", "rule", "at"),
    [
        ("sans: {dns: [api.example.internal.]}", "dns.trailing-dot", "api.example"),
        ("sans: {dns: [api_1.example.internal]}", "dns.underscore", "api_"),
        ("sans: {dns: [api..example.internal]}", "dns.empty-label", "api.."),
        ("sans: {dns: [10.1.2.3]}", "dns.ip-address", "10.1"),
        ("sans: {dns: [bücher.example.internal]}", "dns.not-ascii", "bü"),
        ("sans: {dns: [a.*.example.internal]}", "dns.wildcard", "a.*"),
        ("sans: {ip: [10.1.2.03]}", "ip.leading-zero", "10.1"),
        ("sans: {ip: ['::ffff:10.1.2.3']}", "ip.mapped", "'::"),
        ("sans: {uri: [payments/api]}", "uri.syntax", "payments/api]"),
        ("sans: {email: [jo]}", "email.syntax", "jo"),
        ("subject: {commonName: " + "a" * 65 + "}", "subject.length", "aaa"),
    ],
)
def test_a_malformed_name_is_one_finding_at_its_place(line: str, rule: str, at: str) -> None:
    text = request_text(line)
    verdict = judge(text)
    (finding,) = verdict.findings
    assert finding.rule == rule
    assert (finding.location.line, finding.location.column) == place(text, at)
    assert verdict.template is None


def test_all_findings_are_reported_in_one_run() -> None:
    text = request_text(
        "subject: {commonName: api.example.com, locality: London}",
        "sans: {dns: [vault.example.internal, a_b.example.internal], ip: [11.0.0.1]}",
        "validity: 400d",
        "keyUsage: [nonRepudiation]",
    )
    found = {finding.rule for finding in judge(text, csr_bytes=csr(key="P-384")).findings}
    assert found == {
        "subject.commonName.allow",
        "subject.commonName.mustBeInSans",
        "subject.locality",
        "sans.dns.deny",
        "dns.underscore",
        "sans.ip.allow",
        "validity.max",
        "keyUsage.allow",
        "key.algorithms",
    }


def test_every_rule_is_in_the_list_once_and_says_what_it_checks() -> None:
    assert len(set(RULES)) == len(RULES)
    assert all(rule.__doc__ for rule in RULES)


def test_the_template_says_what_request_policy_and_authority_say() -> None:
    text = request_text(
        "subject: {commonName: api.example.internal, organizationalUnit: [Team B, Team A]}",
        "sans: {ip: [10.1.2.3], dns: [b.example.internal, api.example.internal]}",
        "keyUsage: [keyAgreement, digitalSignature]",
        "extendedKeyUsage: [clientAuth, serverAuth]",
    )
    template = judge(text).template
    assert template is not None
    assert [attribute.value for attribute in template.subject] == [
        "Example",
        "api.example.internal",
        "Team B",
        "Team A",
    ]
    assert [str(name) for name in template.sans] == [
        "dns:b.example.internal",
        "dns:api.example.internal",
        "ip:10.1.2.3",
    ]
    assert template.key_usage == ("digitalSignature", "keyAgreement")
    assert template.extended_key_usage == ("1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1")
    assert template.basic_constraints is None
    assert template.certificate_policies == (PolicyInformation("1.3.6.1.4.1.99999.1.1"),)
    assert template.crl_urls == ("http://pki.example.internal/issuing.crl",)
    assert template.ca_issuers_urls == ("http://pki.example.internal/issuing.cer",)


def test_names_from_the_csr_are_judged_like_those_of_a_request() -> None:
    names = csr(
        (("commonName", "api.example.com"), ("organization", "system:masters")),
        ("dns:api.example.internal", "dns:vault.example.internal", "ip:11.0.0.1"),
    )
    verdict = judge(request_text("validity: 30d"), policy=FROM_CSR, csr_bytes=names)
    assert [finding.rule for finding in verdict.findings] == [
        "sans.dns.deny",
        "sans.ip.allow",
        "subject.commonName.allow",
        "subject.commonName.mustBeInSans",
        "subject.organization.fixed",
    ]
    assert {str(finding.location) for finding in verdict.findings} == {
        "requests/payments/api.yaml:5:12"
    }


def test_names_from_the_csr_fill_the_template() -> None:
    verdict = judge(request_text("validity: 30d"), policy=FROM_CSR, csr_bytes=CN_DNS)
    assert verdict.template is not None
    assert [str(name) for name in verdict.template.sans] == ["dns:api.example.internal"]
    assert [part.value for part in verdict.template.subject] == ["Example", "api.example.internal"]


def test_a_wildcard_that_policy_and_patterns_allow_is_issued_common_name_included() -> None:
    text = request_text(
        "subject: {commonName: '*.api.example.internal'}", "sans: {dns: ['*.api.example.internal']}"
    )
    assert texts(judge(text, policy=TRUE_WILDCARDS).findings) == []
    assert [finding.rule for finding in judge(text).findings] == [
        "subject.commonName.allow",
        "sans.dns.wildcards",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('dns: {allow: ["', 'dns: {allow: ["bü_cher.example", "'),
        ('deny: ["vault', 'deny: ["bü_cher.example", "vault'),
    ],
)
def test_a_pattern_that_cannot_be_understood_denies_and_is_named_in_the_policy(
    old: str, new: str
) -> None:
    verdict = judge(policy=changed(POLICY, (old, new)))
    (finding,) = verdict.findings
    assert finding.rule == "policy.pattern"
    assert finding.message.startswith("pattern “bü_cher.example”: “bü_cher” is no label by IDNA")
    assert finding.location.file == "policies/internal-server.yaml"
