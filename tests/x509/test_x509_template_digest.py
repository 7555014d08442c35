"""The digest of a template: ledgers name templates by it, those of older releases included."""

from __future__ import annotations

from dataclasses import replace

from gitca.x509.template import (
    BasicConstraints,
    CertificateTemplate,
    Extension,
    GeneralName,
    NameAttribute,
    NameConstraints,
    PolicyInformation,
)

TEMPLATE = CertificateTemplate(
    subject=(NameAttribute("2.5.4.3", "a"),),
    spki_der=b"x",
    sans=(GeneralName("dns", "a.b"), GeneralName("ip", "10.1.2.3")),
    key_usage=("digitalSignature",),
    extended_key_usage=("1.2.3",),
    basic_constraints=BasicConstraints(0),
    name_constraints=NameConstraints((GeneralName("dns", "x"),)),
    certificate_policies=(PolicyInformation("1.2.3"),),
    crl_urls=("http://x",),
)
ORGANIZATION = NameAttribute("2.5.4.10", "a")


def test_the_digest_of_a_template_that_the_first_release_could_write_is_that_of_then():
    assert TEMPLATE.digest == (
        "sha256:3cdd8277df8da5d94bf8e29d6c39215cb18f57d79d5c02a72a282880da1627b6"
    )


def test_whatever_came_later_is_in_the_digest_where_it_is_used():
    changes = (
        {"sans": (GeneralName("otherName", "a", "1.2.3"),)},
        {"sans": (GeneralName("otherName", "a", "1.2.4"),)},
        {"sans": (GeneralName("directoryName", attributes=(ORGANIZATION,)),)},
        {"sans": (GeneralName("directoryName", attributes=(ORGANIZATION, ORGANIZATION)),)},
        {"extensions": (Extension("1.2.3", False, b"\x05\x00"),)},
        {"extensions": (Extension("1.2.3", True, b"\x05\x00"),)},
        {"key_usage_critical": False},
        {"extended_key_usage_critical": True},
        {"certificate_policies": (PolicyInformation("1.2.3", cps=("http://x",)),)},
        {"certificate_policies": (PolicyInformation("1.2.3", notice="x"),)},
    )
    digests = [replace(TEMPLATE, **change).digest for change in changes]
    assert len({TEMPLATE.digest, *digests}) == len(changes) + 1
