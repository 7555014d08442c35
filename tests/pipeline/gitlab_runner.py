"""Runs .gitlab-ci.yml as GitLab does: which jobs, with which variables, in which shell.

GitLab Docs, "Predefined CI/CD variables reference", "Merge request pipelines", "Protected
branches", "OpenID Connect". GitLab gives CI_JOB_TOKEN to every job; it reads.
"""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from pipeline.forge import REPOSITORY, Forge, git
from pipeline.gitlab_file import jobs_of, runs
from pipeline.runner_programs import Programs
from pipeline.workflow_file import Event

TIMEOUT_SECONDS = 240.0
_NUMBERS = count(1)


@dataclass(frozen=True)
class GitlabJob:
    """What became of a job."""

    name: str
    folder: Path
    environment: Mapping[str, str]
    succeeded: bool
    log: str

    @property
    def project(self) -> Path:
        return self.folder / "builds"


@dataclass
class GitlabRunner:
    """The runners of one project; `protected` are variables that protected branches alone have."""

    forge: Forge
    folder: Path
    machine: Mapping[str, str]
    protected: dict[str, str] = field(default_factory=dict)

    def handle(self, event: Event, source: str = "") -> dict[str, GitlabJob]:
        """Run the pipeline of an event, one job after another; stop after one that failed."""
        variables = self._predefined(event, source)
        commit = variables["CI_COMMIT_SHA"]
        done: dict[str, GitlabJob] = {}
        for name, job in jobs_of(self.forge.show(".gitlab-ci.yml", commit)).items():
            if not runs(job, variables, event.changed):
                continue
            done[name] = self._run(name, job, variables)
            if not done[name].succeeded:
                break
        return done

    def _predefined(self, event: Event, source: str) -> dict[str, str]:
        url = f"{self.forge.url}/{REPOSITORY}"
        pull = event.payload.get("pull_request")
        usual = {
            "CI": "true",
            "GITLAB_CI": "true",
            "CI_API_V4_URL": f"{self.forge.url}/api/v4",
            "CI_PIPELINE_ID": str(next(_NUMBERS)),
            "CI_PIPELINE_SOURCE": source or event.name,
            "CI_PROJECT_ID": "1",
            "CI_PROJECT_PATH": REPOSITORY,
            "CI_PROJECT_URL": url,
            "CI_SERVER_URL": self.forge.url,
            "CI_COMMIT_SHA": event.sha,
        }
        if pull is None:
            is_protected = event.branch in self.forge.protected
            return usual | {
                "CI_COMMIT_BRANCH": event.branch,
                "CI_COMMIT_REF_NAME": event.branch,
                "CI_COMMIT_REF_PROTECTED": "true" if is_protected else "false",
                **(self.protected if is_protected else {}),
            }
        # A merge request's pipeline runs for the source branch, which is not protected: no variable
        # that is protected is given to it.
        source_url = f"{self.forge.url}/{pull['head']['repo']['full_name']}"
        return usual | {
            "CI_PIPELINE_SOURCE": "merge_request_event",
            "CI_COMMIT_SHA": pull["head"]["sha"],
            "CI_COMMIT_REF_NAME": pull["head"]["ref"],
            "CI_COMMIT_REF_PROTECTED": "false",
            "CI_MERGE_REQUEST_IID": str(pull["number"]),
            "CI_MERGE_REQUEST_PROJECT_ID": "1",
            "CI_MERGE_REQUEST_PROJECT_URL": url,
            "CI_MERGE_REQUEST_SOURCE_PROJECT_URL": source_url,
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": pull["base"]["ref"],
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": pull["base"]["sha"],
        }

    def _run(self, name: str, job: Mapping[str, Any], predefined: Mapping[str, str]) -> GitlabJob:
        folder = self.folder / f"gitlab-{next(_NUMBERS)}-{name}"
        for each in ("builds", "home", "tmp"):
            (folder / each).mkdir(parents=True)
        Programs().install(folder / "bin", folder / "observed")
        token = self.forge.token("gitlab-ci-token", contents="read")
        environment = {
            **predefined,
            **self.machine,
            "CI_JOB_NAME": name,
            "CI_JOB_TOKEN": token.text,
            "CI_PROJECT_DIR": str(folder / "builds"),
            "HOME": str(folder / "home"),
            "LANG": "C.UTF-8",
            "PATH": os.pathsep.join([str(folder / "bin"), "/usr/local/bin", "/usr/bin", "/bin"]),
            "TMPDIR": str(folder / "tmp"),
            **job["variables"],
            **self._identities(job, predefined),
        }
        if job["variables"].get("GIT_STRATEGY") != "none":
            self._check_out(folder / "builds", environment)
        done = subprocess.run(
            ["bash", "-c", "\n".join(["set -eo pipefail", *job["before_script"], *job["script"]])],
            cwd=folder / "builds",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        self.forge.revoke(token)
        log = done.stdout.decode(errors="replace")
        return GitlabJob(name, folder, environment, done.returncode == 0, log)

    def _identities(self, job: Mapping[str, Any], predefined: Mapping[str, str]) -> dict[str, str]:
        """Return the OIDC tokens that a job asks for; they name its branch."""
        given = {}
        for name, asked in job.get("id_tokens", {}).items():
            given[name] = f"oidc.{secrets.token_hex(16)}"
            self.forge.identities[given[name]] = {
                "aud": asked["aud"],
                "sub": f"project_path:{REPOSITORY}:ref_type:branch:"
                f"ref:{predefined['CI_COMMIT_REF_NAME']}",
            }
        return given

    def _check_out(self, folder: Path, environment: Mapping[str, str]) -> None:
        """Fetch the commit as the runner does, with the job's token in the remote's address."""
        address = self.forge.url.replace("//", f"//gitlab-ci-token:{environment['CI_JOB_TOKEN']}@")
        commit = environment["CI_COMMIT_SHA"]
        git(folder, "init", "-q")
        git(folder, "remote", "add", "origin", f"{address}/{REPOSITORY}.git")
        depth = environment.get("GIT_DEPTH", "20")
        shallow = [] if depth == "0" else [f"--depth={depth}"]
        git(folder, "fetch", "-q", *shallow, "origin", commit)
        if depth == "0":
            # CI_REFSPECS: where no depth is asked for, all branches and tags come along.
            everything = ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
            git(folder, "fetch", "-q", "origin", *everything)
        git(folder, "checkout", "-q", "--detach", commit)
