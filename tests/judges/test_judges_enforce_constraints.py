"""The constraints that gitca writes into a CA bind verifiers, even when the CA's key is stolen.

gitca issues nothing outside of a CA's constraints, so the violating certificates are made by
`openssl ca` with the CA's own key, decrypted from the file signer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from components import require
from fixtures.csrs import corpus
from gitca.signers import create_key
from judges import openssl
from judges.ca_repository import PASSPHRASE, CaRepository
from judges.chain import Chain, Verdict
from judges.openssl_authority import OpensslAuthority, leaf_extensions, new_key
from judges.repository_documents import authority_document, policy_for

Judge = Callable[[Chain], Verdict]

CONSTRAINTS = (
    "{permitted: {dns: [example.internal], ip: [10.0.0.0/8, 'fd00::/8'],"
    " email: [example.internal], uri: [example.internal]},"
    " excluded: {dns: [vault.example.internal], ip: [10.66.0.0/16]}}"
)
PERMITTED = {
    "a-name-below": "DNS:api.example.internal",
    "the-domain-itself": "DNS:example.internal",
    "an-address": "IP:10.1.2.3",
    "an-ipv6-address": "IP:fd00::1",
    "a-mailbox": "email:ops@example.internal",
    "a-uri": "URI:spiffe://example.internal/api",
}
VIOLATIONS = {
    "another-domain": "DNS:api.example.com",
    "a-domain-that-ends-alike": "DNS:evilexample.internal",
    "an-excluded-name": "DNS:vault.example.internal",
    "a-name-below-an-excluded-one": "DNS:a.vault.example.internal",
    "an-address-outside": "IP:192.168.0.1",
    "an-excluded-address": "IP:10.66.0.1",
    "an-ipv6-address-outside": "IP:2001:db8::1",
    "a-mailbox-elsewhere": "email:ops@example.com",
    "one-bad-name-among-good-ones": "DNS:api.example.internal,DNS:api.example.com",
}
URI_ELSEWHERE = "URI:spiffe://example.com/api"
CSR = "openssl-p256-dns.pem"
TIERS = ("three-issuing", "three-policy", "three-root")


@dataclass(frozen=True, slots=True)
class Stolen:
    """A gitca repository whose issuing CAs' keys are in the hands of `openssl ca`."""

    repository: CaRepository
    issuing: OpensslAuthority
    third_tier: OpensslAuthority
    folder: Path

    def leaf(self, sans: str) -> bytes:
        """Return a certificate with any names whatever, by the constrained CA's key."""
        extensions = leaf_extensions(sans=sans)
        return self.issuing.issue("/O=Example", extensions, key=self.folder / "leaf.key")


@pytest.fixture(scope="session")
def stolen(tmp_path_factory: pytest.TempPathFactory) -> Stolen:
    require("openssl")
    folder = tmp_path_factory.mktemp("constrained")
    repository = CaRepository.create(folder / "ca")
    _write(repository, "constrained-root", "self", None, "")
    _write(repository, "constrained-issuing", "constrained-root", 0, CONSTRAINTS)
    for depth, (name, issuer) in enumerate(zip(TIERS, [*TIERS[1:], "self"], strict=True)):
        _write(repository, name, issuer, depth, "")
    for issuer in ("constrained-issuing", "three-issuing"):
        repository.write(f"policies/{issuer}.yaml", policy_for(issuer))
        wanted = corpus.GOOD[CSR]
        repository.request(f"{issuer}/leaf", policy=issuer, csr=corpus.good(CSR), wanted=wanted)
    repository.commit("Constrained CAs")
    repository.gitca("reconcile")
    new_key(folder / "leaf.key")
    issuing, third = (
        OpensslAuthority.adopt(
            folder / name,
            certificate=repository.authority(name),
            key_pem=repository.private_key(name),
        )
        for name in ("constrained-issuing", "three-issuing")
    )
    return Stolen(repository, issuing, third, folder)


def _write(
    repository: CaRepository, name: str, issuer: str, path_length: int | None, constraints: str
) -> None:
    uri = f"file:.gitca/keys/{name}.pem"
    create_key(uri, "P-256", base=repository.folder, passphrase=lambda _: PASSPHRASE.encode())
    document = authority_document(
        name, issuer=issuer, path_length=path_length, constraints=constraints
    )
    repository.write(f"ca/{name}.yaml", document)


def _constrained(stolen: Stolen, leaf: bytes) -> Chain:
    return stolen.repository.chain_of(leaf, ("constrained-issuing", "constrained-root"))


def test_what_gitca_issues_below_a_constrained_ca_is_accepted(judge: Judge, stolen: Stolen) -> None:
    leaf = stolen.repository.path("constrained-issuing/leaf", "constrained-issuing")[0]
    verdict = judge(_constrained(stolen, leaf))
    assert verdict.accepted, verdict.words


@pytest.mark.parametrize("name", PERMITTED)
def test_a_name_that_the_constraints_permit_is_accepted(
    judge: Judge, stolen: Stolen, name: str
) -> None:
    verdict = judge(_constrained(stolen, stolen.leaf(PERMITTED[name])))
    assert verdict.accepted, verdict.words


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_name_that_violates_the_constraints_is_refused(
    judge: Judge, stolen: Stolen, name: str
) -> None:
    verdict = judge(_constrained(stolen, stolen.leaf(VIOLATIONS[name])))
    assert not verdict.accepted, verdict.words


@pytest.mark.parametrize("judge_name", ["openssl", "nss", "java"])
def test_a_uri_that_violates_the_constraints_is_refused(
    judge_of: Callable[[str], Judge], stolen: Stolen, judge_name: str
) -> None:
    # GnuTLS 3.7 does not look at permitted URI subtrees.
    verdict = judge_of(judge_name)(_constrained(stolen, stolen.leaf(URI_ELSEWHERE)))
    assert not verdict.accepted, verdict.words


def test_a_path_of_three_cas_is_accepted(judge: Judge, stolen: Stolen) -> None:
    verdict = judge(stolen.repository.chain("three-issuing/leaf", TIERS))
    assert verdict.accepted, verdict.words


def test_a_ca_below_a_ca_of_path_length_0_is_refused(judge: Judge, stolen: Stolen) -> None:
    folder = stolen.folder / "fourth"
    if folder.exists():
        fourth = OpensslAuthority(folder)
    else:
        fourth = stolen.third_tier.subordinate(folder, "Fourth CA")
    leaf = fourth.issue(
        "/CN=leaf", leaf_extensions("api.example.internal"), key=stolen.folder / "leaf.key"
    )
    above = stolen.repository.chain("three-issuing/leaf", TIERS)
    chain = replace(
        above,
        leaf=leaf,
        intermediates=(fourth.certificate, *above.intermediates),
        crls=(fourth.crl(), *above.crls),
    )
    verdict = judge(chain)
    assert not verdict.accepted, verdict.words


def test_openssl_reads_the_constraints_as_critical(stolen: Stolen) -> None:
    text = openssl.certificate_text(stolen.issuing.certificate)
    assert "X509v3 Name Constraints: critical" in text
    assert "DNS:vault.example.internal" in text
    assert "X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0" in text
