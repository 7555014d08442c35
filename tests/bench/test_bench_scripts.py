"""Each benchmark runs at a small size and prints one JSON object with its peer's figure."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components import require

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(autouse=True)
def _peer() -> None:
    require("openssl")


def figures(script: str, *arguments: str) -> dict[str, Any]:
    """Run a script and return what it printed on standard output."""
    done = subprocess.run(
        [sys.executable, BENCH / script, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout)
    assert f"{printed['bench']}.py" == script
    assert printed["machine"]["cpus"] >= 1
    return printed


def test_issuing_is_told_beside_openssl_ca_and_by_step() -> None:
    printed = figures("issue.py", "3")
    assert printed["n"] == 3
    assert printed["gitca"]["per_second"] > 0
    assert printed["openssl_ca"]["processes"] == 1
    steps = printed["gitca"]["steps"]
    assert all(steps[step] > 0 for step in ("plan", "build", "lint", "record", "commit"))


def test_the_next_crl_is_told_in_parts_beside_openssl_gencrl() -> None:
    printed = figures("crl.py", "3", "--runs", "1")
    assert printed["n"] == 3
    assert set(printed["gitca"]["crl"]) == {"build", "lint", "sign and check"}
    assert set(printed["ratio"]) == {"crl", "ledger_and_crl", "reconcile"}
    assert printed["openssl_gencrl"]["median"] > 0


def test_the_growth_of_a_plan_is_told_from_the_least_size_to_the_greatest() -> None:
    printed = figures("plan.py", "1", "4", "--runs", "1")
    assert [size["n"] for size in printed["sizes"]] == [1, 4]
    assert set(printed["growth"]) == {
        "nothing_to_do, plan",
        "nothing_to_do, openssl_ca_updatedb",
        "one_request, plan",
        "one_request, reconcile",
        "one_request, openssl_ca",
    }


def test_validating_is_told_without_and_with_linting_beside_parsers_of_csrs() -> None:
    printed = figures("policy.py", "3")
    assert printed["n"] == 3
    assert printed["gitca"]["validate"]["cpu_milliseconds_each"] > 0
    steps = printed["gitca"]["validate_steps"]
    assert all(steps[step] > 0 for step in ("read documents", "parse CSRs", "judge"))
    assert printed["gitca"]["plan_with_linting"]["milliseconds_each"] > 0
    assert printed["peers"]["cryptography_parse_and_verify"]["seconds"] > 0
    assert printed["peers"]["openssl_req_verify"]["processes"] == 3


def test_signing_in_kms_is_told_as_a_share_of_the_ideal_and_its_log_is_in_the_ledger() -> None:
    printed = figures("kms.py", "3", "--crl", "4")
    assert (printed["n"], printed["crl"]["n"]) == (3, 4)
    assert printed["kms"]["signatures_in_the_ledger"] == 3
    assert 0 < printed["kms"]["share_of_ideal"] <= 1
    assert printed["file"]["reconcile_seconds"] > 0


def test_start_up_is_told_over_that_of_python() -> None:
    printed = figures("startup.py", "1")
    over = printed["over_python"]
    assert over["python -c pass"] == 0
    assert over["gitca --version"] < over["gitca validate ONE-FILE"]


def test_proving_a_repository_is_told_whole_and_since_beside_openssl_verify() -> None:
    printed = figures("verify.py", "3")
    assert printed["n"] == 3
    assert printed["gitca"]["whole"]["min"] > 0
    assert printed["gitca"]["since"]["min"] > 0
    assert printed["openssl_verify"]["min"] > 0


def test_publishing_is_told_beside_boto3_alone() -> None:
    printed = figures("publish.py", "2")
    assert printed["n"] == 2
    assert printed["objects"] + 1 == printed["gitca"]["uploads"]  # the claim
    assert printed["gitca"]["s3_seconds"] > 0
    assert printed["boto3"]["seconds"] > 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify.py", "0"),
        ("crl.py", "1"),
        ("plan.py", "0"),
        ("policy.py", "0"),
        ("kms.py", "0"),
        ("startup.py", "0"),
    ],
)
def test_a_size_that_cannot_be_measured_is_refused(arguments: tuple[str, ...]) -> None:
    script, size = arguments
    done = subprocess.run(
        [sys.executable, BENCH / script, size], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "at least" in done.stderr
