"""A CA repository in a temporary folder, driven in this process: real Git, real keys, a fake clock.

Nothing of gitca is replaced: `Clone.reconcile` runs the recipe of `gitca reconcile` on a clone. The
clock, and where a test says so the signer, are what a reconcile takes from outside.
"""

from __future__ import annotations

import functools
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from ca_documents import GOVERNING, document
from gitca.errors import GitcaError
from gitca.git.carry import begin_locally
from gitca.git.repository import GitRepository, Identity
from gitca.git.store import Branches, Snapshot, Store
from gitca.ledger.events import CertificateParticulars
from gitca.ledger.image import certificate_der
from gitca.ledger.records import OrderRecord
from gitca.ledger.state import LedgerState
from gitca.plan.desired import read_desired
from gitca.plan.make import make_plan
from gitca.plan.model import Action, Plan
from gitca.reconcile.carry_over import CarriedOver, carry_over
from gitca.reconcile.ceremony import Approve, hold_ceremony
from gitca.reconcile.keys import Keys, OpenSigner
from gitca.reconcile.recipe import World, reconcile
from gitca.reconcile.report import Report
from gitca.signers import KeyAbsentError, Signer, create_key, open_signer
from gitca.verify.proof import verify
from gitca.verify.report import VerifyReport

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
PASSPHRASE = b"correct horse battery staple"
COMMITTER = Identity("gitca", "gitca@localhost")  # of a repository that names none
KEY_NAMES = ("root", "issuing", "other", "spare")
PARTING = document("Repository", {"issuedBranch": "issued"})
MAIN = Branches("main", "main")
PARTED = Branches("main", "issued")  # documents on main, issued/ on a branch of its own


class Clock:
    """The time as a test sets it."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@dataclass(frozen=True)
class KeyRing:
    """The CAs' keys: encrypted files, made once a session, and opened once.

    Opening one costs 600,000 rounds of PBKDF2, which the tests of the file signer pay.
    """

    folder: Path

    @classmethod
    def create(cls, folder: Path) -> KeyRing:
        for name in KEY_NAMES:
            uri = f"file:.gitca/keys/{name}.pem"
            create_key(uri, "P-256", base=folder, passphrase=lambda _: PASSPHRASE)
        return cls(folder)

    def signer(self, uri: str) -> Signer:
        """Return the signer of a URI like `file:.gitca/keys/root.pem`."""
        return _opened(self.folder, uri)

    def named(self, name: str) -> Signer:
        """Return the signer of a CA."""
        return self.signer(f"file:.gitca/keys/{name}.pem")

    def but(self, **signers: Signer | GitcaError | None) -> OpenSigner:
        """Return an opener with other signers for some CAs; None for a key at another machine.

        An error is raised in place of a signer: that the backend does not answer, for one.
        """

        def opener(uri: str) -> Signer:
            name = uri.rpartition("/")[2].removesuffix(".pem")
            signer = signers.get(name, self.signer(uri) if name in KEY_NAMES else None)
            if signer is None:
                raise KeyAbsentError(f"the key {uri} is in the safe")
            if isinstance(signer, GitcaError):
                raise signer
            return signer

        return opener


@functools.cache
def _opened(folder: Path, uri: str) -> Signer:
    return open_signer(uri, base=folder, passphrase=lambda _: PASSPHRASE)


def git(folder: Path, *arguments: str, stdin: bytes | None = None, date: str | None = None) -> str:
    """Run Git as a person does, who may date commits. Raises: AssertionError with its words."""
    dated = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date} if date else {}
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        input=stdin,
        capture_output=True,
        check=False,
        env=os.environ | dated,
    )
    assert done.returncode == 0, f"git {arguments}: {done.stderr.decode()}{done.stdout.decode()}"
    return done.stdout.decode().removesuffix("\n")


@dataclass
class Clone:
    """One clone with its clock and keys; `open_signer` may be another for one run."""

    folder: Path
    keys: KeyRing
    clock: Clock = field(default_factory=Clock)
    branches: Branches = MAIN

    @classmethod
    def create(
        cls,
        folder: Path,
        keys: KeyRing,
        files: Mapping[str, str] = GOVERNING,
        branches: Branches = MAIN,
    ) -> Clone:
        """Make a repository without a remote whose first commit has these documents."""
        folder.mkdir(parents=True)
        git(folder, "init", "-q", "-b", "main")
        clone = cls(folder, keys, branches=branches)
        parting = {"ca/repository.yaml": PARTING} if clone.is_parted else {}
        clone.save({".gitignore": ".gitca\n", **parting, **files}, "documents")
        return clone

    def copy(self, folder: Path) -> Clone:
        """Return a copy of the whole repository, with a clock of its own at the same time."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return replace(self, folder=folder, clock=Clock(self.clock.now))

    def with_origin(self, bare: Path) -> Clone:
        """Give the clone a bare origin that has its branch."""
        git(self.folder, "clone", "-q", "--bare", str(self.folder), str(bare))
        git(self.folder, "remote", "add", "origin", str(bare))
        git(self.folder, "fetch", "-q", "origin")
        return self

    def beside(self, name: str) -> Clone:
        """Return another clone of the same origin, that shares the clock."""
        folder = self.folder.parent / name
        git(self.folder.parent, "clone", "-q", self.origin, str(folder))
        return replace(self, folder=folder)

    @property
    def origin(self) -> str:
        return git(self.folder, "remote", "get-url", "origin")

    @property
    def has_origin(self) -> bool:
        return bool(git(self.folder, "remote"))

    @property
    def is_parted(self) -> bool:
        """Whether issued/ has a branch of its own."""
        return self.branches.issued != self.branches.documents

    # What people do.

    def save(
        self,
        files: Mapping[str, str | bytes | None],
        message: str = "change",
        by: Identity | None = None,
    ) -> str:
        """Write files (None: delete), commit them alone, push, and return the commit.

        `by` is whose name the commit has, where it is not a person's; it is of the clock's time
        then, as gitca's own are.
        """
        for path, content in files.items():
            target = self.folder / path
            if content is None:
                target.unlink()
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        git(self.folder, "add", "-A", "--", *files)
        named = ["-c", f"user.name={by.name}", "-c", f"user.email={by.email}"] if by else []
        date = self.clock.now.isoformat() if by else None
        git(self.folder, *named, "commit", "-q", "-m", message, "--", *files, date=date)
        if self.has_origin:
            git(self.folder, "push", "-q", "origin", "main")
        return self.source

    def write_issued(
        self,
        files: Mapping[str, bytes | None],
        message: str,
        by: Identity,
        documents: str | None = None,
    ) -> str:
        """Commit files to the branch of `issued/` as gitca's own account could, and push.

        `documents` is the commit that the message names as the documents' where they are parted.
        """
        if not self.is_parted:
            return self.save(files, message, by)
        trailer = f"\n\nDocuments: {documents or self.source}\n"
        with GitRepository.open(self.folder) as repository:
            old = self.tip
            new = repository.commit(
                old, changes=files, message=message + trailer, author=by, when=self.clock.now
            )
            repository.advance(self.branches.issued, new, old)
        if self.has_origin:
            git(self.folder, "push", "-q", "origin", self.branches.issued)
        return new

    def pull(self) -> None:
        git(self.folder, "pull", "-q", "--ff-only", "origin", "main")
        if self.is_parted:
            git(self.folder, "fetch", "-q", "origin", "issued:issued")

    @property
    def tip(self) -> str:
        """The commit that has `issued/`."""
        place = f"refs/heads/{self.branches.issued}"
        if self.is_parted and not git(self.folder, "for-each-ref", place):
            place = f"refs/remotes/origin/{self.branches.issued}"  # a clone makes no such branch
        return git(self.folder, "rev-parse", place)

    @property
    def origin_tip(self) -> str:
        """Where origin has `issued/`."""
        return git(Path(self.origin), "rev-parse", f"refs/heads/{self.branches.issued}")

    @property
    def source(self) -> str:
        """The commit that has the documents."""
        return git(self.folder, "rev-parse", f"refs/heads/{self.branches.documents}")

    @property
    def status(self) -> str:
        """What `git status` sees: empty where index and working tree show the branch."""
        return git(self.folder, "status", "--porcelain")

    def read(self, path: str) -> bytes:
        """Return a file of the branch's tip."""
        return subprocess.run(
            ["git", "show", f"{self.tip}:{path}"],
            cwd=self.folder,
            check=True,
            capture_output=True,
        ).stdout

    def paths(self, *below: str) -> list[str]:
        """Return the files of the branch's tip."""
        listing = git(self.folder, "ls-tree", "-r", "--name-only", self.tip, "--", *below)
        return listing.splitlines()

    # What gitca does.

    @contextmanager
    def store(self) -> Iterator[Store]:
        with GitRepository.open(self.folder) as repository:
            yield Store(repository, self.branches, COMMITTER)

    def world(self, run: str = "", serials: Callable[[], int] = x509.random_serial_number) -> World:
        def sleep(seconds: float) -> None:
            self.clock.forward(seconds=seconds)

        return World(self.clock, serials, run or secrets.token_hex(8), sleep)

    def reconcile(
        self,
        *,
        take_over: bool = False,
        opener: OpenSigner | None = None,
        selected: Iterable[str] | None = None,
        world: World | None = None,
    ) -> Report:
        """Run the recipe."""
        chosen = None if selected is None else frozenset(selected)
        keys = Keys(opener or self.keys.signer, chosen)
        with self.store() as store:
            return reconcile(store, keys, world or self.world(), take_over=take_over)

    def sign(
        self,
        ca: str,
        *,
        offline: bool = False,
        approve: Approve = lambda _: True,
        opener: OpenSigner | None = None,
    ) -> Report:
        """Hold a ceremony, as `gitca sign --ca CA` does."""
        keys = Keys(opener or self.keys.signer, frozenset({ca}))
        with self.store() as store:
            if offline:
                begin_locally(store)
            return hold_ceremony(store, keys, self.world(), ca, approve=approve)

    def carry_over(self) -> CarriedOver | None:
        """Bring to origin what was signed here, as `gitca sign` does."""
        with self.store() as store:
            return carry_over(store, store.load(), self.clock.now)

    def snapshot(self, commit: str | None = None) -> Snapshot:
        """Return the branch's tip, or another commit, as gitca sees it."""
        with self.store() as store:
            return store.at(*self._pair(commit))

    def _pair(self, commit: str | None) -> tuple[str, str]:
        """Return a commit of the documents, and the one of `issued/` that goes with it."""
        if self.is_parted:
            return self.source, commit or self.tip
        return commit or self.tip, commit or self.tip

    @property
    def state(self) -> LedgerState:
        return self.snapshot().state

    def plan(self, commit: str | None = None, *, at: datetime | None = None) -> Plan:
        """Return what a reconcile of a commit would do."""
        now = at or self.clock.now
        with self.store() as store:
            snapshot = store.at(*self._pair(commit))
            desired = read_desired(
                snapshot.entries,
                store.read,
                snapshot.state,
                now,
                read_requesters=store.requesters(snapshot.source),
            )
            return make_plan(desired, snapshot.state, now)

    def verify(self, commit: str | None = None) -> VerifyReport:
        with self.store() as store:
            return verify(store, commit or self.tip)

    # What there is.

    def current(self, request: str) -> OrderRecord:
        """Return the order of a request's current certificate."""
        record = self.state.requests[request].current
        assert record is not None, f"{request} has no certificate"
        return record

    def certificate(self, request: str) -> x509.Certificate:
        """Return a request's current certificate."""
        return x509.load_der_x509_certificate(certificate_der(self.current(request)))

    def crl(self, ca: str = "issuing") -> x509.CertificateRevocationList:
        """Return a CA's current CRL."""
        return x509.load_der_x509_crl(self.read(f"issued/{ca}/crl.der"))

    def revoked(self, ca: str = "issuing") -> dict[str, x509.RevokedCertificate]:
        """Return the entries of a CA's current CRL by serial number, in the ledger's writing."""
        return {f"{entry.serial_number:x}": entry for entry in self.crl(ca)}

    def openssl_verify(self, request: str, ca: str = "issuing") -> str:
        """Return "OK" or openssl's error for a request's certificate under its CA's CRL now."""
        place = {path: self.folder.parent / path.replace("/", "-") for path in (
            f"issued/{ca}/certificates/{request}.pem", "issued/root/ca.pem",
            f"issued/{ca}/ca.pem", f"issued/{ca}/crl.der",
        )}  # fmt: skip
        for path, target in place.items():
            target.write_bytes(self.read(path))
        leaf, root, issuer, crl = (str(target) for target in place.values())
        done = subprocess.run(
            [
                *("openssl", "verify", "-x509_strict", "-crl_check", "-purpose", "sslserver"),
                *("-attime", str(int(self.clock.now.timestamp())), "-no-CApath", "-no-CAstore"),
                *("-CAfile", root, "-untrusted", issuer, "-CRLfile", crl, leaf),
            ],
            capture_output=True,
            check=False,
            text=True,
        )
        words = done.stdout + done.stderr
        if done.returncode == 0:
            return "OK"
        return words.partition("lookup: ")[2].partition("\n")[0] or words


def serials_of(state: LedgerState) -> list[tuple[str, str]]:
    """Return every serial number that was ever ordered, with its CA."""
    return [
        (record.ordered.ca, record.certificate.serial)
        for record in state.orders.values()
        if isinstance(record.ordered.particulars, CertificateParticulars)
    ]


def kinds(actions: Iterable[Action]) -> list[str]:
    """Return the names of actions."""
    return [action.action for action in actions]
