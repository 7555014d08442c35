"""validate: keys are judged over the working tree, without a ledger."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_command import Run

from ca_documents import GOVERNING, document, key_identifier, request

API, WEB = "requests/api.yaml", "requests/web.yaml"


def write(folder: Path, files: dict[str, str]) -> None:
    for path, text in {**GOVERNING, **files}.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


@pytest.fixture
def validated(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def validate(files: dict[str, str], *paths: str) -> tuple[int, list[str]]:
        write(tmp_path, files)
        monkeypatch.chdir(tmp_path)
        code, out, _ = run("validate", *paths)
        return code, [line for line in out.splitlines() if "(" in line]

    return validate


def test_validate_sees_two_requests_with_one_key(validated) -> None:
    names = "api.example.internal", "web.example.internal"
    code, found = validated({API: request("one", names[0]), WEB: request("one", names[1])})
    assert code == 1
    assert [line.partition(":")[0] for line in found] == [API, WEB]
    assert "the key is asked for by “web” as well" in found[0]
    assert all("(policy server, key.reuse)" in line for line in found)
    assert validated({WEB: request("another", names[1])}) == (0, [])


def test_validate_sees_a_blocked_key_and_a_broken_blocklist(validated) -> None:
    entry = {"key": key_identifier("leaked"), "reason": "leaked in incident 42"}
    blocked = document("KeyBlocklist", {"keys": [entry]})
    files = {API: request("leaked", "api.example.internal"), "policies/blocked.yaml": blocked}
    code, (found,) = validated(files, API)
    assert code == 1
    assert "is refused: leaked in incident 42 (policies/blocked.yaml)" in found
    broken = {"policies/blocked.yaml": blocked.replace("reason", "cause")}
    code, found = validated(files | broken)
    assert code == 1
    assert any("(policy.blocklist.broken); mend policies/blocked.yaml first" in x for x in found)
