"""A CA outside of the repository, run by `openssl ca` alone, that certifies a CSR of a clone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ca_documents import authority, policy
from ca_world import NOW, Clone, KeyRing
from gitca.plan.model import Plan
from judges.openssl_authority import CONFIGURATION, ROOT_EXTENSIONS, new_key
from judges.process import must

ISSUING = "ca/issuing.yaml"
ANSWER = "ca/issuing.pem"
CSR = "issued/issuing/ca.csr"
DOCUMENTS = {ISSUING: authority("issuing", "external"), "policies/server.yaml": policy()}
"""An issuing CA that an external one certifies, and a policy of it."""

GIVEN = (
    "basicConstraints=critical,CA:TRUE,pathlen:0",
    "keyUsage=critical,keyCertSign,cRLSign",
    "subjectKeyIdentifier=hash",
    "authorityKeyIdentifier=keyid:always",
)
"""What an external CA usually writes for a CA that issues to end entities alone."""

_SHOWN = "%y%m%d%H%M%SZ"


def given(**changes: str | None) -> tuple[str, ...]:
    """Return the usual extensions with some replaced, added, or (None) left out."""
    usual = dict(line.split("=", 1) for line in GIVEN)
    merged = usual | changes
    return tuple(f"{name}={value}" for name, value in merged.items() if value is not None)


@dataclass(frozen=True)
class ExternalParent:
    """A folder in which `openssl ca` works; its certificate and those above it, in DER."""

    folder: Path
    above: tuple[bytes, ...] = ()

    @classmethod
    def root(
        cls,
        folder: Path,
        name: str = "Corporate Root",
        *,
        days: int = 3650,
        subject: str = "",
    ) -> ExternalParent:
        """Make a self-signed CA that began a day before the world's clock."""
        parent = cls._prepare(folder)
        new_key(folder / "key.pem")
        request = ("openssl", "req", "-new", "-config", "ca.cnf", "-key", "key.pem")
        named = subject or f"/O=Corporate/CN={name}"
        must(*request, "-subj", named, "-out", "own.csr", cwd=folder)
        selfsigned = ("-selfsign", "-keyfile", "key.pem")
        end = NOW + timedelta(days=days)
        must(
            *parent._command(ROOT_EXTENSIONS, NOW - timedelta(days=1), end),
            *(*selfsigned, "-in", "own.csr", "-out", "certificate.pem"),
            cwd=folder,
        )
        return parent

    def subordinate(
        self, folder: Path, name: str, extensions: Sequence[str], *, days: int = 3000
    ) -> ExternalParent:
        """Make a CA below this one."""
        ExternalParent._prepare(folder)
        new_key(folder / "key.pem")
        request = ("openssl", "req", "-new", "-config", "ca.cnf", "-key", "key.pem")
        must(*request, "-subj", f"/O=Corporate/CN={name}", "-out", "own.csr", cwd=folder)
        end = NOW + timedelta(days=days)
        certificate = self.sign((folder / "own.csr").read_bytes(), extensions, end=end)
        (folder / "certificate.pem").write_text(certificate)
        return ExternalParent(folder, (self.certificate.encode(), *self.above))

    @classmethod
    def _prepare(cls, folder: Path) -> ExternalParent:
        folder.mkdir(parents=True)
        (folder / "ca.cnf").write_text(CONFIGURATION)
        (folder / "index.txt").touch()
        return cls(folder)

    @property
    def certificate(self) -> str:
        """The CA's own certificate in PEM."""
        return (self.folder / "certificate.pem").read_text()

    @property
    def chain(self) -> str:
        """The CA's certificate and those above it in PEM, the root last."""
        return self.certificate + b"".join(self.above).decode()

    def sign(
        self,
        csr: bytes,
        extensions: Sequence[str] = GIVEN,
        *,
        begin: datetime = NOW,
        end: datetime = NOW + timedelta(days=1500),
        subject: str = "",
        digest: str = "sha256",
    ) -> str:
        """Certify a CSR whatever it asks for, and return the certificate in PEM."""
        (self.folder / "request.csr").write_bytes(csr)
        named = ("-subj", subject) if subject else ()
        answer = must(
            *self._command(extensions, begin, end, digest),
            *("-cert", "certificate.pem", "-keyfile", "key.pem"),
            *("-in", "request.csr", *named),
            cwd=self.folder,
        )
        return answer.decode()

    def _command(
        self, extensions: Sequence[str], begin: datetime, end: datetime, digest: str = "sha256"
    ) -> tuple[str | Path, ...]:
        (self.folder / "extensions.cnf").write_text("\n".join(extensions) + "\n")
        dates = ("-startdate", f"{begin:{_SHOWN}}", "-enddate", f"{end:{_SHOWN}}")
        command = ("openssl", "ca", "-batch", "-notext", "-preserveDN", "-config", "ca.cnf")
        return (*command, "-md", digest, "-extfile", "extensions.cnf", *dates)


MIDDLE = given(basicConstraints="critical,CA:TRUE,pathlen:1")
"""What a CA between the issuing one and a root is given."""


@dataclass(frozen=True)
class ExternalWorld:
    """A repository whose CA waits for an external one, that CA, and another one below it."""

    clone: Clone
    root: ExternalParent
    middle: ExternalParent

    @property
    def csr(self) -> bytes:
        """The CSR that the repository has."""
        return self.clone.read(CSR)

    def answer(self, text: str, **files: str) -> None:
        """Put a file beside the CA's document, as a person does."""
        self.clone.save({ANSWER: text, **files}, "the external CA's answer")

    def plan(self, text: str) -> Plan:
        """Return what a reconcile would do with such an answer."""
        self.answer(text)
        return self.clone.plan()

    def good(self, **options: Any) -> str:
        """Return an answer of the root with nothing wrong in it."""
        return self.root.sign(self.csr, **options) + self.root.chain


@pytest.fixture(scope="session")
def waiting_once(tmp_path_factory: pytest.TempPathFactory, key_ring: KeyRing) -> ExternalWorld:
    """A repository whose CSR is signed, made once."""
    folder = tmp_path_factory.mktemp("external")
    clone = Clone.create(folder / "clone", key_ring, DOCUMENTS)
    assert clone.reconcile().exit_code == 0
    root = ExternalParent.root(folder / "root")
    middle = root.subordinate(folder / "middle", "Corporate Middle", MIDDLE)
    return ExternalWorld(clone, root, middle)


@pytest.fixture
def world(tmp_path: Path, waiting_once: ExternalWorld) -> ExternalWorld:
    """The same in a copy; the external CA is shared."""
    return replace(waiting_once, clone=waiting_once.clone.copy(tmp_path / "clone"))
