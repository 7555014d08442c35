"""`gitca publish`, and what `gitca reconcile` says of publishing: words, JSON and exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_command import Command


def add_targets(pki: Command, *targets: str) -> None:
    path = pki.folder / "ca" / "repository.yaml"
    listed = "".join(f"    - to: {target}\n" for target in targets)
    path.write_text(f"{path.read_text().rstrip()}\n  publish:\n{listed}")
    pki.git("add", "ca")
    pki.git("commit", "--quiet", "-m", "targets")


def test_reconcile_publishes_and_publish_finds_nothing_to_send(pki: Command) -> None:
    add_targets(pki, "directory:public")
    out = pki.runs("reconcile")
    assert "published issuing.crl\n" in out
    assert "16 objects published to target 1 (directory:public).\n" in out
    assert (pki.folder / "public" / "issuing.crl").exists()
    assert pki.runs("publish") == (
        "Nothing to publish to target 1 (directory:public): all of it is there.\n"
    )
    assert pki.runs("--quiet", "publish") == ""


def test_publishing_can_be_left_to_a_step_of_its_own(pki: Command) -> None:
    add_targets(pki, "directory:public", "directory:other")
    assert "published" not in pki.runs("reconcile", "--no-publish")
    assert not (pki.folder / "public").exists()
    pki.runs("publish", "--target", "directory:other")
    assert not (pki.folder / "public").exists()
    pki.runs("publish", "--target", "1")
    assert (pki.folder / "public" / "manifest.json").exists()


def test_what_is_published_needs_no_key_and_is_told_as_json(pki: Command) -> None:
    add_targets(pki, "directory:public")
    pki.runs("reconcile", "--no-publish")
    keys = pki.folder / ".gitca" / "keys"
    keys.rename(pki.folder / ".gitca" / "gone")
    told = json.loads(pki.runs("publish", "--format", "json"))
    (target,) = told["targets"]
    assert (target["target"], target["to"]) == (1, "directory:public")
    assert target["sent"][0].endswith(".crl")
    assert (target["failures"], target["notes"], told["findings"]) == ([], [], [])
    assert told["commit"] == pki.git("rev-parse", "main").strip()
    again = json.loads(pki.runs("reconcile", "--format", "json"))
    assert again["published"] == [{**target, "sent": [], "unchanged": len(target["sent"])}]


def test_a_drifted_object_is_mended_by_a_complete_run(
    pki: Command, make_csr: Callable[..., Path]
) -> None:
    add_targets(pki, "directory:public")
    csr = make_csr("api", "/", "DNS:api.example.internal")
    pki.runs(
        *("request", "new", "api", "--policy", "internal-server", "--csr", str(csr)),
        *("--dns", "api.example.internal"),
    )
    pki.commit("api")
    pki.runs("reconcile")
    place = pki.folder / "public" / "certificates" / "issuing" / "api.pem"
    place.write_text("something else")
    assert "all of it is there" in pki.runs("publish")
    assert "published certificates/issuing/api.pem\n" in pki.runs("publish", "--complete")
    assert (
        place.read_bytes()
        == (pki.folder / "issued" / "issuing" / "certificates" / "api.pem").read_bytes()
    )


@pytest.mark.parametrize("target", ["3", "0", "directory:elsewhere"])
def test_a_target_that_is_none_is_wrong_usage(pki: Command, target: str) -> None:
    add_targets(pki, "directory:public", "directory:other")
    answer = pki("publish", "--target", target)
    assert answer.code == 2
    assert "1 (directory:public), 2 (directory:other)" in answer.err


def test_publishing_without_targets_is_wrong_usage(pki: Command) -> None:
    answer = pki("publish")
    assert answer.code == 2
    assert "names no target" in answer.err


def test_before_anything_is_issued_there_is_nothing_to_publish(pki: Command) -> None:
    add_targets(pki, "directory:public")
    assert pki.runs("publish").startswith("Nothing is issued yet")


def test_the_target_that_failed_is_named(pki: Command) -> None:
    add_targets(pki, "directory:public", "directory:other")
    (pki.folder / "public").write_text("a file, where a folder is to be")
    answer = pki("reconcile")
    assert answer.code in (2, 4)
    assert "target 1 (directory:public): " in answer.out + answer.err
    assert (pki.folder / "other" / "manifest.json").exists()


def test_a_target_of_another_repository_is_a_contradiction(pki: Command) -> None:
    add_targets(pki, "directory:public")
    pki.runs("reconcile")
    record = json.loads((pki.folder / "public" / "manifest.json").read_text())
    record["ledger"] = f"sha256:{'0' * 64}"
    (pki.folder / "public" / "manifest.json").write_text(json.dumps(record))
    answer = pki("publish")
    assert answer.code == 5
    assert "another repository is published there" in answer.out


def test_what_init_lets_be_published_into_a_folder_is_none_of_gits(tmp_path: Path) -> None:
    names = ("--domain", "example.internal", "--organization", "Example")
    made = Command(tmp_path, GITCA_KEY_PASSPHRASE="a passphrase of the tests")
    made.runs("init", "pki", *names, "--publish", "directory:out/public")
    pki = made.at(tmp_path / "pki")
    assert "out/public" in pki.runs("reconcile")
    assert (tmp_path / "pki/out/public/issuing.crl").is_file()
    assert pki.git("status", "--porcelain") == ""
    assert "Nothing to publish" in pki.runs("publish")
