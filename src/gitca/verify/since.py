"""Since: from where on a daily verification looks at everything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from gitca.errors import ContradictionError, GitcaError, UsageError
from gitca.git.lineage import Ancestor
from gitca.git.store import Store
from gitca.ledger.image import ISSUED_FOLDER
from gitca.ledger.segment import LEDGER_FOLDER

_SEGMENT = re.compile(r"[0-9]{1,9}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:]{5,8}Z)?")


@dataclass(frozen=True, slots=True)
class Since:
    """The last segment that is not looked at again, and the commit that stands for it."""

    number: int = 0
    commit: str | None = None


NOTHING = Since()


def find_since(store: Store, tip: str, text: str) -> Since:
    """Return from where on to look: a segment's number, a date (UTC), or a commit.

    Raises: UsageError for what is none of these here; ContradictionError where a commit or a
    segment is given that the branch no longer has: its history was rewritten since.
    """
    if _DATE.fullmatch(text):
        return _by_date(store, tip, text)
    if _SEGMENT.fullmatch(text):
        return _by_segment(store, tip, text)
    commit = store.repository.resolve(text)
    if commit is None:
        raise UsageError(
            f"{text!r} is no segment, no date like 2026-11-20, and no commit of this clone",
            remedy="name one of them with --since; gitca verify without it looks at everything",
        )
    if not store.repository.has_in_history(commit, tip):
        raise ContradictionError(
            f"commit {commit[:12]}, which was verified before, is not in the history of"
            f" {tip[:12]}: the branch was rewound or rewritten since",
            remedy=f"keep this clone; find who forced the push; git log {tip[:12]}..{commit[:12]}"
            " shows what is gone",
        )
    return Since(_segments_at(store, commit), commit)


def _segments_at(store: Store, commit: str) -> int:
    return len(store.entries(commit, LEDGER_FOLDER))


def _by_date(store: Store, tip: str, text: str) -> Since:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text} is no date", remedy="write it like 2026-11-20") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    older = [item for item in _mainline(store, tip) if item.when < moment]
    return Since(_segments_at(store, older[-1].commit), older[-1].commit) if older else NOTHING


def _by_segment(store: Store, tip: str, text: str) -> Since:
    number, known = int(text), _segments_at(store, tip)
    if number > known:
        raise _lacking(store, tip, text, known)
    for item in reversed(_mainline(store, tip)):
        if _segments_at(store, item.commit) <= number:
            return Since(_segments_at(store, item.commit), item.commit)
    return NOTHING


def _lacking(store: Store, tip: str, text: str, known: int) -> GitcaError:
    """Return the error for a number above that of the last segment.

    Going on from what is there would call a branch that was rewound since a whole one.
    """
    commit = store.repository.resolve(text)
    if commit is not None and commit.startswith(text):
        return UsageError(
            f"{text} is taken for a segment's number, and {tip[:12]} has {known} of them",
            remedy=f"if you mean the commit {commit[:12]}, give twelve digits of it or more",
        )
    return ContradictionError(
        f"segment {text}, which was verified before, is not in the ledger of {tip[:12]}, which"
        f" ends with segment {known}: the branch was rewound or rewritten since, or this clone is"
        " behind",
        remedy="fetch, and verify the newest commit; if that lacks it too, keep this clone and find"
        " who forced the push",
    )


def _mainline(store: Store, tip: str) -> list[Ancestor]:
    """Return the commits at which issued/ changed on the first-parent line, oldest first."""
    history = {item.commit: item for item in store.repository.past.lineage(tip, ISSUED_FOLDER)}
    line: list[Ancestor] = []
    item = history.get(tip)
    while item is not None:
        above = history.get(item.parents[0]) if item.parents else None
        if above is None or above.folder != item.folder:
            line.append(item)
        item = above
    return line[::-1]
