"""The template: everything a certificate will say, less serial number, dates and issuer.

The issuer's name, key identifier and signature algorithm come from the CA certificate alone, when
the TBS is built; the serial number and the dates are frozen at that moment too. Everything else is
here, is what a policy judges, and is what the built bytes are compared with.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal

GeneralNameKind = Literal["dns", "ip", "uri", "email"]


@dataclass(frozen=True, slots=True)
class NameAttribute:
    """One attribute of a distinguished name, in a relative distinguished name of its own.

    `oid` is dotted (`2.5.4.3`); `value` is Unicode text.
    """

    oid: str
    value: str


@dataclass(frozen=True, slots=True)
class GeneralName:
    """One subject alternative name (RFC 5280 section 4.2.1.6), in its canonical text.

    dns: A-labels in lower case; ip: the form of `ipaddress`; uri and email: as written, IA5.
    """

    kind: GeneralNameKind
    value: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


@dataclass(frozen=True, slots=True)
class NameConstraints:
    """Permitted and excluded subtrees of a CA (RFC 5280 section 4.2.1.10).

    dns values carry no leading dot; ip values are CIDR networks; uri values are hosts; email
    values are addresses, hosts or `.domain`.
    """

    permitted: tuple[GeneralName, ...] = ()
    excluded: tuple[GeneralName, ...] = ()


@dataclass(frozen=True, slots=True)
class BasicConstraints:
    """What makes a certificate a CA's (RFC 5280 section 4.2.1.9); None for no path length."""

    path_length: int | None


@dataclass(frozen=True, slots=True)
class CertificateTemplate:
    """What a certificate will say. Tuples keep the order in which they will be encoded.

    `spki_der` is the subject public key info; `key_usage` holds the names of RFC 5280 section
    4.2.1.3 in bit order (`digitalSignature`, …); `extended_key_usage` and `certificate_policies`
    are dotted OIDs. `basic_constraints` is None for an end-entity certificate.
    """

    subject: tuple[NameAttribute, ...]
    spki_der: bytes
    sans: tuple[GeneralName, ...] = ()
    key_usage: tuple[str, ...] = ()
    extended_key_usage: tuple[str, ...] = ()
    basic_constraints: BasicConstraints | None = None
    name_constraints: NameConstraints | None = None
    certificate_policies: tuple[str, ...] = ()
    crl_urls: tuple[str, ...] = ()
    ca_issuers_urls: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """`sha256:` and the hexadecimal digest of the template's canonical JSON."""
        record = asdict(self) | {"spki_der": self.spki_der.hex()}
        text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

    @property
    def key_identifier(self) -> str:
        """`sha256:` and the hexadecimal digest of the SPKI: how documents name a key."""
        return spki_identifier(self.spki_der)


def spki_identifier(spki_der: bytes) -> str:
    """Return `sha256:` and the hexadecimal SHA-256 of a DER SubjectPublicKeyInfo."""
    return f"sha256:{hashlib.sha256(spki_der).hexdigest()}"
