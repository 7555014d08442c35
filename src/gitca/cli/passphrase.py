"""Passphrases of keys and PINs of tokens: taken out of the environment at once, or asked for."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from gitca.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gitca.signers import Passphrase, Signer


def passphrase_of_user(*, confirm: bool = False) -> Passphrase:
    """The function that signers ask; with `confirm`, for a new key, a prompt asks twice.

    The variable leaves this process's environment, so that no program started from here (Git, a
    credential helper) is handed it.
    """
    from gitca.signers.passphrase import FILE_VARIABLE, VARIABLE, passphrase_source

    prompt = _Prompt("Passphrase", confirm=confirm)
    return passphrase_source(_taken(VARIABLE, FILE_VARIABLE), prompt if _has_terminal() else None)


def pin_of_user() -> Passphrase:
    """The function that signers ask for the PIN of a token; its variable leaves likewise."""
    from gitca.signers.passphrase import PIN_FILE_VARIABLE, PIN_VARIABLE, pin_source

    prompt = _Prompt("PIN", confirm=False)
    return pin_source(_taken(PIN_VARIABLE, PIN_FILE_VARIABLE), prompt if _has_terminal() else None)


def signer_opener(root: Path) -> Callable[[str], Signer]:
    """What opens the signer of a URI for the repository at `root`, asking the user when it must."""
    from functools import partial

    from gitca.signers import open_signer

    return partial(open_signer, base=root, passphrase=passphrase_of_user(), pin=pin_of_user())


def _taken(variable: str, file_variable: str) -> dict[str, str]:
    """Return both variables, and take the one that holds the secret out of the environment."""
    names = (variable, file_variable)
    environ = {name: os.environ[name] for name in names if name in os.environ}
    os.environ.pop(variable, None)
    return environ


def _has_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


class _Prompt:
    """Asks on the terminal, once for each purpose."""

    def __init__(self, noun: str, *, confirm: bool) -> None:
        self._noun = noun
        self._confirm = confirm
        self._answers: dict[str, bytes] = {}

    def __call__(self, purpose: str) -> bytes:
        if purpose not in self._answers:
            self._answers[purpose] = self._ask(purpose)
        return self._answers[purpose]

    def _ask(self, purpose: str) -> bytes:
        import getpass

        answer = getpass.getpass(f"{self._noun} for {purpose}: ", stream=sys.stderr)
        if self._confirm and answer != getpass.getpass("The same again: ", stream=sys.stderr):
            raise UsageError("the two passphrases differ", remedy="run again")
        return answer.encode(errors="surrogateescape")
