"""The remote: fetch and push, two at once, answers that get lost, refusals and silence."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from git_workshop import Workshop, add, plain_git

from gitca.errors import BackendUnavailableError, LostRaceError
from gitca.git.remote import RemoteRefusedError

PUSHER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from gitca.errors import LostRaceError
from gitca.git.repository import GitRepository, Identity

with GitRepository.open(Path(sys.argv[1])) as repository:
    name = sys.argv[2]
    commit = repository.commit(
        repository.fetch("main"), changes={f"issued/{name}": name.encode()}, message=name,
        author=Identity("gitca", "g@x"), when=datetime.now(UTC),
    )
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        repository.push(commit, "main")
        print("won", commit)
    except LostRaceError:
        print("lost", commit)
"""


def test_fetch_returns_the_remote_branch_and_touches_no_other_reference(workshop: Workshop) -> None:
    origin, path = workshop.pair()
    other = workshop.clone(origin, "other")
    workshop.write(other, {"requests/x.yaml": "x"})
    plain_git(other, "add", "-A")
    plain_git(other, "commit", "-q", "-m", "request")
    plain_git(other, "tag", "v1")
    plain_git(other, "push", "-q", "origin", "main", "main:side", "v1")
    repository = workshop.open(path)
    before = repository.resolve("main")
    tip = repository.fetch("main")
    assert tip == plain_git(origin, "rev-parse", "main") == repository.resolve("origin/main")
    assert repository.resolve("main") == before
    assert plain_git(path, "for-each-ref", "--format=%(refname)").splitlines() == [
        "refs/heads/main", "refs/remotes/origin/HEAD", "refs/remotes/origin/main",
    ]  # fmt: skip
    assert not (path / ".git" / "FETCH_HEAD").exists()


def test_fetch_follows_no_refspec_of_the_configuration(workshop: Workshop) -> None:
    origin, path = workshop.pair()
    plain_git(path, "config", "--replace-all", "remote.origin.fetch", "+refs/*:refs/*")
    plain_git(path, "config", "remote.origin.prune", "true")
    plain_git(path, "branch", "precious")
    plain_git(origin, "update-ref", "refs/heads/extra", "main")
    repository = workshop.open(path)
    repository.fetch("main")
    assert repository.local_branch("extra") is None
    assert repository.local_branch("precious") is not None


def test_a_branch_that_the_remote_lacks_is_none(workshop: Workshop) -> None:
    path = workshop.new()
    plain_git(path, "remote", "add", "origin", str(workshop.bare()))
    repository = workshop.open(path)
    assert repository.fetch("main") is None
    head = repository.resolve("main") or ""
    repository.push(head, "main")
    assert repository.fetch("main") == head
    assert repository.fetch("absent") is None


def test_a_push_creates_and_forwards_and_leaves_the_tracking_reference_there(
    workshop: Workshop,
) -> None:
    origin, path = workshop.pair()
    plain_git(path, "config", "--unset-all", "remote.origin.fetch")
    plain_git(path, "config", "remote.origin.mirror", "true")
    plain_git(path, "branch", "private")
    repository = workshop.open(path)
    tip = repository.fetch("main")
    commit = add(repository, tip, {"issued/b": b"b"})
    repository.push(commit, "main")
    repository.push(commit, "main")
    repository.push(commit, "issued/production")
    assert plain_git(origin, "rev-parse", "main", "issued/production").split() == [commit, commit]
    assert repository.resolve("refs/remotes/origin/main") == commit
    assert repository.resolve("refs/remotes/origin/issued/production") == commit
    assert plain_git(origin, "for-each-ref", "--format=%(refname)").splitlines() == [
        "refs/heads/issued/production", "refs/heads/main",
    ]  # fmt: skip


@pytest.mark.parametrize("seen", [True, False])
def test_a_push_that_is_no_fast_forward_loses(workshop: Workshop, seen: bool) -> None:
    origin, path = workshop.pair()
    ours, theirs = workshop.open(path), workshop.open(workshop.clone(origin, "other"))
    tip = ours.fetch("main")
    winner = add(theirs, tip, {"issued/theirs": b"x"})
    theirs.push(winner, "main")
    if seen:
        ours.fetch("main")
    plain_git(path, "config", "push.default", "matching")
    plain_git(path, "config", "--add", "remote.origin.push", "+refs/heads/*:refs/heads/*")
    with pytest.raises(LostRaceError, match="main of origin moved"):
        ours.push(add(ours, tip, {"issued/ours": b"y"}), "main")
    assert plain_git(origin, "rev-parse", "main") == winner
    assert ours.resolve("origin/main") == winner


def race(paths: list[Path]) -> list[tuple[str, str]]:
    """Push from each clone at the same moment, from processes of their own, upon one tip."""
    pushers = [
        subprocess.Popen(
            [sys.executable, "-c", PUSHER, str(path), f"{path.name}-{number}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for number, path in enumerate(paths)
    ]  # fmt: skip
    for pusher in pushers:
        assert pusher.stdout is not None
        assert pusher.stdout.readline() == "ready\n"
    for pusher in pushers:
        assert pusher.stdin is not None
        pusher.stdin.write("go\n")
        pusher.stdin.flush()
    answers = [pusher.communicate(timeout=60)[0].split() for pusher in pushers]
    assert [pusher.returncode for pusher in pushers] == [0] * len(paths)
    return [(verdict, commit) for verdict, commit in answers]


def test_of_clones_that_push_at_once_exactly_one_wins(workshop: Workshop) -> None:
    origin, _ = workshop.pair()
    paths = [workshop.clone(origin, f"clone{n}") for n in range(4)]
    for _ in range(3):
        answers = race(paths)
        winners = [commit for verdict, commit in answers if verdict == "won"]
        assert winners == [plain_git(origin, "rev-parse", "main")]
        assert sorted(verdict for verdict, _ in answers) == ["lost"] * 3 + ["won"]
    assert plain_git(origin, "rev-list", "--count", "main") == "4"
    assert plain_git(origin, "fsck", "--no-dangling") == ""


def test_of_clones_that_create_the_branch_at_once_exactly_one_wins(workshop: Workshop) -> None:
    origin = workshop.bare()
    paths = [workshop.clone(origin, f"clone{n}") for n in range(3)]
    answers = race(paths)
    winners = [commit for verdict, commit in answers if verdict == "won"]
    assert winners == [plain_git(origin, "rev-parse", "main")]


def test_runs_in_one_clone_at_once_lose_in_words_alone(workshop: Workshop) -> None:
    origin, path = workshop.pair()
    answers = race([path, path, path])
    tip = plain_git(origin, "rev-parse", "main")
    assert {commit for verdict, commit in answers if verdict == "won"} == {tip}
    assert plain_git(path, "rev-parse", "origin/main") == tip


def test_fetches_in_one_clone_at_once_all_succeed(workshop: Workshop) -> None:
    origin, path = workshop.pair()
    writer = workshop.open(workshop.clone(origin, "writer"))
    reader = workshop.open(path)
    tips: list[str | None] = []
    threads = [
        threading.Thread(target=lambda: tips.extend(reader.fetch("main") for _ in range(8)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    tip = writer.fetch("main")
    for n in range(8):
        tip = add(writer, tip, {f"issued/{n}": b"x"})
        writer.push(tip, "main")
    for thread in threads:
        thread.join()
    assert len(tips) == 32
    assert None not in tips
    assert reader.fetch("main") == tip


def lost_answer(workshop: Workshop, origin: Path, hook: str, condition: str = "true") -> None:
    """Let the remote's receive-pack be killed by a hook of its own."""
    workshop.script(
        origin / "hooks" / hook, f"cat >/dev/null; {condition} && kill -9 $PPID; exit 0"
    )


def test_a_push_that_arrived_and_whose_answer_got_lost_succeeded(workshop: Workshop) -> None:
    origin, path = workshop.pair()
    lost_answer(workshop, origin, "reference-transaction", '[ "$1" = committed ]')
    repository = workshop.open(path)
    commit = add(repository, repository.fetch("main"), {"issued/b": b"b"})
    refspec = f"{commit}:refs/heads/main"
    repository.push(commit, "main")
    assert plain_git(origin, "rev-parse", "main") == commit
    assert repository.resolve("origin/main") == commit
    later = add(repository, commit, {"issued/c": b"c"})
    assert plain_git(path, "push", "-q", "origin", refspec, check=False) == ""
    failing = subprocess.run(
        ["git", "push", "-q", "origin", f"{later}:refs/heads/main"], cwd=path,
        capture_output=True, check=False,
    )  # fmt: skip
    assert failing.returncode != 0  # the trap works: plain Git takes it for a failure


def test_an_arrived_push_succeeded_even_when_others_pushed_on_top(workshop: Workshop) -> None:
    origin, path = workshop.pair()
    repository = workshop.open(path)
    commit = add(repository, repository.fetch("main"), {"issued/b": b"b"})
    top = add(repository, commit, {"issued/c": b"c"})
    plain_git(path, "push", "-q", "origin", f"{top}:refs/heads/main")
    repository.push(commit, "main")
    assert plain_git(origin, "rev-parse", "main") == top
    assert repository.resolve("origin/main") == top


def test_a_push_that_broke_before_it_arrived_may_be_run_again(workshop: Workshop) -> None:
    origin, path = workshop.pair()
    lost_answer(workshop, origin, "pre-receive")
    repository = workshop.open(path)
    tip = repository.fetch("main")
    commit = add(repository, tip, {"issued/b": b"b"})
    with pytest.raises(BackendUnavailableError, match="did not arrive"):
        repository.push(commit, "main")
    assert plain_git(origin, "rev-parse", "main") == tip
    (origin / "hooks" / "pre-receive").unlink()
    repository.push(commit, "main")
    assert plain_git(origin, "rev-parse", "main") == commit


def test_a_push_that_broke_while_the_branch_moved_lost(workshop: Workshop) -> None:
    origin, path = workshop.pair()
    repository = workshop.open(path)
    tip = repository.fetch("main")
    theirs = add(repository, tip, {"issued/theirs": b"x"})
    plain_git(path, "push", "-q", "origin", f"{theirs}:refs/heads/side")
    move = f"env -u GIT_QUARANTINE_PATH git update-ref refs/heads/main {theirs}; kill -9 $PPID"
    workshop.script(origin / "hooks" / "pre-receive", move)
    with pytest.raises(LostRaceError):
        repository.push(add(repository, tip, {"issued/ours": b"y"}), "main")
    assert repository.resolve("origin/main") == theirs


def test_a_branch_that_another_push_has_locked_is_a_lost_race(workshop: Workshop) -> None:
    origin, path = workshop.pair()
    repository = workshop.open(path)
    commit = add(repository, repository.fetch("main"), {"issued/b": b"b"})
    (origin / "refs" / "heads" / "main.lock").touch()
    with pytest.raises(LostRaceError, match="another writes main of origin"):
        repository.push(commit, "main")
    (origin / "refs" / "heads" / "main.lock").unlink()
    repository.push(commit, "main")


@pytest.mark.parametrize(("there", "wanted"), [("issued/x", "issued"), ("issued", "issued/x/y")])
def test_a_branch_beside_which_the_remote_can_have_none_is_named(
    workshop: Workshop, there: str, wanted: str
) -> None:
    origin, path = workshop.pair()
    repository = workshop.open(path)
    commit = add(repository, repository.fetch("main"), {"issued/b": b"b"})
    plain_git(origin, "branch", there, "main")
    with pytest.raises(RemoteRefusedError, match=f"branch {wanted} beside its branch {there};"):
        repository.push(commit, wanted)
    plain_git(origin, "branch", "-D", there)
    repository.push(commit, wanted)


@pytest.mark.parametrize("hook", ["pre-receive", "update"])
def test_a_refusing_hook_is_quoted_and_is_no_race(workshop: Workshop, hook: str) -> None:
    origin, path = workshop.pair()
    words = "GH006: Protected branch; cannot lock ref; fetch first; https://bot:s3cret@x/y"
    workshop.script(origin / "hooks" / hook, f"echo '{words}' >&2; exit 1")
    repository = workshop.open(path)
    tip = repository.fetch("main")
    with pytest.raises(RemoteRefusedError, match="GH006: Protected branch") as caught:
        repository.push(add(repository, tip, {"issued/b": b"b"}), "main")
    assert caught.value.exit_code == 4
    assert "s3cret" not in str(caught.value)
    assert "branch rule" in caught.value.remedy
    assert plain_git(origin, "rev-parse", "main") == tip
    assert repository.resolve("origin/main") == tip


def test_a_branch_that_is_checked_out_at_the_remote_is_a_refusal(workshop: Workshop) -> None:
    seed = workshop.new("seed")
    path = workshop.clone(seed, "work")
    repository = workshop.open(path)
    with pytest.raises(RemoteRefusedError, match="checked out"):
        repository.push(add(repository, repository.fetch("main"), {"b": b"b"}), "main")


def test_a_remote_that_is_gone_is_unreachable_and_the_push_stays_open(workshop: Workshop) -> None:
    origin, path = workshop.pair()
    repository = workshop.open(path)
    tip = repository.fetch("main")
    origin.rename(origin.with_name("gone.git"))
    with pytest.raises(BackendUnavailableError, match="does not appear to be a git repository"):
        repository.fetch("main")
    with pytest.raises(BackendUnavailableError, match="whether it arrived cannot be known"):
        repository.push(add(repository, tip, {"b": b"b"}), "main")
    assert repository.resolve("origin/main") == tip


def test_an_unreachable_url_is_named_without_its_password(workshop: Workshop) -> None:
    path = workshop.new()
    url = "http://bot:s3cret@127.0.0.1:9/ca.git?private_token=t0ken"
    plain_git(path, "remote", "add", "origin", url)
    repository = workshop.open(path)
    assert repository.remote() == "http://***@127.0.0.1:9/ca.git?***"
    with pytest.raises(BackendUnavailableError) as caught:
        repository.fetch("main")
    assert "127.0.0.1" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert "t0ken" not in str(caught.value)


def test_a_silent_remote_is_given_up_and_its_processes_end(workshop: Workshop) -> None:
    _, path = workshop.pair()
    pids = workshop.top / "pids"
    silent = workshop.script(workshop.top / "silent", f"echo $$ >>{pids}; exec sleep 300")
    repository = workshop.open(path, network_timeout=1.0)
    tip = repository.fetch("main")
    _reach_by(path, silent)
    began = time.monotonic()
    with pytest.raises(BackendUnavailableError, match="no answer within 1 s"):
        repository.fetch("main")
    with pytest.raises(BackendUnavailableError, match="cannot be known"):
        repository.push(add(repository, tip, {"b": b"b"}), "main")
    assert time.monotonic() - began < 20
    for pid in pids.read_text().split():
        assert _ends(int(pid))


def _reach_by(path: Path, program: Path) -> None:
    """Let the user's own configuration reach origin by a program in the place of ssh."""
    plain_git(path, "remote", "set-url", "origin", "ssh://ca.invalid/ca.git")
    plain_git(path, "config", "--global", "core.sshCommand", str(program))
    plain_git(path, "config", "--global", "ssh.variant", "simple")


def _ends(pid: int) -> bool:
    """Whether a process is gone within seconds; signals take a moment."""
    return any(not _is_running(pid) or time.sleep(0.05) for _ in range(100))


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_clone_without_a_remote_says_so(workshop: Workshop) -> None:
    repository = workshop.open(workshop.new())
    assert repository.remote() is None
    assert repository.remote("--all") is None
    with pytest.raises(BackendUnavailableError, match="origin"):
        repository.fetch("main")


def test_a_shallow_clone_fetches_commits_and_pushes(workshop: Workshop) -> None:
    origin, path = workshop.pair()
    full = workshop.open(path)
    tip = full.fetch("main")
    for n in range(3):
        tip = add(full, tip, {f"issued/{n}": b"x"})
    full.push(tip or "", "main")
    shallow = workshop.open(workshop.clone(f"file://{origin}", "shallow", "--depth=1"))
    commit = add(shallow, shallow.fetch("main"), {"issued/new": b"y"})
    shallow.push(commit, "main")
    assert full.fetch("main") == commit
    again = add(full, commit, {"issued/newer": b"z"})
    full.push(again, "main")
    assert shallow.fetch("main") == again
    assert shallow.is_ancestor(commit, again)


def test_an_interrupted_run_leaves_nothing_running(workshop: Workshop) -> None:
    _, path = workshop.pair()
    pids = workshop.top / "pids"
    silent = workshop.script(workshop.top / "silent", f"echo $$ >>{pids}; exec sleep 300")
    _reach_by(path, silent)
    code = (
        "import sys; from pathlib import Path; from gitca.git.repository import GitRepository\n"
        f"GitRepository.open(Path({str(path)!r})).fetch('main')"
    )
    run = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.DEVNULL,
                           stderr=subprocess.PIPE)  # fmt: skip
    while not pids.exists() or not pids.read_text():
        time.sleep(0.05)
    run.send_signal(2)
    _, words = run.communicate(timeout=30)
    assert b"KeyboardInterrupt" in words
    assert _ends(int(pids.read_text()))
