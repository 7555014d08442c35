"""request new and revoke: the documents they write, and what they never write over."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
import yaml
from cli_command import Command
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gitca.cli.new_file import write_new
from gitca.cli.revoke import Reason as ReasonOption
from gitca.cli.schema import Kind
from gitca.documents.revocation_request import Reason
from gitca.documents.schema import KINDS
from gitca.errors import UsageError
from gitca.signers.key_spec_names import KMS_SPECS as OFFERED_SPECS
from gitca.x509.keys import KEY_SPECS
from gitca.x509.template import spki_identifier

MakeCsr = Callable[..., Path]


def read(pki: Command, name: str) -> dict[str, object]:
    return yaml.safe_load((pki.folder / "requests" / f"{name}.yaml").read_text())["spec"]


def test_the_document_says_what_was_asked_and_carries_the_csr(
    pki: Command, make_csr: MakeCsr
) -> None:
    csr = make_csr("api")
    out = pki.runs(
        *("request", "new", "payments/api", "--policy", "internal-server", "--csr", str(csr)),
        *("--dns", "api.example.internal", "--dns", "www.example.internal", "--ip", "10.1.2.3"),
        *(
            "--uri",
            "spiffe://example.internal/payments/api",
            "--common-name",
            "api.example.internal",
        ),
        *("--validity", "7d"),
    )
    assert read(pki, "payments/api") == {
        "policy": "internal-server",
        "subject": {"commonName": "api.example.internal"},
        "sans": {
            "dns": ["api.example.internal", "www.example.internal"],
            "ip": ["10.1.2.3"],
            "uri": ["spiffe://example.internal/payments/api"],
        },
        "validity": "7d",
        "csr": csr.read_text(),
    }
    assert out.splitlines()[-1].startswith("Next: git add requests/payments/api.yaml")


def test_usages_are_asked_for_by_name_or_oid_and_judged(pki: Command, make_csr: MakeCsr) -> None:
    answer = pki(
        *("request", "new", "old", "--policy", "internal-server", "--csr", str(make_csr("old"))),
        *("--dns", "old.example.internal", "--key-usage", "digitalSignature"),
        *("--key-usage", "keyEncipherment", "--extended-key-usage", "serverAuth"),
        *("--extended-key-usage", "1.3.6.1.5.5.7.3.17"),
    )
    spec = read(pki, "old")
    assert spec["keyUsage"] == ["digitalSignature", "keyEncipherment"]
    assert spec["extendedKeyUsage"] == ["serverAuth", "1.3.6.1.5.5.7.3.17"]
    assert answer.code == 1
    assert "(policy internal-server, extendedKeyUsage.allow)" in answer.out
    assert "keyUsage.key-type" in answer.out, "an elliptic curve key encrypts nothing"


def test_a_csr_in_der_is_written_as_pem(pki: Command, make_csr: MakeCsr, tmp_path: Path) -> None:
    pem, der = make_csr("api"), tmp_path / "api.der"
    pki.start("openssl", "req", "-in", str(pem), "-outform", "der", "-out", str(der))
    pki.runs(
        *("request", "new", "api", "--policy", "internal-server", "--csr", str(der)),
        *("--dns", "api.example.internal"),
    )
    assert read(pki, "api")["csr"] == pem.read_text()


def test_a_new_key_is_for_its_owner_alone_and_fits_the_csr(pki: Command, tmp_path: Path) -> None:
    key = tmp_path / "new.key"
    out = pki.runs(
        *("request", "new", "api", "--policy", "internal-server", "--new-key", str(key)),
        *("--dns", "api.example.internal"),
    )
    assert "not encrypted" in out
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    (tmp_path / "new.csr").write_text(str(read(pki, "api")["csr"]))
    ours = pki.start("openssl", "pkey", "-in", str(key), "-pubout").out
    asked = pki.start("openssl", "req", "-in", str(tmp_path / "new.csr"), "-noout", "-pubkey").out
    assert ours == asked


def test_neither_a_key_nor_a_document_is_written_over(pki: Command, tmp_path: Path) -> None:
    key = tmp_path / "new.key"
    ask = ("request", "new", "api", "--policy", "internal-server", "--dns", "api.example.internal")
    pki.runs(*ask, "--new-key", str(key))
    document, secret = (pki.folder / "requests/api.yaml").read_bytes(), key.read_bytes()
    pki.runs(*ask, "--new-key", str(tmp_path / "other.key"), code=2)
    assert not (tmp_path / "other.key").exists()
    (pki.folder / "requests/api.yaml").unlink()
    pki.runs(*ask, "--new-key", str(key), code=2)
    assert key.read_bytes() == secret
    assert not (pki.folder / "requests/api.yaml").exists()
    assert document.startswith(b"apiVersion")


def test_a_denied_request_is_told_with_its_place_and_stays_to_be_mended(
    pki: Command, make_csr: MakeCsr, golden: Callable[[str, str], None]
) -> None:
    answer = pki(
        *("request", "new", "evil", "--policy", "internal-server", "--csr", str(make_csr("evil"))),
        *("--dns", "api.example.com", "--validity", "400d", "--email", "root@example.internal"),
    )
    assert answer.code == 1
    assert (pki.folder / "requests/evil.yaml").exists()
    golden("cli/request-new-denied.txt", answer.out)


def test_what_is_no_csr_is_told_and_nothing_is_written(pki: Command, tmp_path: Path) -> None:
    (tmp_path / "broken.csr").write_text("-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n")
    answer = pki("request", "new", "api", "--policy", "internal-server", "--csr", "../broken.csr")
    assert answer.code == 1
    assert "(csr.truncated)" in answer.out
    assert [path.name for path in (pki.folder / "requests").iterdir()] == [".gitkeep"]


def test_names_of_any_kind_are_quoted_and_judged(pki: Command, make_csr: MakeCsr) -> None:
    hostile = 'x"\n    - y: &a *b # \x1b[31m'
    answer = pki(
        *("request", "new", "api", "--policy", "internal-server", "--csr", str(make_csr("api"))),
        *("--dns", hostile, "--common-name", "\u202egnp"),
    )
    assert answer.code == 1
    assert "\x1b" not in answer.out
    assert "\u202e" not in answer.out
    spec = read(pki, "api")
    assert spec["sans"] == {"dns": [hostile]}


def test_no_document_is_written_through_a_link(pki: Command, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (pki.folder / "requests/link").symlink_to(tmp_path / "elsewhere")
    pki.runs(
        *("request", "new", "link/api", "--policy", "internal-server", "--new-key", "../k.key"),
        code=2,
    )
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_two_writers_of_one_document_leave_the_first_ones(tmp_path: Path) -> None:
    write_new(tmp_path, "requests/a.yaml", b"first")
    with pytest.raises(UsageError):
        write_new(tmp_path, "requests/a.yaml", b"second")
    assert [p.name for p in (tmp_path / "requests").iterdir()] == ["a.yaml"]
    assert (tmp_path / "requests/a.yaml").read_bytes() == b"first"


def test_a_revocation_by_serial_names_its_ca(lived_in: Command) -> None:
    shown = lived_in.runs("list", "--status", "valid").splitlines()[1].split()
    lived_in.runs("revoke", shown[-1][:10], "--reason", "affiliationChanged")
    serial = shown[-1]
    assert read(lived_in, f"payments/api-{serial[:8]}-revoked") == {
        "serial": serial,
        "ca": "issuing",
        "reason": "affiliationChanged",
    }


def test_a_revocation_by_key_and_since_when(lived_in: Command) -> None:
    key = "sha256:" + "ab" * 32
    lived_in.runs(
        *("revoke", key, "--reason", "keyCompromise"),
        *("--invalidity-date", "2026-11-20T01:00:00+01:00"),
    )
    spec = yaml.safe_load(
        (lived_in.folder / "requests/keys/abababababababab-revoked.yaml").read_text()
    )["spec"]
    assert spec["key"] == key
    assert spec["reason"] == "keyCompromise"


def test_what_is_revoked_already_is_not_asked_for_again(lived_in: Command) -> None:
    answer = lived_in("revoke", "jobs/backup", "--reason", "superseded")
    assert (answer.code, "nothing to revoke" in answer.err) == (2, True)


def test_a_compromise_of_what_is_revoked_already_is_asked_for_until_its_key_is_refused(
    lived_in: Command,
) -> None:
    lived_in.runs("revoke", "jobs/backup", "--reason", "keyCompromise")
    spec = read(lived_in, "jobs/backup-revoked-2")
    assert spec == {"certificate": "jobs/backup", "reason": "keyCompromise"}
    lived_in.commit("its key was out, too")
    lived_in.runs("reconcile")
    answer = lived_in("revoke", "jobs/backup", "--reason", "keyCompromise")
    assert (answer.code, "nothing to revoke" in answer.err) == (2, True)


def test_a_revocation_that_waits_is_not_written_over(lived_in: Command) -> None:
    lived_in.runs("revoke", "payments/api", "--reason", "superseded")
    answer = lived_in("revoke", "payments/api", "--reason", "keyCompromise")
    assert (answer.code, "is there already" in answer.err) == (2, True)
    assert read(lived_in, "payments/api-revoked")["reason"] == "superseded"


def test_a_ca_is_revoked_by_its_serial_alone(lived_in: Command) -> None:
    lived_in.runs("revoke", "issuing", "--reason", "cACompromise")
    (document,) = (lived_in.folder / "requests/ca").iterdir()
    spec = yaml.safe_load(document.read_text())["spec"]
    assert (spec["ca"], spec["reason"]) == ("root", "cACompromise")
    assert document.name == f"issuing-{spec['serial'][:8]}-revoked.yaml"


def test_the_key_of_a_ca_is_revoked_below_the_folder_of_cas(lived_in: Command) -> None:
    certificate = x509.load_pem_x509_certificate(
        (lived_in.folder / "issued/issuing/ca.pem").read_bytes()
    )
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    key = spki_identifier(certificate.public_key().public_bytes(*form))
    lived_in.runs("revoke", key, "--reason", "cACompromise")
    path = f"requests/ca/{key.removeprefix('sha256:')[:16]}-revoked.yaml"
    assert yaml.safe_load((lived_in.folder / path).read_text())["spec"]["key"] == key


def test_the_choices_that_help_offers_are_those_that_the_documents_know() -> None:
    assert {reason.value for reason in ReasonOption} == set(get_args(Reason))
    assert set(OFFERED_SPECS) == set(KEY_SPECS)
    assert {kind.value for kind in Kind} == set(KINDS)
