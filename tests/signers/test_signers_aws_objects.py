"""Certificates and CRLs whose signatures KMS made, judged by programs that share no code with us.

openssl for all but ML-DSA, which it knows from 3.5 only: there dilithium-py judges the signature,
and `cryptography` reads the object.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from kms_user import opened
from signature_judges import verifies

from aws.aws_server import AwsServer
from components import require
from gitca.errors import UsageError
from gitca.signers import Signer
from gitca.signers.aws_kms_specs import KMS_SPECS
from gitca.x509.algorithms import algorithms_for
from gitca.x509.certificate import Issuer, parse_certificate, rehearse
from gitca.x509.crl import CrlEntry, build_crl_tbs
from gitca.x509.keys import KEY_SPECS
from gitca.x509.pem import to_pem
from gitca.x509.signed import assemble
from gitca.x509.template import BasicConstraints, CertificateTemplate, NameAttribute

NOT_BEFORE = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
MANY = 100_000
CASES = [(spec, name) for spec, key in KEY_SPECS.items() for name in algorithms_for(key)]


def certificate(signer: Signer, algorithm: str) -> bytes:
    """Return a self-signed CA certificate."""
    template = CertificateTemplate(
        subject=(NameAttribute("2.5.4.3", "Example Root"),),
        spki_der=signer.public_key(),
        key_usage=("keyCertSign", "cRLSign"),
        basic_constraints=BasicConstraints(None),
    )
    rehearsal = rehearse(
        template,
        Issuer(None, algorithm),
        serial=0x6B8F0C4E,
        not_before=NOT_BEFORE,
        not_after=NOT_BEFORE + timedelta(days=3650),
    )
    return assemble(rehearsal.tbs, algorithm, signer.sign(rehearsal.tbs, algorithm).value)


def crl_tbs(certificate_der: bytes, algorithm: str, entries: int) -> bytes:
    return build_crl_tbs(
        parse_certificate(certificate_der),
        signature_algorithm=algorithm,
        crl_number=7,
        this_update=NOT_BEFORE,
        next_update=NOT_BEFORE + timedelta(days=7),
        entries=[CrlEntry((1 << 127) + n, NOT_BEFORE, "superseded") for n in range(entries)],
    )


def openssl(*arguments: str, data: bytes) -> str:
    done = subprocess.run([require("openssl"), *arguments], input=data, capture_output=True)
    return (done.stdout + done.stderr).decode()


@pytest.fixture(params=CASES, ids=lambda case: "-".join(case))
def case(request: pytest.FixtureRequest, kms: AwsServer) -> Iterator[tuple[Signer, str]]:
    spec, algorithm = request.param
    with closing(opened(kms.uri(kms.create_key(KMS_SPECS[spec])))) as signer:
        yield signer, algorithm


def test_what_kms_signed_is_accepted_and_a_changed_byte_is_not(
    case: tuple[Signer, str], tmp_path: Path
) -> None:
    signer, algorithm = case
    der = certificate(signer, algorithm)
    tbs = crl_tbs(der, algorithm, 2)
    crl_der = assemble(tbs, algorithm, signer.sign(tbs, algorithm).value)
    read = x509.load_der_x509_crl(crl_der)
    assert len(read) == 2
    if algorithm.startswith("ml-dsa"):
        root = x509.load_der_x509_certificate(der)
        for signed in ((root.signature, root.tbs_certificate_bytes), (read.signature, tbs)):
            judged = {"algorithm": algorithm, "folder": tmp_path}
            assert verifies(signer.public_key(), *signed, **judged)
            assert not verifies(signer.public_key(), signed[0], signed[1] + b"!", **judged)
        return
    ca = tmp_path / "ca.pem"
    ca.write_text(to_pem(der, "CERTIFICATE"))
    when = ("-attime", str(int(NOT_BEFORE.timestamp()) + 60))
    strict = ("verify", "-x509_strict", "-check_ss_sig", *when, "-CAfile", str(ca))
    assert "OK" in openssl(*strict, data=ca.read_bytes())
    judge = ("crl", "-inform", "DER", "-noout", "-CAfile", str(ca))
    assert "verify OK" in openssl(*judge, data=crl_der)
    changed = crl_der[:-1] + bytes((crl_der[-1] ^ 1,))
    assert "verify OK" not in openssl(*judge, data=changed)


def test_a_crl_of_100000_entries_is_signed_and_verified_by_openssl(
    kms: AwsServer, tmp_path: Path
) -> None:
    with closing(opened(kms.uri(kms.create_key("ECC_NIST_P256")))) as signer:
        der = certificate(signer, "ecdsa-sha256")
        tbs = crl_tbs(der, "ecdsa-sha256", MANY)
        assert len(tbs) > 4_000_000  # KMS takes 4,096 bytes
        crl_der = assemble(tbs, "ecdsa-sha256", signer.sign(tbs, "ecdsa-sha256").value)
    ca = tmp_path / "ca.pem"
    ca.write_text(to_pem(der, "CERTIFICATE"))
    judge = ("crl", "-inform", "DER", "-noout", "-CAfile", str(ca))
    assert "verify OK" in openssl(*judge, data=crl_der)
    assert len(x509.load_der_x509_crl(crl_der)) == MANY


def test_an_ed25519_key_signs_no_large_crl_and_says_what_would(kms: AwsServer) -> None:
    with closing(opened(kms.uri(kms.create_key("ECC_NIST_EDWARDS25519")))) as signer:
        der = certificate(signer, "ed25519")
        tbs = crl_tbs(der, "ed25519", 200)
        kms.clear_log()
        with pytest.raises(UsageError) as caught:
            signer.sign(tbs, "ed25519")
    assert f"{len(tbs)} bytes" in caught.value.message
    assert "4096" in caught.value.message
    assert "P-256" in caught.value.remedy
    assert kms.signs() == kms.failures() == []
