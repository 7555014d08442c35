"""Each effect that gitca has outside its process is known, and fails in tests in every way.

The list is read from the source: a new call with an effect fails the first test until it stands in
the table with the test that lets it fail, or with the reason why nothing needs to.
"""

from __future__ import annotations

import ast
import fnmatch
from pathlib import Path

import pytest
from effects import effects

TESTS = Path(__file__).parents[1]
# What a row says: a test of this project, or, in a sentence, why there is none.
KILLED = "test_a_killed_reconcile_is_finished_by_the_next_with_the_same_serial_numbers"
GIT = "test_a_git_that_fails_is_made_good_by_the_next_run"
SIGNER = "test_a_signer_that_fails_or_dies_is_made_good_by_the_next_run"
FILES = "test_a_new_file_is_whole_or_absent_whatever_fails"
KMS = "test_a_key_that_may_have_been_made_is_told_and_is_not_made_twice"
LOCKS = "test_processes_in_one_clone_at_once_do_no_harm"
PUBLISHED = "test_a_folder_holds_the_old_object_or_the_new_one_whatever_fails"
UPLOADED = "test_a_write_that_failed_or_seemed_to_can_be_made_again"
INIT = "test_a_failure_on_the_way_leaves_no_trace"
TABLE: dict[tuple[str, str], str] = {
    # Git: what writes.
    ("git/fast_import.py", "git fast-import"): f"{GIT}, {KILLED}",
    ("git/remote.py", "git push"): f"{GIT}, {KILLED}",
    ("git/remote.py", "git fetch"): f"{GIT}, {KILLED}",
    ("git/*.py", "git update-ref"): f"{GIT}, {KILLED}",
    ("git/worktree.py", "git read-tree"): f"{GIT}, {KILLED}",
    ("git/worktree.py", "git update-index"): f"{GIT}, {KILLED}",
    ("git/shown.py", "os.open"): LOCKS,
    ("git/shown.py", "fcntl.flock"): LOCKS,
    ("git/fast_import.py", ".unlink"):
        "test_an_unknown_parent_fails_in_words_and_leaves_no_crash_report",
    # Git: what looks.
    **{
        ("git/*.py", f"git {command}"): "It reads."
        for command in (
            "cat-file", "config", "diff-files", "diff-index", "diff-tree", "log", "ls-files",
            "ls-remote", "ls-tree", "merge-base", "remote", "rev-list", "rev-parse", "symbolic-ref",
            "worktree", "merge-tree", "for-each-ref", "show-ref",
        )
    },
    ("git/half_written.py", ".unlink"):
        "test_a_file_that_was_half_written_when_the_disk_was_full_is_written_whole",
    ("git/process.py", "git command"): "It runs what the other rows say.",
    ("git/process.py", "subprocess.Popen"): "It runs what the other rows say.",
    ("git/process.py", "os.killpg"): "It ends what this process started.",
    ("git/*.py", "tempfile.TemporaryFile"): "It has no name, and is gone with the process.",
    # Keys.
    ("reconcile/fulfil.py", ".sign"): SIGNER,
    ("signers/aws_kms_signer.py", ".sign"): SIGNER,
    ("signers/aws_kms_http.py", ".request"):
        "test_where_every_sign_fails_after_it_signed_all_is_counted_and_the_next_run_finishes",
    ("signers/aws_kms_http.py", "http.client.*"): "It opens a connection, which changes nothing.",
    ("cli/doctor_origin.py", "http.client.*"): "It opens a connection, which changes nothing.",
    ("cli/doctor_origin.py", ".request"): "It asks a web server for its clock.",
    ("signers/file.py", ".sign"): "It computes in memory.",
    ("signers/pkcs11_signer.py", ".sign"): SIGNER,
    ("signers/__init__.py", ".create_key"): "It hands over to the backend's own.",
    ("signers/aws_kms.py", ".create_key"): "It hands over to the backend's own.",
    ("signers/aws_kms_creation.py", ".create_key"): KMS,
    ("signers/aws_kms_creation.py", ".create_alias"):
        "test_a_key_that_gets_no_alias_is_not_left_over",
    ("signers/aws_kms_creation.py", ".schedule_key_deletion"):
        "test_a_key_that_cannot_be_deleted_either_is_named",
    ("signers/pkcs11_creation.py", ".generate_keypair"):
        "One call makes the whole pair in the token; a label or ID that is there is refused.",
    ("signers/pkcs11_module.py", "ctypes.*"): "It loads the module and asks for its limits.",
    ("signers/*.py", "os.urandom"): "It draws; nothing remembers it.",
    ("signers/secret_file.py", "*"): FILES,
    # What is published.
    ("publishers/directory.py", "os.fwalk"): "It reads.",
    ("publishers/directory*.py", "*"): PUBLISHED,
    ("publishers/s3_publisher.py", ".put_object"): UPLOADED,
    # Files of people.
    ("cli/new_file.py", "*"): FILES,
    ("cli/output_files.py", "*"): FILES,
    ("cli/fresh.py", "*"): INIT,
    ("cli/init.py", "*"): INIT,
    ("cli/worktree.py", "os.open"): "It opens for reading.",
    ("cli/streams.py", "*"): "It opens the null device.",
    ("cli/schema.py", "*"): "It writes what it can write again, where the user says.",
    ("cli/demo/*.py", "*"): "The demonstration plays in a folder of its own.",
    ("cli/requests.py", ".sign"): "It signs a CSR with a key that was made for it in memory.",
    ("cli/throwaway.py", ".sign"): "It signs with keys that are thrown away.",
    ("*.py", "os.environ.*"): "It changes this process's environment.",
    ("cli/completion.py", "os.walk"): "It reads.",
    ("documents/pkcs11_uri.py", "urllib.parse.*"): "It changes text.",
}  # fmt: skip


def row_of(file: str, call: str) -> tuple[str, str] | None:
    for row in TABLE:
        if fnmatch.fnmatchcase(file, row[0]) and fnmatch.fnmatchcase(call, row[1]):
            return row
    return None


def test_every_effect_of_the_source_has_a_row() -> None:
    unknown = {(file, call) for file, call in effects() if row_of(file, call) is None}
    assert unknown == set(), "say in TABLE which test lets it fail, or why none needs to"


def test_every_row_speaks_of_an_effect_that_is_there() -> None:
    used = {row_of(file, call) for file, call in effects()}
    spare = {("git/*.py", "git merge-tree"), ("git/*.py", "git for-each-ref")}
    assert set(TABLE) - used - spare == set()


def test_every_test_that_the_table_names_is_there() -> None:
    named = {
        name for said in TABLE.values() if said.startswith("test_") for name in said.split(", ")
    }
    known = {
        node.name
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    assert named - known == set()


@pytest.mark.parametrize(
    ("source", "call"),
    [
        ("import os\nos.replace(a, b)", "os.replace"),
        ("from os import replace as move\nmove(a, b)", "os.replace"),
        ("import subprocess as s\ns.run(['x'])", "subprocess.run"),
        ("path.write_text('x')", ".write_text"),
        ("open(p, 'a')", "open a"),
        ("p.open(mode='w+b')", "open w+b"),
        ("self.git.ask('gc')", "git gc"),
        ("git.run(command)", "git command"),
    ],
)
def test_the_search_for_effects_finds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, call: str
) -> None:
    (tmp_path / "git").mkdir()
    (tmp_path / "git" / "new.py").write_text(source)
    monkeypatch.setattr("effects.SOURCES", tmp_path)
    assert list(effects()) == [("git/new.py", call)]
