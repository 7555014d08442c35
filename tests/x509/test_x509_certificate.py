"""Certificates: what openssl and cryptography say of the bytes, and what is read back from them."""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import AuthorityInformationAccessOID as AccessOID
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from x509_material import (
    COMMON_NAME,
    KEY_OF_ALGORITHM,
    NOT_AFTER,
    NOT_BEFORE,
    SERIAL,
    issue,
    leaf_template,
    openssl,
    private_key,
    root,
    root_certificate,
    root_template,
    sign,
    spki,
)

from gitca.x509 import der
from gitca.x509.algorithms import SIGNATURE_ALGORITHMS, AlgorithmRefusedError
from gitca.x509.attributes import ATTRIBUTE_OIDS
from gitca.x509.certificate import (
    CertificateError,
    Issuer,
    Rehearsal,
    parse_certificate,
    rehearse,
    template_of,
)
from gitca.x509.extensions import extension, extensions_der, subject_key_identifier
from gitca.x509.lint import lint_certificate
from gitca.x509.pem import pem_blocks, to_pem
from gitca.x509.signed import assemble, tbs_of, verify_signature
from gitca.x509.template import (
    BasicConstraints,
    CertificateTemplate,
    GeneralName,
    NameAttribute,
    NameConstraints,
    PolicyInformation,
)

ALL = tuple(SIGNATURE_ALGORITHMS)
OPENSSL_KNOWS = tuple(name for name in ALL if not name.startswith("ml-dsa"))
ECDSA = Issuer(None, "ecdsa-sha256")


def built(template: CertificateTemplate, **changes: Any) -> Rehearsal:
    frame = {"serial": SERIAL, "not_before": NOT_BEFORE, "not_after": NOT_AFTER} | changes
    return rehearse(template, Issuer(root(), "ecdsa-sha256"), **frame)


def shown(certificate_der: bytes, *options: str) -> str:
    return openssl("x509", "-inform", "DER", "-noout", *options, data=certificate_der)


def dumped(certificate_der: bytes) -> str:
    return openssl("asn1parse", "-inform", "DER", data=certificate_der)


def test_a_leaf_says_what_openssl_prints_and_no_more():
    text = shown(issue(leaf_template(), "ecdsa-sha256", root()), "-text")
    extensions = re.findall(r"^            (\S[\w ]*): (critical)?$", text, re.MULTILINE)
    assert extensions == [
        ("X509v3 Subject Key Identifier", ""),
        ("X509v3 Authority Key Identifier", ""),
        ("X509v3 Key Usage", "critical"),
        ("X509v3 Extended Key Usage", ""),
        ("X509v3 Subject Alternative Name", ""),
        ("X509v3 CRL Distribution Points", ""),
        ("Authority Information Access", ""),
    ]
    assert "Version: 3 (0x2)" in text
    assert "DNS:api.example.internal, IP Address:10.1.2.3" in text
    assert "URI:http://pki.example.internal/issuing.crl" in text
    assert "CA Issuers - URI:http://pki.example.internal/issuing.cer" in text
    assert "Not Before: Nov 24 12:00:00 2026 GMT" in text
    assert "Not After : Feb 22 11:59:59 2027 GMT" in text


def test_a_ca_certificate_says_what_openssl_prints():
    template = root_template(
        basic_constraints=BasicConstraints(0),
        name_constraints=NameConstraints(
            (GeneralName("dns", "example.internal"), GeneralName("ip", "10.0.0.0/8")),
            (GeneralName("email", ".example"), GeneralName("uri", ".example")),
        ),
        certificate_policies=(
            PolicyInformation("2.5.29.32.0"),
            PolicyInformation("1.3.6.1.4.1.99999.1"),
        ),
    )
    text = shown(issue(template, "ecdsa-sha256", root()), "-text")
    for expected in (
        "X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0",
        "X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign",
        "X509v3 Name Constraints: critical",
        "DNS:example.internal",
        "IP:10.0.0.0/255.0.0.0",
        "email:.example",
        "URI:.example",
        "X509v3 Certificate Policies: \n                Policy: X509v3 Any Policy",
        "Policy: 1.3.6.1.4.1.99999.1",
    ):
        assert expected in text


@pytest.mark.parametrize("algorithm", OPENSSL_KNOWS)
def test_openssl_verifies_root_and_leaf_strictly_under_every_algorithm(tmp_path, algorithm):
    ca, leaf = tmp_path / "ca.pem", tmp_path / "leaf.pem"
    ca.write_text(to_pem(root(algorithm), "CERTIFICATE"))
    template = leaf_template(KEY_OF_ALGORITHM[algorithm])
    leaf.write_text(to_pem(issue(template, algorithm, root(algorithm)), "CERTIFICATE"))
    moment = str(int((NOT_BEFORE + timedelta(days=1)).timestamp()))
    arguments = ("verify", "-x509_strict", "-attime", moment, "-check_ss_sig", "-CAfile", ca)
    assert "OK" in openssl(*arguments, ca, leaf)


@pytest.mark.parametrize("algorithm", ALL)
def test_a_certificate_verifies_under_its_issuers_key_alone(algorithm):
    spec = KEY_OF_ALGORITHM[algorithm]
    certificate_der = issue(leaf_template(spec), algorithm, root(algorithm))
    assert verify_signature(certificate_der, spki(spec))
    assert not verify_signature(certificate_der, spki(spec, 2))
    assert verify_signature(root(algorithm), spki(spec))
    x509.load_der_x509_certificate(certificate_der).verify_directly_issued_by(
        x509.load_der_x509_certificate(root(algorithm))
    )


@pytest.mark.parametrize("algorithm", ALL)
def test_a_rehearsal_is_the_certificate_under_a_signature_that_verifies_under_no_key(algorithm):
    issuer = Issuer(root(algorithm), algorithm)
    template = leaf_template(KEY_OF_ALGORITHM[algorithm])
    rehearsal = rehearse(
        template, issuer, serial=SERIAL, not_before=NOT_BEFORE, not_after=NOT_AFTER
    )
    assert tbs_of(rehearsal.der) == rehearsal.tbs
    assert not verify_signature(rehearsal.der, spki(KEY_OF_ALGORITHM[algorithm]))
    assert x509.load_der_x509_certificate(rehearsal.der).tbs_certificate_bytes == rehearsal.tbs


def by_cryptography(template: CertificateTemplate) -> bytes:
    """Return what `cryptography` writes for `leaf_template`, extension by extension."""
    key_identifier = x509.SubjectKeyIdentifier(subject_key_identifier(template.spki_der))
    issuer = x509.load_der_x509_certificate(root())
    uri = x509.UniformResourceIdentifier
    crl = x509.DistributionPoint([uri(template.crl_urls[0])], None, None, None)
    ca = x509.AccessDescription(AccessOID.CA_ISSUERS, uri(template.ca_issuers_urls[0]))
    usage = x509.KeyUsage(True, *[False] * 8)
    names = template.sans
    san = [
        x509.DNSName(names[0].value),
        x509.IPAddress(ipaddress.ip_address(names[1].value)),
    ]
    aki = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
        issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, template.subject[0].value)])
    builder = (
        x509.CertificateBuilder(issuer.subject, subject)
        .public_key(private_key("P-256", 2).public_key())
        .serial_number(SERIAL)
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(NOT_AFTER)
        .add_extension(key_identifier, False)
        .add_extension(aki, False)
        .add_extension(usage, True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .add_extension(x509.SubjectAlternativeName(san), False)
        .add_extension(x509.CRLDistributionPoints([crl]), False)
        .add_extension(x509.AuthorityInformationAccess([ca]), False)
    )
    certificate = builder.sign(private_key("P-256"), hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.DER)


def test_the_bytes_are_those_that_cryptographys_own_builder_writes():
    theirs = by_cryptography(leaf_template())
    assert built(leaf_template()).tbs == tbs_of(theirs)
    signature = x509.load_der_x509_certificate(theirs).signature
    assert assemble(tbs_of(theirs), "ecdsa-sha256", signature) == theirs


def test_the_key_identifier_is_rfc_7093_method_1():
    point = (
        private_key("P-256")
        .public_key()
        .public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    )
    digest = openssl("dgst", "-sha256", "-r", data=point).split()[0]
    assert subject_key_identifier(spki("P-256")).hex() == digest[:40]


def test_the_authority_key_identifier_is_the_issuers_own_subject_key_identifier():
    odd = x509.SubjectKeyIdentifier(b"an identifier by another method")
    issuer_der = foreign_ca(odd)
    rehearsal = rehearse(
        leaf_template(),
        Issuer(issuer_der, "ecdsa-sha256"),
        serial=SERIAL,
        not_before=NOT_BEFORE,
        not_after=NOT_AFTER,
    )
    leaf = parse_certificate(rehearsal.der)
    assert leaf.authority_key_identifier == odd.digest
    assert leaf.template == leaf_template()


def test_a_self_signed_certificate_identifies_its_own_key_twice():
    certificate = root_certificate()
    assert certificate.authority_key_identifier == certificate.subject_key_identifier


def foreign_ca(*extensions: x509.ExtensionType, name_der: bytes | None = None) -> bytes:
    """Return a CA certificate as others write them; name_der replaces both of its names."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Foreign CA")])
    builder = x509.CertificateBuilder(name, name, private_key("P-256").public_key(), 5)
    builder = builder.not_valid_before(NOT_BEFORE).not_valid_after(NOT_AFTER)
    for value in extensions:
        builder = builder.add_extension(value, critical=False)
    theirs = builder.sign(private_key("P-256"), hashes.SHA256())
    if name_der is None:
        return theirs.public_bytes(serialization.Encoding.DER)
    fields = der.parts(theirs.tbs_certificate_bytes)
    fields[3] = fields[5] = name_der
    tbs = der.sequence(*fields)
    return assemble(tbs, "ecdsa-sha256", sign(private_key("P-256"), "ecdsa-sha256", tbs))


def attribute(oid: str, tag: int, octets: bytes) -> bytes:
    return der.sequence(der.object_identifier(oid), der.tlv(tag, octets))


ODD_NAMES = [
    [attribute(COMMON_NAME, 0x13, b"Printable CA")],
    [attribute(COMMON_NAME, 0x14, "Société".encode("latin-1"))],
    [attribute(COMMON_NAME, 0x1E, "Société".encode("utf-16-be"))],
    [attribute("2.5.4.6", 0x0C, b"GB"), attribute(COMMON_NAME, 0x16, b"IA5 CA")],
    [attribute(COMMON_NAME, 0x0C, b"a") + attribute("2.5.4.11", 0x13, b"b")],
]


@pytest.mark.parametrize("relatives", ODD_NAMES)
def test_the_issuers_name_is_copied_byte_for_byte_whatever_its_string_types(tmp_path, relatives):
    name_der = der.sequence(*[der.tlv(der.SET, relative) for relative in relatives])
    ski = x509.SubjectKeyIdentifier(b"12345678901234567890")
    issuer_der = foreign_ca(ski, x509.BasicConstraints(True, None), name_der=name_der)
    certificate_der = issue(leaf_template(), "ecdsa-sha256", issuer_der)
    assert der.parts(tbs_of(certificate_der))[3] == name_der
    assert parse_certificate(issuer_der).subject_der == name_der
    ca, leaf = tmp_path / "ca.pem", tmp_path / "leaf.pem"
    ca.write_text(to_pem(issuer_der, "CERTIFICATE"))
    leaf.write_text(to_pem(certificate_der, "CERTIFICATE"))
    assert "OK" in openssl("verify", "-no_check_time", "-CAfile", ca, leaf)


def test_an_issuer_without_key_identifier_is_refused():
    issuer = Issuer(foreign_ca(), "ecdsa-sha256")
    with pytest.raises(CertificateError) as caught:
        rehearse(leaf_template(), issuer, serial=1, not_before=NOT_BEFORE, not_after=NOT_AFTER)
    assert caught.value.rule == "certificate.issuer-key-identifier"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("commonName", "Bücher", "UTF8STRING"),
        ("organization", "Example", "UTF8STRING"),
        ("userId", "u1", "UTF8STRING"),
        ("country", "GB", "PRINTABLESTRING"),
        ("serialNumber", "42", "PRINTABLESTRING"),
        ("dnQualifier", "q", "PRINTABLESTRING"),
        ("email", "a@example.internal", "IA5STRING"),
        ("domainComponent", "example", "IA5STRING"),
    ],
)
def test_each_attribute_has_the_string_type_of_rfc_5280(name, value, expected):
    subject = (NameAttribute(ATTRIBUTE_OIDS[name], value),)
    dump = dumped(der.parts(built(leaf_template(subject=subject)).tbs)[5])
    assert dump.splitlines()[-1].split("prim:")[1].split()[0].rstrip(":") == expected


def test_each_attribute_stands_in_a_relative_name_of_its_own():
    subject = tuple(NameAttribute("2.5.4.11", text) for text in "abc")
    dump = dumped(der.parts(built(leaf_template(subject=subject)).tbs)[5])
    assert dump.count("cons: SET") == 3


def test_the_bounds_of_an_attribute_count_characters_and_not_octets():
    subject = (NameAttribute(COMMON_NAME, "\u2014" * 64),)
    certificate_der = built(leaf_template(subject=subject)).der
    assert template_of(certificate_der).subject == subject
    assert lint_certificate(certificate_der) == ()
    assert ("\u2014" * 64) in shown(certificate_der, "-subject", "-nameopt", "utf8")


def test_the_alternative_names_are_critical_exactly_when_the_subject_is_empty():
    with_subject = shown(built(leaf_template()).der, "-ext", "subjectAltName")
    without = shown(built(leaf_template(subject=())).der, "-ext", "subjectAltName")
    assert "critical" not in with_subject
    assert "Alternative Name: critical" in without


def test_several_crl_urls_are_ways_to_one_crl():
    urls = ("http://a.example/x.crl", "http://b.example/x.crl")
    text = shown(built(leaf_template(crl_urls=urls)).der, "-text")
    assert text.count("Full Name:") == 1
    assert all(f"URI:{url}" in text for url in urls)


@pytest.mark.parametrize(
    ("not_after", "tag", "text"),
    [
        (datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), "UTCTIME", "Dec 31 23:59:59 2049 GMT"),
        (datetime(2050, 1, 1, tzinfo=UTC), "GENERALIZEDTIME", "Jan  1 00:00:00 2050 GMT"),
    ],
)
def test_dates_change_their_encoding_between_2049_and_2050(not_after, tag, text):
    rehearsal = built(leaf_template(), not_after=not_after)
    assert text in shown(rehearsal.der, "-enddate")
    assert tag in dumped(der.parts(rehearsal.tbs)[4]).splitlines()[-1]
    assert parse_certificate(rehearsal.der).not_after == not_after


@pytest.mark.parametrize("serial", [1, 127, 128, 2**127, 2**159 - 1])
def test_a_serial_number_is_positive_and_takes_20_octets_at_most(serial):
    rehearsal = built(leaf_template(), serial=serial)
    encoded = der.parts(rehearsal.tbs)[1]
    assert len(der.content(encoded, der.INTEGER)) <= 20
    printed = shown(rehearsal.der, "-serial").strip().removeprefix("serial=")
    assert int(printed, 16) == serial == parse_certificate(rehearsal.der).serial


@pytest.mark.parametrize("serial", [0, -1, 2**159, 2**160])
def test_a_serial_number_out_of_range_is_refused(serial):
    with pytest.raises(CertificateError) as caught:
        built(leaf_template(), serial=serial)
    assert caught.value.rule == "certificate.serial"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"not_after": NOT_BEFORE - timedelta(seconds=1)}, "certificate.validity"),
        ({"not_before": NOT_BEFORE.replace(microsecond=1)}, "certificate.template"),
    ],
)
def test_dates_that_no_certificate_can_state_are_refused(changes, rule):
    with pytest.raises(CertificateError) as caught:
        built(leaf_template(), **changes)
    assert caught.value.rule == rule


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": (NameAttribute("2.5.4.6", "GBR"),)},
        {"subject": (NameAttribute(COMMON_NAME, ""),)},
        {"subject": (NameAttribute("not an oid", "a"),)},
        {"sans": (GeneralName("dns", "bücher.example"),)},
        {"sans": (GeneralName("ip", "10.1.2"),)},
        {"key_usage": ("signing",)},
        {"key_usage": ("encipherOnly",)},
        {"extended_key_usage": ("serverAuth",)},
        {"certificate_policies": (PolicyInformation("x"),)},
        {"name_constraints": NameConstraints((GeneralName("ip", "10.0.0.1/8"),))},
        {"spki_der": b""},
        {"spki_der": b"\x30\x00"},
    ],
)
def test_a_template_that_no_certificate_can_say_is_refused(changes):
    with pytest.raises(CertificateError) as caught:
        built(leaf_template(**changes))
    assert caught.value.rule == "certificate.template"


def test_an_unknown_algorithm_is_refused():
    with pytest.raises(AlgorithmRefusedError):
        rehearse(
            root_template(),
            Issuer(None, "md5"),
            serial=1,
            not_before=NOT_BEFORE,
            not_after=NOT_AFTER,
        )


def resigned(certificate_der: bytes, extra: bytes = b"", **fields: bytes) -> bytes:
    """Return the certificate with one more extension or other fields, properly signed."""
    parts = der.parts(tbs_of(certificate_der))
    for index, value in fields.items():
        parts[int(index[1:])] = value
    if extra:
        extensions = der.content(der.parts(parts[7], der.CONTEXT | 3)[0], der.SEQUENCE)
        parts[7] = der.explicit(3, der.tlv(der.SEQUENCE, extensions + extra))
    tbs = der.sequence(*parts)
    return assemble(tbs, "ecdsa-sha256", sign(private_key("P-256"), "ecdsa-sha256", tbs))


def inexact_certificates() -> dict[str, bytes]:
    leaf = built(leaf_template()).der
    other_name = der.sequence(
        der.tlv(0xA0, der.object_identifier("1.2.3") + der.explicit(0, b"\5\0"))
    )
    printable = der.sequence(
        der.tlv(der.SET, attribute(COMMON_NAME, 0x13, b"api.example.internal"))
    )
    bare = built(leaf_template(sans=(), crl_urls=(), ca_issuers_urls=())).der
    backwards = extensions_der(leaf_template(), root_certificate().subject_key_identifier)[::-1]
    return {
        # To OpenSSL a CA where nothing else is said, and to Windows one of 1996.
        "Netscape's certificate type": resigned(
            leaf, extension("2.16.840.1.113730.1.1", False, b"\x03\x02\x01\x06")
        ),
        "the old basicConstraints": resigned(leaf, extension("2.5.29.10", True, b"\x30\x00")),
        "CA:FALSE": resigned(leaf, extension("2.5.29.19", True, b"\x30\x00")),
        "an otherName": resigned(bare, extension("2.5.29.17", False, other_name)),
        "criticality": resigned(
            bare, extension("2.5.29.17", True, der.sequence(der.tlv(0x82, b"a")))
        ),
        "another string type": resigned(leaf, f5=printable),
        "another order": resigned(leaf, f7=der.explicit(3, der.sequence(*backwards))),
        "no extensions": resigned(leaf, f7=b""),
    }


@pytest.mark.parametrize(("what", "certificate_der"), inexact_certificates().items())
def test_a_certificate_that_says_more_or_otherwise_has_no_template(what, certificate_der):
    assert not parse_certificate(certificate_der).is_exact
    for form in (certificate_der, tbs_of(certificate_der)):
        with pytest.raises(CertificateError) as caught:
            template_of(form)
        assert caught.value.rule == "certificate.inexact"


def test_what_is_read_of_a_certificate_is_what_was_built():
    certificate = parse_certificate(issue(leaf_template(), "ecdsa-sha256", root()))
    assert certificate.serial == SERIAL
    assert (certificate.not_before, certificate.not_after) == (NOT_BEFORE, NOT_AFTER)
    assert certificate.issuer_der == root_certificate().subject_der
    assert certificate.authority_key_identifier == root_certificate().subject_key_identifier
    assert certificate.template == leaf_template()
    assert certificate.is_exact
    digest = openssl("dgst", "-sha256", "-r", data=certificate.der).split()[0]
    assert certificate.fingerprint == f"sha256:{digest}"


def test_a_foreign_certificate_is_read_as_far_as_a_template_can_say():
    point = x509.DistributionPoint(
        [x509.UniformResourceIdentifier("http://a.example/x.crl")], None, None, None
    )
    certificate = parse_certificate(
        foreign_ca(
            x509.BasicConstraints(True, 1),
            x509.CRLDistributionPoints([point]),
            x509.InhibitAnyPolicy(0),
        )
    )
    assert certificate.template.basic_constraints == BasicConstraints(1)
    assert certificate.template.crl_urls == ("http://a.example/x.crl",)
    assert certificate.subject_key_identifier is None
    assert not certificate.is_exact


@pytest.mark.parametrize(
    "data",
    [b"", b"\x30\x00", b"hello", root()[:-1], root() + b"\0", tbs_of(root()), spki("P-256")],
)
def test_bytes_that_are_no_certificate_are_refused(data):
    with pytest.raises(CertificateError):
        parse_certificate(data)


def test_a_certificate_with_an_extension_twice_is_refused():
    twice = extension("2.5.29.14", False, der.tlv(der.OCTET_STRING, b"a"))
    with pytest.raises(CertificateError):
        parse_certificate(resigned(root(), twice))


def test_a_certificate_of_version_1_is_refused():
    parts = der.parts(tbs_of(root()))[1:7]
    tbs = der.sequence(*parts)
    data = assemble(tbs, "ecdsa-sha256", sign(private_key("P-256"), "ecdsa-sha256", tbs))
    assert verify_signature(data, spki("P-256"))
    with pytest.raises(CertificateError) as caught:
        parse_certificate(data)
    assert caught.value.rule == "certificate.version"


def test_a_certificate_whose_two_algorithms_differ_does_not_verify():
    tbs, _, signature_der = der.parts(root("rsa-pkcs1-sha256"))
    signature = der.read_bit_string(signature_der)
    assert verify_signature(assemble(tbs, "rsa-pkcs1-sha256", signature), spki("RSA-2048"))
    assert not verify_signature(assemble(tbs, "rsa-pkcs1-sha384", signature), spki("RSA-2048"))
    # The signature itself is good for what the outside says; only the inside disagrees.
    forged = sign(private_key("RSA-2048"), "rsa-pkcs1-sha512", tbs)
    assert not verify_signature(assemble(tbs, "rsa-pkcs1-sha512", forged), spki("RSA-2048"))


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"hello", root()[:-1], spki("P-256")])
def test_a_signature_over_nothing_readable_is_a_value_error(data):
    with pytest.raises(ValueError):  # noqa: PT011 - the family is the promise
        verify_signature(data, spki("P-256"))


def test_pem_is_what_openssl_writes():
    theirs = openssl("x509", "-inform", "DER", data=root())
    assert to_pem(root(), "CERTIFICATE") == theirs
    assert [block.decode() for block in pem_blocks(theirs.encode() * 2)] == [root(), root()]


NAMES_OF_NO_ALPHABET = [
    der.sequence(der.tlv(der.SET, attribute(COMMON_NAME, 0x0C, b"\xff"))),
    der.sequence(der.tlv(der.SET, attribute(COMMON_NAME, 0x1E, b"\0"))),
    der.sequence(der.tlv(der.SET, attribute(COMMON_NAME, 0x04, b"octets"))),
    der.sequence(der.tlv(der.SET, der.sequence(der.object_identifier(COMMON_NAME)))),
]


@pytest.mark.parametrize("name_der", NAMES_OF_NO_ALPHABET)
def test_a_name_that_is_no_text_is_refused(name_der):
    with pytest.raises(CertificateError) as caught:
        parse_certificate(foreign_ca(name_der=name_der))
    assert caught.value.rule == "certificate.malformed"


def test_bytes_that_are_neither_certificate_nor_tbs_have_no_template():
    for data in (b"", b"hello", spki("P-256")):
        with pytest.raises(CertificateError) as caught:
            template_of(data)
        assert caught.value.rule == "certificate.malformed"
