"""The outer wall: every exception becomes one line and an exit code, and none a traceback (I9)."""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from gitca.cli.output import complain, write_line
from gitca.cli.streams import flushed, is_unread, open_missing, tolerate_any_text
from gitca.errors import BackendUnavailableError, GitcaError

INTERRUPTED = 130  # 128 + SIGINT, as shells report it
UNREAD = 141  # 128 + SIGPIPE, as shells report it: who reads the output went away
UNFORESEEN = 70  # EX_SOFTWARE of sysexits.h: a defect in gitca, never the answer to a question


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; what it raised is told on standard error."""
    open_missing()
    tolerate_any_text()
    streams = sys.stdout, sys.stderr
    try:
        code = _answer(arguments)
    finally:
        sys.stdout, sys.stderr = streams  # typer wraps them once a pipe is broken
    return _finished(code)


def _answer(arguments: Sequence[str]) -> int:
    try:
        code = _invoke(arguments)
    except GitcaError as error:
        complain(str(error))
        return error.exit_code
    except OSError as error:
        if error.errno == errno.EPIPE and is_unread():
            return UNREAD
        return _report_refusal(error)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last wall before the user; nothing is swallowed
        return _report_unforeseen(error, show_traceback=_is_verbose(arguments))
    if code == INTERRUPTED:
        complain(
            "interrupted; what a pushed commit holds is kept, and the next run goes on from it"
        )
    return code


def _invoke(arguments: Sequence[str]) -> int:
    from gitca.cli.app import app

    try:
        app(args=list(arguments), prog_name="gitca")
    except SystemExit as stop:
        cause = stop.__context__
        if isinstance(cause, OSError) and cause.errno == errno.EPIPE:
            raise cause from None  # typer makes exit code 1 of it, which stands for findings
        return stop.code if isinstance(stop.code, int) else 0
    return 0


def _finished(code: int) -> int:
    """Write what is buffered; return the exit code that is then the process's."""
    failure = flushed(sys.stdout)
    unread = isinstance(failure, BrokenPipeError)
    if failure is not None and not unread:
        refused = _report_refusal(failure)
        code = code or refused
    unread |= isinstance(flushed(sys.stderr), BrokenPipeError)
    # Findings that nobody read are findings.
    return code or (UNREAD if unread else 0)


def _report_refusal(error: OSError) -> int:
    place = f": {error.filename}" if error.filename else ""
    complain(f"the operating system refuses: {error.strerror or error}{place}; mend that")
    return BackendUnavailableError.exit_code


def _is_verbose(arguments: Sequence[str]) -> bool:
    return "--verbose" in arguments or "-v" in arguments


def _report_unforeseen(error: Exception, *, show_traceback: bool) -> int:
    if show_traceback:
        for line in "".join(traceback.format_exception(error)).splitlines():
            write_line(line, stream=sys.stderr)
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    remedy = "" if show_traceback else "; `gitca --verbose …` shows where it happened"
    complain(
        f"this is a defect in gitca: {type(error).__name__} at {where}: "
        f"{_first_line(str(error))}{remedy}"
    )
    return UNFORESEEN


def _first_line(text: str) -> str:
    return text.splitlines()[0][:500] if text else "no further words"
