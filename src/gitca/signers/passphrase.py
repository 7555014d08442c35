"""Where the passphrase of a key comes from: an environment variable, a file, or a prompt.

No message repeats a variable's value, not even the name of the file: whoever mixes the two
variables up would find the passphrase in the log.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from gitca.errors import UsageError
from gitca.signers import Passphrase
from gitca.signers.secret_file import read_secret_file

VARIABLE = "GITCA_KEY_PASSPHRASE"
FILE_VARIABLE = "GITCA_KEY_PASSPHRASE_FILE"
LONGEST = 1023  # bytes; OpenSSL reads no more of a passphrase

_FILE = f"the file that {FILE_VARIABLE} names"


def passphrase_source(environ: Mapping[str, str], prompt: Passphrase | None = None) -> Passphrase:
    """Return a function that gives the passphrase for a purpose, reading it when it is called.

    `prompt` is asked where no variable is set; None where there is no terminal to ask on.
    The function raises: UsageError when both variables are set, the file is refused, there is
    nowhere to ask, or the passphrase is empty or above `LONGEST`.
    """

    def passphrase(purpose: str) -> bytes:
        if VARIABLE in environ and FILE_VARIABLE in environ:
            raise UsageError(
                f"both {VARIABLE} and {FILE_VARIABLE} are set; allowed is one",
                remedy="unset one of them",
            )
        if VARIABLE in environ:
            return check_passphrase(os.fsencode(environ[VARIABLE]), VARIABLE)
        if FILE_VARIABLE in environ:
            return check_passphrase(_read(environ[FILE_VARIABLE]), _FILE)
        if prompt is None:
            raise UsageError(
                f"no passphrase for {purpose}, and no terminal to ask on",
                remedy=f"set {VARIABLE} or {FILE_VARIABLE}",
            )
        return check_passphrase(prompt(purpose), f"the passphrase for {purpose}")

    return passphrase


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


def _read(path: str) -> bytes:
    if not path:
        raise UsageError(f"{FILE_VARIABLE} is empty", remedy="name a file in it, or unset it")
    try:
        # Secrets that Kubernetes mounts are symbolic links; the operator chose this path.
        data = read_secret_file(Path(path), limit=LONGEST + 2, name=_FILE, follow=True)
    except OSError as error:
        raise UsageError(
            f"{_FILE} cannot be read: {os.strerror(error.errno or 0)}",
            remedy="name a file that holds the passphrase and nothing else",
        ) from error
    return data[:-2] if data.endswith(b"\r\n") else data.removesuffix(b"\n")
