"""Runs workflow files as GitHub does: which start, with which token, secrets and environment.

GitHub Docs, "Events that trigger workflows", "Secure use reference", "Use GITHUB_TOKEN for
authentication in workflows", "Deployments and environments".
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.expressions import Scope, condition, evaluate, fill, to_text
from pipeline.forge import ACTIONS, BOT, REPOSITORY, Forge, git
from pipeline.runner_job import Job, Setting
from pipeline.workflow_file import Event, Workflow, parse

# "Permissions for the GITHUB_TOKEN": what a repository gives where its setting is "restricted".
_USUAL = {"contents": "read", "packages": "read"}
SUBJECT = "example@1/pki@1"
_NUMBERS = itertools.count(1)


@dataclass
class Run:
    """One run of a workflow: its jobs, and what they left."""

    number: int
    workflow: Workflow
    event: Event
    jobs: dict[str, Job] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, bytes] = field(default_factory=dict)
    described: dict[str, Any] = field(default_factory=dict)  # as the API describes it

    @property
    def name(self) -> str:
        return self.workflow.name

    @property
    def conclusion(self) -> str:
        if self.refused or any(job.conclusion == "failure" for job in self.jobs.values()):
            return "failure"
        ran = any(job.conclusion == "success" for job in self.jobs.values())
        return "success" if ran else "skipped"

    @property
    def log(self) -> str:
        return "\n".join(job.log for job in self.jobs.values())


@dataclass
class Runner:
    """The runners of one forge; `setting` is what their machines have."""

    forge: Forge
    setting: Setting
    folder: Path
    groups: dict[str, threading.Lock] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)

    def settle(self) -> list[Run]:
        """Run everything that the forge's events start, and what that starts, to its end."""
        made: list[Run] = []
        while self.forge.events:
            made += self.handle(self.forge.events.pop(0))
        return made

    def handle(self, event: Event) -> list[Run]:
        """Run the workflows that one event starts."""
        return [self.run(flow, event) for flow in self.workflows(event) if flow.starts_on(event)]

    def workflows(self, event: Event) -> list[Workflow]:
        """Return the workflow files of the event: of a pull request, those of its trial merge."""
        # workflow_run and schedule: "Last commit on default branch".
        commit = event.sha
        paths = [
            path
            for path in self.forge.tree(commit)
            if path.startswith(".github/workflows/") and path.count("/") == 2
        ]
        return [parse(path, self.forge.show(path, commit)) for path in sorted(paths)]

    def run(self, workflow: Workflow, event: Event) -> Run:
        """Run all jobs of a workflow, one after another."""
        run = Run(next(_NUMBERS), workflow, event)
        with self.forge.lock:
            self.forge.runs[run.number] = run
            self.runs.append(run)
        contexts = {"github": self._github(run), "inputs": {}, "vars": self.forge.variables}
        with self._group(workflow.content.get("concurrency"), Scope(contexts)):
            for name in _in_order(workflow.jobs):
                self._run_job(run, name, contexts)
        if event.name != "workflow_run":
            self._tell_completed(run)
        return run

    def _run_job(self, run: Run, name: str, contexts: Mapping[str, Any]) -> None:
        content = run.workflow.jobs[name]
        needs = {each: run.jobs[each] for each in _needs(content) if each in run.jobs}
        scope = Scope(
            {
                **contexts,
                "needs": {
                    each: {"result": job.conclusion, "outputs": job.outputs}
                    for each, job in needs.items()
                },
            },
            failed=any(run.jobs[each].conclusion != "success" for each in needs)
            or len(needs) != len(_needs(content)),
        )
        if not condition(content.get("if"), scope):
            return
        environment = _environment(content, scope)
        protection = self.forge.environments.get(environment) if environment else None
        branch = run.event.ref.removeprefix("refs/heads/")
        if protection is not None and (
            run.event.ref == branch or branch not in protection.branches
        ):
            run.refused[name] = f'{run.event.ref} is not allowed to deploy to "{environment}"'
            return
        with self._group(content.get("concurrency"), scope):
            job = self._job(run, name, scope, environment)
            run.jobs[name] = job
            try:
                job.run(run.workflow.content.get("defaults", {}), content)
            finally:
                self.forge.revoke(job.token)
            self._check(run, job, str(content.get("name", name)))

    def _check(self, run: Run, job: Job, name: str) -> None:
        """Tell the rules what passed for a commit; the last run of a name counts."""
        pull = run.event.payload.get("pull_request")
        passed = self.forge.checks.setdefault(pull["head"]["sha"] if pull else run.event.sha, set())
        (passed.add if job.conclusion == "success" else passed.discard)(name)

    def _job(self, run: Run, name: str, scope: Scope, environment: str) -> Job:
        content = run.workflow.jobs[name]
        protection = self.forge.environments.get(environment) if environment else None
        secrets: dict[str, str] = {}
        if protection is not None and not run.event.from_fork:
            secrets = dict(protection.secrets)
        granted = self._permissions(run, content)
        claims = {"subject": _subject(run.event, environment)} if "id-token" in granted else {}
        with self.forge.lock:
            token = self.forge.token(ACTIONS, **granted, **claims)
        variables = {**self.forge.variables, **(protection.variables if protection else {})}
        return Job(
            folder=self.folder / f"run-{run.number}-{name}",
            setting=self.setting,
            forge=self.forge,
            token=token,
            secrets=secrets,
            contexts={**scope.contexts, "vars": variables},
            artifacts=run.artifacts,
            name=name,
            environment={
                **_texts(run.workflow.content.get("env", {}), scope),
                **_texts(content.get("env", {}), Scope({**scope.contexts, "vars": variables})),
            },
        )

    def _permissions(self, run: Run, content: Mapping[str, Any]) -> dict[str, str]:
        asked = content.get("permissions", run.workflow.content.get("permissions"))
        granted = dict(_USUAL if asked is None else asked or {})
        if run.event.from_fork:
            # A fork's token reads at most, and there is no id-token for it.
            granted = {scope: "read" for scope, access in granted.items() if access != "none"}
            granted.pop("id-token", None)
        granted.pop("workflows", None)  # no GITHUB_TOKEN may change workflow files
        return granted

    def _github(self, run: Run) -> dict[str, Any]:
        event = run.event
        pull = event.payload.get("pull_request", {})
        return {
            "actor": event.actor,
            "triggering_actor": event.actor,
            "api_url": f"{self.forge.url}/api/v3",
            "base_ref": pull.get("base", {}).get("ref", ""),
            "event": dict(event.payload),
            "event_name": event.name,
            "head_ref": pull.get("head", {}).get("ref", ""),
            "ref": event.ref,
            "ref_name": event.ref.split("/", 2)[2],
            "ref_protected": str(event.ref.removeprefix("refs/heads/") in self.forge.protected),
            "ref_type": "branch",
            "repository": REPOSITORY,
            "repository_owner": REPOSITORY.partition("/")[0],
            "repository_id": "1",
            "run_attempt": "1",
            "run_id": str(run.number),
            "run_number": str(run.number),
            "server_url": self.forge.url,
            "sha": event.sha,
            "workflow": run.name,
            "workflow_ref": f"{REPOSITORY}/{run.workflow.path}@{event.ref}",
            "workflow_sha": event.sha,
        }

    def _tell_completed(self, run: Run) -> None:
        """Tell the pipelines that a run is over; they take their files from the main branch."""
        event, main = run.event, self.forge.tip()
        pull = event.payload.get("pull_request")
        head = pull["head"] if pull else {"ref": event.branch, "sha": event.sha}
        described = {
            "id": run.number,
            "name": run.name,
            "path": run.workflow.path,
            "run_attempt": 1,
            "event": event.name,
            "status": "completed",
            "conclusion": run.conclusion,
            "head_branch": head["ref"],
            "head_sha": head["sha"],
            "head_repository": head.get("repo", self.forge.repository(REPOSITORY)),
            "repository": self.forge.repository(REPOSITORY),
            # GitHub lists no pull request of a fork here.
            "pull_requests": [pull] if pull and not event.from_fork else [],
            "actor": {"login": event.actor},
        }
        run.described = described
        payload = {
            "action": "completed",
            "workflow_run": described,
            "workflow": {"name": run.name, "path": run.workflow.path},
            **self.forge.common(event.actor),
        }
        told = Event(
            "workflow_run", "refs/heads/main", main, payload, event.actor, branch=head["ref"]
        )
        self.forge.events.append(told)

    def _group(self, written: Any, scope: Scope) -> threading.Lock:
        """Return the lock of a concurrency group; a lock of its own where there is none."""
        if written is None:
            return threading.Lock()
        name = written if isinstance(written, str) else written["group"]
        with self.forge.lock:
            return self.groups.setdefault(fill(name, scope), threading.Lock())


def on_main(forge: Forge, name: str, **payload: Any) -> Event:
    """Return a scheduled run or one by hand, on the main branch."""
    main = forge.tip()
    told = {**forge.common("alice"), **payload}
    return Event(name, "refs/heads/main", main, told, "alice", branch="main")


def _subject(event: Event, environment: str) -> str:
    """Return the subject of a job's OIDC token ("OpenID Connect reference").

    Of a repository that is made today it names owner and repository by number, too.
    """
    if environment:
        return f"repo:{SUBJECT}:environment:{environment}"
    if event.name == "pull_request":
        return f"repo:{SUBJECT}:pull_request"
    return f"repo:{SUBJECT}:ref:{event.ref}"


def _environment(content: Mapping[str, Any], scope: Scope) -> str:
    written = content.get("environment", "")
    name = written if isinstance(written, str) else written["name"]
    return fill(name, scope)


def _texts(mapping: Mapping[str, str] | str, scope: Scope) -> dict[str, str]:
    return {name: fill(text, scope) for name, text in dict(mapping or {}).items()}


def _needs(content: Mapping[str, Any]) -> list[str]:
    needs = content.get("needs", [])
    return [needs] if isinstance(needs, str) else list(needs)


def _in_order(jobs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the names of jobs, each behind those that it needs."""
    done: list[str] = []
    while len(done) < len(jobs):
        ready = [name for name in jobs if name not in done and set(_needs(jobs[name])) <= set(done)]
        assert ready, f"jobs need each other: {sorted(set(jobs) - set(done))}"
        done.append(ready[0])
    return done


__all__ = ["BOT", "Run", "Runner", "evaluate", "git", "on_main", "to_text"]
