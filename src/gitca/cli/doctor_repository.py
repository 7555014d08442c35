"""What `gitca doctor` says of the repository: its documents, ledger, branches and origin."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path

from gitca.cli.clone import open_clone
from gitca.cli.doctor_check import Check, Outcome, attempt, failed
from gitca.cli.doctor_machine import clock_check
from gitca.cli.doctor_origin import push_checks, remote_clock_checks
from gitca.cli.output import counted
from gitca.documents.load import REPOSITORY_PATH, Governing
from gitca.errors import BackendUnavailableError, GitcaError
from gitca.findings import Severity
from gitca.git.local_programs import local_programs
from gitca.git.process import Git, as_text
from gitca.git.repository import ORIGIN, GitRepository
from gitca.git.worktree import without_filters
from gitca.ledger.state import LedgerState

_PATIENCE = 20.0  # seconds for origin to answer; a reconcile waits longer


def document_checks(governing: Governing) -> Iterator[Check]:
    """Say what `ca/` and `policies/` of the checked-out files hold."""
    broken = sum(finding.severity is Severity.ERROR for finding in governing.findings)
    seen = (
        f"{counted(len(governing.authorities), 'CA')}, "
        f"{counted(len(governing.policies), 'policy', 'policies')} without errors"
    )
    if REPOSITORY_PATH in governing.broken:
        told = [str(item) for item in governing.findings if item.location.file == REPOSITORY_PATH]
        yield Check("documents", Outcome.FAILED, told[0], "mend it; until then nothing is done")
    elif broken:
        words = f"{seen}; {counted(broken, 'error')} in ca/ and policies/"
        yield Check("documents", Outcome.FAILED, words, "gitca validate tells them")
    elif not governing.authorities:
        seen = "there is no CA in ca/"
        yield Check("documents", Outcome.FAILED, seen, "gitca init DIR makes a CA repository")
    else:
        yield Check("documents", Outcome.OK, seen)


def repository_checks(
    root: Path, governing: Governing, now: datetime
) -> Generator[Check, None, LedgerState | None]:
    """Yield the checks of a clone, and return the state of its ledger, None where it has none."""
    state = None
    try:
        with GitRepository.open(root, network_timeout=_PATIENCE) as repository:
            yield Check("repository", Outcome.OK, str(repository.root))
            ledger, state = _ledger(root)
            yield ledger
            yield from attempt("origin", lambda: _origin_checks(repository, governing))
            yield from attempt("origin", lambda: _program_checks(repository))
            yield from attempt("push", lambda: _push_checks(repository, governing))
            yield from attempt("clock", lambda: _clock_checks(repository, governing, state, now))
            url = repository.remote() or ""
            yield from attempt("clock", lambda: remote_clock_checks(url, now))
            yield from attempt("issued/", lambda: _clone_checks(repository, governing))
    except GitcaError as error:
        yield failed("repository", error)
    return state


def _ledger(root: Path) -> tuple[Check, LedgerState | None]:
    """Read the ledger of the checked-out commit, as everything else here goes by."""
    try:
        with open_clone(root) as clone:
            state = clone.state
    except GitcaError as error:
        return failed("ledger", error), None
    seen = f"{counted(state.head.number, 'segment')}, {counted(len(state.orders), 'order')}"
    pending = f", {len(state.pending)} of them not yet signed" if state.pending else ""
    return Check("ledger", Outcome.OK, f"{seen}{pending}; linked without a gap"), state


def _origin_checks(repository: GitRepository, governing: Governing) -> Iterator[Check]:
    """Say whether origin answers, and has the branches. Raises: BackendUnavailableError."""
    spec, url = governing.repository.spec, repository.remote()
    if url is None:
        seen = "there is none: gitca commits to the branches of this clone"
        yield Check("origin", Outcome.NOTE, seen)
        yield _branch(spec.branch, repository.local_branch(spec.branch), "this clone")
        return
    tips = repository.remote_tips(spec.branch, *filter(None, [spec.issued_branch]))
    yield Check("origin", Outcome.OK, f"{url} answers")
    tip = tips.get(spec.branch)
    if tip is not None and repository.resolve(tip) is None:
        seen = f"{spec.branch} of origin is at {tip[:12]}, which this clone does not have yet"
        yield Check("branch", Outcome.NOTE, seen, "git fetch, and look again")
    else:
        yield _branch(spec.branch, tip, "origin")
    if spec.issued_branch and spec.issued_branch not in tips:
        seen = f"origin has no branch {spec.issued_branch} yet; the first reconcile makes it"
        yield Check("issued branch", Outcome.NOTE, seen)
    elif spec.issued_branch:
        seen = f"{spec.issued_branch} of origin is at {tips[spec.issued_branch][:12]}"
        yield Check("issued branch", Outcome.OK, seen)


def _push_checks(repository: GitRepository, governing: Governing) -> Iterator[Check]:
    """Rehearse a push to where issued/ is written, of what origin has. A refusal is a warning."""
    spec = governing.repository.spec
    if repository.remote() is None:
        return
    names = dict.fromkeys((spec.issued_branch or spec.branch, spec.branch))
    try:
        tips = repository.remote_tips(*names)
    except BackendUnavailableError:
        return  # as was told of origin
    known = next((tips[name] for name in names if name in tips), None)
    tip = known if known and repository.resolve(known) == known else None
    try:
        yield from push_checks(repository, spec, tip)
    except GitcaError as error:
        remedy = f"{error.remedy}; where others reconcile, and not this account, that is right"
        yield Check("push", Outcome.WARNING, error.message, remedy)


def _program_checks(repository: GitRepository) -> Iterator[Check]:
    """Say which programs for reaching a remote the repository itself names: they are not run."""
    keys = local_programs(Git(repository.root))
    if keys:
        seen = f"the clone's own configuration sets {', '.join(keys)}, which gitca does not obey"
        remedy = "git config --global, or GIT_SSH_COMMAND, for what you need to reach origin"
        yield Check("origin", Outcome.NOTE, seen, remedy)


def _branch(branch: str, tip: str | None, where: str) -> Check:
    if tip is None:
        seen = f"{where} has no branch {branch}, which {REPOSITORY_PATH} names"
        remedy = f"git push origin {branch}" if where == "origin" else f"git branch {branch}"
        remedy = f"{remedy}, or name another in {REPOSITORY_PATH}"
        return Check("branch", Outcome.FAILED, seen, remedy)
    return Check("branch", Outcome.OK, f"{branch} of {where} is at {tip[:12]}")


def _clock_checks(
    repository: GitRepository, governing: Governing, state: LedgerState | None, now: datetime
) -> Iterator[Check]:
    yield clock_check(now, _newest_date(repository, governing.repository.spec.branch), state)


def _newest_date(repository: GitRepository, branch: str) -> datetime | None:
    """Return the date of the newest commit of HEAD and origin's branch, as this clone has them."""
    tips = (repository.resolve(ref) for ref in ("HEAD", f"refs/remotes/{ORIGIN}/{branch}"))
    git, known = Git(repository.root), [tip for tip in tips if tip]
    if not known:
        return None
    dates = as_text(git.ask("log", "--no-walk", "--no-show-signature", "--format=%ct", *known))
    return max(datetime.fromtimestamp(int(date), UTC) for date in dates.split())


def _clone_checks(repository: GitRepository, governing: Governing) -> Iterator[Check]:
    """Say whether files below `issued/` differ from HEAD, and whether history is whole."""
    if not repository.is_bare:
        yield _issued(repository)
        if governing.repository.spec.issued_branch is None:
            yield from _attributes(repository)
    if repository.is_shallow():
        seen = "this clone is shallow; a reconcile and gitca verify may need older commits"
        yield Check("history", Outcome.WARNING, seen, "git fetch --unshallow")


def _attributes(repository: GitRepository) -> Iterator[Check]:
    """Say whether Git would change bytes below `issued/` when it checks them out."""
    probe = "issued/probe.pem"
    git = Git(repository.root)
    told = as_text(git.ask("check-attr", "-z", "text", "--", probe)).split("\0")
    if told[2:3] != ["unset"]:
        seen = ".gitattributes does not keep Git from changing the ends of lines below issued/"
        remedy = "add the line `issued/** -text` to .gitattributes"
        yield Check(".gitattributes", Outcome.WARNING, seen, remedy)


def _issued(repository: GitRepository) -> Check:
    options = (
        "--porcelain",
        "-z",
        "--no-renames",
        "--untracked-files=all",
        "--ignore-submodules=all",
    )
    git = Git(repository.root)
    # A file whose dates are new is looked into, and filters would run for that.
    quiet = git.with_settings(without_filters(git))
    listed = as_text(quiet.ask("status", *options, "--", "issued")).split("\0")
    changed = [entry[3:] for entry in listed if entry]
    if not changed:
        return Check("issued/", Outcome.OK, "as the checked-out commit has it")
    seen = f"{counted(len(changed), 'file')} changed and not committed, {changed[0]} first"
    remedy = "gitca alone writes there: git restore issued, and git clean issued for new files"
    return Check("issued/", Outcome.WARNING, seen, remedy)
