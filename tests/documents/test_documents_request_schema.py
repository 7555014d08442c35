"""The JSON Schema that a policy embeds is itself judged before any request is."""

from __future__ import annotations

import time

import pytest
from document_samples import POLICY, parsed
from jsonschema import Draft202012Validator

from gitca.documents.request_schema import check_request_schema

GOOD = [
    "{}",
    "{properties: {metadata: {type: object, required: [owner]}}}",
    "{properties: {metadata: {$ref: '#/$defs/metadata'}}, $defs: {metadata: {type: object}}}",
    "{$schema: 'https://json-schema.org/draft/2020-12/schema'}",
    "{properties: {owner: {enum: [a, null]}}}",
    "{allOf: [{type: object}, {$ref: '#/allOf/0'}]}",
    "{$ref: '#/$defs/a~1b%20c', $defs: {'a/b c': true}}",
    "{properties: {labels: {patternProperties: {'^cost-': {pattern: '^[0-9]+$'}}}}}",
]


@pytest.mark.parametrize("schema", GOOD)
def test_a_schema_of_the_dialect_is_kept(schema):
    document, findings = parsed(f"{POLICY}  requestSchema: {schema}\n")
    assert findings == ()
    Draft202012Validator(document.spec.request_schema).is_valid({"owner": "x"})


BAD = {
    "unknown type": ("{type: ‸strin}", "policy.request-schema.syntax"),
    "properties a list": ("{properties: ‸[a]}", "policy.request-schema.syntax"),
    "deep down": (
        "{properties: {labels: {properties: {a: {minLength: ‸-1}}}}}",
        "policy.request-schema.syntax",
    ),
    "other dialect": (
        "{$schema: ‸'http://json-schema.org/draft-07/schema#'}",
        "policy.request-schema.dialect",
    ),
    "remote reference": (
        "{properties: {labels: {$ref: ‸'https://example.com/labels.json'}}}",
        "policy.request-schema.remote",
    ),
    "file reference": ("{$ref: ‸'file:///etc/passwd'}", "policy.request-schema.remote"),
    "relative reference": ("{$ref: ‸other.json}", "policy.request-schema.remote"),
    "reference by anchor": ("{$ref: ‸'#labels'}", "policy.request-schema.remote"),
    "identifier": ("{$id: ‸'https://example.com/'}", "policy.request-schema.keyword"),
    "dynamic reference": ("{$dynamicRef: ‸'#x'}", "policy.request-schema.keyword"),
    "reference to nothing": ("‸{$ref: '#/$defs/none'}", "policy.request-schema.reference"),
    "reference to itself": ("‸{$ref: '#'}", "policy.request-schema.reference"),
    "references that lead round": (
        "‸{$ref: '#/$defs/a', $defs: {a: {$ref: '#/$defs/b'}, b: {$ref: '#/$defs/a'}}}",
        "policy.request-schema.reference",
    ),
    "pattern": ("{properties: {a: {pattern: ‸'('}}}", "policy.request-schema.pattern"),
    "long pattern": (
        f"{{properties: {{a: {{pattern: ‸{'a' * 513}}}}}}}",
        "policy.request-schema.pattern",
    ),
    "property pattern": (
        "{patternProperties: {'[': ‸{type: string}}}",
        "policy.request-schema.pattern",
    ),
    "not a mapping": ("‸true", "document.type"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_schema_is_one_finding_at_its_place(name):
    schema, rule = BAD[name]
    column = len("  requestSchema: ") + schema.index("‸") + 1
    _, findings = parsed(f"{POLICY}  requestSchema: {schema.replace('‸', '')}\n")
    line = POLICY.count("\n") + 1
    assert [str(one.location) for one in findings] == [f"x.yaml:{line}:{column}"]
    assert findings[0].rule == rule


def test_a_schema_that_references_multiply_is_refused_in_no_time():
    definitions = {
        f"d{level}": {"allOf": [{"$ref": f"#/$defs/d{level + 1}"}] * 4} for level in range(25)
    }
    schema = {"$ref": "#/$defs/d0", "$defs": definitions | {"d25": {"type": "object"}}}
    began = time.process_time()
    with pytest.raises(Exception, match="refused") as caught:
        check_request_schema(schema)
    assert time.process_time() - began < 1
    assert "more than 10000 subschemas" in caught.value.context["contradictions"][0].message


def test_all_mistakes_of_a_schema_are_found_in_one_run():
    _, findings = parsed(f"{POLICY}  requestSchema: {{type: x, minLength: -1, maxLength: a}}\n")
    assert [one.rule for one in findings] == ["policy.request-schema.syntax"] * 3
