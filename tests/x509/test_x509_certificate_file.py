"""PEM files of certificates, and the path that they make."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from cryptography import x509 as third_party
from x509_material import (
    COMMON_NAME,
    NOT_AFTER,
    NOT_BEFORE,
    issue,
    leaf_template,
    private_key,
    root,
    root_template,
    sign,
    spki,
)

from gitca.x509 import der
from gitca.x509.certificate import Issuer, parse_certificate, rehearse
from gitca.x509.certificate_file import (
    MAX_CERTIFICATES,
    CertificateFileError,
    certificates_of,
    path_from,
)
from gitca.x509.pem import to_pem
from gitca.x509.signed import assemble, tbs_of
from gitca.x509.template import CertificateTemplate, NameAttribute


def named(name: str, number: int) -> CertificateTemplate:
    template = root_template(spki_der=spki("P-256", number))
    return replace(template, subject=(NameAttribute(COMMON_NAME, name),))


def issued_by(number: int, issuer_der: bytes, template: CertificateTemplate) -> bytes:
    frame = rehearse(
        template,
        Issuer(issuer_der, "ecdsa-sha256"),
        serial=77 + number,
        not_before=NOT_BEFORE,
        not_after=NOT_AFTER,
    )
    signature = sign(private_key("P-256", number), "ecdsa-sha256", frame.tbs)
    return assemble(frame.tbs, "ecdsa-sha256", signature)


ROOT = root()
MIDDLE = issued_by(1, ROOT, named("Middle", 2))
LOWER = issued_by(2, MIDDLE, named("Lower", 3))
CHAIN = (LOWER, MIDDLE, ROOT)


def pem(*certificates: bytes) -> bytes:
    return "".join(to_pem(item, "CERTIFICATE") for item in certificates).encode()


def refused(data: bytes) -> CertificateFileError:
    with pytest.raises(CertificateFileError) as caught:
        certificates_of(data)
    return caught.value


def test_certificates_are_read_in_the_order_of_the_file_and_text_between_is_passed_over():
    data = b"\xef\xbb\xbfsubject=Lower\n" + pem(LOWER) + b"subject=Root\r\n" + pem(ROOT)
    assert [item.der for item in certificates_of(data)] == [LOWER, ROOT]


def _other_algorithm() -> bytes:
    """The root, as if signed with SHA-1."""
    sha1 = der.algorithm_identifier("1.2.840.10045.4.1")
    fields = der.parts(tbs_of(ROOT))
    tbs = der.sequence(*fields[:2], sha1, *fields[3:])
    return der.sequence(tbs, sha1, der.parts(ROOT)[2])


FILES = {
    "empty": (b"", "certificate.format"),
    "DER": (ROOT, "certificate.format"),
    "text": (b"here it is", "certificate.format"),
    "cut off": (pem(ROOT)[:200], "certificate.pem"),
    "not base64": (pem(ROOT).replace(b"MII", b"M\xffI", 1), "certificate.pem"),
    "a CSR": (to_pem(ROOT, "CERTIFICATE REQUEST").encode(), "certificate.pem-type"),
    "PKCS #7": (to_pem(ROOT, "PKCS7").encode(), "certificate.pem-type"),
    "trusted": (to_pem(ROOT, "TRUSTED CERTIFICATE").encode(), "certificate.pem-type"),
    "eleven": (pem(*[ROOT] * (MAX_CERTIFICATES + 1)), "certificate.several"),
    "no certificate": (to_pem(b"\x30\x00", "CERTIFICATE").encode(), "certificate.malformed"),
    "something behind": (to_pem(ROOT + b"\0", "CERTIFICATE").encode(), "certificate.malformed"),
    "SHA-1": (pem(LOWER, _other_algorithm()), "signature.algorithm"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_anything_else_is_refused(name):
    data, rule = FILES[name]
    error = refused(data)
    assert error.rule == rule
    assert error.remedy


def test_the_refused_certificate_is_named_by_its_place_and_subject():
    assert "certificate 2 (“GB, Example Root”) is signed with" in refused(FILES["SHA-1"][0]).message
    assert "openssl pkcs7 -print_certs" in refused(FILES["PKCS #7"][0]).remedy


def test_a_path_is_found_whatever_the_order_of_the_file():
    random.seed(4)
    start = parse_certificate(LOWER)
    for _ in range(6):
        others = [parse_certificate(item) for item in (MIDDLE, ROOT)]
        random.shuffle(others)
        path = path_from(start, others)
        assert tuple(item.der for item in path.certificates) == CHAIN
        assert path.is_whole


def test_a_path_may_stop_below_its_root():
    path = path_from(parse_certificate(LOWER), [parse_certificate(MIDDLE)])
    assert [item.der for item in path.above] == [MIDDLE]
    assert not path.is_whole
    assert not path_from(parse_certificate(LOWER), []).is_whole


def test_a_self_signed_certificate_is_a_path_of_one():
    path = path_from(parse_certificate(ROOT), [])
    assert path.is_whole
    assert path.above == ()


def path_refused(start: bytes, *others: bytes) -> CertificateFileError:
    with pytest.raises(CertificateFileError) as caught:
        path_from(parse_certificate(start), [parse_certificate(item) for item in others])
    return caught.value


def test_a_certificate_that_is_no_part_of_the_path_is_refused():
    leaf = issue(leaf_template(), "ecdsa-sha256", ROOT)
    for others in ((MIDDLE, ROOT, leaf), (MIDDLE, MIDDLE), (ROOT,), (MIDDLE, ROOT, LOWER)):
        assert path_refused(LOWER, *others).rule == "certificate.stray"


def test_an_issuer_of_the_name_whose_key_did_not_sign_is_refused():
    impostor = issued_by(1, ROOT, named("Middle", 4))
    error = path_refused(LOWER, impostor, ROOT)
    assert error.rule == "certificate.signature"
    assert error.message.startswith("the signature on “Lower” is not by the key of “Middle”")


def test_of_two_issuers_of_one_name_the_one_whose_key_signed_is_taken():
    impostor = issued_by(1, ROOT, named("Middle", 4))
    error = path_refused(LOWER, impostor, MIDDLE, ROOT)
    assert error.rule == "certificate.stray"
    assert MIDDLE in [
        item.der
        for item in path_from(
            parse_certificate(LOWER), [parse_certificate(MIDDLE), parse_certificate(ROOT)]
        ).above
    ]


def test_a_root_whose_own_signature_is_broken_is_refused():
    broken = bytearray(ROOT)
    broken[-1] ^= 1
    error = path_refused(LOWER, MIDDLE, bytes(broken))
    assert error.rule == "certificate.signature"


def test_cross_certificates_in_a_circle_end():
    one = issued_by(2, MIDDLE, named("One", 5))
    two = issued_by(5, one, named("Middle", 2))
    back = issued_by(2, two, named("One", 5))
    path = path_from(parse_certificate(back), [parse_certificate(two)])
    assert [item.der for item in path.certificates] == [back, two]
    assert third_party.load_der_x509_certificate(two).subject.rfc4514_string() == "CN=Middle"
