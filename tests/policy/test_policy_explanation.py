"""A policy in sentences: each field has its words, and none is passed over."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from policy_material import POLICY, governing

from gitca.documents.document import Model
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.documents.schema import schema_of
from gitca.policy.explanation import explain
from gitca.policy.explanation_words import either, rest, span

FULL = """\
apiVersion: gitca/v1
kind: IssuancePolicy
spec:
  issuer: issuing
  selector:
    paths: ["payments/**"]
    labels: {team: "pay*"}
    requesters: {authors: ["*@example.com"], committers: ["bot@example.com"]}
  subject:
    commonName: {allow: ["**.example.internal"], deny: ["x"], required: true, mustBeInSans: true,
                 max: 1}
    organization: {fixed: Example}
    locality: {default: Here}
    street: {}
  sans:
    min: 1
    max: 9
    dns: {allow: ["**.example.internal"], deny: ["vault.example.internal"], required: true, max: 5,
          wildcards: ["*.shop.example.internal"], special: [bareDomain]}
    ip: {}
    uri: {allow: [], spiffe: {trustDomain: example.internal, paths: ["payments/*"]}}
    email: {allow: ["*@example.internal"]}
    otherName: {"1.3.6.1.4.1.311.20.2.3": {allow: ["*@example.internal"]}}
    directoryName: {allow: [{commonName: "*", organization: Example}]}
    registeredID: {allow: ["1.3.6.1.4.1.99999.**"]}
  key:
    algorithms: [{type: rsa, minBits: 3072}, {type: ml-dsa, parameterSets: [ML-DSA-65]}]
    csrHashes: [sha384]
    weakKeys: ignore
    reuse: allow
    maxAge: 1y
  validity:
    default: 30d
    min: 1d
    max: 90d
    backdate: 5m
    latestNotAfter: 2027-12-31T00:00:00Z
    requestDates: [notAfter]
    windows: [{days: [mon, tue], hours: "08:00-18:00", timeZone: Europe/London}]
    beyondIssuer: truncate
  keyUsage: {default: [digitalSignature], allow: [digitalSignature], required: [digitalSignature],
             critical: false}
  extendedKeyUsage: {default: [serverAuth], critical: true}
  ca:
    pathLength: {max: 1}
    nameConstraints: {permitted: {dns: [example.internal]}, excluded: {ip: [10.0.0.0/8]}}
  extensions:
    certificatePolicies: [{oid: 1.2.3, cps: ["http://x.example/"], notice: "text"}]
    tlsFeature: [statusRequest]
    ocspNoCheck: true
    other: [{oid: 1.3.6.1.4.1.99999.7, critical: true, value: {utf8: x}}]
    allow: [{oid: 1.3.6.1.4.1.99999.9, values: [a]}]
    fromRequest: [{oid: 1.3.6.1.4.1.99999.8}]
  requestSchema: {required: [metadata]}
  rules: [{name: short, expression: "size(request.name) < 40", message: "names are short"}]
  lint:
    level: warning
    ignore: [{lint: pkix.invalid_uri_syntax, reason: old, until: 2027-01-01T00:00:00Z}]
  limits: {livePerRequest: 2, livePerPolicy: 1000, issuedPerDay: 100}
  renewal: {automatic: true, before: 1/3}
  onReplace: revoke
  onDelete: {action: revoke, reason: superseded}
"""


def sentences(policy: str) -> list[str]:
    documents = governing(policy)
    sections = explain(documents.policies["internal-server"], documents.authorities["issuing"])
    assert all(section.sentences for section in sections)
    return [sentence for section in sections for sentence in section.sentences]


@pytest.mark.parametrize(
    "words",
    [
        "whose path matches “payments/**”",
        "label team must match “pay*”",
        "The author of the request's last change must be “*@example.com”.",
        "organization is always “Example”",
        "locality is “Here” where a request does not give it, and may be nothing else",
        "street may not have any value",
        "No other attribute may appear",
        "at least 1 alternative name.",
        "DNS names may be asked for that match “**.example.internal”.",
        "Wildcard names (*.…) may be asked for that match “*.shop.example.internal”.",
        "No IP addresses may be asked for",
        "SPIFFE IDs may be asked for in the trust domain example.internal",
        "Other names of type 1.3.6.1.4.1.311.20.2.3 may be asked for",
        "{commonName: “*”, organization: “Example”}",
        "RSA of 3072 or more bits or ML-DSA-65",
        "SHA-384",
        "Known weaknesses of keys are not looked for.",
        "in use for more than 1 year",
        "at least 1 day and at most 90 days",
        "No certificate ends after 2027-12-31T00:00:00Z.",
        "on Monday and Tuesday, 08:00-18:00 (Europe/London)",
        "A certificate without the key usage digitalSignature is not issued.",
        "The extended key usage is critical.",
        "below which there is at most 1 level of CAs",
        "DNS names must be constrained to what lies within “example.internal”",
        "IP addresses must leave out “10.0.0.0/8”",
        "the certificate policy 1.2.3 (“http://x.example/” and “text”)",
        "the critical extension 1.3.6.1.4.1.99999.7, “utf8: x”",
        "extension 1.3.6.1.4.1.99999.9 with a value that matches “a”",
        "extension 1.3.6.1.4.1.99999.8 is taken from a CSR",
        "short: names are short (in CEL: size(request.name) < 40).",
        "An error or a warning of the linter",
        "pkix.invalid_uri_syntax is ignored until 2027-01-01T00:00:00Z: old.",
        "At most 100 certificates are issued in 24 hours.",
        "1/3 of its validity before it ends",
        "Once it was replaced, a certificate is revoked (superseded).",
        "When its request is deleted, a certificate is revoked (superseded).",
    ],
)
def test_a_full_policy_says(words: str) -> None:
    assert any(words in sentence for sentence in sentences(FULL)), "\n".join(sentences(FULL))


def test_every_field_of_the_language_has_words_of_its_own() -> None:
    """A field without would be told by its path, as `rest` does, and FULL has them all."""
    told = sentences(FULL)
    paths = [sentence for sentence in told if sentence.partition(" is ")[0] in all_paths()]
    assert paths == []


def all_paths() -> set[str]:
    spec = schema_of("IssuancePolicy")["$defs"]["IssuancePolicySpec"]["properties"]
    inner = {
        name
        for definition in schema_of("IssuancePolicy")["$defs"].values()
        for name in definition.get("properties", {})
    }
    return {*spec, *(f"{top}.{name}" for top in spec for name in inner)}


def test_the_full_policy_leaves_no_top_level_field_out() -> None:
    written = yaml.safe_load(FULL)["spec"]
    known = {field.alias or name for name, field in IssuancePolicySpec.model_fields.items()}
    assert known - set(written) == {"namesFrom"}


class Later(Model):
    """A field that came after these words."""

    colour: str = "red"


def test_a_field_without_words_is_told_by_its_path_and_value() -> None:
    assert list(rest(Later(colour="blue"), "key", ())) == ["key.colour is “blue”."]
    assert list(rest(Later(), "key", ())) == []
    assert list(rest(Later(colour="blue"), "key", ("colour",))) == []


def test_what_is_not_mentioned_is_said_to_be_denied() -> None:
    told = sentences(POLICY)
    assert "No CA certificate is issued: what is issued can sign no certificate." in told
    assert "A request may state no extension of its own." in told
    assert any("There may be no directory names" in sentence for sentence in told)


@pytest.mark.parametrize(
    ("values", "text"),
    [([], ""), (["a"], "“a”"), (["a", "b"], "“a” or “b”"), (["a", "b", "c"], "“a”, “b” or “c”")],
)
def test_lists_are_read_aloud(values: list[str], text: str) -> None:
    assert either(values) == text


def test_a_long_list_is_cut() -> None:
    assert either(map(str, range(30))).endswith("“19” or 10 more")


def test_durations_are_words() -> None:
    from datetime import timedelta

    days: dict[Any, str] = {1: "1 day", 30: "30 days", 365: "1 year"}
    assert {number: span(timedelta(days=number)) for number in days} == days
    assert span(timedelta(minutes=5)) == "5 minutes"
