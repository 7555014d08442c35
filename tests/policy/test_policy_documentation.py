"""docs/policy.md: every field and rule is on the page, and every example on it is run."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from policy_material import NOW

from gitca.cli.policies.trial_run import TrialRun, run_trials
from gitca.cli.throwaway import throwaway_csr
from gitca.documents.load import Governing, Requests, TreeEntry, load_governing, load_requests
from gitca.documents.schema import schema_of
from gitca.documents.waiver import why_never
from gitca.findings import Finding
from gitca.policy.authority import propose_authority
from gitca.policy.examination import examine_policy
from gitca.policy.rule_names import rule_names
from gitca.policy.variables import VARIABLES
from gitca.x509.keys import KeyDescription

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs/policy.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```yaml ?(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_PATH = re.compile(r"^# ((?:policies|requests)/\S+\.yaml)$", re.MULTILINE)
_NAME = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Block:
    kind: str
    text: str
    line: int


BLOCKS = [
    Block(found["kind"], found["text"], PAGE.count("\n", 0, found.start()) + 1)
    for found in _BLOCK.finditer(PAGE)
]


def indented(text: str, width: int) -> str:
    return "".join(f"{' ' * width}{line}" for line in text.splitlines(keepends=True))


def completed(part: str) -> str:
    """Return a policy: the first on the page, with the keys of a part in place of its own."""
    head, _, spec = BLOCKS[0].text.partition("spec:\n")
    keys = set(re.findall(r"^(\w+):", part, re.MULTILINE))
    sections = re.split(r"^(?=  \w)", spec, flags=re.MULTILINE)
    kept = [text for text in sections if text.strip() and text.split(":")[0].strip() not in keys]
    return f"{head}spec:\n{''.join(kept)}{indented(part, 2)}"


def files() -> dict[str, str]:
    """Return the documents of the page, and what its parts and cases stand for, by path."""
    written: dict[str, str] = {}
    policy = ""
    for block in BLOCKS:
        if block.kind == "cases":
            head = "apiVersion: gitca/v1\nkind: PolicyTests\nspec:\n"
            cases = f"  policy: {policy}\n  cases:\n{indented(block.text, 4)}"
            written[f"policies/{policy}.line-{block.line}.tests.yaml"] = head + cases
            continue
        path = f"policies/line-{block.line}.yaml"
        text = completed(block.text) if block.kind == "policy" else block.text
        if block.kind == "document":
            (path,) = _PATH.findall(block.text)
        written[path] = text
        policy = path.removeprefix("policies/").removesuffix(".yaml")
    return written


@dataclass(frozen=True)
class Run:
    governing: Governing
    requests: Requests
    trials: TrialRun
    findings: tuple[Finding, ...]


@functools.cache
def run() -> Run:
    content = {path: text.encode() for path, text in files().items()}
    content |= {f"ca/{p.name}": p.read_bytes() for p in (PROJECT / "ca").glob("*.yaml")}
    csr = throwaway_csr(KeyDescription("ecdsa", 256, "P-256")).encode()
    content["requests/payments/api.csr"] = csr
    entries = [TreeEntry(path, "100644", path) for path in content]
    governing = load_governing(entries, content.__getitem__)
    requests = load_requests(entries, content.__getitem__, governing=governing)
    trials = run_trials(entries, content.__getitem__, governing, NOW)
    findings = (*governing.findings, *requests.findings, *trials.findings, *examined(governing))
    return Run(governing, requests, trials, findings)


def examined(governing: Governing) -> Iterator[Finding]:
    for policy in governing.policies.values():
        template = propose_authority(governing.authorities[policy.spec.issuer], b"")
        yield from examine_policy(policy, template.name_constraints, (), NOW)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"line {block.line}")
def test_every_example_says_what_it_is(block: Block) -> None:
    assert block.kind in {"document", "policy", "cases"}


@pytest.mark.parametrize("path", files())
def test_every_example_is_sound_and_its_cases_come_out_as_written(path: str) -> None:
    assert [str(finding) for finding in run().findings if finding.location.file == path] == []


def test_every_document_of_the_page_is_read() -> None:
    governing, tests = run().governing, run().trials
    read = {document.path for document in governing.policies.values()}
    read |= {document.path for document in governing.waivers.values()}
    read |= {document.path for document in run().requests.requests.values()}
    read |= {trial.at.file for report in tests.reports for trial in report.trials}
    assert set(files()) - read == {"policies/blocked-keys.yaml"}
    assert len(governing.blocked_keys) == 1


def test_cases_allow_something_and_deny_something() -> None:
    of_file: dict[str, set[bool]] = {}
    for report in run().trials.reports:
        for trial in report.trials:
            of_file.setdefault(trial.at.file, set()).add(bool(trial.seen))
    one_sided = [path for path, seen in of_file.items() if len(seen) < 2]
    # A CSR without names shows what a policy denies that takes them from it.
    assert [path for path in one_sided if "namesFrom: csr" not in files()[_policy_of(path)]] == []


def _policy_of(path: str) -> str:
    return re.sub(r"\.line-\d+\.tests\.yaml$", ".yaml", path)


def test_a_part_that_is_no_policy_would_be_found() -> None:
    content = {"policies/x.yaml": completed("selectr: {}\n").encode()}
    content |= {f"ca/{p.name}": p.read_bytes() for p in (PROJECT / "ca").glob("*.yaml")}
    entries = [TreeEntry(path, "100644", path) for path in content]
    found = load_governing(entries, content.__getitem__).findings
    assert [finding.rule for finding in found] == ["document.unknown-key"]


def fields_of(kind: str) -> list[str]:
    """Return the dotted paths of the fields of a kind, from its spec; its own names as a star."""
    schema = schema_of(kind)
    found = dict.fromkeys(_fields(schema, schema, ""))
    return [path.removeprefix("spec.") for path in found if path.startswith(("spec.", "metadata."))]


def _fields(schema: Mapping[str, Any], node: Mapping[str, Any], path: str) -> Iterator[str]:
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].removeprefix("#/$defs/")]
    for choice in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from _fields(schema, choice, path)
    for name, inner in node.get("properties", {}).items():
        place = f"{path}.{name}" if path else name
        yield place
        yield from _fields(schema, inner, place)
    for key, mark in (("items", "[]"), ("additionalProperties", ".*")):
        inner = node.get(key)
        if isinstance(inner, dict):
            yield from _fields(schema, inner, f"{path}{mark}")


SECTIONS = {
    "IssuancePolicy": ("## Selection", "## What a request can ask for"),
    "CertificateRequest": ("## What a request can ask for", "## Blocked keys"),
    "KeyBlocklist": ("## Blocked keys", "## Waivers"),
    "Waiver": ("## Waivers", "## Tests of policies"),
    "PolicyTests": ("## Tests of policies", "## The rules"),
}


@functools.cache
def named_in(kind: str) -> frozenset[str]:
    """Return what the tables of a kind's section name."""
    begin, end = SECTIONS[kind]
    section = PAGE[PAGE.index(f"\n{begin}\n") : PAGE.index(f"\n{end}\n")]
    rows = [line for line in section.splitlines() if line.startswith("| ")]
    return frozenset(name for row in rows for name in _NAME.findall(row))


def is_named(path: str, names: frozenset[str]) -> bool:
    """Whether a field stands in a table, one of its parts perhaps as a star."""
    parts = path.split(".")
    for name in names:
        written = name.split(".")
        if len(written) == len(parts) and all(
            word in {part, "*"} for word, part in zip(written, parts, strict=True)
        ):
            return True
    return False


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (kind, path)
        for kind in SECTIONS
        for path in fields_of(kind)
        # What a case's request may say is what a request may say, and metadata that of documents.
        if not path.startswith(("metadata.", "cases[].request.metadata."))
        if not path.startswith("cases[].request.spec.")
        or path.startswith(("cases[].request.spec.key.", "cases[].request.spec.csr"))
    ],
)
def test_every_field_is_in_a_table_of_its_kind(kind: str, path: str) -> None:
    names = named_in(kind)
    below = (name for name in names if name.startswith((f"{path}.", f"{path}[]")))
    # A mapping that says nothing itself is there with what it holds.
    assert is_named(path, names) or any(below), f"{kind}: {path} is not documented"


def test_a_field_that_is_on_no_page_would_be_found() -> None:
    assert "sans.uri.spiffe.trustDomain" in fields_of("IssuancePolicy")
    assert not is_named("sans.dns.unheardOf", named_in("IssuancePolicy"))
    assert not is_named("key.unheardOf", named_in("IssuancePolicy"))


@pytest.mark.parametrize("path", [p for p in fields_of("Waiver") if p.startswith("metadata.")])
def test_the_metadata_of_documents_is_on_the_page(path: str) -> None:
    assert f"`{path}`" in PAGE


def rule_rows() -> dict[str, str]:
    """Return what the table of rules says of each: the rule's name to “yes” or “no”."""
    table = PAGE[PAGE.index("\n## The rules\n") : PAGE.index("\n## Tools\n")]
    rows = re.findall(r"^\| (`.+?) \| (.+) \| (yes|no) \|$", table, re.MULTILINE)
    return {name: waivable for names, _, waivable in rows for name in _NAME.findall(names)}


@pytest.mark.parametrize("name", [name.pattern for name in rule_names()])
def test_every_rule_is_in_the_table(name: str) -> None:
    assert name in rule_rows()


def test_a_rule_is_waivable_on_the_page_only_where_it_is() -> None:
    never = {name for name in rule_rows() if why_never(name.replace("*", "x"))}
    assert {name for name in never if rule_rows()[name] != "no"} == set()


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_variable_of_expressions_is_on_the_page(variable: str) -> None:
    assert f"| `{variable}" in PAGE


def test_the_contents_lead_to_sections() -> None:
    headings = re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= anchors
