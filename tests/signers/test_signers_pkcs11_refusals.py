from __future__ import annotations

import os
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from components import softhsm_module
from gitca.errors import BackendUnavailableError, GitcaError, UsageError
from gitca.signers import (
    KeyAbsentError,
    KeyOptions,
    KeyUnsuitableError,
    create_key,
    open_signer,
    preview_key,
)
from token_world import PIN, Token, softhsm_folder, token

HERE = "module-name=softhsm2"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    softhsm_folder()
    return monkeypatch


@pytest.fixture(scope="session")
def refusals() -> Token:
    """A token that has the key `key`."""
    made = token("refusals")
    create_key(made.uri("key"), "P-256", base=Path("/nowhere"), passphrase=never)
    return made


def never(purpose: str) -> bytes:
    raise AssertionError(f"asked for a secret for {purpose}")


class Asked:
    """A user who is asked for a PIN; counts how often."""

    def __init__(self, pin: str) -> None:
        self._pin = pin
        self.purposes: list[str] = []

    def __call__(self, purpose: str) -> bytes:
        self.purposes.append(purpose)
        return self._pin.encode()


def refused(uri: str, error: type[GitcaError], *, base: Path, pin=never) -> str:
    with pytest.raises(error) as caught:
        open_signer(uri, base=base, passphrase=never, pin=pin)
    assert type(caught.value) is error
    assert caught.value.remedy
    assert PIN not in str(caught.value)
    return str(caught.value)


# The module.


def test_a_module_that_the_environment_does_not_list_is_not_loaded(
    refusals, environment, tmp_path
) -> None:
    uri = refusals.uri("key", f"module-path={softhsm_module()}")
    environment.setenv("GITCA_PKCS11_MODULES", "/usr/lib/other.so")
    message = refused(uri, KeyAbsentError, base=tmp_path)
    assert "not listed in GITCA_PKCS11_MODULES" in message
    environment.delenv("GITCA_PKCS11_MODULES")
    assert "not listed" in refused(uri, KeyAbsentError, base=tmp_path)


@pytest.mark.parametrize("query", ["", "module-name=opensc", HERE])
def test_a_machine_that_lists_no_such_module_does_not_have_the_key(
    refusals, environment, tmp_path, query
) -> None:
    environment.delenv("GITCA_PKCS11_MODULES")
    assert "out of reach" in refused(refusals.uri("key", query), KeyAbsentError, base=tmp_path)


def test_a_listed_module_that_is_not_installed_means_that_the_key_is_elsewhere(
    refusals, environment, tmp_path
) -> None:
    environment.setenv("GITCA_PKCS11_MODULES", "/usr/lib/nowhere/libsofthsm2.so")
    message = refused(refusals.uri("key", HERE), KeyAbsentError, base=tmp_path)
    assert "No such file" in message


def test_the_module_of_a_uri_without_one_is_the_environments(
    refusals, environment, tmp_path
) -> None:
    environment.delenv("GITCA_PKCS11_MODULES")
    environment.setenv("GITCA_PKCS11_MODULE", str(softhsm_module()))
    uri = refusals.uri("key", "")
    with closing(open_signer(uri, base=tmp_path, passphrase=never, pin=Asked(PIN))) as signer:
        assert signer.describe()["token"] == "refusals"


def test_a_relative_path_in_the_environment_is_refused(refusals, environment, tmp_path) -> None:
    environment.setenv("GITCA_PKCS11_MODULES", "libsofthsm2.so")
    message = refused(refusals.uri("key", HERE), UsageError, base=tmp_path)
    assert "relative path" in message


def planted(folder: Path) -> Path:
    folder.mkdir(parents=True)
    module = folder / "libplanted.so"
    shutil.copyfile(softhsm_module(), module)
    module.chmod(0o644)
    return module


def test_no_module_is_loaded_out_of_the_repository(refusals, environment, tmp_path) -> None:
    module = planted(tmp_path / "lib")
    environment.setenv("GITCA_PKCS11_MODULES", str(module))
    uri = refusals.uri("key", f"module-path={module}")
    assert "lies in the CA repository" in refused(uri, UsageError, base=tmp_path)
    link = tmp_path.parent / f"{tmp_path.name}-link.so"
    link.symlink_to(module)
    environment.setenv("GITCA_PKCS11_MODULES", str(link))
    assert "lies in the CA repository" in refused(
        refusals.uri("key", f"module-path={link}"), UsageError, base=tmp_path
    )


@pytest.mark.parametrize("spoil", ["file", "folder"])
def test_a_module_that_others_could_replace_is_not_loaded(
    refusals, environment, tmp_path, spoil
) -> None:
    module = planted(tmp_path / "lib")
    environment.setenv("GITCA_PKCS11_MODULES", str(module))
    (module if spoil == "file" else module.parent).chmod(0o777)
    message = refused(refusals.uri("key", "module-name=planted"), UsageError, base=tmp_path / "ca")
    assert "others could replace" in message


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_a_module_of_another_user_is_not_loaded(refusals, environment, tmp_path) -> None:
    module = planted(tmp_path / "lib")
    environment.setenv("GITCA_PKCS11_MODULES", str(module))
    os.chown(module, 65534, 65534)
    message = refused(refusals.uri("key", "module-name=planted"), UsageError, base=tmp_path / "ca")
    assert "belongs to user 65534" in message


def test_a_file_that_is_no_module_is_said_to_be_none(refusals, environment, tmp_path) -> None:
    module = planted(tmp_path / "lib")
    module.write_text("no library")
    environment.setenv("GITCA_PKCS11_MODULES", str(module))
    uri = refusals.uri("key", "module-name=planted")
    assert "cannot be loaded" in refused(uri, BackendUnavailableError, base=tmp_path / "ca")


# The token and its PIN.


def test_a_token_that_is_not_here_is_out_of_reach_and_no_pin_is_asked_for(tmp_path) -> None:
    softhsm_folder()
    message = refused(f"pkcs11:token=away;object=key?{HERE}", KeyAbsentError, base=tmp_path)
    assert "token is out of reach" in message
    assert "token 'refusals'" in message


@pytest.mark.parametrize("part", ["serial=0", "model=other", "manufacturer=other", "slot-id=99"])
def test_each_attribute_of_the_token_must_be_the_tokens(refusals, tmp_path, part) -> None:
    uri = f"pkcs11:token=refusals;{part};object=key?{HERE}"
    assert "token is out of reach" in refused(uri, KeyAbsentError, base=tmp_path)


def test_two_tokens_of_one_label_are_told_apart_by_their_serial(tmp_path) -> None:
    message = refused(token("twin").uri("key"), UsageError, base=tmp_path)
    assert "2 tokens" in message
    serial = message.split("(serial ")[1].split(")")[0]
    uri = token("twin").uri("key").replace(";object", f";serial={serial};object")
    assert "no private key" in refused(uri, KeyAbsentError, base=tmp_path)


def test_a_wrong_pin_is_tried_once_in_a_run(tmp_path) -> None:
    uri, asked = token("wrong pin").uri("key", HERE), Asked("1111")
    message = refused(uri, UsageError, base=tmp_path, pin=asked)
    assert "refuses the PIN" in message
    assert "1111" not in message
    assert "tries once" in refused(uri, UsageError, base=tmp_path, pin=asked)
    assert "tries once" in refused(token("wrong pin").uri("other"), UsageError, base=tmp_path)
    assert len(asked.purposes) == 1
    assert "token 'wrong pin'" in asked.purposes[0]


def test_the_pin_is_asked_for_once_for_all_keys_of_a_token(refusals, tmp_path) -> None:
    asked = Asked(PIN)
    create_key(refusals.uri("second", HERE), "P-256", base=tmp_path, passphrase=never, pin=asked)
    asked.purposes.clear()
    opened = [
        open_signer(refusals.uri(name, HERE), base=tmp_path, passphrase=never, pin=asked)
        for name in ("key", "second", "key")
    ]
    assert len(asked.purposes) == 1
    opened[0].close()
    opened[0].close()
    for signer in opened[1:]:
        assert signer.sign(b"x", "ecdsa-sha256").value
        signer.close()


@pytest.mark.parametrize("label", ["locked", "last try"])
def test_a_token_that_is_locked_or_about_to_be_is_not_tried(tmp_path, label) -> None:
    message = refused(token(label).uri("key"), UsageError, base=tmp_path)
    assert {"locked": "is locked", "last try": "one try left"}[label] in message


@pytest.mark.parametrize("pin", ["", "a\nb", "a\0", "\udcff", "1" * 256])
def test_what_is_no_pin_is_never_sent_to_the_token(tmp_path, pin) -> None:
    spared = token("spared")
    given = pin.encode(errors="surrogateescape")
    with pytest.raises(UsageError, match="is no PIN") as caught:
        open_signer(spared.uri("key", HERE), base=tmp_path, passphrase=never, pin=lambda _: given)
    assert caught.value.__cause__ is None
    # Had it been sent, the token would not be tried again.
    assert "no private key" in refused(spared.uri("key"), KeyAbsentError, base=tmp_path)


def place(folder: Path, content: str, mode: int = 0o600) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "pin"
    path.write_text(content)
    path.chmod(mode)
    return path


def test_the_file_of_a_pin_must_be_this_users_alone(tmp_path) -> None:
    pin = place(tmp_path / "secrets", PIN, 0o644)
    uri = token("spared").uri("key", f"{HERE}&pin-source=file:{pin}")
    assert "mode 0644" in refused(uri, UsageError, base=tmp_path / "ca")
    pin.unlink()
    assert "cannot be read" in refused(uri, UsageError, base=tmp_path / "ca")
    pin.symlink_to("/etc/hostname")
    assert "symbolic link" in refused(uri, UsageError, base=tmp_path / "ca")


def test_the_file_of_a_pin_holds_one_line_and_is_not_repeated(tmp_path) -> None:
    pin = place(tmp_path / "secrets", "[default]\naws_secret_access_key = xyzzy\n")
    uri = token("spared").uri("key", f"{HERE}&pin-source={pin}")
    message = refused(uri, UsageError, base=tmp_path / "ca")
    assert "is no PIN" in message
    assert "xyzzy" not in message


def test_no_pin_is_read_out_of_the_repository(tmp_path) -> None:
    pin = place(tmp_path / "secrets", PIN)
    uri = token("spared").uri("key", f"{HERE}&pin-source={pin}")
    assert "lies in the CA repository" in refused(uri, UsageError, base=tmp_path)


def test_without_a_pin_the_message_says_where_one_may_come_from(tmp_path) -> None:
    with pytest.raises(UsageError, match="no PIN for token 'spared'"):
        open_signer(token("spared").uri("key", HERE), base=tmp_path, passphrase=never)


def test_a_pin_in_the_uri_is_refused_and_not_repeated(tmp_path) -> None:
    message = refused(token("spared").uri("key", "pin-value=4321"), UsageError, base=tmp_path)
    assert "4321" not in message


# The key.


def test_two_keys_of_one_label_are_told_apart_by_their_id(refusals, tmp_path) -> None:
    refusals.make_pair("same", "0a")
    refusals.make_pair("same", "0b0c")
    message = refused(refusals.uri("same"), UsageError, base=tmp_path)
    assert "2 private keys" in message
    assert "%0a" in message
    assert "%0b%0c" in message
    uri = refusals.uri("same").replace("object=same", "object=same;id=%0b%0c")
    with closing(open_signer(uri, base=tmp_path, passphrase=never)) as signer:
        assert signer.describe()["id"] == "0b0c"


def test_a_key_that_may_not_sign_is_unsuitable(refusals, tmp_path) -> None:
    refusals.make_pair("mute", "0d", "SIGN=0", "DERIVE=1")
    message = refused(refusals.uri("mute"), KeyUnsuitableError, base=tmp_path)
    assert "may not sign" in message


def test_a_key_without_its_public_half_is_unsuitable(refusals, tmp_path) -> None:
    refusals.make_pair("lonely", "0e")
    message = refused(refusals.uri("lonely"), KeyUnsuitableError, base=tmp_path)
    assert "neither its public key nor its certificate" in message


def test_a_key_is_not_made_beside_one_of_its_id(refusals, tmp_path) -> None:
    refusals.make_pair("first", "0f")
    uri = refusals.uri("another").replace("object=another", "object=another;id=%0f")
    with pytest.raises(UsageError, match="exists already: the token has a key of this id"):
        create_key(uri, "P-256", base=tmp_path, passphrase=never)


def test_ml_dsa_is_refused_before_anything_is_asked(refusals) -> None:
    with pytest.raises(UsageError, match="key spec 'ML-DSA-65' is none that gitca makes"):
        preview_key(refusals.uri("pq"), "ML-DSA-65")


def test_options_of_another_backend_are_refused(refusals) -> None:
    with pytest.raises(UsageError, match="neither regions nor roles"):
        preview_key(refusals.uri("x"), "P-256", options=KeyOptions(multi_region=True))
