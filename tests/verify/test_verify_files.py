"""Whatever is changed in a repository's files, `verify` finds it, and says where."""

from __future__ import annotations

from pathlib import Path

import pytest
from verify_material import API_PEM, WEB_PEM, found, places

from ca_world import Clone, git


def test_a_repository_as_gitca_left_it_has_no_contradiction(rich: Clone) -> None:
    report = rich.verify()
    assert (report.contradictions, report.unchecked, report.exit_code) == ([], [], 0)
    assert dict(report.checked) == {
        "segments": 13,
        "commits to issued/": 13,
        "certificates": 4,
        "CRLs": 3,
        "pending orders": 1,
        "spent signatures": 0,
        "revocations": 1,
        "judged again": 8,
    }


def test_a_repository_in_which_nothing_was_issued_has_no_contradiction(
    tmp_path: Path, made: Clone
) -> None:
    clone = Clone.create(tmp_path / "new", made.keys)
    (clone.folder / "issued").mkdir()
    clone.save({"issued/.gitkeep": ""})
    assert found(clone) == []


def flip(data: bytes) -> bytes:
    return data[:-30] + bytes([data[-30] ^ 1]) + data[-29:]


EXPECTED_FILES = [
    API_PEM,
    WEB_PEM,
    "issued/issuing/ca.pem",
    "issued/issuing/chain.pem",
    "issued/issuing/crl.der",
    "issued/root/ca.pem",
    "issued/root/crl.der",
]


@pytest.mark.parametrize("path", EXPECTED_FILES)
def test_an_edited_file_is_found(rich: Clone, path: str) -> None:
    rich.save({path: flip(rich.read(path))})
    assert places(found(rich)) == {path}


@pytest.mark.parametrize("path", EXPECTED_FILES)
def test_a_removed_file_is_found(rich: Clone, path: str) -> None:
    rich.save({path: None})
    assert places(found(rich)) == {path}


def test_a_certificate_in_another_ones_place_is_found(rich: Clone) -> None:
    rich.save({API_PEM: rich.read(WEB_PEM), WEB_PEM: rich.read(API_PEM)})
    assert places(found(rich)) == {API_PEM, WEB_PEM}


def test_an_older_crl_in_the_place_of_the_newer_is_found(rich: Clone) -> None:
    """An attacker takes a revocation back."""
    first = git(rich.folder, "log", "--format=%H", "--", "issued/issuing/crl.der").split()[-1]
    git(rich.folder, "checkout", "-q", first, "--", "issued/issuing/crl.der")
    git(rich.folder, "commit", "-q", "-m", "older")
    assert places(found(rich)) == {"issued/issuing/crl.der"}


@pytest.mark.parametrize(
    "path",
    [
        "issued/README",
        "issued/root/extra.pem",
        "issued/issuing/certificates/evil.pem",
        "issued/other/ca.pem",
        f"issued/orders/{'0' * 32}.der",
        "issued/root/.gitkeep",
    ],
)
def test_a_file_that_the_ledger_does_not_explain_is_found(rich: Clone, path: str) -> None:
    rich.save({path: b"anything"})
    assert places(found(rich)) == {path}


def test_a_placeholder_that_is_not_empty_is_found(rich: Clone) -> None:
    rich.save({"issued/.gitkeep": b"hidden"})
    assert places(found(rich)) == {"issued/.gitkeep"}


def test_a_file_that_is_no_segment_in_the_ledgers_folder_is_found(rich: Clone) -> None:
    rich.save({"issued/ledger/notes.txt": b"anything"})
    assert places(found(rich)) == {"issued/ledger/notes.txt", "issued/ledger/notes.txt:1"}


@pytest.mark.parametrize("mode", ["symlink", "executable"])
def test_a_file_of_another_mode_is_found(rich: Clone, mode: str) -> None:
    """The bytes are right, but who opens the file reads another."""
    if mode == "symlink":
        blob = git(rich.folder, "rev-parse", f"HEAD:{WEB_PEM}")
        git(rich.folder, "update-index", "--cacheinfo", f"120000,{blob},{WEB_PEM}")
    else:
        git(rich.folder, "update-index", "--chmod=+x", WEB_PEM)
    git(rich.folder, "commit", "-q", "-m", "another mode")
    assert places(found(rich)) == {WEB_PEM}


def test_a_submodule_in_the_place_of_a_segment_is_found(rich: Clone) -> None:
    path = rich.paths("issued/ledger")[-1]
    git(rich.folder, "rm", "-q", path)
    git(rich.folder, "update-index", "--add", "--cacheinfo", f"160000,{rich.tip},{path}")
    git(rich.folder, "commit", "-q", "-m", "submodule")
    assert rich.verify().exit_code == 5


@pytest.mark.parametrize("number", range(1, 14))
def test_a_dropped_segment_is_found(rich: Clone, number: int) -> None:
    rich.save({f"issued/ledger/{number:08d}.jsonl": None})
    expected = min(number + 1, 13)
    assert places(found(rich)) & {f"issued/ledger/{expected:08d}.jsonl"}


@pytest.mark.parametrize("number", range(1, 14))
def test_an_edited_segment_is_found(rich: Clone, number: int) -> None:
    """The last of them too, which no later one holds by its hash."""
    path = f"issued/ledger/{number:08d}.jsonl"
    data = rich.read(path)
    assert b":00Z" in data or b'"key":"file:' in data
    changed = data.replace(b":00Z", b":01Z") if b":00Z" in data else data.replace(b'"file:', b'"x:')
    rich.save({path: changed})
    named = {path, f"issued/ledger/{number + 1:08d}.jsonl"}
    assert places(found(rich)) & named


def test_the_ledgers_segments_in_another_order_are_found(rich: Clone) -> None:
    three, four = (f"issued/ledger/0000000{number}.jsonl" for number in (3, 4))
    rich.save({three: rich.read(four), four: rich.read(three)})
    assert places(found(rich)) == {three, f"{three}:1"}


def test_changed_bytes_of_a_pending_order_are_found(rich: Clone) -> None:
    (path,) = rich.paths("issued/orders")
    rich.save({path: flip(rich.read(path))})
    assert all(path in f"{item.place} {item.message}" for item in found(rich))
    assert rich.verify().exit_code == 5


def test_missing_bytes_of_a_pending_order_are_found(rich: Clone) -> None:
    (path,) = rich.paths("issued/orders")
    rich.save({path: None})
    assert all(path in f"{item.place} {item.message}" for item in found(rich))
    assert rich.verify().exit_code == 5
