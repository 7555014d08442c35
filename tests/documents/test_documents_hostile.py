"""I9: no input, however malformed, gives a traceback; and both YAML parsers see the same."""

from __future__ import annotations

import time

import pytest
from document_samples import SAMPLES, parsed
from hypothesis import given
from hypothesis import strategies as st
from yaml._yaml import CParser

from gitca.documents.load import TreeEntry, load_governing, load_requests
from gitca.documents.parse import parse_document
from gitca.documents.source import PythonParser, Source, parse_source
from gitca.documents.text import MAX_DOCUMENT_SIZE

FRAGMENTS = st.sampled_from(
    ["a", "b", ": ", ":", "- ", "-", "\n", "  ", "{", "}", "[", "]", ", ", "'", '"', "#", "|", ">",
     "&x", "*x", "!", "!!str ", "%", "---", "...", "? ", "<<", "~", "5", "0x", "\\", "\0", "\t",
     "é", "apiVersion: gitca/v1\n", "kind: Repository\n", "spec:\n", "\r\n", "\ufeff", "@", "`"],
)  # fmt: skip
YAML_LIKE = st.lists(FRAGMENTS, max_size=40).map("".join)


@given(data=st.binary(max_size=200))
def test_no_bytes_raise(data):
    for path in ("ca/x.yaml", "ca/repository.yaml", "policies/x.yaml"):
        load_governing([TreeEntry(path, "100644", "b")], lambda _: data)
    load_requests([TreeEntry("requests/x.yaml", "100644", "b")], lambda _: data)


@given(text=YAML_LIKE)
def test_nothing_that_looks_like_yaml_raises(text):
    source, findings = parse_source("x.yaml", text.encode())
    assert source is not None or findings
    if source is not None:
        document, more = parse_document(source, name="x", kinds=tuple(SAMPLES))
        assert document is not None or more


@given(text=YAML_LIKE)
def test_both_parsers_read_the_same_value_at_the_same_places(text):
    fast, slow = (
        parse_source("x.yaml", text.encode(), new_parser=parser)
        for parser in (CParser, PythonParser)
    )
    if fast[1] or slow[1]:
        # They word errors of syntax differently and place them differently.
        return
    assert fast == slow
    # What is not there has no place of its own; they put it before and after a line's end.
    there = fast[0].places.keys() - set(fast[0].nulls)
    assert [fast[0].at(*one) for one in there] == [slow[0].at(*one) for one in there]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9**9) | st.floats(allow_nan=False, width=16)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@st.composite
def mutated_documents(draw):
    """A document of the design with a value of any type in any place."""
    kind = draw(st.sampled_from(sorted(SAMPLES)))
    source, _ = parse_source("x.yaml", SAMPLES[kind].encode())
    pointer = draw(st.sampled_from(sorted(source.places, key=str)))
    value = draw(VALUES)
    return kind, replaced(source.value, pointer, value)


def replaced(node, pointer, value):
    if not pointer:
        return value
    copy = dict(node) if isinstance(node, dict) else list(node)
    copy[pointer[0]] = replaced(node[pointer[0]], pointer[1:], value)
    return copy


@given(document=mutated_documents())
def test_a_value_of_any_type_in_any_place_is_read_or_found(document):
    kind, value = document
    parsed_document, findings = parse_document(
        Source("x.yaml", "", value), name="x", kinds=tuple(SAMPLES)
    )
    assert (parsed_document is None) == bool(findings)
    assert all(one.message.isprintable() and one.remedy for one in findings), findings
    assert kind in SAMPLES


PATHS = st.lists(
    st.sampled_from(["ca", "policies", "requests", "a", "A", "..", ".", "", "é", "\0", "x.yaml",
                     "x.yml", ".yaml", "\n", "repository.yaml", "ledger.yaml", "x.pem"]),
    min_size=1, max_size=5,
).map("/".join)  # fmt: skip


@given(
    paths=st.lists(PATHS, max_size=8, unique=True),
    mode=st.sampled_from(["100644", "100755", "120000", "160000", "040000"]),
)
def test_no_tree_raises(paths, mode):
    listing = [TreeEntry(path, mode, "b") for path in paths]
    known = load_governing(listing, lambda _: b"x")
    found = load_requests(listing, lambda _: b"x", governing=known)
    for finding in known.findings + found.findings:
        assert str(finding).isprintable()


LARGE = {
    "flow list": b"[" + b"a," * 130_000 + b"]",
    "flow mapping": b"{" + b"a: 1," * 50_000 + b"}",
    "nested lists": b"[" * MAX_DOCUMENT_SIZE,
    "nested mappings": b"{a: " * 60_000,
    "nested block lists": b"- " * 120_000,
    "explicit keys": b"? " * 120_000,
    "anchors": b"[" + b"&a 1," * 50_000 + b"]",
    "tags": b"[" + b"!a 1," * 50_000 + b"]",
    "null values": b"a:\n" * 80_000,
    "escapes": b'a: "' + b"\\x41" * 60_000 + b'"',
    "folded text": b"a: >\n" + b" x\n" * 80_000,
    "comments": b"#\n" * 120_000,
    "tabs": b"\t\n" * 120_000,
    "unclosed quote": b"a: '" + b"x" * 250_000,
    "plain text": b"a " * 130_000,
    "wrong items": b"apiVersion: gitca/v1\nkind: CertificateRequest\nspec: {sans: {dns: ["
    + b"1," * 19_000
    + b"]}}",
    "wrong keys": b"apiVersion: gitca/v1\nkind: CertificateRequest\nspec:\n"
    + b"".join(b"  k%d: 1\n" % index for index in range(19_000)),
    "long key": b"apiVersion: gitca/v1\nkind: Repository\nspec:\n  ? "
    + b"k" * 200_000
    + b"\n  : 1",
}


@pytest.mark.parametrize("name", LARGE)
def test_the_largest_documents_are_judged_in_bounded_time(name):
    began = time.process_time()
    found = load_requests([TreeEntry("requests/x.yaml", "100644", "b")], lambda _: LARGE[name])
    assert found.findings
    assert len(found.findings) <= 2 * 51
    # All take less than half a second; quadratic work would take minutes.
    assert time.process_time() - began < 5


def test_a_message_never_repeats_more_than_a_line():
    text = SAMPLES["Repository"].replace("branch: main", f"branch: '{'x' * 10_000}/'")
    _, findings = parsed(text)
    assert all(len(str(one)) < 500 for one in findings)
