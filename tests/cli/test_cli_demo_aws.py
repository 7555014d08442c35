"""demo --aws: keys in KMS, CRLs in a bucket, KMS's log beside the ledger, nothing left running."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest
from cli_command import SOURCES, Command

from aws.aws_server import AwsServer
from components import require
from gitca.cli.demo.aws_acts import hold_against_ledger, make_bucket
from gitca.cli.demo.cloud import BUCKET, Cloud
from gitca.cli.demo.story import Actor
from gitca.errors import GitcaError

SERVER = Path(__file__).parents[1] / "aws"
PROGRAMS = ("cp", "curl", "git", "grep", "openssl", "rm", "sh")
# Whatever the user has of AWS, the demo keeps away from it.
OF_THE_USER = {
    "AWS_PROFILE": "production",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_SECRET_ACCESS_KEY": "of-the-user",
}


@dataclass(frozen=True)
class Story:
    """What the demo said, and the folder it left."""

    text: str
    folder: Path


def programs(folder: Path, *, without: str = "") -> Path:
    """Return a folder with the programs that the demo needs, one of them left out."""
    found = folder / "bin"
    found.mkdir()
    for name in PROGRAMS:
        if name != without:
            (found / name).symlink_to(shutil.which(name) or name)
    return found


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The demo of a user who has curl, and not the AWS CLI."""
    require("curl")
    folder = tmp_path_factory.mktemp("demo")
    path = {"PATH": str(programs(folder))}
    answer = Command(folder)("demo", "--aws", "--into", "loop", **OF_THE_USER, **path)
    assert answer.code == 0, answer.out + answer.err
    return Story(answer.out, folder / "loop")


def endpoint_of(text: str) -> str:
    found = re.search(r"AWS_ENDPOINT_URL=(http://127\.0\.0\.1:\d+)", text)
    assert found is not None, text
    return found[1]


def answers(endpoint: str) -> bool:
    try:
        urllib.request.urlopen(endpoint, timeout=5).close()
    except urllib.error.URLError:
        return False
    return True


def test_the_story_has_every_act_in_its_order(story: Story) -> None:
    acts = [
        *("gitca init", "--signer awskms", "--publish", "pipeline$ curl", "ca/repository.yaml"),
        *("keys create root", "--sign-role", "keys create issuing", "gitca doctor", "DryRun"),
        *("gitca reconcile", "published root.crl", "16 objects", "s3://gitca-demo", "curl -sSfI"),
        *("Content-Type: application/pkix-crl", "Expires:", "request new", "plan --base"),
        "git merge",
        *("reconcile", "-crl_download", ": OK", "revoke demo/shop", "reconcile", "CRL 2"),
        *("-crl_download", "certificate revoked", "gitca verify", "Nothing contradicts"),
        *("Nothing to do", "KMS's own log", "one to one", "Where to look"),
    ]
    place = 0
    for act in acts:
        place = story.text.find(act, place)
        assert place >= 0, f"{act} is missing, or comes too early"


def test_the_story_is_tidy_at_80_columns(story: Story) -> None:
    assert max(map(len, story.text.splitlines())) <= 80
    assert "\x1b" not in story.text


def test_every_signature_of_kms_is_told_with_its_order(story: Story) -> None:
    told = re.findall(r"^  ([0-9a-f-]{36})  (ECDSA_SHA_\d+) +([0-9a-f]{12})$", story.text, re.M)
    ledger = "".join(
        path.read_text() for path in sorted((story.folder / "alice/issued/ledger").iterdir())
    )
    assert len(told) == ledger.count('"requestId"') >= 6
    assert all(request in ledger and order in ledger for request, _, order in told)
    assert f"{len(told)} signatures by KMS, {len(told)} in the ledger, one to one." in story.text


def test_no_key_is_on_disk_and_nothing_is_left_running(story: Story) -> None:
    assert not list(story.folder.glob("*/.gitca/keys"))
    assert not answers(endpoint_of(story.text))


def test_nothing_of_the_users_aws_gets_into_the_demo(story: Story) -> None:
    assert "production" not in story.text
    assert "127.0.0.1:9/" not in story.text


def test_a_signature_that_one_side_does_not_know_is_noticed(
    story: Story, aws: AwsServer, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Cloud(aws.endpoint, has_cli=False)
    with pytest.raises(GitcaError, match=r"made 0 signatures .* has \d+ that KMS knows nothing of"):
        hold_against_ledger(story.folder / "alice", other)
    arn = aws.create_key("ECC_NIST_P256")
    aws.kms().sign(KeyId=arn, Message=b"m", SigningAlgorithm="ECDSA_SHA_256")
    with pytest.raises(GitcaError, match="made 1 signatures that are not in the ledger"):
        hold_against_ledger(story.folder / "alice", other)
    assert "in no order" in capsys.readouterr().out.replace("\n", " ")


@pytest.mark.skipif(shutil.which("aws") is None, reason="no AWS CLI here")
def test_the_aws_cli_makes_the_bucket_where_there_is_one(tmp_path: Path, aws: AwsServer) -> None:
    cloud = Cloud(aws.endpoint, has_cli=True)
    pipeline = Actor("Pipeline", "pipeline$ ", tmp_path / "clone", cloud.environment())
    pipeline.folder.mkdir()
    make_bucket(pipeline, cloud)
    aws.s3().put_object(Bucket=BUCKET, Key="root.crl", Body=b"CRL")
    with urllib.request.urlopen(cloud.url("root.crl"), timeout=30) as answer:
        assert answer.read() == b"CRL"


def test_a_step_that_goes_wrong_stops_the_server_too(tmp_path: Path) -> None:
    found = programs(tmp_path, without="curl")
    (found / "curl").write_text("#!/bin/sh\necho no bucket today\nexit 22\n")
    (found / "curl").chmod(0o755)
    answer = Command(tmp_path)("demo", "--aws", "--into", "loop", PATH=str(found))
    assert answer.code == 1
    assert "no bucket today" in answer.out
    assert "gave exit code 22 where 0 was expected" in answer.err
    assert not answers(endpoint_of(answer.out))


def test_an_interrupted_demo_stops_the_server(tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(SOURCES), "PATH": str(programs(tmp_path))}
    process = subprocess.Popen(
        [sys.executable, "-m", "gitca", "demo", "--aws", "--into", str(tmp_path / "loop")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    with process:
        said = ""
        assert process.stdout is not None
        while "pipeline$" not in said:  # the server runs, and a step begins
            line = process.stdout.readline()
            assert line, said
            said += line
        process.send_signal(signal.SIGINT)
        said += process.stdout.read()
    assert process.returncode not in (0, None)
    assert "Traceback" not in said
    assert not answers(endpoint_of(said))


def test_without_a_clone_of_gitca_it_says_where_to_get_that_aws(tmp_path: Path) -> None:
    installed = tmp_path / "site-packages"
    shutil.copytree(SOURCES / "gitca", installed / "gitca")
    answer = Command(tmp_path)("demo", "--aws", "--into", "loop", PYTHONPATH=str(installed))
    assert answer.code == 2
    assert "installed without the AWS of gitca's tests" in answer.err
    assert "make demo DEMO=--aws" in answer.err
    assert not (tmp_path / "loop").exists()
    named = ("--aws-server", str(SERVER))
    (tmp_path / "loop").mkdir()
    (tmp_path / "loop/mine").touch()
    answer = Command(tmp_path)("demo", "--aws", *named, "--into", "loop", PYTHONPATH=str(installed))
    assert "loop is not empty" in answer.err


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("import a_library_that_is_not_here\n")
    answer = Command(tmp_path)("demo", "--aws", "--aws-server", ".", "--into", "loop")
    assert answer.code == 1
    assert "did not start: ModuleNotFoundError" in answer.err
    assert not (tmp_path / "loop").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--aws", "--documents", "."), "leave --documents out"),
        (("--aws-server", str(SERVER)), "give --aws as well"),
        (("--aws", "--aws-server", "nowhere"), "nowhere is not the AWS"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    answer = Command(tmp_path)("demo", *arguments)
    assert answer.code == 2
    assert words in answer.err


def test_without_a_program_to_fill_a_bucket_it_does_not_begin(tmp_path: Path) -> None:
    found = programs(tmp_path, without="curl")
    answer = Command(tmp_path)("demo", "--aws", "--into", "loop", PATH=str(found))
    assert answer.code == 2
    assert "neither aws nor curl" in answer.err
    assert not (tmp_path / "loop").exists()
