"""The linter: silent about what gitca builds, loud about defects, and never a traceback."""

from __future__ import annotations

import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from typing import Any

import pytest
from x509_material import (
    KEY_OF_ALGORITHM,
    NOT_AFTER,
    NOT_BEFORE,
    SERIAL,
    leaf_template,
    root,
    root_certificate,
    root_template,
    spki,
)

from gitca.findings import Severity
from gitca.x509 import der
from gitca.x509.algorithms import SIGNATURE_ALGORITHMS
from gitca.x509.attributes import ATTRIBUTE_OIDS
from gitca.x509.certificate import Issuer, rehearse
from gitca.x509.crl import CrlEntry, build_crl_tbs, rehearse_crl
from gitca.x509.extensions import extension
from gitca.x509.lint import LintResult, lint_certificate, lint_crl
from gitca.x509.placeholder import placeholder_signature
from gitca.x509.signed import assemble, tbs_of
from gitca.x509.template import (
    CertificateTemplate,
    GeneralName,
    NameAttribute,
    NameConstraints,
)


def built(
    template: CertificateTemplate, algorithm: str = "ecdsa-sha256", *, issuer: Any = root
) -> bytes:
    return rehearse(
        template,
        Issuer(issuer(algorithm) if issuer else None, algorithm),
        serial=SERIAL,
        not_before=NOT_BEFORE,
        not_after=NOT_AFTER,
    ).der


def crl(*entries: CrlEntry, algorithm: str = "ecdsa-sha256", number: int = 1) -> bytes:
    tbs = build_crl_tbs(
        root_certificate(algorithm),
        signature_algorithm=algorithm,
        crl_number=number,
        this_update=NOT_BEFORE,
        next_update=NOT_BEFORE + timedelta(days=7),
        entries=entries,
    )
    return rehearse_crl(tbs, algorithm)


def codes(results: tuple[LintResult, ...]) -> set[str]:
    return {result.code for result in results}


@pytest.mark.parametrize("algorithm", SIGNATURE_ALGORITHMS)
def test_roots_leaves_and_crls_of_every_algorithm_pass(algorithm):
    spec = KEY_OF_ALGORITHM[algorithm]
    assert lint_certificate(built(root_template(spec), algorithm, issuer=None)) == ()
    assert lint_certificate(built(leaf_template(spec), algorithm)) == ()
    entry = CrlEntry(SERIAL, NOT_BEFORE, "keyCompromise", NOT_BEFORE)
    assert lint_crl(crl(algorithm=algorithm)) == ()
    assert lint_crl(crl(entry, algorithm=algorithm)) == ()


PRIVATE_NAMES = (
    GeneralName("dns", "db1"),
    GeneralName("dns", "*.internal"),
    GeneralName("uri", "spiffe://example.internal/api"),
    GeneralName("uri", "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
    GeneralName("uri", "http://db1/"),
    GeneralName("email", "root@db1"),
)


@pytest.mark.parametrize("name", PRIVATE_NAMES, ids=str)
def test_names_of_a_private_network_are_no_errors(name):
    assert lint_certificate(built(leaf_template(sans=(name,)))) == ()


def test_constraints_and_domain_components_of_a_private_network_are_no_errors():
    constraints = NameConstraints(
        (GeneralName("dns", "internal"), GeneralName("uri", ".internal")),
        (GeneralName("email", "db1"), GeneralName("email", ".internal")),
    )
    subject = (NameAttribute(ATTRIBUTE_OIDS["domainComponent"], "internal"),)
    template = root_template(name_constraints=constraints, subject=subject)
    assert lint_certificate(built(template, issuer=None)) == ()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (GeneralName("dns", "-host.internal"), "pkix.invalid_domain_name_syntax"),
        (GeneralName("dns", "api..internal"), "pkix.invalid_domain_name_syntax"),
        (GeneralName("dns", "10.1.2.3"), "pkix.invalid_domain_name_syntax"),
        (GeneralName("uri", "relative/path"), "pkix.invalid_uri_syntax"),
        (GeneralName("uri", "spiffe://Example/"), "pkix.invalid_uri_syntax"),
        (GeneralName("email", "nobody"), "pkix.invalid_email_address_syntax"),
    ],
)
def test_a_name_that_our_own_check_refuses_stays_an_error(name, code):
    (result,) = lint_certificate(built(leaf_template(sans=(name,))))
    assert (result.severity, result.code) == (Severity.ERROR, code)
    assert result.is_error
    assert name.value in result.message
    assert "subjectAltName" in result.where


@pytest.mark.parametrize(
    ("template", "code"),
    [
        (leaf_template(key_usage=("keyEncipherment",)), "pkix.key_usage_value_prohibited_for_ec"),
        (
            leaf_template("Ed25519", key_usage=("digitalSignature", "keyEncipherment")),
            "pkix.key_usage_value_prohibited_for_edwards_curve",
        ),
        (
            leaf_template("ML-DSA-44", key_usage=("keyEncipherment",)),
            "pkix.key_usage_value_prohibited_for_mldsa",
        ),
        (
            leaf_template(key_usage=("digitalSignature", "keyCertSign")),
            "pkix.ee_certificate_keycertsign_keyusage_set",
        ),
        (
            leaf_template(
                subject=(NameAttribute(ATTRIBUTE_OIDS["email"], "pki@example.internal"),)
            ),
            "pkix.subject_email_address_not_in_san",
        ),
    ],
)
def test_a_defect_of_the_template_is_an_error(template, code):
    assert {result.code for result in lint_certificate(built(template)) if result.is_error} == {
        code
    }


def test_the_linter_looks_at_the_key_as_well():
    identifier_der = der.algorithm_identifier("1.3.6.1.4.1.2.267.7.4.4")  # Dilithium2, round 3
    template = leaf_template(spki_der=der.sequence(identifier_der, der.bit_string(b"key")))
    found = codes(lint_certificate(built(template)))
    assert "pkix.public_key_nist_round3_algorithm_present" in found


def test_a_malformed_extension_is_an_error():
    fields = der.parts(tbs_of(built(leaf_template())))
    broken = extension("2.5.29.17", False, b"\x30\x05")
    fields[7] = der.explicit(3, der.sequence(broken))
    tbs = der.sequence(*fields)
    results = lint_certificate(assemble(tbs, "ecdsa-sha256", placeholder_signature("ecdsa-sha256")))
    assert any(result.is_error for result in results)


def test_a_crl_without_number_is_an_error():
    fields = der.parts(tbs_of(crl()))
    aki, _ = der.parts(der.parts(fields[5], der.CONTEXT)[0])
    fields[5] = der.explicit(0, der.sequence(aki))
    results = lint_crl(rehearse_crl(der.sequence(*fields), "ecdsa-sha256"))
    assert any(result.is_error and "crl_number" in result.code for result in results)


def test_the_frame_with_the_new_entries_alone_is_linted_as_a_whole_crl():
    many = [CrlEntry(SERIAL + n, NOT_BEFORE, "superseded") for n in range(50)]
    assert lint_crl(crl(*many)) == lint_crl(crl(*many[-1:])) == ()


@pytest.mark.parametrize("data", [b"", b"0", b"hello", root()[:-1], spki("P-256"), crl()])
def test_what_cannot_be_read_is_an_error_and_not_an_exception(data):
    (result,) = lint_certificate(data)
    assert (result.code, result.severity) == ("lint.undecodable", Severity.ERROR)
    assert result.message.isprintable()


@pytest.mark.parametrize("data", [b"", root()])
def test_what_is_no_crl_is_an_error_and_not_an_exception(data):
    assert codes(lint_crl(data)) == {"lint.undecodable"}


def test_results_cross_process_boundaries():
    data = built(leaf_template(sans=(*PRIVATE_NAMES[:1], GeneralName("dns", "my_host"))))
    expected = lint_certificate(data)
    assert expected
    assert pickle.loads(pickle.dumps(expected)) == expected  # noqa: S301 - our own bytes
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(lint_certificate, [data])) == [expected]


def test_pkilint_is_imported_when_it_is_used_alone():
    program = "import sys, gitca.x509.lint; sys.exit('pkilint' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_a_validator_that_raises_prints_no_traceback():
    program = (
        "import logging; from gitca.x509.lint import lint_certificate; lint_certificate(b'0');"
        "logging.getLogger('pkilint.validation').error('seen')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stderr == b""
