"""What certificates and CSRs say, and what documents say, in one plain form that compares.

A name is (kind, value); an attribute is (dotted OID, value). Nothing of gitca is imported.
"""

from __future__ import annotations

import ipaddress
from typing import Any

import naive_names
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from naive_names import Data

OIDS = {
    "commonName": "2.5.4.3",
    "organization": "2.5.4.10",
    "organizationalUnit": "2.5.4.11",
    "country": "2.5.4.6",
    "email": "1.2.840.113549.1.9.1",
    "2.5.4.13": "2.5.4.13",
}


def attributes(name: x509.Name) -> list[tuple[str, str]]:
    for relative in name.rdns:
        assert len(list(relative)) == 1, "a relative distinguished name of several attributes"
    return [(attribute.oid.dotted_string, str(attribute.value)) for attribute in name]


def general_name(name: x509.GeneralName) -> tuple[str, Any]:
    match name:
        case x509.DNSName():
            return "dns", name.value
        case x509.IPAddress():
            return "ip", str(name.value)
        case x509.UniformResourceIdentifier():
            return "uri", name.value
        case x509.RFC822Name():
            return "email", name.value
        case x509.DirectoryName():
            return "directoryName", attributes(name.value)
        case x509.RegisteredID():
            return "registeredID", name.value.dotted_string
        case x509.OtherName():
            assert name.value[0] == 0x0C, "an otherName that is no UTF8String"
            assert name.value[1] == len(name.value) - 2
            return "otherName", (name.type_id.dotted_string, name.value[2:].decode())
    raise AssertionError(f"{name} is of a type that gitca does not write")


def sans_of(csr: x509.CertificateSigningRequest) -> list[tuple[str, Any]]:
    try:
        extension = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [general_name(name) for name in extension.value]


def stated_attributes(subject: Data) -> list[tuple[str, str]]:
    return [(OIDS[name], value) for name, value in naive_names.flattened(subject)]


def by_oid(pattern: Data) -> Data:
    return {OIDS[name]: texts for name, texts in pattern.items()}


def stated_sans(sans: Data) -> list[tuple[str, Any]]:
    simple = ("dns", "ip", "uri", "email", "registeredID")
    names: list[tuple[str, Any]] = [(kind, text) for kind in simple for text in sans.get(kind, [])]
    names += [("otherName", (each["oid"], each["utf8"])) for each in sans.get("otherName", [])]
    return names + [
        ("directoryName", stated_attributes(each)) for each in sans.get("directoryName", [])
    ]


def folded(name: tuple[str, Any]) -> str:
    kind, value = name
    if kind == "ip":
        return f"ip {ipaddress.ip_address(value)}"
    return f"{kind} {value.lower() if kind == 'dns' else value}"


def covers(rule: Data, key: Any) -> bool:
    match key:
        case rsa.RSAPublicKey():
            exponents = rule.get("exponents", [65537])
            return (
                rule["type"] == "rsa"
                and rule.get("minBits", 2048) <= key.key_size <= rule.get("maxBits", 16384)
                and key.public_numbers().e in exponents
            )
        case ec.EllipticCurvePublicKey():
            names = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
            return rule["type"] == "ecdsa" and names[key.curve.name] in rule["curves"]
        case ed25519.Ed25519PublicKey():
            return bool(rule["type"] == "ed25519")
        case mldsa.MLDSA65PublicKey():
            return rule["type"] == "ml-dsa" and "ML-DSA-65" in rule["parameterSets"]
    return False


def encoded(value: Data) -> bytes:
    """Return the DER of a value as documents write it, of the few that the tests write."""
    ((form, content),) = value.items()
    if form == "der":
        return {"BQA=": b"\x05\x00", "DAFB": b"\x0c\x01A"}[content]
    tag = {"utf8": 0x0C, "ia5": 0x16, "integer": 0x02, "boolean": 0x01}[form]
    octets = {True: b"\xff"}.get(content) if form == "boolean" else None
    octets = bytes([content]) if form == "integer" else octets or str(content).encode()
    return bytes([tag, len(octets)]) + octets


def subtrees(names: Any) -> Data:
    subtrees: Data = {}
    for name in names or ():
        kind, value = general_name(name)
        subtrees.setdefault(kind, []).append(value)
    return subtrees
