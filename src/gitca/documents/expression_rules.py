"""Rules in CEL (cel.dev) that a policy adds, and what bounds them before one is evaluated.

CEL ends always, but not always soon: values may double at each step of a chain, and loops nest. So
an expression is short, nests loops twice at most, and has neither `map` nor many `+`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from gitca.documents.document import Model
from gitca.documents.fields import Contradiction, Text, refuse_all

MAX_EXPRESSION = 1024
MAX_LOOPS = 8
MAX_NESTED_LOOPS = 2
MAX_BRACKETS = 32
MAX_ADDITIONS = 16
MAX_RULES = 64
LOOPS = frozenset({"all", "exists", "exists_one", "existsOne", "filter"})

# The lexer rules of CEL's grammar; raw strings know no escapes. Triple quotes are refused before.
_PART = re.compile(
    r"""(?P<comment>//[^\n]*)
    |(?P<string>[bB]?(?:[rR](?:"[^"\r\n]*"|'[^'\r\n]*')
        |"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*'))
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<space>\s+)
    |(?P<mark>.)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What of an expression decides how long it may take.

    `loops` nest `depth` deep, `variables` are those that they bind; `items` is how many a list
    that the expression itself writes has at the most.
    """

    loops: int
    depth: int
    brackets: int
    additions: int
    items: int
    maps: bool
    variables: frozenset[str]


def shape_of(expression: str) -> Shape:
    """Return the shape of an expression, sound or not; linear in its length."""
    parts = [
        match[0]
        for match in _PART.finditer(expression)
        if match.lastgroup not in {"comment", "space"}
    ]
    open_brackets: list[bool] = []
    bound: set[str] = set()
    loops = depth = brackets = 0
    maps = False
    for place, part in enumerate(parts):
        if part in {"(", "[", "{"}:
            called = parts[place - 1] if place >= 2 and parts[place - 2] == "." else ""
            is_loop = part == "(" and called in LOOPS
            maps |= part == "(" and called == "map"
            open_brackets.append(is_loop)
            loops += is_loop
            if is_loop:
                bound.update(parts[place + 1 : place + 2])
            depth = max(depth, sum(open_brackets))
            brackets = max(brackets, len(open_brackets))
        elif part in {")", "]", "}"} and open_brackets:
            open_brackets.pop()
    return Shape(
        loops, depth, brackets, parts.count("+"), parts.count(",") + 1, maps, frozenset(bound)
    )


def _check_expression(value: str) -> str:
    found = tuple(_problems(value))
    if found:
        raise refuse_all(found)
    return value


def _problems(expression: str) -> Iterator[Contradiction]:
    if '"""' in expression or "'''" in expression:
        message = "triple quotes are not offered in expressions"
        yield Contradiction("policy.rules.quotes", message, "write strings on one line")
        return
    shape = shape_of(expression)
    if shape.maps:
        message = "map is not offered: what it makes can grow without bound"
        remedy = "use all, exists, exists_one or filter"
        yield Contradiction("policy.rules.map", message, remedy)
    limits = (
        ("loops", shape.loops, MAX_LOOPS),
        ("loops in one another", shape.depth, MAX_NESTED_LOOPS),
        ("brackets in one another", shape.brackets, MAX_BRACKETS),
        ("additions", shape.additions, MAX_ADDITIONS),
    )
    for what, seen, most in limits:
        if seen > most:
            message = f"the expression has {seen} {what}; {most} are allowed"
            yield Contradiction("policy.rules.size", message, "part it into several rules")


class ExpressionRule(Model):
    """One rule in CEL: the request is allowed where the expression is true."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")] = Field(
        description="The rule's name; its findings are called rules.NAME.",
        examples=["short-names"],
    )
    expression: Annotated[
        str,
        StringConstraints(min_length=1, max_length=MAX_EXPRESSION),
        AfterValidator(_check_expression),
    ] = Field(
        description="An expression in CEL over request, certificate, policy and now. true allows;"
        " false, any other value and any error deny. Without map; loops nest twice at the most.",
        examples=["size(request.name) < 40"],
    )
    message: Text = Field(
        description="What is told to whoever breaks the rule: what is allowed.",
        examples=["names have at most 40 characters"],
    )


def repeated(rules: tuple[ExpressionRule, ...]) -> Iterator[Contradiction]:
    """Yield what is wrong where two rules share a name."""
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        if rule.name in seen:
            message = f"two rules are called {rule.name}, and findings could not tell them apart"
            place = ("rules", index, "name")
            yield Contradiction("policy.rules.twice", message, "rename one of them", place)
        seen.add(rule.name)
