"""Patterns: against a naive matcher, and against the spellings by which names pass as others."""

from __future__ import annotations

import re
import string
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from naive_matcher import naive

from gitca.policy.glob import Glob
from gitca.policy.patterns import PatternError, PatternKind, compile_pattern

_labels = st.text("ab-x", min_size=1, max_size=3)
_names = st.lists(_labels, min_size=1, max_size=4).map(".".join)
_patterns = st.lists(
    st.one_of(_labels, st.sampled_from(["*", "**", "a*", "*b", "a*b*"])), min_size=1, max_size=5
)
_near_text = st.text("ab.*/", max_size=8)


def _without_triples(text: str) -> bool:
    return "***" not in text


@given(pattern=_near_text.filter(_without_triples), value=_near_text)
@settings(max_examples=400)
@example(pattern="a*b**c", value="a.bxbyc")
@example(pattern="**.a", value="*.a")
def test_a_value_pattern_means_what_the_naive_matcher_says(pattern: str, value: str) -> None:
    expected = naive(pattern, value, separators=".")
    assert compile_pattern("value", pattern).admits(value) == expected


@given(labels=_patterns, name=_names)
@settings(max_examples=400)
def test_a_dns_pattern_means_what_the_naive_matcher_says(labels: list[str], name: str) -> None:
    pattern = ".".join(labels)
    expected = naive(pattern, name, separators=".")
    assert compile_pattern("dns", pattern).admits(name) == expected


@given(labels=_patterns, rest=_names)
@settings(max_examples=400)
def test_a_wildcard_name_is_admitted_only_if_every_name_that_it_covers_is(
    labels: list[str], rest: str
) -> None:
    compiled = compile_pattern("dns", ".".join(labels))
    if compiled.admits(f"*.{rest}"):
        assert all(compiled.admits(f"{label}.{rest}") for label in ("a", "b", "zz9", "x-", "ab"))


@given(labels=_patterns, label=_labels, rest=_names)
@settings(max_examples=400)
def test_a_wildcard_name_is_forbidden_if_any_name_that_it_covers_is(
    labels: list[str], label: str, rest: str
) -> None:
    compiled = compile_pattern("dns", ".".join(labels))
    if compiled.forbids(f"{label}.{rest}"):
        assert compiled.forbids(f"*.{rest}")


@given(
    segments=st.lists(st.sampled_from(["a", "b", "*", "**", "a*"]), min_size=1, max_size=4),
    path=st.text("ab/", max_size=8),
)
@settings(max_examples=400)
def test_a_path_pattern_means_what_the_naive_matcher_says(segments: list[str], path: str) -> None:
    pattern = "/".join(segments)
    assert compile_pattern("path", pattern).admits(path) == naive(pattern, path, separators="/")


@given(value=st.text(string.printable, max_size=20))
@settings(max_examples=200)
def test_text_without_stars_matches_itself_alone(value: str) -> None:
    pattern = re.sub(r"[*{}]", "", value)
    compiled = compile_pattern("value", pattern)
    assert compiled.admits(pattern)
    assert compiled.admits(value) == (value == pattern)


ADMITTED = [
    ("dns", "*.example.internal", "api.example.internal"),
    ("dns", "**.example.internal", "a.b.example.internal"),
    ("dns", "*.example.internal", "*.example.internal"),
    ("dns", "**.example.internal", "*.a.example.internal"),
    ("dns", "web-*.Example.internal", "web-1.example.internal"),
    ("dns", "*.bücher.example", "a.xn--bcher-kva.example"),
    ("ip", "10.0.0.0/8", "10.1.2.3"),
    ("ip", "10.1.2.3", "10.1.2.3"),
    ("ip", "2001:db8::/32", "2001:db8::1"),
    ("ip", "::ffff:10.0.0.0/104", "::ffff:10.0.0.1"),
    ("uri", "spiffe://example.org/ns/*/sa/*", "spiffe://example.org/ns/web/sa/api"),
    ("uri", "spiffe://example.org/**", "spiffe://example.org/ns/web/sa/api"),
    ("uri", "https://*.example.org/", "https://a.example.org/"),
    ("uri", "https://**.example.org:8443/x?y=1", "https://a.b.example.org:8443/x?y=1"),
    ("uri", "https://*.example.org", "https://a.example.org"),
    ("uri", "urn:uuid:*", "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66"),
    ("uri", "https://example.org/a%20b", "https://example.org/a%20b"),
    ("email", "*@example.internal", "jo.doe+x@example.internal"),
    ("email", "*@*.example.internal", "jo@mail.example.internal"),
    ("email", "jo@example.internal", "jo@example.internal"),
    ("value", "Example*", "Example Ltd"),
    ("value", "Example**", "Example Inc."),
    ("value", "[a-z]+(x|y)", "[a-z]+(x|y)"),
    ("path", "**", "payments/api"),
    ("path", "payments/*", "payments/api"),
    ("path", "payments/**", "payments/a/b"),
]

REFUSED = [
    ("dns", "*.example.internal", "a.b.example.internal"),
    ("dns", "**.example.internal", "example.internal"),
    ("dns", "**.example.internal", "notexample.internal"),
    ("dns", "**.example.internal", "a.exampleXinternal"),
    ("dns", "web-*.example.internal", "*.example.internal"),
    ("dns", "api.example.internal", "*.example.internal"),
    ("dns", "**.example.internal", "a.*.example.internal"),
    ("dns", "**.example.internal", "**.example.internal"),
    ("dns", "*", "localhost.localdomain"),
    ("ip", "10.0.0.0/8", "11.0.0.1"),
    ("ip", "0.0.0.0/0", "::1"),
    ("ip", "::/0", "::ffff:10.0.0.1"),
    ("uri", "spiffe://example.org/ns/*", "spiffe://example.org/ns/"),
    ("uri", "spiffe://example.org/ns/*", "spiffe://example.org/ns/.."),
    ("uri", "spiffe://example.org/ns/**", "spiffe://example.org/ns/a/../b"),
    ("uri", "spiffe://example.org/ns/**", "spiffe://example.org/ns/./b"),
    ("uri", "spiffe://example.org/ns/**", "spiffe://example.org/ns//b"),
    ("uri", "spiffe://example.org/ns/**", "spiffe://example.org/ns/a/"),
    ("uri", "spiffe://example.org/ns/*", "spiffe://example.org/ns/%2e%2e"),
    ("uri", "spiffe://example.org/ns/*", "spiffe://example.org/ns/a%2fb"),
    ("uri", "spiffe://example.org/ns/*", "spiffe://example.org/ns/a?b"),
    ("uri", "spiffe://example.org/ns/*", "spiffe://example.org/ns/a#b"),
    ("uri", "spiffe://example.org/ns/*", "SPIFFE://example.org/ns/a"),
    ("uri", "spiffe://example.org/ns/*", "spiffe://EXAMPLE.org/ns/a"),
    ("uri", "spiffe://example.org/ns/*", "spiffe://example.org:8081/ns/a"),
    ("uri", "spiffe://example.org/ns/*", "spiffe://u@example.org/ns/a"),
    ("uri", "https://*.example.org/", "https://evil.test/x.example.org/"),
    ("uri", "https://*.example.org/", "https://evil.test#x.example.org/"),
    ("uri", "https://*.example.org/", "https://evil.test?x.example.org/"),
    ("uri", "https://*.example.org/", "https://evil:1@x.example.org/"),
    ("uri", "https://*.example.org/", "https://A.example.org/"),
    ("uri", "https://*.example.org/", "https://a.example.org"),
    ("uri", "https://example.org/a%20b", "https://example.org/a b"),
    ("email", "*@example.internal", "a@b@example.internal"),
    ("email", "*@example.internal", '"a b"@example.internal'),
    ("email", "*@example.internal", "a@EXAMPLE.internal"),
    ("email", "*@example.internal", "@example.internal"),
    ("email", "*@example.internal", "*@example.internal"),
    ("value", "*", "*"),
    ("value", "**.example.internal", "*.example.internal"),
    ("value", "Example*", "Example"),
    ("value", "Example*", "Example Inc."),
    ("value", "example", "Example"),
    ("value", "[a-z]+", "abc"),
    ("path", "payments/*", "payments/a/b"),
    ("path", "payments/*", "payments2/a"),
]


@pytest.mark.parametrize(("kind", "pattern", "value"), ADMITTED)
def test_a_pattern_admits(kind: PatternKind, pattern: str, value: str) -> None:
    assert compile_pattern(kind, pattern).admits(value)


@pytest.mark.parametrize(("kind", "pattern", "value"), REFUSED)
def test_a_pattern_does_not_admit(kind: PatternKind, pattern: str, value: str) -> None:
    assert not compile_pattern(kind, pattern).admits(value)


@pytest.mark.parametrize(
    ("kind", "pattern", "value"),
    [
        ("dns", "vault.example.internal", "*.example.internal"),
        ("dns", "vau*.example.internal", "*.example.internal"),
        ("dns", "**.internal", "*.example.internal"),
        ("ip", "10.0.0.0/8", "::ffff:10.0.0.1"),
        ("email", "Admin@example.internal", "admin@example.internal"),
        ("value", "Example*", "EXAMPLE Ltd"),
        ("uri", "spiffe://example.org/*", "spiffe://example.org/.."),
        ("path", "payments/*", "payments/api"),
    ],
)
def test_a_deny_pattern_reads_widely(kind: PatternKind, pattern: str, value: str) -> None:
    assert compile_pattern(kind, pattern).forbids(value)


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        ("vault.other.internal", "*.example.internal"),
        ("a.vault.example.internal", "*.example.internal"),
    ],
)
def test_a_deny_pattern_leaves_wildcards_that_cover_nothing_of_it(pattern: str, value: str) -> None:
    assert not compile_pattern("dns", pattern).forbids(value)


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        ("dns", "a**.example.internal"),
        ("dns", "***.example.internal"),
        ("dns", "a..example"),
        ("dns", ""),
        ("dns", "a b.example"),
        ("dns", "ex\u2024ample"),
        ("dns", "*bü.example"),
        ("ip", "10.0.0.1/8"),
        ("ip", "10.*"),
        ("ip", "010.0.0.1"),
        ("uri", "example.org/*"),
        ("uri", "*://example.org/"),
        ("uri", "https://*@example.org/"),
        ("uri", "https://example.org:*/"),
        ("uri", "https://example.org/?*"),
        ("uri", "https://example.org/a**"),
        ("email", "example.internal"),
        ("email", "**@example.internal"),
        ("value", "a***"),
        ("path", "a//b"),
        ("path", "/a"),
        ("path", "a**"),
        ("value", "a" * 1025),
    ],
)
def test_a_pattern_that_means_nothing_is_refused(kind: PatternKind, pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(kind, pattern)


def test_matching_takes_linear_time_for_the_worst_of_patterns() -> None:
    compiled = compile_pattern("value", "**a" * 300)
    start = time.process_time()
    assert not compiled.admits("a" * 20_000 + "b")
    assert time.process_time() - start < 1


def test_an_empty_pattern_matches_the_empty_text_alone() -> None:
    assert Glob([]).matches("")
    assert not Glob([]).matches("a")
