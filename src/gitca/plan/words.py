"""How a plan says what a certificate will say, to a person who reviews it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType

from gitca.documents.fields import duration_text
from gitca.documents.usages import EXTENDED_KEY_USAGES
from gitca.policy.period import Period
from gitca.x509.attributes import attribute_name
from gitca.x509.extension_values import extension_words
from gitca.x509.keys import describe_key
from gitca.x509.refusal import quoted
from gitca.x509.template import (
    CONSTRAINED_KINDS,
    CertificateTemplate,
    NameAttribute,
    NameConstraints,
    PolicyInformation,
)

_TIME = "%Y-%m-%dT%H:%M:%SZ"
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
    """Return key usages, then extended key usages, by name where they have one.

    Said is also where criticality is not as usual: key usage without, extended key usage with it.
    """
    extended = [_USAGE_NAMES.get(oid, oid) for oid in template.extended_key_usage]
    lax = template.key_usage and not template.key_usage_critical
    strict = extended and template.extended_key_usage_critical
    return [
        *template.key_usage,
        *(["(key usage not critical)"] if lax else ()),
        *extended,
        *(["(extended key usage critical)"] if strict else ()),
    ]


def period_words(period: Period) -> str:
    """Return when a certificate shall be valid: `30d`, or the times that its request states."""
    begin = f"from {period.not_before:{_TIME}}" if period.not_before else ""
    end = f"until {period.not_after:{_TIME}}" if period.not_after else ""
    lasting = duration_text(period.validity) if period.validity else end
    return " ".join(filter(None, (lasting, begin) if period.validity else (begin, end)))


def authority_words(template: CertificateTemplate) -> str:
    """Return what a CA may go on to issue, with the types of names left open to it; or nothing."""
    if template.basic_constraints is None:
        return ""
    length = template.basic_constraints.path_length
    constraints = template.name_constraints or NameConstraints()
    permitted, excluded = constraints.permitted, constraints.excluded
    bound = {base.kind for base in (*permitted, *excluded)}
    parts = [f"CA, path length {'any' if length is None else length}"]
    parts += [f"permitted {', '.join(map(str, permitted))}"] if permitted else []
    parts += [f"excluded {', '.join(map(str, excluded))}"] if excluded else []
    left_open = [kind for kind in CONSTRAINED_KINDS if kind not in bound]
    parts += [f"any {', '.join(left_open)}"] if left_open else []
    return "; ".join(parts)


def extension_lines(template: CertificateTemplate) -> list[str]:
    """Return the certificate policies and the extensions that were given as they are."""
    policies = [
        f"certificate policy {_policy_words(item)}" for item in template.certificate_policies
    ]
    return [*policies, *map(extension_words, template.extensions)]


def _policy_words(policy: PolicyInformation) -> str:
    notice = [f"notice {quoted(policy.notice)}"] if policy.notice is not None else []
    return ", ".join([policy.oid, *policy.cps, *notice])


def duration_words(duration: timedelta) -> str:
    """Return a duration as documents write it: `30d`."""
    return duration_text(duration)
