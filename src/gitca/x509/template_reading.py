"""The way back from bytes to a template, by another parser than the code that wrote them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from gitca.x509 import der
from gitca.x509.extensions import KEY_USAGES, read_extension
from gitca.x509.template import (
    CONSTRAINED_KINDS,
    BasicConstraints,
    CertificateTemplate,
    GeneralName,
    NameAttribute,
    NameConstraints,
    PolicyInformation,
)

_UTF8_STRING = 0x0C

ExtensionT = TypeVar("ExtensionT", bound=x509.ExtensionType)


def read_template(
    subject: tuple[NameAttribute, ...],
    spki_der: bytes,
    extensions: x509.Extensions,
    encoded: Iterable[bytes],
) -> CertificateTemplate:
    """Return what of a certificate a template can say; the rest is left out, not judged.

    `encoded` are the same extensions as bytes: those that no field of a template says are taken
    from there as they are. Raises: ValueError.

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
        certificate_policies=tuple(map(_policy, policies or ())),
        crl_urls=_crl_urls(find(extensions, x509.CRLDistributionPoints)),
        ca_issuers_urls=_ca_issuers_urls(find(extensions, x509.AuthorityInformationAccess)),
        extensions=tuple(
            read for item in encoded if (read := read_extension(item)).oid not in _SAID_BY_FIELDS
        ),
        key_usage_critical=_criticality(extensions, x509.KeyUsage, absent=True),
        extended_key_usage_critical=_criticality(extensions, x509.ExtendedKeyUsage, absent=False),
    )


_SAID_BY_FIELDS = frozenset(
    kind.oid.dotted_string
    for kind in (
        x509.SubjectKeyIdentifier,
        x509.AuthorityKeyIdentifier,
        x509.BasicConstraints,
        x509.KeyUsage,
        x509.ExtendedKeyUsage,
        x509.SubjectAlternativeName,
        x509.CRLDistributionPoints,
        x509.AuthorityInformationAccess,
        x509.NameConstraints,
        x509.CertificatePolicies,
    )
)


def find(extensions: x509.Extensions, kind: type[ExtensionT]) -> ExtensionT | None:
    """Return the one extension of a kind, or None."""
    for found in extensions:
        if isinstance(found.value, kind):
            return found.value
    return None


def _criticality(
    extensions: x509.Extensions, kind: type[x509.ExtensionType], *, absent: bool
) -> bool:
    found = (item.critical for item in extensions if isinstance(item.value, kind))
    return next(found, absent)


def _policy(policy: x509.PolicyInformation) -> PolicyInformation:
    """Return a certificate policy; of several notices, which no template can say, the last."""
    qualifiers = policy.policy_qualifiers or []
    texts = [item.explicit_text for item in qualifiers if isinstance(item, x509.UserNotice)]
    return PolicyInformation(
        oid=policy.policy_identifier.dotted_string,
        cps=tuple(item for item in qualifiers if isinstance(item, str)),
        notice=texts[-1] if texts else None,
    )


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
        case x509.RegisteredID():
            return GeneralName("registeredID", name.value.dotted_string)
        case x509.OtherName():
            return _other_name(name)
        case x509.DirectoryName():
            return _directory_name(name.value)
    return None


def _other_name(name: x509.OtherName) -> GeneralName | None:
    try:
        text = der.content(name.value, _UTF8_STRING).decode()
    except (der.DerError, UnicodeDecodeError):
        return None
    return GeneralName("otherName", text, name.type_id.dotted_string)


def _directory_name(name: x509.Name) -> GeneralName:
    attributes = tuple(
        NameAttribute(attribute.oid.dotted_string, str(attribute.value)) for attribute in name
    )
    return GeneralName("directoryName", attributes=attributes)


def _name_constraints(constraints: x509.NameConstraints | None) -> NameConstraints | None:
    if constraints is None:
        return None
    return NameConstraints(
        _bases(constraints.permitted_subtrees or ()), _bases(constraints.excluded_subtrees or ())
    )


def _bases(names: Iterable[x509.GeneralName]) -> tuple[GeneralName, ...]:
    return tuple(name for name in _names(names) if name.kind in CONSTRAINED_KINDS)


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
