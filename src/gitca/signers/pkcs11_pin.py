"""The PIN of a token, when the URI names its file (`pin-source`) or the user gives it.

A document's `pin-source` makes gitca read a file and hand it to a token. That is bounded: the
module that gets it is one that the machine lists, the file is one that only this user can read,
outside of the CA repository, and holds one short line; and it is sent once in a run, however many
keys ask.
"""

from __future__ import annotations

import os
from pathlib import Path

from gitca.documents.pkcs11_uri import Pkcs11Uri
from gitca.errors import UsageError
from gitca.signers import Passphrase
from gitca.signers.secret_file import read_secret_file

LONGEST = 255  # octets; tokens have room for far fewer


def pin_of(uri: Pkcs11Uri, token: str, *, base: Path, pin: Passphrase) -> str:
    """Return the PIN for a token; `pin` is asked where the URI has no pin-source.

    Raises: UsageError for a file that is refused, and for what is no PIN.
    """
    if uri.pin_source is None:
        return _checked(pin(token), f"the PIN of {token}")
    path = uri.pin_source
    name = f"pin-source {path}"
    if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(base)):
        raise UsageError(
            f"{name} lies in the CA repository, which is no place for a PIN",
            remedy="move it elsewhere on this machine",
        )
    try:
        data = read_secret_file(Path(path), limit=LONGEST + 2, name=name)
    except OSError as error:
        raise UsageError(
            f"{name} cannot be read: {os.strerror(error.errno or 0)}",
            remedy="put the PIN there with mode 0600, or remove pin-source and be asked",
        ) from error
    return _checked(data[:-2] if data.endswith(b"\r\n") else data.removesuffix(b"\n"), name)


def _checked(pin: bytes, name: str) -> str:
    try:
        text = pin.decode()
    except UnicodeDecodeError:
        text = ""
    # The error has no cause: a UnicodeDecodeError holds the bytes.
    if not text or len(pin) > LONGEST or not text.isprintable():
        raise UsageError(
            f"{name} is no PIN; allowed is one line of 1 to {LONGEST} octets of UTF-8 without"
            " control characters",
            remedy="name the file, or set the variable, that holds the PIN and nothing else",
        )
    return text
