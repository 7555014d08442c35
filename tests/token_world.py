"""A SoftHSM of the tests' own: real tokens in a temporary folder, a real module, real sessions.

A module is initialised once in a process and looks for tokens and configuration then. So there is
one folder of tokens for all tests of a process, and TOKENS lists them all; a test that spoils one
has it for itself.
"""

from __future__ import annotations

import atexit
import functools
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from components import program, require, softhsm_module

PIN = "4711-correct-horse"
SO_PIN = "security-officer"
TOKENS = (
    *("contract", "keys", "refusals", "others", "reconcile", "command", "doctor", "mixed"),
    *("wrong pin", "wrong file", "spared", "locked", "last try", "twin", "twin", "secrets"),
)
# A PIN that no other token and no other process has: who tells it had it from that token's test.
PINS = {"secrets": secrets.token_hex(20)}
# CK_TOKEN_INFO.flags (PKCS #11 section 3.2), set in the token's file: SoftHSM itself locks none.
SPOILED = {"locked": 0x40000, "last try": 0x20000}
_USUAL_FLAGS = 0x42D

_MAKE_PAIR = """
import sys, pkcs11
from pkcs11 import Attribute, KeyType
module, label, pin, name, identifier, *attributes = sys.argv[1:]
token = pkcs11.lib(module).get_token(token_label=label)
private = {Attribute[each.split("=")[0]]: each.endswith("=1") for each in attributes}
with token.open(rw=True, user_pin=pin) as session:
    curve = pkcs11.util.ec.encode_named_curve_parameters("secp256r1")
    domain = session.create_domain_parameters(KeyType.EC, {Attribute.EC_PARAMS: curve}, local=True)
    public, _ = domain.generate_keypair(
        store=True, label=name, id=bytes.fromhex(identifier), private_template=private)
    if name.startswith("lonely"):
        public.destroy()
"""


@dataclass(frozen=True)
class Token:
    """An initialised token and the file that holds its PIN."""

    label: str
    folder: Path

    @property
    def pin(self) -> str:
        return PINS.get(self.label, PIN)

    @property
    def pin_file(self) -> Path:
        return self.folder / "pin"

    def uri(self, name: str, query: str | None = None) -> str:
        """Return the URI of a key by its label, with the PIN's file unless `query` says other."""
        after = f"module-name=softhsm2&pin-source=file:{self.pin_file}" if query is None else query
        return f"pkcs11:token={self.label.replace(' ', '%20')};object={name}?{after}"

    def make_pair(self, name: str, identifier: str, *attributes: str) -> None:
        """Make a P-256 key, by python-pkcs11 in another process; attributes are like SIGN=0."""
        arguments = (str(softhsm_module()), self.label, self.pin, name, identifier, *attributes)
        subprocess.run([sys.executable, "-c", _MAKE_PAIR, *arguments], check=True)


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
    (folder / "pin").write_text(f"{PIN}\n")
    (folder / "pin").chmod(0o600)
    for label in TOKENS:
        _initialise(folder / "tokens", label)
    return folder


def token(label: str) -> Token:
    """Return a token of TOKENS."""
    assert label in TOKENS
    return Token(label, softhsm_folder())


def _initialise(tokens: Path, label: str) -> None:
    before = set(tokens.iterdir())
    pin = PINS.get(label, PIN)
    softhsm("--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", SO_PIN)
    if label in SPOILED:
        (made,) = set(tokens.iterdir()) - before
        file = made / "token.object"
        usual = _USUAL_FLAGS.to_bytes(8, "big")
        content = file.read_bytes()
        assert content.count(usual) == 1
        file.write_bytes(content.replace(usual, (_USUAL_FLAGS | SPOILED[label]).to_bytes(8, "big")))


def softhsm(*arguments: str) -> str:
    """Run softhsm2-util on this process's tokens and return what it says."""
    done = subprocess.run(
        [program("softhsm2-util"), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
