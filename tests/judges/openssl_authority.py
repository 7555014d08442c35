"""A CA run by `openssl ca` alone: independent of gitca, and free to issue what gitca refuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from judges.chain import from_pem, to_pem
from judges.process import must

CONFIGURATION = """
[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = .
certificate = certificate.pem
private_key = key.pem
rand_serial = yes
default_md = default
crlnumber = crlnumber
crl_extensions = crl
unique_subject = no
preserve = yes
policy = anything
[anything]
countryName = optional
organizationName = optional
commonName = optional
[crl]
authorityKeyIdentifier = keyid
[req]
distinguished_name = empty
[empty]
"""

ROOT_EXTENSIONS = (
    "basicConstraints=critical,CA:TRUE",
    "keyUsage=critical,keyCertSign,cRLSign",
    "subjectKeyIdentifier=hash",
)
AUTHORITY_EXTENSIONS = (
    "basicConstraints=critical,CA:TRUE,pathlen:0",
    "keyUsage=critical,keyCertSign,cRLSign",
    "subjectKeyIdentifier=hash",
    "authorityKeyIdentifier=keyid:always",
)


def leaf_extensions(dns: str = "", *, usage: str = "serverAuth", sans: str = "") -> tuple[str, ...]:
    """Return the extensions of an end-entity certificate for one usage.

    Its names are one DNS name, or `sans` in openssl's words (`DNS:a.example,IP:10.0.0.1`).
    """
    return (
        "basicConstraints=critical,CA:FALSE",
        "keyUsage=critical,digitalSignature",
        f"extendedKeyUsage={usage}",
        f"subjectAltName={sans or f'DNS:{dns}'}",
        "subjectKeyIdentifier=hash",
        "authorityKeyIdentifier=keyid:always",
    )


def new_key(path: Path, algorithm: str = "EC") -> Path:
    """Write a new private key, unencrypted: P-256 for `EC`, else openssl's default of that name."""
    options = ("-pkeyopt", "ec_paramgen_curve:P-256") if algorithm == "EC" else ()
    must("openssl", "genpkey", "-quiet", "-algorithm", algorithm, *options, "-out", path)
    return path


@dataclass(frozen=True, slots=True)
class OpensslAuthority:
    """A folder in which `openssl ca` works: certificate.pem, key.pem, index.txt, crlnumber."""

    folder: Path

    @classmethod
    def root(cls, folder: Path, name: str) -> OpensslAuthority:
        """Make a self-signed CA of that common name."""
        folder.mkdir(parents=True)
        new_key(folder / "key.pem")
        authority = cls._prepare(folder)
        extensions = [word for line in ROOT_EXTENSIONS for word in ("-addext", line)]
        subject = ("-subj", f"/O=Judged/CN={name}", "-days", "30")
        command = ("openssl", "req", "-x509", "-new", "-config", "ca.cnf", "-key", "key.pem")
        must(*command, *subject, *extensions, "-out", "certificate.pem", cwd=folder)
        return authority

    @classmethod
    def adopt(cls, folder: Path, *, certificate: bytes, key_pem: bytes) -> OpensslAuthority:
        """Take over a CA that exists: its certificate in DER, its unencrypted key in PEM."""
        folder.mkdir(parents=True)
        (folder / "key.pem").write_bytes(key_pem)
        (folder / "certificate.pem").write_text(to_pem(certificate))
        return cls._prepare(folder)

    @classmethod
    def _prepare(cls, folder: Path) -> OpensslAuthority:
        (folder / "ca.cnf").write_text(CONFIGURATION)
        (folder / "index.txt").touch()
        (folder / "crlnumber").write_text("01\n")
        return cls(folder)

    @property
    def certificate(self) -> bytes:
        """The CA's own certificate in DER."""
        return from_pem((self.folder / "certificate.pem").read_text())[0]

    def issue(
        self,
        subject: str,
        extensions: Sequence[str],
        *,
        key: Path,
        days: tuple[int, int] = (-1, 10),
    ) -> bytes:
        """Issue for a key, valid between two distances from now in days, and return the DER."""
        (self.folder / "extensions.cnf").write_text("\n".join(extensions))
        request = ("openssl", "req", "-new", "-config", "ca.cnf", "-key", key, "-subj", subject)
        must(*request, "-out", "request.pem", cwd=self.folder)
        start, end = (_utc_time(datetime.now(UTC) + timedelta(days=day)) for day in days)
        answer = must(
            *("openssl", "ca", "-batch", "-notext", "-config", "ca.cnf", "-in", "request.pem"),
            *("-extfile", "extensions.cnf", "-startdate", start, "-enddate", end),
            cwd=self.folder,
        )
        return from_pem(answer.decode())[0]

    def subordinate(
        self, folder: Path, name: str, extensions: Sequence[str] = AUTHORITY_EXTENSIONS
    ) -> OpensslAuthority:
        """Make a CA below this one."""
        folder.mkdir(parents=True)
        key = new_key(folder / "key.pem")
        certificate = self.issue(f"/O=Judged/CN={name}", extensions, key=key)
        (folder / "certificate.pem").write_text(to_pem(certificate))
        return self._prepare(folder)

    def revoke(self, certificate: bytes, reason: str = "keyCompromise") -> None:
        """Put a certificate on every CRL from now on."""
        path = self.folder / "revoked.pem"
        path.write_text(to_pem(certificate))
        reason_option = ("-crl_reason", reason)
        must("openssl", "ca", "-config", "ca.cnf", "-revoke", path, *reason_option, cwd=self.folder)

    def crl(self, *, days: tuple[int, int] = (-1, 7)) -> bytes:
        """Return a new CRL in DER, current between two distances from now in days."""
        last, following = (_utc_time(datetime.now(UTC) + timedelta(days=day)) for day in days)
        dates = ("-crl_lastupdate", last, "-crl_nextupdate", following)
        text = must("openssl", "ca", "-config", "ca.cnf", "-gencrl", *dates, cwd=self.folder)
        return from_pem(text.decode(), "X509 CRL")[0]


def _utc_time(moment: datetime) -> str:
    return moment.strftime("%y%m%d%H%M%SZ")
