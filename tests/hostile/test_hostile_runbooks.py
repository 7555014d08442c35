"""docs/operations.md: each block of commands is run, in the situation that it is for."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hostile_world import Hostile
from mishaps import (
    dies_before_it_signs,
    dies_with_its_clock_ahead,
    finds_no_origin,
    has_a_crl_that_is_due,
    loses_the_race,
)

from ca_world import PASSPHRASE
from judges.process import must

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```sh (?P<name>[^\n]*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))

WEB = "issued/issuing/certificates/shop/web.pem"
"""What every reconcile of the lived-in repository makes: it is asked for, and not answered yet."""
AFTER = "issued/issuing-2/certificates/shop/web.pem"
"""The same, where another CA has taken the place of the first."""


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the PATH that has `gitca`."""
    folder = tmp_path_factory.mktemp("programs")
    program = folder / "gitca"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m gitca "$@"\n')
    program.chmod(0o755)
    return folder


def follow(world: Hostile, programs: Path, name: str, *, code: int = 0) -> str:
    """Run a block of the page as it is written, and return what it says."""
    done = subprocess.run(
        ["sh", "-eu", "-c", BLOCKS[name]],
        cwd=world.clone,
        env=os.environ
        | {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "src"),
            "GITCA_KEY_PASSPHRASE": PASSPHRASE.decode(),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def published(world: Hostile, path: str, *, origin: Path | None = None) -> bytes:
    """Return a file as the origin's branch has it."""
    return must("git", "--git-dir", origin or world.origin, "show", f"main:{path}")


def answers(world: Hostile) -> bool:
    """Whether the origin has the certificate that `shop/web` asks for."""
    tree = must("git", "--git-dir", world.origin, "ls-tree", "-r", "--name-only", "main")
    return WEB in tree.decode().splitlines()


def serials_ordered(world: Hostile) -> set[str]:
    """Return the serial numbers that the newest segment of the origin's ledger orders."""
    tree = must("git", "--git-dir", world.origin, "ls-tree", "--name-only", "main:issued/ledger")
    newest = published(world, f"issued/ledger/{tree.decode().split()[-1]}")
    events = [json.loads(line) for line in newest.splitlines()]
    return {event["serial"] for event in events if event.get("object") == "certificate"}


def serial_of(pem: bytes) -> str:
    """Return a certificate's serial number as openssl shows it."""
    shown = must("openssl", "x509", "-noout", "-serial", stdin=pem)
    return shown.decode().strip().partition("=")[2]


def identifier(pem: bytes, extension: str) -> str:
    """Return the key identifier that openssl shows of a certificate's extension."""
    shown = must("openssl", "x509", "-noout", "-ext", extension, stdin=pem).decode()
    return shown.splitlines()[-1].strip().removeprefix("keyid:")


def shown_crl(world: Hostile, ca: str, *options: str) -> str:
    """Return what openssl shows of the CRL that the origin has."""
    der = published(world, f"issued/{ca}/crl.der")
    return must("openssl", "crl", "-inform", "der", "-noout", *options, stdin=der).decode()


def test_the_runbook_for_a_died_run_finishes_what_it_had_ordered(
    world: Hostile, programs: Path
) -> None:
    dies_before_it_signs(world)
    (serial,) = serials_ordered(world)
    assert not answers(world)
    assert "Waiting for a signature\n  shop/web: " in follow(world, programs, "died")
    assert serial_of(published(world, WEB)).lower() == serial


def test_the_runbook_for_an_order_that_is_dated_ahead_gives_it_up_and_orders_anew(
    world: Hostile, programs: Path
) -> None:
    dies_with_its_clock_ahead(world)
    (serial,) = serials_ordered(world)
    assert world.gitca("reconcile").code == 3
    assert not answers(world)
    assert "the ledger has an order of" in follow(world, programs, "ahead")
    assert serial_of(published(world, WEB)).lower() != serial
    assert world.gitca("plan", "--require-clean").code == 0
    assert "the ledger has an order of" not in world.gitca("doctor").words


def test_the_runbook_for_a_lost_race_answers_what_the_run_did_not(
    world: Hostile, programs: Path
) -> None:
    loses_the_race(world)
    assert not answers(world)
    follow(world, programs, "race")
    assert answers(world)


def test_the_runbook_for_an_unreachable_origin_answers_what_the_run_did_not(
    world: Hostile, programs: Path
) -> None:
    finds_no_origin(world)
    assert not answers(world)
    follow(world, programs, "unreachable")
    assert answers(world)


def test_the_runbook_for_a_crl_that_is_due_publishes_the_next_one(
    world: Hostile, programs: Path
) -> None:
    has_a_crl_that_is_due(world)
    before = shown_crl(world, "issuing", "-crlnumber", "-nextupdate")
    said = follow(world, programs, "crl")
    assert "CA issuing: its next CRL is due" in said
    after = shown_crl(world, "issuing", "-crlnumber", "-nextupdate")
    number, end = (line.partition("=")[2] for line in after.splitlines())
    assert int(number, 16) == int(before.splitlines()[0].partition("=")[2], 16) + 1
    assert end != before.splitlines()[1].partition("=")[2]
    assert world.gitca("status", "--strict").code == 0


def test_the_runbook_for_a_contradiction_finds_the_commit_and_mends_it(
    world: Hostile, programs: Path
) -> None:
    certificate = world.clone / "issued/issuing/certificates/payments/api.pem"
    certificate.write_bytes(
        (world.clone / "issued/issuing/certificates/jobs/backup.pem").read_bytes()
    )
    world.git("commit", "-q", "-am", "swapped by hand")
    world.git("push", "-q", "origin", "main")
    assert world.gitca("reconcile").code == 5
    assert "swapped by hand" in follow(world, programs, "contradiction")
    follow(world, programs, "contradiction mend")
    assert world.gitca("verify").code == 0


def test_the_runbook_for_a_leaf_puts_it_on_the_crl(world: Hostile, programs: Path) -> None:
    said = follow(world, programs, "leaf")
    assert "keyCompromise" in said
    leaf = published(world, "issued/issuing/certificates/payments/api.pem")
    listed = shown_crl(world, "issuing", "-text")
    entry = rf"Serial Number: {serial_of(leaf)}(\n.*){{3}}\n *Key Compromise\n"
    assert re.search(entry, listed)


def test_the_runbook_for_an_issuing_key_makes_another_ca_and_revokes_the_first(
    world: Hostile, programs: Path
) -> None:
    follow(world, programs, "authority")
    assert (world.clone / "issued/issuing-2/ca.pem").exists()
    next_ca, web = published(world, "issued/issuing-2/ca.pem"), published(world, AFTER)
    assert identifier(web, "authorityKeyIdentifier") == identifier(next_ca, "subjectKeyIdentifier")
    said = follow(world, programs, "authority revoked")
    assert "cACompromise" in said
    old = published(world, "issued/issuing/ca.pem")
    listed = shown_crl(world, "root", "-text")
    assert f"Serial Number: {serial_of(old)}" in listed
    assert f"Serial Number: {serial_of(next_ca)}" not in listed
    assert world.gitca("verify").code == 0


def test_the_runbook_for_recovery_goes_on_at_the_new_place(world: Hostile, programs: Path) -> None:
    world.git("branch", "side", "HEAD~1")
    follow(world, programs, "recovery")
    restored = world.top / "restored.git"
    for branch in ("main", "side"):
        tip = world.git("rev-parse", branch, where=restored)
        assert tip == world.git("rev-parse", branch)
    assert b"BEGIN CERTIFICATE" in published(world, WEB, origin=restored)
    assert not answers(world)


def publish_to_a_folder(world: Hostile) -> Path:
    document = world.clone / "ca/repository.yaml"
    document.write_text(document.read_text() + "  publish:\n    - to: directory:public\n")
    world.git("commit", "-q", "-am", "a target")
    world.git("push", "-q", "origin", "main")
    return world.clone / "public"


def test_the_runbook_for_a_target_that_failed_catches_up(world: Hostile, programs: Path) -> None:
    target = publish_to_a_folder(world)
    target.write_text("in its place")
    assert world.gitca("reconcile").code != 0
    target.unlink()
    said = follow(world, programs, "target")
    assert "nothing is published there yet" in " ".join(said.split())
    assert (target / "issuing.crl").exists()


def test_the_runbook_for_the_gate_finds_that_the_branch_was_rewound(
    world: Hostile, programs: Path
) -> None:
    target = publish_to_a_folder(world)
    assert world.gitca("reconcile").code == 0
    before = world.git("rev-parse", "main")
    assert world.gitca("revoke", "payments/api", "--reason", "superseded").code == 0
    world.save("revoked")
    assert world.gitca("reconcile").code == 0
    world.git("push", "-q", "--force", "origin", f"{before}:refs/heads/main")
    fresh = Hostile(world.top / "fresh")
    fresh.top.mkdir()
    world.git("clone", "-q", str(world.origin), str(fresh.clone))
    shutil.copytree(target, fresh.clone / "public")
    shutil.copy(target / "issuing.crl", fresh.top / "published.crl")
    published = (target / "issuing.crl").read_bytes()
    said = follow(fresh, programs, "gate")
    assert "crlNumber=0x" in said
    assert fresh.gitca("publish").code == 5
    assert (fresh.clone / "public/issuing.crl").read_bytes() == published, "it stays"
    world.git("push", "-q", "origin", "main")
    assert fresh.gitca("publish").code == 0, "the remedy: what is furthest along is back"


def test_the_runbook_for_pipelines_that_drifted_shows_and_mends_it(
    world: Hostile, programs: Path
) -> None:
    made = world.gitca(
        *("init", "../made", "--domain", "example.internal", "--organization", "Example"),
        *("--ci", "github", "--tool", f"example/gitca@{'1' * 40}", "--security-team", "@a/b"),
    )
    assert made.code == 0, made.words
    shutil.copytree(world.top / "made/.github", world.clone / ".github")
    workflow = world.clone / ".github/workflows/reconcile.yml"
    text = workflow.read_text()
    assert "cancel-in-progress: false" in text
    workflow.write_text(text.replace("cancel-in-progress: false", "cancel-in-progress: true"))
    world.git("add", ".github")
    world.git("commit", "-q", "-m", "run faster")
    world.git("push", "-q", "origin", "main")
    assert "differs from what this version writes" in world.gitca("doctor").words
    said = follow(world, programs, "drift")
    assert "-  cancel-in-progress: true" in said
    assert "run faster" in said
    assert "differs" not in follow(world, programs, "drift mend")


def ask_and_reconcile(world: Hostile, name: str) -> None:
    world.ask(name, "internal-server")
    world.save(name)
    assert world.gitca("reconcile").code == 0
    assert world.gitca("verify").code == 0


def test_the_runbook_for_a_branch_of_its_own_leads_there_and_back(
    world: Hostile, programs: Path
) -> None:
    document = world.clone / "ca/repository.yaml"
    document.write_text(document.read_text().replace("name: gitca", "name: Our CA"))
    world.git("commit", "-q", "-am", "another committer than gitca's own")
    world.git("push", "-q", "origin", "main")
    ask_and_reconcile(world, "shop/before")
    follow(world, programs, "part")
    follow(world, programs, "part rest")
    ask_and_reconcile(world, "shop/between")
    assert world.gitca("revoke", "shop/before", "--reason", "superseded").code == 0
    world.save("revoked while parted")
    assert world.gitca("reconcile").code == 0
    assert world.gitca("verify", "--complete").code == 0
    assert not (world.clone / "issued").exists()
    follow(world, programs, "join")
    ask_and_reconcile(world, "shop/after")
    fresh = world.top / "fresh"
    world.git("clone", "-q", str(world.origin), str(fresh))
    said = world.gitca_in(fresh, "verify", "--complete")
    assert said.code == 0, said.words
    assert "revocation" in said.words
    names = {path.stem for path in fresh.glob("issued/issuing/certificates/shop/*.pem")}
    assert names >= {"before", "between", "after"}


def test_the_runbook_for_audit_day_tells_all(world: Hostile, programs: Path) -> None:
    said = follow(world, programs, "audit")
    assert "nextUpdate" in said
    assert '"payments/api"' in (world.top / "inventory.json").read_text()


def test_every_block_of_the_page_is_run() -> None:
    run = re.findall(r'follow\((?:world|fresh), programs, "([^"]+)"', Path(__file__).read_text())
    assert set(BLOCKS) == {*run}
    assert "```sh\n" not in PAGE
