"""The template: everything a certificate will say, less serial number, dates and issuer.

The issuer's name, key identifier and signature algorithm come from the CA certificate alone, when
the TBS is built; the serial number and the dates are frozen at that moment too. Everything else is
here, is what a policy judges, and is what the built bytes are compared with.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Literal, get_args

from gitca.documents.attribute_types import attribute_name

GeneralNameKind = Literal["dns", "ip", "uri", "email", "otherName", "directoryName", "registeredID"]
NAME_KINDS: tuple[GeneralNameKind, ...] = get_args(GeneralNameKind)
"""The types of alternative name that gitca writes, in the order in which it writes them."""

CONSTRAINED_KINDS: tuple[GeneralNameKind, ...] = ("dns", "ip", "uri", "email")
"""The types that name constraints of gitca's CAs speak of (RFC 5280 section 4.2.1.10)."""

# What separates the parts of a directory name's text, and what RFC 4514 escapes beside it.
_SPECIAL = re.compile(r'([\\,+"<>;=])')


@dataclass(frozen=True, slots=True)
class NameAttribute:
    """One attribute of a distinguished name, in a relative distinguished name of its own.

    `oid` is dotted (`2.5.4.3`); `value` is Unicode text.
    """

    oid: str
    value: str


@dataclass(frozen=True, slots=True)
class GeneralName:
    """One subject alternative name (RFC 5280 section 4.2.1.6), in its canonical form.

    `value` holds dns: A-labels in lower case; ip: the form of `ipaddress`; uri and email: as
    written, IA5; registeredID: the dotted OID; otherName: the text of its UTF8String, whose type is
    `type_id`, a dotted OID. A directoryName has `attributes`, each in a relative distinguished name
    of its own, and no value.
    """

    kind: GeneralNameKind
    value: str = ""
    type_id: str = ""
    attributes: tuple[NameAttribute, ...] = ()

    @property
    def text(self) -> str:
        """The name for people: no two names of a kind have the same.

        An otherName is written as OpenSSL does (`1.2.3;UTF8:x`), a directoryName in the order of
        its encoding (`organization=Example,commonName=x`), escaped as in RFC 4514.
        """
        if self.kind == "otherName":
            return f"{self.type_id};UTF8:{self.value}"
        if self.kind == "directoryName":
            return ",".join(map(_attribute_text, self.attributes))
        return self.value

    def __str__(self) -> str:
        return f"{self.kind}:{self.text}"


def _attribute_text(attribute: NameAttribute) -> str:
    value = _SPECIAL.sub(r"\\\1", attribute.value)
    return f"{attribute_name(attribute.oid)}={value}"


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
class PolicyInformation:
    """One certificate policy (RFC 5280 section 4.2.1.4): `cps` are URLs, `notice` is a text."""

    oid: str
    cps: tuple[str, ...] = ()
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension that gitca writes as it was given: `value_der` is what its octets hold."""

    oid: str
    critical: bool
    value_der: bytes


@dataclass(frozen=True, slots=True)
class CertificateTemplate:
    """What a certificate will say. Tuples keep the order in which they will be encoded.

    `spki_der` is the subject public key info; `key_usage` holds the names of RFC 5280 section
    4.2.1.3 in bit order (`digitalSignature`, …); `extended_key_usage` are dotted OIDs.
    `basic_constraints` is None for an end-entity certificate. `extensions` are all others, none of
    them one that the other fields say.
    """

    subject: tuple[NameAttribute, ...]
    spki_der: bytes
    sans: tuple[GeneralName, ...] = ()
    key_usage: tuple[str, ...] = ()
    extended_key_usage: tuple[str, ...] = ()
    basic_constraints: BasicConstraints | None = None
    name_constraints: NameConstraints | None = None
    certificate_policies: tuple[PolicyInformation, ...] = ()
    crl_urls: tuple[str, ...] = ()
    ca_issuers_urls: tuple[str, ...] = ()
    extensions: tuple[Extension, ...] = ()
    key_usage_critical: bool = True
    extended_key_usage_critical: bool = False

    @property
    def digest(self) -> str:
        """`sha256:` and the hexadecimal digest of the template's canonical JSON."""
        record = asdict(self, dict_factory=_record)
        text = json.dumps(
            record, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=bytes.hex
        )
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

    @property
    def key_identifier(self) -> str:
        """`sha256:` and the hexadecimal digest of the SPKI: how documents name a key."""
        return spki_identifier(self.spki_der)


# Fields that came after the first ledgers, with what they are where nobody uses them.
_LATER_FIELDS: Mapping[str, object] = MappingProxyType(
    {
        "type_id": "",
        "attributes": (),
        "extensions": (),
        "key_usage_critical": True,
        "extended_key_usage_critical": False,
    }
)


def _record(fields: list[tuple[str, Any]]) -> dict[str, Any] | str:
    """Return what the digest is over of one value: what older ledgers say of it stays as it is.

    A certificate policy without qualifiers is its OID alone.
    """
    record = dict(fields)
    if record.keys() == {"oid", "cps", "notice"} and not record["cps"] and record["notice"] is None:
        return str(record["oid"])
    return {name: value for name, value in fields if _LATER_FIELDS.get(name, ...) != value}


def spki_identifier(spki_der: bytes) -> str:
    """Return `sha256:` and the hexadecimal SHA-256 of a DER SubjectPublicKeyInfo."""
    return f"sha256:{hashlib.sha256(spki_der).hexdigest()}"
