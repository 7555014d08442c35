"""A SoftHSM of the tests' own: real tokens in a temporary folder, a real module, real sessions.

A module is initialised once in a process and reads its configuration then, so that there is one
folder of tokens for all tests of a process. Each test file makes the tokens that it needs.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from components import program, require, softhsm_module

PIN = "4711-correct-horse"
SO_PIN = "security-officer"


@dataclass(frozen=True)
class TestToken:
    """An initialised token and the file that holds its PIN."""

    __test__ = False  # no class of tests, whatever pytest takes its name for

    label: str
    pin_file: Path
    module: Path

    def uri(self, name: str, *, query: str | None = None) -> str:
        """Return the URI of a key by its label, with the PIN's file unless `query` says other."""
        after = f"module-name=softhsm2&pin-source=file:{self.pin_file}" if query is None else query
        return f"pkcs11:token={self.label};object={name}" + (f"?{after}" if after else "")


@functools.cache
def softhsm_folder() -> Path:
    """Return the folder of this process's SoftHSM, and aim the environment at it."""
    require("softhsm")
    folder = Path(tempfile.mkdtemp(prefix="gitca-softhsm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n"
        "log.level = ERROR\nslots.removable = false\n"
    )
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    os.environ["GITCA_PKCS11_MODULES"] = str(softhsm_module())
    return folder


@functools.cache
def token(label: str, pin: str = PIN) -> TestToken:
    """Return a token of a label, made when it is first asked for."""
    folder = softhsm_folder()
    softhsm("--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", SO_PIN)
    pin_file = folder / f"{label}.pin"
    pin_file.write_text(f"{pin}\n")
    pin_file.chmod(0o600)
    return TestToken(label, pin_file, softhsm_module())


def softhsm(*arguments: str) -> str:
    """Run softhsm2-util on this process's tokens and return what it says."""
    softhsm_folder()
    done = subprocess.run(
        [program("softhsm2-util"), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
