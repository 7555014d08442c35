"""The CSRs of the corpus say what its table says, by openssl's reading, and no file is unlisted."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

import pytest

from components import require
from fixtures.csrs import corpus
from fixtures.csrs.defects import DEFECTS
from fixtures.csrs.tools import TOOLS
from fixtures.csrs.wanted import Wanted, server
from judges import openssl
from judges.chain import from_pem

BITS = {
    "RSA 2048": "Public-Key: (2048 bit)",
    "RSA 3072": "Public-Key: (3072 bit)",
    "P-256": "NIST CURVE: P-256",
    "P-384": "NIST CURVE: P-384",
    "P-521": "NIST CURVE: P-521",
    "Ed25519": "ED25519 Public-Key",
}
PREFIXES = {"dns": "DNS", "ip": "IP Address", "uri": "URI", "email": "email"}


def der_of(data: bytes) -> bytes:
    """Return the DER of a CSR in either encoding and under either label."""
    if data.startswith(b"\x30"):
        return data
    text = data.decode()
    found = from_pem(text, "CERTIFICATE REQUEST") + from_pem(text, "NEW CERTIFICATE REQUEST")
    return found[0]


def names_in(text: str) -> set[str]:
    """Return the subject alternative names in openssl's words."""
    found = re.search(r"Subject Alternative Name: *\n *(.*)", text)
    return set(found.group(1).split(", ")) if found else set()


def assert_says(data: bytes, wanted: Wanted) -> None:
    text = openssl.request_text(der_of(data))
    assert BITS[wanted.key] in text
    assert names_in(text) == {f"{PREFIXES[kind]}:{value}" for kind, value in wanted.sans}
    subject = re.search(r"Subject:(.*)", text)
    assert subject is not None
    for name, value in wanted.subject:
        if value.isascii():
            assert f"{name} = {value}" in subject.group(1)
    assert ("challengePassword" in text) == bool(wanted.challenge_password)


def test_the_table_lists_every_file_of_the_corpus() -> None:
    def on_disk(folder: str) -> set[str]:
        return {path.name for path in Path(corpus.FOLDER / folder).iterdir()}

    assert on_disk("good") == set(corpus.GOOD)
    assert on_disk("bad") == set(DEFECTS)


@pytest.mark.parametrize("name", corpus.GOOD)
def test_a_good_csr_of_the_corpus_says_what_the_table_says(name: str) -> None:
    assert_says(corpus.good(name), corpus.GOOD[name])


@pytest.mark.parametrize("tool", TOOLS)
def test_a_csr_made_now_says_what_was_wanted(tool: str) -> None:
    require(TOOLS[tool].component)
    wanted = Wanted(
        "P-256",
        server("now", "P-256").subject,
        (("dns", "now.example.internal"), ("ip", str(ipaddress.IPv6Address("2001:db8::1")))),
    )
    names = names_in(openssl.request_text(der_of(TOOLS[tool].request(wanted))))
    assert names == {"DNS:now.example.internal", "IP Address:2001:DB8:0:0:0:0:0:1"}


def test_microsoft_attributes_are_where_windows_puts_them() -> None:
    text = openssl.request_text(der_of(corpus.good(corpus.CERTREQ)))
    assert re.search(r"1\.3\.6\.1\.4\.1\.311\.13\.2\.3 *:10\.0\.20348\.2", text)
    assert "1.3.6.1.4.1.311.21.20" in text
    assert "X509v3 Key Usage: critical" in text


@pytest.mark.parametrize("name", ["signature-forged.pem", "signature-of-another-key.pem"])
def test_openssl_finds_no_proof_of_possession_in_a_forged_csr(name: str) -> None:
    with pytest.raises(RuntimeError, match="verify failure"):
        openssl.request_text(der_of(corpus.bad(name)))


def test_a_key_with_exponent_1_proves_nothing_and_openssl_does_not_mind() -> None:
    text = openssl.request_text(der_of(corpus.bad("key-rsa-exponent-1.pem")))
    assert "Exponent: 1 (0x1)" in text
