"""doctor: every check is told, with what was seen and the remedy, and none hides the next."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cli_command import PASSPHRASE, Command, Run
from doctor_checks import doctor, not_ok

from gitca.cli.doctor_check import Outcome
from gitca.cli.doctor_machine import clock_check
from gitca.git import installed


def test_a_repository_that_is_well_has_one_note(
    standing: Command, golden: Callable[[str, str], None], masked: Callable[[str], str]
) -> None:
    text = standing("doctor", COLUMNS="80").out.replace(str(standing.folder), "/pki")
    assert max(map(len, text.splitlines())) <= 80
    golden("cli/doctor.txt", masked_doctor(masked(text)))
    assert not_ok(doctor(standing)) == {"origin": "note"}
    assert standing.git("status", "--short") == ""


def masked_doctor(text: str) -> str:
    """What is of this machine and this moment replaced."""
    for pattern, mask in (
        (r"\d+\.\d+\.\d+ \(", "N.N.N ("),
        (r"at [0-9a-f]{12}\b", "at COMMIT"),
        (r"date of others:.*\n(?: {20,}.*\n)?", "date of others: RECENT\n"),
    ):
        text = re.sub(pattern, mask, text)
    return text


def test_quiet_says_what_is_amiss_and_nothing_else(standing: Command, lived_in: Command) -> None:
    assert standing.runs("--quiet", "doctor") == ""
    (lived_in.folder / "issued/root/ca.pem").write_text("changed")
    (line, *rest) = lived_in.runs("--quiet", "doctor").splitlines()
    assert line == "warning  issued/  1 file changed and not committed, issued/root/ca.pem first"
    assert "git restore issued" in rest[0]


def test_outside_of_a_repository_the_machine_is_told_and_that_it_is_none(gitca: Command) -> None:
    checks = doctor(gitca, code=1)
    assert not_ok(checks) == {"repository": "failed"}
    assert list(checks) == ["Python", "Git", "repository"]
    assert "gitca init DIR" in checks["repository"]["remedy"]


def test_a_ca_that_there_is_not_is_wrong_usage(standing: Command) -> None:
    answer = standing("doctor", "--ca", "nobody")
    assert (answer.code, answer.out) == (2, "")
    assert "there is no CA 'nobody'" in answer.err


def test_one_ca_alone_is_looked_at(standing: Command) -> None:
    checks = doctor(standing, "--ca", "root")
    assert {c["ca"] for c in checks.values()} == {None, "root"}


def test_a_missing_passphrase_fails_the_keys_and_nothing_else(standing: Command) -> None:
    checks = doctor(Command(standing.folder), code=1)
    assert not_ok(checks) == {"origin": "note", "root key": "failed", "issuing key": "failed"}
    assert "GITCA_KEY_PASSPHRASE" in checks["root key"]["remedy"]
    assert checks["root CRL"]["outcome"] == "ok"


def test_no_secret_is_printed(standing: Command) -> None:
    secret = "a passphrase that does not open it"
    answer = standing("doctor", GITCA_KEY_PASSPHRASE=secret)
    assert answer.code == 1
    for text in (answer.out, answer.err):
        assert secret not in text
        assert PASSPHRASE not in text


def test_a_key_that_is_not_at_this_machine_is_a_note(lived_in: Command) -> None:
    (lived_in.folder / ".gitca/keys/root.pem").unlink()
    checks = doctor(lived_in)
    assert not_ok(checks) == {"origin": "note", "root key": "note"}
    # A CA with a certificate is not to be given another key.
    assert checks["root key"]["remedy"] is None
    assert "waits for a run where the key is" in checks["root key"]["seen"]


def test_before_the_first_reconcile_there_is_no_certificate_and_the_key_can_be_made(
    pki: Command,
) -> None:
    (pki.folder / ".gitca/keys/root.pem").unlink()
    checks = doctor(pki)
    assert not_ok(checks) == {
        "origin": "note",
        "root key": "note",
        "root certificate": "note",
        "issuing certificate": "note",
    }
    assert "gitca keys create" in checks["root key"]["remedy"]


def test_another_key_than_the_certificates_fails_and_is_not_proven(lived_in: Command) -> None:
    keys = lived_in.folder / ".gitca/keys"
    shutil.copy(keys / "issuing.pem", keys / "root.pem")
    checks = doctor(lived_in, code=1)
    assert not_ok(checks) == {"origin": "note", "root key": "failed"}
    assert "ANOTHER key" in checks["root key"]["seen"]
    assert "root signing" not in checks


def test_an_algorithm_that_does_not_go_with_the_key_fails(lived_in: Command) -> None:
    document = lived_in.folder / "ca/issuing.yaml"
    document.write_text(document.read_text() + "  signatureAlgorithm: ecdsa-sha512\n")
    checks = doctor(lived_in, "--ca", "issuing", code=1)
    assert not_ok(checks) == {"origin": "note", "issuing signing": "failed"}
    assert "ecdsa-sha512 does not go with a key P-256" in checks["issuing signing"]["seen"]


def test_a_retired_ca_is_noted_and_its_key_left_alone(lived_in: Command) -> None:
    document = lived_in.folder / "ca/issuing.yaml"
    document.write_text(document.read_text() + "  state: retired\n")
    (lived_in.folder / ".gitca/keys/issuing.pem").unlink()
    checks = doctor(lived_in, "--ca", "issuing")
    assert not_ok(checks) == {"origin": "note", "issuing key": "note"}
    assert "retired" in checks["issuing key"]["seen"]


@pytest.mark.parametrize(
    ("days", "outcome", "words"),
    [(5, "warning", "the next is due"), (10, "failed", "has lapsed")],
)
def test_a_crl_is_due_and_then_lapsed(
    standing: Command, days: int, outcome: str, words: str
) -> None:
    """Days later, by the clock that libfaketime would give: doctor's own functions are asked."""
    from gitca.cli.doctor_keys import authority_checks
    from gitca.cli.key_bindings import known_of
    from gitca.signers import open_signer

    known = known_of(standing.folder)
    assert known.state is not None

    def opener(uri: str):
        return open_signer(uri, base=standing.folder, passphrase=lambda _: PASSPHRASE.encode())

    now = datetime.now(UTC) + timedelta(days=days)
    checks = authority_checks(
        known.governing, known.state, open_signer=opener, names=["issuing"], now=now
    )
    (crl,) = (check for check in checks if check.about == "CRL")
    assert (crl.outcome.value, words in crl.seen) == (outcome, True)


def test_a_clock_behind_the_ledger_fails_and_behind_a_commit_warns(standing: Command) -> None:
    from gitca.cli.key_bindings import known_of

    state, now = known_of(standing.folder).state, datetime.now(UTC)
    past = now - timedelta(hours=2)
    behind = clock_check(past, None, state)
    assert behind.outcome is Outcome.FAILED
    assert "the ledger has an order of " in behind.seen
    assert clock_check(past, now, None).outcome is Outcome.WARNING
    assert clock_check(now, now + timedelta(seconds=30), state).outcome is Outcome.OK
    assert clock_check(now, None, None).outcome is Outcome.NOTE


def test_a_commit_from_the_future_is_told(pki: Command) -> None:
    ahead = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    pki.start(
        *("git", "commit", "--quiet", "--allow-empty", "-m", "later"), GIT_COMMITTER_DATE=ahead
    )
    assert not_ok(doctor(pki, "--ca", "root"))["clock"] == "warning"


@pytest.fixture
def origin(lived_in: Command, tmp_path: Path) -> Path:
    """The origin of `lived_in`, which has all that it has."""
    place = tmp_path / "origin.git"
    lived_in.git("init", "--quiet", "--bare", "--initial-branch=main", str(place))
    lived_in.git("remote", "add", "origin", str(place))
    lived_in.git("push", "--quiet", "-u", "origin", "main")
    return place


def test_an_origin_that_answers_and_has_the_branch_is_well(lived_in: Command, origin: Path) -> None:
    checks = doctor(lived_in)
    assert not_ok(checks) == {}
    assert checks["origin"]["seen"] == f"{origin} answers"
    assert "main of origin is at " in checks["branch"]["seen"]


def test_an_origin_without_the_branch_fails(lived_in: Command, origin: Path) -> None:
    subprocess.run(["git", "-C", origin, "branch", "-m", "main", "trunk"], check=True)
    checks = doctor(lived_in, code=1)
    assert not_ok(checks) == {"branch": "failed"}
    assert "origin has no branch main" in checks["branch"]["seen"]


def test_an_origin_that_is_further_is_a_note(
    lived_in: Command, origin: Path, tmp_path: Path
) -> None:
    subprocess.run(["git", "clone", "--quiet", origin, tmp_path / "other"], check=True)
    other = Command(tmp_path / "other")
    other.git("commit", "--quiet", "--allow-empty", "-m", "more")
    other.git("push", "--quiet")
    assert not_ok(doctor(lived_in)) == {"branch": "note"}


def test_an_origin_that_does_not_answer_fails_and_shows_no_credentials(lived_in: Command) -> None:
    url = "http://ci:verysecret@127.0.0.1:9/pki.git"  # discard: nothing listens
    lived_in.git("remote", "add", "origin", url)
    answer = lived_in("doctor", "--format", "json")
    assert "verysecret" not in answer.out + answer.err
    checks = doctor(lived_in, code=1)
    assert not_ok(checks) == {"origin": "failed"}


def test_a_shallow_clone_is_warned_of(lived_in: Command, origin: Path, tmp_path: Path) -> None:
    url = f"file://{origin}"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", url, tmp_path / "s"], check=True)
    shutil.copytree(lived_in.folder / ".gitca", tmp_path / "s/.gitca")
    checks = doctor(lived_in.at(tmp_path / "s"))
    assert not_ok(checks) == {"history": "warning"}


def test_a_broken_ledger_fails_and_the_keys_are_looked_at_all_the_same(lived_in: Command) -> None:
    lived_in.git("rm", "--quiet", "issued/ledger/00000002.jsonl")
    lived_in.git("commit", "--quiet", "-m", "forged")
    checks = doctor(lived_in, code=1)
    assert not_ok(checks)["ledger"] == "failed"
    assert checks["root key"]["outcome"] == "ok"
    assert "root certificate" not in checks


def test_a_broken_document_fails_and_the_others_are_looked_at(lived_in: Command) -> None:
    (lived_in.folder / "ca/issuing.yaml").write_text("kind: Nonsense\n")
    checks = doctor(lived_in, code=1)
    assert checks["documents"]["outcome"] == "failed"
    assert checks["root signing"]["outcome"] == "ok"


def test_a_broken_repository_document_is_told_in_its_words(lived_in: Command) -> None:
    document = lived_in.folder / "ca/repository.yaml"
    document.write_text(document.read_text().replace("branch:", "brunch:"))
    checks = doctor(lived_in, code=1)
    assert "ca/repository.yaml:" in checks["documents"]["seen"]
    assert "brunch" in checks["documents"]["seen"]


def test_an_old_git_fails(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITCA_KEY_PASSPHRASE", PASSPHRASE)
    monkeypatch.setattr(installed, "_OLDEST", (99, 0))
    code, out, _ = run("doctor")
    assert code == 1
    assert "failed   Git" in out
    assert "ok       root signing" in out
