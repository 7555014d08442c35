"""The names that the rules speak under, and which of them a policy makes speak.

Every rule begins its docstring with the names of its findings and what holds where it has none:
`validity.max`: not longer than the policy allows. A star in a name stands for what a policy names
itself (an attribute, a type of names). The names that begin with a field of a policy are the paths
of the fields that say so; all others are checks that hold under every policy.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gitca.documents.document import Document
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.policy.evaluate import RULES
from gitca.policy.renewal import BEFORE, renewal_denies

Policy = Document[IssuancePolicySpec]

_NAMES = re.compile(r"((?:`[^`]+`(?:, | and )?)+): (.+)")
_NAME = re.compile(r"`([^`]+)`")
# What no request can break by itself: the CA that answers, how notBefore is set, and what is judged
# by the ledger's keys, of which a case has none.
_NO_LIMITS = frozenset({"issuer", "validity.backdate", "key.reuse"})
# What is written and can deny nothing: the widest value of each field.
_WIDEST: Mapping[str, object] = MappingProxyType(
    {"wildcards": True, "weakKeys": "ignore", "reuse": "allow", "paths": ["**"], "special": []}
)


@dataclass(frozen=True, slots=True)
class RuleName:
    """A name, or a pattern of names, that a rule speaks under, and what it holds requests to."""

    pattern: str
    sentence: str

    def is_exactly(self, name: str) -> bool:
        """Whether a name is this one."""
        return _matcher(self.pattern).fullmatch(name) is not None

    def covers(self, name: str) -> bool:
        """Whether a name is this one, or one of its parts: `selector.labels.team`."""
        if self.is_exactly(name):
            return True
        # A family's name alone (`sans`) is about what is not mentioned, and about no field.
        return "." in self.pattern and name.startswith(f"{self.pattern}.")

    @property
    def field(self) -> str:
        """The first field of the policy that the name leads to, or nothing."""
        first = self.pattern.partition(".")[0]
        return first if first in _policy_fields() else ""


@functools.cache
def rule_names() -> tuple[RuleName, ...]:
    """Return the names of all rules in the order of the rule list."""
    declared = (name for rule in RULES for name in _declared(rule.__doc__ or ""))
    return (*declared, RuleName("validity.windows", "a window of the policy is open."))


def _declared(docstring: str) -> Iterator[RuleName]:
    declared = _NAMES.match(" ".join(docstring.split("\n\n")[0].split()))
    for name in _NAME.findall(declared[1]) if declared else ():
        yield RuleName(name, declared[2] if declared else "")


@functools.lru_cache(maxsize=256)
def _matcher(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".+"))


@functools.cache
def _policy_fields() -> frozenset[str]:
    fields = IssuancePolicySpec.model_fields.items()
    return frozenset(field.alias or name for name, field in fields)


def configured_rules(policy: Policy) -> tuple[str, ...]:
    """Return the names of the rules that the policy's own text can deny a request by, in order.

    A field that is left out, or that says what no request by itself can break, is none of them.
    """
    names = rule_names()
    spoken: dict[str, None] = {}
    for path, value in _leaves(policy.source.value):
        if not _restricts(path, value) or (path == BEFORE and not renewal_denies(policy.spec)):
            continue
        # What only parts a rule further (the curves of key.algorithms) is that rule's own matter.
        is_named = any(name.is_exactly(path) for name in names)
        if is_named or not any(is_part(path, other) for other in spoken):
            spoken |= {path: None} if is_named or any(n.covers(path) for n in names) else {}
    return tuple(spoken)


def field_paths(policy: Policy) -> Iterator[str]:
    """Yield the fields that a policy's text fills in, as dotted paths from its spec."""
    yield from (path for path, _ in _leaves(policy.source.value))


def _leaves(source_value: object) -> Iterator[tuple[str, object]]:
    """Yield the values of a policy's spec that are no mappings, by dotted path, lists as wholes.

    The mappings in a list are looked into under the list's own path.
    """
    spec = source_value.get("spec") if isinstance(source_value, dict) else None
    waiting: list[tuple[str, object]] = [("", spec)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            inner = [(f"{path}.{key}" if path else str(key), item) for key, item in value.items()]
            waiting.extend(reversed(inner))
        else:
            yield path, value
        if isinstance(value, list):
            waiting.extend(reversed([*_items(path, value)]))


def _items(path: str, values: list[object]) -> Iterator[tuple[str, object]]:
    """Yield the mappings of a list under its path; those that have a name, by their names."""
    for item in values:
        if isinstance(item, dict):
            name = item.get("name")
            yield (path, item) if name is None else (f"{path}.{name}", True)


def is_part(name: str, other: str) -> bool:
    """Whether one name is the other or a part of it: `selector.labels`, `selector.labels.team`."""
    return name == other or name.startswith(f"{other}.") or other.startswith(f"{name}.")


def _restricts(path: str, value: object) -> bool:
    field = path.rpartition(".")[2]
    if path in _NO_LIMITS or _WIDEST.get(field, ...) == value:
        return False
    # An empty list of what is allowed allows nothing, and no name at all is few names.
    return field in {"allow", "max", "wildcards"} or value not in (False, [], 0)
