"""Hierarchies of every algorithm that gitca signs with, before the judges that know it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from components import require
from fixtures.csrs import corpus
from gitca.signers import create_key
from judges import fips204, gnutls, openssl
from judges.ca_repository import PASSPHRASE, CaRepository
from judges.chain import Chain, Verdict
from judges.proving_chains import flip_last_bit
from judges.repository_documents import (
    authority_document,
    policy_for,
    revocation_document,
)

Judge = Callable[[Chain], Verdict]

CSR = "openssl-p256-dns.pem"


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Key specs of a root and an issuing CA, what both sign with, and what openssl calls it."""

    root: str
    issuing: str
    algorithm: str
    words: str


HIERARCHIES = {
    "rsa-pkcs1": Hierarchy("RSA-3072", "RSA-2048", "rsa-pkcs1-sha256", "sha256WithRSAEncryption"),
    "rsa-pss": Hierarchy("RSA-3072", "RSA-2048", "rsa-pss-sha384", "rsassaPss"),
    "p384": Hierarchy("P-384", "P-384", "ecdsa-sha384", "ecdsa-with-SHA384"),
    "p521": Hierarchy("P-521", "P-521", "ecdsa-sha512", "ecdsa-with-SHA512"),
    "ed25519": Hierarchy("Ed25519", "Ed25519", "ed25519", "ED25519"),
}
ML_DSA = {
    "ml-dsa-44": Hierarchy("ML-DSA-44", "ML-DSA-44", "ml-dsa-44", "2.16.840.1.101.3.4.3.17"),
    "ml-dsa-65": Hierarchy("ML-DSA-65", "ML-DSA-65", "ml-dsa-65", "2.16.840.1.101.3.4.3.18"),
    "ml-dsa-87": Hierarchy("ML-DSA-87", "ML-DSA-87", "ml-dsa-87", "2.16.840.1.101.3.4.3.19"),
}
# NSS 3.87 verifies no Ed25519.
UNKNOWN = {("ed25519", "nss")}


@pytest.fixture(scope="session")
def hierarchies(tmp_path_factory: pytest.TempPathFactory) -> CaRepository:
    """Each hierarchy in one repository, with a leaf, and a leaf that is revoked."""
    require("openssl")
    repository = CaRepository.create(tmp_path_factory.mktemp("hierarchies") / "ca")
    for name, hierarchy in (HIERARCHIES | ML_DSA).items():
        _write_hierarchy(repository, name, hierarchy)
    repository.commit("Hierarchies")
    repository.gitca("reconcile")
    for name in HIERARCHIES | ML_DSA:
        document = revocation_document(f"{name}/revoked", "cessationOfOperation")
        repository.write(f"requests/{name}/revocation.yaml", document)
    repository.commit("Revocations")
    repository.gitca("reconcile")
    return repository


def _write_hierarchy(repository: CaRepository, name: str, hierarchy: Hierarchy) -> None:
    root, issuing, algorithm = f"{name}-root", f"{name}-issuing", hierarchy.algorithm
    _make_key(repository.folder, root, hierarchy.root)
    _make_key(repository.folder, issuing, hierarchy.issuing)
    documents = {
        root: authority_document(root, issuer="self", path_length=1, algorithm=algorithm),
        issuing: authority_document(issuing, issuer=root, path_length=0, algorithm=algorithm),
    }
    for ca, document in documents.items():
        repository.write(f"ca/{ca}.yaml", document)
    repository.write(f"policies/{name}.yaml", policy_for(issuing))
    for leaf in ("standing", "revoked"):
        wanted = corpus.GOOD[CSR]
        repository.request(f"{name}/{leaf}", policy=name, csr=corpus.good(CSR), wanted=wanted)


def _make_key(folder: Path, name: str, spec: str) -> None:
    uri = f"file:.gitca/keys/{name}.pem"
    create_key(uri, spec, base=folder, passphrase=lambda _: PASSPHRASE.encode())


def _authorities(name: str) -> tuple[str, str]:
    return f"{name}-issuing", f"{name}-root"


@pytest.mark.parametrize(
    ("name", "judge_name"),
    [
        (name, judge_name)
        for name in HIERARCHIES
        for judge_name in ("openssl", "gnutls", "nss", "java")
        if (name, judge_name) not in UNKNOWN
    ],
)
def test_a_hierarchy_is_accepted_and_its_revoked_leaf_refused(
    judge_of: Callable[[str], Judge], hierarchies: CaRepository, name: str, judge_name: str
) -> None:
    judge = judge_of(judge_name)
    verdict = judge(hierarchies.chain(f"{name}/standing", _authorities(name)))
    assert verdict.accepted, verdict.words
    assert not judge(hierarchies.chain(f"{name}/revoked", _authorities(name))).accepted


@pytest.mark.parametrize("name", HIERARCHIES | ML_DSA)
def test_certificates_and_crls_are_signed_with_the_algorithm_that_the_ca_says(
    hierarchies: CaRepository, name: str
) -> None:
    issuing, root = _authorities(name)
    signed = f"Signature Algorithm: {(HIERARCHIES | ML_DSA)[name].words}"
    leaf = hierarchies.path(f"{name}/standing", issuing)[0]
    for certificate in (leaf, hierarchies.authority(issuing), hierarchies.authority(root)):
        assert signed in openssl.certificate_text(certificate)
    for ca in (issuing, root):
        assert signed in openssl.crl_text(hierarchies.crl(ca))


@pytest.mark.parametrize("name", HIERARCHIES)
@pytest.mark.parametrize("module", [openssl, gnutls], ids=["openssl", "gnutls"])
def test_a_crl_is_accepted_under_its_ca_whatever_the_algorithm(
    module: object, hierarchies: CaRepository, name: str
) -> None:
    verify_crl: Callable[[bytes, bytes], Verdict] = module.verify_crl
    for ca in _authorities(name):
        verdict = verify_crl(hierarchies.crl(ca), hierarchies.authority(ca))
        assert verdict.accepted, verdict.words


@pytest.mark.parametrize("name", ML_DSA)
def test_an_ml_dsa_hierarchy_is_signed_as_fips_204_says(
    hierarchies: CaRepository, name: str
) -> None:
    issuing, root = (hierarchies.authority(ca) for ca in _authorities(name))
    leaf = hierarchies.path(f"{name}/standing", f"{name}-issuing")[0]
    assert fips204.verify_certificate(leaf, issuing).accepted
    assert fips204.verify_certificate(issuing, root).accepted
    assert fips204.verify_certificate(root, root).accepted
    assert fips204.verify_crl(hierarchies.crl(f"{name}-issuing"), issuing).accepted
    assert not fips204.verify_certificate(flip_last_bit(leaf), issuing).accepted
    assert not fips204.verify_certificate(leaf, root).accepted


def test_gitca_finds_no_contradiction_in_what_the_judges_accepted(
    hierarchies: CaRepository,
) -> None:
    hierarchies.gitca("verify")


def test_openssl_reads_a_root_that_outlives_2049(hierarchies: CaRepository) -> None:
    text = openssl.certificate_text(hierarchies.authority("p384-root"))
    assert re.search(r"Not After : \w+ +\d+ [0-9:]+ 20[5-9]\d GMT", text)
