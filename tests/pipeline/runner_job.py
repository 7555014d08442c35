"""One job: a machine of its own, and its steps in order.

GitHub Docs, "Variables reference" (the environment), "Workflow syntax", jobs.<job_id>.steps.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pipeline import runner_actions
from pipeline.expressions import Scope, UnknownSyntaxError, condition, fill
from pipeline.forge import Forge, Token
from pipeline.runner_programs import Programs
from pipeline.workflow_commands import Obeyed, read_assignments
from pipeline.workflow_file import check_step

SHELLS = {
    "": ("bash", "-e"),
    "bash": ("bash", "--noprofile", "--norc", "-eo", "pipefail"),
    "sh": ("sh", "-e"),
}
TIMEOUT_SECONDS = 240.0
_FILES = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY", "GITHUB_STATE")


@dataclass
class Setting:
    """What the machines have: programs, repositories of actions, and a cloud that gives roles."""

    programs: Programs
    actions: Mapping[str, Path]  # owner/name: the folder with its action.yml
    assume_role: Callable[[str, str], Mapping[str, str]]


@dataclass
class Step:
    """What became of a step."""

    name: str
    outcome: str
    log: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass
class Frame:
    """Where steps run: a job, or a composite action within it, with its own inputs and steps."""

    contexts: dict[str, Any]
    environment: dict[str, str]
    steps: dict[str, Step] = field(default_factory=dict)
    failed: bool = False

    def scope(self, environment: Mapping[str, str]) -> Scope:
        steps = {
            name: {"outputs": step.outputs, "outcome": step.outcome, "conclusion": step.outcome}
            for name, step in self.steps.items()
        }
        job = {"status": "failure" if self.failed else "success"}
        contexts = {**self.contexts, "env": dict(environment), "steps": steps, "job": job}
        return Scope(contexts, failed=self.failed)


@dataclass
class Job:
    """A job and its machine; `artifacts` are the run's."""

    folder: Path
    setting: Setting
    forge: Forge
    token: Token
    secrets: Mapping[str, str]
    contexts: Mapping[str, Any]
    artifacts: dict[str, bytes]
    name: str
    environment: Mapping[str, str]
    conclusion: str = "failure"
    done: list[Step] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    obeyed: Obeyed = field(default_factory=Obeyed)
    summary: str = ""
    added: dict[str, str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    outputs_of: dict[str, str] = field(default_factory=dict)

    @property
    def workspace(self) -> Path:
        return self.folder / "work" / "pki" / "pki"

    @property
    def temp(self) -> Path:
        return self.folder / "work" / "_temp"

    @property
    def log(self) -> str:
        return "\n".join(f"--- {step.name}: {step.outcome}\n{step.log}" for step in self.done)

    def run(self, defaults: Mapping[str, Any], content: Mapping[str, Any]) -> None:
        """Run the steps."""
        for path in (self.workspace, self.temp, self.folder / "home"):
            path.mkdir(parents=True)
        (self.folder / "event.json").write_text(json.dumps(self.contexts["github"]["event"]))
        self.setting.programs.install(self.folder / "bin", self.folder / "observed")
        chosen = {**defaults.get("run", {}), **content.get("defaults", {}).get("run", {})}
        frame = Frame(self._contexts(), dict(self.environment))
        for step in content["steps"]:
            self._step({**chosen, **step} if "run" in step else step, frame)
        self.conclusion = "failure" if frame.failed else "success"
        self.outputs = {
            name: fill(text, frame.scope(frame.environment))
            for name, text in content.get("outputs", {}).items()
        }

    def _contexts(self) -> dict[str, Any]:
        github = {
            **self.contexts["github"],
            "token": self.token.text,
            "workspace": str(self.workspace),
            "job": self.name,
            "event_path": str(self.folder / "event.json"),
        }
        runner = {"os": "Linux", "arch": "X64", "name": "runner", "temp": str(self.temp),
                  "environment": "github-hosted", "debug": "",
                  "tool_cache": str(self.folder / "tools")}  # fmt: skip
        secrets = {**self.secrets, "GITHUB_TOKEN": self.token.text}
        return {**self.contexts, "github": github, "runner": runner, "secrets": secrets}

    def _step(self, step: Mapping[str, Any], frame: Frame) -> None:
        """Run one step unless its condition says no."""
        usual = {**frame.environment, **self.added}
        scope = frame.scope(usual)
        made = Step(str(step.get("name") or step.get("id") or step.get("uses") or "run"), "skipped")
        if condition(step.get("if"), scope):
            own = {name: fill(text, scope) for name, text in step.get("env", {}).items()}
            environment = {**usual, **own}
            scope = frame.scope(environment)
            act = self._run if "run" in step else self._use
            act(step, made, environment, scope)
        if "id" in step:
            frame.steps[step["id"]] = made
        self.done.append(made)
        if made.outcome == "failure" and step.get("continue-on-error") != "true":
            frame.failed = True

    def _run(
        self, step: Mapping[str, Any], made: Step, environment: Mapping[str, str], scope: Scope
    ) -> None:
        files = {name: self.temp / f"{name.lower()}_{len(self.done)}" for name in _FILES}
        for path in files.values():
            path.touch()
        script = self.temp / f"script_{len(self.done)}.sh"
        script.write_text(fill(step["run"], scope))
        given = self.base() | environment | {name: str(path) for name, path in files.items()}
        where = self.workspace / fill(step.get("working-directory", "."), scope)
        done = subprocess.run(
            [*SHELLS[step.get("shell", "")], str(script)],
            cwd=where,
            env=given,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        made.environment, made.log = given, done.stdout.decode(errors="replace")
        made.outcome = "failure" if done.returncode else "success"
        self.obeyed.read(made.log)
        self._take(files, made)

    def _take(self, files: Mapping[str, Path], made: Step) -> None:
        made.outputs |= read_assignments(files["GITHUB_OUTPUT"].read_text())
        added = read_assignments(files["GITHUB_ENV"].read_text())
        if refused := [name for name in added if name.startswith(("GITHUB_", "RUNNER_"))]:
            raise UnknownSyntaxError(f"GITHUB_ENV may not set {refused}")
        self.added |= added
        self.paths += files["GITHUB_PATH"].read_text().splitlines()
        self.summary += files["GITHUB_STEP_SUMMARY"].read_text()

    def base(self) -> dict[str, str]:
        """Return the documented environment of every step."""
        github = self.contexts["github"]
        names = ("actor", "api_url", "base_ref", "event_name", "head_ref", "ref", "ref_name",
                 "ref_protected", "ref_type", "repository", "repository_id", "repository_owner",
                 "run_attempt", "run_id", "run_number", "server_url", "sha", "triggering_actor",
                 "workflow", "workflow_ref", "workflow_sha")  # fmt: skip
        variables = {f"GITHUB_{name.upper()}": str(github[name]) for name in names}
        identity = {}
        if self.token.allows("id-token", "write"):
            identity = {
                "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.forge.url}/oidc?api-version=2.0",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self.token.text,
            }
        return {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_EVENT_PATH": str(self.folder / "event.json"),
            "GITHUB_JOB": self.name,
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "PATH": os.pathsep.join(
                [
                    *reversed(self.paths),
                    str(self.folder / "bin"),
                    "/usr/local/bin",
                    "/usr/bin",
                    "/bin",
                ]
            ),
            "RUNNER_ARCH": "X64",
            "RUNNER_ENVIRONMENT": "github-hosted",
            "RUNNER_NAME": "runner",
            "RUNNER_OS": "Linux",
            "RUNNER_TEMP": str(self.temp),
            "RUNNER_TOOL_CACHE": str(self.folder / "tools"),
            **identity,
            **variables,
        }

    def _use(
        self, step: Mapping[str, Any], made: Step, environment: Mapping[str, str], scope: Scope
    ) -> None:
        inputs = {name: fill(text, scope) for name, text in step.get("with", {}).items()}
        uses = step["uses"]
        folder = self._composite(uses)
        if folder is not None:
            self._compose(folder, inputs, made, environment, scope)
            return
        try:
            made.outputs |= runner_actions.use(self, uses, inputs)
            made.outcome = "success"
        except runner_actions.ActionFailedError as failed:
            made.outcome, made.log = "failure", f"{uses}: {failed}"

    def _composite(self, uses: str) -> Path | None:
        """Return the folder of a composite action; None for one that has a stand-in."""
        if uses.startswith("./"):
            return self.workspace / uses
        name, _, commit = uses.partition("@")
        runner_actions.check_pinned(uses, commit)
        return self.setting.actions.get(name)

    def _compose(
        self,
        folder: Path,
        inputs: Mapping[str, str],
        made: Step,
        environment: Mapping[str, str],
        scope: Scope,
    ) -> None:
        content = yaml.load((folder / "action.yml").read_text(), Loader=yaml.BaseLoader)  # noqa: S506 - text alone, no objects
        described = content.get("inputs") or {}
        if content["runs"]["using"] != "composite" or set(inputs) - set(described):
            raise UnknownSyntaxError(f"{folder}: {sorted(inputs)}")
        given = {name: fill(each.get("default", ""), scope) for name, each in described.items()}
        contexts = {**scope.contexts, "inputs": {**given, **inputs}}
        contexts["github"] = {**contexts["github"], "action_path": str(folder)}
        for name in ("secrets", "vars"):  # "Contexts reference": not to be had in an action
            contexts.pop(name, None)
        frame = Frame(contexts, {**environment, "GITHUB_ACTION_PATH": str(folder)})
        for step in content["runs"]["steps"]:
            check_step(step, str(folder))
            self._step(step, frame)
        made.outputs |= {
            name: fill(each["value"], frame.scope(environment))
            for name, each in (content.get("outputs") or {}).items()
        }
        made.outcome = "failure" if frame.failed else "success"
