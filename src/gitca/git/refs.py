"""Branches and commits: names that are safe to pass on, and the compare-and-swap of a branch."""

from __future__ import annotations

import re

from gitca.errors import LostRaceError, UsageError
from gitca.git.process import Git, failure

_OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# git-check-ref-format(1): the numbered rules 1 to 9, and that a branch begins with no dash.
_REFUSED = re.compile(
    r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|(?:^|/)\.|\.lock(?:/|$)|^[-/]|[/.]$|^@$|^HEAD$|^$"
)


def object_id(text: str) -> str:
    """Return the text if it is the whole id of an object (SHA-1 or SHA-256, lower case).

    Raises: UsageError.
    """
    if _OBJECT_ID.fullmatch(text) is None:
        raise UsageError(
            f"{text[:80]!r} is not the id of a Git object, which has 40 or 64 hexadecimal digits",
            remedy="give the whole id, as `git rev-parse` prints it",
        )
    return text


def branch_ref(branch: str) -> str:
    """Return `refs/heads/<branch>` for a valid name (git-check-ref-format(1)).

    Raises: UsageError.
    """
    if _REFUSED.search(branch) is not None or len(branch) > 200 or not branch.isprintable():
        raise UsageError(
            f"{branch[:200]!r} cannot name a branch (git check-ref-format)",
            remedy="use letters, digits, dots, dashes and single slashes, as in release/2026",
        )
    return f"refs/heads/{branch}"


def tracking_ref(branch: str, remote: str) -> str:
    """Return `refs/remotes/<remote>/<branch>` for a valid branch name. Raises: UsageError."""
    return f"refs/remotes/{remote}/{branch_ref(branch).removeprefix('refs/heads/')}"


def shown_ref(branch: str) -> str:
    """Return `refs/gitca/shown/<branch>` for a valid branch name. Raises: UsageError."""
    return f"refs/gitca/shown/{branch_ref(branch).removeprefix('refs/heads/')}"


def resolve(git: Git, rev: str) -> str | None:
    """Return the id of the commit that a revision (gitrevisions(7)) names, or None."""
    if "\0" in rev:
        return None
    answer = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}")
    return answer.stdout.decode("ascii").strip() if answer.returncode == 0 else None


def is_ancestor(git: Git, ancestor: str, descendant: str) -> bool:
    """Whether a commit is the other or is in its history.

    In a shallow clone a commit beyond the boundary is no ancestor. Raises: GitFailedError for a
    commit that is not in this clone.
    """
    answer = git.run("merge-base", "--is-ancestor", object_id(ancestor), object_id(descendant))
    if answer.returncode not in {0, 1}:
        raise failure(answer)
    return answer.returncode == 0


def merge_base(git: Git, one: str, other: str) -> str | None:
    """Return the best common ancestor of two commits, or None where they share no history.

    Raises: GitFailedError for a commit that is not in this clone.
    """
    answer = git.run("merge-base", object_id(one), object_id(other))
    if answer.returncode not in {0, 1}:
        raise failure(answer)
    return answer.stdout.decode("ascii").strip() or None


def swap(git: Git, ref: str, new: str, old: str | None, *, reason: str) -> None:
    """Set a full reference to `new` if it is at `old`; None: if it does not exist.

    Durable when it returns. Raises: LostRaceError where the reference is elsewhere; GitFailedError.
    """
    expected = "0" * len(new) if old is None else object_id(old)
    answer = git.run(
        "update-ref", "--no-deref", "-m", reason, "--end-of-options", ref, object_id(new), expected
    )
    if answer.returncode == 0:
        return
    current = resolve(git, ref)
    if current != old:
        raise LostRaceError(
            f"{ref} is at {current or 'nothing'}, not at {old or 'nothing'}: another was faster",
            remedy="run again",
        )
    raise failure(answer)
