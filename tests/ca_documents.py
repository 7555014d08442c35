"""Documents of a small CA repository, as text; what a test changes is an argument."""

from __future__ import annotations

import copy
import functools
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gitca.x509.template import spki_identifier

Spec = dict[str, Any]

CRL = {"lifetime": "7d", "refreshBefore": "3d"}
POLICY: Spec = {
    "issuer": "issuing",
    "selector": {"paths": ["**"]},
    "subject": {"commonName": {"allow": ["**.example.internal"], "mustBeInSans": True}},
    "sans": {"dns": {"allow": ["**.example.internal"], "deny": ["vault.example.internal"]}},
    "key": {"algorithms": [{"type": "ecdsa", "curves": ["P-256"]}]},
    "validity": {"default": "30d", "max": "90d", "backdate": "5m"},
    "keyUsage": {"default": ["digitalSignature"]},
    "extendedKeyUsage": {"default": ["serverAuth"], "allow": ["serverAuth", "clientAuth"]},
    "renewal": {"automatic": True, "before": "10d"},
}


def document(kind: str, spec: Spec, **metadata: object) -> str:
    """Return a document's text."""
    head: Spec = {"apiVersion": "gitca/v1", "kind": kind}
    head |= {"metadata": metadata} if metadata else {}
    return yaml.safe_dump(head | {"spec": spec}, sort_keys=False, width=1000)


def authority(name: str, issuer: str = "self", **spec: object) -> str:
    """Return a CA's document; its key is the one that the key ring has under its name."""
    standing: Spec = {
        "subject": {"commonName": f"Example {name} CA", "organization": "Example"},
        "issuer": issuer,
        "key": f"file:.gitca/keys/{name}.pem",
        "validity": "10y" if issuer == "self" else "5y",
        "pathLength": 1 if issuer == "self" else 0,
        "crl": CRL | {"urls": [f"http://pki.example.internal/{name}.crl"]},
    }
    return document("CertificateAuthority", _merged(standing, spec))


def policy(**spec: object) -> str:
    """Return the policy that most requests are under, with changes."""
    return document("IssuancePolicy", _merged(POLICY, spec))


def request(key: str, *names: str, **spec: object) -> str:
    """Return a request for DNS names, on the CSR of the key with this label."""
    standing: Spec = {
        "policy": "server",
        "subject": {"commonName": names[0]},
        "sans": {"dns": list(names)},
        "csr": csr_pem(key),
    }
    return document("CertificateRequest", _merged(standing, spec))


def revocation(reason: str = "keyCompromise", **spec: object) -> str:
    """Return a RevocationRequest."""
    return document("RevocationRequest", {"reason": reason, **spec})


def _merged(standing: Spec, changes: Spec) -> Spec:
    """Return the spec with the changes; None takes a key away."""
    merged = copy.deepcopy(standing) | changes
    return {key: value for key, value in merged.items() if value is not None}


@functools.cache
def private_key(label: str) -> ec.EllipticCurvePrivateKey:
    """Return a subject's key, the same for a label all through a session."""
    return ec.generate_private_key(ec.SECP256R1())


@functools.cache
def csr_pem(label: str) -> str:
    """Return a CSR on the key with this label that states no names."""
    builder = x509.CertificateSigningRequestBuilder(x509.Name([]))
    signed = builder.sign(private_key(label), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def key_identifier(label: str) -> str:
    """Return how documents name the key with this label."""
    encoding = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return spki_identifier(private_key(label).public_key().public_bytes(*encoding))


GOVERNING = {
    "ca/root.yaml": authority("root"),
    "ca/issuing.yaml": authority("issuing", "root"),
    "policies/server.yaml": policy(),
}
"""A root, an issuing CA below it, and one policy."""
