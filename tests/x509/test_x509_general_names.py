"""General names of the rarer types: what is accepted, and what openssl reads of them."""

from __future__ import annotations

import pytest
from x509_material import issue, leaf_template, openssl, root

from gitca.x509 import der
from gitca.x509.certificate import parse_certificate
from gitca.x509.general_names import (
    UPN_OID,
    canonical_name,
    check_directory_name,
    check_other_name,
    read_general_name,
    write_general_names,
)
from gitca.x509.refusal import RefusedError
from gitca.x509.template import GeneralName, NameAttribute

ORGANIZATION = NameAttribute("2.5.4.10", "Exemple Société")
COMMON_NAME = NameAttribute("2.5.4.3", "jo")
NAMES = (
    GeneralName("dns", "a.example.internal"),
    GeneralName("otherName", "jo@example.internal", UPN_OID),
    GeneralName("otherName", "Zürich", "1.3.6.1.4.1.99999.7"),
    GeneralName("directoryName", attributes=(ORGANIZATION, COMMON_NAME)),
    GeneralName("registeredID", "1.3.6.1.4.1.99999.8"),
)


def test_openssl_reads_every_name_as_it_was_meant(tmp_path):
    certificate = tmp_path / "leaf.der"
    certificate.write_bytes(issue(leaf_template(sans=NAMES), "ecdsa-sha256", root()))
    told = openssl(
        "x509", "-inform", "DER", "-in", certificate, "-noout", "-ext", "subjectAltName"
    )  # fmt: skip
    # Releases of openssl part names and values by other characters.
    plain = told.replace(" ", "").replace("::", ":")
    for name in (
        "DNS:a.example.internal",
        "othername:UPN:jo@example.internal",
        "O=ExempleSoci",
        "CN=jo",
        "RegisteredID:1.3.6.1.4.1.99999.8",
    ):
        assert name in plain


def test_openssl_finds_a_utf8_string_in_every_other_name(tmp_path):
    names = tmp_path / "names.der"
    names.write_bytes(write_general_names(NAMES[1:3]))
    told = openssl("asn1parse", "-inform", "DER", "-in", names)
    assert told.count("UTF8STRING") == 2
    assert "UTF8STRING        :jo@example.internal" in told


def test_what_was_written_is_read_again_by_both_readers():
    certificate = parse_certificate(issue(leaf_template(sans=NAMES), "ecdsa-sha256", root()))
    assert certificate.template.sans == NAMES
    assert certificate.is_exact
    assert tuple(map(read_general_name, der.parts(write_general_names(NAMES)))) == NAMES


@pytest.mark.parametrize("name", NAMES, ids=str)
def test_a_name_in_its_canonical_form_stays_as_it_is(name):
    assert canonical_name(name) == name


def test_a_dns_name_is_compared_in_lower_case():
    assert canonical_name(GeneralName("dns", "A.Example")) == GeneralName("dns", "a.example")


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        (GeneralName("otherName", "", "1.2.3"), "otherName.length"),
        (GeneralName("otherName", "a" * 1025, "1.2.3"), "otherName.length"),
        (GeneralName("otherName", "a\0b", "1.2.3"), "otherName.invisible"),
        (GeneralName("otherName", "a\u202eb", "1.2.3"), "otherName.invisible"),
        (GeneralName("otherName", "e\u0301", "1.2.3"), "otherName.normalization"),
        (GeneralName("otherName", " a", "1.2.3"), "otherName.space"),
        (GeneralName("otherName", "jo", UPN_OID), "otherName.upn"),
        (GeneralName("otherName", "@example.internal", UPN_OID), "otherName.upn"),
        (GeneralName("otherName", "a@b@example.internal", UPN_OID), "otherName.upn"),
        (GeneralName("otherName", "jo@*.example.internal", UPN_OID), "otherName.upn"),
        (GeneralName("directoryName"), "directoryName.empty"),
        (
            GeneralName("directoryName", attributes=(NameAttribute("2.5.4.6", "gb"),)),
            "directoryName.country",
        ),
        (GeneralName("registeredID", "1"), "registeredID.syntax"),
        (GeneralName("registeredID", "1.40.1"), "registeredID.syntax"),
        (GeneralName("registeredID", "1.2." + ".".join(["999999999"] * 20)), "registeredID.length"),
        (GeneralName("dns", "a_b"), "dns.underscore"),
    ],
    ids=str,
)
def test_a_name_is_refused_by_its_rule(name, rule):
    with pytest.raises(RefusedError) as refused:
        canonical_name(name)
    assert refused.value.rule == rule
    assert refused.value.remedy


def test_names_that_are_accepted_have_no_problem():
    assert check_other_name(UPN_OID, "jo.doe+x@example.internal") is None
    assert check_directory_name((ORGANIZATION,)) is None


def test_the_text_of_a_directory_name_leaves_no_doubt_where_a_value_ends():
    one = GeneralName("directoryName", attributes=(NameAttribute("2.5.4.10", "a,commonName=b"),))
    two = GeneralName(
        "directoryName",
        attributes=(NameAttribute("2.5.4.10", "a"), NameAttribute("2.5.4.3", "b")),
    )
    assert str(one) == r"directoryName:organization=a\,commonName\=b"
    assert str(two) == "directoryName:organization=a,commonName=b"


def test_a_directory_name_with_two_attributes_in_one_set_is_none_that_a_document_can_state():
    attribute = der.sequence(der.object_identifier("2.5.4.3"), der.tlv(0x0C, b"jo"))
    name = der.tlv(0xA4, der.sequence(der.tlv(der.SET, attribute * 2)))
    assert read_general_name(name) is None
