"""The project is a CA repository itself: what init makes, with requests of every kind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from cli_command import Run

from gitca.cli.scaffold import Names, render
from gitca.cli.schema import Kind
from gitca.x509.csr import parse_csr
from gitca.x509.pem import is_pem

PROJECT = Path(__file__).parents[2]
NAMES = Names("example.internal", "Example", "GB")


@pytest.mark.parametrize(
    "path", [path for path in render(NAMES) if path.startswith(("ca/", "policies/"))]
)
def test_cas_and_policies_are_what_init_makes(path: str) -> None:
    assert (PROJECT / path).read_bytes() == render(NAMES)[path]


def test_the_projects_documents_have_no_findings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    code, out, _ = run("validate")
    assert code == 0
    assert out == "25 documents: no findings\n"


def test_the_tests_of_the_projects_policies_exercise_every_rule(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PROJECT)
    code, out, _ = run("policy", "test", "--format", "json")
    reports = {report["policy"]: report for report in json.loads(out)["policies"]}
    policies = {path.stem for path in (PROJECT / "policies").glob("*.yaml")}
    assert code == 0
    assert set(reports) == {name for name in policies if not name.endswith(".tests")}
    assert {name: report["unexercised"] for name, report in reports.items()} == {
        name: [] for name in reports
    }
    assert all(
        any(case["expected"] == "allow" for case in report["cases"]) for report in reports.values()
    )


def test_every_policy_of_the_project_has_a_request() -> None:
    named = {
        yaml.safe_load(path.read_text())["spec"]["policy"]
        for path in (PROJECT / "requests").rglob("*.yaml")
    }
    assert named == {
        path.stem
        for path in (PROJECT / "policies").glob("*.yaml")
        if not path.name.endswith(".tests.yaml")
    }


@pytest.mark.parametrize("kind", list(Kind))
def test_schema_prints_what_lies_in_schemas(run: Run, kind: Kind) -> None:
    assert run("schema", kind.value) == (
        *(0, (PROJECT / f"schemas/{kind.value}.schema.json").read_text(encoding="utf-8"), ""),
    )


def test_issued_is_empty() -> None:
    assert [path.name for path in (PROJECT / "issued").rglob("*")] == [".gitkeep"]


def test_no_private_key_lies_in_the_documents() -> None:
    for path in (PROJECT / "requests").rglob("*"):
        assert path.is_dir() or b"PRIVATE KEY" not in path.read_bytes(), path


def test_csrs_lie_inline_in_pem_and_beside_in_der() -> None:
    der = (PROJECT / "requests/devices/meter-0042.csr").read_bytes()
    assert not is_pem(der)
    assert str(parse_csr(der).key) == "P-256"
