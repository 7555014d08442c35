"""A certificate beside all that it is held against, for the reader; imports nothing of gitca."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from cryptography import x509
from der_facts import (
    attributes,
    general_name,
    subtrees,
)
from naive_names import Data, Identity

EXTENDED = {"serverAuth": "1.3.6.1.5.5.7.3.1", "clientAuth": "1.3.6.1.5.5.7.3.2"}
UPN = "1.3.6.1.4.1.311.20.2.3"
BITS = {
    "digital_signature": "digitalSignature",
    "content_commitment": "nonRepudiation",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
}
HOURS = {"m": 1 / 60, "h": 1, "d": 24, "w": 168, "y": 8760}
MANAGED = {
    *("2.5.29.14", "2.5.29.35", "2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.17"),
    *("2.5.29.31", "1.3.6.1.5.5.7.1.1", "2.5.29.30", "2.5.29.32"),
}  # fmt: skip
SECOND = timedelta(seconds=1)
# What a CA could go on to certify, as far as the tests' name constraints tell names apart.
SAMPLES = {
    "dns": [
        *("x.internal", "a.x.internal", "b.x.internal", "a.b.x.internal", "y.internal"),
        *("internal", "z.internal", "example.com"),
    ],
    "ip": ["10.1.2.3", "10.9.1.1", "192.0.2.1", "fd00::1"],
    "email": ["a@x.internal", "a@y.internal", "a@a.x.internal"],
    "uri": ["https://x.internal/", "https://a.x.internal/", "https://example.com/"],
}  # fmt: skip


@dataclass(frozen=True)
class Situation:
    """All that a certificate is held against, as it was written; `constraints` are the CA's."""

    policy: Data
    request: Data
    identity: Identity
    csr_pem: bytes
    issuer_der: bytes
    constraints: tuple[Data, Data]
    truncates: bool
    now: datetime


def duration(text: str) -> timedelta:
    return timedelta(hours=int(text[:-1]) * HOURS[text[-1]])


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


class Evidence:
    """A certificate, and what was written of it."""

    def __init__(self, certificate_der: bytes, situation: Situation) -> None:
        self.certificate = x509.load_der_x509_certificate(certificate_der)
        self.issuer = x509.load_der_x509_certificate(situation.issuer_der)
        self.csr = x509.load_pem_x509_csr(situation.csr_pem)
        self.policy, self.request, self.at = situation.policy, situation.request, situation
        self.from_csr = self.policy.get("namesFrom") == "csr"

    def _extension(self, kind: type[Any]) -> Any:
        try:
            return self.certificate.extensions.get_extension_for_class(kind).value
        except x509.ExtensionNotFound:
            return None

    @cached_property
    def subject(self) -> list[tuple[str, str]]:
        """The subject's attributes; an RDN of several is one that nobody can have asked for."""
        return attributes(self.certificate.subject)

    @cached_property
    def sans(self) -> list[tuple[str, Any]]:
        names = self._extension(x509.SubjectAlternativeName)
        return [general_name(name) for name in names or ()]

    def _key_usage(self) -> set[str]:
        usage = self._extension(x509.KeyUsage)
        if usage is None:
            return set()
        bits = {name for attribute, name in BITS.items() if getattr(usage, attribute)}
        if usage.key_agreement:
            bits |= {"encipherOnly"} if usage.encipher_only else set()
            bits |= {"decipherOnly"} if usage.decipher_only else set()
        return bits

    def _extended(self) -> set[str]:
        return {oid.dotted_string for oid in self._extension(x509.ExtendedKeyUsage) or ()}

    @property
    def own_constraints(self) -> tuple[Data, Data]:
        constraints = self._extension(x509.NameConstraints)
        if constraints is None:
            return {}, {}
        permitted, excluded = constraints.permitted_subtrees, constraints.excluded_subtrees
        return subtrees(permitted), subtrees(excluded)
