"""The documents that the tests commit: policies and CAs beyond those of `gitca init`."""

from __future__ import annotations

CORPUS_POLICY = """\
apiVersion: gitca/v1
kind: IssuancePolicy
metadata:
  description: Whatever the CSRs of the corpus ask for
spec:
  issuer: issuing
  subject:
    commonName: {allow: ["**.example.internal"]}
    organization: {allow: ["Example", "Bücher GmbH"]}
    organizationalUnit: {allow: ["Payments"]}
    country: {allow: ["GB"]}
  sans:
    dns: {allow: ["**.example.internal"]}
    ip: {allow: ["10.0.0.0/8"]}
    uri: {allow: ["spiffe://example.internal/**"]}
    email: {allow: ["*@example.internal"]}
  key:
    algorithms:
      - {type: ecdsa, curves: [P-256, P-384, P-521]}
      - {type: ed25519}
      - {type: rsa, minBits: 2048}
    reuse: allow
  validity: {default: 30d, max: 90d, backdate: 5m}
  keyUsage: {default: [digitalSignature], allow: [digitalSignature, keyEncipherment]}
  extendedKeyUsage: {default: [serverAuth]}
"""


def policy_for(issuer: str) -> str:
    """Return a policy under which a CA issues servers below example.internal."""
    return f"""\
apiVersion: gitca/v1
kind: IssuancePolicy
spec:
  issuer: {issuer}
  subject:
    commonName: {{allow: ["**.example.internal"]}}
  sans:
    dns: {{allow: ["**.example.internal"]}}
  key: {{algorithms: [{{type: ecdsa, curves: [P-256]}}], reuse: allow}}
  validity: {{default: 30d, max: 90d, backdate: 5m}}
  keyUsage: {{default: [digitalSignature]}}
  extendedKeyUsage: {{default: [serverAuth]}}
"""


def authority_document(
    name: str,
    *,
    issuer: str,
    path_length: int | None,
    algorithm: str = "",
    constraints: str = "",
) -> str:
    """Return a CA whose key is .gitca/keys/`name`.pem; `constraints` is YAML in flow style."""
    optional = {
        "pathLength": "" if path_length is None else str(path_length),
        "signatureAlgorithm": algorithm,
        "nameConstraints": constraints,
    }
    lines = [f"  {key}: {value}" for key, value in optional.items() if value]
    # Roots outlive 2049, from where on dates are written in another way (RFC 5280 section 4.1.2.5).
    # A CA ends before its issuer: the nearer to the leaves, the shorter.
    validity = "40y" if issuer == "self" else f"{5 + (path_length or 0)}y"
    return "\n".join(
        [
            "apiVersion: gitca/v1",
            "kind: CertificateAuthority",
            "spec:",
            f"  subject: {{commonName: {name} CA, organization: Example}}",
            f"  issuer: {issuer}",
            f"  key: file:.gitca/keys/{name}.pem",
            f"  validity: {validity}",
            *lines,
            "",
        ]
    )


def revocation_document(request: str, reason: str) -> str:
    """Return the revocation of a request's certificates, whose key was lost a year ago."""
    return f"""\
apiVersion: gitca/v1
kind: RevocationRequest
spec:
  certificate: {request}
  reason: {reason}
  invalidityDate: 2025-11-24T00:00:00Z
"""
