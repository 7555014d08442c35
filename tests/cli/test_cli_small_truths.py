"""What a message says of this repository holds, and what it asks for helps."""

from __future__ import annotations

import subprocess
from pathlib import Path

from cli_command import Command

from gitca.cli.doctor_check import Check, Outcome
from gitca.cli.doctor_text import steps
from gitca.errors import ContradictionError, UsageError
from gitca.git.parting import no_documents
from gitca.git.snapshot import Branches


def test_a_ca_that_is_not_there_is_answered_with_those_that_are(standing: Command) -> None:
    answer = standing("list", "--ca", "nobody")
    assert answer.code == 2
    assert "there are issuing, root;" in answer.err
    assert standing.runs("list", "--ca", "external") == "no certificates\n"


def test_what_failed_is_among_the_steps_also_where_nobody_knows_a_remedy() -> None:
    retired = Check("key", Outcome.NOTE, "the CA is retired and signs nothing", ca="old")
    owner = Check("repository", Outcome.FAILED, "the repository is owned by someone else")
    first, *_ = steps([retired, owner])
    assert first == "repository: the repository is owned by someone else"
    assert not any("retired" in step for step in steps([retired, owner]))


def test_before_the_first_push_a_reconcile_is_wrong_usage(pki: Command, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", "--bare", tmp_path / "origin.git"], check=True)
    pki.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    answer = pki("reconcile")
    assert answer.code == 2
    assert answer.err.startswith("gitca: the branch main does not exist; commit the documents")


def test_a_branch_that_vanished_after_a_ledger_was_seen_is_a_contradiction(
    lived_in: Command, tmp_path: Path
) -> None:
    bare = tmp_path / "origin.git"
    subprocess.run(["git", "init", "--quiet", "--bare", bare], check=True)
    lived_in.git("remote", "add", "origin", str(bare))
    lived_in.git("push", "--quiet", "origin", "main")
    lived_in.runs("reconcile")
    subprocess.run(["git", "-C", bare, "update-ref", "-d", "refs/heads/main"], check=True)
    answer = lived_in("reconcile")
    assert answer.code == 5
    assert "rewound or rewritten" in answer.err


def test_documents_that_vanished_beside_a_ledger_are_a_contradiction() -> None:
    parted = Branches("main", "issued")
    assert isinstance(no_documents(parted, has_ledger=True), ContradictionError)
    assert isinstance(no_documents(parted, has_ledger=False), UsageError)


def test_the_case_of_a_reason_is_nobodys_obstacle(lived_in: Command) -> None:
    lived_in.runs("revoke", "payments/api", "--reason", "keycompromise")
    written = lived_in.folder / "requests/payments/api-revoked.yaml"
    assert "reason: keyCompromise\n" in written.read_text()
