"""Standard streams that are closed, full, or that nobody reads any more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_command import PASSPHRASE, Command

from gitca.cli.boundary import UNREAD

GITCA = f"{sys.executable} -m gitca"
BOTH_WAYS = pytest.mark.parametrize("buffered", [True, False])


def shell(command: Command, line: str, *, buffered: bool = True) -> tuple[int, str]:
    """Run a line of bash, and return its exit code and what it says on standard error."""
    environment = os.environ | command.environment
    environment.pop("PYTHONUNBUFFERED", None)
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=command.folder,
        env=environment if buffered else environment | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=120,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert "Exception ignored" not in done.stderr, done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "arguments",
    ["list", "plan", "status", "verify", "policy explain internal-server", "--version", "--help"],
)
def test_without_a_standard_output_the_exit_code_answers(standing: Command, arguments: str) -> None:
    assert shell(standing, f"{GITCA} {arguments} >&-") == (0, "")


def test_a_failure_without_any_standard_stream_has_its_exit_code(standing: Command) -> None:
    assert shell(standing, f"{GITCA} show nobody <&- >&- 2>&-") == (2, "")
    assert shell(standing, f"{GITCA} list 2>&-") == (0, "")


def test_no_file_takes_the_place_of_a_closed_stream(lived_in: Command, tmp_path: Path) -> None:
    """What a library writes to standard error would end up in whatever file that is."""
    script = tmp_path / "opens.py"
    script.write_text(
        "import os, sys\n"
        "from gitca.cli import boundary\n"
        "def look(_):\n"
        "    os.write(2, b'what a module in C says')\n"
        f"    number = os.open({str(tmp_path / 'file')!r}, os.O_RDWR | os.O_CREAT)\n"
        "    return 0 if number > 2 else 99\n"
        "boundary._invoke = look\n"
        "sys.exit(boundary.run([]))\n"
    )
    for closed in ("<&-", ">&-", "2>&-", "<&- 2>&-", "<&- >&- 2>&-"):
        redirected = f"{closed} 2>/dev/null" if "2>" not in closed else closed
        assert shell(lived_in, f"{sys.executable} {script} {redirected}") == (0, ""), closed
    assert (tmp_path / "file").read_bytes() == b""


def test_a_reconcile_without_a_standard_output_does_its_work(lived_in: Command) -> None:
    line = f"GITCA_KEY_PASSPHRASE='{PASSPHRASE}' {GITCA} reconcile >&-"
    assert shell(lived_in, line) == (0, "")
    assert "shop/web" in lived_in.runs("list", "--status", "valid")


@BOTH_WAYS
@pytest.mark.parametrize(
    "arguments",
    ["list", "validate --format json", "show payments/api --format pem", "--version", "--help"],
)
def test_that_nobody_reads_the_answer_is_not_told_as_findings(
    standing: Command, arguments: str, buffered: bool
) -> None:
    # The reader is gone before gitca has begun.
    line = f"{{ sleep 0.3; {GITCA} {arguments}; echo $? >&2; }} | true"
    assert shell(standing, line, buffered=buffered) == (0, f"{UNREAD}\n")


@BOTH_WAYS
def test_that_nobody_reads_a_failure_leaves_its_exit_code(
    standing: Command, tmp_path: Path, buffered: bool
) -> None:
    told = tmp_path / "code"
    line = f"{{ sleep 0.3; {GITCA} show nobody; echo $? >{told}; }} 2>&1 | true"
    shell(standing, line, buffered=buffered)
    assert told.read_text() == "2\n"


@BOTH_WAYS
@pytest.mark.parametrize("arguments", ["list", "--version"])
def test_a_full_disk_below_the_output_is_said(
    standing: Command, arguments: str, buffered: bool
) -> None:
    code, err = shell(standing, f"{GITCA} {arguments} >/dev/full", buffered=buffered)
    assert code == 4
    assert err.startswith("gitca: the operating system refuses: No space left on device")
    assert err.count("\n") == 1
