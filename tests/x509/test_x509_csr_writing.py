"""CSRs that gitca makes, judged by openssl, GnuTLS, `cryptography` and gitca's own reader."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography import x509
from x509_material import KEY_OF_ALGORITHM, private_key, root_template, sign, spki

from components import require
from gitca.x509.csr import parse_csr
from gitca.x509.csr_writing import build_request_info
from gitca.x509.extensions import subject_key_identifier
from gitca.x509.refusal import RefusedError
from gitca.x509.signed import assemble
from gitca.x509.template import (
    BasicConstraints,
    CertificateTemplate,
    GeneralName,
    NameAttribute,
    NameConstraints,
    PolicyInformation,
)
from judges.openssl import request_text
from judges.process import must

CONSTRAINTS = NameConstraints(
    permitted=(GeneralName("dns", "example.internal"), GeneralName("email", ".example.internal")),
    excluded=(GeneralName("ip", "10.0.0.0/8"),),
)


def asking(spec: str = "P-256") -> CertificateTemplate:
    return root_template(
        spec,
        basic_constraints=BasicConstraints(0),
        name_constraints=CONSTRAINTS,
        certificate_policies=(PolicyInformation("1.2.3.4"),),
    )


def signed(template: CertificateTemplate, algorithm: str) -> bytes:
    info = build_request_info(template)
    signature = sign(private_key(KEY_OF_ALGORITHM[algorithm]), algorithm, info)
    return assemble(info, algorithm, signature)


@pytest.mark.parametrize("algorithm", KEY_OF_ALGORITHM)
def test_a_csr_of_every_algorithm_is_read_with_all_that_it_asks_for(algorithm):
    template = asking(KEY_OF_ALGORITHM[algorithm])
    csr = parse_csr(signed(template, algorithm))
    assert csr.spki_der == template.spki_der
    assert csr.subject == template.subject
    assert [(item.oid, item.critical) for item in csr.extensions] == [
        ("2.5.29.14", False),
        ("2.5.29.19", True),
        ("2.5.29.15", True),
        ("2.5.29.30", True),
        ("2.5.29.32", False),
    ]


@pytest.mark.parametrize("algorithm", ["ecdsa-sha384", "rsa-pkcs1-sha256", "ed25519"])
def test_openssl_verifies_it_and_reads_each_extension(algorithm):
    words = request_text(signed(asking(KEY_OF_ALGORITHM[algorithm]), algorithm))
    for line in (
        "Subject: C = GB, CN = Example Root",
        "CA:TRUE, pathlen:0",
        "X509v3 Basic Constraints: critical",
        "X509v3 Key Usage: critical",
        "Certificate Sign, CRL Sign",
        "X509v3 Name Constraints: critical",
        "DNS:example.internal",
        "email:.example.internal",
        "IP:10.0.0.0/255.0.0.0",
        "Policy: 1.2.3.4",
    ):
        assert line in words


def test_gnutls_verifies_it_and_reads_each_extension():
    require("gnutls")
    der = signed(asking(), "ecdsa-sha256")
    words = must("certtool", "--crq-info", "--inder", stdin=der).decode()
    for line in (
        "Self signature: verified",
        "Certificate Authority (CA): TRUE",
        "Path Length Constraint: 0",
        "Certificate signing.",
        "CRL signing.",
        "DNSname: example.internal",
        "IPAddress: 10.0.0.0/8",
        subject_key_identifier(spki("P-256")).hex(),
    ):
        assert line in words


def test_cryptography_verifies_it_and_reads_no_more_than_was_asked():
    csr = x509.load_der_x509_csr(signed(root_template(), "ecdsa-sha256"))
    assert csr.is_signature_valid
    assert [item.value.__class__.__name__ for item in csr.extensions] == [
        "SubjectKeyIdentifier",
        "BasicConstraints",
        "KeyUsage",
    ]
    basic = csr.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, None)


def test_the_same_template_gives_the_same_bytes():
    assert build_request_info(asking()) == build_request_info(asking())


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"subject": (NameAttribute("2.5.4.6", "GBR"),)}, "subject.length"),
        (
            {"name_constraints": NameConstraints((GeneralName("registeredID", "1.2.3"),))},
            "csr.template",
        ),
        ({"key_usage": ("signing",)}, "csr.template"),
        ({"spki_der": b"\x30\x00"}, "csr.template"),
    ],
)
def test_what_no_csr_can_say_is_refused(changes, rule):
    with pytest.raises(RefusedError) as caught:
        build_request_info(replace(asking(), **changes))
    assert caught.value.rule == rule
