"""How a plan says what a certificate will say, to a person who reviews it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType

from gitca.documents.fields import duration_text
from gitca.documents.usages import EXTENDED_KEY_USAGES
from gitca.x509.attributes import attribute_name
from gitca.x509.keys import describe_key
from gitca.x509.template import CertificateTemplate, NameAttribute

_USAGE_NAMES: Mapping[str, str] = MappingProxyType(
    {oid: name for name, oid in EXTENDED_KEY_USAGES.items()}
)


def subject_words(subject: Iterable[NameAttribute]) -> str:
    """Return a distinguished name as `commonName=api.example.internal, organization=Example`."""
    return ", ".join(f"{attribute_name(item.oid)}={item.value}" for item in subject)


def key_words(spki_der: bytes) -> str:
    """Return a key's kind and size: `P-256`, `RSA 3072`, `ML-DSA-65`."""
    return str(describe_key(spki_der))


def usage_words(template: CertificateTemplate) -> list[str]:
    """Return key usages, then extended key usages, by name where they have one."""
    return [
        *template.key_usage,
        *(_USAGE_NAMES.get(oid, oid) for oid in template.extended_key_usage),
    ]


def duration_words(duration: timedelta) -> str:
    """Return a duration as documents write it: `30d`."""
    return duration_text(duration)
