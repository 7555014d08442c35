"""The JSON Schema of each kind (draft 2020-12), for editors and for those who ask what is known."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from gitca.documents.certificate_authority import CertificateAuthority
from gitca.documents.certificate_request import CertificateRequest
from gitca.documents.document import Envelope
from gitca.documents.issuance_policy import IssuancePolicy
from gitca.documents.key_blocklist import KeyBlocklist
from gitca.documents.policy_tests import PolicyTests
from gitca.documents.repository import Repository
from gitca.documents.revocation_request import RevocationRequest
from gitca.documents.waiver import Waiver

KINDS: Mapping[str, type[Envelope]] = MappingProxyType(
    {
        "Repository": Repository,
        "CertificateAuthority": CertificateAuthority,
        "IssuancePolicy": IssuancePolicy,
        "PolicyTests": PolicyTests,
        "KeyBlocklist": KeyBlocklist,
        "Waiver": Waiver,
        "CertificateRequest": CertificateRequest,
        "RevocationRequest": RevocationRequest,
    }
)


@functools.cache
def schema_of(kind: str) -> Mapping[str, Any]:
    """Return the JSON Schema of a kind. Raises: KeyError for a kind that is none."""
    schema: dict[str, Any] = KINDS[kind].model_json_schema()
    plain: dict[str, Any] = _plain(schema)
    return {"$schema": GenerateJsonSchema.schema_dialect} | plain


def schema_text(kind: str) -> str:
    """Return the JSON Schema of a kind as the text of its file in `schemas/`."""
    return json.dumps(schema_of(kind), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _plain(node: Any) -> Any:
    """Return a schema without what pydantic adds and documents do not have: nulls and titles."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {
        key: {name: _plain(value) for name, value in inner.items()}
        if key in {"properties", "$defs"}
        else inner
        if key in {"examples", "default", "const", "enum"}
        else _plain(inner)
        for key, inner in node.items()
        if not (key == "title" or (key == "default" and inner is None))
    }
    return _without_null(plain)


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that does not offer null: a key without a value is a finding."""
    choices = [choice for choice in node.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == len(node.get("anyOf", ())):
        return node
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    return {**choices[0], **rest} if len(choices) == 1 else rest | {"anyOf": choices}


def keys_at(kind: str, pointer: tuple[str | int, ...]) -> tuple[str, ...]:
    """Return the keys that a kind knows in the mapping at a pointer, union tags included in it."""
    schema = schema_of(kind)
    node: Mapping[str, Any] = schema
    for part in pointer:
        node = _step(schema, _resolved(schema, node), part)
    node = _resolved(schema, node)
    names = node.get("propertyNames", {})
    listed = (names, *names.get("anyOf", ()))
    enumerated = tuple(name for choice in listed for name in choice.get("enum", ()))
    return tuple(node.get("properties", ())) or enumerated


def _resolved(schema: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = node.get("$ref")
    return schema["$defs"][reference.removeprefix("#/$defs/")] if reference else node


def _step(schema: Mapping[str, Any], node: Mapping[str, Any], part: str | int) -> Mapping[str, Any]:
    """Return the schema one part further on, an empty one where nothing is known."""
    tagged = node.get("discriminator", {}).get("mapping", {})
    if part in tagged:
        return {"$ref": tagged[part]}
    if isinstance(part, int):
        return _mapping(node.get("items"))
    inner = node.get("properties", {}).get(part, node.get("additionalProperties"))
    return _mapping(inner)


def _mapping(node: object) -> Mapping[str, Any]:
    return node if isinstance(node, Mapping) else {}
