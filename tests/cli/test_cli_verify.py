"""`gitca verify` as people and daily jobs call it."""

from __future__ import annotations

import json
from pathlib import Path

from cli_command import Command

from judges.process import must


def test_a_forgery_is_named_with_its_commit_and_what_to_do(lived_in: Command) -> None:
    path = lived_in.folder / "issued/issuing/ca.pem"
    path.write_bytes((lived_in.folder / "issued/root/ca.pem").read_bytes())
    lived_in.git("commit", "--quiet", "--all", "--message", "other CA")
    commit = lived_in.git("rev-parse", "HEAD").strip()
    first, second, *_ = lived_in.runs("verify", code=5).splitlines()
    assert first.startswith("first: issued/issuing/ca.pem: ")
    assert commit[:12] in first
    assert "git restore --source=" in first
    assert f"(I3, commit {commit[:12]})" in second
    told = json.loads(lived_in.runs("verify", "--format", "json", code=5))
    assert told["contradictions"][0]["commit"] == commit


def test_the_remedy_that_is_named_mends_it(lived_in: Command) -> None:
    path = lived_in.folder / "issued/issuing/ca.pem"
    path.write_bytes((lived_in.folder / "issued/root/ca.pem").read_bytes())
    lived_in.git("commit", "--quiet", "--all", "--message", "other CA")
    first, *_ = lived_in.runs("verify", code=5).splitlines()
    restore = first.partition("put back by git ")[2].partition(", git commit")[0]
    lived_in.git(*restore.split())
    lived_in.git("commit", "--quiet", "--message", "put back")
    assert "put back: commit" in lived_in.runs("verify")


def test_the_fingerprint_of_each_root_is_told_for_comparison(lived_in: Command) -> None:
    """No clone can prove that a root is the one that is meant; openssl shows the same."""
    file = lived_in.folder / "issued/root/ca.pem"
    shown = must("openssl", "x509", "-in", file, "-noout", "-fingerprint", "-sha256").decode()
    fingerprint = shown.strip().rpartition("=")[2].replace(":", "").lower()
    told = json.loads(lived_in.runs("verify", "--format", "json"))
    assert told["roots"] == {"root": f"sha256:{fingerprint}"}
    line = f"Root root: sha256:{fingerprint}; compare it out of band.\n"
    assert line in lived_in.runs("verify")
    assert "Root" not in lived_in.runs("--quiet", "verify")


def test_since_a_day_ahead_checks_the_chain_alone(lived_in: Command) -> None:
    told = json.loads(lived_in.runs("verify", "--since", "2099-01-01", "--format", "json"))
    assert told["since"] == told["checked"]["segments"] > 0
    assert "judged again" not in told["checked"]
    assert "after segment" in lived_in.runs("verify", "--since", "2099-01-01")


def test_a_shallow_clone_is_no_failure_unless_completeness_is_asked_for(
    lived_in: Command, tmp_path: Path
) -> None:
    shallow = tmp_path / "shallow"
    lived_in.git("clone", "--quiet", "--depth", "1", lived_in.folder.as_uri(), str(shallow))
    command = Command(shallow)
    assert "not checked: " in command.runs("verify")
    assert "not checked: " in command.runs("verify", "--complete", code=1)
    assert json.loads(command.runs("verify", "--format", "json"))["complete"] is False
    assert lived_in.runs("verify", "--complete")
