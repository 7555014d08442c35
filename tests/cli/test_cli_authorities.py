"""What the commands say of CAs that were renewed, cross-certified, superseded and retired."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from cli_command import Command

from ca_documents import GOVERNING, authority, request, revocation
from ca_world import PASSPHRASE, Clone, KeyRing

Golden = Callable[[str, str], None]
Masked = Callable[[str], str]
CROSS = {"subject": "other", "validity": "2y", "renewBefore": "30d"}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory, key_ring: KeyRing) -> Clone:
    """171 days old: the issuing CA was renewed, its old certificate revoked, a CA retired."""
    files = {
        **GOVERNING,
        "ca/root.yaml": authority("root", pathLength=2, crossCertificates=[CROSS]),
        "ca/other.yaml": authority("other"),
        "ca/issuing.yaml": authority("issuing", "root", renewBefore="1660d"),
        "ca/spare.yaml": authority("spare", "root"),
        "requests/api.yaml": request("api", "api.example.internal"),
    }
    clone = Clone.create(tmp_path_factory.mktemp("authorities") / "pki", key_ring, files)
    now = datetime.now(UTC).replace(microsecond=0)
    # Serial numbers of full length, which the mask of the golden files knows.
    world = clone.world(serials=count(1 << 158).__next__)
    clone.clock.now = now - timedelta(days=171)
    assert clone.reconcile(world=world).exit_code == 0
    first = clone.state.authority("issuing").certificate
    assert first is not None
    clone.clock.now = now - timedelta(hours=2)
    assert clone.reconcile(world=world).exit_code == 0
    superseded = revocation("superseded", serial=first.certificate.serial, ca="root")
    clone.save(
        {
            "ca/spare.yaml": authority("spare", "root", state="retired"),
            "requests/ca/issuing-old.yaml": superseded,
        }
    )
    clone.clock.now = now - timedelta(hours=1)
    assert clone.reconcile(world=world).exit_code == 0
    shutil.copytree(key_ring.folder / ".gitca", clone.folder / ".gitca")
    return clone


@pytest.fixture
def gitca(clone: Clone) -> Command:
    """For commands that change nothing."""
    return Command(clone.folder, GITCA_KEY_PASSPHRASE=PASSPHRASE.decode())


def cross_serial(clone: Clone) -> str:
    return clone.state.authority("other").crosses["root"].certificate.serial


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("list-renewed", ("list", "--authorities")),
        ("show-renewed", ("show", "issuing")),
        ("show-certified-by-two", ("show", "other")),
        ("show-crl-of-a-root", ("show", "--crl", "root")),
        ("status-retired", ("status",)),
        ("plan-idle", ("plan",)),
    ],
)
def test_text_on_authorities_is_as_the_golden_files_have_it(
    gitca: Command, golden: Golden, masked: Masked, name: str, arguments: tuple[str, ...]
) -> None:
    wide = Command(gitca.folder, COLUMNS="120")
    golden(f"cli/{name}.txt", masked(wide.runs(*arguments)))


def test_a_cross_certificate_is_shown_with_its_own_file(
    clone: Clone, gitca: Command, golden: Golden, masked: Masked
) -> None:
    golden("cli/show-cross.txt", masked(gitca.runs("show", cross_serial(clone))))


def test_json_says_which_ca_a_certificate_is_of(gitca: Command) -> None:
    rows = json.loads(gitca.runs("list", "--authorities", "--format", "json"))
    told = [(row.get("certifies"), row.get("cross"), row["status"]) for row in rows]
    assert told.count(("other", True, "valid")) == 1
    assert [(status) for of, _, status in told if of == "issuing"] == ["revoked", "valid"]
    assert {of for of, _, _ in told} == {"root", "other", "issuing", "spare", None}
    states = json.loads(gitca.runs("status", "--format", "json"))["authorities"]
    assert {item["ca"]: item["state"] for item in states}["spare"] == "retired"


def test_a_certificate_that_another_replaced_has_no_file(clone: Clone, gitca: Command) -> None:
    """ca.pem holds the new one."""
    old = clone.state.authority("issuing").certificates[0][1].certificate.serial
    assert json.loads(gitca.runs("show", old, "--format", "json"))["file"] is None
    assert json.loads(gitca.runs("show", "issuing", "--format", "json"))["file"] == (
        "issued/issuing/ca.pem"
    )


def test_revoke_names_the_document_after_the_certified_ca(clone: Clone, tmp_path: Path) -> None:
    shutil.copytree(clone.folder, tmp_path / "pki", symlinks=True)
    gitca = Command(tmp_path / "pki")
    serial = cross_serial(clone)
    path = f"requests/ca/other-{serial[:8]}-revoked.yaml"
    assert path in gitca.runs("revoke", serial, "--reason", "cessationOfOperation")
    assert (tmp_path / "pki" / path).exists()
    gitca.commit("revoked")
    assert f"root: {serial}" in gitca.runs("plan")


def test_plan_reconcile_and_status_tell_of_renewals_that_are_due(
    clone: Clone, tmp_path: Path, golden: Golden, masked: Masked
) -> None:
    shutil.copytree(clone.folder, tmp_path / "pki", symlinks=True)
    gitca = Command(tmp_path / "pki", GITCA_KEY_PASSPHRASE=PASSPHRASE.decode())
    cross = CROSS | {"nameConstraints": {"permitted": {"dns": ["example.internal"]}}}
    documents = {
        "ca/root.yaml": authority(
            "root", pathLength=2, renewBefore="3500d", crossCertificates=[cross]
        ),
        "ca/issuing.yaml": authority("issuing", "root", state="crl-only"),
    }
    for path, text in documents.items():
        (gitca.folder / path).write_text(text)
    gitca.git("commit", "--quiet", "--all", "-m", "renew")
    answers = [gitca("status"), gitca("plan"), gitca("reconcile"), gitca("status")]
    text = "".join(f"{answer.out}{answer.err}-- exit {answer.code}\n" for answer in answers)
    golden("cli/renewals-due.txt", masked(text))
