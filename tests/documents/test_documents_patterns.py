"""What the models accept as a pattern, the policies can compile; the forms that they refuse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from gitca.documents.patterns import (
    DnsPattern,
    EmailPattern,
    IpRange,
    PathPattern,
    TextPattern,
    UriPattern,
)
from gitca.policy.patterns import compile_pattern

PATTERNS = {
    "dns": TypeAdapter(DnsPattern),
    "email": TypeAdapter(EmailPattern),
    "ip": TypeAdapter(IpRange),
    "path": TypeAdapter(PathPattern),
    "uri": TypeAdapter(UriPattern),
    "value": TypeAdapter(TextPattern),
}
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
