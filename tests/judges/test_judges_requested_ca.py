"""A constrained intermediate by request, as handed to a Kubernetes issuer: gitca signs it once.

What it goes on to issue gitca never sees: those certificates are made by `openssl ca` with the
intermediate's own key, inside and outside of what its request states.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from components import require
from gitca.signers import create_key
from judges import openssl
from judges.ca_repository import PASSPHRASE, CaRepository
from judges.chain import Chain, Verdict
from judges.openssl_authority import OpensslAuthority, leaf_extensions, new_key
from judges.process import must
from judges.repository_documents import authority_document

Judge = Callable[[Chain], Verdict]

POLICY = """\
apiVersion: gitca/v1
kind: IssuancePolicy
spec:
  issuer: anchor
  subject: {commonName: {allow: ["Kubernetes * CA"]}, organization: {fixed: Example}}
  key: {algorithms: [{type: ecdsa, curves: [P-256]}]}
  validity: {default: 1y, max: 1y, backdate: 5m}
  ca:
    pathLength: {max: 0}
    nameConstraints:
      permitted: {dns: [example.internal], uri: [example.internal]}
      excluded: {ip: [0.0.0.0/0, "::/0"]}
  extensions:
    certificatePolicies:
      - {oid: 1.3.6.1.4.1.99999.1, cps: ["http://pki.example.internal/cps"], notice: "inside"}
    other: [{oid: 1.3.6.1.4.1.99999.7, value: {utf8: kubernetes}}]
"""
REQUEST = """\
apiVersion: gitca/v1
kind: CertificateRequest
spec:
  policy: kubernetes
  subject: {commonName: Kubernetes Payments CA}
  ca:
    pathLength: 0
    nameConstraints:
      permitted: {dns: [k8s.example.internal], uri: [example.internal]}
      excluded: {ip: [0.0.0.0/0, "::/0"]}
  csrFile: k8s.csr
"""
INSIDE = {
    "a-service": "DNS:api.k8s.example.internal",
    "a-spiffe-id": "URI:spiffe://example.internal/payments/api",
}
OUTSIDE = {
    "another-domain-of-ours": "DNS:api.example.internal",
    "a-domain-of-somebody-else": "DNS:api.example.com",
    "an-address": "IP:10.1.2.3",
    "an-ipv6-address": "IP:fd00::1",
    "one-bad-name-among-good-ones": "DNS:api.k8s.example.internal,DNS:api.example.internal",
}
REQUESTED = "payments/k8s"


@dataclass(frozen=True, slots=True)
class Handed:
    """A repository, and the intermediate in the hands of those who asked for it."""

    repository: CaRepository
    intermediate: OpensslAuthority
    folder: Path

    def leaf(self, sans: str) -> Chain:
        """Return the chain of a certificate with any names whatever, by the intermediate's key."""
        extensions = leaf_extensions(sans=sans)
        key = self.folder / "leaf.key"
        return self.chain(self.intermediate.issue("/O=Example", extensions, key=key))

    def chain(self, leaf: bytes, *below: OpensslAuthority) -> Chain:
        """Return the path of a certificate below the intermediate, and below others under it."""
        authorities = (*below, self.intermediate)
        crls = (*(one.crl() for one in authorities), self.repository.crl("anchor"))
        intermediates = tuple(one.certificate for one in authorities)
        return Chain(leaf, intermediates, self.repository.authority("anchor"), crls)


@pytest.fixture(scope="session")
def handed(tmp_path_factory: pytest.TempPathFactory) -> Handed:
    require("openssl")
    folder = tmp_path_factory.mktemp("requested")
    repository = CaRepository.create(folder / "ca")
    uri = "file:.gitca/keys/anchor.pem"
    create_key(uri, "P-256", base=repository.folder, passphrase=lambda _: PASSPHRASE.encode())
    document = authority_document("anchor", issuer="self", path_length=1)
    key = new_key(folder / "k8s.key")
    csr = must("openssl", "req", "-new", "-key", key, "-subj", "/")
    repository.write("ca/anchor.yaml", document)
    repository.write("policies/kubernetes.yaml", POLICY)
    repository.write("requests/payments/k8s.csr", csr)
    repository.write(f"requests/{REQUESTED}.yaml", REQUEST)
    repository.commit("A constrained intermediate")
    repository.gitca("reconcile")
    certificate = repository.path(REQUESTED, "anchor")[0]
    adopted = OpensslAuthority.adopt(
        folder / "k8s", certificate=certificate, key_pem=key.read_bytes()
    )
    new_key(folder / "leaf.key")
    return Handed(repository, adopted, folder)


@pytest.mark.parametrize("name", INSIDE)
def test_what_the_intermediate_may_issue_is_accepted(
    judge: Judge, handed: Handed, name: str
) -> None:
    verdict = judge(handed.leaf(INSIDE[name]))
    assert verdict.accepted, verdict.words


@pytest.mark.parametrize("name", OUTSIDE)
def test_what_the_intermediate_may_not_issue_is_refused(
    judge: Judge, handed: Handed, name: str
) -> None:
    verdict = judge(handed.leaf(OUTSIDE[name]))
    assert not verdict.accepted, verdict.words


def test_a_ca_below_the_intermediate_is_refused(judge: Judge, handed: Handed) -> None:
    folder = handed.folder / "below"
    below = (
        OpensslAuthority(folder)
        if folder.exists()
        else handed.intermediate.subordinate(folder, "Below CA")
    )
    key = handed.folder / "leaf.key"
    leaf = below.issue("/O=Example", leaf_extensions("api.k8s.example.internal"), key=key)
    verdict = judge(handed.chain(leaf, below))
    assert not verdict.accepted, verdict.words
    accepted = judge(replace(handed.leaf("DNS:api.k8s.example.internal")))
    assert accepted.accepted, accepted.words


def test_openssl_reads_what_the_request_states(handed: Handed) -> None:
    text = openssl.certificate_text(handed.intermediate.certificate)
    assert "X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0" in text
    assert "X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign" in text
    assert "X509v3 Name Constraints: critical" in text
    assert "DNS:k8s.example.internal" in text
    assert "CPS: http://pki.example.internal/cps" in text
    assert "Explicit Text: inside" in text
    assert "1.3.6.1.4.1.99999.7" in text


def test_list_and_show_say_that_it_is_a_ca(handed: Handed) -> None:
    assert f"{REQUESTED} (CA)" in handed.repository.gitca("list")
    assert '"isCa": true' in handed.repository.gitca("list", "--ca", "anchor", "--format", "json")
    shown = handed.repository.gitca("show", REQUESTED)
    assert "path length 0" in shown
    assert "permitted dns:k8s.example.internal" in shown
    assert "utf8 “kubernetes”" in shown


def test_the_repository_still_proves_itself(handed: Handed) -> None:
    handed.repository.gitca("verify")
    assert "Nothing to do" in handed.repository.gitca("plan")
