"""The passphrases of keys: taken out of the environment at once, or asked for on a terminal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from gitca.errors import UsageError

if TYPE_CHECKING:
    from gitca.signers import Passphrase


def passphrase_of_user(*, confirm: bool = False) -> Passphrase:
    """The function that signers ask; with `confirm`, for a new key, a prompt asks twice.

    The variable leaves this process's environment, so that no program started from here (Git, a
    credential helper) is handed it.
    """
    from gitca.signers.passphrase import FILE_VARIABLE, VARIABLE, passphrase_source

    environ = {name: os.environ[name] for name in (VARIABLE, FILE_VARIABLE) if name in os.environ}
    os.environ.pop(VARIABLE, None)
    has_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    return passphrase_source(environ, _Prompt(confirm=confirm) if has_terminal else None)


class _Prompt:
    """Asks on the terminal, once for each purpose."""

    def __init__(self, *, confirm: bool) -> None:
        self._confirm = confirm
        self._answers: dict[str, bytes] = {}

    def __call__(self, purpose: str) -> bytes:
        if purpose not in self._answers:
            self._answers[purpose] = self._ask(purpose)
        return self._answers[purpose]

    def _ask(self, purpose: str) -> bytes:
        import getpass

        answer = getpass.getpass(f"Passphrase for {purpose}: ", stream=sys.stderr)
        if self._confirm and answer != getpass.getpass("The same again: ", stream=sys.stderr):
            raise UsageError("the two passphrases differ", remedy="run again")
        return answer.encode(errors="surrogateescape")
