"""doctor, beyond the machine and the keys: pushing, schedule, pipelines, owners, targets, clock."""

from __future__ import annotations

import hashlib
import http.server
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from cli_command import PASSPHRASE, Command
from doctor_checks import doctor, not_ok

from gitca.cli.code_owners import owners_of
from gitca.cli.cron import longest_gap
from gitca.cli.doctor_check import Check
from gitca.cli.doctor_origin import remote_clock_checks
from gitca.cli.doctor_pipelines import pipeline_checks
from gitca.cli.doctor_schedule import schedule_checks
from gitca.cli.doctor_targets import target_checks
from gitca.cli.worktree import governing_of

TOOL = "example/gitca@" + "1" * 40
RECONCILE = ".github/workflows/reconcile.yml"


@pytest.fixture(scope="session")
def with_pipelines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `init --ci github` made for keys in a file; copy it."""
    folder = tmp_path_factory.mktemp("pipelines")
    command = Command(folder, GITCA_KEY_PASSPHRASE=PASSPHRASE)
    command.runs(
        *("init", "pki", "--domain", "example.internal", "--organization", "Example"),
        *("--ci", "github", "--tool", TOOL, "--security-team", "@example/security"),
    )
    # As somebody has it who publishes from a machine of their own.
    made = command.at(folder / "pki")
    with (made.folder / "ca/repository.yaml").open("a") as file:
        file.write("  publish:\n    - to: directory:public\n")
    (made.folder / ".gitignore").write_text("/.gitca/\n/public/\n")
    made.git("commit", "--quiet", "--all", "--message=publish")
    return made.folder


@pytest.fixture
def pki(with_pipelines: Path, tmp_path: Path) -> Command:
    shutil.copytree(with_pipelines, tmp_path / "pki", symlinks=True)
    return Command(tmp_path / "pki", GITCA_KEY_PASSPHRASE=PASSPHRASE)


@pytest.fixture
def origin(pki: Command, tmp_path: Path) -> Path:
    place = tmp_path / "origin.git"
    pki.git("init", "--quiet", "--bare", "--initial-branch=main", str(place))
    pki.git("remote", "add", "origin", "../origin.git")
    pki.git("push", "--quiet", "-u", "origin", "main")
    return place


def edit(pki: Command, path: str, old: str, new: str) -> None:
    target = pki.folder / path
    text = target.read_text()
    assert old in text
    target.write_text(text.replace(old, new))


def said(checks: Iterator[Check]) -> list[tuple[str, str]]:
    return [(check.outcome.value, check.seen) for check in checks]


def pipelines(pki: Command) -> list[tuple[str, str]]:
    return said(pipeline_checks(pki.folder, governing_of(pki.folder)))


def schedule(pki: Command) -> list[tuple[str, str]]:
    return said(schedule_checks(pki.folder, governing_of(pki.folder)))


def test_a_repository_with_pipelines_is_told_whole(
    pki: Command,
    origin: Path,
    golden: Callable[[str, str], None],
    masked: Callable[[str], str],
) -> None:
    text = pki("doctor", COLUMNS="90").out.replace(str(pki.folder.parent), "/x")
    for pattern, mask in (
        (r"\d+\.\d+\.\d+ \(", "N.N.N ("),
        (r"at [0-9a-f]{12}\b", "at COMMIT"),
        (r"date of others:.*\n(?: {20,}.*\n)?", "date of others: RECENT\n"),
    ):
        text = re.sub(pattern, mask, text)
    golden("cli/doctor-pipelines.txt", masked(text))


def test_a_push_that_origin_would_take_is_rehearsed_and_changes_nothing(
    pki: Command, origin: Path
) -> None:
    before = subprocess.check_output(["git", "-C", origin, "for-each-ref"])
    assert "a push to main is accepted" in doctor(pki)["push"]["seen"]
    edit(pki, "ca/repository.yaml", "spec:\n", "spec:\n  issuedBranch: issued\n")
    checks = doctor(pki)
    assert "a push to issued is accepted" in checks["push"]["seen"]
    assert checks["issued branch"]["outcome"] == "note"
    assert subprocess.check_output(["git", "-C", origin, "for-each-ref"]) == before


def test_an_account_that_may_not_push_is_warned_of(pki: Command, origin: Path) -> None:
    pki.git("config", "remote.origin.pushurl", str(origin / "nowhere"))
    check = doctor(pki)["push"]
    assert check["outcome"] == "warning"
    assert "where others reconcile" in check["remedy"]


@pytest.mark.parametrize(
    ("url", "command"),
    [
        ("git@github.com:example/pki.git", "gh api repos/example/pki/rules/branches/main"),
        (
            "https://gitlab.com/a/b/pki.git",
            "glab api projects/a%2Fb%2Fpki/protected_branches/main",
        ),
        ("https://github.com/example/pki;rm", None),
        ("/srv/git/pki.git", None),
    ],
)
def test_how_to_see_the_rules_of_a_forge_is_told(url: str, command: str | None) -> None:
    from gitca.cli.doctor_origin import _rules

    told = [check.remedy.partition(" does: ")[0] for check in _rules(url, "main")]
    assert told == ([command] if command else [])


def test_what_init_writes_is_no_drift_and_owns_all(pki: Command) -> None:
    assert {outcome for outcome, _ in pipelines(pki)} == {"ok"}
    assert any("CODEOWNERS gives owners to ca/" in seen for _, seen in pipelines(pki))


def test_another_pin_of_an_action_is_no_drift_and_a_tag_is(pki: Command) -> None:
    text = (pki.folder / RECONCILE).read_text()
    pin = re.search(r"actions/checkout@[0-9a-f]{40} # v[0-9.]+", text)
    assert pin is not None
    edit(pki, RECONCILE, pin[0], f"actions/checkout@{'2' * 40} # v8.0.0")
    assert {outcome for outcome, _ in pipelines(pki)} == {"ok"}
    edit(pki, RECONCILE, f"actions/checkout@{'2' * 40} # v8.0.0", "actions/checkout@v8")
    assert ("warning" in dict(pipelines(pki))) is True


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (RECONCILE, "cancel-in-progress: false", "cancel-in-progress: true"),
        (".github/workflows/plan.yml", "permissions: {}", "permissions: write-all"),
        (".github/workflows/comment.yml", "\non:\n", "\non:\n  push:\n"),
    ],
)
def test_a_pipeline_that_drifted_is_told_with_its_line(
    pki: Command, path: str, old: str, new: str
) -> None:
    number = (pki.folder / path).read_text().partition(old)[0].count("\n") + 1
    edit(pki, path, old, new)
    (told,) = [seen for outcome, seen in pipelines(pki) if outcome == "warning"]
    first = int(told.rpartition(" ")[2])
    assert told.startswith(f"{path} differs from what this version writes")
    assert number <= first <= number + 2


def test_a_pipeline_that_is_gone_is_told(pki: Command) -> None:
    (pki.folder / ".github/workflows/plan.yml").unlink()
    assert ("warning", ".github/workflows/plan.yml is not there") in pipelines(pki)


def test_code_owners_that_are_missing_or_leave_something_out_are_told(pki: Command) -> None:
    place = pki.folder / ".github/CODEOWNERS"
    place.write_text("/ca/ @a\n/policies/ @a\n* @b\n/policies/\n/.github/ @a\n")
    assert ("warning", ".github/CODEOWNERS gives no owner to policies/") in pipelines(pki)
    place.write_text("* @OWNER/security\n")
    assert any("whom nobody is" in seen for _, seen in pipelines(pki))
    place.unlink()
    assert any("there is no CODEOWNERS" in seen for _, seen in pipelines(pki))


@pytest.mark.parametrize(
    ("pattern", "path", "covers"),
    [
        ("*", "ca/root.yaml", True),
        ("/ca/", "ca/root.yaml", True),
        ("ca/", "requests/ca/stop.yaml", True),
        ("/ca/", "requests/ca/stop.yaml", False),
        ("/ca", "ca/root.yaml", True),
        ("/ca/*", "ca/deep/root.yaml", False),
        ("/requests/**/web.yaml", "requests/a/b/web.yaml", True),
        ("*.yaml", "ca/root.yaml", True),
        ("*.yml", "ca/root.yaml", False),
        ("/policies/", "policies-old/x.yaml", False),
    ],
)
def test_a_pattern_of_code_owners_covers_what_the_forge_says(
    pattern: str, path: str, covers: bool
) -> None:
    assert bool(owners_of(f"{pattern} @team\n", path)) is covers


def test_the_last_line_and_a_sections_owners_count() -> None:
    text = "* @all # everybody\n# no line\n[CAs] @ca\n/ca/\n/ca/own.yaml @own\n"
    assert owners_of(text, "ca/root.yaml") == ("@ca",)
    assert owners_of(text, "ca/own.yaml") == ("@own",)
    assert owners_of(text, "README.md") == ("@all",)


def test_a_schedule_that_keeps_crls_fresh_is_well(pki: Command) -> None:
    assert {outcome for outcome, _ in schedule(pki)} == {"ok"}


def test_a_schedule_is_held_against_cron_lines_and_crls(pki: Command) -> None:
    edit(pki, RECONCILE, '"17 */6 * * *"', '"17 3 * * 1"')
    assert any(
        outcome == "warning" and "runs every 7d at the longest, and reconcileEvery is 6h" in seen
        for outcome, seen in schedule(pki)
    )
    edit(pki, "ca/repository.yaml", "reconcileEvery: 6h", "reconcileEvery: 30d")
    assert any(
        outcome == "warning" and "crl.refreshBefore is shorter: issuing" in seen
        for outcome, seen in schedule(pki)
    )
    edit(pki, "ca/repository.yaml", "  reconcileEvery: 30d\n", "")
    assert [outcome for outcome, _ in schedule(pki)] == ["note"]
    edit(pki, RECONCILE, '"17 3 * * 1"', '"hourly"')
    assert any("a cron line that is none: hourly" in seen for _, seen in schedule(pki))


@pytest.mark.parametrize(
    ("line", "gap"),
    [
        ("17 */6 * * *", timedelta(hours=6)),
        ("*/15 * * * *", timedelta(minutes=15)),
        ("0 3 * * mon-fri", timedelta(days=3)),
        ("0 0 1 * *", timedelta(days=31)),
        ("0 0 13 * 5", timedelta(days=7)),
        ("5 4,16 * * *", timedelta(hours=12)),
        ("0 0 29 2 *", timedelta(days=1461)),
        ("61 * * * *", None),
        ("0 0 * *", None),
        ("0 0 */0 * *", None),
        ("@daily", None),
    ],
)
def test_the_longest_time_between_two_runs_is_computed(line: str, gap: timedelta | None) -> None:
    if line == "0 0 29 2 *":  # once in the four years that are looked at
        gap = None
    assert longest_gap(line) == gap


def test_targets_are_read_and_not_written(pki: Command) -> None:
    def told() -> list[tuple[str, str]]:
        from gitca.cli.key_bindings import known_of

        governing, state = governing_of(pki.folder), known_of(pki.folder).state
        return said(target_checks(pki.folder, governing, state))

    ((outcome, seen),) = told()
    assert (outcome, "nothing is published there yet" in seen) == ("note", True)
    assert not (pki.folder / "public").exists()
    pki.runs("reconcile")
    ((outcome, seen),) = told()
    assert (outcome, "has segment" in seen) == ("ok", True)
    manifest = pki.folder / "public/manifest.json"
    whole = manifest.read_text()
    record = json.loads(whole)
    manifest.write_text(whole.replace(f'"segment": {record["segment"]}', '"segment": 1'))
    # Whose digest is the last segment's.
    ((outcome, seen),) = told()
    assert (outcome, "names sha256:" in seen) == ("failed", True)
    first = hashlib.sha256((pki.folder / "issued/ledger/00000001.jsonl").read_bytes()).hexdigest()
    earlier = record | {"segment": 1, "ledger": f"sha256:{first}"}
    manifest.write_text(json.dumps(earlier))
    assert [outcome for outcome, _ in told()] == ["warning"]
    manifest.write_text(json.dumps(record | {"segment": record["segment"] + 1}))
    ((outcome, seen),) = told()
    assert (outcome, "which ends with" in seen) == ("warning", True)
    manifest.write_text(json.dumps(record | {"ledger": f"sha256:{first}"}))
    assert [outcome for outcome, _ in told()] == ["failed"]
    manifest.write_text("{}")
    assert [outcome for outcome, _ in told()] == ["failed"]
    shutil.rmtree(pki.folder / "public")
    (pki.folder / "public").write_text("no folder")
    assert [outcome for outcome, _ in told()] == ["failed"]


class Dated(http.server.BaseHTTPRequestHandler):
    """A web server whose clock is what a test sets."""

    date = datetime.now(UTC)

    def do_HEAD(self) -> None:
        self.send_response_only(401)
        self.send_header("Date", format_datetime(self.date, usegmt=True))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is to be said."""


@pytest.fixture
def web() -> Iterator[str]:
    with http.server.HTTPServer(("127.0.0.1", 0), Dated) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/pki.git"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("ahead", "outcome"), [(0, "ok"), (45, "ok"), (90, "failed"), (-7200, "failed")]
)
def test_the_clock_is_held_against_origins_server(web: str, ahead: int, outcome: str) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    Dated.date = now + timedelta(seconds=ahead)
    ((found, seen),) = said(remote_clock_checks(web, now))
    assert found == outcome
    assert "origin's server says" in seen


@pytest.mark.parametrize(
    "url", ["", "/srv/pki.git", "ssh://git@host/pki.git", "https://[", "http://127.0.0.1:9/pki"]
)
def test_an_origin_without_a_web_server_says_nothing_of_the_clock(url: str) -> None:
    assert list(remote_clock_checks(url, datetime.now(UTC))) == []


def test_attributes_that_let_git_change_bytes_are_warned_of(pki: Command) -> None:
    assert ".gitattributes" not in doctor(pki)
    (pki.folder / ".gitattributes").write_text("*.der binary\n")
    check = doctor(pki)[".gitattributes"]
    assert (check["outcome"], "issued/** -text" in check["remedy"]) == ("warning", True)


def test_what_failed_is_told_at_the_end_in_the_order_to_mend_it(pki: Command) -> None:
    """CAs above come before those below, whatever their names."""
    edit(pki, "ca/issuing.yaml", ".gitca/keys/issuing.pem", ".gitca/keys/none.pem")
    wrong = pki.at(pki.folder)
    wrong.environment["GITCA_KEY_PASSPHRASE"] = "not the passphrase"
    answer = wrong("doctor", "--format", "json")
    assert answer.code == 1
    steps = json.loads(answer.out)["next"]
    assert [step.partition(":")[0] for step in steps] == [
        "root key",
        "issuing key",
        "gitca doctor, until nothing fails",
        "gitca reconcile",
    ]
    text = wrong("doctor").out
    assert "Next, in this order:" in text
    assert not_ok(doctor(pki)).get("root key") is None
    assert "Next, in this order:" not in pki.runs("doctor")
