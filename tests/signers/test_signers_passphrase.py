import os
from pathlib import Path

import pytest

from gitca.errors import UsageError
from gitca.signers.passphrase import LONGEST, passphrase_source

SECRET = "correct horse battery staple"


def prompt(purpose: str) -> bytes:
    return f"typed for {purpose}".encode()


def file_with(folder: Path, content: bytes, mode: int = 0o600) -> dict[str, str]:
    path = folder / "passphrase"
    path.write_bytes(content)
    path.chmod(mode)
    return {"GITCA_KEY_PASSPHRASE_FILE": str(path)}


def refused(environ: dict[str, str]) -> str:
    with pytest.raises(UsageError) as caught:
        passphrase_source(environ, prompt)("key file:k.pem")
    assert caught.value.remedy
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_the_variable_gives_the_passphrase_as_it_is() -> None:
    assert passphrase_source({"GITCA_KEY_PASSPHRASE": " x\n"}, prompt)("any") == b" x\n"


def test_bytes_that_are_no_utf8_survive_the_environment() -> None:
    value = os.fsdecode(b"\xff\xfe")
    assert passphrase_source({"GITCA_KEY_PASSPHRASE": value})("any") == b"\xff\xfe"


@pytest.mark.parametrize(
    ("content", "passphrase"),
    [
        (b"secret", b"secret"),
        (b"secret\n", b"secret"),
        (b"secret\r\n", b"secret"),
        (b"secret\n\n", b"secret\n"),
        (b"secret\r", b"secret\r"),
        (b" two words \n", b" two words "),
        (b"x" * LONGEST + b"\n", b"x" * LONGEST),
    ],
)
def test_a_file_gives_the_passphrase_less_one_line_ending(
    tmp_path: Path, content: bytes, passphrase: bytes
) -> None:
    assert passphrase_source(file_with(tmp_path, content), prompt)("any") == passphrase


def test_the_prompt_is_told_the_purpose() -> None:
    assert passphrase_source({}, prompt)("key file:k.pem") == b"typed for key file:k.pem"


def test_nothing_is_read_before_a_passphrase_is_needed() -> None:
    passphrase_source({"GITCA_KEY_PASSPHRASE": "", "GITCA_KEY_PASSPHRASE_FILE": "/nowhere"})


def test_both_variables_are_refused(tmp_path: Path) -> None:
    environ = {"GITCA_KEY_PASSPHRASE": SECRET, **file_with(tmp_path, SECRET.encode())}
    assert "both GITCA_KEY_PASSPHRASE and GITCA_KEY_PASSPHRASE_FILE" in refused(environ)


def test_no_variable_and_no_terminal_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no passphrase for key file:k\.pem.*set GITCA_KEY"):
        passphrase_source({}, None)("key file:k.pem")


def test_an_empty_passphrase_is_refused_wherever_it_comes_from(tmp_path: Path) -> None:
    assert "GITCA_KEY_PASSPHRASE is empty" in refused({"GITCA_KEY_PASSPHRASE": ""})
    assert "names is empty" in refused(file_with(tmp_path, b"\n"))
    with pytest.raises(UsageError, match="the passphrase for key is empty"):
        passphrase_source({}, lambda _purpose: b"")("key")


def test_a_passphrase_that_openssl_would_cut_off_is_refused(tmp_path: Path) -> None:
    long = "x" * (LONGEST + 1)
    assert "1024 bytes; allowed are 1 to 1023" in refused({"GITCA_KEY_PASSPHRASE": long})
    assert "allowed are 1 to 1023" in refused(file_with(tmp_path, long.encode()))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_a_file_that_others_could_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    message = refused(file_with(tmp_path, SECRET.encode(), mode))
    assert f"mode {mode:04o}" in message
    assert "chmod 600" in message


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o600)
    assert "not a regular file" in refused({"GITCA_KEY_PASSPHRASE_FILE": str(fifo)})
    assert "not a regular file" in refused({"GITCA_KEY_PASSPHRASE_FILE": str(tmp_path)})
    missing = refused({"GITCA_KEY_PASSPHRASE_FILE": str(tmp_path / "missing")})
    assert "cannot be read: No such file" in missing
    assert "_FILE is empty" in refused({"GITCA_KEY_PASSPHRASE_FILE": ""})


def test_a_passphrase_put_into_the_wrong_variable_is_not_repeated() -> None:
    refused({"GITCA_KEY_PASSPHRASE_FILE": SECRET})


def test_a_secret_mounted_as_a_symbolic_link_is_read(tmp_path: Path) -> None:
    environ = file_with(tmp_path, b"mounted")
    link = tmp_path / "link"
    link.symlink_to(environ["GITCA_KEY_PASSPHRASE_FILE"])
    assert passphrase_source({"GITCA_KEY_PASSPHRASE_FILE": str(link)})("any") == b"mounted"


def test_a_file_above_the_limit_is_not_read_whole(tmp_path: Path) -> None:
    assert "2000000 bytes" in refused(file_with(tmp_path, b"x" * 2_000_000))
