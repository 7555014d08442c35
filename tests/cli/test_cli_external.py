"""An external parent as docs/hierarchies.md tells it: the commands, and openssl as the parent."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cli_command import PASSPHRASE, Command

PARENT = """\
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
nameConstraints = critical, {constraints}
"""


@pytest.fixture
def pki(tmp_path: Path, scaffold: Path) -> Command:
    """The scaffold, whose issuing CA is to be certified from outside, and a parent beside it."""
    shutil.copytree(scaffold, tmp_path / "pki")
    command = Command(tmp_path / "pki", GITCA_KEY_PASSPHRASE=PASSPHRASE)
    document = command.folder / "ca/issuing.yaml"
    text = document.read_text()
    assert "issuer: root" in text
    document.write_text(text.replace("issuer: root", "issuer: external"))
    save(command)
    openssl(
        *("req", "-x509", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "corporate.key"),
        *("-subj", "/CN=Corporate Root", "-days", "4000", "-out", "corporate.pem"),
        command=command,
    )
    return command


def save(command: Command) -> None:
    command.git("add", "-A", "ca", "requests")
    command.git("commit", "-q", "-m", "change")


def openssl(*arguments: str, command: Command) -> None:
    answer = Command(command.folder.parent).start("openssl", *arguments)
    assert answer.code == 0, answer.err


def answered(command: Command) -> None:
    """Let the parent certify what the CSR asks for, and add its answer."""
    words = command.start("openssl", "req", "-in", "issued/issuing/ca.csr", "-noout", "-text").out
    asked = words.partition("Name Constraints: critical")[2].partition("Signature Algorithm")[0]
    side, parts = "permitted", []
    for line in map(str.strip, asked.splitlines()):
        if line in {"Permitted:", "Excluded:"}:
            side = line[:-1].lower()
        elif line.startswith(("DNS:", "email:", "URI:", "IP:")):
            parts.append(f"{side};{line}")
    folder = command.folder.parent
    (folder / "parent.cnf").write_text(PARENT.format(constraints=", ".join(parts)))
    openssl(
        *("x509", "-req", "-in", "pki/issued/issuing/ca.csr", "-CA", "corporate.pem"),
        *("-CAkey", "corporate.key", "-days", "1825", "-sha256", "-extfile", "parent.cnf"),
        *("-out", "answer.pem"),
        command=command,
    )
    answer = (folder / "answer.pem").read_text() + (folder / "corporate.pem").read_text()
    (command.folder / "ca/issuing.pem").write_text(answer)
    save(command)


def test_the_commands_of_the_page_lead_from_the_csr_to_the_end_of_the_ca(pki: Command) -> None:
    told = pki.runs("reconcile")
    assert "CSR of CA issuing, for its external issuer" in told
    assert "1 CSR" in told
    assert "CA issuing has no certificate yet" in told
    waiting = pki.runs("status")
    assert "Waiting for an external CA" in waiting
    assert "to be added as ca/issuing.pem" in waiting
    answered(pki)
    plan = pki.runs("plan")
    assert "adopt-ca  external: issuing  ca/issuing.pem has its certificate" in plan
    (action,) = json.loads(pki.runs("plan", "--format", "json"))["actions"]
    assert (action["action"], action["authority"], action["above"]) == ("adopt-ca", "issuing", 1)
    assert action["fingerprint"] in plan
    told = pki.runs("reconcile")
    assert f"certificate of CA issuing from ca/issuing.pem, {action['fingerprint']}" in told
    assert "1 certificate adopted" in told
    rows = json.loads(pki.runs("list", "--authorities", "--format", "json"))
    assert [(row["ca"], row["status"]) for row in rows if row["ca"] == "external"] == [
        ("external", "valid")
    ]
    assert "external" in pki.runs("list", "--authorities", "--ca", "external")
    shown = pki.runs("show", "issuing")
    assert "from an external CA (ledger segment" in shown
    assert "ca/issuing.pem (blob" in shown
    record = json.loads(pki.runs("show", "issuing", "--format", "json"))
    assert (record["order"], record["signingKey"]) == (None, None)
    assert [item["role"] for item in record["documents"]] == ["ca", "file"]
    standing = pki.runs("status")
    assert "issuing" in standing
    assert "Waiting for an external CA" not in standing
    pki.runs("verify")
    pki.runs("revoke", "issuing", "--reason", "cACompromise")
    (written,) = (pki.folder / "requests/ca").glob("issuing-*.yaml")
    assert 'key: "sha256:' in written.read_text()
    save(pki)
    assert "cACompromise" in pki.runs("reconcile")
    assert "it issues nothing more" in " ".join(pki.runs("plan").split())
    shown = json.loads(pki.runs("show", "issuing", "--format", "json"))
    assert (shown["status"], shown["revocation"]["reason"]) == ("revoked", "cACompromise")
    assert (
        json.loads(pki.runs("list", "--authorities", "--ca", "external", "--format", "json"))[0][
            "status"
        ]
        == "revoked"
    )
    pki.runs("verify")
