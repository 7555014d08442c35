"""The remote: fetch one branch, push one commit, and find out what became of a push."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gitca.errors import BackendUnavailableError, GitcaError, LostRaceError
from gitca.git.local_programs import RECEIVE_PACK, UPLOAD_PACK, reaching_remotes
from gitca.git.process import Answer, Git, as_text, printable, redact
from gitca.git.refs import (
    branch_ref,
    in_the_way,
    is_ancestor,
    object_id,
    resolve,
    rivals,
    swap,
    tracking_ref,
)

_RACE = re.compile(
    rb"fetch first|non-fast-forward|stale info|already exists|cannot lock ref|failed to lock"
    rb"|failed to update ref|incorrect old value|but expected"
)
_LOCKED = b"cannot lock ref"
_ATTEMPTS = 5  # at the tracking branch, where another fetch in this clone moves it under us
_FETCH_OPTIONS = (
    "--quiet",
    "--no-tags",
    "--no-prune",
    "--no-recurse-submodules",
    "--no-write-fetch-head",
    "--no-auto-maintenance",
    "--refmap=",  # the refspecs of the configuration are not followed too
    UPLOAD_PACK,
)
_PUSH_OPTIONS = (
    "--porcelain",
    "--no-verify",
    "--no-follow-tags",
    "--no-signed",
    "--no-force",
    "--recurse-submodules=no",
    RECEIVE_PACK,
)


class RemoteRefusedError(GitcaError):
    """The remote received a push and said no, by a hook or a branch rule; a person must look."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Remote:
    """One remote of a clone; `timeout` in seconds bounds each conversation with it."""

    git: Git
    name: str
    timeout: float

    @property
    def _reaching(self) -> Git:
        return reaching_remotes(self.git)

    def url(self) -> str | None:
        """Return the URL that is fetched from, without credentials, or None for no such remote."""
        answer = self.git.run("remote", "get-url", "--end-of-options", self.name)
        return redact(answer.stdout.decode("utf-8", "replace").strip()) or None

    def fetch(self, branch: str) -> str | None:
        """Return the commit that the remote's branch is at, or None where it has no such branch.

        The commit and its history are then in this clone, and `refs/remotes/<remote>/<branch>`
        names it; no other reference is touched. Raises: BackendUnavailableError.
        """
        tracking = tracking_ref(branch, self.name)
        answer = self._fetch(f"+{branch_ref(branch)}:{tracking}")
        if answer.returncode == 0:
            return resolve(self.git, tracking)
        if not answer.timed_out and self._lacks(branch):
            return None
        raise BackendUnavailableError(
            f"{branch} cannot be fetched from {self.name}: {answer.reason}",
            remedy="check the remote's address, the network and the credentials, and run again",
        )

    def tips(self, *branches: str) -> Mapping[str, str]:
        """Return the commits that the remote's branches are at, of those that it has.

        Nothing is fetched. Raises: BackendUnavailableError.
        """
        names = {branch_ref(branch): branch for branch in branches}
        options = ("--quiet", UPLOAD_PACK, "--end-of-options", self.name, *names)
        answer = self._reaching.run("ls-remote", *options, timeout=self.timeout)
        if answer.returncode != 0:
            raise BackendUnavailableError(
                f"{self.name} does not answer: {answer.reason}",
                remedy="check the remote's address, the network and the credentials",
            )
        lines = (line.split("\t") for line in as_text(answer.stdout).splitlines())
        # A name that ends like a branch's is listed too (`refs/heads/x/refs/heads/main`).
        return {names[ref]: commit for commit, ref in lines if ref in names}

    def push(self, commit: str, branch: str) -> None:
        """Set the remote's branch to the commit, as a fast-forward or a new branch; never forced.

        When it returns, the remote has the commit and the tracking reference says so. An answer
        that got lost is settled by fetching: a commit that is in the branch's history was accepted,
        whatever the push said. Of two that push at once one wins, by the remote's own
        compare-and-swap.

        Raises: LostRaceError, RemoteRefusedError (with the remote's words),
        BackendUnavailableError; after the last the outcome may be open, and the message says so.
        """
        answer = self._push(f"{object_id(commit)}:{branch_ref(branch)}")
        if answer.returncode != 0:
            self._settle(commit, branch, answer)
        self._track(commit, branch)

    def rehearse_push(self, commit: str, branch: str) -> None:
        """Push without changing anything: the account may write to the repository, if this returns.

        Hooks and branch rules are asked by a real push alone. Raises: LostRaceError where the
        branch is elsewhere; RemoteRefusedError; BackendUnavailableError.
        """
        answer = self._push(f"{object_id(commit)}:{branch_ref(branch)}", "--dry-run")
        if answer.returncode != 0:
            moved = branch_ref(branch).encode() in answer.stdout
            raise self._rejection(branch, answer, moved=moved)

    def _fetch(self, refspec: str) -> Answer:
        options = (*_FETCH_OPTIONS, "--end-of-options", self.name, refspec)
        answer = self._reaching.run("fetch", *options, timeout=self.timeout)
        for _ in range(_ATTEMPTS):
            if answer.returncode == 0 or _LOCKED not in answer.stderr:
                break
            answer = self._reaching.run("fetch", *options, timeout=self.timeout)
        return answer

    def _lacks(self, branch: str) -> bool:
        """Whether the remote answers, and has no such branch."""
        wanted = ("--end-of-options", self.name, branch_ref(branch))
        options = ("--exit-code", "--quiet", UPLOAD_PACK, *wanted)
        return self._reaching.run("ls-remote", *options, timeout=self.timeout).returncode == 2

    def _push(self, refspec: str, *more: str) -> Answer:
        options = (*_PUSH_OPTIONS, *more, "--end-of-options", self.name, refspec)
        # A mirror takes no refspec, and pushes everything.
        git = self._reaching.with_settings([(f"remote.{self.name}.mirror", "false")])
        return git.run("push", *options, timeout=self.timeout)

    def _settle(self, commit: str, branch: str, answer: Answer) -> None:
        """Return if the commit arrived after all; raise what happened instead."""
        try:
            tip = self.fetch(branch)
        except BackendUnavailableError as error:
            raise BackendUnavailableError(
                f"the push to {branch} of {self.name} failed, and whether it arrived cannot be"
                f" known yet: {answer.reason}",
                remedy="run again when the remote answers; the next run looks first",
            ) from error
        if tip is not None and is_ancestor(self.git, commit, tip):
            return
        moved = tip is not None and not is_ancestor(self.git, tip, commit)
        rejection = self._rejection(branch, answer, moved=moved)
        raise (self._barred(branch) if tip is None else None) or rejection

    def _rejection(self, branch: str, answer: Answer, *, moved: bool) -> GitcaError:
        status = _status(answer.stdout, branch_ref(branch))
        if moved:
            return LostRaceError(
                f"{branch} of {self.name} moved while this run worked on it", remedy="run again"
            )
        if _RACE.search(status) is not None:  # the other's push has the lock, and is not through
            return LostRaceError(
                f"another writes {branch} of {self.name}: {printable(status)}: {answer.reason}",
                remedy="run again",
            )
        if status.startswith(b"[remote rejected]") and b"unpacker error" not in status:
            return RemoteRefusedError(
                f"{self.name} refused the push to {branch}: {printable(status)}: {answer.reason}",
                remedy="let the pushing account write to the branch (branch rule, server hook)",
            )
        return BackendUnavailableError(
            f"the push to {branch} of {self.name} did not arrive: {answer.reason}",
            remedy="check the network and the credentials' right to write, and run again",
        )

    def _barred(self, branch: str) -> RemoteRefusedError | None:
        """Return why the remote cannot have a branch of this name, if another one is the cause."""
        wanted = branch_ref(branch)
        options = ("--quiet", UPLOAD_PACK, "--end-of-options", self.name, *rivals(wanted))
        listed = as_text(self._reaching.run("ls-remote", *options, timeout=self.timeout).stdout)
        others = in_the_way((line.partition("\t")[2] for line in listed.splitlines()), wanted)
        if not others:
            return None
        other = printable(others[0].removeprefix("refs/heads/").encode())
        return RemoteRefusedError(
            f"{self.name} cannot have a branch {branch} beside its branch {other}",
            remedy=f"delete {other} there, or name another branch in ca/repository.yaml",
        )

    def _track(self, commit: str, branch: str) -> None:
        """Let the tracking reference name the commit; one that is further already stays."""
        tracking = tracking_ref(branch, self.name)
        current = resolve(self.git, tracking)
        if current is not None and is_ancestor(self.git, commit, current):
            return
        try:
            swap(self.git, tracking, commit, current, reason="gitca: push")
        except LostRaceError:
            return  # a fetch in this clone was faster, and saw this commit or a later one


def _status(porcelain: bytes, ref: str) -> bytes:
    """Return what `git push --porcelain` says of a reference: the text after `<from>:<to>`."""
    for line in porcelain.splitlines():
        flag, _, rest = line.partition(b"\t")
        refs, _, summary = rest.partition(b"\t")
        if len(flag) == 1 and refs.endswith(b":" + ref.encode("utf-8")):
            return summary
    return b""
