"""The five kinds: what their models keep, and what they refuse, where."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pydantic
import pytest
from document_samples import (
    ISSUING,
    POLICY,
    REPOSITORY,
    REQUEST,
    REVOCATION,
    SAMPLES,
    marked,
    only_finding,
    parsed,
    with_line,
)
from pydantic_core import PydanticCustomError

from gitca.documents.fields import duration_text, parse_duration
from gitca.documents.repository import RepositorySpec


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_documents_of_the_design_are_read(kind):
    document, findings = parsed(SAMPLES[kind])
    assert findings == ()
    assert document.kind == kind


def test_a_request_says_what_it_was_written_to_say():
    document, _ = parsed(REQUEST)
    spec = document.spec
    assert document.metadata.owner == "payments"
    assert document.metadata.labels == {"team": "payments"}
    assert spec.policy == "internal-server"
    assert spec.subject == {"commonName": ("api.example.internal",)}
    assert spec.sans.dns == ("api.example.internal",)
    assert spec.sans.ip == ("10.1.2.3",)
    assert spec.validity == timedelta(days=30)
    assert spec.csr.startswith("-----BEGIN CERTIFICATE REQUEST-----\n")
    assert str(document.at("spec", "sans", "dns", 0)) == "x.yaml:7:16"


def test_a_policy_says_what_it_was_written_to_say():
    spec = parsed(POLICY)[0].spec
    assert spec.subject["commonName"].must_be_in_sans
    assert spec.sans.dns.deny == ("vault.example.internal",)
    assert [algorithm.type for algorithm in spec.key.algorithms] == ["ecdsa", "rsa"]
    assert spec.key.algorithms[0].curves == ("P-256", "P-384")
    assert spec.key.algorithms[1].min_bits == 2048
    assert spec.validity.backdate == timedelta(minutes=5)
    assert spec.renewal.before == timedelta(days=10)
    assert (spec.names_from, spec.on_delete.action) == ("request", "keep")


def test_an_authority_says_what_it_was_written_to_say():
    spec = parsed(ISSUING)[0].spec
    assert list(spec.subject) == ["commonName", "organization", "country"]
    assert spec.issuer == "root"
    assert spec.path_length == 0
    assert spec.name_constraints.permitted.dns == ("example.internal",)
    assert spec.crl.refresh_before == timedelta(days=3)
    assert spec.validity == timedelta(days=5 * 365)


def test_subtrees_of_every_type_are_kept_in_their_canonical_form():
    line = (
        "  nameConstraints: {permitted: {dns: [Example.INTERNAL], ip: [10.0.0.0/8, FD00::/8],"
        " uri: [.Example.internal], email: [Ops@Example.internal, .example.internal, a.b]}}"
    )
    permitted = parsed(with_line(ISSUING, 10, line))[0].spec.name_constraints.permitted
    assert permitted.dns == ("example.internal",)
    assert permitted.ip == ("10.0.0.0/8", "fd00::/8")
    assert permitted.uri == (".example.internal",)
    assert permitted.email == ("Ops@example.internal", ".example.internal", "a.b")


def test_an_empty_list_of_targets_publishes_in_git_alone():
    assert parsed(with_line(REPOSITORY, 6, "  publish: []"))[0].spec.publish == ()


def test_a_target_says_what_it_was_written_to_say():
    line = (
        "  publish: [{to: 's3://b-c/prod?region=eu-west-1', url: 'http://h/pki'},"
        " {to: 's3://b-c/prod2'}, {to: 'directory:public', certificates: false}]"
    )
    first, second, third = parsed(with_line(REPOSITORY, 6, line))[0].spec.publish
    assert (first.to, first.url) == ("s3://b-c/prod?region=eu-west-1", "http://h/pki/")
    assert (second.url, second.certificates) == (None, True)
    assert (third.to, third.certificates) == ("directory:public", False)


@pytest.mark.parametrize(("branch", "issued"), [("main", "main/issued"), ("pki/main", "pki")])
def test_branches_that_git_cannot_have_beside_each_other_are_refused(branch, issued):
    lines = f"spec:\n  branch: {branch}\n  issuedBranch: ‸{issued}\n"
    text, place = marked(f"apiVersion: gitca/v1\nkind: Repository\n{lines}")
    _, findings = parsed(text)
    (finding,) = map(str, findings)
    assert finding.startswith(f"x.yaml:{place}: ")
    assert "(repository.branch.nested)" in finding
    beside = text.replace(f"issuedBranch: {issued}", f"issuedBranch: {issued.replace('/', '-')}x")
    assert parsed(beside)[1] == ()


def test_a_margin_is_below_the_lifetime_of_the_crl():
    text = with_line(ISSUING, 13, "  crl: {lifetime: 7d, refreshBefore: 3d, publishMargin: 7d}")
    assert "(authority.crl.publish-margin)" in only_finding(text)


def test_a_revocation_says_what_it_was_written_to_say():
    spec = parsed(REVOCATION)[0].spec
    assert spec.reason == "keyCompromise"
    assert spec.invalidity_date == datetime(2026, 11, 20, tzinfo=UTC)


def test_what_is_absent_stays_apart_from_what_is_empty():
    absent = parsed(REQUEST)[0].spec
    empty = parsed(REQUEST + "  keyUsage: []\n")[0].spec
    assert (absent.key_usage, empty.key_usage) == (None, ())
    policy = parsed(POLICY)[0].spec
    assert policy.sans.ip is None
    assert policy.extended_key_usage.allow == ("serverAuth",)
    assert policy.key_usage.allow is None


def test_the_order_of_a_subject_is_that_of_the_document():
    text = with_line(REQUEST, 6, "  subject: {organization: Example, country: NO, commonName: a}")
    assert list(parsed(text)[0].spec.subject) == ["organization", "country", "commonName"]
    assert parsed(text)[0].spec.subject["country"] == ("NO",)


def test_several_values_of_an_attribute_are_kept_in_order():
    text = with_line(REQUEST, 6, "  subject: {organizationalUnit: [b, a]}")
    assert parsed(text)[0].spec.subject == {"organizationalUnit": ("b", "a")}


NAMES = (
    "  sans: {otherName: [{oid: 1.3.6.1.4.1.311.20.2.3, utf8: jo@example.internal}],"
    " directoryName: [{organization: Example, 1.2.840.99999.7: [b, a]}], registeredID: [1.2.3]}"
)


def test_names_of_the_rarer_types_are_kept_as_they_are_written():
    sans = parsed(with_line(REQUEST, 7, NAMES))[0].spec.sans
    assert [(name.oid, name.utf8) for name in sans.other_name] == [
        ("1.3.6.1.4.1.311.20.2.3", "jo@example.internal")
    ]
    assert [list(name.items()) for name in sans.directory_name] == [
        [("organization", ("Example",)), ("1.2.840.99999.7", ("b", "a"))]
    ]
    assert sans.registered_id == ("1.2.3",)


def test_wildcards_are_a_switch_or_patterns():
    def wildcards(text):
        return parsed(with_line(POLICY, 7, f"  sans: {{dns: {{wildcards: {text}}}}}"))

    assert wildcards("true")[0].spec.sans.dns.wildcards is True
    assert wildcards("['*.a.b']")[0].spec.sans.dns.wildcards == ("*.a.b",)
    for text, rule in (
        ("maybe", "document.type"),
        ("['a b']", "policy.pattern"),
        ("[1]", "document.type"),
    ):
        assert [finding.rule for finding in wildcards(text)[1]] == [rule]


def test_nothing_can_change_a_document():
    document, _ = parsed(REQUEST)
    with pytest.raises(dataclasses.FrozenInstanceError):
        document.name = "y"
    with pytest.raises(pydantic.ValidationError):
        document.spec.policy = "other"
    with pytest.raises(TypeError):
        document.spec.subject["commonName"] = ("other",)
    with pytest.raises(TypeError):
        document.metadata.labels["team"] = "other"


def test_a_repository_without_a_document_has_defaults():
    spec = RepositorySpec()
    assert (spec.branch, spec.issued_branch, spec.publish) == ("main", None, ())
    assert spec.committer.name == "gitca"


ENVELOPE = {
    "list": ("[1]\n", "1:1", "document.type"),
    "text": ("hello\n", "1:1", "document.type"),
    "nothing": ("", "1:1", "document.type"),
    "no kind": (with_line(REQUEST, 2, ""), "1:1", "document.missing-key"),
    "kind without a value": (with_line(REQUEST, 2, "kind:"), "2:1", "document.missing-key"),
    "unknown kind": (with_line(REQUEST, 2, "kind: Certificate"), "2:7", "document.kind"),
    "kind that is a list": (with_line(REQUEST, 2, "kind: [a]"), "2:7", "document.kind"),
    "other version": (with_line(REQUEST, 1, "apiVersion: v1"), "1:13", "document.value"),
    "no version": (with_line(REQUEST, 1, ""), "2:1", "document.missing-key"),
    "no spec": ("apiVersion: gitca/v1\nkind: Repository\n", "1:1", "document.missing-key"),
    "spec without a value": (
        "apiVersion: gitca/v1\nkind: Repository\nspec:\n",
        "3:1",
        "document.null",
    ),
    "unknown key": (f"{REQUEST}status: x\n", "13:1", "document.unknown-key"),
}


@pytest.mark.parametrize("name", ENVELOPE)
def test_a_document_of_another_form_is_one_finding_at_its_place(name):
    text, place, rule = ENVELOPE[name]
    finding = only_finding(text)
    assert finding.startswith(f"x.yaml:{place}: ")
    assert f"({rule})" in finding


REQUESTS = {
    "policy misspelt": (5, "  policy: ‸../x", "document.name", "use letters"),
    "policy a number": (5, "  policy: ‸5", "document.type", "put what looks like a number"),
    "policy without value": (5, "  ‸policy:", "document.null", "write a value"),
    "unknown attribute": (6, "  subject: {‸CN: a}", "document.unknown-key", "commonName"),
    "OID of an attribute with a name": (
        6,
        "  subject: {‸2.5.4.3: a}",
        "document.attribute",
        "write commonName",
    ),
    "attribute that is no OID": (6, "  subject: {‸1.40.3: a}", "document.unknown-key", "remove"),
    "OID that nobody could read": (
        6,
        "  subject: {‸2.5." + ".".join(["999999999999999999"] * 8) + ": a}",
        "document.oid",
        "shorter",
    ),
    "other name without its OID": (
        7,
        "  sans: {otherName: [‸{utf8: a}]}",
        "document.missing-key",
        "add oid",
    ),
    "other name that is no text": (
        7,
        "  sans: {otherName: [{oid: 1.2.3, utf8: ‸7}]}",
        "document.type",
        "quotes",
    ),
    "empty directory name": (7, "  sans: {directoryName: [‸{}]}", "document.value", "add one"),
    "registered ID that is no OID": (
        7,
        "  sans: {registeredID: [‸a.b]}",
        "document.oid",
        "dotted",
    ),
    "empty value": (6, "  subject: {commonName: ‸''}", "document.value", "write more"),
    "no value": (6, "  subject: {commonName: ‸[]}", "document.value", "add one"),
    "number as value": (6, "  subject: {postalCode: ‸12}", "document.type", "quotes"),
    "subject a list": (6, "  subject: ‸[a]", "document.type", "key: value"),
    "unknown name type": (7, "  sans: {‸rid: [a]}", "document.unknown-key", "remove it"),
    "other CA's word": (7, "  ‸dnsNames: [a]", "document.unknown-key", "write sans"),
    "names not a list": (7, "  sans: {dns: ‸a}", "document.type", "write [one, two]"),
    "item without value": (7, "  sans: {dns: [‸~]}", "document.null", "write a value"),
    "validity without value": (8, "  ‸validity:", "document.null", "remove the key"),
    "validity": (8, "  validity: ‸30", "document.type", "30m, 12h, 90d, 2w or 1y"),
    "snake case": (8, "  ‸key_usage: []", "document.unknown-key", "write keyUsage"),
    "usage": (8, "  keyUsage: [‸digitalSignatur]", "document.value", "digitalSignature"),
    "CA usage": (8, "  keyUsage: [‸keyCertSign]", "document.value", "allowed value"),
    "EKU": (8, "  extendedKeyUsage: [‸tls]", "document.extended-key-usage", "OID"),
    "EKU in other case": (
        8,
        "  extendedKeyUsage: [‸serverauth]",
        "document.extended-key-usage",
        "write serverAuth",
    ),
    "two CSRs": (8, "  csrFile: ‸a.csr", "request.csr.both", "remove one"),
    "csrFile above": (8, "  csrFile: ‸../a.csr", "request.csr-file.path", "relative path"),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_mistake_in_a_request_is_one_finding_at_its_place(name):
    number, line, rule, remedy = REQUESTS[name]
    text, place = marked(with_line(REQUEST, number, line))
    finding = only_finding(text)
    assert finding.startswith(f"x.yaml:{place}: "), finding
    assert f"({rule})" in finding
    assert remedy in finding.partition(f"({rule})")[2]


@pytest.mark.parametrize(
    "path",
    ["../a.csr", "/etc/passwd", "a/../b.csr", "./a.csr", "a//b.csr", ".hidden", "a\\b", "a b", "~"],
)
def test_a_csr_file_outside_of_the_requests_folder_is_refused(path):
    text = "\n".join(REQUEST.splitlines()[:8]) + f"\n  csrFile: '{path}'\n"
    assert "(request.csr-file.path)" in only_finding(text)


def test_a_request_without_a_csr_is_refused():
    finding = only_finding("\n".join(REQUEST.splitlines()[:8]) + "\n")
    assert finding.startswith("x.yaml:4:1: neither csr nor csrFile is given")


REVOCATIONS = {
    "two targets": (
        4,
        f"  certificate: a\n  key: ‸sha256:{'0' * 64}",
        "revocation.target",
    ),
    "serial without CA": (4, '  serial: ‸"3f"', "revocation.ca.missing"),
    "CA without serial": (4, "  certificate: a\n  ca: ‸root", "revocation.ca.alone"),
    "serial in upper case": (4, '  serial: ‸"3F"\n  ca: root', "document.serial"),
    "serial with colons": (4, '  serial: ‸"3f:2a"\n  ca: root', "document.serial"),
    "serial with 0x": (4, '  serial: ‸"0x3f"\n  ca: root', "document.serial"),
    "serial zero": (4, '  serial: ‸"00"\n  ca: root', "document.serial"),
    "serial with a leading zero": (4, '  serial: ‸"03f"\n  ca: root', "document.serial"),
    "serial of 41 digits": (
        4,
        '  serial: ‸"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"\n  ca: root',
        "document.serial",
    ),
    "serial without quotes": (4, "  serial: ‸123\n  ca: root", "document.type"),
    "serial read as a float": (4, "  serial: ‸12e5\n  ca: root", "document.type"),
    "key digest": (4, "  key: ‸0f0f", "document.key-identifier"),
    "removeFromCRL": (5, "  reason: ‸removeFromCRL", "revocation.reason"),
    "unknown reason": (5, "  reason: ‸stolen", "document.value"),
    "date alone": (6, "  invalidityDate: ‸2026-11-20", "document.timestamp"),
    "local time": (6, "  invalidityDate: ‸2026-11-20T00:00:00+01:00", "document.timestamp"),
    "no such day": (6, "  invalidityDate: ‸2026-02-30T00:00:00Z", "document.timestamp"),
    "leap second": (6, "  invalidityDate: ‸2026-06-30T23:59:61Z", "document.timestamp"),
}


@pytest.mark.parametrize("name", REVOCATIONS)
def test_a_mistake_in_a_revocation_is_one_finding_at_its_place(name):
    number, line, rule = REVOCATIONS[name]
    text, place = marked(with_line(REVOCATION, number, line))
    finding = only_finding(text)
    assert finding.startswith(f"x.yaml:{place}: "), finding
    assert f"({rule})" in finding


@pytest.mark.parametrize(
    ("text", "number", "key", "rule"),
    [
        (REQUEST, 5, "policy", "document.missing-key"),
        (REVOCATION, 5, "reason", "document.missing-key"),
        (REVOCATION, 4, "nothing to revoke", "revocation.target"),
        (ISSUING, 4, "subject", "document.missing-key"),
        (ISSUING, 5, "issuer", "document.missing-key"),
        (ISSUING, 6, "key", "document.missing-key"),
        (ISSUING, 8, "validity", "document.missing-key"),
        (POLICY, 4, "issuer", "document.missing-key"),
        (POLICY, 8, "key", "document.missing-key"),
        (POLICY, 9, "validity", "document.missing-key"),
    ],
)
def test_a_missing_key_is_a_finding_at_the_key_above_it(text, number, key, rule):
    finding = only_finding(with_line(text, number, "# removed"))
    place = text.splitlines().index("spec:") + 1
    assert finding.startswith(f"x.yaml:{place}:1: ")
    assert key in finding
    assert f"({rule})" in finding


def test_the_refusal_of_remove_from_crl_explains_itself():
    finding = only_finding(with_line(REVOCATION, 5, "  reason: removeFromCRL"))
    assert "delta CRLs (RFC 5280 section 5.3.1)" in finding


def test_a_reason_in_another_case_is_refused_with_the_one_that_was_meant():
    finding = only_finding(with_line(REVOCATION, 5, "  reason: caCompromise"))
    assert finding.endswith("write cACompromise")


AUTHORITIES = {
    "empty subject": (4, "  subject: ‸{}", "document.value"),
    "issuer with a path": (5, "  issuer: ‸a/b", "document.name"),
    "key without scheme": (6, "  key: ‸issuing.key", "authority.key"),
    "key with a space": (6, "  key: ‸'file:a b'", "authority.key"),
    "key with a PIN": (6, "  key: ‸pkcs11:token=a?pin-value=1234", "authority.key.secret"),
    "key of no form in KMS": (6, "  key: ‸awskms:///issuing", "authority.key"),
    "key with a password": (6, "  key: ‸https://u:p@host/key", "authority.key.secret"),
    "algorithm": (7, "  signatureAlgorithm: ‸sha256-rsa", "document.value"),
    "SHA-1": (7, "  signatureAlgorithm: ‸ecdsa-sha1", "document.value"),
    "no validity": (8, "  validity: ‸0d", "document.duration"),
    "path length": (9, "  pathLength: ‸-1", "document.value"),
    "path length as text": (9, "  pathLength: ‸'0'", "document.type"),
    "path length as boolean": (9, "  pathLength: ‸false", "document.type"),
    "no subtree": (
        10,
        "  nameConstraints: ‸{permitted: {dns: []}}",
        "authority.name-constraints.empty",
    ),
    "leading dot": (
        10,
        "  nameConstraints: {permitted: {dns: [‸.example.internal]}}",
        "authority.name-constraints.dns",
    ),
    "host bits": (
        10,
        "  nameConstraints: {excluded: {ip: [‸10.0.0.1/8]}}",
        "authority.name-constraints.ip",
    ),
    "netmask": (
        10,
        "  nameConstraints: {excluded: {ip: [‸10.0.0.0/255.0.0.0]}}",
        "authority.name-constraints.ip",
    ),
    "URI subtree": (
        10,
        "  nameConstraints: {excluded: {uri: [‸'https://a/']}}",
        "authority.name-constraints.uri",
    ),
    "mail subtree": (
        10,
        "  nameConstraints: {excluded: {email: [‸'a@']}}",
        "authority.name-constraints.email",
    ),
    "leaf": (11, "  leafBeyondIssuer: ‸clamp", "document.value"),
    "state": (12, "  state: ‸suspended", "document.value"),
    "refresh": (13, "  crl: {lifetime: 3d, refreshBefore: ‸3d}", "authority.crl.refresh-before"),
    "no refresh": (13, "  crl: ‸{lifetime: 3d}", "document.missing-key"),
    "https": (
        13,
        "  crl: {lifetime: 7d, refreshBefore: 3d, urls: [‸'https://a/b']}",
        "document.url",
    ),
    "ldap": (14, "  caIssuersUrls: [‸'ldap://a/b']", "document.url"),
    "URL without host": (14, "  caIssuersUrls: [‸'http:///b']", "document.url"),
    "URL with a user": (14, "  caIssuersUrls: [‸'http://u@a/b']", "document.url"),
    "URL with a port that is none": (14, "  caIssuersUrls: [‸'http://a:99999/b']", "document.url"),
    "URL beyond ASCII": (14, "  caIssuersUrls: [‸'http://ä/b']", "document.url"),
    "policy OID": (14, "  certificatePolicies: [‸1.2.3.x]", "document.oid"),
}


@pytest.mark.parametrize("name", AUTHORITIES)
def test_a_mistake_in_an_authority_is_one_finding_at_its_place(name):
    number, line, rule = AUTHORITIES[name]
    text, place = marked(with_line(ISSUING, number, line))
    finding = only_finding(text)
    assert finding.startswith(f"x.yaml:{place}: "), finding
    assert f"({rule})" in finding


@pytest.mark.parametrize(
    "uri",
    [
        "file:issuing.key",
        "file:.gitca/keys/issuing.pem",
        "file:///var/lib/gitca/issuing.key",
        "awskms:///alias/issuing?region=eu-west-1",
        "awskms:///arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "pkcs11:token=ca;object=issuing;type=private?module-path=/usr/lib/x.so&pin-source=file:/run/pin",
    ],
)
def test_the_signers_uris_are_accepted(uri):
    assert parsed(with_line(ISSUING, 6, f"  key: {uri}"))[0].spec.key == uri


@pytest.mark.parametrize(
    "uri",
    ["pkcs11:token=a;pin-value=1", "pkcs11:token=a?x=1&PIN-VALUE=1", "pkcs11:a?pin%2Dvalue=1"],
)
def test_a_pin_in_a_signers_uri_is_refused_however_it_is_written(uri):
    assert "(authority.key.secret)" in only_finding(with_line(ISSUING, 6, f"  key: {uri}"))


@pytest.mark.parametrize(
    "key",
    ["pkcs11:token=a?pin-value=S3cret", "https://u:S3cret@host/", "S3cret", "file:S3cret\u00e9"],
)
def test_a_finding_about_a_key_does_not_repeat_what_may_be_a_secret(key):
    assert "S3cret" not in only_finding(with_line(ISSUING, 6, f"  key: '{key}'"))


POLICIES = {
    "pattern": (6, "  subject: {commonName: {allow: [‸'***']}}", "policy.pattern"),
    "template": (6, "  subject: {commonName: {allow: [‸'{team}']}}", "policy.pattern"),
    "template in deny": (
        6,
        "  subject: {commonName: {deny: [‸'{labels.team}']}}",
        "policy.pattern",
    ),
    "attribute by an OID that has a name": (
        6,
        "  subject: {‸2.5.4.3: {allow: [a]}}",
        "document.attribute",
    ),
    "special": (7, "  sans: {dns: {special: [‸wildcard]}}", "document.value"),
    "trust domain": (
        7,
        "  sans: {uri: {spiffe: {trustDomain: ‸'spiffe://a', paths: []}}}",
        "policy.spiffe.trust-domain",
    ),
    "SPIFFE IDs without paths": (
        7,
        "  sans: {uri: {spiffe: ‸{trustDomain: a}}}",
        "document.missing-key",
    ),
    "more names than there may be": (7, "  sans: {min: ‸3, max: 2}", "policy.sans.order"),
    "type of other names": (7, "  sans: {otherName: {‸upn: {}}}", "document.oid"),
    "directory name": (
        7,
        "  sans: {directoryName: {allow: [{commonName: ‸'***'}]}}",
        "policy.pattern",
    ),
    "registered ID": (7, "  sans: {registeredID: {allow: [‸'1.2.3*']}}", "policy.pattern"),
    "fixed and allow": (
        6,
        "  subject: {country: {fixed: GB, allow: ‸[GB]}}",
        "policy.subject.fixed",
    ),
    "DNS pattern": (7, "  sans: {dns: {allow: [‸'a..b']}}", "policy.pattern"),
    "two stars in a label": (7, "  sans: {dns: {allow: [‸'a**.b']}}", "policy.pattern"),
    "IP range": (7, "  sans: {ip: {allow: [‸10.0.0.1/8]}}", "policy.pattern"),
    "URI pattern": (7, "  sans: {uri: {allow: [‸'*://x/']}}", "policy.pattern"),
    "stars in a query": (7, "  sans: {uri: {deny: [‸'a://x/?*']}}", "policy.pattern"),
    "mail pattern": (7, "  sans: {email: {allow: [‸example.com]}}", "policy.pattern"),
    "depth in a local part": (7, "  sans: {email: {allow: [‸'**@a']}}", "policy.pattern"),
    "path pattern": (5, "  selector: {paths: [‸'/a']}", "policy.pattern"),
    "negative count": (7, "  sans: {dns: {allow: ['*'], max: ‸-1}}", "document.value"),
    "unknown algorithm": (8, "  key: {algorithms: [{type: ‸dsa}]}", "document.value"),
    "algorithm without type": (
        8,
        "  key: {algorithms: [‸{curves: [P-256]}]}",
        "document.missing-key",
    ),
    "weak RSA": (8, "  key: {algorithms: [{type: rsa, minBits: ‸1024}]}", "document.value"),
    "RSA bounds": (
        8,
        "  key: {algorithms: [{type: rsa, minBits: 4096, maxBits: ‸3072}]}",
        "policy.key.bits",
    ),
    "curve": (8, "  key: {algorithms: [{type: ecdsa, curves: [‸P-224]}]}", "document.value"),
    "unknown key of an algorithm": (
        8,
        "  key: {algorithms: [{type: ed25519, ‸minBits: 3}]}",
        "document.unknown-key",
    ),
    "default above max": (9, "  validity: {default: ‸91d, max: 90d}", "policy.validity.order"),
    "min above default": (
        9,
        "  validity: {default: 30d, max: 90d, min: ‸31d}",
        "policy.validity.order",
    ),
    "backdate": (
        9,
        "  validity: {default: 30d, max: 90d, min: 1h, backdate: ‸1h}",
        "policy.validity.backdate",
    ),
    "default usage": (
        10,
        "  keyUsage: {default: [‸digitalSignature], allow: [keyAgreement]}",
        "policy.usage.default",
    ),
    "renewal without a moment": (12, "  renewal: {automatic: ‸true}", "policy.renewal.before"),
    "renewal from the first moment": (
        12,
        "  renewal: {automatic: true, before: ‸30d}",
        "policy.renewal.before",
    ),
    "names from elsewhere": (12, "  namesFrom: ‸both", "document.value"),
    "schema": (12, "  requestSchema: {type: ‸strin}", "policy.request-schema.syntax"),
    "boolean as text": (12, "  renewal: {automatic: ‸'yes'}", "document.type"),
    "YAML 1.1 boolean": (12, "  renewal: {automatic: ‸yes}", "document.type"),
}


@pytest.mark.parametrize("name", POLICIES)
def test_a_mistake_in_a_policy_is_one_finding_at_its_place(name):
    number, line, rule = POLICIES[name]
    text, place = marked(with_line(POLICY, number, line))
    finding = only_finding(text)
    assert finding.startswith(f"x.yaml:{place}: "), finding
    assert f"({rule})" in finding


REPOSITORIES = {
    "branch": (4, "  branch: ‸../x", "document.branch"),
    "branch that is an option": (4, "  branch: ‸--upload-pack=x", "document.branch"),
    "HEAD": (4, "  branch: ‸HEAD", "document.branch"),
    "whole reference": (4, "  branch: ‸refs/heads/main", "document.branch"),
    "branch with a lock": (4, "  branch: ‸a.lock", "document.branch"),
    "committer": (6, '  committer: {name: ‸"a<b", email: a@b}', "document.value"),
    "mail": (6, "  committer: {name: a, email: ‸b}", "document.value"),
    "no target": (6, "  publish: [{to: ‸ftp://a}]", "repository.publish.to"),
    "no bucket": (6, "  publish: [{to: ‸s3://My_Bucket/x}]", "repository.publish.to"),
    "bucket by address": (6, "  publish: [{to: ‸s3://10.0.0.1/x}]", "repository.publish.to"),
    "prefix that climbs": (6, "  publish: [{to: ‸s3://bucket/../x}]", "repository.publish.to"),
    "owner": (6, "  publish: [{to: ‸s3://b-c/x?expectedBucketOwner=1}]", "repository.publish.to"),
    "http endpoint": (
        6,
        "  publish: [{to: ‸s3://b-c/x?endpoint=http://h}]",
        "repository.publish.to",
    ),
    "credential": (6, "  publish: [{to: ‸s3://b-c/x?secret=y}]", "repository.publish.to"),
    "folder that climbs": (6, "  publish: [{to: ‸'directory:a/../..'}]", "repository.publish.to"),
    "the whole repository": (6, "  publish: [{to: ‸'directory:.'}]", "repository.publish.to"),
    "folder of documents": (6, "  publish: [{to: ‸'directory:ca/x'}]", "repository.publish.to"),
    "folder of Git": (6, "  publish: [{to: ‸'directory:/a/.Git/x'}]", "repository.publish.to"),
    "target twice": (
        6,
        "  publish: [{to: s3://b-c/x}, {to: ‸s3://b-c/x/y/?region=eu-west-1}]",
        "repository.publish.duplicate",
    ),
    "target twice, once by its endpoint": (
        6,
        "  publish: [{to: s3://b-c/x?region=eu-west-1},"
        " {to: ‸s3://b-c/x?region=eu-west-1&endpoint=https://s3.eu-west-1.amazonaws.com}]",
        "repository.publish.duplicate",
    ),
    "URL with a query": (
        6,
        "  publish: [{to: s3://b-c/x, url: ‸'http://h/?a'}]",
        "repository.publish.url",
    ),
    "https URL": (6, "  publish: [{to: s3://b-c/x, url: ‸'https://h/'}]", "document.url"),
}


@pytest.mark.parametrize("name", REPOSITORIES)
def test_a_mistake_in_a_repository_is_one_finding_at_its_place(name):
    number, line, rule = REPOSITORIES[name]
    text, place = marked(with_line(REPOSITORY, number, line))
    finding = only_finding(text)
    assert finding.startswith(f"x.yaml:{place}: "), finding
    assert f"({rule})" in finding


def test_a_document_cannot_name_itself():
    finding = only_finding(with_line(REQUEST, 3, "metadata: {name: api}"))
    assert finding.endswith("remove it: the path is the name")


def test_a_bad_name_of_a_label_is_found_at_the_name():
    finding = only_finding(with_line(REQUEST, 3, "metadata: {labels: {a b: c}}"))
    assert finding.startswith("x.yaml:3:21: “a b” is not the name of a label (document.label)")


def test_a_key_that_looks_like_pydantics_own_mark_is_unknown_like_any_other():
    finding = only_finding(with_line(REQUEST, 7, "  sans: {'[key]': [a]}"))
    assert finding.startswith("x.yaml:7:10: key “[key]” is not known in spec.sans; known are dns")


def test_all_mistakes_of_a_document_are_found_in_one_run():
    text = (
        "apiVersion: v2\nkind: CertificateRequest\nextra: 1\nspec:\n  policy: ../x\n"
        "  subject: {CN: a}\n  sans: {dns: a, uri: }\n  validity: -1d\n  keyUsage: [x]\n"
    )
    rules = sorted((one.location.line, one.rule) for one in parsed(text)[1])
    assert rules == [
        (1, "document.value"),
        (3, "document.unknown-key"),
        (5, "document.name"),
        (6, "document.unknown-key"),
        (7, "document.null"),
        (7, "document.type"),
        (8, "document.duration"),
        (9, "document.value"),
    ]


def test_several_contradictions_of_a_mapping_are_found_in_one_run():
    text = with_line(POLICY, 9, "  validity: {default: 9d, max: 8d, min: 10d, backdate: 11d}")
    assert [one.rule for one in parsed(text)[1]] == [
        "policy.validity.order",
        "policy.validity.order",
        "policy.validity.backdate",
    ]


def test_a_value_is_shown_escaped_and_cut():
    text = with_line(REQUEST, 5, f"  policy: '{'é' * 100}/'")
    assert f"“{'é' * 60}…”" in only_finding(text)


def test_braces_in_a_value_are_shown_as_they_are():
    assert "“{message}”" in only_finding(with_line(REQUEST, 8, "  validity: '{message}'"))


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("30m", timedelta(minutes=30)),
        ("12h", timedelta(hours=12)),
        ("90d", timedelta(days=90)),
        ("2w", timedelta(days=14)),
        ("1y", timedelta(days=365)),
        ("100y", timedelta(days=36500)),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text, duration):
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    ["", "90", "d", "-1d", "+1d", "0d", "00d", "01d", "1.5d", "1d ", " 1d", "1D", "1M", "1s",
     "1y6m", "101y", "36501d", "99999999y", "999999999m", "९d", "1d\n"],
)  # fmt: skip
def test_anything_else_is_no_duration(text):
    with pytest.raises(PydanticCustomError) as caught:
        parse_duration(text)
    (contradiction,) = caught.value.context["contradictions"]
    assert contradiction.rule == "document.duration"


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(days=365), "1y"),
        (timedelta(days=400), "400d"),
        (timedelta(days=14), "14d"),
        (timedelta(hours=36), "36h"),
        (timedelta(minutes=5), "5m"),
        (timedelta(seconds=90), "90s"),
        (timedelta(0), "0s"),
    ],
)
def test_a_duration_is_written_in_its_largest_exact_unit(duration, text):
    assert duration_text(duration) == text
