"""The user's own branch and working tree: brought forward where that loses nothing."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitca.errors import LostRaceError, UsageError
from gitca.git.fast_import import folders
from gitca.git.half_written import remove_half_written
from gitca.git.process import (
    Answer,
    Git,
    GitFailedError,
    Setting,
    as_bytes,
    as_text,
    printable,
)
from gitca.git.refs import branch_ref, is_ancestor, object_id, resolve, swap
from gitca.ledger.image import ISSUED_FOLDER
from gitca.ledger.segment import LEDGER_FOLDER

_OPERATIONS = {
    "rebase-merge/head-name": "rebase",
    "rebase-apply/head-name": "rebase",
    "BISECT_START": "bisection",
}
_MERGE = "merge or rebase them"
_FILTER = re.compile(r"filter\..*\.(?:clean|smudge|process|required)")
# The words of read-tree (unpack-trees.c, plumbing), and what they mean to a person.
_OBSTACLES = (
    (re.compile(r"Entry '(.+)' not uptodate", re.DOTALL), "is modified"),
    (re.compile(r"Entry '(.+)' would be overwritten", re.DOTALL), "is changed in the index"),
    (re.compile(r"Untracked working tree file '(.+)' would", re.DOTALL), "is not tracked by Git"),
    (re.compile(r"Updating '(.+)' would lose untracked", re.DOTALL), "has files unknown to Git"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the local branch (`branch`) and of index and working tree (`tree`).

    True: it shows the new commit. `reason` says in words why one does not, and what to do.
    `is_unseen`: nothing shows the branch, because it is not checked out or is not there.
    """

    branch: bool
    tree: bool
    reason: str = ""
    is_unseen: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """A branch's way from one commit to a later one; `local` is where the branch is by now."""

    branch: str
    local: str
    base: str
    new: str

    @property
    def ref(self) -> str:
        """The branch's full reference."""
        return branch_ref(self.branch)

    @property
    def is_done(self) -> bool:
        """Whether the branch is there already, and only the files are behind."""
        return self.local == self.new


def bring_forward(git: Git, root: Path, branch: str, *, old: str | None, new: str) -> Outcome:
    """Let the local branch, index and working tree show `new` if nothing is lost by it.

    `old` counts where the branch was advanced from there to `new` already, and only index and
    working tree are behind. A change that is not committed and a file that Git does not know stay
    as they are, wherever they are; if one is in the way nothing is touched. The tree is brought
    forward before the branch: a run that dies in between leaves the new files staged, and the next
    one goes on. Raises: UsageError; GitFailedError for a damaged repository alone.
    """
    local = resolve(git, branch_ref(branch))
    if local is None:
        return Outcome(False, False, f"there is no local branch {branch}", is_unseen=True)
    if local != object_id(new) and is_ancestor(git, new, local):
        return Outcome(True, True)
    if not is_ancestor(git, local, new):
        return Outcome(False, False, _diverged(git, branch, local, new))
    move = Move(branch, local, old if old is not None and local == new else local, new)
    if move.base == new:
        return Outcome(True, True)
    return _move(git, root, move)


def check_held_here(git: Git, root: Path, branch: str) -> None:
    """Raise UsageError where another working tree than this one has the branch checked out.

    Were the branch moved, the index there would stay behind, and the next commit made there would
    take back what gitca wrote. That index is its user's, who may be at work with it just now.
    """
    _, elsewhere = _holders(git, root, branch_ref(branch))
    if elsewhere:
        raise UsageError(
            f"branch {branch} is checked out in the working tree {elsewhere[0]}, and is not moved"
            " from here: the next `git commit` there would delete what was added below issued/",
            remedy="run gitca there, or let that working tree leave the branch:"
            f" git -C {shlex.quote(str(elsewhere[0]))} switch --detach",
        )


def index_shows(git: Git, commit: str) -> bool:
    """Whether this working tree's index has a commit's files below `issued/`, and no others."""
    options = ("--cached", "--quiet", "--no-ext-diff", "--ignore-submodules=all")
    answer = git.run("diff-index", *options, object_id(commit), "--", ISSUED_FOLDER)
    return answer.returncode == 0


def _move(git: Git, root: Path, move: Move) -> Outcome:
    is_here, elsewhere = _holders(git, root, move.ref)
    if elsewhere:
        reason = f"branch {move.branch} is checked out in {elsewhere[0]}; {_by_hand(move)} there"
        return Outcome(move.is_done, False, reason)
    if not move.is_done and (operation := _under_way(git, move.ref)):
        return Outcome(False, False, f"a {operation} of branch {move.branch} is under way")
    if not is_here:
        reason = f"branch {move.branch} is not checked out, so no working tree was touched"
        return _advance(git, move, Outcome(True, False, reason, is_unseen=True))
    obstacle = _bring_files(git, root, move)
    if obstacle and remove_half_written(git, root, move.base, move.new):
        obstacle = _bring_files(git, root, move)
        if obstacle:  # what it wrote before it failed again, as on a full disk
            remove_half_written(git, root, move.base, move.new)
    if obstacle:
        reason = f"{obstacle}; settle that, then {_by_hand(move)}"
        return Outcome(move.is_done, False, reason)
    return _advance(git, move, Outcome(True, True))


def _bring_files(git: Git, root: Path, move: Move) -> str:
    return _unknown_file(git, root, move) or _update_tree(git, move)


def _advance(git: Git, move: Move, outcome: Outcome) -> Outcome:
    if move.is_done:
        return outcome
    try:
        swap(git, move.ref, move.new, move.local, reason="gitca: fast-forward")
    except (LostRaceError, GitFailedError) as error:
        return Outcome(False, outcome.tree, f"branch {move.branch} stays: {error.message}")
    return outcome


def _unknown_file(git: Git, root: Path, move: Move) -> str:
    """Return which file that Git does not know stands where a new one comes.

    read-tree knows too, but takes a file that .gitignore names for one that nobody misses.
    """
    options = ("-r", "-z", "--no-renames", "--no-commit-id", "--diff-filter=A", "--name-only")
    added = as_text(git.ask("diff-tree", *options, "--no-ext-diff", move.base, move.new))
    standing = sorted(_standing(root, added.split("\0")[:-1]))
    if not standing:
        return ""
    known = set(as_text(git.ask("ls-files", "--cached", "-z")).split("\0"))
    unknown = [path for path in standing if path not in known]
    return f"{printable(as_bytes(unknown[0]))} is not tracked by Git" if unknown else ""


def _standing(root: Path, added: Sequence[str]) -> set[str]:
    """Return the files at the paths or below them, and those that stand in place of a folder."""
    found: set[str] = set()
    for path in added:
        place = root / os.fsdecode(as_bytes(path))
        if place.is_dir() and not place.is_symlink():
            files = (file for file in place.rglob("*") if file.is_symlink() or not file.is_dir())
            found.update(as_text(os.fsencode(file.relative_to(root))) for file in files)
        elif os.path.lexists(place):
            found.add(path)
    for folder in {folder for path in added for folder in folders(path)}:
        place = root / os.fsdecode(as_bytes(folder))
        if place.is_symlink() or place.is_file():
            found.add(folder)
    return found


def _update_tree(git: Git, move: Move) -> str:
    """Bring index and working tree from base to new by a two-way merge; return what forbids it."""
    quiet = git.with_settings(without_filters(git))
    # The merge takes a file whose timestamps are new for a modified one, until this looked inside.
    quiet.run("update-index", "-q", "--refresh")
    answer = quiet.run(
        "read-tree", "-m", "-u", "--no-recurse-submodules", "--end-of-options", move.base, move.new
    )
    return "" if answer.returncode == 0 else _obstacle(answer)


def _obstacle(answer: Answer) -> str:
    if b"index.lock" in answer.stderr:
        return "another Git process holds the index (index.lock)"
    words = as_text(answer.stderr)
    for pattern, meaning in _OBSTACLES:
        if match := pattern.search(words):
            return f"{printable(as_bytes(match[1]))} {meaning}"
    return answer.reason


def without_filters(git: Git) -> list[Setting]:
    """Return settings that undo every external filter of the configuration (gitattributes(5))."""
    listed = as_text(git.ask("config", "--list", "--name-only", "-z")).split("\0")
    keys = dict.fromkeys(key for key in listed if _FILTER.fullmatch(key))
    return [(key, "false" if key.endswith(".required") else "") for key in keys]


def _holders(git: Git, root: Path, ref: str) -> tuple[bool, list[Path]]:
    """Return whether this working tree has the branch checked out, and which other ones have."""
    is_main = _place(git, "--git-dir") == _place(git, "--git-common-dir")
    is_here, elsewhere = False, []
    for number, (path, held) in enumerate(_checkouts(git)):
        if held != ref:
            continue
        # The main one comes first. Where its .git lies elsewhere, as a submodule's, Git tells that
        # place for it.
        if (is_main and number == 0) or _same(path, root):
            is_here = True
        else:
            elsewhere.append(path)
    return is_here, elsewhere


def _checkouts(git: Git) -> Iterator[tuple[Path, str | None]]:
    """Yield each working tree that is there, with the full reference its HEAD is on, if any."""
    listing = as_text(git.ask("worktree", "list", "--porcelain", "-z"))
    for record in listing.split("\0\0"):
        facts = dict(line.partition(" ")[::2] for line in record.split("\0") if line)
        if "worktree" in facts and "prunable" not in facts:
            yield Path(facts["worktree"]), facts.get("branch")


def _place(git: Git, which: str) -> Path:
    told = as_text(git.ask("rev-parse", "--path-format=absolute", which))
    return Path(told.removesuffix("\n"))


def _under_way(git: Git, ref: str) -> str:
    """Return the operation that will want to set the branch when it ends, in any working tree."""
    top = _place(git, "--git-common-dir")
    for git_dir in (top, *top.glob("worktrees/*")):
        for name, operation in _OPERATIONS.items():
            if _first_line(git_dir / name) in {ref, ref.removeprefix("refs/heads/")}:
                return operation
    return ""


def _first_line(path: Path) -> str:
    try:
        return as_text(path.read_bytes()[:1024]).partition("\n")[0]
    except OSError:
        return ""  # no such operation


def _same(path: Path, root: Path) -> bool:
    try:
        return path.samefile(root)
    except OSError:
        return False


def _diverged(git: Git, branch: str, local: str, new: str) -> str:
    count = int(git.ask("rev-list", "--count", "--end-of-options", f"{new}..{local}"))
    commits = "1 commit" if count == 1 else f"{count} commits"
    recorded = git.ask("rev-list", "--max-count=1", f"{new}..{local}", "--", LEDGER_FOLDER)
    remedy = "`gitca sign` carries over what was signed there" if recorded else _MERGE
    return f"local branch {branch} has {commits} that {new[:12]} lacks; {remedy}"


def _by_hand(move: Move) -> str:
    if move.is_done:
        return f"run `git read-tree -m -u {move.base[:12]} {move.new[:12]}`"
    return f"run `git merge --ff-only {move.new[:12]}`"
