"""Ways in which issuance policies were bypassed elsewhere, each tried (FIELD.md, first list)."""

from __future__ import annotations

import pytest
from policy_material import (
    POLICY,
    REQUEST,
    UPN,
    changed,
    csr,
    judge,
    request_text,
    rules,
    texts,
)

from gitca.policy.case import Verdict
from gitca.x509.csr import CsrError

FROM_CSR = changed(POLICY, ("  issuer: issuing\n", "  issuer: issuing\n  namesFrom: csr\n"))
# As wide as a careless author may write it.
CARELESS = changed(
    POLICY,
    (
        'commonName: {allow: ["**.example.internal"], mustBeInSans: true}',
        'commonName: {allow: ["*", "**"]}',
    ),
    ('dns: {allow: ["**.example.internal"]', 'dns: {allow: ["*", "**"]'),
)
API_CN = ("commonName", "api.example.internal")


def _says(verdict: Verdict, text: str) -> bool:
    return verdict.template is not None and text in repr(verdict.template)


class TestTheParsedViewIsNotTheSignedBytes:
    @pytest.mark.parametrize("policy", [POLICY, FROM_CSR], ids=["from-request", "from-csr"])
    def test_a_second_common_name_in_the_csr_does_not_slip_through(self, policy: str) -> None:
        names = csr((API_CN, ("commonName", "admin.example.com")), ("dns:api.example.internal",))
        text = REQUEST if policy is POLICY else request_text("validity: 30d")
        verdict = judge(text, policy=policy, csr_bytes=names)
        assert verdict.is_denied
        assert any("admin.example.com" in finding.message for finding in verdict.findings)

    def test_the_same_common_name_twice_in_the_csr_is_a_disagreement(self) -> None:
        assert rules(judge(csr_bytes=csr((API_CN, API_CN)))) == ["csr.subject"]

    @pytest.mark.parametrize(
        ("name", "rule"),
        [
            ("upn:admin@example.internal", f"sans.otherName.{UPN}"),
            ("directory:organization=Example", "sans.directoryName"),
            ("id:1.3.6.1.4.1.99999.7", "sans.registeredID"),
        ],
    )
    def test_names_of_the_rarer_forms_do_not_slip_through(self, name: str, rule: str) -> None:
        names = csr((), ("dns:api.example.internal", name))
        assert rules(judge(csr_bytes=names)) == ["csr.sans"]
        from_csr = judge(request_text("validity: 30d"), policy=FROM_CSR, csr_bytes=names)
        assert rules(from_csr) == [rule]

    @pytest.mark.parametrize("policy", [POLICY, FROM_CSR], ids=["from-request", "from-csr"])
    def test_a_multi_valued_relative_name_is_not_read_as_one_attribute(self, policy: str) -> None:
        text = REQUEST if policy is POLICY else request_text("validity: 30d")
        names = csr(
            (API_CN, ("organization", "Example")), ("dns:api.example.internal",), multi_valued=True
        )
        verdict = judge(text, policy=policy, csr_bytes=names)
        assert "csr.names" in rules(verdict)

    def test_an_attribute_that_nobody_knows_does_not_slip_through(self) -> None:
        names = csr((API_CN, ("1.3.6.1.4.1.99999.7", "x")), ("dns:api.example.internal",))
        assert rules(judge(csr_bytes=names)) == ["csr.subject"]
        verdict = judge(request_text("validity: 30d"), policy=FROM_CSR, csr_bytes=names)
        assert rules(verdict) == ["subject.1.3.6.1.4.1.99999.7"]

    def test_a_nul_in_a_name_of_the_csr_is_refused_before_any_policy(self) -> None:
        with pytest.raises(CsrError):
            judge(csr_bytes=csr((("commonName", "api.example.internal\0.example.com"),)))


class TestOneInputPathUnchecked:
    def test_addresses_in_the_csr_are_judged_like_those_of_a_request(self) -> None:
        names = csr((), ("ip:10.1.2.3", "ip:192.0.2.1"))
        verdict = judge(request_text("validity: 30d"), policy=FROM_CSR, csr_bytes=names)
        assert rules(verdict) == ["sans.ip.allow"]

    def test_a_value_that_the_policy_supplies_is_held_against_the_sans_too(self) -> None:
        policy = changed(
            POLICY,
            (
                'allow: ["**.example.internal"], mustBeInSans',
                "fixed: a.example.internal, mustBeInSans",
            ),
        )
        verdict = judge(request_text("sans: {dns: [b.example.internal]}"), policy=policy)
        assert rules(verdict) == ["subject.commonName.mustBeInSans"]

    def test_a_supplied_value_that_is_malformed_is_a_finding_in_the_policy(self) -> None:
        policy = changed(POLICY, ("organization: {fixed: Example}", "country: {fixed: england}"))
        (finding,) = judge(policy=policy).findings
        assert finding.location.file == "policies/internal-server.yaml"

    def test_an_ipv4_address_does_not_pass_in_the_form_of_an_ipv6_one(self) -> None:
        policy = changed(POLICY, ('ip: {allow: ["10.0.0.0/8"]', 'ip: {allow: ["::/0"]'))
        names = csr((), ("ip:::ffff:192.0.2.1",))
        from_csr = changed(policy, ("  issuer: issuing\n", "  issuer: issuing\n  namesFrom: csr\n"))
        assert judge(request_text("validity: 30d"), policy=from_csr, csr_bytes=names).is_denied
        assert judge(request_text("sans: {ip: ['::ffff:192.0.2.1']}"), policy=policy).is_denied


class TestStarsInValues:
    @pytest.mark.parametrize("star", ["*", "**", "*.*", "*.internal", "*.example.internal"])
    def test_a_name_made_of_stars_gains_nothing_from_the_widest_pattern(self, star: str) -> None:
        text = request_text(f"subject: {{commonName: '{star}'}}", f"sans: {{dns: ['{star}']}}")
        verdict = judge(text, policy=CARELESS)
        assert verdict.is_denied
        assert any(rule.startswith("subject.commonName") for rule in rules(verdict))
        assert any(rule.startswith(("sans.dns", "dns.")) for rule in rules(verdict))

    @pytest.mark.parametrize("star", ["*", "Team *", "Team **"])
    def test_a_star_in_an_attribute_is_no_team(self, star: str) -> None:
        text = request_text(
            f"subject: {{organizationalUnit: '{star}'}}", "sans: {dns: [a.example.internal]}"
        )
        assert rules(judge(text)) == ["subject.organizationalUnit.allow"]

    @pytest.mark.parametrize(
        "uri",
        [
            "spiffe://example.internal/payments/*",
            "spiffe://example.internal/payments/..",
            "spiffe://example.internal/payments/a/b",
            "spiffe://example.internal/payments/%61",
            "spiffe://example.internal/payments/",
            "spiffe://example.internal/payments/a?x",
            "spiffe://example.internal/payments/a#x",
            "spiffe://example.internal:443/payments/a",
            "spiffe://root@example.internal/payments/a",
            "SPIFFE://example.internal/payments/a",
            "spiffe://EXAMPLE.internal/payments/a",
            "spiffe://example.internal./payments/a",
        ],
    )
    def test_a_uri_in_another_spelling_does_not_pass(self, uri: str) -> None:
        assert judge(request_text(f"sans: {{uri: ['{uri}']}}")).is_denied


class TestTheSubjectOfTheCsrLeaks:
    MASTERS = (("organization", "system:masters"), API_CN)

    def test_an_organisation_that_only_the_csr_states_is_denied(self) -> None:
        names = csr(self.MASTERS, ("dns:api.example.internal",))
        verdict = judge(csr_bytes=names)
        assert [finding.message for finding in verdict.findings] == [
            "the CSR states subject organization “system:masters” and the request does not"
            " (or less often)"
        ]
        assert not _says(verdict, "system:masters")

    def test_it_is_denied_even_where_the_policy_would_allow_it(self) -> None:
        policy = changed(POLICY, ("{fixed: Example}", '{allow: ["**"]}'))
        verdict = judge(policy=policy, csr_bytes=csr(self.MASTERS))
        assert rules(verdict) == ["csr.subject"]
        assert not _says(verdict, "system:masters")

    def test_it_is_denied_where_names_come_from_the_csr(self) -> None:
        names = csr(self.MASTERS, ("dns:api.example.internal",))
        verdict = judge(request_text("validity: 30d"), policy=FROM_CSR, csr_bytes=names)
        assert rules(verdict) == ["subject.organization.fixed"]


class TestSilentRepair:
    def test_a_san_that_is_malformed_leaves_no_template_behind(self) -> None:
        text = request_text(
            "subject: {commonName: api.example.internal}", "sans: {dns: [api.example.internal.]}"
        )
        verdict = judge(text)
        assert "dns.trailing-dot" in rules(verdict)
        assert verdict.template is None

    def test_a_common_name_does_not_stand_in_for_missing_sans(self) -> None:
        verdict = judge(request_text("subject: {commonName: api.example.internal}"))
        assert rules(verdict) == ["subject.commonName.mustBeInSans"]
        assert verdict.template is not None
        assert verdict.template.sans == ()

    def test_a_usage_is_not_dropped_because_the_key_cannot_do_it(self) -> None:
        text = request_text(
            "sans: {dns: [a.example.internal]}", "keyUsage: [digitalSignature, keyEncipherment]"
        )
        assert rules(judge(text)) == ["keyUsage.key-type"]

    def test_a_validity_is_not_clamped_to_the_maximum(self) -> None:
        text = request_text("sans: {dns: [a.example.internal]}", "validity: 91d")
        assert texts(judge(text).findings) == [
            "requests/payments/api.yaml:7:13: validity 91d is above 90d"
            " (policy internal-server, validity.max); shorten it or change the policy"
        ]
