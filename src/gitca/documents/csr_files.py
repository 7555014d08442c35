"""The CSR of a request: inline, or a file beside it or below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from gitca.documents.certificate_request import CertificateRequestSpec
from gitca.documents.document import Document
from gitca.documents.fields import shown
from gitca.documents.flaws import flaw
from gitca.documents.tree import SUBMODULE, SYMLINK, TreeEntry
from gitca.findings import Finding, Location

Read = Callable[[str], bytes]
"""Blob id to bytes."""

MAX_CSR_SIZE = 64 * 1024
"""Bytes that a CSR may have; one on an ML-DSA-87 key has some 10,000."""


@dataclass(frozen=True)
class CsrFile:
    """The bytes of a request's CSR and where they come from.

    Inline: path and blob are the request's own. `location` is that of `spec.csr` or `spec.csrFile`.
    """

    path: str
    blob: str
    data: bytes
    location: Location


def load_csrs(
    requests: Mapping[str, Document[CertificateRequestSpec]],
    files: Mapping[str, TreeEntry],
    read: Read,
) -> tuple[dict[str, CsrFile], tuple[Finding, ...]]:
    """Return the CSR of each request by the request's name; `files` are those of `requests/`.

    Findings: `request.csr-file.missing`, `request.csr-file.mode`, `request.csr.size`,
    `request.csr.private-key`.
    """
    csrs: dict[str, CsrFile] = {}
    findings: list[Finding] = []
    for name, request in requests.items():
        csr = _load(request, files, read)
        if isinstance(csr, Finding):
            findings.append(csr)
        else:
            csrs[name] = csr
    return csrs, tuple(findings)


def _load(
    request: Document[CertificateRequestSpec], files: Mapping[str, TreeEntry], read: Read
) -> CsrFile | Finding:
    spec = request.spec
    if spec.csr_file is None:
        data = (spec.csr or "").encode()
        csr = CsrFile(request.path, request.blob, data, request.at("spec", "csr"))
        return _checked(csr)
    place = request.at("spec", "csrFile")
    # The model lets no absolute path and no `..` pass.
    path = str(PurePosixPath(request.path).parent / spec.csr_file)
    entry = files.get(path)
    if entry is None:
        message = f"csrFile {shown(spec.csr_file)} is not in the commit as {path}"
        remedy = "add the file to Git (--force where .gitignore names it), or mend its name"
        return flaw("request.csr-file.missing", message, place, remedy)
    if entry.mode in {SYMLINK, SUBMODULE}:
        message = f"csrFile {shown(spec.csr_file)} is a symbolic link or submodule"
        remedy = "put the file itself there"
        return flaw("request.csr-file.mode", message, place, remedy)
    return _checked(CsrFile(path, entry.blob, read(entry.blob), place))


def _checked(csr: CsrFile) -> CsrFile | Finding:
    if len(csr.data) > MAX_CSR_SIZE:
        message = f"the CSR has {len(csr.data)} bytes, {MAX_CSR_SIZE} are allowed"
        return flaw("request.csr.size", message, csr.location, "write one PKCS #10 request alone")
    if b"PRIVATE KEY-----" in csr.data:
        message = "there is a private key in the repository, where only a CSR is allowed"
        remedy = "treat the key as compromised, make a new one, and write the new CSR"
        return flaw("request.csr.private-key", message, csr.location, remedy)
    return csr
