"""What the `file:` signer writes, and that other programs read it."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from key_file_cases import (
    KEY_PATH,
    SECRET,
    URI,
    make,
    names,
    never,
    openssl,
    passphrase,
    place,
    taken_apart,
)

from components import require
from gitca.errors import BackendUnavailableError, UsageError
from gitca.signers import create_key, open_signer
from gitca.signers.file import _GENERATE
from gitca.signers.pkcs8 import encrypt_pkcs8
from gitca.x509.keys import KEY_SPECS

# OpenSSL 3.0 names these; the ML-DSA keys of later releases are read as ASN.1.
KNOWN_TO_OPENSSL = [spec for spec in KEY_SPECS if not spec.startswith("ML-DSA")]


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
    salts, ivs, _ = zip(*(taken_apart(encrypt_pkcs8(b"", SECRET)) for _ in range(3)), strict=True)
    assert len(set(salts)) == len(set(ivs)) == 3
    assert {len(octets) for octets in salts + ivs} == {16}


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 31, 32, 33])
def test_openssl_decrypts_contents_of_every_length(tmp_path: Path, size: int) -> None:
    content = bytes(range(size))
    salt, iv, encrypted_content = taken_apart(encrypt_pkcs8(content, SECRET))
    key = hashlib.pbkdf2_hmac("sha256", SECRET, salt, 600_000)
    command = ("enc", "-d", "-aes-256-cbc", "-K", key.hex(), "-iv", iv.hex())
    assert openssl(*command, stdin=encrypted_content) == content


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


def test_no_one_else_can_open_the_file_before_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []
    change = os.fchmod

    def fchmod(descriptor: int, mode: int) -> None:
        modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        change(descriptor, mode)

    monkeypatch.setattr(os, "fchmod", fchmod)
    old = os.umask(0)
    try:
        make(tmp_path)
    finally:
        os.umask(old)
    assert modes == [0o600]


def test_the_whole_key_and_then_its_name_are_made_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, int, bool]] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        status = os.fstat(descriptor)
        kind = "file" if stat.S_ISREG(status.st_mode) else "folder"
        synced.append((kind, status.st_size, (tmp_path / KEY_PATH).exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    make(tmp_path)
    size = (tmp_path / KEY_PATH).stat().st_size
    folders = [kind for kind, _, _ in synced[:2]]
    assert folders == ["folder", "folder"]  # those that hold .gitca and .gitca/keys
    assert synced[2] == ("file", size, False)
    assert [(kind, named) for kind, _, named in synced[3:]] == [("folder", True)]


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
