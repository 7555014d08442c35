"""Where passphrases and PINs come from: an environment variable, a file, or a prompt.

No message repeats a variable's value, not even the name of the file: whoever mixes the two
variables up would find the passphrase in the log.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gitca.errors import UsageError
from gitca.signers import Passphrase
from gitca.signers.secret_file import read_secret_file

VARIABLE = "GITCA_KEY_PASSPHRASE"
FILE_VARIABLE = "GITCA_KEY_PASSPHRASE_FILE"
PIN_VARIABLE = "GITCA_PKCS11_PIN"
PIN_FILE_VARIABLE = "GITCA_PKCS11_PIN_FILE"
LONGEST = 1023  # bytes; OpenSSL reads no more of a passphrase


@dataclass(frozen=True, slots=True)
class _Secret:
    """A kind of secret: its name, and the two variables that may give it."""

    noun: str
    variable: str
    file_variable: str


def passphrase_source(environ: Mapping[str, str], prompt: Passphrase | None = None) -> Passphrase:
    """Return a function that gives the passphrase for a purpose, reading it when it is called.

    `prompt` is asked where no variable is set; None where there is no terminal to ask on.
    The function raises: UsageError when both variables are set, the file is refused, there is
    nowhere to ask, or the passphrase is empty or above `LONGEST`.
    """
    return _source(_Secret("passphrase", VARIABLE, FILE_VARIABLE), environ, prompt)


def pin_source(environ: Mapping[str, str], prompt: Passphrase | None = None) -> Passphrase:
    """Return a function that does the same for the PIN of a token."""
    return _source(_Secret("PIN", PIN_VARIABLE, PIN_FILE_VARIABLE), environ, prompt)


def _source(secret: _Secret, environ: Mapping[str, str], prompt: Passphrase | None) -> Passphrase:
    variable, file_variable = secret.variable, secret.file_variable

    def source(purpose: str) -> bytes:
        if variable in environ and file_variable in environ:
            raise UsageError(
                f"both {variable} and {file_variable} are set; allowed is one",
                remedy="unset one of them",
            )
        if variable in environ:
            return check_passphrase(os.fsencode(environ[variable]), variable)
        if file_variable in environ:
            name = f"the file that {file_variable} names"
            return check_passphrase(_read(environ[file_variable], secret, name), name)
        if prompt is None:
            raise UsageError(
                f"no {secret.noun} for {purpose}, and no terminal to ask on",
                remedy=f"set {variable} or {file_variable}",
            )
        return check_passphrase(prompt(purpose), f"the {secret.noun} for {purpose}")

    return source


def check_passphrase(passphrase: bytes, name: str) -> bytes:
    """Return a passphrase that is neither empty nor too long. Raises: UsageError."""
    if not passphrase:
        raise UsageError(
            f"{name} is empty; allowed are 1 to {LONGEST} bytes",
            remedy="set it; in CI, check that the secret exists and is given to this job",
        )
    if len(passphrase) > LONGEST:
        raise UsageError(
            f"{name} has {len(passphrase)} bytes; allowed are 1 to {LONGEST}",
            remedy="choose a shorter one",
        )
    return passphrase


def _read(path: str, secret: _Secret, name: str) -> bytes:
    if not path:
        raise UsageError(
            f"{secret.file_variable} is empty", remedy="name a file in it, or unset it"
        )
    try:
        # Secrets that Kubernetes mounts are symbolic links; the operator chose this path.
        data = read_secret_file(Path(path), limit=LONGEST + 2, name=name, follow=True)
    except OSError as error:
        raise UsageError(
            f"{name} cannot be read: {os.strerror(error.errno or 0)}",
            remedy=f"name a file that holds the {secret.noun} and nothing else",
        ) from error
    return data[:-2] if data.endswith(b"\r\n") else data.removesuffix(b"\n")
