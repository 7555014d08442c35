import subprocess
import sys
from pathlib import Path

import pytest

from gitca.errors import UsageError
from gitca.signers import create_key, open_signer


def never(_purpose: str) -> bytes:
    raise AssertionError("the passphrase was asked for")


@pytest.mark.parametrize(
    ("uri", "seen"),
    [
        ("gopher:keys/root.pem", "scheme 'gopher'"),
        ("pkcs12:token=ca;object=root?pin-value=123456", "scheme 'pkcs12'"),
        ("keys/root.pem", "no scheme"),
        ("file", "no scheme"),
        ("", "no scheme"),
        (":keys/root.pem", "no scheme"),
        ("FILE:keys/root.pem", "no scheme"),
        ("pin 123456:x", "no scheme"),
    ],
)
def test_an_unknown_scheme_names_those_that_exist(uri: str, seen: str, tmp_path: Path) -> None:
    for call in (
        lambda: open_signer(uri, base=tmp_path, passphrase=never),
        lambda: create_key(uri, "P-256", base=tmp_path, passphrase=never),
    ):
        with pytest.raises(UsageError) as caught:
            call()
        assert seen in str(caught.value)
        assert "file:" in str(caught.value)
        assert "123456" not in str(caught.value)


def test_the_table_loads_no_backend() -> None:
    code = "import gitca.signers, sys; print('cryptography' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
