"""Keys and tokens that are not as gitca makes them, and modules that fail."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pkcs11
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from signature_judges import verifies

from components import softhsm_module
from gitca.errors import BackendUnavailableError, UsageError
from gitca.signers import (
    KeyUnsuitableError,
    UnansweredError,
    Use,
    create_key,
    open_signer,
)
from gitca.signers.pkcs11_errors import told, told_of_signing
from token_world import PIN, Token, softhsm_folder, token

HERE = Path("/nowhere")

_OPEN = """
import sys, pkcs11
from pkcs11 import Attribute, CertificateType, ObjectClass
module, label, pin, name, *rest = sys.argv[1:]
token = pkcs11.lib(module).get_token(token_label=label)
with token.open(rw=True, user_pin=pin) as session:
    kinds = {Attribute.LABEL: name}
"""
_DESTROY = f"{_OPEN}    for each in list(session.get_objects(kinds)): each.destroy()\n"
_CERTIFY = f"""{_OPEN}
    public = {{**kinds, Attribute.CLASS: ObjectClass.PUBLIC_KEY}}
    for each in list(session.get_objects(public)): each.destroy()
    session.create_object({{
        Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.TOKEN: True,
        Attribute.CERTIFICATE_TYPE: CertificateType.X_509, Attribute.ID: bytes.fromhex(rest[0]),
        Attribute.SUBJECT: b"0\\0", Attribute.VALUE: bytes.fromhex(rest[1])}})
"""
_SIGN = """
import sys
from pathlib import Path
from gitca.signers import open_signer
signer = open_signer(sys.argv[1], base=Path("/nowhere"), passphrase=None)
for algorithm in sys.argv[2:]:
    print(signer.sign(b"message", algorithm).value.hex(), signer.prove(algorithm), sep="|")
"""


def never(purpose: str) -> bytes:
    raise AssertionError(f"asked for a secret for {purpose}")


@pytest.fixture(scope="session")
def others() -> Token:
    return token("others")


def elsewhere(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Run a program that shares nothing with this process but the tokens."""
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False
    )


def in_token(program: str, held: Token, *arguments: str) -> None:
    done = elsewhere(program, str(softhsm_module()), held.label, PIN, *arguments)
    assert done.returncode == 0, done.stderr


def certificate_of(spki_der: bytes) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "any")])
    builder = x509.CertificateBuilder(name, name, serialization.load_der_public_key(spki_der), 1)
    builder = builder.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
    builder = builder.not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
    made = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def test_the_public_key_may_be_in_a_certificate_of_the_same_id(others) -> None:
    others.make_pair("certified", "31")
    with closing(open_signer(others.uri("certified"), base=HERE, passphrase=never)) as signer:
        spki_der = signer.public_key()
    in_token(_CERTIFY, others, "certified", "31", certificate_of(spki_der).hex())
    with closing(open_signer(others.uri("certified"), base=HERE, passphrase=never)) as signer:
        assert signer.public_key() == spki_der


def test_two_pairs_of_one_id_are_told_apart_by_their_labels(others, tmp_path) -> None:
    others.make_pair("one", "41")
    others.make_pair("two", "41")
    for name in ("one", "two"):
        with closing(open_signer(others.uri(name), base=HERE, passphrase=never)) as signer:
            signature = signer.sign(b"x", "ecdsa-sha256").value
            judged = {"algorithm": "ecdsa-sha256", "folder": tmp_path}
            assert verifies(signer.public_key(), signature, b"x", **judged)


def test_a_key_that_was_removed_meanwhile_ends_in_words(others) -> None:
    others.make_pair("fleeting", "51")
    with closing(open_signer(others.uri("fleeting"), base=HERE, passphrase=never)) as signer:
        in_token(_DESTROY, others, "fleeting")
        with pytest.raises(BackendUnavailableError) as caught:
            signer.sign(b"x", "ecdsa-sha256")
    assert "fleeting" in caught.value.message
    assert not isinstance(caught.value, UnansweredError)


def without(*mechanisms: str) -> dict[str, str]:
    """Return the environment in which SoftHSM does not have some mechanisms."""
    usual = (softhsm_folder() / "softhsm2.conf").read_text()
    lesser = softhsm_folder() / "lesser.conf"
    # SoftHSM 2.6.1 passes over the first of the list.
    lesser.write_text(f"{usual}slots.mechanisms = -{','.join(('CKM_MD5', *mechanisms))}\n")
    return {"SOFTHSM2_CONF": str(lesser)}


def test_a_token_that_hashes_by_itself_is_given_the_message(others, tmp_path) -> None:
    uri = others.uri("hashing")
    spki_der = create_key(uri, "RSA-2048", base=HERE, passphrase=never)
    mechanisms = {
        "rsa-pkcs1-sha256": "SHA256_RSA_PKCS",
        "rsa-pkcs1-sha512": "SHA512_RSA_PKCS",
        "rsa-pss-sha256": "SHA256_RSA_PKCS_PSS",
        "rsa-pss-sha384": "SHA384_RSA_PKCS_PSS",
    }
    done = elsewhere(_SIGN, uri, *mechanisms, **without("CKM_RSA_PKCS", "CKM_RSA_PKCS_PSS"))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    for (algorithm, mechanism), line in zip(mechanisms.items(), lines, strict=True):
        signature, proof = line.split("|")
        assert proof.endswith(f"the token does CKM_{mechanism}")
        judged = {"algorithm": algorithm, "folder": tmp_path}
        assert verifies(spki_der, bytes.fromhex(signature), b"message", **judged)


@pytest.mark.parametrize(
    ("spec", "algorithm", "lacking", "said"),
    [
        ("Ed25519", "ed25519", "CKM_EDDSA", "it has no CKM_EDDSA;"),
        # SoftHSM has no ECDSA with a hash of its own.
        ("P-256", "ecdsa-sha256", "CKM_ECDSA", "it has no CKM_ECDSA and no CKM_ECDSA_SHA256;"),
    ],
)
def test_a_token_without_the_mechanism_is_said_to_be(
    others, spec, algorithm, lacking, said
) -> None:
    uri = others.uri(f"lacking-{spec}")
    create_key(uri, spec, base=HERE, passphrase=never)
    done = elsewhere(_SIGN, uri, algorithm, **without(lacking))
    assert "KeyUnsuitableError" in done.stderr
    assert "token 'others'" in done.stderr
    assert f"does not sign with {algorithm}: {said}" in done.stderr


def test_what_may_have_been_a_signature_is_told_from_what_was_none() -> None:
    with pytest.raises(UnansweredError) as caught, told_of_signing("key k", "pkcs11:id=%01"):
        raise pkcs11.DeviceError
    assert caught.value.uses == (Use("pkcs11:id=%01"),)
    with pytest.raises(KeyUnsuitableError), told_of_signing("key k", "pkcs11:id=%01"):
        raise pkcs11.MechanismInvalid
    with pytest.raises(BackendUnavailableError) as caught, told_of_signing("key k", "k"):
        raise pkcs11.UserNotLoggedIn
    assert not isinstance(caught.value, UnansweredError)


@pytest.mark.parametrize("name", [name for name in dir(pkcs11.exceptions) if name[0].isupper()])
def test_whatever_a_module_says_becomes_an_error_with_a_remedy(name) -> None:
    error = getattr(pkcs11.exceptions, name)
    if not (isinstance(error, type) and issubclass(error, pkcs11.PKCS11Error)):
        return
    with pytest.raises((BackendUnavailableError, UsageError)) as caught, told("key k"):
        raise error("4711, as the module repeats it")
    assert caught.value.remedy
    assert name in caught.value.message
    assert "4711" not in str(caught.value)


def test_without_the_extra_the_message_says_how_to_install_it(others) -> None:
    # None in sys.modules is how an import is made to fail as for a package that is not there.
    program = _SIGN.replace("import sys\n", "import sys\nsys.modules['pkcs11'] = None\n")
    done = elsewhere(program, others.uri("any"))
    assert "UsageError" in done.stderr
    assert "pip install 'gitca[pkcs11]'" in done.stderr
