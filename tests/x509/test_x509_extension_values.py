"""Extensions that are written as they are given: their words, and what is never one of them."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from x509_material import NOT_AFTER, NOT_BEFORE, SERIAL, leaf_template, root

from gitca.documents.managed_extensions import MANAGED_EXTENSIONS
from gitca.x509 import der
from gitca.x509.certificate import CertificateError, Issuer, parse_certificate, rehearse
from gitca.x509.differences import differences
from gitca.x509.extension_values import (
    extension_words,
    ocsp_no_check,
    tls_feature,
    value_problem,
    value_words,
)
from gitca.x509.extensions import extension, read_extension
from gitca.x509.lint import lint_certificate
from gitca.x509.template import BasicConstraints, CertificateTemplate, Extension, PolicyInformation

OID = "1.3.6.1.4.1.99999.7"


def built(template: CertificateTemplate) -> bytes:
    issuer = Issuer(root(), "ecdsa-sha256")
    dates = {"not_before": NOT_BEFORE, "not_after": NOT_AFTER}
    return rehearse(template, issuer, serial=SERIAL, **dates).der


@pytest.mark.parametrize("oid", MANAGED_EXTENSIONS)
def test_what_gitca_writes_itself_is_no_other_extension(oid):
    with pytest.raises(CertificateError, match="not written as it is given") as caught:
        built(leaf_template(extensions=(Extension(oid, False, b"\x05\x00"),)))
    assert caught.value.rule == "certificate.template"


def test_an_extension_does_not_stand_twice():
    with pytest.raises(CertificateError, match="stands twice"):
        built(leaf_template(extensions=(Extension(OID, False, b"\x05\x00"),) * 2))


def test_the_octets_come_back_as_they_were_given():
    odd = (
        Extension(OID, True, b"\x0c\x01x"),
        Extension("1.2.3.4", False, b"no DER at all"),
        tls_feature(["statusRequestV2", "statusRequest"]),
        ocsp_no_check(),
    )
    certificate = parse_certificate(built(leaf_template(extensions=odd)))
    assert certificate.template.extensions == odd
    assert certificate.is_exact


def test_the_linter_has_nothing_against_what_a_policy_can_give():
    policies = (
        PolicyInformation("1.3.6.1.4.1.99999.1", ("http://pki.example.internal/cps",), "inside"),
        PolicyInformation("2.5.29.32.0"),
    )
    extensions = (
        tls_feature(["statusRequest"]),
        ocsp_no_check(),
        Extension(OID, True, b"\x0c\x01x"),
    )
    template = leaf_template(
        certificate_policies=policies, extensions=extensions, extended_key_usage_critical=True
    )
    assert [result for result in lint_certificate(built(template)) if result.is_error] == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b"\x0c\x02\xc3\xbc", "utf8 “ü”"),
        (b"\x0c\x01\x00", r"utf8 “\x00”"),
        (b"\x0c\x01\xff", "der 0c01ff"),
        (b"\x16\x01a", "ia5 “a”"),
        (b"\x16\x01\xe4", "der 1601e4"),
        (b"\x02\x01\x07", "integer 7"),
        (b"\x02\x02\x00\x07", "der 02020007"),
        (b"\x01\x01\xff", "boolean true"),
        (b"\x01\x01\x00", "boolean false"),
        (b"\x01\x01\x01", "der 010101"),
        (b"\x05\x00", "null"),
        (b"\x05\x00\x00", "der 050000"),
        (b"", "der "),
        (b"\x30", "der 30"),
    ],
)
def test_a_value_is_said_in_words_or_in_octets(value, words):
    assert value_words(value) == words


def test_a_long_value_is_said_in_part_with_its_length_and_digest():
    hidden, shown = (der.tlv(0x0C, b"a" * 70 + end) for end in (b"b", b"c"))
    assert value_words(hidden) != value_words(shown)
    assert "(73 octets, sha256:" in value_words(hidden)


def test_known_extensions_are_called_by_their_names():
    assert extension_words(tls_feature(["statusRequest"])) == "TLS feature: statusRequest"
    assert extension_words(ocsp_no_check()) == "OCSP no check: null"
    strange = Extension("1.3.6.1.5.5.7.1.24", True, b"\x05\x00")
    assert extension_words(strange) == "TLS feature (critical): null"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (b"\x05\x00", None),
        (base64.b64decode("MAMBAf8="), None),
        (b"", "truncated at octet 0"),
        (b"\x30\x80\x00\x00", "truncated or indefinite length at octet 1"),
        (b"\x05\x00\x05\x00", "2 octets follow the value"),
    ],
)
def test_a_value_is_the_der_of_one_value(value, problem):
    assert value_problem(value) == problem


def test_a_criticality_that_is_spelled_out_is_read_and_makes_a_certificate_inexact():
    oid_der, octets = der.object_identifier(OID), der.tlv(der.OCTET_STRING, b"\x05\x00")
    for flag, critical in ((b"\x00", False), (b"\xff", True), (b"\x01", True)):
        stated = der.sequence(oid_der, der.tlv(der.BOOLEAN, flag), octets)
        assert read_extension(stated) == Extension(OID, critical, b"\x05\x00")
    assert read_extension(extension(OID, True, b"\x05\x00")).critical
    with pytest.raises(der.DerError):
        read_extension(der.sequence(oid_der, octets, octets, octets))


def test_a_template_of_another_content_has_another_digest():
    plain = leaf_template()
    others = (
        replace(plain, extensions=(Extension(OID, False, b"\x05\x00"),)),
        replace(plain, extensions=(Extension(OID, True, b"\x05\x00"),)),
        replace(plain, key_usage_critical=False),
        replace(plain, extended_key_usage_critical=True),
        replace(plain, basic_constraints=BasicConstraints(0)),
        replace(plain, certificate_policies=(PolicyInformation("1.2.3"),)),
        replace(plain, certificate_policies=(PolicyInformation("1.2.3", notice="a"),)),
    )
    digests = {template.digest for template in (plain, *others)}
    assert len(digests) == 1 + len(others)


def test_changes_of_extensions_cas_and_criticality_are_said_in_words():
    plain = leaf_template()
    after = replace(
        plain,
        extensions=(Extension(OID, False, b"\x0c\x01x"),),
        basic_constraints=BasicConstraints(0),
        key_usage_critical=False,
    )
    assert differences(plain, after) == (
        "criticality: + key usage not critical",
        "CA: + path length 0",
        f"extensions: + extension {OID}: utf8 “x”",
    )
    assert differences(after, after) == ()
