"""Every trap of the safe YAML subset, at its exact place, by both parsers."""

from __future__ import annotations

import pytest
from yaml._yaml import CParser

from gitca.documents.source import PythonParser, Source, parse_source
from gitca.documents.text import MAX_DOCUMENT_SIZE
from gitca.findings import Finding


@pytest.fixture(params=[CParser, PythonParser], ids=["libyaml", "python"])
def parse(request):
    def run(text: str | bytes) -> tuple[Source | None, tuple[Finding, ...]]:
        data = text if isinstance(text, bytes) else text.encode()
        return parse_source("x.yaml", data, new_parser=request.param)

    return run


def brief(findings: tuple[Finding, ...]) -> list[str]:
    return [f"{one.location.line}:{one.location.column} {one.rule}" for one in findings]


TRAPS = {
    "anchor": ("a: 1\nb: &x 2\n", ["2:4 yaml.anchor"]),
    "anchor on a key": ("&x a: 1\n", ["1:1 yaml.anchor"]),
    "anchor on a mapping": ("a: &x\n  b: 1\n", ["1:4 yaml.anchor"]),
    "alias": ("a: &x 1\nb: *x\n", ["1:4 yaml.anchor", "2:4 yaml.alias"]),
    "alias as an item": ("a: &x 1\nb:\n  - *x\n", ["1:4 yaml.anchor", "3:5 yaml.alias"]),
    "alias as a key": ("a: &x b\n*x : 1\n", ["1:4 yaml.anchor", "2:1 yaml.key"]),
    "tag": ("a: !!str 5\n", ["1:4 yaml.tag"]),
    "tag that would make an object": (
        "a: !!python/object/apply:os.system [id]\n",
        ["1:4 yaml.tag"],
    ),
    "local tag": ("a: !secret x\n", ["1:4 yaml.tag"]),
    "tag without a name": ("a: ! x\n", ["1:4 yaml.tag"]),
    "merge key": ("a: {b: 1}\nc:\n  <<: {b: 2}\n", ["3:3 yaml.merge-key"]),
    "duplicate key": ("a: 1\nb: 2\na: 3\n", ["3:1 yaml.duplicate-key"]),
    "duplicate key in a flow mapping": ("x: {a: 1, b: 2, a: 3}\n", ["1:17 yaml.duplicate-key"]),
    "duplicate key in quotes": ('a: 1\n"a": 3\n', ["2:1 yaml.duplicate-key"]),
    "list as a key": ("? [a]\n: 1\n", ["1:3 yaml.key"]),
    "mapping as a key": ("{a: 1}: 1\n", ["1:1 yaml.key"]),
    "version directive": ("%YAML 1.1\n---\na: 1\n", ["1:1 yaml.directive"]),
    "tag directive": ("%TAG ! tag:x,2026:\n---\na: 1\n", ["1:1 yaml.directive"]),
    "second document": ("a: 1\n---\nb: 2\n", ["2:1 yaml.several-documents"]),
    "second, empty document": ("a: 1\n---\n", ["2:1 yaml.several-documents"]),
    "tab as indentation": ("a:\n\tb: 1\n", ["2:1 yaml.tab"]),
    "tab between": ("a: 1\nb:\t2\n", ["2:3 yaml.tab"]),
    "tabs in two lines": ("a:\t1\nb: 2\t\t\nc: 3\n", ["1:3 yaml.tab", "2:5 yaml.tab"]),
    "NUL": ("a: x\0y\n", ["1:5 yaml.control-character"]),
    "escape character": ("a: 1\nb: \x1b[31mx\n", ["2:4 yaml.control-character"]),
    "carriage return alone": ("a: 1\rb: 2\n", ["1:5 yaml.control-character"]),
    "next line": ("a: x\x85y\n", ["1:5 yaml.control-character"]),
    "line separator": ("a: x\u2028y\n", ["1:5 yaml.control-character"]),
    "right-to-left override": ("a: x\u202ey\n", ["1:5 yaml.invisible-character"]),
    "byte order mark inside": ("a: 1\nb: \ufeffx\n", ["2:4 yaml.invisible-character"]),
    "NUL by escape": ('a: 1\nb: "x\\0"\n', ["2:4 yaml.control-character"]),
    "override by escape": ('b: "\\u202e"\n', ["1:4 yaml.control-character"]),
    "NUL in a key by escape": ('"a\\0": 1\n', ["1:1 yaml.control-character"]),
    "infinity": ("a: 1\nb: .inf\n", ["2:4 yaml.number"]),
    "not a number": ("b: .NaN\n", ["1:4 yaml.number"]),
    "number of 19 digits": ("b: 1234567890123456789\n", ["1:4 yaml.number"]),
    "number of 5,000 digits": (f"b: {'9' * 5000}\n", ["1:4 yaml.number"]),
    "number of many decimals": (f"b: 0.{'1' * 50}\n", ["1:4 yaml.number"]),
    "number too large": ("b: 1e999\n", ["1:4 yaml.number"]),
    "unclosed quote": ("a: 'x\n", ["1:6 yaml.syntax"]),
    "unclosed bracket": ("a: [1,\n\n", ["1:7 yaml.syntax"]),
    "colon in a value": ("a: b: c\n", ["1:5 yaml.syntax"]),
    "bad indentation": ("a:\n    b: 1\n  c: 2\n", ["3:3 yaml.syntax"]),
    "reserved indicator": ("a: @x\n", ["1:4 yaml.syntax"]),
    "text after the document": ("a: 1\n...\nb: 2\n", ["3:1 yaml.syntax"]),
}


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_of_yaml_is_a_finding_at_its_place(parse, name):
    text, expected = TRAPS[name]
    _, findings = parse(text)
    assert brief(findings) == expected
    assert all(one.remedy and one.message and one.is_error for one in findings)


BYTES = {
    "byte order mark": (b"\xef\xbb\xbfa: 1\n", ["1:1 yaml.bom"]),
    "UTF-16": ("a: 1\n".encode("utf-16"), ["1:1 yaml.encoding"]),
    "Latin-1": ("a: 1\nb: ü\n".encode("latin-1"), ["2:4 yaml.encoding"]),
    "place counted in characters": ("ü: 1\nä: ".encode() + b"\xff\n", ["2:4 yaml.encoding"]),
    "surrogate": (b"a: \xed\xa0\x80\n", ["1:4 yaml.encoding"]),
    "overlong NUL": (b"a: \xc0\x80\n", ["1:4 yaml.encoding"]),
    "too large": (b"a" * (MAX_DOCUMENT_SIZE + 1), ["1:1 document.size"]),
}


@pytest.mark.parametrize("name", BYTES)
def test_bytes_that_are_no_text_are_a_finding_at_their_place(parse, name):
    data, expected = BYTES[name]
    source, findings = parse(data)
    assert source is None
    assert brief(findings) == expected


def test_a_document_of_exactly_256_kib_is_read(parse):
    data = b"a: " + b"x" * (MAX_DOCUMENT_SIZE - 3)
    assert len(data) == 256 * 1024
    assert parse(data)[1] == ()


def test_columns_count_characters_and_not_bytes(parse):
    _, findings = parse("ä: {ö: &x 1}\n")
    assert brief(findings) == ["1:8 yaml.anchor"]


def test_all_traps_of_a_document_are_found_in_one_run(parse):
    _, findings = parse("a: &x 1\nb: *x\nc: !!int 5\na: 2\n<<: {}\nd: .inf\n")
    assert brief(findings) == [
        "1:4 yaml.anchor",
        "2:4 yaml.alias",
        "3:4 yaml.tag",
        "4:1 yaml.duplicate-key",
        "5:1 yaml.merge-key",
        "6:4 yaml.number",
    ]


def test_a_duplicate_key_keeps_the_first_value_and_names_its_line(parse):
    source, findings = parse("a: 1\nb: 2\na: 3\n")
    assert source.value == {"a": 1, "b": 2}
    assert "first in line 1" in findings[0].message
    assert str(source.at("a")) == "x.yaml:1:4"


def test_traps_within_a_duplicate_are_found_too(parse):
    _, findings = parse("a: 1\na: {b: !!int 1}\n")
    assert brief(findings) == ["2:1 yaml.duplicate-key", "2:8 yaml.tag"]


@pytest.mark.parametrize("text", ["[" * 33, "{a: " * 33, "- " * 33])
def test_nesting_is_bounded_before_the_machine_is(parse, text):
    _, findings = parse(text)
    assert [one.rule for one in findings] == ["yaml.depth"]


def test_32_collections_within_each_other_are_read(parse):
    assert parse("[" * 32 + "]" * 32)[1] == ()


@pytest.mark.parametrize("text", ["[" * 200_000, "{a: " * 60_000, "- " * 120_000])
def test_deep_nesting_cannot_crash_the_parser(parse, text):
    _, findings = parse(text)
    assert [one.rule for one in findings] == ["yaml.depth"]


def test_the_number_of_values_is_bounded(parse):
    _, findings = parse(f"[{'a,' * 30_000}]")
    assert [one.rule for one in findings] == ["yaml.values"]


def test_a_thousand_traps_are_counted_and_not_listed(parse):
    _, findings = parse("a:\n" * 1000)
    assert len(findings) == 51
    assert findings[-1].message == "949 more findings in this document are not shown"


def test_an_unknown_escape_is_malformed(parse):
    _, findings = parse('a: "\\q"\n')
    assert [(one.rule, one.location.line) for one in findings] == [("yaml.syntax", 1)]


def test_an_empty_document_has_no_value_and_no_finding(parse):
    source, findings = parse("# nothing\n")
    assert (source.value, findings) == (None, ())


def test_a_message_shows_control_characters_as_escapes(parse):
    _, findings = parse('"a\\e[31m": 1\n"a\\e[31m": 2\n')
    assert "\\x1b[31m" in findings[-1].message
    assert all(one.message.isprintable() for one in findings)
    assert "yaml.duplicate-key" in {one.rule for one in findings}


def test_windows_line_ends_are_read_and_do_not_move_places(parse):
    source, findings = parse("a: 1\r\nb:\r\n  c: 2\r\n")
    assert findings == ()
    assert str(source.at("b", "c")) == "x.yaml:3:6"


SCALARS = [
    ("NO", "NO"),
    ("yes", "yes"),
    ("on", "on"),
    ("off", "off"),
    ("y", "y"),
    ("0123", "0123"),
    ("007", "007"),
    ("0x1f", "0x1f"),
    ("0o17", "0o17"),
    ("0b11", "0b11"),
    ("1_000", "1_000"),
    ("12:34:56", "12:34:56"),
    ("190:20:30", "190:20:30"),
    ("2026-11-20", "2026-11-20"),
    ("2026-11-20T00:00:00Z", "2026-11-20T00:00:00Z"),
    ("10.1.2.3", "10.1.2.3"),
    ("1.2.840.113549", "1.2.840.113549"),
    ("=", "="),
    ("tRue", "tRue"),
    ("true", True),
    ("False", False),
    ("TRUE", True),
    ("null", None),
    ("~", None),
    ("Null", None),
    ("nUll", "nUll"),
    ("0", 0),
    ("-1", -1),
    ("+1", 1),
    ("5", 5),
    ("3.5", 3.5),
    ("1e3", 1000.0),
    (".5", 0.5),
    ("1.", 1.0),
    (".", "."),
    ("-x", "-x"),
    ("01.5", "01.5"),
    ("'5'", "5"),
    ('"true"', "true"),
    ("''", ""),
    ('"a\\nb"', "a\nb"),
    ("é", "é"),
]


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_a_scalar_is_read_by_the_core_schema_less_its_surprises(parse, text, value):
    source, findings = parse(f"a: {text}\n")
    assert findings == ()
    assert source.value == {"a": value}
    assert type(source.value["a"]) is type(value)


@pytest.mark.parametrize("key", ["1", "true", "null", "0123", "NO", "1.5"])
def test_a_key_is_text_whatever_it_looks_like(parse, key):
    assert parse(f"{key}: x\n")[0].value == {key: "x"}


def test_a_block_scalar_keeps_its_lines(parse):
    source, _ = parse("csr: |\n  one\n  two\nnext: >-\n  a\n  b\n")
    assert source.value == {"csr": "one\ntwo\n", "next": "a b"}


PLACES = """\
top:
  scalar: 1
  block:
    - a
    - b: c
  flow: {x: [1, 2]}
  nothing:
  text: |
    line
"""


@pytest.mark.parametrize(
    ("pointer", "place"),
    [
        ((), "1:1"),
        (("top",), "1:1"),
        (("top", "scalar"), "2:11"),
        (("top", "block"), "3:3"),
        (("top", "block", 0), "4:7"),
        (("top", "block", 1), "5:7"),
        (("top", "block", 1, "b"), "5:10"),
        (("top", "flow"), "6:9"),
        (("top", "flow", "x", 1), "6:17"),
        (("top", "nothing"), "7:3"),
        (("top", "text"), "8:9"),
        (("top", "absent"), "1:1"),
        (("top", "block", 7), "3:3"),
        (("top", "flow", "absent", "deeper"), "6:9"),
        (("top", "scalar", "deeper"), "2:11"),
    ],
)
def test_a_value_knows_its_place(parse, pointer, place):
    source, _ = parse(PLACES)
    assert str(source.at(*pointer)) == f"x.yaml:{place}"


def test_a_key_knows_its_place(parse):
    source, _ = parse(PLACES)
    assert str(source.key_at("top", "flow", "x")) == "x.yaml:6:10"
    assert str(source.key_at("top", "scalar")) == "x.yaml:2:3"
    assert str(source.key_at("top", "absent")) == "x.yaml:1:1"


def test_what_a_duplicate_lacks_is_not_held_against_the_first(parse):
    assert parse("a: 1\na:\n")[0].nulls == ()


def test_pointers_of_absent_values_are_kept(parse):
    source, _ = parse("a:\nb: ~\nc: [x, ]\nd:\n  -\n")
    assert source.nulls == (("a",), ("b",), ("d", 0))
