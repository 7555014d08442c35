"""CSRs by openssl, whole and damaged: what is read, and by which rule each defect is refused.

The corpus of tests/judges goes through the tools and the single defects; here are the properties.
"""

from __future__ import annotations

import contextlib
import datetime
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import AttributeOID, NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from x509_material import COMMON_NAME, openssl, private_key, root, sign, spki

from gitca.x509 import der
from gitca.x509.algorithms import algorithm_identifier_der
from gitca.x509.csr import MAX_CSR_BYTES, CsrError, parse_csr
from gitca.x509.pem import to_pem
from gitca.x509.signed import assemble, verify_signature
from gitca.x509.template import GeneralName, NameAttribute

PASSWORD = "correct horse battery"
SAN = (
    "subjectAltName=DNS:API.example.internal,IP:10.1.2.3,URI:spiffe://a/b,email:a@example.internal"
)


def make(spec: str = "P-256") -> bytes:
    """Return the DER of a CSR with a name and a SAN."""
    key = private_key(spec)
    digest = None if spec.startswith(("Ed", "ML")) else hashes.SHA256()
    builder = x509.CertificateSigningRequestBuilder(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "api.example.internal")])
    ).add_extension(x509.SubjectAlternativeName([x509.DNSName("api.example.internal")]), False)
    return builder.sign(key, digest).public_bytes(serialization.Encoding.DER)


CSR_DER = make()
CSR_PEM = to_pem(CSR_DER, "CERTIFICATE REQUEST").encode()


def refusal(data: bytes) -> CsrError:
    with pytest.raises(CsrError) as caught:
        parse_csr(data)
    assert caught.value.message
    assert caught.value.remedy
    return caught.value


def by_openssl(folder: Path, *options: str) -> bytes:
    key = folder / "key.pem"
    arguments = ["-newkey", "rsa:2048", "-nodes", "-keyout", str(key), *options]
    return subprocess.run(
        ["openssl", "req", "-new", *arguments], check=True, capture_output=True
    ).stdout


def signed_info(info_der: bytes, spec: str = "P-256") -> bytes:
    """Return a CSR of any CertificationRequestInfo, with a proper signature."""
    return assemble(info_der, "ecdsa-sha256", sign(private_key(spec), "ecdsa-sha256", info_der))


def info(*, attributes: bytes = b"", subject: bytes = b"", version: int = 0) -> bytes:
    return der.sequence(
        der.integer(version), der.sequence(subject), spki("P-256"), der.explicit(0, attributes)
    )


def extension_request(*extensions: bytes, oid: str = "1.2.840.113549.1.9.14") -> bytes:
    values = der.tlv(der.SET, der.sequence(*extensions))
    return der.sequence(der.object_identifier(oid), values)


def san(value: bytes) -> bytes:
    return der.sequence(der.object_identifier("2.5.29.17"), der.tlv(der.OCTET_STRING, value))


@pytest.mark.parametrize("spec", ["P-256", "P-384", "P-521", "RSA-2048", "Ed25519", "ML-DSA-65"])
def test_the_key_and_the_names_of_a_csr_are_read(spec):
    csr = parse_csr(make(spec))
    assert csr.spki_der == spki(spec)
    assert csr.subject == (NameAttribute(COMMON_NAME, "api.example.internal"),)
    assert csr.sans == (GeneralName("dns", "api.example.internal"),)
    assert [asked.oid for asked in csr.extensions] == ["2.5.29.17"]
    assert csr.other_names == ()
    assert csr.signature_hash == (None if spec.startswith(("Ed", "ML")) else "sha256")


def test_names_of_every_kind_come_in_their_canonical_form(tmp_path):
    csr = parse_csr(by_openssl(tmp_path, "-subj", "/C=GB/O=Example/CN=a", "-addext", SAN))
    assert [str(name) for name in csr.sans] == [
        "dns:api.example.internal",
        "ip:10.1.2.3",
        "uri:spiffe://a/b",
        "email:a@example.internal",
    ]
    assert [attribute.value for attribute in csr.subject] == ["GB", "Example", "a"]


@pytest.mark.parametrize("digest", ["md5", "sha1", "sha224", "sha384", "sha3-256"])
def test_the_hash_is_reported_and_its_signature_verified(tmp_path, digest):
    data = by_openssl(tmp_path, "-subj", "/CN=a", f"-{digest}")
    assert parse_csr(data).signature_hash == digest
    damaged = bytearray(der.sequence(*der.parts(pem_der(data))))
    damaged[-1] ^= 1
    assert refusal(bytes(damaged)).rule == "csr.signature"


def pem_der(data: bytes) -> bytes:
    csr = x509.load_pem_x509_csr(data)
    return csr.public_bytes(serialization.Encoding.DER)


def test_an_rsa_pss_signature_is_verified(tmp_path):
    data = by_openssl(tmp_path, "-subj", "/CN=a", "-sigopt", "rsa_padding_mode:pss")
    assert parse_csr(data).signature_hash == "sha256"


def test_text_around_the_one_block_is_allowed():
    text = openssl("req", "-text", "-inform", "DER", data=CSR_DER).replace("verify OK", "")
    assert parse_csr(text.encode()).spki_der == spki("P-256")
    assert parse_csr(b"\xef\xbb\xbf" + CSR_PEM).spki_der == spki("P-256")
    assert parse_csr(CSR_PEM.replace(b"\n", b"\r\n")).spki_der == spki("P-256")
    assert parse_csr(b"0 is a digit\n" + CSR_PEM).spki_der == spki("P-256")


def test_the_label_of_java_and_microsoft_is_known():
    assert parse_csr(to_pem(CSR_DER, "NEW CERTIFICATE REQUEST").encode()).sans


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "csr.empty"),
        (b" \n\t", "csr.empty"),
        (b"a" * (MAX_CSR_BYTES + 1), "csr.too-large"),
        (CSR_PEM.decode().encode("utf-16"), "csr.encoding"),
        (b"hello", "csr.format"),
        (CSR_PEM.split(b"-----")[2].strip(), "csr.format"),
        (CSR_DER[:-1], "csr.truncated"),
        (CSR_DER + b"\0", "csr.trailing-data"),
        (CSR_DER + CSR_DER, "csr.trailing-data"),
        (CSR_PEM[:200], "csr.truncated"),
        (to_pem(CSR_DER[:-9], "CERTIFICATE REQUEST").encode(), "csr.truncated"),
        (CSR_PEM.replace(b"-----END", b"----END"), "csr.truncated"),
        (CSR_PEM.replace(b"-----\n", b"----\n"), "csr.pem"),
        (CSR_PEM.replace(b"END CERTIFICATE REQUEST", b"END CERTIFICATE"), "csr.pem"),
        (CSR_PEM.replace(b"M", b"*", 1), "csr.pem"),
        (CSR_PEM + CSR_PEM, "csr.several"),
        (to_pem(root(), "CERTIFICATE").encode(), "csr.pem-type"),
        (CSR_PEM + to_pem(root(), "CERTIFICATE").encode(), "csr.pem-type"),
        (to_pem(root(), "CERTIFICATE REQUEST").encode(), "csr.pem-type"),
        (root(), "csr.pem-type"),
        (to_pem(spki("P-256"), "CERTIFICATE REQUEST").encode(), "csr.der"),
        (b"\x30\x00", "csr.der"),
        (der.sequence(der.sequence(), der.sequence(), der.bit_string(b"")), "csr.der"),
        (signed_info(info(version=1)), "csr.version"),
        (signed_info(info(attributes=b"\x30\x00")), "csr.attributes"),
        (signed_info(info(attributes=extension_request(b"\x04\x00"))), "csr.extensions"),
        (signed_info(info(attributes=extension_request(san(b"\x04\x00")))), "csr.san"),
        (
            signed_info(info(attributes=extension_request(san(b"\x30\x00"), san(b"\x30\x00")))),
            "csr.duplicate-extension",
        ),
        (signed_info(info(subject=b"\x04\x00")), "csr.subject"),
    ],
)
def test_each_defect_has_its_rule(data, rule):
    assert refusal(data).rule == rule


def test_a_wrong_pem_type_is_named():
    assert "CERTIFICATE" in refusal(to_pem(root(), "CERTIFICATE").encode()).message


@pytest.mark.parametrize(
    "form", [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL]
)
@pytest.mark.parametrize("encoding", [serialization.Encoding.PEM, serialization.Encoding.DER])
def test_a_private_key_is_called_exposed_and_never_repeated(form, encoding):
    data = private_key("P-256").private_bytes(encoding, form, serialization.NoEncryption())
    refused = refusal(data)
    assert refused.rule == "csr.private-key"
    assert "exposed" in refused.remedy
    assert not any(line in str(refused).encode() for line in data.split(b"\n")[1:-2])


def test_a_private_key_beside_a_csr_is_called_exposed(tmp_path):
    data = by_openssl(tmp_path, "-subj", "/CN=a")
    assert refusal(data + (tmp_path / "key.pem").read_bytes()).rule == "csr.private-key"


def test_an_encrypted_private_key_is_a_private_key():
    data = private_key("P-256").private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"x"),
    )
    assert refusal(data).rule == "csr.private-key"


def test_the_signature_of_another_key_is_no_proof_of_possession():
    info_der = info()
    signature = sign(private_key("P-256", 7), "ecdsa-sha256", info_der)
    assert refusal(assemble(info_der, "ecdsa-sha256", signature)).rule == "csr.signature"


def test_a_signature_under_the_name_of_another_algorithm_is_none():
    info_der = der.sequence(der.integer(0), der.sequence(), spki("Ed25519"), der.explicit(0))
    signature = sign(private_key("Ed25519"), "ed25519", info_der)
    assert parse_csr(assemble(info_der, "ed25519", signature)).key.type == "ed25519"
    assert refusal(assemble(info_der, "ml-dsa-44", signature)).rule == "csr.signature"


def test_an_unknown_signature_algorithm_is_refused():
    info_der = info()
    unknown = der.algorithm_identifier("1.3.6.1.5.5.7.6.36")  # id-alg-unsigned, RFC 9925
    data = der.sequence(info_der, unknown, der.bit_string(b""))
    assert refusal(data).rule == "csr.signature-algorithm"


def test_the_challenge_password_is_passed_over_and_never_repeated():
    builder = x509.CertificateSigningRequestBuilder(x509.Name([]))
    builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, PASSWORD.encode())
    good = builder.sign(private_key("P-256"), hashes.SHA256())
    data = good.public_bytes(serialization.Encoding.DER)
    assert PASSWORD not in repr(parse_csr(data))
    assert PASSWORD not in str(refusal(data[:-1]))


def test_extensions_are_found_under_microsofts_oid_and_doubles_across_both():
    names = san(der.sequence(der.tlv(0x82, b"a.example.internal")))
    microsoft = extension_request(names, oid="1.3.6.1.4.1.311.2.1.14")
    csr = parse_csr(signed_info(info(attributes=microsoft)))
    assert csr.sans == (GeneralName("dns", "a.example.internal"),)
    both = microsoft + extension_request(names)
    assert refusal(signed_info(info(attributes=both))).rule == "csr.duplicate-extension"


UPN = "1.3.6.1.4.1.311.20.2.3"


def other_name(value: bytes, oid: str = UPN) -> bytes:
    return der.explicit(0, der.object_identifier(oid), der.explicit(0, value))


def set_of(*oids: str) -> bytes:
    """Return a relative distinguished name whose attributes all say `a`."""
    parts = [der.sequence(der.object_identifier(oid), der.tlv(0x0C, b"a")) for oid in oids]
    return der.tlv(der.SET, b"".join(parts))


def asking_for(*names: bytes, subject: bytes = b"") -> bytes:
    return signed_info(
        info(attributes=extension_request(san(der.sequence(*names))), subject=subject)
    )


def test_other_names_directory_names_and_registered_ids_are_read():
    csr = parse_csr(
        asking_for(
            other_name(der.tlv(0x0C, "jö@example.internal".encode())),
            der.tlv(0xA4, der.sequence(set_of("2.5.4.10"), set_of(COMMON_NAME))),
            der.tlv(0x88, b"\x2a\x03"),
        )
    )
    assert csr.other_names == ()
    assert csr.sans == (
        GeneralName("otherName", "jö@example.internal", UPN),
        GeneralName(
            "directoryName",
            attributes=(NameAttribute("2.5.4.10", "a"), NameAttribute(COMMON_NAME, "a")),
        ),
        GeneralName("registeredID", "1.2.3"),
    )


def test_what_openssl_asks_for_is_read_as_it_was_written(tmp_path):
    config = tmp_path / "x.cnf"
    config.write_text(
        "[req]\ndistinguished_name=req\n[san]\nsubjectAltName=@names\n[names]\n"
        f"otherName.1={UPN};UTF8:jo@example.internal\ndirName.1=dn\nRID.1=1.2.3.4\n"
        "[dn]\nO=Example\nCN=jo\n"
    )
    options = ["-subj", "/", "-reqexts", "san", "-config", str(config)]
    csr = parse_csr(by_openssl(tmp_path, *options))
    assert [str(name) for name in csr.sans] == [
        f"otherName:{UPN};UTF8:jo@example.internal",
        "directoryName:organization=Example,commonName=jo",
        "registeredID:1.2.3.4",
    ]


def test_names_that_no_document_can_state_are_handed_out_in_words():
    csr = parse_csr(
        asking_for(
            other_name(b""),
            other_name(der.tlv(0x16, b"a")),
            other_name(der.tlv(0x0C, b"a") * 2),
            der.tlv(0xA4, der.sequence()),
            der.tlv(0xA4, der.sequence(set_of(COMMON_NAME, "2.5.4.11"))),
            der.tlv(0xA3, b""),
            der.tlv(0xA5, b""),
            subject=set_of(COMMON_NAME, "2.5.4.11"),
        )
    )
    assert csr.other_names == (
        "multi-valued relative name commonName+organizationalUnit",
        f"otherName {UPN}",
        f"otherName {UPN}",
        f"otherName {UPN}",
        "directoryName",
        "directoryName",
        "x400Address",
        "ediPartyName",
    )
    assert csr.sans == ()


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        (other_name(der.tlv(0x0C, b"jo\0")), "csr.name-control"),
        (other_name(der.tlv(0x0C, b"\xff")), "csr.san"),
        (der.tlv(0xA0, b""), "csr.san"),
        (der.tlv(0xA0, der.object_identifier(UPN)), "csr.san"),
        (der.tlv(0xA4, b""), "csr.san"),
        (der.tlv(0xA4, der.sequence(b"\x05\x00")), "csr.san"),
        (
            der.tlv(
                0xA4,
                der.sequence(
                    der.tlv(
                        der.SET,
                        der.sequence(der.object_identifier(COMMON_NAME), der.tlv(0x0C, b"a\n")),
                    )
                ),
            ),
            "csr.name-control",
        ),
        (der.tlv(0x88, b"\x2a\x80"), "csr.san"),
        (der.tlv(0x88, b""), "csr.san"),
        (der.tlv(0x89, b"a"), "csr.san"),
    ],
)
def test_a_malformed_general_name_is_refused(name, rule):
    assert refusal(asking_for(name)).rule == rule


@pytest.mark.parametrize(
    ("tag", "octets", "text"),
    [
        (0x0C, "é".encode(), "é"),
        (0x13, b"a", "a"),
        (0x14, b"\xe9", "é"),
        (0x16, b"a", "a"),
        (0x1E, b"\0a", "a"),
        (0x1C, b"\0\0\0a", "a"),
    ],
)
def test_every_string_type_of_a_name_is_read(tag, octets, text):
    attribute = der.sequence(der.object_identifier(COMMON_NAME), der.tlv(tag, octets))
    csr = parse_csr(signed_info(info(subject=der.tlv(der.SET, attribute))))
    assert csr.subject == (NameAttribute(COMMON_NAME, text),)


@pytest.mark.parametrize("octets", [b"good\0evil", b"a\x1b[31m", b"a\r\nb"])
def test_a_control_character_in_a_name_is_refused_and_shown_escaped(octets):
    attribute = der.sequence(der.object_identifier(COMMON_NAME), der.tlv(0x0C, octets))
    refused = refusal(signed_info(info(subject=der.tlv(der.SET, attribute))))
    assert refused.rule == "csr.name-control"
    assert refused.message.isprintable()
    name = der.sequence(der.tlv(0x82, octets))
    attributes = extension_request(san(name))
    assert refusal(signed_info(info(attributes=attributes))).rule == "csr.name-control"


def test_a_csr_of_ours_for_another_ca_verifies_and_openssl_agrees():
    info_der = info()
    data = signed_info(info_der)
    assert verify_signature(data, spki("P-256"))
    assert not verify_signature(data, spki("P-256", 2))
    assert "verify OK" in openssl("req", "-verify", "-noout", "-inform", "DER", data=data)
    assert algorithm_identifier_der("ecdsa-sha256") in data


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_damaged_csr_is_read_or_refused_and_nothing_else(data):
    source = bytearray(data.draw(st.sampled_from([CSR_DER, CSR_PEM])))
    for _ in range(data.draw(st.integers(1, 4))):
        source[data.draw(st.integers(0, len(source) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(CsrError):
        parse_csr(bytes(source))


@given(st.binary(max_size=300))
def test_a_damaged_info_under_a_good_signature_is_read_or_refused(attributes):
    with contextlib.suppress(CsrError):
        parse_csr(signed_info(info(attributes=attributes)))
    with contextlib.suppress(CsrError):
        parse_csr(signed_info(info(attributes=extension_request(san(attributes)))))
    with contextlib.suppress(CsrError):
        parse_csr(signed_info(info(subject=attributes)))


def test_a_hostile_csr_takes_no_time():
    many = der.sequence(*[der.tlv(0x82, b"a")] * 20_000)
    begin = datetime.datetime.now(datetime.UTC)
    parse_csr(signed_info(info(attributes=extension_request(san(many)))))
    for data in (b"-----BEGIN " * 5000, b"-----BEGIN X-----\n" * 3000, b"-" * MAX_CSR_BYTES):
        refusal(data)
    assert datetime.datetime.now(datetime.UTC) - begin < datetime.timedelta(seconds=2)
