"""Keys and certificates that the tests of x509 are about, and openssl as their judge."""

from __future__ import annotations

import functools
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa

from gitca.x509.algorithms import SIGNATURE_ALGORITHMS
from gitca.x509.certificate import Certificate, Issuer, parse_certificate, rehearse
from gitca.x509.signed import assemble
from gitca.x509.template import BasicConstraints, CertificateTemplate, GeneralName, NameAttribute

NOT_BEFORE = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
NOT_AFTER = NOT_BEFORE + timedelta(days=90) - timedelta(seconds=1)
SERIAL = 0x6B8F_0C4E_1D2A_93B7_55C1_7E0A_44F2_9D31_1A2B_3C4D
COMMON_NAME = "2.5.4.3"

_MAKERS = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "RSA-2048": lambda: rsa.generate_private_key(65537, 2048),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "ML-DSA-44": mldsa.MLDSA44PrivateKey.generate,
    "ML-DSA-65": mldsa.MLDSA65PrivateKey.generate,
    "ML-DSA-87": mldsa.MLDSA87PrivateKey.generate,
}
KEY_OF_ALGORITHM = {
    "ecdsa-sha256": "P-256",
    "ecdsa-sha384": "P-384",
    "ecdsa-sha512": "P-521",
    "ed25519": "Ed25519",
    "ml-dsa-44": "ML-DSA-44",
    "ml-dsa-65": "ML-DSA-65",
    "ml-dsa-87": "ML-DSA-87",
} | {name: "RSA-2048" for name in SIGNATURE_ALGORITHMS if name.startswith("rsa")}


def private_key(spec: str, number: int = 1) -> Any:
    """Return the same key for the same spec and number, for as long as the tests run."""
    return _made(spec, number)


@functools.cache
def _made(spec: str, number: int) -> Any:
    return _MAKERS[spec]()


def spki(spec: str, number: int = 1) -> bytes:
    return spki_of(private_key(spec, number))


def spki_of(key: Any) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def sign(key: Any, algorithm: str, message: bytes) -> bytes:
    row = SIGNATURE_ALGORITHMS[algorithm]
    if row.key_type == "ecdsa":
        return key.sign(message, ec.ECDSA(row.hash))
    if row.key_type == "rsa":
        return key.sign(message, row.padding, row.hash)
    return key.sign(message)


def root_template(spec: str = "P-256", **changes: Any) -> CertificateTemplate:
    template = CertificateTemplate(
        subject=(NameAttribute("2.5.4.6", "GB"), NameAttribute(COMMON_NAME, "Example Root")),
        spki_der=spki(spec),
        key_usage=("keyCertSign", "cRLSign"),
        basic_constraints=BasicConstraints(None),
    )
    return replace(template, **changes)


def leaf_template(spec: str = "P-256", **changes: Any) -> CertificateTemplate:
    template = CertificateTemplate(
        subject=(NameAttribute(COMMON_NAME, "api.example.internal"),),
        spki_der=spki(spec, 2),
        sans=(GeneralName("dns", "api.example.internal"), GeneralName("ip", "10.1.2.3")),
        key_usage=("digitalSignature",),
        extended_key_usage=("1.3.6.1.5.5.7.3.1",),
        crl_urls=("http://pki.example.internal/issuing.crl",),
        ca_issuers_urls=("http://pki.example.internal/issuing.cer",),
    )
    return replace(template, **changes)


def root(algorithm: str = "ecdsa-sha256") -> bytes:
    """Return a self-signed CA certificate whose key is number 1 of the algorithm's spec."""
    return _root(algorithm)


@functools.cache
def _root(algorithm: str) -> bytes:
    spec = KEY_OF_ALGORITHM[algorithm]
    return issue(root_template(spec), algorithm, None, not_after=NOT_BEFORE + timedelta(days=3650))


def root_certificate(algorithm: str = "ecdsa-sha256") -> Certificate:
    return parse_certificate(root(algorithm))


def issue(
    template: CertificateTemplate,
    algorithm: str,
    issuer_der: bytes | None,
    *,
    serial: int = SERIAL,
    not_before: datetime = NOT_BEFORE,
    not_after: datetime = NOT_AFTER,
) -> bytes:
    """Return a certificate under key number 1 of the algorithm's spec."""
    rehearsal = rehearse(
        template,
        Issuer(issuer_der, algorithm),
        serial=serial,
        not_before=not_before,
        not_after=not_after,
    )
    signature = sign(private_key(KEY_OF_ALGORITHM[algorithm]), algorithm, rehearsal.tbs)
    return assemble(rehearsal.tbs, algorithm, signature)


def openssl(*arguments: str | Path, data: bytes | None = None) -> str:
    """Return what openssl prints; a verdict against is an exception that shows it."""
    done = subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True)
    output = (done.stdout + done.stderr).decode("utf-8", "replace")
    if done.returncode:
        raise AssertionError(f"openssl {' '.join(map(str, arguments))}: {output}")
    return output
