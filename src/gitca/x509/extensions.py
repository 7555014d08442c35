"""A template's extensions as bytes, in one fixed order.

Order: subjectKeyIdentifier, authorityKeyIdentifier, basicConstraints, keyUsage, extKeyUsage,
subjectAltName, cRLDistributionPoints, authorityInfoAccess, nameConstraints, certificatePolicies,
then those that the template gives as they are. Each is critical exactly where RFC 5280 says; that
of the usages and of the last the template says.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterator

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from gitca.documents.managed_extensions import MANAGED_EXTENSIONS
from gitca.x509 import der
from gitca.x509.general_names import write_general_names
from gitca.x509.template import (
    CertificateTemplate,
    Extension,
    GeneralName,
    NameConstraints,
    PolicyInformation,
)

_BASIC_CONSTRAINTS_OID = "2.5.29.19"
_SUBJECT_ALTERNATIVE_NAME = x509.ObjectIdentifier("2.5.29.17")
_TRUE = der.tlv(der.BOOLEAN, b"\xff")

KEY_USAGES = {
    "digitalSignature": "digital_signature",
    "nonRepudiation": "content_commitment",
    "keyEncipherment": "key_encipherment",
    "dataEncipherment": "data_encipherment",
    "keyAgreement": "key_agreement",
    "keyCertSign": "key_cert_sign",
    "cRLSign": "crl_sign",
    "encipherOnly": "encipher_only",
    "decipherOnly": "decipher_only",
}
"""The bits of keyUsage in order (RFC 5280 section 4.2.1.3), and what `cryptography` calls them."""


def subject_key_identifier(spki_der: bytes) -> bytes:
    """Return the 20 octets that name a key in certificates: RFC 7093 section 2 method 1.

    The leftmost 160 bits of SHA-256 of the subjectPublicKey, without tag, length and unused bits.
    """
    _, key_der = der.parts(spki_der)
    return hashlib.sha256(der.read_bit_string(key_der)).digest()[:20]


def extension(oid: str, critical: bool, value: bytes) -> bytes:
    """Return one Extension (RFC 5280 section 4.1); false is the default and not encoded."""
    flag = _TRUE if critical else b""
    return der.sequence(der.object_identifier(oid), flag, der.tlv(der.OCTET_STRING, value))


def extensions_der(
    template: CertificateTemplate, authority_key_identifier: bytes | None
) -> tuple[bytes, ...]:
    """Return the encoded extensions of a certificate, in order.

    `authority_key_identifier` is the issuer's own subject key identifier (RFC 5280 section
    4.2.1.1); None leaves the extension out. Raises: ValueError for what no extension can hold, and
    for one among the template's others that gitca writes itself or that stands twice.
    """
    _check_others(template.extensions)
    return (
        *(
            extension(value.oid.dotted_string, critical, value.public_bytes())
            for value, critical in _extensions(template, authority_key_identifier)
        ),
        *(extension(item.oid, item.critical, item.value_der) for item in template.extensions),
    )


def _check_others(extensions: tuple[Extension, ...]) -> None:
    # Documents cannot say this; what reads certificates from elsewhere relies on it.
    oids = [item.oid for item in extensions]
    managed = sorted(MANAGED_EXTENSIONS.keys() & set(oids))
    if managed:
        raise ValueError(f"extension {managed[0]} is not written as it is given")
    if len(set(oids)) != len(oids):
        raise ValueError("an extension stands twice")


def read_extension(extension_der: bytes) -> Extension:
    """Return one Extension (RFC 5280 section 4.1); its value is not looked at. Raises: DerError.

    Criticality is read in forms that are no DER, too: some tools write false into CSRs.
    """
    oid_der, *flag, value = der.parts(extension_der)
    if len(flag) > 1:
        raise der.DerError("an extension of more than three parts")
    critical = any(der.content(part, der.BOOLEAN) != b"\x00" for part in flag)
    oid = der.read_object_identifier(oid_der)
    return Extension(oid, critical, der.content(value, der.OCTET_STRING))


def _extensions(
    template: CertificateTemplate, aki: bytes | None
) -> Iterator[tuple[x509.ExtensionType, bool]]:
    yield x509.SubjectKeyIdentifier(subject_key_identifier(template.spki_der)), False
    if aki is not None:
        yield x509.AuthorityKeyIdentifier(aki, None, None), False
    if template.basic_constraints:
        yield x509.BasicConstraints(True, template.basic_constraints.path_length), True
    yield from _usages(template)
    if template.sans:
        # Critical exactly when nothing else names the subject (RFC 5280 section 4.2.1.6).
        names_der = write_general_names(template.sans)
        yield x509.UnrecognizedExtension(_SUBJECT_ALTERNATIVE_NAME, names_der), not template.subject
    yield from _pointers(template)
    if template.name_constraints:
        yield name_constraints_value(template.name_constraints), True
    if template.certificate_policies:
        yield x509.CertificatePolicies(map(_policy, template.certificate_policies)), False


def _policy(policy: PolicyInformation) -> x509.PolicyInformation:
    notice = [x509.UserNotice(None, policy.notice)] if policy.notice is not None else []
    qualifiers: list[str | x509.UserNotice] = [*policy.cps, *notice]
    return x509.PolicyInformation(x509.ObjectIdentifier(policy.oid), qualifiers or None)


def _usages(template: CertificateTemplate) -> Iterator[tuple[x509.ExtensionType, bool]]:
    if template.key_usage:
        unknown = set(template.key_usage) - KEY_USAGES.keys()
        if unknown:
            raise ValueError(f"key usage {', '.join(sorted(unknown))} is none of RFC 5280's")
        bits = {name: usage in template.key_usage for usage, name in KEY_USAGES.items()}
        yield x509.KeyUsage(**bits), template.key_usage_critical
    if template.extended_key_usage:
        oids = [x509.ObjectIdentifier(oid) for oid in template.extended_key_usage]
        yield x509.ExtendedKeyUsage(oids), template.extended_key_usage_critical


def _pointers(template: CertificateTemplate) -> Iterator[tuple[x509.ExtensionType, bool]]:
    if template.crl_urls:
        # One point with all URLs: they are ways to the same CRL (RFC 5280 section 4.2.1.13).
        names = [x509.UniformResourceIdentifier(url) for url in template.crl_urls]
        point = x509.DistributionPoint(names, None, None, None)
        yield x509.CRLDistributionPoints([point]), False
    if template.ca_issuers_urls:
        method = AuthorityInformationAccessOID.CA_ISSUERS
        urls = [x509.UniformResourceIdentifier(url) for url in template.ca_issuers_urls]
        accesses = [x509.AccessDescription(method, url) for url in urls]
        yield x509.AuthorityInformationAccess(accesses), False


def name_constraints_value(constraints: NameConstraints) -> x509.NameConstraints:
    """Return name constraints as `cryptography` encodes them. Raises: ValueError."""
    permitted = [_subtree(name) for name in constraints.permitted]
    excluded = [_subtree(name) for name in constraints.excluded]
    return x509.NameConstraints(permitted or None, excluded or None)


def _subtree(base: GeneralName) -> x509.GeneralName:
    match base.kind:
        case "dns":
            return x509.DNSName(base.value)
        case "ip":
            return x509.IPAddress(ipaddress.ip_network(base.value))
        case "uri":
            return x509.UniformResourceIdentifier(base.value)
        case "email":
            return x509.RFC822Name(base.value)
        case _:
            raise ValueError(f"name constraints of type {base.kind} are not written")
