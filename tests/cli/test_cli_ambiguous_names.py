"""A request that is named like a CA or a serial number, and one that is spelt like another."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cli_command import PASSPHRASE, Command


def add_request(command: Command, path: str, key: str) -> None:
    """Write a request at a path below requests/, whatever `request new` says of its name."""
    command.runs(
        *("request", "new", f"new/{key}", "--policy", "internal-server"),
        *("--new-key", f"../{key}.key", "--dns", f"{key}.example.internal"),
    )
    target = command.folder / "requests" / path
    target.parent.mkdir(parents=True, exist_ok=True)
    (command.folder / f"requests/new/{key}.yaml").rename(target)


@pytest.fixture(scope="session")
def taken(standing: Command, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """A repository with a leaf called `issuing`, and one named like a serial number."""
    folder = tmp_path_factory.mktemp("taken") / "pki"
    shutil.copytree(standing.folder, folder, symlinks=True)
    command = Command(folder, GITCA_KEY_PASSPHRASE=PASSPHRASE)
    add_request(command, "issuing.yaml", "decoy")
    add_request(command, f"{serial(command, 'payments/api')[:8]}.yaml", "lure")
    command.commit("two requests with other things' names")
    command.runs("reconcile")
    return command


@pytest.fixture
def pki(taken: Command, tmp_path: Path) -> Command:
    shutil.copytree(taken.folder, tmp_path / "pki", symlinks=True)
    return Command(tmp_path / "pki", GITCA_KEY_PASSPHRASE=PASSPHRASE)


def serial(command: Command, target: str) -> str:
    return str(json.loads(command.runs("show", target, "--format", "json"))["serial"])


def revocations(command: Command) -> list[str]:
    return command.git("status", "--porcelain", "--untracked-files=all", "requests").split()[1::2]


@pytest.mark.parametrize("command", [("show",), ("revoke", "--reason", "cACompromise")])
def test_a_name_that_a_ca_and_a_request_have_is_a_usage_error_that_names_both(
    taken: Command, command: tuple[str, ...]
) -> None:
    own, leaf = serial(taken, "ca/issuing.yaml"), serial(taken, "requests/issuing.yaml")
    answer = taken(*command, "issuing")
    assert answer.code == 2, answer.out
    assert f"the CA issuing (serial number {own} of CA root)" in answer.err
    assert f"the request issuing (serial number {leaf} of CA issuing)" in answer.err
    assert "say ca/issuing.yaml or requests/issuing.yaml" in answer.err
    assert revocations(taken) == []


@pytest.mark.parametrize("command", [("show",), ("revoke", "--reason", "keyCompromise")])
def test_a_request_named_like_a_serial_number_is_not_taken_for_it(
    taken: Command, command: tuple[str, ...]
) -> None:
    whole = serial(taken, "payments/api")
    answer = taken(*command, whole[:8])
    assert answer.code == 2, answer.out
    assert f"serial number {whole} of CA issuing" in answer.err
    assert f"the request {whole[:8]}" in answer.err
    assert revocations(taken) == []


def test_the_path_of_a_document_says_which_is_meant(pki: Command) -> None:
    own = serial(pki, "ca/issuing.yaml")
    pki.runs("revoke", "requests/issuing.yaml", "--reason", "superseded")
    pki.runs("revoke", "ca/issuing.yaml", "--reason", "cACompromise")
    written = revocations(pki)
    assert written == [
        f"requests/ca/issuing-{own[:8]}-revoked.yaml",
        "requests/issuing-revoked.yaml",
    ]
    ca, leaf = ((pki.folder / path).read_text() for path in written)
    assert f"serial: {own}" in ca or f'serial: "{own}"' in ca
    assert "certificate: issuing" in leaf
    pki.commit("both")
    pki.runs("reconcile", "--ca", "root")
    assert "revoked" in pki.runs("show", "ca/issuing.yaml")


def test_the_whole_serial_number_with_its_ca_says_which_is_meant(pki: Command) -> None:
    whole = serial(pki, "payments/api")
    pki.runs("revoke", whole, "--ca", "issuing", "--reason", "superseded")
    assert revocations(pki) == [f"requests/payments/api-{whole[:8]}-revoked.yaml"]


def test_a_path_of_nothing_is_a_usage_error(taken: Command) -> None:
    for path in ("ca/none.yaml", "requests/none.yaml", "policies/internal-server.yaml"):
        assert taken("revoke", path, "--reason", "superseded").code == 2
        assert taken("show", path).code == 2


def test_no_request_is_begun_under_the_name_of_a_ca(pki: Command) -> None:
    for name, code in (("root", 2), ("web/root", 0), ("repository", 0)):
        answer = pki(
            *("request", "new", name, "--policy", "internal-server"),
            *("--new-key", f"../{name.replace('/', '-')}.key", "--dns", "x.example.internal"),
        )
        assert answer.code == code, answer.err
        assert ("root is the name of a CA" in answer.err) == (code == 2)
    assert not (pki.folder.parent / "root.key").exists()


def test_validate_and_request_new_blame_the_name_that_has_no_certificate(
    lived_in: Command,
) -> None:
    answer = lived_in(
        *("request", "new", "Payments/x", "--policy", "internal-server"),
        *("--new-key", "../x.key", "--dns", "x.example.internal"),
    )
    assert answer.code == 1
    told = answer.out + answer.err
    assert "requests/Payments/x.yaml:1:1: Payments/ and payments/ differ in upper and lower" in told
    for command in ("validate", "validate requests/payments/api.yaml"):
        told = lived_in(*command.split()).out
        assert "payments/api.yaml:" not in told
    assert lived_in("validate", "requests/payments/api.yaml").code == 0


def test_plan_upon_a_base_blames_the_newcomer_before_anything_was_issued(
    lived_in: Command,
) -> None:
    """shop/web stands in main and was never reconciled."""
    lived_in.git("switch", "--quiet", "--create", "change")
    add_request(lived_in, "Shop/x.yaml", "x")
    lived_in.commit("in a folder that is spelt otherwise")
    told = lived_in.runs("plan", "--base", "main", code=1)
    assert "requests/Shop/x.yaml:1:1: Shop/ and shop/ differ" in told
    assert "and shop/ was there before" in told
    assert "requests/shop/web.yaml:" not in told
    assert "shop/web" in told
    told = lived_in.runs("plan", code=1)
    assert "requests/Shop/x.yaml:1:1" in told
    assert "requests/shop/web.yaml:1:1" in told
