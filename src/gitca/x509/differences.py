"""What changed between a request and the certificate that it has, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from gitca.x509.attributes import attribute_name
from gitca.x509.template import CertificateTemplate, NameAttribute


def differences(
    wanted: CertificateTemplate, certificate_template: CertificateTemplate
) -> tuple[str, ...]:
    """Return what of subject, names, key and usages is wanted otherwise; empty if all is the same.

    `+` is wanted and not in the certificate, `-` the other way round. The order of names and usages
    says nothing; that of the subject does. What the issuer adds by itself (CRL and issuer URLs,
    policies) is not compared.
    """
    return tuple(_differences(wanted, certificate_template))


def _differences(wanted: CertificateTemplate, present: CertificateTemplate) -> Iterator[str]:
    if wanted.subject != present.subject:
        yield f"subject: {_subject(present.subject)} -> {_subject(wanted.subject)}"
    if wanted.spki_der != present.spki_der:
        yield f"key: {present.key_identifier} -> {wanted.key_identifier}"
    yield from _changed("names", map(str, wanted.sans), map(str, present.sans))
    yield from _changed("key usage", wanted.key_usage, present.key_usage)
    yield from _changed("extended key usage", wanted.extended_key_usage, present.extended_key_usage)


def _changed(what: str, wanted: Iterable[str], present: Iterable[str]) -> Iterator[str]:
    before, after = Counter(present), Counter(wanted)
    added = [f"+ {value}" for value in (after - before).elements()]
    removed = [f"- {value}" for value in (before - after).elements()]
    if added or removed:
        yield f"{what}: {', '.join(added + removed)}"


def _subject(subject: tuple[NameAttribute, ...]) -> str:
    named = (f"{attribute_name(attribute.oid)}={attribute.value}" for attribute in subject)
    return ", ".join(named) or "(empty)"
