"""demo: the loop runs on this project's own documents, tells a tidy story, and notices failure."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cli_command import Command

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The demo on the project's documents: what it said, and the folder it left."""
    folder = tmp_path_factory.mktemp("demo")
    answer = Command(folder)("demo", "--documents", str(PROJECT), "--into", "loop")
    assert answer.code == 0, answer.out + answer.err
    return answer.out, folder / "loop"


def test_the_story_has_every_act_in_its_order(story: tuple[str, Path]) -> None:
    acts = [
        *("git init", "keys create", "reconcile", "openssl req", "request new", "(policy"),
        *(
            "git push",
            "validate",
            "plan --base",
            "git merge",
            "reconcile",
            "openssl verify",
            ": OK",
        ),
        *("revoke demo/shop", "reconcile", "CRL 2", "certificate revoked", "gitca verify"),
        *("Nothing contradicts", "gitca plan", "Nothing to do", "Where to look"),
    ]
    place = 0
    for act in acts:
        place = story[0].find(act, place)
        assert place >= 0, f"{act} is missing, or comes too early"


def test_the_story_is_tidy_at_80_columns(story: tuple[str, Path]) -> None:
    assert max(map(len, story[0].splitlines())) <= 80
    assert "\x1b" not in story[0]


def test_every_request_of_the_project_got_its_certificate(story: tuple[str, Path]) -> None:
    asked = {
        path.relative_to(PROJECT / "requests").with_suffix("").as_posix()
        for path in (PROJECT / "requests").rglob("*.yaml")
    }
    given = {
        path.relative_to(folder).with_suffix("").as_posix()
        for folder in (story[1] / "alice/issued").glob("*/certificates")
        for path in folder.rglob("*.pem")
    }
    assert given == asked | {"demo/shop"}
    assert len(asked) >= 8


def test_the_passphrase_was_written_nowhere(story: tuple[str, Path]) -> None:
    key = (story[1] / "pipeline/.gitca/keys/root.pem").read_text()
    assert "ENCRYPTED" in key
    assert not (story[1] / "alice/.gitca").exists()


def test_without_openssl_gitca_makes_the_csr_and_says_so(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("git", "rm", "sh"):
        (programs / name).symlink_to(shutil.which(name) or name)
    answer = Command(tmp_path)("demo", "--into", "loop", PATH=str(programs))
    assert answer.code == 0, answer.out + answer.err
    assert "There is no openssl here" in answer.out
    assert "openssl verify" not in answer.out


def test_a_step_that_goes_wrong_ends_the_demo_with_its_name(tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    for folder in ("ca", "policies", "requests"):
        shutil.copytree(PROJECT / folder, documents / folder)
    broken = documents / "requests/payments/api.yaml"
    broken.write_text(broken.read_text().replace("validity: 14d", "validity: 400d"))
    answer = Command(tmp_path)("demo", "--documents", "documents", "--into", "loop")
    assert answer.code == 1
    assert "`gitca reconcile` gave exit code 1 where 0 was expected" in answer.err
    assert "validity 400d is above 90d" in " ".join(answer.out.split())


@pytest.mark.parametrize("state", ["issued", "absolute key"])
def test_documents_that_cannot_be_played_with_are_refused_before_anything_is_made(
    tmp_path: Path, state: str
) -> None:
    documents = tmp_path / "documents"
    for folder in ("ca", "policies"):
        shutil.copytree(PROJECT / folder, documents / folder)
    if state == "issued":
        (documents / "issued/ledger").mkdir(parents=True)
        (documents / "issued/ledger/00000001.jsonl").write_text("{}\n")
    else:
        root = documents / "ca/root.yaml"
        root.write_text(root.read_text().replace("file:.gitca/keys", "file:/etc"))
    answer = Command(tmp_path)("demo", "--documents", "documents", "--into", "loop")
    assert answer.code == 2
    assert not (tmp_path / "loop").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["documents"]
