"""The way back from bytes to a template, by another parser than the code that wrote them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from gitca.x509.extensions import KEY_USAGES
from gitca.x509.template import (
    BasicConstraints,
    CertificateTemplate,
    GeneralName,
    NameAttribute,
    NameConstraints,
)

ExtensionT = TypeVar("ExtensionT", bound=x509.ExtensionType)


def read_template(
    subject: tuple[NameAttribute, ...], spki_der: bytes, extensions: x509.Extensions
) -> CertificateTemplate:
    """Return what of a certificate a template can say; the rest is left out, not judged.

    Whoever needs to know that nothing is left out writes the template again and compares bytes.
    """
    usage = find(extensions, x509.KeyUsage)
    extended = find(extensions, x509.ExtendedKeyUsage)
    policies = find(extensions, x509.CertificatePolicies)
    return CertificateTemplate(
        subject=subject,
        spki_der=spki_der,
        sans=_names(find(extensions, x509.SubjectAlternativeName) or ()),
        key_usage=_key_usage(usage) if usage else (),
        extended_key_usage=tuple(oid.dotted_string for oid in extended or ()),
        basic_constraints=_basic_constraints(extensions),
        name_constraints=_name_constraints(find(extensions, x509.NameConstraints)),
        certificate_policies=tuple(
            policy.policy_identifier.dotted_string for policy in policies or ()
        ),
        crl_urls=_crl_urls(find(extensions, x509.CRLDistributionPoints)),
        ca_issuers_urls=_ca_issuers_urls(find(extensions, x509.AuthorityInformationAccess)),
    )


def find(extensions: x509.Extensions, kind: type[ExtensionT]) -> ExtensionT | None:
    """Return the one extension of a kind, or None."""
    for found in extensions:
        if isinstance(found.value, kind):
            return found.value
    return None


def _basic_constraints(extensions: x509.Extensions) -> BasicConstraints | None:
    found = find(extensions, x509.BasicConstraints)
    return BasicConstraints(found.path_length) if found and found.ca else None


def _key_usage(usage: x509.KeyUsage) -> tuple[str, ...]:
    # `cryptography` raises when these two are asked for without keyAgreement.
    dependent = () if usage.key_agreement else ("encipher_only", "decipher_only")
    return tuple(
        name
        for name, attribute in KEY_USAGES.items()
        if attribute not in dependent and getattr(usage, attribute)
    )


def _names(names: Iterable[x509.GeneralName]) -> tuple[GeneralName, ...]:
    return tuple(read for name in names if (read := _general_name(name)))


def _general_name(name: x509.GeneralName) -> GeneralName | None:
    match name:
        case x509.DNSName():
            return GeneralName("dns", name.value)
        case x509.IPAddress():
            return GeneralName("ip", str(name.value))
        case x509.UniformResourceIdentifier():
            return GeneralName("uri", name.value)
        case x509.RFC822Name():
            return GeneralName("email", name.value)
    return None


def _name_constraints(constraints: x509.NameConstraints | None) -> NameConstraints | None:
    if constraints is None:
        return None
    permitted = _names(constraints.permitted_subtrees or ())
    return NameConstraints(permitted, _names(constraints.excluded_subtrees or ()))


def _crl_urls(points: x509.CRLDistributionPoints | None) -> tuple[str, ...]:
    names = (name for point in points or () for name in point.full_name or ())
    return tuple(name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))


def _ca_issuers_urls(access: x509.AuthorityInformationAccess | None) -> tuple[str, ...]:
    return tuple(
        description.access_location.value
        for description in access or ()
        if description.access_method == AuthorityInformationAccessOID.CA_ISSUERS
        and isinstance(description.access_location, x509.UniformResourceIdentifier)
    )
