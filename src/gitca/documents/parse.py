"""Source to document: the model, and everything that it has against the source as findings."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from pydantic import ValidationError

from gitca.documents.document import Document
from gitca.documents.fields import shown
from gitca.documents.flaws import bounded, flaw
from gitca.documents.problems import described, named, problems
from gitca.documents.schema import KINDS
from gitca.documents.source import Source
from gitca.documents.words import listed, nearest
from gitca.findings import Finding


def parse_document(
    source: Source, *, name: str, kinds: Collection[str]
) -> tuple[Document[Any] | None, tuple[Finding, ...]]:
    """Return the document that a source holds if it is of one of the kinds and well-formed.

    All findings of the source against its kind are returned, in the order of pydantic.
    """
    kind, findings = _kind(source, kinds)
    if kind is None:
        return None, findings
    findings = tuple(_nulls(source))
    try:
        model = KINDS[kind].model_validate(source.value)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        found = (finding for detail in details for finding in problems(source, kind, detail))
        return None, bounded(_one_a_place((*findings, *found)))
    if findings:
        return None, bounded(findings)
    return _document(source, kind, name, model), ()


def _document(source: Source, kind: str, name: str, model: Any) -> Document[Any]:
    return Document(
        kind=kind,
        name=name,
        path=source.path,
        blob=source.blob,
        metadata=model.metadata,
        spec=model.spec,
        source=source,
    )


def _kind(source: Source, kinds: Collection[str]) -> tuple[str | None, tuple[Finding, ...]]:
    """Return the kind that a source says it is, or why nothing further can be said of it."""
    value = source.value
    if not isinstance(value, dict):
        seen = "is empty" if value is None else f"holds {described(value)}"
        message = f"the document {seen}, where apiVersion, kind and spec are needed"
        return None, (flaw("document.type", message, source.at(), _start_with(kinds)),)
    kind = value.get("kind")
    if kind is None:
        place = source.at("kind") if "kind" in value else source.at()
        message = f"kind is missing; allowed here are {listed(kinds)}"
        return None, (flaw("document.missing-key", message, place, _start_with(kinds)),)
    if not isinstance(kind, str) or kind not in kinds:
        return None, (_wrong_kind(source, kind, kinds),)
    return kind, ()


def _start_with(kinds: Collection[str]) -> str:
    return f"begin with apiVersion: gitca/v1 and kind: {next(iter(kinds))}"


def _wrong_kind(source: Source, kind: object, kinds: Collection[str]) -> Finding:
    message = f"kind {shown(kind)} is not allowed here; allowed are {listed(kinds)}"
    remedy = "mend the kind"
    if isinstance(kind, str) and kind in KINDS:
        remedy = "move the document to the folder of its kind"
    elif meant := nearest(str(kind), kinds):
        remedy = f"write {meant}"
    return flaw("document.kind", message, source.at("kind"), remedy)


def _nulls(source: Source) -> Iterator[Finding]:
    """Yield a finding for each key or item without a value, outside of a JSON Schema."""
    for pointer in source.nulls:
        if pointer[:2] != ("spec", "requestSchema"):
            message = f"{named(pointer)} has no value"
            remedy = "write a value, or remove the key"
            yield flaw("document.null", message, source.at(*pointer), remedy)


def _one_a_place(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings without later ones at the place of a null: they say the same again."""
    nulls = {finding.location for finding in findings if finding.rule == "document.null"}
    return tuple(
        finding
        for finding in findings
        if finding.rule == "document.null" or finding.location not in nulls
    )
