"""A token: found by what a URI says of it, and logged in to once in a process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gitca.documents.pkcs11_uri import Pkcs11Uri
from gitca.errors import UsageError
from gitca.signers import KeyAbsentError, Passphrase
from gitca.signers.pkcs11_errors import PIN_REFUSED, locked, login_error, no_pin_yet, told
from gitca.signers.pkcs11_module import Module
from gitca.signers.pkcs11_pin import pin_of
from gitca.signers.pkcs11_sessions import Sessions

if TYPE_CHECKING:
    import pkcs11

_Place = tuple[Path, int]  # the module and the slot
_LOGGING_IN = threading.RLock()
_OPEN: dict[_Place, Token] = {}
_REFUSED: set[tuple[Path, bytes]] = set()  # the module, and the token's serial number


class Token:
    """A token that this process is logged in to. Signers share it; the last one logs out."""

    def __init__(
        self, module: Module, found: pkcs11.Token, sessions: Sessions, pin: str | None
    ) -> None:
        self.found = found
        self.name = name_of(found)
        self.pin = pin  # kept for keys that want it with each signature
        self._module = module
        self._sessions = sessions
        self._mechanisms: frozenset[int] | None = None
        self.users = 0

    @contextmanager
    def session(self) -> Iterator[pkcs11.Session]:
        """Give a session to this thread alone. Raises: pkcs11.PKCS11Error."""
        with self._sessions.session() as session:
            yield session

    @contextmanager
    def writing_session(self) -> Iterator[pkcs11.Session]:
        """Give a session that may make objects. Raises: pkcs11.PKCS11Error."""
        with self._sessions.session():  # the module's turn, where it takes one call at a time
            session = self.found.open(rw=True)
            try:
                yield session
            finally:
                session.close()

    def mechanisms(self) -> frozenset[int]:
        """Return the numbers of what the token does. Raises: pkcs11.PKCS11Error."""
        if self._mechanisms is None:
            with self._sessions.session():
                self._mechanisms = frozenset(map(int, self.found.slot.get_mechanisms()))
        return self._mechanisms

    def release(self) -> None:
        """Log out when nobody else uses the token."""
        with _LOGGING_IN:
            self.users -= 1
            if self.users == 0:
                _OPEN.pop(_place(self._module, self.found), None)
                self._sessions.close()


def name_of(token: pkcs11.Token) -> str:
    """Return what messages call a token."""
    serial = token.serial.decode("ascii", "replace").strip("\0 ")
    return f"token {token.label!r} (serial {serial or 'none'})"


def open_token(module: Module, uri: Pkcs11Uri, *, where: str, base: Path, pin: Passphrase) -> Token:
    """Return the token of a URI, logged in; `where` begins the sentence of what goes wrong.

    The PIN is asked for once: a token that refused one is not tried again by this process, and one
    that has a single try left is not tried at all.
    Raises: KeyAbsentError when no such token is here; UsageError for a wrong PIN, a locked or
    unfinished token, and two tokens that the URI does not tell apart; BackendUnavailableError.
    """
    with _LOGGING_IN, told(where):
        found = _find(module, uri, where)
        place = _place(module, found)
        if place not in _OPEN:
            secret = _pin(module, found, uri, base=base, pin=pin)
            _OPEN[place] = _log_in(module, found, secret)
        _OPEN[place].users += 1
        return _OPEN[place]


def _place(module: Module, found: pkcs11.Token) -> _Place:
    return module.path, found.slot.slot_id


def _find(module: Module, uri: Pkcs11Uri, where: str) -> pkcs11.Token:
    found = [token for token in _tokens(module) if _matches(token, uri)]
    if len(found) > 1:
        raise UsageError(
            f"{where}: {len(found)} tokens are as the URI says: {', '.join(map(name_of, found))}",
            remedy="add serial= to the URI",
        )
    if not found:
        seen = ", ".join(name_of(token) for token in _tokens(module) if token.label)
        raise KeyAbsentError(
            f"{where}: the token is out of reach; module {module.path} has {seen or 'none'}",
            remedy="run where the token is, or connect it",
        )
    return found[0]


def _tokens(module: Module) -> Iterator[pkcs11.Token]:
    from pkcs11 import TokenNotPresent, TokenNotRecognised

    for slot in module.library.get_slots(token_present=True):
        try:
            yield slot.get_token()
        except (TokenNotPresent, TokenNotRecognised):
            continue


def _matches(token: pkcs11.Token, uri: Pkcs11Uri) -> bool:
    serial = token.serial.decode("utf-8", "replace").strip("\0 ")
    pairs = (
        (uri.token, token.label),
        (uri.serial, serial),
        (uri.manufacturer, token.manufacturer_id),
        (uri.model, token.model),
        (uri.slot_id, token.slot.slot_id),
    )
    return all(wanted is None or wanted == seen for wanted, seen in pairs)


def _pin(
    module: Module, found: pkcs11.Token, uri: Pkcs11Uri, *, base: Path, pin: Passphrase
) -> str | None:
    """Return the PIN, or None where the token asks for none or has a pad of its own."""
    from pkcs11 import TokenFlag

    flags, name = found.flags, name_of(found)
    if not flags & TokenFlag.TOKEN_INITIALIZED:
        raise UsageError(f"{name} is not initialised", remedy="initialise it with its own tool")
    if not flags & TokenFlag.LOGIN_REQUIRED:
        return None
    if flags & TokenFlag.USER_PIN_LOCKED:
        raise locked(name)
    if not flags & TokenFlag.USER_PIN_INITIALIZED:
        raise no_pin_yet(name)
    if (module.path, found.serial) in _REFUSED:
        raise UsageError(
            f"{name} refused the PIN before; gitca tries once in a run",
            remedy="check the PIN and where it comes from, then run again",
        )
    if flags & TokenFlag.USER_PIN_FINAL_TRY:
        raise UsageError(
            f"{name} has one try left before it locks, and gitca leaves it to you",
            remedy="log in to it with its own tool, which gives the tries back",
        )
    if flags & TokenFlag.PROTECTED_AUTHENTICATION_PATH:
        return None
    return pin_of(uri, name, base=base, pin=pin)


def _log_in(module: Module, found: pkcs11.Token, pin: str | None) -> Token:
    from pkcs11 import PROTECTED_AUTH, PKCS11Error, TokenFlag

    pad = found.flags & TokenFlag.PROTECTED_AUTHENTICATION_PATH
    needed = found.flags & TokenFlag.LOGIN_REQUIRED
    try:
        first = found.open(user_pin=pin if pin or not (pad and needed) else PROTECTED_AUTH)
    except PKCS11Error as error:
        if type(error).__name__ in PIN_REFUSED:
            _REFUSED.add((module.path, found.serial))
        raise login_error(error, name_of(found)) from error
    return Token(module, found, Sessions(first, found.open, module.lock), pin)
