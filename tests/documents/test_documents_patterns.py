"""What the models accept as a pattern, the policies can compile; the forms that they refuse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from gitca.documents.patterns import (
    DnsPattern,
    DnsTemplate,
    EmailPattern,
    EmailTemplate,
    IpRange,
    IpTemplate,
    OidPattern,
    OidTemplate,
    PathPattern,
    SpiffePathTemplate,
    TextPattern,
    TextTemplate,
    UriPattern,
    UriTemplate,
)
from gitca.policy.patterns import compile_pattern

PATTERNS = {
    "dns": TypeAdapter(DnsPattern),
    "email": TypeAdapter(EmailPattern),
    "ip": TypeAdapter(IpRange),
    "oid": TypeAdapter(OidPattern),
    "path": TypeAdapter(PathPattern),
    "uri": TypeAdapter(UriPattern),
    "value": TypeAdapter(TextPattern),
}
TEMPLATES = {
    "dns": TypeAdapter(DnsTemplate),
    "email": TypeAdapter(EmailTemplate),
    "ip": TypeAdapter(IpTemplate),
    "oid": TypeAdapter(OidTemplate),
    "uri": TypeAdapter(UriTemplate),
    "value": TypeAdapter(TextTemplate),
}
SPIFFE_PATH = TypeAdapter(SpiffePathTemplate)
# ASCII alone: whether a label in other letters has an A-label is for x509 and policy to say.
FRAGMENTS = st.sampled_from(
    ["*", "**", "***", ".", "/", "a", "B", "-", "_", "@", ":", "//", "?", "#", "xn--", "10.0.0.0",
     "/8", "1", "%41", " ", "[", "]", "::1", "spiffe:", "+", "!", ""]
)  # fmt: skip


@given(kind=st.sampled_from(sorted(PATTERNS)), text=st.lists(FRAGMENTS, max_size=7).map("".join))
def test_an_accepted_pattern_can_be_compiled(kind, text):
    try:
        pattern = PATTERNS[kind].validate_python(text)
    except ValidationError:
        return
    compile_pattern(kind, pattern)


HOLES = st.sampled_from(["{path[0]}", "{request.name}", "{labels.team}", "{", "}", "{0}", "{+1}"])


@given(
    kind=st.sampled_from(sorted(TEMPLATES)),
    text=st.lists(FRAGMENTS | HOLES, max_size=7).map("".join),
)
def test_an_accepted_pattern_with_templates_can_be_compiled(kind, text):
    try:
        pattern = TEMPLATES[kind].validate_python(text)
    except ValidationError:
        return
    compile_pattern(kind, pattern)


@given(text=st.lists(FRAGMENTS | HOLES, max_size=7).map("".join))
def test_an_accepted_spiffe_path_is_that_of_a_uri_pattern(text):
    try:
        pattern = SPIFFE_PATH.validate_python(text)
    except ValidationError:
        return
    compile_pattern("uri", f"spiffe://example.internal/{pattern}")


@pytest.mark.parametrize("kind", sorted(PATTERNS))
@pytest.mark.parametrize("text", ["{path[0]}", "{labels.team}.x", "a{b", "a}b@c"])
def test_a_brace_in_a_deny_pattern_is_refused(kind, text):
    with pytest.raises(ValidationError):
        PATTERNS[kind].validate_python(text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("dns", "{labels.team}.example.internal"),
        ("dns", "*.a-{path[-1]}.example.internal"),
        ("email", "{labels.user}@{labels.team}.example.internal"),
        ("ip", "{labels.address}"),
        ("ip", "10.0.0.0/8"),
        ("oid", "1.2.{labels.site}.**"),
        ("uri", "spiffe://{labels.domain}/ns/{request.name}"),
        ("value", "Team {labels.team}"),
    ],
)
def test_a_template_may_stand_where_a_star_may(kind, text):
    assert TEMPLATES[kind].validate_python(text) == text


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("dns", "{path}.example.internal"),
        ("dns", "**{path[0]}.example.internal"),
        ("email", "**{path[0]}@example.internal"),
        ("ip", "10.{path[0]}.0.0/16"),
        ("ip", "{path[0]}/8"),
        ("oid", "1.2.3{path[0]}"),
        ("uri", "{path[0]}://example.internal/"),
        ("uri", "https://example.internal:{path[0]}/"),
        ("uri", "https://{path[0]}@example.internal/"),
        ("uri", "https://example.internal/?{path[0]}"),
        ("value", "{labels.}"),
        ("value", "**{path[0]}"),
    ],
)
def test_a_template_may_not_stand_where_a_star_may_not(kind, text):
    with pytest.raises(ValidationError) as refused:
        TEMPLATES[kind].validate_python(text)
    (contradiction,) = refused.value.errors()[0]["ctx"]["contradictions"]
    assert contradiction.rule == "policy.pattern"
    assert text in contradiction.message
    assert contradiction.remedy


@pytest.mark.parametrize("text", ["payments/*", "**", "ns/{path[0]}/sa/web-*", "a_b.c"])
def test_a_spiffe_path_is_kept(text):
    assert SPIFFE_PATH.validate_python(text) == text


@pytest.mark.parametrize(
    "text", ["", "/a", "a/", "a//b", "..", "a/./b", "a%20b", "a**", "ü", "a@b"]
)
def test_what_is_no_spiffe_path_is_refused(text):
    with pytest.raises(ValidationError):
        SPIFFE_PATH.validate_python(text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("dns", "**.example.internal"),
        ("dns", "*.example.internal"),
        ("dns", "web-*.example.internal"),
        ("dns", "_acme.example.internal"),
        ("dns", "bücher.example"),
        ("email", "*@example.internal"),
        ("email", "ops-*@**.example.internal"),
        ("ip", "10.0.0.0/8"),
        ("ip", "fd00::/8"),
        ("oid", "1.3.6.1.4.1.99999.**"),
        ("oid", "2.*.1"),
        ("path", "payments/**"),
        ("path", "*/web-*"),
        ("uri", "spiffe://example.internal/ns/*/sa/**"),
        ("uri", "https://*.example.internal:8443/"),
        ("uri", "urn:uuid:1234"),
        ("value", "Example Ltd."),
        ("value", "**.example.internal"),
    ],
)
def test_a_pattern_of_its_form_is_kept(kind, text):
    assert PATTERNS[kind].validate_python(text) == text


def test_an_address_becomes_the_network_that_it_is():
    assert PATTERNS["ip"].validate_python("10.0.0.1") == "10.0.0.1/32"
    assert PATTERNS["ip"].validate_python("2001:DB8::1") == "2001:db8::1/128"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("dns", ""),
        ("dns", ".example.internal"),
        ("dns", "example.internal."),
        ("dns", "https://example.internal"),
        ("dns", "a b"),
        ("dns", "a***"),
        ("email", "example.internal"),
        ("email", "@example.internal"),
        ("email", "**@example.internal"),
        ("ip", "10.0.0.1/8"),
        ("ip", "10.0.0.0/255.0.0.0"),
        ("ip", "10.0.0"),
        ("ip", "*"),
        ("oid", "1"),
        ("oid", "1.2.3*"),
        ("oid", "1..2"),
        ("oid", "1.02"),
        ("oid", "commonName"),
        ("path", "/payments"),
        ("path", "payments/"),
        ("path", "a**"),
        ("path", "../a"),
        ("path", "requests/a b"),
        ("uri", "*://example.internal"),
        ("uri", "example.internal/a"),
        ("uri", "https://example.internal/?*"),
        ("uri", "https://example.internal:*/"),
        ("uri", "https://user*@example.internal/"),
        ("uri", "https://example.internal/a**"),
        ("uri", "https://b\u00fccher.example/"),
        ("value", "***"),
    ],
)
def test_a_pattern_that_means_nothing_is_refused(kind, text):
    with pytest.raises(ValidationError):
        PATTERNS[kind].validate_python(text)
