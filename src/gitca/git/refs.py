"""Branches and commits: names that are safe to pass on, and the compare-and-swap of a branch."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gitca.errors import LostRaceError, UsageError
from gitca.git.process import Git, as_text, failure, printable

_OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# git-check-ref-format(1): the numbered rules 1 to 9, and that a branch begins with no dash.
_REFUSED = re.compile(
    r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|(?:^|/)\.|\.lock(?:/|$)|^[-/]|[/.]$|^@$|^HEAD$|^$"
)

# gitrevisions(7), "<refname>": where Git looks for a name, and takes the first that is there.
_RULES = ("refs/{}", "refs/tags/{}", "refs/heads/{}", "refs/remotes/{}", "refs/remotes/{}/HEAD")
# What follows a name in a revision: ~2, ^{commit}, @{1}, :path.
_NAME_END = re.compile(r"[~^:]|@\{")
_GLOB = re.compile(r"[*?\[\\]")
# Short names that may be an object's id cut short, or what Git keeps beside HEAD.
_OTHERWISE = re.compile(r"[0-9a-fA-F]{4,64}|[A-Z_]+HEAD")


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
    """Return the id of the commit that a revision (gitrevisions(7)) names, or None.

    A name that begins with `refs/`, and HEAD, are that reference and no other. A short name of
    several references, or of one and of a commit, is refused: Git takes the tag, and whoever may
    push tags would decide what the name of a branch is. Raises: UsageError.
    """
    if "\0" in rev:
        return None
    name = _NAME_END.split(rev, maxsplit=1)[0]
    if name == rev and name.startswith("refs/"):
        return _commit_at(git, name)
    is_exact = name.startswith("refs/") or name == "HEAD"
    if is_exact and git.run("show-ref", "--verify", "--quiet", "--", name).returncode != 0:
        return None
    answer = _commit_of(git, rev)
    if answer is not None and not is_exact and name and _OBJECT_ID.fullmatch(name) is None:
        _check_one_meaning(git, name)
    return answer


def _commit_of(git: Git, rev: str) -> str | None:
    answer = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}")
    return answer.stdout.decode("ascii").strip() if answer.returncode == 0 else None


def _commit_at(git: Git, name: str) -> str | None:
    """Return the commit of the reference of that full name, in one command of Git."""
    if _GLOB.search(name) is not None:
        return None
    shape = "--format=%(refname) %(objecttype) %(objectname)"
    for line in as_text(git.ask("for-each-ref", shape, "--", name)).splitlines():
        found, kind, commit = line.rsplit(" ", 2)
        if found == name:
            # The name is there, so that Git takes it and no other.
            return commit if kind == "commit" else _commit_of(git, name)
    return None


def _check_one_meaning(git: Git, name: str) -> None:
    """Raise UsageError for a short name that can be read in more than one way."""
    full = [rule.format(name) for rule in _RULES]
    # A reference's name has none of these, and for-each-ref would take them for a pattern.
    is_pattern = _GLOB.search(name) is not None
    listed = b"" if is_pattern else git.ask("for-each-ref", "--format=%(refname)", "--", *full)
    meant = sorted(set(full).intersection(as_text(listed).split("\n")))
    if meant and _OTHERWISE.fullmatch(name) is not None:
        found = git.run("rev-parse", f"--disambiguate={name}").stdout.decode("ascii").split()
        meant += [f"commit or object {item}" for item in found]
        meant += [f"{name} of this working tree"] if name.endswith("HEAD") else []
    if len(meant) > 1:
        raise UsageError(
            f"{name!r} is ambiguous: {', '.join(meant[:8])}",
            remedy="give the whole name, as in refs/remotes/origin/main, or the whole id",
        )


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

    Durable when it returns. Raises: LostRaceError where the reference is elsewhere; UsageError
    where another one's name is in the way; GitFailedError.
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
    if old is None:
        _check_free(git, ref)
    raise failure(answer)


def in_the_way(refs: Iterable[str], wanted: str) -> list[str]:
    """Return those full names of references beside which there can be none called `wanted`.

    To Git `x` is a file and `x/y` one in a folder of that name: it has the one or the other.
    """
    above = set(_above(wanted))
    return [ref for ref in refs if ref in above or ref.startswith(f"{wanted}/")]


def rivals(wanted: str) -> tuple[str, ...]:
    """Return the patterns by which `git ls-remote` lists what can be in a reference's way."""
    return (*_above(wanted), f"{wanted}/*")


def _above(ref: str) -> list[str]:
    """Return `refs/heads/a` and `refs/heads/a/b` for `refs/heads/a/b/c`."""
    parts = ref.split("/")
    return ["/".join(parts[:length]) for length in range(3, len(parts))]


def _check_free(git: Git, wanted: str) -> None:
    listed = as_text(git.ask("for-each-ref", "--format=%(refname)", "--", *_above(wanted), wanted))
    others = in_the_way(listed.split("\n"), wanted)
    if others:
        name, other = (ref.removeprefix("refs/heads/") for ref in (wanted, others[0]))
        raise UsageError(
            f"Git has no branch {name} beside {printable(other.encode())}",
            remedy="delete that branch, or name another one in ca/repository.yaml",
        )
