"""CA repositories to measure with, of any size, driven as a user or a CI job drives them."""

from __future__ import annotations

import gc
import secrets
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gitca.cli import COLLECTION_THRESHOLDS
from gitca.git import store as git_store
from gitca.git.repository import GitRepository, Identity
from gitca.git.store import Branches, Store
from gitca.ledger.state import LedgerState
from gitca.reconcile import build, recipe
from gitca.reconcile.build import Builder
from gitca.reconcile.fulfil import Fulfiller
from gitca.reconcile.keys import Keys
from gitca.reconcile.recipe import World, reconcile
from gitca.reconcile.resume import Resumer
from gitca.signers import Signer, open_signer
from measure import Steps, in_new_process, timed_process

BRANCH = "main"
DOMAIN = "example.internal"
POLICY = "internal-server"
ISSUING = "issuing"
COMMITTER = Identity("gitca", f"gitca@{DOMAIN}")  # as `gitca init` writes it
PASSPHRASE_VARIABLE = "GITCA_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable
PASSPHRASE = "correct horse battery staple"  # noqa: S105 - of keys that live as long as one bench
FOLDER_SIZE = 100

STEPS = (
    ("load", Store, "load"),
    ("read ledger", git_store, "parse_segment"),
    ("fold ledger", LedgerState, "apply"),
    ("resume", Resumer, "sort"),
    ("read documents", recipe, "read_desired"),
    ("plan", recipe, "make_plan"),
    ("build", Builder, "build"),
    ("lint", build, "lint_drafts"),
    ("record", Store, "record"),
    ("sign and check", Fulfiller, "fulfil"),
    ("commit", Store, "commit"),
    ("bring forward", Store, "bring_forward"),
)
"""The steps of the recipe, and the functions that take them."""


def now() -> datetime:
    """Return the time in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def gitca_command() -> list[str]:
    """Return how gitca is started here: its script beside the interpreter, or its module."""
    script = Path(sys.executable).with_name("gitca")
    return [str(script)] if script.exists() else [sys.executable, "-m", "gitca"]


@dataclass(frozen=True)
class CaRepository:
    """The folder of a clone without a remote; `key` is the signer URI of the issuing CA's key."""

    folder: Path
    key: str = f"file:.gitca/keys/{ISSUING}.pem"

    @classmethod
    def create(cls, folder: Path, *, key: str = "") -> CaRepository:
        """Make one as `gitca init` does, with a root (P-384) and an issuing CA (P-256), made.

        `key` is the signer URI of an issuing CA's key that is there already.
        """
        names = ["--domain", DOMAIN, "--organization", "Example"]
        timed_process(
            [*gitca_command(), "init", str(folder), "--signer", "file", *names],
            extra={PASSPHRASE_VARIABLE: PASSPHRASE},
        )
        repository = cls(folder, key or cls.key)
        if key:
            path = f"ca/{ISSUING}.yaml"
            text = (folder / path).read_text()
            changed = text.replace(cls.key, key)
            if changed == text:
                raise SystemExit(f"{path} names no key file that could be another key")
            repository.commit({path: changed.encode()}, f"Keep the key of {ISSUING} elsewhere")
        repository.gitca("reconcile")
        return repository

    def gitca(self, *arguments: str) -> float:
        """Run a command as a process of its own and return its seconds."""
        command = [*gitca_command(), "--repo", str(self.folder), *arguments]
        return timed_process(command, extra={PASSPHRASE_VARIABLE: PASSPHRASE})

    def git(self, *arguments: str) -> str:
        """Run Git and return what it printed."""
        command = ["git", *arguments]
        done = subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.PIPE)
        return done.stdout.decode().strip()

    @property
    def tip(self) -> str:
        """The branch's commit."""
        return self.git("rev-parse", f"refs/heads/{BRANCH}")

    def commit(self, files: Mapping[str, bytes | None], message: str) -> None:
        """Commit files (None: delete) and show them in the working tree, as people do."""
        with GitRepository.open(self.folder) as repository:
            before = repository.local_branch(BRANCH)
            commit = repository.commit(
                before, changes=files, message=message, author=COMMITTER, when=now()
            )
            repository.advance(BRANCH, commit, before)
        self.show(commit)

    def show(self, commit: str) -> None:
        """Set branch, index and working tree to a commit."""
        self.git("reset", "--quiet", "--hard", commit)

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Give the store of the branch, as `gitca reconcile` opens it."""
        with GitRepository.open(self.folder) as repository:
            yield Store(repository, Branches(BRANCH, BRANCH), COMMITTER)

    def signer(self, uri: str) -> Signer:
        """Return the signer of a CA's key."""
        return open_signer(uri, base=self.folder, passphrase=lambda _: PASSPHRASE.encode())

    def reconcile(self) -> Steps:
        """Reconcile in a process without a command line; return where its time went."""
        return in_new_process(_reconcile, self)


def collect_as_gitca() -> None:
    """Let this process look for garbage as seldom as the gitca command does."""
    gc.set_threshold(*COLLECTION_THRESHOLDS)


def _reconcile(repository: CaRepository) -> Steps:
    collect_as_gitca()
    steps = Steps()
    world = World(now, x509.random_serial_number, secrets.token_hex(8))
    with (
        steps.step("other"),
        repository.store() as store,
        Keys(partial(_opened, repository, steps)) as keys,
        steps.watching(STEPS),
    ):
        report = reconcile(store, keys, world)
    if report.exit_code:
        raise SystemExit(f"reconcile: {report.exit_code}: {report.findings[:3]}")
    return steps


def _opened(repository: CaRepository, steps: Steps, uri: str) -> Signer:
    with steps.step("open keys"):
        return repository.signer(uri)


@dataclass(frozen=True)
class Request:
    """A request for a certificate on a P-256 key of its own: its name, its CSR, its document."""

    name: str
    host: str
    spki_der: bytes
    csr_pem: str
    uris: tuple[str, ...] = ()

    @classmethod
    def make(cls, number: int, *, uris: tuple[str, ...] = ()) -> Request:
        """Return the request with this number; a hundred share a folder."""
        host = f"host{number:07d}.{DOMAIN}"
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
        others = map(x509.UniformResourceIdentifier, uris)
        sans = x509.SubjectAlternativeName([x509.DNSName(host), *others])
        csr = (
            x509.CertificateSigningRequestBuilder()
            .subject_name(names)
            .add_extension(sans, critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(
            name=f"team{number // FOLDER_SIZE:05d}/host{number:07d}",
            host=host,
            spki_der=csr.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            csr_pem=csr.public_bytes(Encoding.PEM).decode(),
            uris=uris,
        )

    @property
    def path(self) -> str:
        """Where its document lies."""
        return f"requests/{self.name}.yaml"

    @property
    def document(self) -> bytes:
        """Its document, the CSR inline."""
        lines = [
            "apiVersion: gitca/v1",
            "kind: CertificateRequest",
            "metadata: {owner: platform}",
            "spec:",
            f"  policy: {POLICY}",
            f"  subject: {{commonName: {self.host}}}",
            f"  sans: {{dns: [{self.host}], uri: [{', '.join(self.uris)}]}}",
            "  csr: |",
        ]
        return ("\n".join(lines) + "\n" + textwrap.indent(self.csr_pem, "    ")).encode()
