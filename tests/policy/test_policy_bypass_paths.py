"""Each way in which policies were bypassed elsewhere, through every path that a value can take.

FIELD.md's first list has the ways. The paths are the request's YAML, a CSR whose names are taken, a
CSR that states more than its request, what the policy itself supplies, identity templates, a CA
that is asked for, and a CA's own document. Renewal and re-issue are in
tests/reconcile/test_reconcile_policy_bypasses.py.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from policy_material import (
    ISSUING,
    NOW,
    POLICY,
    ROOT,
    UPN,
    changed,
    csr,
    governing,
    judge,
    private_key,
    request_text,
    rules,
)

from gitca.documents.load import TreeEntry, load_governing, load_requests
from gitca.policy.authority import judge_authority, propose_authority
from gitca.policy.case import IssuerFacts, Verdict

FROM_CSR = changed(POLICY, ("  issuer: issuing\n", "  issuer: issuing\n  namesFrom: csr\n"))
ISSUING_1 = changed(ISSUING, ("pathLength: 0", "pathLength: 1"))
CA_POLICY = POLICY + "  ca: {pathLength: {max: 0}, nameConstraints: {required: false}}\n"
DNS = "sans: {dns: [api.example.internal]}"
API = ("commonName", "api.example.internal")
PATHS = ("request", "csr", "csr beside the request", "requested ca")


def through(
    path: str,
    *,
    subject: tuple[tuple[str, str], ...] = (),
    sans: tuple[str, ...] = (),
    policy: str = POLICY,
) -> Verdict:
    """Return the verdict on names that come in by a path, beside api.example.internal."""
    names = ("dns:api.example.internal", *sans)
    if path == "csr":
        origin = changed(policy, ("  issuer: issuing\n", "  issuer: issuing\n  namesFrom: csr\n"))
        text = request_text("validity: 30d")
        return judge(text, policy=origin, csr_bytes=csr(subject, names))
    if path == "csr beside the request":
        return judge(request_text(DNS), policy=policy, csr_bytes=csr(subject, names))
    lines = [f"sans: {json.dumps(_sans(names))}", f"subject: {json.dumps(_subject(subject))}"]
    if path == "requested ca":
        lines.append("ca: {pathLength: 0}")
        rules_of_ca = "  ca: {pathLength: {max: 0}, nameConstraints: {required: false}}\n"
        return judge(request_text(*lines), policy=policy + rules_of_ca, issuing=ISSUING_1)
    return judge(request_text(*lines), policy=policy)


def _subject(subject: tuple[tuple[str, str], ...]) -> dict[str, list[str]]:
    stated: dict[str, list[str]] = {}
    for name, value in subject:
        stated.setdefault(name, []).append(value)
    return stated


def _sans(names: tuple[str, ...]) -> dict[str, list[Any]]:
    stated: dict[str, list[Any]] = {}
    for name in names:
        kind, _, value = name.partition(":")
        if kind == "upn":
            stated.setdefault("otherName", []).append({"oid": UPN, "utf8": value})
        elif kind == "directory":
            parts = dict(part.split("=") for part in value.split(","))
            stated.setdefault("directoryName", []).append(parts)
        else:
            stated.setdefault({"id": "registeredID"}.get(kind, kind), []).append(value)
    return stated


@pytest.mark.parametrize("path", PATHS)
def test_what_the_policy_allows_passes_by_every_path_that_may_state_it(path: str) -> None:
    verdict = through(path, subject=(API,))
    expected = ["csr.subject"] if path == "csr beside the request" else []
    assert rules(verdict) == expected


# 1. The parsed view is not the signed bytes.


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("subject", "sans"),
    [
        ((API, ("commonName", "web.example.internal")), ()),
        ((API, API), ()),
        ((("2.5.4.13", "admin"),), ()),
        ((("serialNumber", "1"),), ()),
        ((), ("upn:admin@example.internal",)),
        ((), ("directory:commonName=admin",)),
        ((), ("id:1.3.6.1.4.1.99999.1",)),
    ],
)
def test_what_a_lossy_view_would_drop_is_denied(
    path: str, subject: tuple[tuple[str, str], ...], sans: tuple[str, ...]
) -> None:
    policy = changed(
        POLICY,
        ('["**.example.internal"], mustBeInSans: true', '["**"]'),
    )
    assert through(path, subject=subject, sans=sans, policy=policy).is_denied


def test_a_default_does_not_stand_beside_the_attribute_that_is_stated() -> None:
    policy = changed(
        POLICY,
        ('{allow: ["**.example.internal"], must', '{default: a.b, allow: ["**.internal"], must'),
    )
    for path in ("request", "csr"):
        verdict = through(path, subject=(API,), policy=policy)
        assert verdict.template is not None
        values = [each.value for each in verdict.template.subject if each.oid == "2.5.4.3"]
        assert (values, rules(verdict)) == (["api.example.internal"], [])


# 2. One input path unchecked.


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "name",
    [
        *("dns:api.example.com", "dns:vault.example.internal", "dns:*.example.internal"),
        *("ip:192.0.2.1", "ip:10.0.0.1", "ip:::ffff:10.0.0.1", "ip:fd00::1"),
        *("uri:spiffe://example.internal/admin/api", "uri:https://example.internal/"),
        *("email:root@example.internal", "email:ROOT@example.internal", "email:a@example.com"),
    ],
)
def test_no_path_lets_a_name_past_the_lists(path: str, name: str) -> None:
    verdict = through(path, sans=(name,))
    assert verdict.is_denied
    if path != "csr beside the request":
        kind = name.partition(":")[0]
        assert any(rule.startswith((f"sans.{kind}.", f"{kind}.")) for rule in rules(verdict))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("value", ["192.0.2.1", "vault.example.com", "*.example.internal", "**"])
def test_no_path_lets_a_common_name_past_the_lists(path: str, value: str) -> None:
    verdict = through(path, subject=(("commonName", value),))
    assert verdict.is_denied


_CONSTRAINED = ISSUING + "  nameConstraints: {permitted: {email: [example.internal]}}\n"


@pytest.mark.parametrize("field", ["default", "fixed"])
@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("b.example.internal", "subject.commonName.mustBeInSans"),
        ("*.example.internal", "subject.commonName.mustBeInSans"),
    ],
)
def test_what_the_policy_supplies_is_judged_like_what_is_stated(
    field: str, value: str, rule: str
) -> None:
    policy = changed(
        POLICY,
        ('commonName: {allow: ["**.example.internal"]', f"commonName: {{{field}: '{value}'"),
    )
    assert rules(judge(request_text(DNS), policy=policy)) == [rule]


@pytest.mark.parametrize("field", ["default", "fixed"])
def test_what_the_policy_supplies_is_held_against_deny_and_the_ca(field: str) -> None:
    denied = changed(POLICY, ("{fixed: Example}", f"{{{field}: Example, deny: ['ex*']}}"))
    assert "subject.organization.deny" in rules(judge(request_text(DNS), policy=denied))
    mail = changed(POLICY, ("organization: {fixed: Example}", f"email: {{{field}: a@example.com}}"))
    assert "nameConstraints" in rules(judge(request_text(DNS), policy=mail, issuing=_CONSTRAINED))


_DATES = changed(POLICY, ("backdate: 5m}", "backdate: 5m, requestDates: [notBefore, notAfter]}"))


@pytest.mark.parametrize(
    "lines",
    [
        ("validity: 91d",),
        ("validity: 10y",),
        ("notAfter: 2027-02-22T11:55:00Z",),
        ("notAfter: 2036-11-24T00:00:00Z",),
        ("notBefore: 2027-02-01T00:00:00Z",),
        ("notBefore: 2026-12-01T00:00:00Z", "validity: 89d"),
        ("notBefore: 2026-11-01T00:00:00Z", "notAfter: 2027-02-23T00:00:00Z"),
    ],
)
@pytest.mark.parametrize("path", ["request", "requested ca", "truncated"])
def test_no_way_to_write_a_time_passes_the_longest_validity(
    lines: tuple[str, ...], path: str
) -> None:
    policy, issuing, more = _DATES, ISSUING_1, [DNS]
    if path == "requested ca":
        more += ["ca: {pathLength: 0}", "subject: {commonName: api.example.internal}"]
        policy += "  ca: {pathLength: {max: 0}, nameConstraints: {required: false}}\n"
    if path == "truncated":
        policy = changed(policy, ("backdate: 5m,", "backdate: 5m, beyondIssuer: truncate,"))
        issuing += "  leafBeyondIssuer: truncate\n"
    verdict = judge(request_text(*more, *lines), policy=policy, issuing=issuing)
    assert "validity.max" in rules(verdict)


@pytest.mark.parametrize("field", ["keyUsage", "extendedKeyUsage"])
@pytest.mark.parametrize("stated", ["nothing", "an empty list"])
def test_no_usage_is_not_every_usage(field: str, stated: str) -> None:
    """Without the extension a key serves every purpose (RFC 5280 section 4.2.1.12)."""
    spec = yaml.safe_load(POLICY)
    spec["spec"][field].pop("default")
    more = [f"{field}: []"] if stated == "an empty list" else []
    verdict = judge(request_text(DNS, *more), policy=yaml.safe_dump(spec))
    assert rules(verdict) == [f"{field}.allow"]


@pytest.mark.parametrize("key", ["RSA-1024", "RSA-2048-e3", "P-384", "Ed25519", "ML-DSA-65"])
@pytest.mark.parametrize("policy", [POLICY, FROM_CSR, CA_POLICY], ids=["request", "csr", "ca"])
def test_a_key_is_judged_whatever_the_names_come_from(key: str, policy: str) -> None:
    names = csr((), ("dns:api.example.internal",), key=key)
    lines = ["validity: 30d"] if policy == FROM_CSR else [DNS]
    if policy == CA_POLICY:
        lines += ["subject: {commonName: api.example.internal}", "ca: {pathLength: 0}"]
    verdict = judge(request_text(*lines), policy=policy, csr_bytes=names, issuing=ISSUING_1)
    assert {"key.algorithms", "key.algorithms.exponents"} & set(rules(verdict))


# 3. Stars in the values of identity templates; each kind of pattern is in test_policy_identity.py.


@pytest.mark.parametrize("value", ["*", "**", "*.b", "a.b", "", "a*", "{labels.team}", "../a"])
@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ('dns: {allow: ["{labels.team}.a.internal"], wildcards: true}', "dns: ['*.a.internal']"),
        ('dns: {allow: ["{labels.team}.a.internal"]}', "dns: [c.b.a.internal]"),
        ('dns: {allow: ["{labels.team}.a.internal"]}', "dns: [vault.a.internal]"),
        ('email: {allow: ["{labels.team}@a.internal"]}', "email: [b@a.internal]"),
        ('uri: {allow: ["spiffe://a.internal/{labels.team}"]}', "uri: ['spiffe://a.internal/b']"),
    ],
)
def test_a_star_in_a_label_stands_for_no_name(value: str, rule: str, name: str) -> None:
    start, end = POLICY.index("    dns:"), POLICY.index("  key:")
    policy = POLICY[:start] + f"    {rule}\n" + POLICY[end:]
    labels = f"metadata: {{labels: {{team: {json.dumps(value)}}}}}\nspec:\n"
    ((kind, (text,)),) = yaml.safe_load(name).items()
    for origin, line, names in (
        ("request", f"sans: {{{name}}}", csr()),
        ("csr", "validity: 30d", csr((), (f"{kind}:{text}",))),
    ):
        under = changed(policy, ("  issuer:", f"  namesFrom: {origin}\n  issuer:"))
        asked = changed(request_text(line), ("spec:\n", labels))
        assert judge(asked, policy=under, csr_bytes=names).is_denied, origin


# 5. The CSR leaks past review.


def _asking(*extensions: x509.ExtensionType) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    signed = builder.sign(private_key("P-256"), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


_LEAKS = {
    "basicConstraints": x509.BasicConstraints(ca=True, path_length=None),
    "extKeyUsage": x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]),
    "nameConstraints": x509.NameConstraints([x509.DNSName("example.com")], None),
    "certificatePolicies": x509.CertificatePolicies(
        [x509.PolicyInformation(x509.ObjectIdentifier("2.5.29.32.0"), None)]
    ),
    "netscapeCertType": x509.UnrecognizedExtension(
        x509.ObjectIdentifier("2.16.840.1.113730.1.1"), b"\x03\x02\x00\x07"
    ),
    "unknown": x509.UnrecognizedExtension(
        x509.ObjectIdentifier("1.3.6.1.4.1.99999.8"), b"\x05\x00"
    ),
}


@pytest.mark.parametrize("leak", _LEAKS)
@pytest.mark.parametrize("origin", ["request", "csr"])
def test_no_extension_of_a_csr_reaches_the_template_unasked(leak: str, origin: str) -> None:
    names = x509.SubjectAlternativeName([x509.DNSName("api.example.internal")])
    policy, lines = (FROM_CSR, "validity: 30d") if origin == "csr" else (POLICY, DNS)
    clean = judge(request_text(lines), policy=policy, csr_bytes=_asking(names))
    leaky = judge(request_text(lines), policy=policy, csr_bytes=_asking(names, _LEAKS[leak]))
    assert clean.template is not None
    assert (rules(clean), leaky.template) == ([], clean.template)


@pytest.mark.parametrize("leak", ["basicConstraints", "extKeyUsage", "netscapeCertType"])
def test_no_policy_can_let_a_managed_extension_through(leak: str) -> None:
    oid = _LEAKS[leak].oid.dotted_string
    for rule in (
        f"fromRequest: [{{oid: {oid}}}]",
        f"allow: [{{oid: {oid}}}]",
        f"other: [{{oid: {oid}, value: {{der: BQA=}}}}]",
    ):
        text = changed(POLICY, ("certificatePolicies: [{oid: 1.3.6.1.4.1.99999.1.1}]", rule))
        assert "extensions.managed" in _loaded({"policies/internal-server.yaml": text})


# 6. The pull request brings its own policy.


def _loaded(files: dict[str, str]) -> list[str]:
    """Return the rules of what the loader finds in CA, policy and request documents."""
    whole = {
        "ca/root.yaml": ROOT,
        "ca/issuing.yaml": ISSUING,
        "policies/internal-server.yaml": POLICY,
        "requests/payments/api.csr": csr().decode(),
        **files,
    }
    data = {path: text.encode() for path, text in whole.items()}
    entries = [TreeEntry(path, "100644", path) for path in data]
    documents = load_governing(entries, data.__getitem__)
    requests = load_requests(entries, data.__getitem__, governing=documents)
    return [finding.rule for finding in (*documents.findings, *requests.findings)]


@pytest.mark.parametrize("kind", ["IssuancePolicy", "Waiver", "KeyBlocklist", "PolicyTests"])
def test_no_document_that_governs_lies_among_the_requests(kind: str) -> None:
    spec = yaml.safe_load(POLICY)["spec"]
    text = json.dumps({"apiVersion": "gitca/v1", "kind": kind, "spec": spec})
    own = request_text(DNS).replace("policy: internal-server", "policy: payments/own")
    found = _loaded({"requests/payments/own.yaml": text, "requests/payments/api.yaml": own})
    assert "document.kind" in found
    assert "request.policy.unknown" in found


@pytest.mark.parametrize(
    "name", ["../requests/own", "/policies/own", "own.yaml", "./internal-server", "a//b", "*"]
)
def test_a_request_names_no_policy_outside_of_the_folder_of_policies(name: str) -> None:
    text = request_text(DNS).replace("policy: internal-server", f"policy: '{name}'")
    found = _loaded({"requests/own.yaml": POLICY, "requests/payments/api.yaml": text})
    assert {"document.name", "request.policy.unknown"} & set(found)


@pytest.mark.parametrize("path", ["../own.csr", "/etc/passwd", "a/../../own.csr", "~/own.csr"])
def test_a_csr_lies_in_the_folder_that_its_owners_review(path: str) -> None:
    text = request_text(DNS).replace("csrFile: api.csr", f"csrFile: '{path}'")
    files = {"requests/own.csr": csr().decode(), "requests/payments/api.yaml": text}
    assert {"request.csr-file.path", "request.csr-file.missing"} & set(_loaded(files))


# 7. Silent repair.


@pytest.mark.parametrize(
    "lines",
    [
        *(("extendedKeyUsage: [serverauth]",), ("extendedKeyUsage: [clientAuth ]x",)),
        *(("extendedKeyUsage: serverAuth",), ("extendedKeyUsage: [1.3.6.1.5.5.7.3.]",)),
        *(("keyUsage: [digitalsignature]",), ("keyUsages: [digitalSignature]",)),
        *(("validity: 30",), ("validity: -1d",), ("validity: 30 d",), ("notAfter: tomorrow",)),
        *(("ca: true",), ("ca: {pathLength: -1}",), ("ca: {pathlength: 0}",)),
        *(("subject: {CN: a}",), ("subject: [commonName]",)),
    ],
)
def test_nothing_mistyped_in_a_request_is_taken_for_something_else(lines: tuple[str, ...]) -> None:
    assert _loaded({"requests/payments/api.yaml": request_text(DNS, *lines)}) != []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[serverAuth, clientAuth]", "[serverAuth, clientauth]"),
        ("default: [digitalSignature]", "defaults: [digitalSignature]"),
        ("deny: [\"vault.example.internal\"]", "denied: [\"vault.example.internal\"]"),
        ("max: 90d", "max: 90"),
        ("curves: [P-256]", "curves: [p256]"),
        ("minBits: 2048", "minBits: 1024"),
        ("mustBeInSans: true", "mustBeInSans: \"yes\""),
        ('"10.0.0.0/8"', '"10.0.0.1/8"'),
    ],
)  # fmt: skip
def test_nothing_mistyped_in_a_policy_is_taken_for_something_else(old: str, new: str) -> None:
    assert _loaded({"policies/internal-server.yaml": changed(POLICY, (old, new))}) != []


BAD_NAMES = [
    *("dns:api.example.internal.", "dns:api_.example.internal ", "dns:-a.example.internal"),
    *("dns:xn--a.example.internal", "dns:10.1.2.3", "dns:a..example.internal"),
    *("uri:example.internal/a", "email:nobody", "email:.a@example.internal"),
]  # fmt: skip


@pytest.mark.parametrize("path", ["request", "csr", "requested ca"])
@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_malformed_name_is_a_finding_and_is_not_dropped(path: str, name: str) -> None:
    verdict = through(path, subject=(API,), sans=(name,))
    assert verdict.is_denied
    assert verdict.template is None


@pytest.mark.parametrize(
    "serial", ['"3F"', '"0x3f"', '"3f:2a"', '"03f"', '" 3f"', "12", '""', '"3g"', '"-3f"']
)
def test_a_mistyped_serial_number_stops_its_revocation(serial: str) -> None:
    text = (
        "apiVersion: gitca/v1\nkind: RevocationRequest\nspec:\n"
        f"  serial: {serial}\n  ca: issuing\n  reason: keyCompromise\n"
    )
    found = _loaded({"requests/payments/api-revoked.yaml": text})
    assert {"document.serial", "document.type"} & set(found)


# A CA's own document is one more way in: what a CA may certify is what its issuer lets it.


def _made(issuing: str, root: str) -> list[str]:
    """Return the rules of what speaks against a CA below a root that was made."""
    found = _loaded({"ca/issuing.yaml": issuing, "ca/root.yaml": root})
    if found:
        return found
    documents = governing(issuing=issuing, root=root).authorities
    parent = documents["root"]
    facts = IssuerFacts("root", NOW, NOW + parent.spec.validity, propose_authority(parent, b""))
    return [each.rule for each in judge_authority(documents["issuing"], parent, facts, NOW)]


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("validity: 5y", "validity: 20y", "authority.validity"),
        ("pathLength: 0", "pathLength: 1", "authority.pathLength"),
        ("  pathLength: 0\n", "", "authority.pathLength"),
        ("{commonName: Example Issuing CA, organization: Example}",
         "{commonName: Example Root CA}", "authority.subject"),
        ("  crl:", "  nameConstraints: {permitted: {dns: [internal]}}\n  crl:",
         "authority.nameConstraints"),
        ("  crl:", "  nameConstraints: {permitted: {ip: [10.0.0.0/8]}}\n  crl:",
         "authority.nameConstraints"),
    ],
)  # fmt: skip
def test_a_ca_document_gains_nothing_over_its_issuer(old: str, new: str, rule: str) -> None:
    root = ROOT + "  pathLength: 1\n  nameConstraints: {permitted: {dns: [example.internal]}}\n"
    constraints = "  nameConstraints: {permitted: {dns: [example.internal]}}\n  crl:"
    sound = changed(ISSUING, ("  crl:", constraints))
    assert _made(sound, root) == []
    base = ISSUING if "nameConstraints" in new else sound
    found = _made(changed(base, (old, new)), root)
    assert any(rule in each for each in found), found
