"""plan and validate for forges: one run writes many files, and its exit code says what it saw."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_command import Answer, Command, Run

from ca_documents import request
from ca_world import KeyRing
from gitca.cli.formats import FindingsFormat
from markdown_judge import judge
from review_world import Review, make_review

Golden = Callable[[str, str], None]
Masked = Callable[[str], str]
LINKS = "https://github.com/example/pki/blob/0123456"
FILES = {
    "markdown": "plan.md", "json": "plan.json", "github": "annotations.txt", "text": "plan.txt",
    "sarif": "gitca.sarif", "junit": "junit.xml", "codequality": "codequality.json",
}  # fmt: skip


@pytest.fixture(scope="session")
def review(tmp_path_factory: pytest.TempPathFactory, key_ring: KeyRing) -> Review:
    """A pull request with something of everything, checked out."""
    return make_review(tmp_path_factory.mktemp("review") / "pki", key_ring)


@pytest.fixture(scope="session")
def run_of_all(review: Review, tmp_path_factory: pytest.TempPathFactory) -> tuple[Answer, Path]:
    """One run that wrote every format, and the folder of its files."""
    folder = tmp_path_factory.mktemp("formats")
    return plan(review, "--links", LINKS, *writes(folder)), folder


def plan(review: Review, *options: str) -> Answer:
    return Command(review.clone.folder)("plan", "--base", review.base, "--at", review.at, *options)


def writes(folder: Path) -> list[str]:
    return [word for kind, name in FILES.items() for word in ("--write", f"{kind}={folder / name}")]


def steady(text: str) -> str:
    """Return a text without what is drawn anew with each session's keys."""
    masks = (
        (r"sha256:[0-9a-f]{32}(`<br>`)[0-9a-f]{32}", r"sha256:DIGEST\1DIGEST"),
        (r"sha256:[0-9a-f]{16}…", "sha256:DIGEST…"),
        (r"sha256:[0-9a-f]{64}", "sha256:DIGEST"),
        (r"(?<=SKI `)[0-9a-f]{40}", "SKI"),
        (r"(?<=Now: `)[0-9a-f]+|(?<=live certificate `)[0-9a-f]+", "SERIAL"),
        (r"(Serial number\*\* \| `)[0-9a-f]+", r"\1SERIAL"),
        (r"(?<=order `)[0-9a-f]{32}", "ORDER"),
        (r'(?<="name": "gitca",\n          "version": ")[0-9.a-z]+', "VERSION"),
        (r"(fingerprint|/v1|LineHash)(\": \")[0-9a-f]{32}", r"\1\2FINGERPRINT"),
    )
    for pattern, replacement in masks:
        text = re.sub(pattern, replacement, text)
    return text


@pytest.mark.parametrize("kind", ["markdown", "github", "sarif", "junit", "codequality"])
def test_formats_are_as_the_golden_files_have_them(
    run_of_all: tuple[Answer, Path], golden: Golden, kind: str
) -> None:
    written = (run_of_all[1] / FILES[kind]).read_text(encoding="utf-8")
    golden(f"formats/{FILES[kind]}", steady(written))


def test_one_run_prints_one_format_and_writes_the_others(run_of_all: tuple[Answer, Path]) -> None:
    answer, folder = run_of_all
    assert answer.code == 1
    assert {path.name for path in folder.iterdir()} == set(FILES.values())
    assert answer.out == (folder / "plan.txt").read_text(encoding="utf-8")
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in folder.iterdir())


@pytest.mark.parametrize("kind", ["markdown", "github", "sarif", "junit", "codequality", "json"])
def test_what_is_printed_is_what_is_written(
    review: Review, run_of_all: tuple[Answer, Path], kind: str
) -> None:
    printed = plan(review, "--links", LINKS, "--format", kind)
    assert printed.code == 1
    assert printed.out == (run_of_all[1] / FILES[kind]).read_text(encoding="utf-8")


def test_the_markdown_of_a_real_plan_holds_nothing_but_what_gitca_writes(
    run_of_all: tuple[Answer, Path],
) -> None:
    found = judge((run_of_all[1] / "plan.md").read_text(encoding="utf-8"))
    assert found.problems == []
    assert any("See @payments and https://example.com/#12" in code for code in found.codes)
    assert f"{LINKS}/requests/shop/evil.yaml#L9" in found.links


def test_the_json_plan_has_the_digest_that_the_markdown_ends_with(
    run_of_all: tuple[Answer, Path],
) -> None:
    record = json.loads((run_of_all[1] / "plan.json").read_text())
    markdown = (run_of_all[1] / "plan.md").read_text(encoding="utf-8")
    assert f"Plan `{record['digest']}`" in markdown.splitlines()[-1]
    assert {"digest", "actions", "findings", "pending", "whatIf"} == set(record)
    for action in record["actions"]:
        assert markdown.count(f"| {action['action']} |") >= 1


@pytest.fixture(scope="session")
def warned_once(scaffold: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a warning and no error."""
    folder = tmp_path_factory.mktemp("warned") / "pki"
    shutil.copytree(scaffold, folder, symlinks=True)
    settings = folder / "ca/repository.yaml"
    settings.write_text(settings.read_text() + "\n  reconcileEvery: 30d\n")
    Command(folder).git("commit", "-q", "--all", "-m", "a schedule")
    return folder


@pytest.fixture
def warned(warned_once: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run gitca in that repository, for commands that do not change it."""
    monkeypatch.chdir(warned_once)
    return run


@pytest.fixture
def own(warned_once: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run gitca in a copy of that repository, which is the working folder."""
    shutil.copytree(warned_once, tmp_path / "own", symlinks=True)
    (tmp_path / "own" / "requests").mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path / "own")
    return run


@pytest.mark.parametrize("command", ["plan", "validate"])
def test_warnings_make_a_job_red_where_it_asks_for_it(warned: Run, command: str) -> None:
    code, out, _ = warned(command, "--format", "json")
    severities = {item["severity"] for item in json.loads(out)["findings"]}
    assert (code, severities) == (0, {"warning"})
    assert warned(command, "--require-clean")[0] == 1


def test_errors_make_a_job_red_in_every_format(own: Run) -> None:
    Path("requests/bad.yaml").write_text(request("bad", "bad.example.com"))
    for kind in FindingsFormat:
        code, out, _ = own("validate", "--format", kind)
        assert (code, "requests/bad.yaml" in out) == (1, True), kind


def test_validate_writes_reports_as_plan_does(warned: Run, tmp_path: Path) -> None:
    kinds = [kind for kind in FILES if kind != "markdown"]
    files = [w for kind in kinds for w in ("--write", f"{kind}={tmp_path / FILES[kind]}")]
    assert warned("validate", *files)[0] == 0
    for kind in kinds:
        printed = warned("validate", "--format", kind)[1]
        assert printed == (tmp_path / FILES[kind]).read_text(), kind


def test_quiet_says_the_same_to_programs(warned: Run, tmp_path: Path) -> None:
    kinds = [kind for kind in FILES if kind != "text"]
    said = {}
    for folder, quiet in ((tmp_path / "quiet", ["--quiet"]), (tmp_path / "usual", [])):
        folder.mkdir()
        assert warned(*quiet, "plan", *writes(folder))[0] == 0
        said[folder.name] = {kind: (folder / FILES[kind]).read_text() for kind in kinds}
    assert said["quiet"] == said["usual"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--write", "markdown"], "'markdown' is no FORMAT=FILE; formats are text, json, markdown"),
        (["--write", "word=x"], "'word=x' is no FORMAT=FILE"),
        (["--write", "sarif="], "'sarif=' is no FORMAT=FILE"),
        (["--write", "json=a", "--write", "sarif=./a"], "names a twice"),
        (["--write", "json=no/such/a"], "no/such/a: No such file"),
        (["--write", "json=ca"], "ca: that is no regular file"),
        (["--links", "javascript:alert(1)"], "is no http or https URL"),
        (["--links", "https://x.example/a)b"], "is no http or https URL"),
        (["--size-limit", "100"], "greater than or equal to 5000"),
        (["--format", "word"], "'word' is not one of"),
    ],
)
def test_options_that_cannot_be_followed_are_refused(
    warned: Run, options: list[str], words: str
) -> None:
    code, _, err = warned("plan", *options)
    assert code == 2
    assert words in re.sub(r"\s+", " ", err)
    assert not Path("a").exists()


def test_a_link_in_a_files_place_is_replaced_and_not_followed(warned: Run, tmp_path: Path) -> None:
    precious, report = tmp_path / "precious", tmp_path / "report.json"
    precious.write_text("keep")
    report.symlink_to(precious)
    assert warned("validate", "--write", f"json={report}")[0] == 0
    assert precious.read_text() == "keep"
    assert not report.is_symlink()
    assert "findings" in json.loads(report.read_text())
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".tmp"] == []


def test_a_size_limit_is_kept(review: Review) -> None:
    text = plan(review, "--format", "markdown", "--size-limit", "5000").out
    assert len(text.encode()) <= 5000
    assert re.search(r"and 5 errors|and \d more actions", text)


def test_a_name_that_holds_a_workflow_command_stays_a_name(own: Run) -> None:
    evil = "x\n::error file=ca/root.yaml::owned\n##[error]owned"
    Path("requests/evil.yaml").write_text(
        request("evil", "evil.example.internal", subject={"commonName": evil})
    )
    for kind in FindingsFormat:
        out = own("validate", "--format", kind)[1]
        commands = [line for line in out.splitlines() if line.lstrip().startswith("::")]
        assert kind is FindingsFormat.GITHUB or commands == [], kind
        assert not any("file=ca/root.yaml" in line[:40] for line in commands), kind
        assert "##[error]" not in out
