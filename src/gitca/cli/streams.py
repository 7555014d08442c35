"""The streams that the process was given: some may be closed, and a reader may go away."""

from __future__ import annotations

import contextlib
import io
import os
import select
import sys
from typing import TextIO

_MODES = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def open_missing() -> None:
    """Give each standard stream that was closed from the start (`>&-`) the null device.

    Its number would go to the next file that is opened otherwise, and whatever a library writes to
    standard error with it into that file.
    """
    missing = [number for number, (name, _) in enumerate(_MODES) if getattr(sys, name) is None]
    if not missing:
        return
    null = os.open(os.devnull, os.O_RDWR)
    for number in missing:
        name, mode = _MODES[number]
        if null == number:
            os.set_inheritable(null, True)
        else:
            os.dup2(null, number)
        stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - the process's
        setattr(sys, name, stream)
    if null not in missing:
        os.close(null)


def tolerate_any_text() -> None:
    """Let a terminal of another encoding not turn a name in a document into a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with contextlib.suppress(OSError):  # of what is buffered, and told when it is flushed
                stream.reconfigure(errors="backslashreplace")


def is_unread() -> bool:
    """Whether the reader of standard output or standard error has gone away."""
    poll, gone = select.poll(), select.POLLERR | select.POLLHUP
    for stream in (sys.stdout, sys.stderr):
        number = _number(stream)
        if number is not None:
            poll.register(number, 0)
    return any(event & gone for _, event in poll.poll(0))


def flushed(stream: TextIO) -> OSError | None:
    """Write what is buffered; return what forbids it, after which nothing is written any more."""
    try:
        stream.flush()
    except OSError as error:
        _silence(stream)
        return error
    return None


def _silence(stream: TextIO) -> None:
    # What is still buffered is written when the process ends, and would fail there once more.
    number = _number(stream)
    if number is not None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, number)
        os.close(null)


def _number(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None  # a stream of this process alone
