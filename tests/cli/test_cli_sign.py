"""An offline root as people work with it: clones, bundles, a bare remote; openssl is the judge."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_command import PASSPHRASE, SOURCES, Command


class Ceremony:
    """An office without the root's key, its origin, and a safe that gets what a courier brings."""

    def __init__(self, folder: Path, scaffold: Path) -> None:
        self.folder = folder
        shutil.copytree(scaffold, folder / "office", symlinks=True)
        self.office = Command(folder / "office", GITCA_KEY_PASSPHRASE=PASSPHRASE)
        self.key = folder / "root.pem"
        (folder / "office/.gitca/keys/root.pem").rename(self.key)
        self.office.git("init", "--quiet", "--bare", "--initial-branch=main", str(self.origin))
        self.office.git("remote", "add", "origin", str(self.origin))
        self.office.git("push", "--quiet", "-u", "origin", "main")
        self.number = 0

    @property
    def origin(self) -> Path:
        return self.folder / "origin.git"

    def safe(self) -> Command:
        """A clone of a bundle, on a machine that has the root's key and nothing else."""
        self.number += 1
        bundle, folder = self.folder / "there.bundle", self.folder / f"safe{self.number}"
        self.office.git("fetch", "--quiet", "origin")
        self.office.git("bundle", "create", "--quiet", str(bundle), "main")
        self.office.git("clone", "--quiet", "-b", "main", str(bundle), str(folder))
        bundle.unlink()
        (folder / ".gitca/keys").mkdir(parents=True)
        shutil.copy(self.key, folder / ".gitca/keys/root.pem")
        return self.office.at(folder)

    def courier(self, safe: Command) -> Command:
        """A fresh clone of origin whose branch main is what a bundle from the safe holds."""
        bundle, folder = self.folder / "back.bundle", self.folder / f"courier{self.number}"
        safe.git("bundle", "create", "--quiet", str(bundle), "origin/main..main")
        self.office.git("clone", "--quiet", str(self.origin), str(folder))
        clone = self.office.at(folder)
        clone.git("fetch", "--quiet", str(bundle), "main")
        clone.git("reset", "--quiet", "--hard", "FETCH_HEAD")
        return clone

    def pull(self) -> None:
        self.office.git("pull", "--quiet", "--ff-only")
        assert "Nothing contradicts." in self.office.runs("verify")
        assert self.office.git("status", "--short") == ""


@pytest.fixture
def ceremony(tmp_path: Path, scaffold: Path) -> Ceremony:
    return Ceremony(tmp_path, scaffold)


def on_terminal(command: Command, *arguments: str, answer: str) -> tuple[int, str]:
    """Run gitca on a terminal, and type an answer when it asks."""
    controller, terminal = pty.openpty()
    variables = {"PYTHONPATH": str(SOURCES), "COLUMNS": "100", "NO_COLOR": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "gitca", *arguments],
        cwd=command.folder,
        env=os.environ | variables | command.environment,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    said = b""
    with contextlib.suppress(OSError):  # EIO is how a terminal ends on Linux
        while chunk := os.read(controller, 4096):
            said += chunk
            if said.endswith(b"[y/N]: "):
                os.write(controller, f"{answer}\n".encode())
    os.close(controller)
    return process.wait(timeout=60), said.decode().replace("\r\n", "\n")


def test_a_ceremony_from_the_roots_first_certificate_to_a_leaf(
    ceremony: Ceremony, make_csr: Callable[..., Path]
) -> None:
    office = ceremony.office
    csr = make_csr("api", "/CN=api.example.internal", "DNS:api.example.internal")
    office.runs(
        *("request", "new", "api", "--policy", "internal-server", "--csr", str(csr)),
        *("--dns", "api.example.internal", "--common-name", "api.example.internal"),
    )
    office.commit("request")
    office.git("push", "--quiet")
    said = office.runs("reconcile")
    assert "CA root has no certificate yet, and its key is not at this machine" in said
    assert "run `gitca sign --ca root` where it is" in said

    safe = ceremony.safe()
    code, said = on_terminal(safe, "sign", "--ca", "root", "--offline", answer="y")
    assert code == 0, said
    assert "Certificate of CA root, signed by itself" in said
    assert "Sign 1 object with the key of CA root? [y/N]:" in said
    assert "2 objects signed; no findings." in said
    assert "Nothing contradicts." in safe.runs("verify")
    carried = ceremony.courier(safe).runs("sign")
    assert "Pushed what was signed on the local branch" in carried
    ceremony.pull()

    assert "1 order waits for the key of CA root, which is not at this machine" in office.runs(
        "reconcile"
    )
    office.runs("reconcile")
    safe = ceremony.safe()
    key = json.loads(office.runs("keys", "show", "issuing", "--format", "json"))["identifier"]
    before = safe.git("rev-parse", "HEAD")
    for accepted in ((), ("--accept-key", "sha256:" + "0" * 64)):
        answer = safe("sign", "--ca", "root", "--offline", "--yes", *accepted)
        assert answer.code == 2
        assert f"add --accept-key {key}" in answer.err
    assert safe.git("rev-parse", "HEAD") == before
    said = safe.runs("sign", "--ca", "root", "--offline", "--yes", "--accept-key", key)
    assert "Certificate of CA issuing, by CA root" in said
    assert key in said, "what two persons compare"
    assert "COMPARE" in said
    ceremony.courier(safe).runs("sign")
    ceremony.pull()

    office.runs("reconcile")
    ceremony.pull()
    judged = office.start(
        *("openssl", "verify", "-x509_strict", "-crl_check_all"),
        *("-CAfile", "issued/root/ca.pem", "-untrusted", "issued/issuing/ca.pem"),
        *("-CRLfile", "issued/issuing/crl.der", "-CRLfile", "issued/root/crl.der"),
        "issued/issuing/certificates/api.pem",
    )
    assert judged.out == "issued/issuing/certificates/api.pem: OK\n", judged.err


def test_what_is_shown_is_as_the_golden_file_has_it(
    ceremony: Ceremony, golden: Callable[[str, str], None], masked: Callable[[str], str]
) -> None:
    safe = ceremony.safe()
    said = safe.runs("sign", "--ca", "root", "--offline", "--yes")
    ceremony.courier(safe).runs("sign")
    ceremony.pull()
    ceremony.office.runs("reconcile")
    key = json.loads(ceremony.office.runs("keys", "show", "issuing", "--format", "json"))
    accepted = ("--accept-key", key["identifier"])
    safe = ceremony.safe()
    said += "\n" + safe.runs("sign", "--ca", "root", "--offline", "--yes", *accepted)
    golden("cli/sign.txt", masked(said))


@pytest.mark.parametrize("answer", ["n", ""])
def test_nothing_is_signed_on_a_no(ceremony: Ceremony, answer: str) -> None:
    safe = ceremony.safe()
    before = safe.git("rev-parse", "HEAD")
    code, said = on_terminal(safe, "sign", "--ca", "root", "--offline", answer=answer)
    assert code == 1, said
    assert "Nothing was signed" in said
    assert safe.git("rev-parse", "HEAD") == before
    assert safe.git("status", "--short") == ""


def test_without_a_terminal_yes_must_be_said(ceremony: Ceremony) -> None:
    safe = ceremony.safe()
    before = safe.git("rev-parse", "HEAD")
    answer = safe("sign", "--ca", "root", "--offline")
    assert answer.code == 2
    assert "no terminal to ask on" in answer.err
    assert "Certificate of CA root" in answer.out, "it is shown all the same"
    assert safe.git("rev-parse", "HEAD") == before


def test_an_origin_that_does_not_answer_leaves_the_local_branch(ceremony: Ceremony) -> None:
    """The bundle that the clone came from is gone."""
    safe = ceremony.safe()
    answer = safe("sign", "--ca", "root", "--yes")
    assert answer.code == 0, answer.err
    assert "origin does not answer, so this works on the local branch" in answer.err
    assert "This is on the local branch main alone." in answer.out
    answer = safe("sign")
    assert answer.code == 4, "there is nothing else to do"


def test_signatures_are_carried_over_when_origin_has_gone_on(ceremony: Ceremony) -> None:
    safe = ceremony.safe()
    safe.runs("sign", "--ca", "root", "--offline", "--yes")
    office = ceremony.office
    office.runs("revoke", "3f2a09", "--reason", "superseded", code=2)
    (office.folder / "README.md").write_text("more\n")
    office.git("add", "README.md")
    office.git("commit", "--quiet", "-m", "more")
    office.git("push", "--quiet")
    courier = ceremony.courier(safe)
    assert courier("reconcile").code == 0
    said = courier.runs("sign")
    assert "Carried over what was signed on the local branch" in said
    assert "The local commit is kept as refs/gitca/carried/" in said
    assert courier.git("status", "--short") == ""
    ceremony.pull()
    assert "Nothing to carry over" in courier.runs("sign")
    assert office.runs("list", "--format", "json") == "[]\n"
    assert (office.folder / "issued/root/ca.pem").is_file()


def test_json_says_what_was_signed_and_what_was_carried_over(ceremony: Ceremony) -> None:
    safe = ceremony.safe()
    done = json.loads(safe.runs("sign", "--ca", "root", "--offline", "--yes", "--format", "json"))
    assert [record.get("crlNumber") for record in done["signed"]] == [None, 1]
    assert (done["localBranch"], done["carried"], done["declined"]) == ("main", None, False)
    assert done["tip"] == safe.git("rev-parse", "HEAD").strip()
    carried = json.loads(ceremony.courier(safe).runs("sign", "--format", "json"))
    assert len(carried["carried"]["signed"]) == 2
    assert carried["signed"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--offline",), "--offline without --ca"),
        (("--ca", "root", "--format", "json"), "cannot ask"),
        (("--ca", "nobody", "--yes"), "no CA 'nobody'"),
    ],
)
def test_wrong_usage_of_sign(ceremony: Ceremony, arguments: tuple[str, ...], words: str) -> None:
    answer = ceremony.office("sign", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert words in answer.err


def test_where_the_key_is_not_it_says_so(ceremony: Ceremony) -> None:
    answer = ceremony.office("sign", "--ca", "root", "--yes")
    assert answer.code == 4
    assert "the key of CA root is not within reach" in answer.err
    assert "run this at the machine that has the key" in answer.err


def test_a_clone_without_the_branch_has_nothing_to_carry_over(ceremony: Ceremony) -> None:
    ceremony.office.git("switch", "--quiet", "--detach")
    ceremony.office.git("branch", "--quiet", "-D", "main")
    answer = ceremony.office("sign")
    assert answer.code == 2
    assert "there is no local branch main" in answer.err
