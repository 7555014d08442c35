"""Every bad CSR of the corpus is told of in one run, and holds up nothing but itself."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping

import pytest

from fixtures.csrs import corpus
from fixtures.csrs.defects import DEFECTS
from fixtures.csrs.rules import DENIED, HARMLESS, REFUSED
from fixtures.csrs.wanted import Wanted, server
from judges.ca_repository import CaRepository
from judges.repository_documents import CORPUS_POLICY

GOOD = "openssl-p256-dns.pem"
WANTED: Wanted = server("api", "P-256")


def request_of(file: str) -> str:
    """Return the name of the request for a bad CSR: the two truncated ones differ in their form."""
    return f"bad/{file.replace('.', '-')}"


@pytest.fixture(scope="session")
def flawed(tmp_path_factory: pytest.TempPathFactory) -> CaRepository:
    repository = CaRepository.create(tmp_path_factory.mktemp("flawed") / "ca")
    repository.write("policies/corpus.yaml", CORPUS_POLICY)
    for file in DEFECTS:
        csr = corpus.bad(file)
        repository.request(request_of(file), policy="corpus", csr=csr, wanted=WANTED)
    good = corpus.GOOD[GOOD]
    repository.request("good/one", policy="corpus", csr=corpus.good(GOOD), wanted=good)
    repository.commit("Requests")
    return repository


@pytest.fixture(scope="session")
def rules(flawed: CaRepository) -> Mapping[str, set[str]]:
    """From a document to the rules of the errors that one `validate` found in it."""
    found: dict[str, set[str]] = defaultdict(set)
    for finding in json.loads(flawed.gitca("validate", "--format", "json", status=1))["findings"]:
        if finding["severity"] == "error":
            assert finding["line"] >= 1
            assert finding["column"] >= 1
            assert finding["message"]
            found[finding["file"]].add(finding["rule"])
    return found


@pytest.mark.parametrize("file", REFUSED | DENIED)
def test_validate_names_the_rule_of_the_defect(rules: Mapping[str, set[str]], file: str) -> None:
    assert (REFUSED | DENIED)[file] in rules[f"requests/{request_of(file)}.yaml"]


def test_validate_finds_one_rule_broken_in_a_csr_that_is_refused(
    rules: Mapping[str, set[str]],
) -> None:
    assert all(len(rules[f"requests/{request_of(file)}.yaml"]) == 1 for file in REFUSED)


def test_every_defect_has_its_rule() -> None:
    assert {*REFUSED, *DENIED, *HARMLESS} == set(DEFECTS)


def test_validate_finds_nothing_in_a_good_csr(rules: Mapping[str, set[str]]) -> None:
    assert not [file for file in rules if file.startswith("requests/good")]


def test_reconcile_issues_the_good_one_and_none_of_the_bad(flawed: CaRepository) -> None:
    flawed.gitca("reconcile", status=1)
    certificates = flawed.issued("issuing/certificates")
    issued = {path.relative_to(certificates).as_posix() for path in certificates.rglob("*.pem")}
    assert issued == {"good/one.pem", *(f"{request_of(file)}.pem" for file in HARMLESS)}
