"""list, show, status, request show: what they tell, in text and JSON, for a lived-in repository."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest
from cli_command import Command

Golden = Callable[[str, str], None]
Masked = Callable[[str], str]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("list", ("list",)),
        ("list-authorities", ("list", "--authorities")),
        ("list-revoked", ("list", "--status", "revoked")),
        ("show-certificate", ("show", "payments/api")),
        ("show-revoked", ("show", "jobs/backup")),
        ("show-authority", ("show", "issuing")),
        ("show-crl", ("show", "--crl", "issuing")),
        ("status", ("status",)),
        ("plan", ("plan",)),
        ("verify", ("verify",)),
        ("request-show", ("request", "show", "payments/api")),
        ("request-show-pending", ("request", "show", "shop/web")),
        ("validate", ("validate",)),
    ],
)
def test_text_is_as_the_golden_files_have_it(
    standing: Command, golden: Golden, masked: Masked, name: str, arguments: tuple[str, ...]
) -> None:
    golden(f"cli/{name}.txt", masked(standing.runs(*arguments)))


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_every_text_fits_the_terminal(standing: Command, columns: int) -> None:
    for arguments in (("list", "--authorities"), ("show", "--crl", "issuing"), ("status",)):
        answer = standing(*arguments, COLUMNS=str(columns))
        assert max(map(len, answer.out.splitlines())) <= columns, arguments


def test_the_list_has_exactly_the_keys_that_are_promised(standing: Command) -> None:
    rows = json.loads(standing.runs("list", "--format", "json"))
    assert [row["request"] for row in rows] == ["jobs/backup", "payments/api"]
    for row in rows:
        assert list(row) == [
            *("serial", "ca", "request", "subject", "sans", "notBefore", "notAfter", "status"),
            "fingerprint",
        ]
    backup, api = rows
    assert (api["status"], backup["status"]) == ("valid", "revoked")
    assert api["subject"] == "CN=api.example.internal"
    assert api["sans"] == ["dns:api.example.internal"]
    assert api["ca"] == "issuing"


def test_serial_and_fingerprint_are_what_openssl_says(standing: Command) -> None:
    row = json.loads(standing.runs("list", "--format", "json", "--status", "valid"))[0]
    pem = standing.runs("show", row["serial"], "--format", "pem")
    said = subprocess.run(
        ["openssl", "x509", "-noout", "-serial", "-fingerprint", "-sha256"],
        input=pem,
        capture_output=True,
        check=True,
        encoding="ascii",
    ).stdout
    serial, fingerprint = (line.partition("=")[2] for line in said.splitlines())
    assert row["serial"] == serial.lower()
    assert row["fingerprint"] == "sha256:" + fingerprint.replace(":", "").lower()


def test_a_crl_in_pem_is_the_crl_in_the_repository(standing: Command) -> None:
    pem = standing.runs("show", "--crl", "issuing", "--format", "pem")
    der = subprocess.run(
        ["openssl", "crl", "-outform", "der"], input=pem.encode(), capture_output=True, check=True
    ).stdout
    assert der == (standing.folder / "issued/issuing/crl.der").read_bytes()


def test_plan_has_the_keys_that_are_promised(standing: Command) -> None:
    plan = json.loads(standing.runs("plan", "--format", "json"))
    assert list(plan) == ["digest", "actions", "findings", "pending"]
    assert [list(action)[:4] for action in plan["actions"]] == [
        ["action", "ca", "request", "reason"]
    ]


def test_provenance_names_who_wrote_each_document(standing: Command) -> None:
    shown = json.loads(standing.runs("show", "payments/api", "--format", "json"))
    roles = {document["role"]: document for document in shown["documents"]}
    assert set(roles) == {"request", "policy", "ca"}
    assert roles["request"]["author"] == "Test <test@example.com>"
    head = standing.git("log", "-1", "--format=%H", "--", "requests/payments/api.yaml").strip()
    assert roles["request"]["commit"] == head


def test_a_plan_as_of_a_later_time_renews_and_refreshes(standing: Command) -> None:
    plan = json.loads(standing.runs("plan", "--at", "2027-12-01T00:00:00Z", "--format", "json"))
    assert {action["action"] for action in plan["actions"]} >= {"issue", "sign-crl"}


def test_strict_status_is_content_where_nothing_is_overdue(standing: Command) -> None:
    assert standing("status", "--strict").code == 0


def test_a_deleted_request_is_told_as_kept(lived_in: Command) -> None:
    lived_in.git("rm", "--quiet", "requests/payments/api.yaml")
    lived_in.git("commit", "--quiet", "-m", "delete")
    status = json.loads(lived_in.runs("status", "--format", "json"))
    assert [item["about"] for item in status["kept"]] == ["payments/api"]
