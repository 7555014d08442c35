"""The JSON Schema that a policy may embed, held against the whole document of a request."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

from gitca.findings import Finding
from gitca.policy.case import Case
from gitca.policy.proposal import Proposal
from gitca.x509.refusal import quoted

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_MAX_FINDINGS = 50
_SHOWN = 200  # characters of jsonschema's message, which may repeat a whole value


def check_request_schema(case: Case, _: Proposal) -> Iterator[Finding]:
    """`requestSchema`: the request's document satisfies the schema; 50 findings at most."""
    schema = case.policy.spec.request_schema
    if schema is None:
        return
    validator = _validator(json.dumps(schema, sort_keys=True))
    errors = validator.iter_errors(cast("Any", case.request.source.value))
    for error in itertools.islice(errors, _MAX_FINDINGS):
        path = tuple(error.absolute_path)
        yield case.denial(
            "requestSchema",
            f"{_dotted(path)}{_cut(error.message)}, against {_keyword(error.absolute_schema_path)}",
            case.request.at(*path),
            remedy="change the request as the policy's schema says",
        )


@functools.lru_cache(maxsize=64)
def _validator(schema_text: str) -> Validator:
    """Return the validator of a schema that was found sound when the policy was read."""
    # Imported where it is used: it takes 90 ms, and most repositories embed no schema.
    from jsonschema import Draft202012Validator
    from referencing import Registry

    # An empty registry: a reference that leads elsewhere must never become a network request.
    return Draft202012Validator(json.loads(schema_text), registry=Registry())


def _dotted(path: tuple[str | int, ...]) -> str:
    return f"{quoted('.'.join(map(str, path)))}: " if path else ""


def _keyword(schema_path: Iterable[str | int]) -> str:
    return quoted(".".join(map(str, schema_path)))


def _cut(message: str) -> str:
    cut = message if len(message) <= _SHOWN else f"{message[:_SHOWN]}…"
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in cut)
