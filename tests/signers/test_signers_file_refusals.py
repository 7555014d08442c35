"""Every file and URI that the `file:` signer refuses, and what it says then."""

from __future__ import annotations

import contextlib
import os
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa, x25519
from key_file_cases import (
    KEY_PATH,
    SECRET,
    URI,
    encrypted,
    make,
    names,
    never,
    openssl,
    passphrase,
    place,
    refused,
)

from gitca.errors import BackendUnavailableError, UsageError
from gitca.signers import create_key, open_signer
from gitca.signers.pkcs8 import encrypt_pkcs8
from gitca.x509 import der


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604, 0o602, 0o611])
def test_a_key_open_to_others_is_refused_before_the_passphrase_is_asked(
    tmp_path: Path, mode: int
) -> None:
    make(tmp_path)
    (tmp_path / KEY_PATH).chmod(mode)
    message = refused(tmp_path)
    assert f"mode {mode:04o}" in message
    assert "0600" in message
    assert "chmod 600" in message


def test_a_key_that_only_its_owner_may_read_is_opened(tmp_path: Path) -> None:
    spki_der = make(tmp_path)
    (tmp_path / KEY_PATH).chmod(0o400)
    with closing(open_signer(URI, base=tmp_path, passphrase=passphrase)) as signer:
        assert signer.public_key() == spki_der


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_that_belongs_to_another_user_is_refused(tmp_path: Path) -> None:
    make(tmp_path)
    os.chown(tmp_path / KEY_PATH, 12345, 12345)
    assert "belongs to user 12345" in refused(tmp_path)


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    make(tmp_path)
    real = (tmp_path / KEY_PATH).rename(tmp_path / "real.pem")
    (tmp_path / KEY_PATH).symlink_to(real)
    assert "symbolic link" in refused(tmp_path)


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    (tmp_path / KEY_PATH.parent).mkdir(parents=True)
    os.mkfifo(tmp_path / KEY_PATH, 0o600)
    assert "not a regular file" in refused(tmp_path)
    (tmp_path / KEY_PATH).unlink()
    (tmp_path / KEY_PATH).mkdir(mode=0o700)
    assert "not a regular file" in refused(tmp_path)


def test_a_file_above_64_kib_is_refused(tmp_path: Path) -> None:
    place(tmp_path, b"x" * (64 * 1024 + 1))
    assert "65537 bytes or more; allowed are 65536" in refused(tmp_path)


@pytest.mark.parametrize(
    "private_format",
    [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL],
)
def test_a_key_that_is_not_encrypted_is_refused(
    tmp_path: Path, private_format: serialization.PrivateFormat
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM, private_format, serialization.NoEncryption()
    )
    place(tmp_path, pem)
    message = refused(tmp_path)
    assert "PRIVATE KEY; allowed is one ENCRYPTED PRIVATE KEY" in message
    assert "openssl pkcs8 -topk8" in message
    assert not any(line in message for line in pem.decode().splitlines()[1:-1])


def test_the_remedy_for_a_key_that_is_not_encrypted_works(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    place(tmp_path, pem)
    command = refused(tmp_path).partition("encrypt it with openssl ")[2].partition(",")[0]
    secret = ("-passout", f"pass:{SECRET.decode()}")
    place(tmp_path, openssl(*command.split(), *secret, stdin=pem))
    open_signer(URI, base=tmp_path, passphrase=passphrase).close()


def test_openssl_s_old_encryption_is_refused(tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.BestAvailableEncryption(SECRET),
    )
    place(tmp_path, pem)
    assert "is a PEM RSA PRIVATE KEY" in refused(tmp_path)


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (b"", "is no PEM"),
        (b"\x00\xff" * 500, "is no PEM"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "PEM CERTIFICATE"),
        (b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n", "PEM RSA"),
    ],
)
def test_what_is_no_encrypted_key_is_refused(tmp_path: Path, content: bytes, seen: str) -> None:
    place(tmp_path, content)
    assert seen in refused(tmp_path)


def test_two_keys_in_a_file_are_refused(tmp_path: Path) -> None:
    place(tmp_path, encrypted(ec.generate_private_key(ec.SECP256R1())) * 2)
    assert "allowed is one ENCRYPTED PRIVATE KEY" in refused(tmp_path)


def test_a_wrong_passphrase_is_said_and_not_repeated(tmp_path: Path) -> None:
    make(tmp_path)
    message = refused(tmp_path, ask=lambda _purpose: b"wrong-but-still-secret")
    assert "wrong passphrase, a damaged file" in message
    assert "wrong-but" not in message


def test_an_empty_passphrase_is_refused_for_opening_and_making(tmp_path: Path) -> None:
    make(tmp_path)
    assert "is empty" in refused(tmp_path, ask=lambda _purpose: b"")
    with pytest.raises(UsageError, match="is empty"):
        create_key("file:new.pem", "P-256", base=tmp_path, passphrase=lambda _purpose: b"")
    assert not (tmp_path / "new.pem").exists()


@pytest.mark.parametrize("cut", [40, 100, 200, 300, -40])
def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path, cut: int) -> None:
    pem = encrypted(ec.generate_private_key(ec.SECP256R1()))
    place(tmp_path, pem[:cut])
    assert "damaged" in refused(tmp_path, ask=passphrase)


def test_every_flipped_octet_is_refused_or_opens_the_same_key(tmp_path: Path) -> None:
    spki_der = make(tmp_path)
    pem = bytearray((tmp_path / KEY_PATH).read_bytes())
    for place_of in range(len(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), len(pem) - 40, 29):
        broken = pem.copy()
        broken[place_of] ^= 1
        place(tmp_path, bytes(broken))
        with contextlib.suppress(UsageError):
            signer = open_signer(URI, base=tmp_path, passphrase=passphrase)
            assert signer.public_key() == spki_der
            signer.close()


@pytest.mark.parametrize(
    ("key", "seen"),
    [
        (lambda: rsa.generate_private_key(65537, 1024), "RSA 1024"),  # noqa: S505 - to be refused
        (lambda: rsa.generate_private_key(3, 2048), "RSA 2048"),
        (lambda: ec.generate_private_key(ec.SECP256K1()), "curve"),
        (lambda: ed448.Ed448PrivateKey.generate(), "cannot sign"),
        (lambda: x25519.X25519PrivateKey.generate(), "cannot sign"),
        (lambda: dsa.generate_private_key(2048), "cannot sign"),
    ],
    ids=["weak RSA", "RSA exponent 3", "secp256k1", "Ed448", "X25519", "DSA"],
)
def test_a_key_that_a_ca_may_not_use_is_refused(tmp_path: Path, key, seen: str) -> None:
    place(tmp_path, encrypted(key()))
    message = refused(tmp_path, ask=passphrase)
    assert seen in message
    assert "allowed are RSA-2048" in message


def test_a_key_of_a_type_that_no_one_knows_is_refused(tmp_path: Path) -> None:
    unknown = der.algorithm_identifier("1.2.3.4")
    key_der = der.sequence(der.integer(0), unknown, der.tlv(der.OCTET_STRING, b"key"))
    place(tmp_path, encrypt_pkcs8(key_der, SECRET))
    assert "of an unknown type; allowed are RSA-2048" in refused(tmp_path, ask=passphrase)


def test_an_encryption_that_no_one_knows_is_said(tmp_path: Path) -> None:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    secret = f"pass:{SECRET.decode()}"
    command = ("pkcs8", "-topk8", "-v2", "camellia-256-cbc", "-passout", secret)
    place(tmp_path, openssl(*command, stdin=pem))
    assert "an unknown encryption" in refused(tmp_path, ask=passphrase)


def test_a_key_out_of_reach_is_told_from_a_wrong_one(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path, BackendUnavailableError)
    (tmp_path / ".gitca").write_text("no folder")
    assert "Not a directory" in refused(tmp_path, BackendUnavailableError)
    long = "file:" + "x" * 300
    assert "File name too long" in refused(tmp_path, BackendUnavailableError, uri=long)


@pytest.mark.parametrize(
    "uri",
    [
        "file:",
        "file:/",
        "file:../root.pem",
        "file:keys/../../root.pem",
        "file:/etc/../root.pem",
        "file:./root.pem",
        "file:keys//root.pem",
        "file:keys/",
        "file://host/root.pem",
        "file:////root.pem",
        "file:keys/%2e%2e/root.pem",
        "file:root.pem?x=1",
        "file:root.pem#x",
        "file:keys\\root.pem",
        "file:root\n.pem",
        "file:root\x00.pem",
        "file:root\u202emep.pem",
    ],
)
def test_a_uri_that_is_no_plain_path_is_refused(tmp_path: Path, uri: str) -> None:
    message = refused(tmp_path, uri=uri)
    assert "signer URI" in message
    assert message.isprintable()
    with pytest.raises(UsageError):
        create_key(uri, "P-256", base=tmp_path, passphrase=never)


@pytest.mark.parametrize("form", ["file:{}", "file://{}"])
def test_an_absolute_path_may_lie_outside_the_repository(tmp_path: Path, form: str) -> None:
    base = tmp_path / "repository"
    base.mkdir()
    uri = form.format(tmp_path / "outside" / "the root key.pem")
    spki_der = make(base, uri=uri)
    with closing(open_signer(uri, base=base, passphrase=passphrase)) as signer:
        assert signer.public_key() == spki_der
        assert signer.sign(b"", "ecdsa-sha256").key == uri
    assert names(base) == []
