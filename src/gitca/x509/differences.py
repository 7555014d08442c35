"""What changed between a request and the certificate that it has, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from gitca.x509.attributes import attribute_name
from gitca.x509.extension_values import extension_words
from gitca.x509.template import CertificateTemplate, NameAttribute, NameConstraints


def differences(before: CertificateTemplate, after: CertificateTemplate) -> tuple[str, ...]:
    """Return what changes between a certificate and a request: names, key, usages, extensions.

    `before` is the certificate's template, `after` what the request comes to now: `+` is new, `-`
    goes. Empty if all is the same. The order of names and usages says nothing; that of the subject
    does. What the issuer adds by itself (CRL and issuer URLs, policies) is not compared.
    """
    return tuple(_differences(before, after))


def _differences(before: CertificateTemplate, after: CertificateTemplate) -> Iterator[str]:
    if before.subject != after.subject:
        yield f"subject: {_subject(before.subject)} -> {_subject(after.subject)}"
    if before.spki_der != after.spki_der:
        yield f"key: {before.key_identifier} -> {after.key_identifier}"
    yield from _changed("names", map(str, before.sans), map(str, after.sans))
    yield from _changed("key usage", before.key_usage, after.key_usage)
    yield from _changed("extended key usage", before.extended_key_usage, after.extended_key_usage)
    yield from _changed("criticality", _criticality(before), _criticality(after))
    yield from _changed("CA", _authority(before), _authority(after))
    old, new = before.extensions, after.extensions
    yield from _changed("extensions", map(extension_words, old), map(extension_words, new))


def _criticality(template: CertificateTemplate) -> Iterator[str]:
    if template.key_usage and not template.key_usage_critical:
        yield "key usage not critical"
    if template.extended_key_usage and template.extended_key_usage_critical:
        yield "extended key usage critical"


def _authority(template: CertificateTemplate) -> Iterator[str]:
    if template.basic_constraints is not None:
        length = template.basic_constraints.path_length
        yield f"path length {'any' if length is None else length}"
    constraints = template.name_constraints or NameConstraints()
    yield from (f"permitted {base}" for base in constraints.permitted)
    yield from (f"excluded {base}" for base in constraints.excluded)


def _changed(what: str, before: Iterable[str], after: Iterable[str]) -> Iterator[str]:
    old, new = Counter(before), Counter(after)
    added = [f"+ {value}" for value in (new - old).elements()]
    removed = [f"- {value}" for value in (old - new).elements()]
    if added or removed:
        yield f"{what}: {', '.join(added + removed)}"


def _subject(subject: tuple[NameAttribute, ...]) -> str:
    named = (f"{attribute_name(attribute.oid)}={attribute.value}" for attribute in subject)
    return ", ".join(named) or "(empty)"
