"""The independent verifiers accept what gitca issues, and refuse it once gitca revoked it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from components import COMPONENTS, require
from fixtures.csrs import corpus
from fixtures.csrs.tools import TOOLS
from fixtures.csrs.wanted import KeyKind, server
from judges import gnutls, nginx, openssl
from judges.ca_repository import CaRepository
from judges.chain import Chain, Verdict
from judges.nginx import Credential
from judges.process import Answer, ask
from judges.repository_documents import CORPUS_POLICY, revocation_document

Judge = Callable[[Chain], Verdict]

FRESH: tuple[tuple[str, KeyKind], ...] = (
    ("openssl", "Ed25519"),
    ("certtool", "P-384"),
    ("certutil", "P-256"),
    ("keytool", "RSA 2048"),
)
# RFC 5280 section 5.3.1, and what openssl calls them; removeFromCRL belongs to delta CRLs.
REASONS = {
    "unspecified": "",
    "keyCompromise": "Key Compromise",
    "cACompromise": "CA Compromise",
    "affiliationChanged": "Affiliation Changed",
    "superseded": "Superseded",
    "cessationOfOperation": "Cessation Of Operation",
    "certificateHold": "Certificate Hold",
    "privilegeWithdrawn": "Privilege Withdrawn",
    "aACompromise": "AA Compromise",
}
HOST = "www.example.internal"


@dataclass(frozen=True, slots=True)
class Issued:
    """A repository after its first reconcile, and after some of it was revoked.

    Of the corpus, the first certificates are revoked, each for one of REASONS, and the last is not.
    """

    repository: CaRepository
    before: dict[str, Chain]
    after: dict[str, Chain]
    keys: Path


REVOKED = dict(zip(REASONS, corpus.GOOD, strict=False))
STANDING = tuple(corpus.GOOD)[-1]


def corpus_request(file: str) -> str:
    """Return the name of the request for a CSR of the corpus."""
    return f"corpus/{file.rpartition('.')[0]}"


@pytest.fixture(scope="session")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Issued:
    """The corpus, a server and a client, issued; then a client and some of the corpus revoked."""
    require("openssl")
    repository = CaRepository.create(tmp_path_factory.mktemp("issued") / "ca")
    keys = tmp_path_factory.mktemp("keys")
    repository.write("policies/corpus.yaml", CORPUS_POLICY)
    for file, wanted in corpus.GOOD.items():
        name = corpus_request(file)
        repository.request(name, policy="corpus", csr=corpus.good(file), wanted=wanted)
    _request_with_new_key(repository, "tls/server", "internal-server", keys, HOST)
    _request_with_new_key(repository, "tls/client", "internal-client", keys, "job.example.internal")
    repository.commit("Requests")
    repository.gitca("reconcile")
    before = _chains(repository)
    repository.gitca("revoke", "tls/client", "--reason", "keyCompromise")
    for reason, file in REVOKED.items():
        document = revocation_document(corpus_request(file), reason)
        repository.write(f"requests/revoked/{reason}.yaml", document)
    repository.commit("Revocations")
    repository.gitca("reconcile")
    return Issued(repository, before, _chains(repository), keys)


def _chains(repository: CaRepository) -> dict[str, Chain]:
    names = [*(corpus_request(file) for file in corpus.GOOD), "tls/server"]
    client = repository.chain("tls/client", purpose="client")
    return {**{name: repository.chain(name) for name in names}, "tls/client": client}


def _request_with_new_key(
    repository: CaRepository, name: str, policy: str, keys: Path, dns: str
) -> None:
    key = keys / f"{name.rpartition('/')[2]}.key"
    names = ("--dns", dns, "--common-name", dns)
    repository.gitca("request", "new", name, "--policy", policy, "--new-key", key, *names)


@pytest.mark.parametrize(
    ("file", "judge_name"),
    [
        (file, judge_name)
        for file, wanted in corpus.GOOD.items()
        for judge_name in ("openssl", "gnutls", "nss", "java")
        # NSS 3.87 knows no Ed25519 keys.
        if (wanted.key, judge_name) != ("Ed25519", "nss")
    ],
)
def test_a_certificate_for_a_csr_of_the_corpus_is_accepted(
    judge_of: Callable[[str], Judge], issued: Issued, file: str, judge_name: str
) -> None:
    verdict = judge_of(judge_name)(issued.before[corpus_request(file)])
    assert verdict.accepted, verdict.words


def test_a_client_certificate_is_accepted_as_a_clients_and_refused_as_a_servers(
    judge: Judge, issued: Issued
) -> None:
    client = issued.before["tls/client"]
    verdict = judge(client)
    assert verdict.accepted, verdict.words
    posing = Chain(client.leaf, client.intermediates, client.anchor, client.crls, "server")
    assert not judge(posing).accepted


@pytest.mark.parametrize("file", corpus.GOOD)
def test_openssl_reads_the_key_of_the_csr_and_its_names_in_the_certificate(
    issued: Issued, file: str
) -> None:
    wanted = corpus.GOOD[file]
    text = openssl.certificate_text(issued.before[corpus_request(file)].leaf)
    for kind, value in wanted.sans:
        prefix = {"dns": "DNS", "ip": "IP Address", "uri": "URI", "email": "email"}[kind]
        assert f"{prefix}:{value}" in text
    critical = "X509v3 Subject Alternative Name: critical" in text
    assert critical == (not wanted.subject)
    assert "challengePassword" not in text
    assert "1.3.6.1.4.1.311" not in text


@pytest.mark.parametrize(
    ("tool", "judge_name"),
    [
        (tool, judge_name)
        for tool, key in FRESH
        for judge_name in ("openssl", "gnutls", "nss", "java")
        # NSS 3.87 knows no Ed25519 keys, and wants keyEncipherment of an RSA server, for which
        # `gitca request new` does not ask.
        if judge_name != "nss" or key not in ("Ed25519", "RSA 2048")
    ],
)
def test_a_csr_that_a_tool_makes_now_becomes_a_certificate_that_the_judges_accept(
    judge_of: Callable[[str], Judge], fresh: CaRepository, tool: str, judge_name: str
) -> None:
    require(TOOLS[tool].component)
    verdict = judge_of(judge_name)(fresh.chain(f"fresh/{tool}"))
    assert verdict.accepted, verdict.words


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> CaRepository:
    """A CSR of openssl and of each other tool that is here, through `gitca request new`."""
    require("openssl")
    repository = CaRepository.create(tmp_path_factory.mktemp("fresh") / "ca")
    folder = tmp_path_factory.mktemp("csrs")
    for tool, key in FRESH:
        if COMPONENTS[TOOLS[tool].component].missing():
            continue
        wanted = server(tool, key)
        csr = folder / f"{tool}.csr"
        csr.write_bytes(TOOLS[tool].request(wanted))
        names = ("--dns", wanted.common_name, "--common-name", wanted.common_name)
        document = ("request", "new", f"fresh/{tool}", "--policy", "internal-server")
        repository.gitca(*document, "--csr", csr, *names)
    repository.commit("Requests")
    repository.gitca("reconcile")
    return repository


@pytest.mark.parametrize("name", ["root", "issuing"])
@pytest.mark.parametrize("module", [openssl, gnutls], ids=["openssl", "gnutls"])
def test_a_crl_is_accepted_under_its_ca(module: object, issued: Issued, name: str) -> None:
    verify_crl: Callable[[bytes, bytes], Verdict] = module.verify_crl
    repository = issued.repository
    verdict = verify_crl(repository.crl(name), repository.authority(name))
    assert verdict.accepted, verdict.words


@pytest.mark.parametrize("reason", REVOKED)
def test_a_revoked_certificate_is_refused(judge: Judge, issued: Issued, reason: str) -> None:
    assert not judge(issued.after[corpus_request(REVOKED[reason])]).accepted


def test_a_certificate_that_was_not_revoked_is_still_accepted(judge: Judge, issued: Issued) -> None:
    verdict = judge(issued.after[corpus_request(STANDING)])
    assert verdict.accepted, verdict.words


@pytest.mark.parametrize("reason", REVOKED)
def test_openssl_reads_the_reason_and_the_invalidity_date_of_a_revocation(
    issued: Issued, reason: str
) -> None:
    revoked = issued.after[corpus_request(REVOKED[reason])]
    entry = _crl_entry(openssl.crl_text(revoked.crls[0]), openssl.certificate_text(revoked.leaf))
    assert ("X509v3 CRL Reason Code" in entry) == bool(REASONS[reason])
    assert REASONS[reason] in entry
    assert "Nov 24 00:00:00 2025 GMT" in entry


def _crl_entry(crl_text: str, certificate_text: str) -> str:
    serial = certificate_text.partition("Serial Number:")[2].split()[0].replace(":", "").upper()
    entries = crl_text.split("Serial Number: ")[1:]
    return next(entry for entry in entries if entry.split()[0] == serial)


def test_java_names_the_reason_of_a_revocation(
    judge_of: Callable[[str], Judge], issued: Issued
) -> None:
    verdict = judge_of("java")(issued.after[corpus_request(REVOKED["keyCompromise"])])
    assert "KEY_COMPROMISE" in verdict.words


def test_gitca_finds_no_contradiction_in_what_the_judges_accepted(issued: Issued) -> None:
    issued.repository.gitca("verify")


def test_the_files_below_issued_serve_openssl_as_they_lie_there(issued: Issued) -> None:
    def verify(request: str) -> Answer:
        return ask(
            *("openssl", "verify", "-x509_strict", "-crl_check", "-CAfile", "root/ca.pem"),
            *("-CRLfile", "issuing/crl.der", "-untrusted", "issuing/ca.pem"),
            f"issuing/certificates/{request}.pem",
            cwd=issued.repository.issued(""),
        )

    assert verify("tls/server").status == 0
    assert "certificate revoked" in verify("tls/client").words


def test_nginx_admits_a_client_until_it_is_revoked(issued: Issued) -> None:
    server = _credential(issued, "server")
    client = _credential(issued, "client")
    admitted = _greet(server, client, issued.before["tls/client"])
    refused = _greet(server, client, issued.after["tls/client"])
    assert admitted.accepted, admitted.words
    assert "SUCCESS CN=job.example.internal" in admitted.words
    assert not refused.accepted
    assert "FAILED:certificate revoked" in refused.words


def test_nginx_refuses_a_client_that_shows_a_servers_certificate(issued: Issued) -> None:
    server = _credential(issued, "server")
    verdict = _greet(server, server, issued.before["tls/server"])
    assert not verdict.accepted
    assert "unsuitable certificate purpose" in verdict.words


def _credential(issued: Issued, name: str) -> Credential:
    chain = issued.before[f"tls/{name}"]
    return Credential(chain.leaf, chain.intermediates, (issued.keys / f"{name}.key").read_bytes())


def _greet(server: Credential, client: Credential, world: Chain) -> Verdict:
    with nginx.serve(server, hostname=HOST, anchor=world.anchor, crls=world.crls) as running:
        return running.greet(client)
