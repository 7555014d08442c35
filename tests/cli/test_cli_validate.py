"""validate: which files a path stands for, and that no file of the tree is trusted."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_command import Run

from gitca.cli.worktree import READ_LIMIT, WorkingTreeReader, entries_of

GOOD = """\
apiVersion: gitca/v1
kind: RevocationRequest
spec: {key: "sha256:%s", reason: superseded}
""" % ("ab" * 32)
BAD = "apiVersion: gitca/v1\nkind: Nonsense\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], Path]:
    """Write files into a folder with a `ca/`, and go there."""

    def write(files: dict[str, str]) -> Path:
        for path, text in {"ca/.gitkeep": "", **files}.items():
            place = tmp_path / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        monkeypatch.chdir(tmp_path)
        return tmp_path

    return write


Tree = Callable[[dict[str, str]], Path]


def test_every_document_is_checked_and_every_finding_told(run: Run, tree: Tree) -> None:
    tree({"requests/a.yaml": BAD, "requests/b/c.yaml": BAD, "requests/d.yaml": GOOD})
    code, out, _ = run("validate")
    assert code == 1
    assert [line.split(":")[0] for line in out.splitlines()[:2]] == [
        "requests/a.yaml",
        "requests/b/c.yaml",
    ]
    assert out.splitlines()[-1] == "3 documents: 2 errors"


@pytest.mark.parametrize(
    ("path", "documents"),
    [
        ("requests/a.yaml", 1),
        ("requests/b", 1),
        ("requests/b/", 1),
        ("requests/../requests/d.yaml", 1),
        (".", 3),
        ("requests/b/x.csr", 3),
        ("requests/x.csr", 2),
        ("README.md", 0),
    ],
)
def test_a_path_stands_for_the_documents_that_it_is_about(
    run: Run, tree: Tree, path: str, documents: int
) -> None:
    tree({
        "requests/a.yaml": GOOD, "requests/b/c.yaml": GOOD, "requests/d.yaml": GOOD,
        "requests/x.csr": "", "requests/b/x.csr": "", "README.md": "",
    })  # fmt: skip
    code, out, _ = run("validate", path)
    assert code == 0
    assert out.startswith(f"{documents} document")


def test_of_other_documents_nothing_is_told(run: Run, tree: Tree) -> None:
    tree({"requests/a.yaml": GOOD, "requests/b.yaml": BAD})
    assert run("validate", "requests/a.yaml") == (0, "1 document: no findings\n", "")


def test_what_a_request_depends_on_is_told_with_it(run: Run, tree: Tree) -> None:
    request = (
        "apiVersion: gitca/v1\nkind: CertificateRequest\nspec:\n  policy: p\n"
        "  sans: {dns: [a.example.internal]}\n  csrFile: a.csr\n"
    )
    tree({"requests/a.yaml": request, "requests/a.csr": "x", "policies/p.yaml": BAD})
    code, out, _ = run("validate", "requests/a.yaml")
    assert code == 1
    assert "policies/p.yaml" in out


def test_from_a_folder_within_paths_are_still_from_the_root(
    run: Run, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree({"requests/b/c.yaml": BAD})
    monkeypatch.chdir(root / "requests" / "b")
    code, out, _ = run("validate", "c.yaml")
    assert code == 1
    assert out.startswith("requests/b/c.yaml:")


def test_json_has_findings_with_their_places(run: Run, tree: Tree) -> None:
    tree({"requests/a.yaml": BAD})
    code, out, _ = run("validate", "--format", "json")
    answer = json.loads(out)
    assert (code, answer["documents"]) == (1, 1)
    finding = answer["findings"][0]
    assert set(finding) >= {"rule", "severity", "message", "file", "line", "column"}
    assert finding["file"] == "requests/a.yaml"


def test_links_and_pipes_are_findings_and_are_never_opened(run: Run, tree: Tree) -> None:
    root = tree({"requests/a.yaml": GOOD})
    (root / "requests/link.yaml").symlink_to("/etc/passwd")
    (root / "requests/folder").symlink_to("/etc")
    os.mkfifo(root / "requests/pipe.yaml")
    code, out, _ = run("validate")
    assert code == 1
    for name in ("link.yaml", "folder", "pipe.yaml"):
        assert f"requests/{name}:1:1:" in out
    assert "root:" not in out


def test_a_folder_of_documents_that_is_a_link_is_not_followed(run: Run, tree: Tree) -> None:
    root = tree({"elsewhere/a.yaml": BAD})
    (root / "requests").symlink_to("elsewhere")
    code, out, _ = run("validate")
    assert code == 1
    assert "requests" in out
    assert "Nonsense" not in out


def test_a_file_of_any_size_costs_bounded_memory(run: Run, tree: Tree) -> None:
    root = tree({})
    (root / "requests").mkdir()
    with (root / "requests/huge.yaml").open("wb") as file:
        file.truncate(1 << 40)
    code, out, _ = run("validate")
    assert code == 1
    assert "requests/huge.yaml:1:1:" in out


def test_a_file_that_became_a_link_after_the_look_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "requests").mkdir()
    (tmp_path / "requests/a.yaml").write_text(GOOD)
    entries = entries_of(tmp_path)
    (tmp_path / "requests/a.yaml").unlink()
    (tmp_path / "requests/a.yaml").symlink_to("/etc/passwd")
    with pytest.raises(Exception, match=r"cannot read requests/a\.yaml"):
        WorkingTreeReader(tmp_path)(entries[0].blob)


def test_no_read_is_longer_than_its_limit(tmp_path: Path) -> None:
    (tmp_path / "requests").mkdir()
    (tmp_path / "requests/a.yaml").write_bytes(b"x" * (READ_LIMIT + 5))
    assert len(WorkingTreeReader(tmp_path)("requests/a.yaml")) == READ_LIMIT


def test_names_of_files_that_are_no_text_are_findings(run: Run, tree: Tree) -> None:
    root = tree({})
    (root / "requests").mkdir()
    (root / os.fsdecode(b"requests/\xff\x1b[31m.yaml")).write_text(GOOD)
    code, out, _ = run("validate")
    assert code == 1
    assert "\x1b" not in out
    assert out.isprintable() or out.replace("\n", "").isprintable()
