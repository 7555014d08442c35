"""Documents, CSRs and cases for the tests of the policy; texts go through the real loader."""

from __future__ import annotations

import functools
import ipaddress
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from cryptography.x509.oid import ObjectIdentifier

from gitca.documents.load import Governing, TreeEntry, load_governing, load_requests
from gitca.policy.authority import propose_authority
from gitca.policy.case import Case, IssuerFacts, Verdict
from gitca.policy.evaluate import evaluate
from gitca.x509.attributes import ATTRIBUTE_OIDS
from gitca.x509.csr import parse_csr

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
UPN = "1.3.6.1.4.1.311.20.2.3"
REQUEST_PATH = "requests/payments/api.yaml"

ROOT = """\
apiVersion: gitca/v1
kind: CertificateAuthority
spec:
  subject: {commonName: Example Root CA}
  issuer: self
  key: "file:root.key"
  validity: 10y
"""

ISSUING = """\
apiVersion: gitca/v1
kind: CertificateAuthority
spec:
  subject: {commonName: Example Issuing CA, organization: Example}
  issuer: root
  key: "file:issuing.key"
  validity: 5y
  pathLength: 0
  crl: {lifetime: 7d, refreshBefore: 3d, urls: ["http://pki.example.internal/issuing.crl"]}
  caIssuersUrls: ["http://pki.example.internal/issuing.cer"]
"""

POLICY = """\
apiVersion: gitca/v1
kind: IssuancePolicy
spec:
  issuer: issuing
  selector: {paths: ["payments/**"]}
  subject:
    commonName: {allow: ["**.example.internal"], mustBeInSans: true}
    organization: {fixed: Example}
    organizationalUnit: {allow: ["Team *"]}
  sans:
    dns: {allow: ["**.example.internal"], deny: ["vault.example.internal"], max: 5}
    ip: {allow: ["10.0.0.0/8"], deny: ["10.0.0.1"], max: 5}
    uri: {allow: ["spiffe://example.internal/payments/*"], max: 5}
    email: {allow: ["*@example.internal"], deny: ["root@example.internal"], max: 5}
  key: {algorithms: [{type: ecdsa, curves: [P-256]}, {type: rsa, minBits: 2048, maxBits: 4096}]}
  validity: {default: 30d, min: 1d, max: 90d, backdate: 5m}
  keyUsage:
    default: [digitalSignature]
    allow: [digitalSignature, keyEncipherment, keyAgreement, encipherOnly]
  extendedKeyUsage: {default: [serverAuth], allow: [serverAuth, clientAuth]}
  extensions: {certificatePolicies: [{oid: 1.3.6.1.4.1.99999.1.1}]}
"""

REQUEST = """\
apiVersion: gitca/v1
kind: CertificateRequest
spec:
  policy: internal-server
  subject: {commonName: api.example.internal}
  sans: {dns: [api.example.internal]}
  csrFile: api.csr
"""


def request_text(*lines: str) -> str:
    """Return a request whose spec, after policy and csrFile, holds the lines from line 6 on."""
    head = REQUEST.split("  policy:")[0]
    body = ("policy: internal-server", "csrFile: api.csr", *lines)
    return head + "".join(f"  {line}\n" for line in body)


def changed(text: str, *changes: tuple[str, str]) -> str:
    """Return the text with each (old, new), where old must be there."""
    for old, new in changes:
        assert old in text, f"{old!r} is not in the text"
        text = text.replace(old, new)
    return text


def place(text: str, needle: str, occurrence: int = 1) -> tuple[int, int]:
    """Return line and column, from 1, of an occurrence of a text."""
    offset = -1
    for _ in range(occurrence):
        offset = text.index(needle, offset + 1)
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


_MAKERS: Mapping[str, Any] = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "RSA-1024": lambda: rsa.generate_private_key(65537, 1024),  # noqa: S505 - weak on purpose: to be denied
    "RSA-2048": lambda: rsa.generate_private_key(65537, 2048),
    "RSA-2048-e3": lambda: rsa.generate_private_key(3, 2048),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "ML-DSA-65": mldsa.MLDSA65PrivateKey.generate,
}


@functools.cache
def private_key(spec: str) -> Any:
    return _MAKERS[spec]()


def _general_name(name: str) -> x509.GeneralName:
    kind, _, value = name.partition(":")
    match kind:
        case "dns":
            return x509.DNSName(value)
        case "ip":
            return x509.IPAddress(ipaddress.ip_address(value))
        case "uri":
            return x509.UniformResourceIdentifier(value)
        case "email":
            return x509.RFC822Name(value)
        case "upn":
            der = bytes([0x0C, len(value)]) + value.encode()
            return x509.OtherName(ObjectIdentifier(UPN), der)
        case "ia5":
            der = bytes([0x16, len(value)]) + value.encode()
            return x509.OtherName(ObjectIdentifier(UPN), der)
        case "directory":
            attributes = [
                x509.NameAttribute(ObjectIdentifier(ATTRIBUTE_OIDS[name]), text)
                for name, _, text in (part.partition("=") for part in value.split(","))
            ]
            return x509.DirectoryName(x509.Name(attributes))
        case "id":
            return x509.RegisteredID(ObjectIdentifier(value))
    raise ValueError(name)


@functools.cache
def csr(
    subject: tuple[tuple[str, str], ...] = (),
    sans: tuple[str, ...] = (),
    *,
    key: str = "P-256",
    multi_valued: bool = False,
) -> bytes:
    """Return a CSR in PEM; subject is (attribute name or OID, value), sans are `dns:x`."""
    attributes = [
        x509.NameAttribute(ObjectIdentifier(ATTRIBUTE_OIDS.get(name, name)), value, _validate=False)
        for name, value in subject
    ]
    relative = [attributes] if multi_valued else [[attribute] for attribute in attributes]
    name = x509.Name([x509.RelativeDistinguishedName(parts) for parts in relative])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    if sans:
        names = x509.SubjectAlternativeName([_general_name(name) for name in sans])
        builder = builder.add_extension(names, critical=False)
    own = private_key(key)
    digest = None if key.startswith(("Ed", "ML")) else hashes.SHA256()
    return builder.sign(own, digest).public_bytes(serialization.Encoding.PEM)


def openssl_csr(folder: Path, digest: str, *, key: str = "RSA-2048") -> bytes:
    """Return a CSR without names that openssl signed with any hash."""
    path = folder / "key.pem"
    path.write_bytes(
        private_key(key).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    command = ["openssl", "req", "-new", "-key", str(path), f"-{digest}", "-subj", "/"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def _entries(files: Mapping[str, bytes]) -> list[TreeEntry]:
    return [TreeEntry(path, "100644", path) for path in files]


def governing(
    policy: str = POLICY, *, issuing: str = ISSUING, root: str = ROOT, **others: str
) -> Governing:
    """Return CA and policy documents; `others` are further CA documents by name."""
    files = {
        "ca/root.yaml": root.encode(),
        "ca/issuing.yaml": issuing.encode(),
        "policies/internal-server.yaml": policy.encode(),
        **{f"ca/{name}.yaml": text.encode() for name, text in others.items()},
    }
    loaded = load_governing(_entries(files), files.__getitem__)
    assert not loaded.findings, "\n".join(map(str, loaded.findings))
    return loaded


def case(
    request: str = REQUEST,
    *,
    policy: str = POLICY,
    issuing: str = ISSUING,
    csr_bytes: bytes | None = None,
    path: str = REQUEST_PATH,
    now: datetime = NOW,
    issuer_age: timedelta = timedelta(days=30),
    refused_keys: Mapping[str, str] | None = None,
) -> Case:
    """Return the case of a request's text; the CA was made `issuer_age` ago."""
    documents = governing(policy, issuing=issuing)
    folder = path.rpartition("/")[0]
    files = {path: request.encode(), f"{folder}/api.csr": csr_bytes or csr()}
    loaded = load_requests(_entries(files), files.__getitem__, governing=documents)
    assert not loaded.findings, "\n".join(map(str, loaded.findings))
    (document,) = loaded.requests.values()
    csr_file = loaded.csrs[document.name]
    authority = documents.authorities["issuing"]
    made = NOW - issuer_age
    issuer = IssuerFacts(
        name="issuing",
        not_before=made,
        not_after=made + authority.spec.validity - timedelta(seconds=1),
        template=propose_authority(authority, b""),
    )
    return Case(
        request=document,
        csr=parse_csr(csr_file.data),
        csr_at=csr_file.location,
        policy=documents.policies["internal-server"],
        authority=authority,
        issuer=issuer,
        now=now,
        refused_keys=refused_keys or {},
    )


def judge(request: str = REQUEST, **options: Any) -> Verdict:
    """Return the verdict on a request's text; options are those of `case`."""
    return evaluate(case(request, **options))


def without_issuer(of: Case) -> Case:
    """Return the case while the CA is still to be made."""
    return replace(of, issuer=None)


def rules(verdict: Verdict) -> list[str]:
    """Return the rules of the findings in order."""
    return [finding.rule for finding in verdict.findings]


def texts(findings: Iterable[object]) -> Sequence[str]:
    return [str(finding) for finding in findings]
