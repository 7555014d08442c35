"""The encrypted-file signer: what it writes, and every file and URI that it refuses."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import stat
import subprocess
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from components import require
from gitca.errors import BackendUnavailableError, GitcaError, UsageError
from gitca.signers import create_key, open_signer
from gitca.signers.file import _GENERATE
from gitca.signers.pkcs8 import encrypt_pkcs8
from gitca.x509 import der
from gitca.x509.keys import KEY_SPECS

SECRET = b"correct horse battery staple"
URI = "file:.gitca/keys/root.pem"
KEY_PATH = Path(".gitca/keys/root.pem")
# OpenSSL 3.0 names these; the ML-DSA keys of later releases are read as ASN.1.
KNOWN_TO_OPENSSL = [spec for spec in KEY_SPECS if not spec.startswith("ML-DSA")]


def passphrase(_purpose: str) -> bytes:
    return SECRET


def never(_purpose: str) -> bytes:
    raise AssertionError("the passphrase was asked for")


def make(base: Path, spec: str = "P-256", uri: str = URI) -> bytes:
    return create_key(uri, spec, base=base, passphrase=passphrase)


def place(base: Path, content: bytes, mode: int = 0o600) -> Path:
    path = base / KEY_PATH
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


def refused(
    base: Path,
    error: type[GitcaError] = UsageError,
    *,
    uri: str = URI,
    ask: Callable[[str], bytes] = never,
) -> str:
    """Return what is said of a key that is not opened."""
    with pytest.raises(error) as caught:
        open_signer(uri, base=base, passphrase=ask)
    assert caught.value.remedy
    assert SECRET.decode() not in str(caught.value)
    return str(caught.value)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    done = subprocess.run(
        [require("openssl"), *arguments], input=stdin, capture_output=True, check=True
    )
    return done.stdout


def encrypted(key: PrivateKeyTypes, passphrase: bytes = SECRET) -> bytes:
    der = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return encrypt_pkcs8(der, passphrase)


def test_every_key_spec_can_be_made() -> None:
    assert list(_GENERATE) == list(KEY_SPECS)


@pytest.mark.parametrize("spec", KNOWN_TO_OPENSSL)
def test_openssl_opens_the_file_and_sees_the_same_key(tmp_path: Path, spec: str) -> None:
    spki_der = make(tmp_path, spec)
    secret = f"pass:{SECRET.decode()}"
    path = str(tmp_path / KEY_PATH)
    arguments = ("-in", path, "-passin", secret, "-pubout", "-outform", "DER")
    assert openssl("pkey", *arguments) == spki_der
    openssl("pkey", "-in", path, "-passin", secret, "-check", "-noout")


@pytest.mark.parametrize("spec", list(KEY_SPECS))
def test_the_library_s_own_loader_opens_the_file(tmp_path: Path, spec: str) -> None:
    spki_der = make(tmp_path, spec)
    key = serialization.load_pem_private_key((tmp_path / KEY_PATH).read_bytes(), SECRET)
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert public == spki_der


def test_certtool_opens_the_file(tmp_path: Path) -> None:
    make(tmp_path)
    command = ["--key-info", "--infile", str(tmp_path / KEY_PATH), "--password", SECRET.decode()]
    done = subprocess.run([require("gnutls"), *command], capture_output=True, text=True, check=True)
    assert "EC/ECDSA" in done.stdout


def test_the_file_is_pbes2_with_600000_rounds_of_hmac_sha256_and_aes_256(tmp_path: Path) -> None:
    make(tmp_path)
    parsed = openssl("asn1parse", "-in", str(tmp_path / KEY_PATH)).decode()
    for expected in (":PBES2", ":PBKDF2", ":0927C0", ":hmacWithSHA256", ":aes-256-cbc"):
        assert expected in parsed
    assert int("0927C0", 16) == 600_000


def test_salt_and_iv_are_fresh_each_time() -> None:
    files = {encrypt_pkcs8(b"the same key", SECRET) for _ in range(3)}
    assert len(files) == 3


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 31, 32, 33])
def test_openssl_decrypts_contents_of_every_length(tmp_path: Path, size: int) -> None:
    content = bytes(range(size))
    armour = encrypt_pkcs8(content, SECRET).splitlines()[1:-1]
    scheme_der, encrypted_der = der.parts(base64.b64decode(b"".join(armour)))
    kdf_der, cipher_der = der.parts(der.parts(scheme_der)[1])
    salt = der.content(der.parts(der.parts(kdf_der)[1])[0], der.OCTET_STRING)
    iv = der.content(der.parts(cipher_der)[1], der.OCTET_STRING)
    key = hashlib.pbkdf2_hmac("sha256", SECRET, salt, 600_000)
    command = ("enc", "-d", "-aes-256-cbc", "-K", key.hex(), "-iv", iv.hex())
    assert openssl(*command, stdin=der.content(encrypted_der, der.OCTET_STRING)) == content


def test_the_file_is_private_from_the_first_instant_and_its_folders_too(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        make(tmp_path)
    finally:
        os.umask(old)
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in (tmp_path / ".gitca", tmp_path / ".gitca/keys", tmp_path / KEY_PATH)
    }
    assert modes == {".gitca": 0o700, "keys": 0o700, "root.pem": 0o600}
    assert names(tmp_path / ".gitca/keys") == ["root.pem"]


def test_a_strange_umask_leaves_the_owner_able_to_read(tmp_path: Path) -> None:
    (tmp_path / ".gitca/keys").mkdir(parents=True)
    old = os.umask(0o777)
    try:
        make(tmp_path)
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / KEY_PATH).stat().st_mode) == 0o600


@pytest.mark.parametrize("occupant", ["file", "folder", "dangling link"])
def test_whatever_is_at_the_path_stays(tmp_path: Path, occupant: str) -> None:
    path = place(tmp_path, b"precious")
    if occupant == "folder":
        path.unlink()
        path.mkdir()
    if occupant == "dangling link":
        path.unlink()
        path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="exists already"):
        create_key(URI, "P-256", base=tmp_path, passphrase=never)
    assert names(path.parent) == ["root.pem"]
    assert not (tmp_path / "elsewhere").exists()


def test_of_two_that_make_the_same_key_one_wins_and_one_is_told(tmp_path: Path) -> None:
    barrier = threading.Barrier(4)
    outcomes: list[bytes | str] = []

    def race() -> None:
        def ask(_purpose: str) -> bytes:
            barrier.wait(timeout=30)
            return SECRET

        try:
            outcomes.append(create_key(URI, "Ed25519", base=tmp_path, passphrase=ask))
        except UsageError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=race) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [outcome for outcome in outcomes if isinstance(outcome, bytes)]
    assert len(outcomes) == 4
    assert len(won) == 1
    with closing(open_signer(URI, base=tmp_path, passphrase=passphrase)) as signer:
        assert signer.public_key() == won[0]
    assert names(tmp_path / ".gitca/keys") == ["root.pem"]


def test_a_folder_that_cannot_be_made_is_a_backend_out_of_reach(tmp_path: Path) -> None:
    (tmp_path / ".gitca").write_text("in the way")
    with pytest.raises(BackendUnavailableError, match=r"cannot be written.*folder"):
        make(tmp_path)


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
    assert "passphrase is wrong or the file is damaged" in message
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
