"""docs/getting-started.md: its commands in their order, with the AWS of the tests and a bare forge.

Where the page says that something is merged, this merges it; where relying parties fetch, this
reads the bucket; where it shows what is printed, that is looked for.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aws.aws_server import AwsServer

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/getting-started.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\S+)(?: ([^\n]*))?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
RUN = {name: text for kind, name, text in BLOCKS if kind == "sh"}
SHOWN = [text.strip().splitlines() for kind, _, text in BLOCKS if kind == "text"]


def lines_of(kind: str, name: str) -> list[str]:
    found = [text for one, other, text in BLOCKS if (one, other) == (kind, name)]
    assert found, f"the page has no block {kind} {name}"
    return [line for text in found for line in text.splitlines()]


class Reader:
    """Somebody who follows the page in a folder."""

    def __init__(self, folder: Path, aws: AwsServer) -> None:
        self.folder, self.aws = folder, aws
        self.followed: list[str] = []
        program = folder / "bin/gitca"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m gitca "$@"\n')
        program.chmod(0o755)

    def start(self, command: str, *, code: int = 0) -> str:
        done = subprocess.run(
            ["sh", "-eu", "-c", command],
            cwd=self.folder,
            env=os.environ
            | self.aws.environment()
            | {
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT / "src"),
                "AWS_ENDPOINT_URL": self.aws.endpoint,
                "COLUMNS": "100",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def follow(self, name: str, *, code: int = 0) -> str:
        """Run a block of the page as it is written."""
        self.followed.append(name)
        return self.start(RUN[name], code=code)

    def merge(self, branch: str) -> None:
        """Do what the forge does when a pull request is merged."""
        self.start(
            f"git clone -q origin.git forge-{branch} && cd forge-{branch}"
            f" && git merge -q --no-ff -m merge origin/{branch} && git push -q origin main"
        )

    def fetch(self) -> None:
        """Do what the page's curl does, past the name that only relying parties resolve."""
        pattern = re.compile(r"curl -fsS http://pki\.example\.internal/(\S+) -o (\S+)")
        for line in lines_of("console", "fetch"):
            found = pattern.fullmatch(line)
            assert found is not None, line
            answer = self.aws.s3().get_object(Bucket="example-pki", Key=f"prod/{found[1]}")
            (self.folder / found[2]).write_bytes(answer["Body"].read())


@pytest.fixture
def reader(tmp_path: Path, aws: AwsServer) -> Reader:
    with contextlib.suppress(aws.s3().exceptions.BucketAlreadyOwnedByYou):
        aws.create_bucket("example-pki")  # section 1, once for all tests of a session
    return Reader(tmp_path, aws)


def words(text: str) -> str:
    return " ".join(text.split())


def check_setup(told: str, name: str) -> None:
    """Each line of the page's blocks is one that init prints."""
    printed = {line.strip() for line in told.splitlines()}
    for line in lines_of("console", name):
        assert line.strip() in printed, f"gitca init does not print: {line}"


def test_the_page_leads_from_nothing_to_a_published_crl_and_a_revocation(reader: Reader) -> None:
    told = reader.follow("init")
    check_setup(told, "setup")
    assert "12. " in told
    assert "13. " not in told
    reader.start("git init -q --bare -b main origin.git")
    reader.start("cd pki && git remote add origin ../origin.git")
    first = reader.start("cd pki && gitca doctor", code=1)
    steps = words(first.partition("Next, in this order:")[2])
    assert 0 <= steps.index("root key") < steps.index("issuing key") < steps.index("reconcile")
    reader.follow("keys")
    before = reader.follow("look before")
    assert "1. branch: git push origin main" in words(before)
    for line in SHOWN[0]:
        assert line in before
    reader.follow("push")
    reader.follow("pipeline")
    after = reader.follow("look after")
    assert "Nothing contradicts." in after
    assert "s3://example-pki/prod?region=eu-west-1 answers, and has segment" in words(after)

    assert SHOWN[1][0] in reader.follow("request")
    reader.merge("web")
    reader.follow("pipeline")
    reader.fetch()
    assert "web.pem: OK" in reader.follow("check")

    reader.follow("revoke")
    reader.merge("stop")
    reader.follow("pipeline")
    reader.fetch()
    assert SHOWN[2][0] in reader.follow("check", code=2)
    assert {*reader.followed, "init gitlab"} == set(RUN), "every block is run"


def test_what_the_page_says_of_gitlab_is_what_init_prints(reader: Reader) -> None:
    check_setup(reader.follow("init gitlab"), "setup gitlab")
    assert (reader.folder / "pki-gitlab/.gitlab-ci.yml").exists()


def test_the_pages_that_it_names_are_there() -> None:
    for page in re.findall(r"\]\(([a-z-]+\.md)\)", PAGE):
        assert (ROOT / "docs" / page).exists(), page
