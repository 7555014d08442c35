"""The peer: `openssl ca` with the same CA certificate, encrypted key and extensions."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fixture import ISSUING, PASSPHRASE, PASSPHRASE_VARIABLE, CaRepository
from measure import timed_process

LONGEST_COMMAND = 1024**2
"""Bytes of file names that one process is given; Linux allows 2 MiB of arguments."""

_CONFIGURATION = """
[ca]
default_ca = issuing
[issuing]
database = index.txt
new_certs_dir = certificates
certificate = ca.pem
private_key = key.pem
rand_serial = yes
crlnumber = crlnumber
default_md = sha256
default_days = 30
default_crl_days = 7
unique_subject = no
email_in_dn = no
policy = names
copy_extensions = copy
x509_extensions = leaf
crl_extensions = crl
[names]
commonName = supplied
[leaf]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
[crl]
authorityKeyIdentifier = keyid
"""


@dataclass(frozen=True)
class IndexEntry:
    """A row of openssl's database; `revoked` is None for a valid certificate."""

    serial: str
    not_after: datetime
    common_name: str
    revoked: datetime | None = None
    reason: str = ""

    def __str__(self) -> str:
        serial = self.serial.upper().zfill(len(self.serial) + len(self.serial) % 2)
        revoked = f"{self.revoked:%y%m%d%H%M%SZ},{self.reason}" if self.revoked else ""
        status = "R" if self.revoked else "V"
        expiry = f"{self.not_after:%y%m%d%H%M%SZ}"
        return "\t".join((status, expiry, revoked, serial, "unknown", f"/CN={self.common_name}"))


@dataclass(frozen=True)
class OpensslCa:
    """A folder with a database, as `openssl ca` keeps it."""

    folder: Path

    @classmethod
    def beside(cls, repository: CaRepository, folder: Path) -> OpensslCa:
        """Make one that signs as the repository's issuing CA."""
        folder.mkdir()
        (folder / "certificates").mkdir()
        (folder / "openssl.cnf").write_text(_CONFIGURATION)
        (folder / "crlnumber").write_text("1000\n")
        shutil.copy(repository.folder / "issued" / ISSUING / "ca.pem", folder / "ca.pem")
        shutil.copy(repository.folder / ".gitca" / "keys" / f"{ISSUING}.pem", folder / "key.pem")
        ca = cls(folder)
        ca.fill(())
        return ca

    def fill(self, entries: Iterable[IndexEntry]) -> None:
        """Set the database."""
        (self.folder / "index.txt").write_text("".join(f"{entry}\n" for entry in entries))

    def issue(self, csrs: Sequence[Path]) -> tuple[float, int]:
        """Sign CSRs and return the seconds, and the number of processes that it took."""
        chunks = list(_chunks([str(path) for path in csrs]))
        return sum(self._run("-notext", "-infiles", *chunk) for chunk in chunks), len(chunks)

    def crl(self) -> float:
        """Sign a CRL of the whole database into `crl.pem`; return the seconds."""
        return self._run("-gencrl", "-out", "crl.pem")

    def update(self) -> float:
        """Look through the whole database for what has expired; return the seconds."""
        return self._run("-updatedb")

    def _run(self, *arguments: str) -> float:
        key = ("-passin", f"env:{PASSPHRASE_VARIABLE}")
        command = ["openssl", "ca", "-config", "openssl.cnf", "-batch", *key, *arguments]
        return timed_process(command, folder=self.folder, extra={PASSPHRASE_VARIABLE: PASSPHRASE})

    @property
    def issued(self) -> int:
        """How many certificates it has written."""
        return sum(1 for _ in (self.folder / "certificates").iterdir())


def _chunks(names: Sequence[str]) -> Iterable[list[str]]:
    chunk: list[str] = []
    size = 0
    for name in names:
        size += len(name) + 1
        if chunk and size > LONGEST_COMMAND:
            yield chunk
            chunk, size = [], len(name) + 1
        chunk.append(name)
    if chunk:
        yield chunk
