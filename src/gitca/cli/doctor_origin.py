"""What `gitca doctor` says of origin beyond its branches: who may push, rules, and its clock."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlsplit

from gitca.cli.doctor_check import Check, Outcome
from gitca.cli.times import format_time
from gitca.documents.repository import RepositorySpec
from gitca.git.repository import GitRepository

_SECONDS = 5.0
_SKEW = timedelta(minutes=1)
_PATH = re.compile(r"(?:[\w.-]+/)+[\w.-]+", re.ASCII)
_SSH = re.compile(r"(?:[\w.-]+@)?([a-z0-9.-]+):(?!//)(.+)", re.ASCII)
_RULES = (
    "let gitca's account alone push to it past a pull request; refuse forced pushes and deletion"
)


def push_checks(
    repository: GitRepository, spec: RepositorySpec, tip: str | None
) -> Iterator[Check]:
    """Say whether this account may push to the branch of issued/, by a push that changes nothing.

    `tip` is origin's commit of that branch, or of the documents' while there is none; None where
    this clone has neither. Raises: BackendUnavailableError, RemoteRefusedError, LostRaceError.
    """
    branch = spec.issued_branch or spec.branch
    if tip is not None:
        repository.rehearse_push(tip, branch)
        seen = f"a push to {branch} is accepted, as far as a rehearsal tells: no rule was asked"
        yield Check("push", Outcome.OK, seen)
    yield from _rules(repository.remote() or "", branch)


def _rules(url: str, branch: str) -> Iterator[Check]:
    """Say how to see the rules of a branch, which Git shows to nobody."""
    host, path = _place(url)
    if host == "github.com":
        command = f"gh api repos/{path}/rules/branches/{branch}"
    elif host == "gitlab.com" or host.startswith("gitlab."):
        command = f"glab api projects/{path.replace('/', '%2F')}/protected_branches/{branch}"
    else:
        return
    seen = f"Git does not show the rules of {branch} at {host}"
    yield Check("branch rule", Outcome.NOTE, seen, f"{command} does: {_RULES}")


def _place(url: str) -> tuple[str, str]:
    """Return host and path of a remote, empty ones where it is none that can be named safely."""
    found = _SSH.fullmatch(url) if "://" not in url else None
    try:
        parts = urlsplit(url)
        host, path = found.groups() if found else (parts.hostname or "", parts.path)
    except ValueError:
        return "", ""
    path = path.strip("/").removesuffix(".git")
    return (host, path) if _PATH.fullmatch(path) else ("", "")


def remote_clock_checks(url: str, now: datetime) -> Iterator[Check]:
    """Hold this machine's clock against the one of origin's web server, where it has one.

    A server that does not answer says nothing here: that origin does not is told elsewhere.
    """
    date = _date(url)
    if date is None:
        return
    difference = abs(date - now)
    seen = f"{format_time(now)}; origin's server says {format_time(date)}"
    if difference <= _SKEW:
        yield Check("origin's clock", Outcome.OK, seen)
        return
    remedy = (
        "set this machine's clock (timedatectl set-ntp true): certificates and CRLs are dated by"
        " it, and AWS refuses requests that are more than five minutes off"
    )
    yield Check("origin's clock", Outcome.FAILED, seen, remedy)


def _date(url: str) -> datetime | None:
    """Return the Date of a web server's answer (RFC 9110 section 6.6.1); no credential is sent."""
    try:
        parts = urlsplit(url)
        connection = _connection(parts)
    except ValueError:
        return None
    if connection is None:
        return None
    try:
        connection.request("HEAD", "/")
        with connection.getresponse() as answer:
            stated = answer.getheader("Date") or ""
        date = parsedate_to_datetime(stated)
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)


def _connection(parts: SplitResult) -> http.client.HTTPConnection | None:
    if not parts.hostname:
        return None
    if parts.scheme == "https":
        return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=_SECONDS)
    if parts.scheme == "http":
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=_SECONDS)
    return None
