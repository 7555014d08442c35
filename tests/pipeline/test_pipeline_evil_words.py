"""An evil pull request whose files, names and branch speak to those who read the plan."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from hostile.payloads import PAYLOADS, unsafe
from markdown_judge import judge
from pipeline import secrets_search
from pipeline.attacks import Attacker, bodies, outsider
from pipeline.forge import git
from pipeline.pipeline_world import World
from pipeline.runner_job import Job

BRANCH = "x;$(touch${IFS}pwned)`touch${IFS}pwned`|touch&'\"<img>{{}}@everyone"
LONGEST_COMMENT = 65_536


def as_yaml(text: str) -> str:
    """Return a text as a YAML scalar in double quotes."""
    escaped = "".join(
        f"\\U{ord(char):08x}" if ord(char) < 32 or ord(char) > 126 or char in '"\\' else char
        for char in text
    )
    return f'"{escaped}"'


def smuggle(attacker: Attacker) -> None:
    """Write each payload wherever text is allowed, and as the name of a file where it can be."""
    for name, text in PAYLOADS.items():
        value = as_yaml(text)
        request = (
            "apiVersion: gitca/v1\nkind: CertificateRequest\n"
            f"metadata: {{owner: {value}, description: {value}, labels: {{team: {value}}}}}\n"
            f"spec:\n  policy: {value}\n  subject: {{commonName: {value}, {value}: {value}}}\n"
            f"  sans: {{dns: [{value}], email: [{value}], uri: [{value}]}}\n  csr: {value}\n"
        )
        attacker.write({f"requests/payments/words-{name}.yaml": request})
        file_name = text.replace("\0", "").replace("/", "_")[:120]
        if file_name.strip("._"):
            path = os.fsencode(attacker.clone / "requests/payments") + b"/" + _encode(file_name)
            Path(os.fsdecode(path + b".yaml")).write_text(request)


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")[:200]


def check_words(job: Job) -> None:
    """See that nobody but gitca speaks to the runner, and of files of the change alone."""
    assert job.obeyed.others == []
    assert job.obeyed.masks == []
    assert job.obeyed.stopped is None
    assert job.obeyed.annotations
    for annotation in job.obeyed.annotations:
        assert set(annotation.properties) <= {"file", "line", "col", "endLine", "title"}
        told_of = annotation.properties.get("file", "requests/payments/")
        assert told_of.startswith("requests/payments/")
        assert not unsafe(annotation.data.replace("\n", " ")), annotation


def test_names_and_values_speak_neither_to_the_runner_nor_to_the_comment(standing: World) -> None:
    mallory = outsider(standing)
    smuggle(mallory)
    pull = mallory.propose(BRANCH)
    plan, comment = standing.settle()
    job = plan.jobs["plan"]
    assert plan.conclusion == "failure"
    assert "Traceback" not in plan.log
    check_words(job)
    assert secrets_search.shown(standing, job) == []
    assert comment.jobs["comment"].obeyed.others == []
    assert comment.jobs["comment"].obeyed.annotations == []
    [body] = bodies(standing, pull)
    assert len(body) <= LONGEST_COMMENT
    # The last line is the comment's own: the commit and the run.
    found = judge(body.rstrip("\n").rpartition("\n")[0])
    assert found.problems == []
    assert all(link.startswith(f"{standing.forge.url}/") for link in found.links)
    assert judge(job.summary).problems == []
    assert not list(job.folder.parent.rglob("*pwned*"))


def plant(attacker: Attacker, mark: Path) -> None:
    """Write what would run, or lead elsewhere, where somebody obeyed it."""
    touch = f"#!/bin/sh\ntouch {mark}\n"
    action = f"runs: {{using: composite, steps: [{{run: touch {mark}, shell: sh}}]}}\n"
    python = f"open({str(mark)!r}, 'w').close()\n"
    attacker.write(
        {
            ".gitattributes": "* filter=evil diff=evil merge=evil ident export-subst\n"
            "*.yaml text eol=crlf working-tree-encoding=ISO-8859-1\n",
            ".gitmodules": '[submodule "sub"]\n\tpath = sub\n\turl = ext::sh -c touch% '
            f"{mark}\n\tupdate = !touch {mark}\n",
            ".gitconfig": f"[core]\n\tfsmonitor = touch {mark}\n\tsshCommand = touch {mark}\n",
            ".lfsconfig": f"[lfs]\n\turl = ext::touch {mark}\n",
            "action.yml": action,
            "tool/action.yml": action,
            ".github/actions/plan/action.yml": action,
            "pip.conf": "[global]\nindex-url = http://127.0.0.1:1/evil\n",
            **dict.fromkeys(
                ("sitecustomize.py", "gitca.py", "json.py", "yaml/__init__.py"), python
            ),
        }
    )
    scripts = ("hooks/post-checkout", ".githooks/post-merge", "tools/install", "gitca", "git", "sh")
    attacker.write(dict.fromkeys(scripts, touch), executable=True)
    (attacker.clone / "requests/payments").mkdir(parents=True, exist_ok=True)
    (attacker.clone / "requests/payments/environ.yaml").symlink_to("/proc/self/environ")
    (attacker.clone / "requests/payments/up").symlink_to("../../../../../..")
    git(attacker.clone, "config", "core.attributesFile", os.devnull)
    tip = git(attacker.clone, "rev-parse", "HEAD")
    git(attacker.clone, "update-index", "--add", "--cacheinfo", f"160000,{tip},sub")


def test_what_is_planted_in_a_pull_request_runs_nowhere(standing: World, tmp_path: Path) -> None:
    mallory = outsider(standing)
    mark = tmp_path / "mark"
    plant(mallory, mark)
    pull = mallory.propose("planted")
    plan, comment = standing.settle()
    assert not mark.exists()
    job = plan.jobs["plan"]
    assert [step.outcome for step in job.done][-1] == "success", plan.log  # a plan was kept
    assert secrets_search.shown(standing, job) == []
    assert "HOME=" not in plan.log + bodies(standing, pull)[0]
    assert comment.conclusion == "success"


def test_a_tree_with_a_git_folder_of_its_own_is_not_checked_out(
    standing: World, tmp_path: Path
) -> None:
    mallory = outsider(standing)
    mark = tmp_path / "mark"
    for name in (".git", ".GIT"):
        _push_git_folder(mallory, name, mark, f"folder-{name.strip('.')}")
        pull = standing.forge.pull(mallory.source, f"folder-{name.strip('.')}", mallory.name)
        plan, _ = standing.settle()
        assert "invalid path" in plan.log
        assert plan.conclusion == "failure"
        assert "made no plan" in bodies(standing, pull)[0]
    assert not mark.exists()


def _push_git_folder(attacker: Attacker, name: str, mark: Path, branch: str) -> None:
    """Push a commit whose tree holds a folder that Git would take for its own."""

    def make(*command: str, text: str) -> str:
        done = subprocess.run(
            ["git", *command], cwd=attacker.clone, input=text, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        return done.stdout.strip()

    blob = make("hash-object", "-w", "--stdin", text=f"[core]\n\tfsmonitor = touch {mark}\n")
    inner = make("mktree", text=f"100644 blob {blob}\tconfig\n")
    listed = git(attacker.clone, "ls-tree", "HEAD")
    tree = make("mktree", text=f"{listed}\n040000 tree {inner}\t{name}\n")
    commit = make("commit-tree", tree, "-p", "HEAD", text="folder")
    git(attacker.clone, "push", "-q", "origin", f"{commit}:refs/heads/{branch}")
