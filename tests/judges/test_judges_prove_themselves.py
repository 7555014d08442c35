"""A judge that cannot refuse proves nothing: each is held against openssl's chains first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from components import require
from judges import gnutls, nginx, openssl
from judges.chain import Chain, Verdict
from judges.nginx import Credential
from judges.proving_chains import INSIDE, REFUSED, Hierarchy, accepted_chains, flip_last_bit

Judge = Callable[[Chain], Verdict]

# What each judge says when it refuses, so that it refuses for the one defect and nothing else.
REASONS: dict[str, dict[str, str]] = {
    "revoked-leaf": {
        "openssl": "certificate revoked",
        "gnutls": "chain is revoked",
        "nss": "-8180",
        "java": "REVOKED",
    },
    "revoked-issuer": {
        "openssl": "certificate revoked",
        "gnutls": "chain is revoked",
        "nss": "-8180",
        "java": "REVOKED",
    },
    "expired-leaf": {
        "openssl": "has expired",
        "gnutls": "expired certificate",
        "nss": "-8181",
        "java": "EXPIRED",
    },
    "leaf-not-yet-valid": {
        "openssl": "not yet valid",
        "gnutls": "not yet valid",
        "nss": "-8181",
        "java": "NOT_YET_VALID",
    },
    "wrong-issuer": {
        "openssl": "unable to get local issuer",
        "gnutls": "issuer is unknown",
        "nss": "ERROR",
        "java": "INVALID_SIGNATURE",
    },
    "unknown-root": {
        "openssl": "unable to get local issuer",
        "gnutls": "issuer is unknown",
        "nss": "-8179",
        "java": "NO_TRUST_ANCHOR",
    },
    "forged-leaf": {
        "openssl": "certificate signature failure",
        "gnutls": "signature in the certificate is invalid",
        "nss": "-8182",
        "java": "INVALID_SIGNATURE",
    },
    "name-not-permitted": {
        "openssl": "permitted subtree violation",
        "gnutls": "violates the signer's constraints",
        # NSS has no better word for it than "invalid arguments".
        "nss": "-8187",
        "java": "INVALID_NAME",
    },
    "path-too-long": {
        "openssl": "path length constraint exceeded",
        "gnutls": "violates the signer's constraints",
        "nss": "-8155",
        "java": "PATH_TOO_LONG",
    },
    "issued-by-a-leaf": {
        "openssl": "invalid CA certificate",
        "gnutls": "violates the signer's constraints",
        "nss": "-8156",
        "java": "INVALID_KEY_USAGE",
    },
    "wrong-usage": {
        "openssl": "unsuitable certificate purpose",
        "gnutls": "intended purpose",
        "nss": "-8101",
        "java": "target certificate constraints",
    },
    "unknown-critical-extension": {
        "openssl": "unhandled critical extension",
        "gnutls": "unknown critical extension",
        "nss": "-8151",
        "java": "UNRECOGNIZED_CRIT_EXT",
    },
    "no-crl-of-the-leafs-issuer": {
        "openssl": "unable to get certificate CRL",
        "gnutls": "only 1 certificates met a CRL",
        "nss": "no CRL of",
        "java": "UNDETERMINED_REVOCATION_STATUS",
    },
    "no-crl-of-the-root": {
        "openssl": "unable to get certificate CRL",
        "gnutls": "only 1 certificates met a CRL",
        "nss": "no CRL of",
        "java": "UNDETERMINED_REVOCATION_STATUS",
    },
    # NSS does not look at nextUpdate and is not asked.
    "stale-crl": {
        "openssl": "CRL has expired",
        "gnutls": "data are old",
        "java": "UNDETERMINED_REVOCATION_STATUS",
    },
    "forged-crl": {
        "openssl": "CRL signature failure",
        "gnutls": "signature in the certificate is invalid",
        "nss": "SEC_ERROR_CRL_BAD_SIGNATURE",
        "java": "UNDETERMINED_REVOCATION_STATUS",
    },
    "issuer-that-may-not-sign-crls": {
        "openssl": "key usage does not include CRL signing",
        "gnutls": "violates the signer's constraints",
        "nss": "SEC_ERROR_CERT_USAGES_INVALID",
        "java": "UNDETERMINED_REVOCATION_STATUS",
    },
}


@pytest.fixture(scope="session")
def hierarchy(tmp_path_factory: pytest.TempPathFactory) -> Hierarchy:
    require("openssl")
    return Hierarchy.create(tmp_path_factory.mktemp("proving"))


@pytest.fixture(scope="session")
def accepted(hierarchy: Hierarchy) -> dict[str, Chain]:
    return accepted_chains(hierarchy)


@pytest.fixture(scope="session")
def refused(hierarchy: Hierarchy) -> dict[str, Chain]:
    return {name: make(hierarchy) for name, make in REFUSED.items()}


@pytest.mark.parametrize("name", ["server", "client", "directly-below-the-root"])
def test_a_chain_without_a_defect_is_accepted(
    judge: Judge, accepted: dict[str, Chain], name: str
) -> None:
    verdict = judge(accepted[name])
    assert verdict.accepted, verdict.words


@pytest.mark.parametrize(
    ("defect", "judge_name", "words"),
    [
        (defect, judge_name, words)
        for defect, reasons in REASONS.items()
        for judge_name, words in reasons.items()
    ],
)
def test_a_chain_with_one_defect_is_refused_for_that_defect(
    judge_of: Callable[[str], Judge],
    refused: dict[str, Chain],
    defect: str,
    judge_name: str,
    words: str,
) -> None:
    verdict = judge_of(judge_name)(refused[defect])
    assert not verdict.accepted, verdict.words
    assert words in verdict.words


@pytest.mark.parametrize("module", [openssl, gnutls], ids=["openssl", "gnutls"])
def test_a_crl_is_accepted_under_its_issuer_and_refused_under_another_or_forged(
    module: object, hierarchy: Hierarchy
) -> None:
    verify_crl: Callable[[bytes, bytes], Verdict] = module.verify_crl
    issuing, root = hierarchy.issuing, hierarchy.root
    crl = issuing.crl()
    assert verify_crl(crl, issuing.certificate).accepted
    assert not verify_crl(crl, root.certificate).accepted
    assert not verify_crl(flip_last_bit(crl), issuing.certificate).accepted


def test_openssl_reads_what_it_made_itself(hierarchy: Hierarchy) -> None:
    leaf = hierarchy.leaf()
    hierarchy.issuing.revoke(leaf, "superseded")
    assert f"DNS:{INSIDE}" in openssl.certificate_text(leaf)
    assert "Superseded" in openssl.crl_text(hierarchy.issuing.crl())
    with pytest.raises(RuntimeError, match="openssl x509"):
        openssl.certificate_text(leaf[:-1])


@pytest.fixture(scope="module")
def tls(hierarchy: Hierarchy) -> Callable[[bytes], Credential]:
    """From a leaf of the issuing CA to a credential with the key that all leaves here share."""
    key_pem = hierarchy.key.read_bytes()
    return lambda leaf: Credential(leaf, (hierarchy.issuing.certificate,), key_pem)


def test_nginx_admits_a_client_and_refuses_it_once_it_is_revoked(
    hierarchy: Hierarchy, tls: Callable[[bytes], Credential]
) -> None:
    server, client = hierarchy.leaf(), hierarchy.leaf(usage="clientAuth")
    before = _greet(hierarchy, tls(server), tls(client))
    hierarchy.issuing.revoke(client)
    after = _greet(hierarchy, tls(server), tls(client))
    assert before.accepted, before.words
    assert "SUCCESS" in before.words
    assert not after.accepted
    assert "FAILED:certificate revoked" in after.words


@pytest.mark.parametrize(
    ("defect", "words"),
    [
        ("expired-leaf", "FAILED:certificate has expired"),
        ("wrong-issuer", "FAILED:unable to verify"),
        ("forged-leaf", "FAILED:certificate signature failure"),
        ("name-not-permitted", "FAILED:permitted subtree violation"),
    ],
)
def test_nginx_refuses_a_client_with_one_defect(
    hierarchy: Hierarchy,
    tls: Callable[[bytes], Credential],
    refused: dict[str, Chain],
    defect: str,
    words: str,
) -> None:
    verdict = _greet(hierarchy, tls(hierarchy.leaf()), tls(refused[defect].leaf))
    assert not verdict.accepted
    assert words in verdict.words


def test_nginx_refuses_a_client_without_a_certificate(
    hierarchy: Hierarchy, tls: Callable[[bytes], Credential]
) -> None:
    verdict = _greet(hierarchy, tls(hierarchy.leaf()), None)
    assert not verdict.accepted
    assert "NONE" in verdict.words


def test_the_client_refuses_an_nginx_whose_certificate_is_revoked(
    hierarchy: Hierarchy, tls: Callable[[bytes], Credential]
) -> None:
    server = hierarchy.leaf()
    hierarchy.issuing.revoke(server)
    verdict = _greet(hierarchy, tls(server), tls(hierarchy.leaf(usage="clientAuth")))
    assert not verdict.accepted
    assert "certificate revoked" in verdict.words


def test_nginx_that_cannot_start_says_why(
    hierarchy: Hierarchy, tls: Callable[[bytes], Credential], tmp_path: Path
) -> None:
    stranger = Hierarchy.create(tmp_path / "stranger")
    mismatched = Credential(hierarchy.leaf(), (), stranger.key.read_bytes())
    with pytest.raises(RuntimeError, match="key values mismatch"):
        _greet(hierarchy, mismatched, None)


def _greet(hierarchy: Hierarchy, server: Credential, client: Credential | None) -> Verdict:
    crls = (hierarchy.issuing.crl(), hierarchy.root.crl())
    anchor = hierarchy.root.certificate
    with nginx.serve(server, hostname=INSIDE, anchor=anchor, crls=crls) as running:
        return running.greet(client)
