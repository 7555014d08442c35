"""An AWS on this machine: the one of gitca's own tests, started for a demo and stopped after it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gitca.errors import GitcaError, UsageError

REGION = "eu-west-1"
BUCKET = "gitca-demo"
TARGET = f"s3://{BUCKET}?region={REGION}"
# What is on this machine is not asked for at a proxy that the user has; programs read either name.
DIRECT = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
ROLE = "arn:aws:iam::123456789012:role/gitca"  # the account that AWS's own examples have
_BESIDE = Path("tests", "aws")
_CONTROL = "aws-of-the-tests"
_STOPPING = 10  # seconds to end by itself


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where this AWS answers, and what it can be asked besides AWS's own operations."""

    endpoint: str
    has_cli: bool

    def url(self, name: str) -> str:
        """Return the URL of an object in the demo's bucket."""
        return f"{self.endpoint}/{BUCKET}/{name}"

    def environment(self) -> Mapping[str, str]:
        """Return what makes AWS's own tools and gitca use this AWS and no other."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "demo",
            "AWS_SECRET_ACCESS_KEY": "demo",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            **DIRECT,
        }

    def act_as(self, role: str) -> None:
        """From now on hold every call of KMS against the key's policy, for a role."""
        self._ask("PUT", "switches", {"caller": role})

    def signs(self) -> list[Mapping[str, str]]:
        """Return every Sign that made a signature: request_id, key (its ARN), algorithm."""
        made: list[Mapping[str, str]] = self._ask("GET", "log")["signs"]
        return made

    def _ask(
        self, method: str, what: str, body: Mapping[str, str] | None = None
    ) -> dict[str, list[Mapping[str, str]]]:
        import urllib.request

        request = urllib.request.Request(  # noqa: S310 - the endpoint is the server's own answer
            f"{self.endpoint}/{_CONTROL}/{what}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=30) as answer:
                found: dict[str, list[Mapping[str, str]]] = json.load(answer)
        except OSError as error:
            raise GitcaError(f"the demo stopped: its AWS does not answer ({error})") from error
        return found or {}


def check_programs() -> None:
    """Check that something can make a bucket. Raises: UsageError."""
    if not shutil.which("aws") and not shutil.which("curl"):
        raise UsageError(
            "there is neither aws nor curl here, to make a bucket", remedy="install curl"
        )


def server_folder(chosen: Path | None) -> Path:
    """Return the folder of the server: a chosen one, or that of the clone that runs.

    Raises: UsageError when there is none.
    """
    folder = chosen or Path(__file__).parents[4] / _BESIDE
    if not (folder / "__main__.py").is_file():
        what = f"{folder} is not the AWS" if chosen else "this gitca was installed without the AWS"
        raise UsageError(
            f"{what} of gitca's tests, which --aws plays with",
            remedy="run `make demo DEMO=--aws` in a clone of gitca's repository, or name the "
            f"clone's folder: --aws-server CLONE/{_BESIDE.as_posix()}",
        )
    return folder


@contextmanager
def running_cloud(folder: Path) -> Iterator[Cloud]:
    """Start the server and give it; it is stopped in any case. Raises: GitcaError."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as complaints:
        # The server ends when its standard input does, so that it cannot outlive this process.
        server = subprocess.Popen(
            [sys.executable, str(folder), "--until-input-ends"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=_untouched(),
            encoding="utf-8",
        )
        with server:
            try:
                yield Cloud(_endpoint(server, complaints), shutil.which("aws") is not None)
            finally:
                _stop(server)


def _untouched() -> dict[str, str]:
    """Return the environment without what would configure the server's own use of AWS's tools."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MOTO_"))}


def _endpoint(server: subprocess.Popen[str], complaints: IO[str]) -> str:
    line = server.stdout.readline().strip() if server.stdout else ""
    if line:
        return line
    complaints.seek(0)
    last = (complaints.read().strip().splitlines() or ["it said nothing"])[-1]
    raise GitcaError(
        f"the AWS of gitca's tests did not start: {last}",
        remedy="run `make demo DEMO=--aws`, which installs what it needs, in a clone of gitca",
    )


def _stop(server: subprocess.Popen[str]) -> None:
    server.terminate()
    try:
        server.wait(_STOPPING)
    except subprocess.TimeoutExpired:
        server.kill()
