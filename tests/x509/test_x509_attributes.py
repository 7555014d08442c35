"""Attributes of a distinguished name: bounds, characters, string types."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitca.documents.attribute_types import AttributeName
from gitca.x509.attributes import (
    ATTRIBUTE_OIDS,
    ATTRIBUTE_TYPES,
    attribute_name,
    check_attribute,
    string_type,
)

CN, COUNTRY, SERIAL = (ATTRIBUTE_OIDS[n] for n in ("commonName", "country", "serialNumber"))


def test_every_attribute_that_a_document_can_name_is_known():
    assert set(get_args(AttributeName)) <= ATTRIBUTE_OIDS.keys()


@pytest.mark.parametrize("row", ATTRIBUTE_TYPES.values(), ids=lambda row: row.name)
def test_each_attribute_is_bounded_and_says_both_numbers(row):
    problem = check_attribute(row.oid, "A" * (row.max_length + 1))
    assert problem is not None
    assert problem.rule == "subject.length"
    assert f"{row.max_length + 1} characters, {row.max_length} are allowed" in problem.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("commonName", "A" * 64),
        ("organization", "Exemple Société, Ltd. + Söhne"),
        ("country", "NO"),
        ("serialNumber", "UK-2026/11 (a)"),
        ("domainComponent", "example"),
        ("email", "pki@example.internal"),
        ("userId", "u-1"),
    ],
)
def test_a_value_is_accepted(name, value):
    assert check_attribute(ATTRIBUTE_OIDS[name], value) is None


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("commonName", "", "subject.empty"),
        ("commonName", "good.example\0.evil.example", "subject.invisible"),
        ("commonName", "a\u202eb", "subject.invisible"),
        ("commonName", "a\u200bb", "subject.invisible"),
        ("commonName", "a\nb", "subject.invisible"),
        ("commonName", "a\ue000b", "subject.invisible"),
        ("commonName", "e\u0301", "subject.normalization"),
        ("commonName", " a", "subject.space"),
        ("commonName", "a ", "subject.space"),
        ("country", "gb", "subject.country"),
        ("country", "G", "subject.country"),
        ("country", "G1", "subject.country"),
        ("country", "GBR", "subject.length"),
        ("serialNumber", "a@b", "subject.characters"),
        ("serialNumber", "é", "subject.characters"),
        ("email", "é@example.internal", "subject.characters"),
        ("email", "example.internal", "subject.email"),
        ("domainComponent", "a.b", "subject.domain-component"),
    ],
)
def test_a_value_is_refused_by_its_rule(name, value, rule):
    problem = check_attribute(ATTRIBUTE_OIDS[name], value)
    assert problem is not None
    assert problem.rule == rule
    assert problem.remedy


def test_an_attribute_without_a_name_is_called_by_its_oid_and_bounded_like_the_others():
    assert check_attribute("1.2.3", "a" * 256) is None
    assert string_type("1.2.3") == "UTF8String"
    assert attribute_name("1.2.3") == "1.2.3"
    assert attribute_name(CN) == "commonName"
    problem = check_attribute("1.2.3", "a" * 257)
    assert problem is not None
    assert "257 characters, 256 are allowed" in problem.message


def test_string_types_are_those_of_rfc_5280():
    assert string_type(CN) == "UTF8String"
    assert string_type(COUNTRY) == string_type(SERIAL) == "PrintableString"
    assert string_type(ATTRIBUTE_OIDS["email"]) == "IA5String"


@given(st.sampled_from(sorted(ATTRIBUTE_TYPES)), st.text(max_size=300))
def test_the_check_answers_for_any_text(oid, value):
    check_attribute(oid, value)
