"""Histories of a whole system, step by step: people, reconcilers, clocks, a remote, signers.

Every step is told by numbers and words alone, so that a history can be written down and played
again (`histories/*.json`). After every step an outside judge looks at the remote; at the end the
next run has to finish what is left, and `verify` to find nothing.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from nursery import Nursery, Reconciler
from outside_judge import OutsideJudge
from reconciler_process import FAILURES, PLACES
from remote_moods import MOODS, Remote

from ca_documents import authority, policy, request, revocation
from ca_world import NOW, Clock, Clone, KeyRing, git, kinds

NAMES = ("api", "web", "shop", "mail")
CLONES = ("one", "two")
MOST_AT_ONCE = 3
POLICIES: Mapping[str, str] = {
    "usual": policy(),
    "shorter": policy(validity={"default": "20d", "max": "90d", "backdate": "5m"}),
    "denying": policy(sans={"dns": {"allow": ["**.example.org"]}}),
    "broken": "apiVersion: gitca/v1\nkind: IssuancePolicy\nspec: [\n",
}
STATES = ("active", "crl-only")
VARIANTS: Mapping[str, dict[str, object]] = {
    "usual": {},
    "shorter": {"validity": "15d"},
    "client": {"extendedKeyUsage": ["clientAuth"]},
    "forbidden": {"sans": {"dns": ["vault.example.internal"]}},
}
TICKS = (-45, -1, 0, 1, 5, 11, 60, 24 * 60, 5 * 24 * 60, 21 * 24 * 60)
"""Minutes that a clock can step: back, on, beyond a lease, a CRL's life, a renewal."""


@dataclass(frozen=True)
class Stage:
    """What all histories begin with: a bare origin and two clones of it, CAs and CRLs made."""

    folder: Path
    keys: KeyRing
    nursery: Nursery

    @classmethod
    def create(cls, folder: Path, keys: KeyRing, nursery: Nursery) -> Stage:
        clone = Clone.create(folder / "one", keys)
        assert clone.reconcile().exit_code == 0
        clone.with_origin(folder / "origin.git")
        # A path from the clone, so that a copy of the whole folder has its own origin.
        git(clone.folder, "remote", "set-url", "origin", "../origin.git")
        shutil.copytree(folder / "one", folder / "two")
        for hook in folder.glob("*/.git/hooks/*"):
            hook.unlink()
        return cls(folder, keys, nursery)


class Histories(RuleBasedStateMachine):
    """The steps that a history is made of. `stage`, `place` and `tally` are set by the test."""

    stage: Stage
    place: Path
    tally: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.history: list[list[object]] = []
        self.folder = self.place / "now"
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.stage.folder, self.folder)
        self.remote = Remote(self.folder / "origin.git")
        self.judge = OutsideJudge(self.remote.folder, self.folder / "log")
        self.running: list[Reconciler] = []
        self.now = NOW + timedelta(hours=1)
        self.latest = self.now
        self.revoked: set[str] = set()
        self.runs = 0
        self.tally["histories"] += 1

    # What people do.

    @rule(name=st.sampled_from(NAMES), variant=st.sampled_from(sorted(VARIANTS)))
    def ask(self, name: str, variant: str) -> None:
        text = request(name, f"{name}.example.internal", **VARIANTS[variant])
        self._step("ask", name=name, variant=variant)
        self._push({f"requests/{name}.yaml": text})

    @rule(name=st.sampled_from(NAMES))
    def take_back(self, name: str) -> None:
        self._step("take_back", name=name)
        self._push({f"requests/{name}.yaml": None})

    @rule(name=st.sampled_from(NAMES), reason=st.sampled_from(["keyCompromise", "superseded"]))
    def revoke(self, name: str, reason: str) -> None:
        self._step("revoke", name=name, reason=reason)
        self.revoked.add(name)
        text = revocation(reason, certificate=name)
        self._push({f"requests/{name}-revoked.yaml": text})

    @rule(name=st.sampled_from(NAMES))
    def take_back_revocation(self, name: str) -> None:
        self._step("take_back_revocation", name=name)
        self._push({f"requests/{name}-revoked.yaml": None})

    @rule(text=st.sampled_from(sorted(POLICIES)))
    def change_policy(self, text: str) -> None:
        self._step("change_policy", text=text)
        self._push({"policies/server.yaml": POLICIES[text]})

    @rule(state=st.sampled_from(STATES))
    def change_authority(self, state: str) -> None:
        self._step("change_authority", state=state)
        self._push({"ca/issuing.yaml": authority("issuing", "root", state=state)})

    # What happens to machines.

    @rule(minutes=st.sampled_from(TICKS))
    def tick(self, minutes: int) -> None:
        self._step("tick", minutes=minutes)
        self.now += timedelta(minutes=minutes)
        self.latest = max(self.now, self.latest)

    @precondition(lambda self: len(self.running) < MOST_AT_ONCE)
    @rule(
        clone=st.sampled_from(CLONES),
        stop=st.sampled_from(["", *PLACES]),
        mood=st.sampled_from(MOODS),
        fail=st.sampled_from(["", "", "", *FAILURES]),
        fail_after=st.integers(0, 2),
        skew=st.sampled_from([0, 0, 0, -3, 3]),
    )
    def start(
        self, clone: str, stop: str, mood: str, fail: str, fail_after: int, skew: int
    ) -> None:
        self._step(
            "start",
            clone=clone, stop=stop, mood=mood, fail=fail, fail_after=fail_after, skew=skew,
        )  # fmt: skip
        self.tally[f"signer: {fail}"] += bool(fail)
        self.runs += 1
        run = self.stage.nursery.start(
            self.folder / clone,
            f"{self.runs:016x}",
            origin=str(self.remote.folder),
            log=str(self.judge.log),
            now=self._seconds(skew),
            stop=stop,
            fail=fail,
            fail_after=fail_after,
        )
        run.may_contradict = fail == "garble"
        self.running.append(run)
        self._wait(run, mood)

    @precondition(lambda self: self.running)
    @rule(
        which=st.integers(0, MOST_AT_ONCE - 1),
        stop=st.sampled_from(["", *PLACES]),
        mood=st.sampled_from(MOODS),
    )
    def go_on(self, which: int, stop: str, mood: str) -> None:
        self._step("go_on", which=which, stop=stop, mood=mood)
        run = self.running[which % len(self.running)]
        if run.at == "push":
            self.remote.release()
        else:
            run.go_on(now=self._seconds(0), stop=stop)
        self._wait(run, mood)

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, MOST_AT_ONCE - 1), arrives=st.booleans())
    def kill(self, which: int, arrives: bool) -> None:
        """SIGKILL where it stands; its push, if one stands, arrives now or not before the end."""
        self._step("kill", which=which, arrives=arrives)
        run = self.running.pop(which % len(self.running))
        self.tally[f"killed: at {run.at}"] += 1
        run.kill()
        self.judge.forget(run.run)
        if run.at == "push" and arrives:
            self.remote.release()

    @precondition(lambda self: self.remote.is_holding and not self._pusher())
    @rule()
    def late_push_arrives(self) -> None:
        """The push of a run that is dead by now."""
        self._step("late_push_arrives")
        self.remote.release()

    # What always holds.

    @invariant()
    def nothing_is_wrong_at_the_remote(self) -> None:
        self.judge.look()

    def teardown(self) -> None:
        try:
            self._finish()
        finally:
            for run in self.running:
                run.kill()
            if self.remote.is_holding:
                self.remote.release()

    def _finish(self) -> None:
        """Everybody dies; the documents become sound; the next run finishes, and verify passes."""
        for run in self.running:
            run.kill()
            self.judge.forget(run.run)
        self.remote.calm()
        if self.remote.is_holding:
            self.remote.release()
        self.judge.look()
        self.now = self.latest + timedelta(hours=1)
        self._push(
            {
                "policies/server.yaml": POLICIES["usual"],
                "ca/issuing.yaml": authority("issuing", "root"),
                "requests/last.yaml": request("last", "last.example.internal"),
            }
        )
        clone = Clone(self.folder / "one", self.stage.keys, Clock(self.now))
        git(clone.folder, "config", "gc.auto", "0")
        run = self.stage.nursery.start(
            clone.folder, "f" * 16, origin=str(self.remote.folder), log=str(self.judge.log),
            now=self._seconds(0), take_over=True,
        )  # fmt: skip
        run.wait()
        assert run.code in {0, 1}, run.told
        self.judge.look()
        self.judge.settle()
        self._check(clone, str(run.told["words"]))

    def _check(self, clone: Clone, words: str) -> None:
        assert words == "", "the working tree shows what was pushed"
        assert clone.tip == self.judge.tip
        clone.clock.now = self.now + timedelta(minutes=1)
        assert kinds(clone.plan().actions) == [], "I4: the plan after a reconcile is empty"
        state = clone.state
        # One that a revocation document names which is in error waits until that is mended.
        waiting = {record.certificate.request for record in state.pending.values()}
        assert waiting <= self.revoked, "orders that wait for nothing"
        lost = [
            name
            for name in (*NAMES, "last")
            if f"requests/{name}.yaml" in clone.paths("requests") and name not in self.revoked
            if "forbidden" not in self._variant(name)
            if not (record := state.requests.get(name)) or record.current is None
        ]
        assert lost == [], "requests without a certificate"
        report = clone.verify()
        assert report.contradictions == []
        self.tally["verified certificates"] += report.checked["certificates"]
        self.tally["verified CRLs"] += report.checked["CRLs"]
        self.tally["signatures"] += len(self.judge.uses)

    def _variant(self, name: str) -> str:
        """Return how a request was asked for last."""
        asked = [step[1] for step in self.history if step[0] == "ask"]
        return next((item["variant"] for item in reversed(asked) if item["name"] == name), "")

    def _wait(self, run: Reconciler, mood: str) -> None:
        """Let a run go on under a mood of the remote until it stands, or has ended."""
        if self.remote.is_holding and mood == "hold":
            mood = ""  # one push at a time can stand
        was_holding = self.remote.is_holding
        self.tally[f"remote: {mood}"] += bool(mood)
        self.remote.turn(mood)
        run.wait(lambda: not was_holding and self.remote.is_holding)
        self.remote.calm()
        if run.is_alive:
            self.tally[f"stalled: at {run.at}"] += 1
            return
        self.running.remove(run)
        allowed = {0, 1, 3, 4} | ({5} if run.may_contradict else set())
        assert run.code in allowed, run.told
        self.tally[f"ended: exit code {run.code}"] += 1
        if run.told.get("error") and re.search("push|fetched|moved", run.told["words"]):
            # What it signed could not be committed; its memory of it has gone with it.
            self.judge.forget(run.run)
        self.tally["lost races"] += run.told.get("lost_races", 0)

    def _pusher(self) -> bool:
        return any(run.at == "push" for run in self.running)

    def _seconds(self, skew: int) -> int:
        return int((self.now + timedelta(minutes=skew)).timestamp())

    def _step(self, step: str, **told: object) -> None:
        self.tally["steps"] += 1
        self.history.append([step, told])
        (self.place / "history.json").write_text(json.dumps(self.history))

    def _push(self, files: Mapping[str, str | None]) -> None:
        """Put a person's commit on the remote's branch, whoever is in the middle of what."""
        self.remote.take(files)


def replay(machine: Histories, history: list[list[Any]]) -> None:
    """Play a history that was written down, and check it as it was checked then."""
    try:
        machine.nothing_is_wrong_at_the_remote()
        for name, told in history:
            getattr(machine, name)(**told)
            machine.nothing_is_wrong_at_the_remote()
    finally:
        machine.teardown()
