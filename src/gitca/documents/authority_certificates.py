"""Certificates that external CAs gave, as a person puts them beside a CA's document: ca/<name>.pem.

What a file says is judged when it is about to be used. Here is which files there are: one that
looks like a certificate and that nothing uses is an error, since who put it there believes that it
is used.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from gitca.documents.certificate_authority import EXTERNAL_ISSUER, CertificateAuthoritySpec
from gitca.documents.csr_files import Read
from gitca.documents.document import Document
from gitca.documents.fields import escaped
from gitca.documents.flaws import flaw
from gitca.documents.tree import ORDINARY, Folder, TreeEntry
from gitca.documents.words import nearest
from gitca.findings import Finding, Location

MAX_CERTIFICATE_FILE = 64 * 1024
"""Bytes of a file; a chain of four on ML-DSA-87 keys has some 45,000."""

_ENDING = ".pem"
_LOOKALIKES = frozenset({_ENDING, ".crt", ".cer", ".der", ".p7b", ".p7c", ".p12", ".pfx"})

Authorities = Mapping[str, Document[CertificateAuthoritySpec]]


@dataclass(frozen=True, slots=True)
class CertificateFile:
    """The certificate that an external CA gave and those above it, as a person added them."""

    path: str
    blob: str
    data: bytes

    @property
    def location(self) -> Location:
        """The file, at its beginning."""
        return Location(self.path)


def load_authority_certificates(
    folder: Folder, authorities: Authorities, broken: Collection[str], read: Read
) -> tuple[Mapping[str, CertificateFile], tuple[Finding, ...]]:
    """Return the certificate files of the CAs whose issuer is external, by the CA's name.

    `broken` are the names of CAs that are there and cannot be used: of theirs nothing is said.
    Findings: `authority.certificate.unused`, `.size` and `.private-key`.
    """
    files: dict[str, CertificateFile] = {}
    findings: list[Finding] = []
    for name, entry in _candidates(folder):
        document = authorities.get(name)
        is_external = document is not None and document.spec.issuer == EXTERNAL_ISSUER
        if is_external and entry.path == f"ca/{name}{_ENDING}":
            found = _checked(CertificateFile(entry.path, entry.blob, read(entry.blob)))
            if isinstance(found, Finding):
                findings.append(found)
            else:
                files[name] = found
        elif name not in broken:
            findings.append(_unused(name, entry.path, authorities))
    return files, tuple(findings)


def _candidates(folder: Folder) -> Iterator[tuple[str, TreeEntry]]:
    for path, entry in folder.others.items():
        inner = PurePosixPath(path).relative_to("ca") if path != "ca" else PurePosixPath()
        if entry.mode in ORDINARY and inner.suffix.lower() in _LOOKALIKES:
            yield str(inner.with_suffix("")), entry


def _checked(file: CertificateFile) -> CertificateFile | Finding:
    if len(file.data) > MAX_CERTIFICATE_FILE:
        message = f"the file has {len(file.data)} bytes or more, {MAX_CERTIFICATE_FILE} are allowed"
        remedy = "leave the CA's certificate and those of the CAs above it alone in it"
        return flaw("authority.certificate.size", message, file.location, remedy)
    if b"PRIVATE KEY-----" in file.data:
        message = "there is a private key in the repository, where only certificates are allowed"
        remedy = "treat the key as compromised: a CA on it is to be replaced by one on a new key"
        return flaw("authority.certificate.private-key", message, file.location, remedy)
    return file


def _unused(name: str, path: str, authorities: Authorities) -> Finding:
    external = [key for key, item in authorities.items() if item.spec.issuer == EXTERNAL_ISSUER]
    known = authorities.get(name)
    if known is None:
        message = "the file looks like a CA's certificate, and no CA is called so; nothing uses it"
        meant = nearest(name, external)
    elif name in external:
        message = f"the certificate of CA {name} is read from ca/{name}.pem alone; nothing uses"
        message, meant = f"{message} this file", name
    else:
        issuer = "itself" if known.spec.issuer == "self" else f"CA {known.spec.issuer}"
        message = f"CA {name} is certified by {issuer}, not from outside; nothing uses this file"
        meant = None
    remedy = f"rename it to ca/{meant}.pem (PEM text)" if meant else "remove it"
    return flaw("authority.certificate.unused", message, Location(escaped(path)), remedy)
