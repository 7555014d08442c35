"""What `gitca doctor` says of this machine: its programs and its clock."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from datetime import datetime, timedelta

from gitca.cli.doctor_check import Check, Outcome
from gitca.cli.times import distance, format_time
from gitca.ledger.state import LedgerState

_SKEW = timedelta(minutes=1)  # what two clocks that are set by NTP never differ by
_SET_IT = "set this machine's clock (timedatectl set-ntp true), or find whose clock was wrong"


def program_checks() -> Iterator[Check]:
    """Say which Python and Git are run. Raises: UsageError for a Git that is missing or too old."""
    from gitca.git.repository import git_version

    # The package's own requires-python has refused an older one.
    yield Check("Python", Outcome.OK, f"{platform.python_version()} (3.11 or newer is needed)")
    yield Check("Git", Outcome.OK, f"{git_version()} (2.39 or newer is needed)")


def clock_check(now: datetime, committed: datetime | None, state: LedgerState | None) -> Check:
    """Hold this machine's clock against what others have dated: none of it is from the future.

    `committed` is the date of the newest commit that is known. A clock that is ahead of all others
    is not found out by this.
    """
    recorded = _newest_record(state) if state else None
    seen = format_time(now)
    if recorded is not None and recorded > now + _SKEW:
        what = f"the ledger has an order of {format_time(recorded)}, {distance(recorded, now)}"
        return Check("clock", Outcome.FAILED, f"{seen}; {what}", _SET_IT)
    if committed is not None and committed > now + _SKEW:
        what = f"the newest commit is of {format_time(committed)}, {distance(committed, now)}"
        return Check("clock", Outcome.WARNING, f"{seen}; {what}", _SET_IT)
    dates = [date for date in (recorded, committed) if date is not None]
    if not dates:
        return Check("clock", Outcome.NOTE, f"{seen}; there is nothing yet to compare it with")
    last = distance(max(dates), now) if max(dates) < now else "just now"
    return Check("clock", Outcome.OK, f"{seen}; the newest date of others: {last}")


def _newest_record(state: LedgerState) -> datetime | None:
    from gitca.ledger.draft import recorded_at

    # What was given up unsigned may have been dated ahead: that is mended.
    records = (item for item in state.orders.values() if item.abandoned is None or item.spent)
    return max((recorded_at(record.ordered) for record in records), default=None)
