"""Sessions with one token: a bounded number, each in the hands of one thread at a time.

A PKCS #11 session runs one operation at a time and must not be shared while it does. Login, on the
other hand, is one for all sessions of a process (PKCS #11 v3.1 section 5.6): the first session
holds it, and closing that one logs out all.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pkcs11

MOST = 32  # as many as reconcile has threads that sign


class Sessions:
    """A pool that begins with the session that is logged in, and opens more when they are wanted.

    `open_session` opens another; where the token has no more, those that are open are shared.
    `lock`, of a module that takes one call at a time, is held by whoever has a session.
    """

    def __init__(
        self,
        first: pkcs11.Session,
        open_session: Callable[[], pkcs11.Session],
        lock: threading.Lock | None = None,
    ) -> None:
        self._first = first
        self._open = open_session
        self._idle = [first]
        self._count = 1
        self._most = 1 if lock else MOST
        self._changed = threading.Condition()
        self._module = lock or contextlib.nullcontext()

    @contextlib.contextmanager
    def session(self) -> Iterator[pkcs11.Session]:
        """Give a session to this thread alone; one that raised is not used again.

        Raises: pkcs11.PKCS11Error when not one can be opened.
        """
        session = self._take()
        try:
            with self._module:
                yield session
        except BaseException:
            self._drop(session)
            raise
        self._give(session)

    def close(self) -> None:
        """Close all sessions, which logs out."""
        from pkcs11 import PKCS11Error

        with self._changed, self._module:
            idle, self._idle = self._idle, []
            for session in [*(each for each in idle if each is not self._first), self._first]:
                with contextlib.suppress(PKCS11Error):
                    session.close()

    def _take(self) -> pkcs11.Session:
        while True:
            with self._changed:
                while not self._idle and self._count >= self._most:
                    self._changed.wait()
                if self._idle:
                    return self._idle.pop()
                self._count += 1
            session = self._opened()
            if session is not None:
                return session

    def _opened(self) -> pkcs11.Session | None:
        """Return another session, or None where the token has no more than those that are open."""
        from pkcs11 import PKCS11Error, SessionCount

        try:
            with self._module:
                return self._open()
        except PKCS11Error as error:
            with self._changed:
                self._count -= 1
                self._changed.notify()
                if not isinstance(error, SessionCount):
                    raise
                # The first session is never dropped, so that there is one to wait for.
                self._most = max(self._count, 1)
            return None

    def _give(self, session: pkcs11.Session) -> None:
        with self._changed:
            self._idle.append(session)
            self._changed.notify()

    def _drop(self, session: pkcs11.Session) -> None:
        from pkcs11 import PKCS11Error

        if session is self._first:
            # It keeps the login of all others; if the session is gone, its next use says so.
            self._give(session)
            return
        with contextlib.suppress(PKCS11Error), self._module:
            session.close()
        with self._changed:
            self._count -= 1
            self._changed.notify()
