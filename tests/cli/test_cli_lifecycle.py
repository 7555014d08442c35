"""The sequence that the project promises, typed as a user types it; openssl is the judge."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_command import Answer, Command


def openssl_verify(pki: Command, name: str) -> Answer:
    return pki.start(
        *("openssl", "verify", "-x509_strict", "-crl_check", "-CAfile", "issued/root/ca.pem"),
        *("-CRLfile", "issued/issuing/crl.der", "-untrusted", "issued/issuing/ca.pem"),
        f"issued/issuing/certificates/{name}.pem",
    )


@pytest.mark.parametrize("with_origin", [False, True], ids=["local", "origin"])
def test_from_an_empty_folder_to_a_revoked_certificate(
    gitca: Command, make_csr: Callable[..., Path], tmp_path: Path, with_origin: bool
) -> None:
    gitca.runs("init", "t", "--domain", "example.internal", "--organization", "Example")
    pki = gitca.at(tmp_path / "t")
    if with_origin:
        pki.git("init", "--quiet", "--bare", "--initial-branch=main", str(tmp_path / "origin.git"))
        pki.git("remote", "add", "origin", str(tmp_path / "origin.git"))
        pki.git("push", "--quiet", "-u", "origin", "main")

    def commit(message: str) -> None:
        pki.commit(message)
        if with_origin:
            pki.git("push", "--quiet")

    pki.runs("reconcile")
    csr = make_csr("api", "/CN=api.example.internal", "DNS:api.example.internal")
    pki.runs(
        *("request", "new", "payments/api", "--policy", "internal-server", "--csr", str(csr)),
        *("--dns", "api.example.internal", "--common-name", "api.example.internal"),
    )
    commit("request")
    plan = json.loads(pki.runs("plan", "--format", "json"))
    assert [(a["action"], a["request"]) for a in plan["actions"]] == [("issue", "payments/api")]
    pki.runs("reconcile")
    pki.runs("verify")
    accepted = openssl_verify(pki, "payments/api")
    assert accepted.out == "issued/issuing/certificates/payments/api.pem: OK\n", accepted.err

    pki.runs("revoke", "payments/api", "--reason", "keyCompromise")
    commit("revoke")
    pki.runs("reconcile")
    refused = openssl_verify(pki, "payments/api")
    assert refused.code != 0
    assert "certificate revoked" in refused.err
    assert json.loads(pki.runs("plan", "--format", "json"))["actions"] == []
    pki.runs("verify")
    assert pki.git("status", "--short") == ""


def test_what_a_person_did_and_what_gitca_did_are_told_apart_in_git(standing: Command) -> None:
    authors = standing.git("log", "--format=%an: %s").splitlines()
    assert authors[0] == "Test: one more request"
    assert sum(line.startswith("gitca: gitca: ") for line in authors) == len(authors) - 4


def test_a_checked_out_pull_request_cannot_name_itself_as_the_branch_to_obey(
    lived_in: Command, tmp_path: Path
) -> None:
    """I8: only what reached the branch is signed, whatever branch is checked out."""
    lived_in.git("switch", "--quiet", "--create", "pull-request", "HEAD~1")
    document = lived_in.folder / "ca" / "repository.yaml"
    document.write_text(document.read_text().replace("branch: main", "branch: pull-request"))
    lived_in.runs(
        *("request", "new", "evil", "--policy", "internal-server"),
        *("--new-key", str(tmp_path / "evil.key"), "--dns", "evil.example.internal"),
    )
    lived_in.git("add", "ca", "requests")
    lived_in.git("commit", "--quiet", "-m", "obey me")
    lived_in.runs("reconcile")
    lived_in.git("switch", "--quiet", "main")
    listed = json.loads(lived_in.runs("list", "--format", "json"))
    assert {row["request"] for row in listed} == {"payments/api", "jobs/backup", "shop/web"}
