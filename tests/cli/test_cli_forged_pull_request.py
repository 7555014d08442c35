"""A pull request that touches `issued/`: the plan says so, and the next run refuses what it did."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_command import Command

ISSUED = "issued/issuing"


def edited(folder: Path) -> str:
    """One CA's certificate in the place of another's."""
    (folder / ISSUED / "ca.pem").write_bytes((folder / "issued/root/ca.pem").read_bytes())
    return f"{ISSUED}/ca.pem"


def deleted(folder: Path) -> str:
    """The CRL is gone, and with it every revocation."""
    (folder / ISSUED / "crl.der").unlink()
    return f"{ISSUED}/crl.der"


def added(folder: Path) -> str:
    """Bytes to be signed, where orders wait for their signature."""
    path = f"issued/orders/{'0' * 32}.der"
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_bytes(b"\x30\x00")
    return path


def edited_in_the_ledger(folder: Path) -> str:
    path = next(
        path
        for path in sorted((folder / "issued/ledger").iterdir())
        if b'"revoked"' in path.read_bytes()
    )
    path.write_bytes(path.read_bytes().replace(b'"reason":"', b'"reason":"x'))
    return str(path.relative_to(folder))


def mode_changed(folder: Path) -> str:
    (folder / ISSUED / "ca.pem").chmod(0o755)
    return f"{ISSUED}/ca.pem"


FORGERIES = (edited, deleted, added, edited_in_the_ledger, mode_changed)


def propose(command: Command, forge: Callable[[Path], str]) -> str:
    """Commit a change below `issued/` to a branch, and return the path."""
    command.git("switch", "--quiet", "--create", "change")
    path = forge(command.folder)
    command.git("add", "--all", "issued")
    command.git("commit", "--quiet", "--message", "a small change")
    return path


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda function: function.__name__)
def test_a_pull_request_that_touches_issued_is_found_by_the_plan_on_its_base(
    lived_in: Command, forge: Callable[[Path], str]
) -> None:
    path = propose(lived_in, forge)
    text = lived_in.runs("plan", "--base", "main", code=1)
    (line,) = (line for line in text.splitlines() if "(change.issued)" in line)
    assert line.startswith(f"{path}:1:1: ")
    assert "the change touches issued/, which gitca alone writes" in line
    assert text.endswith("1 error.\n")


def test_a_pull_request_that_touches_issued_and_was_merged_is_refused_by_the_next_run(
    lived_in: Command,
) -> None:
    path = propose(lived_in, edited_in_the_ledger)
    forged = lived_in.git("rev-parse", "HEAD").strip()
    lived_in.git("switch", "--quiet", "main")
    lived_in.git("merge", "--quiet", "--no-ff", "--message", "merge", "change")
    merged = lived_in.git("rev-parse", "HEAD")
    told = json.loads(lived_in.runs("verify", "--format", "json", code=5))
    assert told["contradictions"][0]["commit"] == forged
    refused = lived_in("reconcile")
    assert refused.code == 5
    assert forged[:12] in refused.err
    assert path in refused.err
    assert lived_in.git("rev-parse", "main") == merged
