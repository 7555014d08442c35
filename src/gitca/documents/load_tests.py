"""The tests of policies out of a tree, and the request that each of their cases stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gitca.documents.certificate_request import CertificateRequestSpec
from gitca.documents.document import API_VERSION, Document
from gitca.documents.flaws import flaw
from gitca.documents.load import Governing, Read, TreeEntry, parse_entry
from gitca.documents.parse import parse_document
from gitca.documents.policy_tests import PolicyTestsSpec
from gitca.documents.source import Source
from gitca.documents.tree import ENDING
from gitca.documents.words import listed, nearest
from gitca.findings import Finding

TESTS_ENDING = f".tests{ENDING}"
_FOLDER = "policies/"

Tests = Document[PolicyTestsSpec]


@dataclass(frozen=True)
class LoadedTests:
    """The tests of policies by name; only documents without findings are among them."""

    documents: Mapping[str, Tests]
    findings: tuple[Finding, ...]


def load_policy_tests(
    entries: Iterable[TreeEntry], read: Read, governing: Governing
) -> LoadedTests:
    """Return the documents `policies/**.tests.yaml`, and everything that speaks against them.

    Links and bad names among them, and what is no such document, are findings of `load_governing`.
    """
    documents: dict[str, Tests] = {}
    findings: list[Finding] = []
    for entry in sorted(entries, key=lambda entry: entry.path):
        if not is_tests_path(entry.path) or entry.path in governing.broken:
            continue
        name = entry.path[len(_FOLDER) : -len(ENDING)]
        document, found = parse_entry(name, entry, read, ("PolicyTests",))
        if document is not None:
            found += _policy_findings(document, governing)
            documents |= {} if found else {name: document}
        findings += found
    return LoadedTests(documents, tuple(findings))


def is_tests_path(path: str) -> bool:
    """Whether a document of this path holds tests of a policy."""
    return path.startswith(_FOLDER) and path.endswith(TESTS_ENDING)


def _policy_findings(document: Tests, governing: Governing) -> tuple[Finding, ...]:
    """Return `tests.policy.unknown` or `tests.policy.broken`."""
    name = document.spec.policy
    if name in governing.policies:
        return ()
    at = document.at("spec", "policy")
    if f"{_FOLDER}{name}{ENDING}" in governing.broken:
        message = f"policy {name} cannot be tested: its document or its CA's has findings"
        remedy = f"mend {_FOLDER}{name}{ENDING} first"
        return (flaw("tests.policy.broken", message, at, remedy),)
    known = sorted(governing.policies)
    meant = nearest(name, known)
    message = f"policy {name} does not exist; there is {listed(known)}"
    remedy = f"write {meant}" if meant else "name the policy that the cases are about"
    return (flaw("tests.policy.unknown", message, at, remedy),)


def case_request(
    tests: Tests, index: int, csr_pem: str
) -> tuple[Document[CertificateRequestSpec] | None, tuple[Finding, ...]]:
    """Return the request of a case on a CSR, as if it stood in `requests/`, and what is wrong.

    Every place in it is its place in the tests.
    """
    source = _request_source(tests, index, csr_pem)
    name = tests.spec.cases[index].request.name
    return parse_document(source, name=name, kinds=("CertificateRequest",))


def _request_source(tests: Tests, index: int, csr_pem: str) -> Source:
    prefix = ("spec", "cases", index, "request")
    value: Any = tests.source.value
    written: dict[str, Any] = value["spec"]["cases"][index].get("request", {})
    spec = {"policy": tests.spec.policy, **written.get("spec", {}), "csr": csr_pem}
    spec.pop("key", None)
    whole = {"apiVersion": API_VERSION, "kind": "CertificateRequest", "spec": spec}
    if "metadata" in written:
        whole["metadata"] = written["metadata"]
    found = tests.source.places
    places = {p[len(prefix) :]: at for p, at in found.items() if p[: len(prefix)] == prefix}
    if () not in places:
        places[()] = found["spec", "cases", index]
    # The CSR's matters are reported at the key that it was made for.
    for pointer in (("spec", "key"), ("spec",), ()):
        if pointer in places:
            places.setdefault(("spec", "csr"), places[pointer])
    return replace(tests.source, value=whole, places=places)
