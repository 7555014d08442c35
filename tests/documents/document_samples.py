"""Documents for the tests of this folder: the design's examples, and trees to load them from."""

from __future__ import annotations

from collections.abc import Mapping

from gitca.documents.document import Document
from gitca.documents.load import (
    Governing,
    Known,
    Requests,
    TreeEntry,
    load_governing,
    load_requests,
)
from gitca.documents.parse import parse_document
from gitca.documents.source import parse_source
from gitca.findings import Finding

ROOT = """\
apiVersion: gitca/v1
kind: CertificateAuthority
spec:
  subject: {commonName: Example Root CA, organization: Example, country: GB}
  issuer: self
  key: file:root.key
  validity: 10y
"""

ISSUING = """\
apiVersion: gitca/v1
kind: CertificateAuthority
spec:
  subject: {commonName: Example Issuing CA, organization: Example, country: GB}
  issuer: root
  key: awskms:///alias/example-issuing?region=eu-west-1
  signatureAlgorithm: ecdsa-sha256
  validity: 5y
  pathLength: 0
  nameConstraints: {permitted: {dns: [example.internal]}}
  leafBeyondIssuer: reject
  state: active
  crl: {lifetime: 7d, refreshBefore: 3d, urls: ["http://pki.example.internal/issuing.crl"]}
  caIssuersUrls: ["http://pki.example.internal/issuing.cer"]
"""

POLICY = """\
apiVersion: gitca/v1
kind: IssuancePolicy
spec:
  issuer: issuing
  selector: {paths: ["**"]}
  subject: {commonName: {allow: ["**.example.internal"], mustBeInSans: true}}
  sans: {dns: {allow: ["**.example.internal"], deny: ["vault.example.internal"]}}
  key: {algorithms: [{type: ecdsa, curves: [P-256, P-384]}, {type: rsa, minBits: 2048}]}
  validity: {default: 30d, max: 90d, backdate: 5m}
  keyUsage: {default: [digitalSignature]}
  extendedKeyUsage: {default: [serverAuth], allow: [serverAuth]}
  renewal: {automatic: true, before: 10d}
"""

REQUEST = """\
apiVersion: gitca/v1
kind: CertificateRequest
metadata: {owner: payments, labels: {team: payments}}
spec:
  policy: internal-server
  subject: {commonName: api.example.internal}
  sans: {dns: [api.example.internal], ip: [10.1.2.3], uri: [], email: []}
  validity: 30d
  csr: |
    -----BEGIN CERTIFICATE REQUEST-----
    MAA=
    -----END CERTIFICATE REQUEST-----
"""

REVOCATION = """\
apiVersion: gitca/v1
kind: RevocationRequest
spec:
  certificate: payments/api
  reason: keyCompromise
  invalidityDate: 2026-11-20T00:00:00Z
"""

BLOCKLIST = """\
apiVersion: gitca/v1
kind: KeyBlocklist
spec:
  keys:
    - key: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      reason: leaked in incident 42
"""

TESTS = """\
apiVersion: gitca/v1
kind: PolicyTests
spec:
  policy: internal-server
  cases:
    - name: an api is allowed
      request:
        name: payments/api
        metadata: {labels: {team: payments}}
        requester: {author: alice@example.com}
        spec: {sans: {dns: [api.example.internal]}, key: {type: ecdsa, curve: P-256}}
      expect: allow
    - name: another domain is denied
      request: {spec: {sans: {dns: [www.example.com]}}}
      now: 2026-12-01T10:00:00Z
      expect: [sans.dns.allow]
"""

WAIVER = """\
apiVersion: gitca/v1
kind: Waiver
spec:
  request: payments/api
  rule: validity.max
  until: 2027-01-01T00:00:00Z
  reason: the appliance takes no certificate shorter than a year; INC-42
  approvedBy: security@example.com
"""

REPOSITORY = """\
apiVersion: gitca/v1
kind: Repository
spec:
  branch: main
  issuedBranch: issued
  committer: {name: gitca, email: gitca@example.internal}
"""

SAMPLES = {
    "CertificateAuthority": ISSUING,
    "IssuancePolicy": POLICY,
    "PolicyTests": TESTS,
    "KeyBlocklist": BLOCKLIST,
    "Waiver": WAIVER,
    "CertificateRequest": REQUEST,
    "RevocationRequest": REVOCATION,
    "Repository": REPOSITORY,
}

TREE = {
    "ca/repository.yaml": REPOSITORY,
    "ca/root.yaml": ROOT,
    "ca/issuing.yaml": ISSUING,
    "policies/internal-server.yaml": POLICY,
    "requests/payments/api.yaml": REQUEST,
    "requests/payments/api-revoked.yaml": REVOCATION,
}


def with_line(text: str, number: int, line: str) -> str:
    """The text with its line of that number, from 1, replaced."""
    lines = text.splitlines()
    lines[number - 1] = line
    return "\n".join(lines) + "\n"


def marked(text: str) -> tuple[str, str]:
    """The text without its mark ‸, and the line and column where the mark stood."""
    before, _, after = text.partition("‸")
    line = before.count("\n") + 1
    return before + after, f"{line}:{len(before) - before.rfind(chr(10))}"


def parsed(text: str, *kinds: str) -> tuple[Document | None, tuple[Finding, ...]]:
    """The document of a text and its findings, as if it lay in x.yaml."""
    source, findings = parse_source("x.yaml", text.encode())
    assert findings == ()
    assert source is not None
    return parse_document(source, name="x", kinds=kinds or tuple(SAMPLES))


def only_finding(text: str) -> str:
    """What the one finding of a text says, with its place and rule."""
    document, findings = parsed(text)
    assert document is None
    assert len(findings) == 1, [str(finding) for finding in findings]
    return str(findings[0])


def entries(files: Mapping[str, str | bytes], **modes: str) -> list[TreeEntry]:
    """A tree whose blob ids are the paths; `modes` are those of paths with / and . as _."""
    spelt = {path: path.replace("/", "_").replace(".", "_") for path in files}
    return [TreeEntry(path, modes.get(spelt[path], "100644"), path) for path in files]


def reader(files: Mapping[str, str | bytes]):
    """The function that reads a blob of such a tree."""

    def read(blob: str) -> bytes:
        data = files[blob]
        return data if isinstance(data, bytes) else data.encode()

    return read


def governing(files: Mapping[str, str | bytes], **modes: str) -> Governing:
    return load_governing(entries(files, **modes), reader(files))


def requests(
    files: Mapping[str, str | bytes], known: Known | None = None, **modes: str
) -> Requests:
    """The requests of a tree, whose reader knows what it is told, or of none that was before."""
    read, listing = reader(files), entries(files, **modes)
    governed = governing({path: text for path, text in files.items() if "requests/" not in path})
    return load_requests(listing, read, governing=governed, known=known or Known())
