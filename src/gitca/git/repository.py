"""A clone as gitca uses it: commits in, commits out, and a branch moved by compare-and-swap."""

from __future__ import annotations

import configparser
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from gitca.documents.load import TreeEntry
from gitca.errors import BackendUnavailableError, UsageError
from gitca.git.fast_import import CommitContent, Identity, write_commit
from gitca.git.installed import git_version, gitpython
from gitca.git.lineage import Past
from gitca.git.local_programs import without_local_programs
from gitca.git.objects import SIZE_LIMIT, ObjectReader, list_tree, tree_id
from gitca.git.process import Git, as_text
from gitca.git.refs import branch_ref, is_ancestor, merge_base, resolve, shown_ref, swap
from gitca.git.remote import Remote
from gitca.git.requesters import read_requesters
from gitca.git.worktree import Outcome, bring_forward, check_held_here, index_shows
from gitca.policy.case import Requester

__all__ = ["NETWORK_TIMEOUT", "ORIGIN", "GitRepository", "Identity", "Outcome", "git_version"]

ORIGIN = "origin"
NETWORK_TIMEOUT = 600.0
"""Seconds that one conversation with a remote may take; an order's lease is as long."""


@dataclass(frozen=True, slots=True)
class GitRepository:
    """One clone, opened. Use it as a context manager, or close it: it may hold a process.

    `root` is the top of the working tree, of a bare repository the repository itself; `git_dir` is
    this working tree's own. Paths are from the root, with `/`; bytes that are not UTF-8 travel as
    surrogates. Every method raises GitFailedError where Git itself fails.
    """

    root: Path
    git_dir: Path
    is_bare: bool
    network_timeout: float
    _git: Git
    _objects: ObjectReader

    @classmethod
    def open(cls, path: Path, *, network_timeout: float = NETWORK_TIMEOUT) -> Self:
        """Return the repository that holds a folder; `network_timeout` in seconds.

        The caller's `GIT_DIR` and the like are not followed. Raises: UsageError where there is no
        repository, Git is missing or too old, or Git does not trust the repository's owner.
        """
        git_version()
        found = _discover(path)
        git = Git(found.directory)
        _confirm(git, found)
        root = _top(git, found)
        git = without_local_programs(Git(root, variables=_pins(root, found)))
        return cls(root, found.git_dir, found.is_bare, network_timeout, git, ObjectReader(git))

    def close(self) -> None:
        """End the process that reads objects. Reading again starts another."""
        self._objects.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def common_dir(self) -> Path:
        """Return what all working trees of this repository share: where its references are."""
        answer = self._git.ask("rev-parse", "--path-format=absolute", "--git-common-dir")
        return Path(as_text(answer).removesuffix("\n"))

    def resolve(self, rev: str) -> str | None:
        """Return the id of the commit that a revision (gitrevisions(7)) names, or None."""
        return resolve(self._git, rev)

    def head_branch(self) -> str | None:
        """Return the branch that HEAD is on, born or not; None when it is detached."""
        answer = self._git.run("symbolic-ref", "--quiet", "HEAD")
        ref = as_text(answer.stdout).removesuffix("\n")
        return ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else None

    def local_branch(self, branch: str) -> str | None:
        """Return the commit that a local branch is at, or None. Raises: UsageError for the name."""
        return resolve(self._git, branch_ref(branch))

    def remote(self, name: str = ORIGIN) -> str | None:
        """Return the URL of a remote, without credentials, or None."""
        return Remote(self._git, name, self.network_timeout).url()

    def tree(self, commit: str, *paths: str) -> list[TreeEntry]:
        """Return every file of a commit or tree, or those at and below `paths`, in Git's order."""
        return list_tree(self._git, commit, paths)

    def tree_id(self, commit: str, path: str = "") -> str | None:
        """Return the id of the tree at a path of a commit, its root for an empty one, or None."""
        return tree_id(self._git, commit, path)

    def requesters(
        self, commit: str, paths: Collection[str], *, below: str
    ) -> Mapping[str, Requester]:
        """Return who changed each file of a commit last, as far as this clone's history tells.

        `below` is the folder that holds them all. See `gitca.git.requesters`.
        """
        return read_requesters(self._git, commit, paths, below=below)

    def read(self, blob: str, *, size_limit: int = SIZE_LIMIT) -> bytes:
        """Return the bytes of a blob, `size_limit` at the most.

        Raises: BlobTooLargeError, without reading it; BackendUnavailableError where this clone
        lacks it (shallow or partial); ContradictionError where it is damaged.
        """
        return self._objects.read(blob, size_limit=size_limit)

    def read_many(self, blobs: Iterable[str], *, size_limit: int = SIZE_LIMIT) -> Iterator[bytes]:
        """Yield the bytes of each blob in turn, in bounded memory. Raises: as `read`."""
        return self._objects.read_many(blobs, size_limit=size_limit)

    def commit(
        self,
        parent: str | None,
        *,
        changes: Mapping[str, bytes | None],
        message: str,
        author: Identity,
        when: datetime,
        subtrees: Mapping[str, str] | None = None,
    ) -> str:
        """Return the id of a new commit upon `parent` (None: a root commit).

        `changes` writes a file (bytes) or deletes it (None); `subtrees` puts trees by id at paths
        first, in place of what is there. Its objects are on disk; no reference names it, so Git's
        garbage collection may take it two weeks later. Raises: UsageError for an impossible path;
        ContradictionError where a file that is not named would be lost.
        """
        content = CommitContent(parent, changes, message, author, when, subtrees or {})
        return write_commit(self._git, self.git_dir, content)

    def advance(self, branch: str, new: str, old: str | None) -> None:
        """Set a local branch to `new` if it is at `old` (None: if it does not exist), durably.

        Index and working tree stay behind until `bring_forward`. Raises: LostRaceError.
        """
        swap(self._git, branch_ref(branch), new, old, reason="gitca: advance")

    def check_held_here(self, branch: str) -> None:
        """Raise UsageError where another working tree than this one has the branch checked out."""
        check_held_here(self._git, self.root, branch)

    def index_shows(self, commit: str) -> bool:
        """Whether this working tree's index has a commit's files below `issued/`, and no others."""
        return index_shows(self._git, commit)

    def keep(self, branch: str, commit: str) -> None:
        """Let `refs/gitca/shown/<branch>` name a commit, durably; see `gitca.git.shown`."""
        self._git.ask("update-ref", "--no-deref", "--end-of-options", shown_ref(branch), commit)

    def kept(self, branch: str) -> str | None:
        """Return the commit that `keep` was given, or None."""
        return resolve(self._git, shown_ref(branch))

    def forget(self, branch: str) -> None:
        """Take the reference of `keep` away."""
        self._git.ask("update-ref", "--no-deref", "-d", "--end-of-options", shown_ref(branch))

    def fetch(self, branch: str) -> str | None:
        """Return origin's commit of a branch after fetching it, or None where origin has none.

        `refs/remotes/origin/<branch>` follows, even over a rewritten history: whoever must know
        compares with what it named before. Raises: BackendUnavailableError.
        """
        return Remote(self._git, ORIGIN, self.network_timeout).fetch(branch)

    def push(self, commit: str, branch: str) -> None:
        """Make a branch of origin name the commit: created or fast-forwarded, never forced.

        Raises: LostRaceError; RemoteRefusedError; BackendUnavailableError. See `Remote.push`.
        """
        Remote(self._git, ORIGIN, self.network_timeout).push(commit, branch)

    def rehearse_push(self, commit: str, branch: str) -> None:
        """Push a commit to a branch of origin without changing anything; see `Remote`."""
        Remote(self._git, ORIGIN, self.network_timeout).rehearse_push(commit, branch)

    def remote_tips(self, *branches: str) -> Mapping[str, str]:
        """Return the commits that branches of origin are at; nothing is fetched.

        A branch that origin does not have is left out. Raises: BackendUnavailableError.
        """
        return Remote(self._git, ORIGIN, self.network_timeout).tips(*branches)

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Whether a commit is the other or is in its history, as far as this clone has it."""
        return is_ancestor(self._git, ancestor, descendant)

    def has_in_history(self, ancestor: str, descendant: str) -> bool:
        """Whether a commit is the other or is in its whole history.

        Raises: BackendUnavailableError where this clone is shallow and does not reach that far.
        """
        known = self.resolve(ancestor) == ancestor
        if known and is_ancestor(self._git, ancestor, descendant):
            return True
        if self.is_shallow():
            raise BackendUnavailableError(
                f"this clone is shallow, and whether commit {ancestor[:12]} is in the history of"
                f" {descendant[:12]} cannot be told",
                remedy="run git fetch --unshallow",
            )
        return False

    def history(self, commit: str) -> frozenset[str]:
        """Return the commit and every commit in its history, as far as this clone has it."""
        return frozenset(as_text(self._git.ask("rev-list", "--end-of-options", commit)).split())

    def is_shallow(self) -> bool:
        """Whether this clone lacks older history."""
        answer = self._git.ask("rev-parse", "--is-shallow-repository")
        return as_text(answer).strip() == "true"

    @property
    def past(self) -> Past:
        """What the history tells, commit by commit."""
        return Past(self._git)

    def merge_base(self, one: str, other: str) -> str | None:
        """Return the best common ancestor of two commits, None where they share no history."""
        return merge_base(self._git, one, other)

    def bring_forward(self, branch: str, old: str | None, new: str) -> Outcome:
        """Let the local branch and the working tree show `new` if nothing is lost by it.

        `old` is where the branch was before this run, None where it was not there; it counts where
        `advance` moved the branch already. See `gitca.git.worktree.bring_forward`.
        """
        return bring_forward(self._git, self.root, branch, old=old, new=new)


@dataclass(frozen=True, slots=True)
class _Found:
    directory: Path
    git_dir: Path
    is_bare: bool


def _discover(path: Path) -> _Found:
    """Find the repository with GitPython, which knows gitfiles, linked working trees and bare ones.

    It is asked for nothing else: its command wrapper cannot take variables out of the environment.
    """
    git = gitpython()
    try:
        with git.Repo(path.absolute(), search_parent_directories=True, expand_vars=False) as repo:
            directory = repo.working_tree_dir or repo.git_dir
            return _Found(Path(directory), Path(repo.git_dir), repo.bare)
    except (git.GitError, configparser.Error, OSError, ValueError) as error:
        raise UsageError(
            f"{path} is not in a Git repository",
            remedy="go to a clone of the CA repository, or name it with --repo",
        ) from error


def _confirm(git: Git, found: _Found) -> None:
    """Raise UsageError unless Git opens the same repository, and trusts who owns it."""
    answer = git.run("rev-parse", "--absolute-git-dir")
    if answer.returncode != 0:
        raise UsageError(f"Git does not open {found.directory}: {answer.reason}")
    opened = Path(as_text(answer.stdout).removesuffix("\n"))
    if not found.git_dir.exists() or not opened.samefile(found.git_dir):
        raise UsageError(
            f"{found.directory} belongs to {found.git_dir}, but Git opens {opened} there",
            remedy="name the top of the clone with --repo",
        )


def _top(git: Git, found: _Found) -> Path:
    if found.is_bare:
        return found.directory
    # core.worktree may put it elsewhere, which GitPython does not follow from a .git folder.
    top = Path(as_text(git.ask("rev-parse", "--show-toplevel")).removesuffix("\n"))
    if not top.is_dir():
        raise UsageError(f"the working tree of {found.git_dir} should be {top}, which is not there")
    return top


def _pins(root: Path, found: _Found) -> tuple[tuple[str, str], ...]:
    """Return what lets every later Git open what was opened now, without looking for it again."""
    git_dir = ("GIT_DIR", str(found.git_dir.absolute()))
    return (git_dir,) if found.is_bare else (git_dir, ("GIT_WORK_TREE", str(root.absolute())))
