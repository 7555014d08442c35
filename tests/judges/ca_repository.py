"""A CA repository driven as a user drives it: the gitca command, Git, and files in an editor."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fixtures.csrs.wanted import Wanted
from judges.chain import Chain, Purpose, from_pem
from judges.process import must

PASSPHRASE = "correct horse battery staple"
TIMEOUT_SECONDS = 300.0

_ATTRIBUTES = {"CN": "commonName", "O": "organization", "OU": "organizationalUnit", "C": "country"}


@dataclass(frozen=True, slots=True)
class CaRepository:
    """The folder of a clone; made by `create`."""

    folder: Path

    @classmethod
    def create(cls, folder: Path) -> CaRepository:
        """Scaffold with `gitca init` for example.internal."""
        names = ("--domain", "example.internal", "--organization", "Example")
        run_gitca("init", folder, "--signer", "file", *names)
        return cls(folder)

    def gitca(self, *arguments: str | Path, status: int = 0) -> str:
        """Run a command in the repository and return both its streams.

        Raises: AssertionError when its exit code is another than `status`.
        """
        return run_gitca("--repo", self.folder, *arguments, status=status)

    def write(self, path: str, content: str | bytes) -> None:
        """Write a file into the working tree."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, message: str) -> None:
        """Commit what people write: everything but issued/."""
        must("git", "add", "--", "ca", "policies", "requests", cwd=self.folder)
        must("git", "commit", "--quiet", "--message", message, cwd=self.folder)

    def request(self, name: str, *, policy: str, csr: bytes, wanted: Wanted) -> None:
        """Write a request, its CSR in a file beside it, that says what the CSR says."""
        file = f"{name.rpartition('/')[2]}.csr"
        self.write(f"requests/{name.rpartition('/')[0]}/{file}", csr)
        self.write(f"requests/{name}.yaml", request_document(policy, wanted, file))

    def issued(self, path: str) -> Path:
        """Return a path below issued/."""
        return self.folder / "issued" / path

    def authority(self, name: str) -> bytes:
        """Return a CA's certificate in DER."""
        return from_pem(self.issued(f"{name}/ca.pem").read_text())[0]

    def crl(self, name: str) -> bytes:
        """Return a CA's current CRL in DER."""
        return self.issued(f"{name}/crl.der").read_bytes()

    def path(self, request: str, ca: str = "issuing") -> tuple[bytes, ...]:
        """Return a request's current certificate and the chain that follows it in its file."""
        return from_pem(self.issued(f"{ca}/certificates/{request}.pem").read_text())

    def chain(
        self,
        request: str,
        authorities: Sequence[str] = ("issuing", "root"),
        purpose: Purpose = "server",
    ) -> Chain:
        """Return what a relying party has: the path of a request and the CRLs of this moment.

        `authorities` are those of the path, leaf side first; the last is the anchor.
        """
        leaf, *above = self.path(request, authorities[0])
        return self.chain_of(leaf, authorities, tuple(above), purpose)

    def chain_of(
        self,
        leaf: bytes,
        authorities: Sequence[str] = ("issuing", "root"),
        intermediates: tuple[bytes, ...] | None = None,
        purpose: Purpose = "server",
    ) -> Chain:
        """Return the chain of any certificate below a CA, whoever made it."""
        if intermediates is None:
            intermediates = tuple(self.authority(name) for name in authorities[:-1])
        crls = tuple(self.crl(name) for name in authorities)
        return Chain(leaf, intermediates, self.authority(authorities[-1]), crls, purpose)

    def private_key(self, name: str) -> bytes:
        """Return a CA's private key in PEM, as openssl decrypts it."""
        path = self.folder / ".gitca" / "keys" / f"{name}.pem"
        return must("openssl", "pkey", "-in", path, "-passin", f"pass:{PASSPHRASE}")


def run_gitca(*arguments: str | Path, status: int = 0) -> str:
    """Run the command as a process of its own and return both its streams."""
    done = subprocess.run(
        [sys.executable, "-m", "gitca", *(str(argument) for argument in arguments)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "GITCA_KEY_PASSPHRASE": PASSPHRASE, "NO_COLOR": "1"},
    )
    words = done.stdout + done.stderr
    assert "Traceback" not in words, words
    assert done.returncode == status, f"exit {done.returncode}, not {status}:\n{words}"
    return words


def request_document(policy: str, wanted: Wanted, csr_file: str) -> str:
    """Return a CertificateRequest with the names that a CSR is wanted to have."""
    subject = {_ATTRIBUTES[name]: value for name, value in wanted.subject}
    sans: dict[str, list[str]] = {}
    for kind, value in wanted.sans:
        sans.setdefault(kind, []).append(value)
    lines = ["apiVersion: gitca/v1", "kind: CertificateRequest", "spec:", f"  policy: {policy}"]
    lines += _block("subject", {name: f'"{value}"' for name, value in subject.items()})
    lines += _block("sans", {kind: f"{values}" for kind, values in sans.items()})
    if wanted.key.startswith("RSA"):
        # NSS takes an RSA key without keyEncipherment for no server's.
        lines.append("  keyUsage: [digitalSignature, keyEncipherment]")
    return "\n".join([*lines, f"  csrFile: {csr_file}", ""])


def _block(key: str, entries: Mapping[str, str]) -> list[str]:
    if not entries:
        return []
    return [f"  {key}:", *(f"    {name}: {value}" for name, value in entries.items())]
