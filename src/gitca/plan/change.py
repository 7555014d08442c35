"""A change as a pull request makes it: what its head may not touch (DESIGN section 3.6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gitca.documents.load import TreeEntry
from gitca.findings import Finding, Location, Severity

GOVERNING = ("ca/", "policies/")
REQUESTS = "requests/"
ISSUED = "issued/"


def judge_change(
    before: Iterable[TreeEntry], after: Iterable[TreeEntry], *, is_parted: bool = False
) -> tuple[Finding, ...]:
    """Return the findings of a change from one tree to another.

    `before` is the tree where the head's history left the base, `after` the head's own; both hold
    at least `ca/`, `policies/`, `requests/` and `issued/`. Only paths and blobs are looked at.
    Where `issued/` has a branch of its own, what the documents' branch has of it may go.
    """
    before, after = tuple(before), tuple(after)
    changed = changed_paths(before, after)
    there = {entry.path for entry in after}
    written = [path for path in changed if path in there or not is_parted]
    return (*_touching_issued(written), *_mixing(changed))


def changed_paths(before: Iterable[TreeEntry], after: Iterable[TreeEntry]) -> tuple[str, ...]:
    """Return the paths that were added, removed or changed (mode included), sorted."""
    old, new = _entries(before), _entries(after)
    paths = old.keys() | new.keys()
    return tuple(sorted(path for path in paths if old.get(path) != new.get(path)))


def governed_by(base: Iterable[TreeEntry], head: Iterable[TreeEntry]) -> tuple[TreeEntry, ...]:
    """Return the head's requests under the base's CAs and policies: what a pull request may say."""
    return (
        *(entry for entry in base if entry.path.startswith(GOVERNING)),
        *(entry for entry in head if entry.path.startswith(REQUESTS)),
    )


def _entries(tree: Iterable[TreeEntry]) -> Mapping[str, tuple[str, str]]:
    return {entry.path: (entry.mode, entry.blob) for entry in tree}


def _touching_issued(changed: Iterable[str]) -> Iterator[Finding]:
    for path in changed:
        if path.startswith(ISSUED):
            yield Finding(
                rule="change.issued",
                severity=Severity.ERROR,
                message="the change touches issued/, which gitca alone writes",
                location=Location(path),
                remedy="take the file back to what the base has (git checkout BASE -- issued)",
            )


def _mixing(changed: Iterable[str]) -> Iterator[Finding]:
    governing = [path for path in changed if path.startswith(GOVERNING)]
    if governing and any(path.startswith(REQUESTS) for path in changed):
        for path in governing:
            yield Finding(
                rule="change.policy-with-request",
                severity=Severity.ERROR,
                message="the change alters what judges requests, and requests, in one",
                location=Location(path),
                remedy="make two pull requests, the policies' or CAs' first; the requests were"
                " judged by the base's",
            )
