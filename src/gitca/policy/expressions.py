"""Rules in CEL: compiled once and kept, bounded, and denied by whatever is not true.

What an expression may contain is bounded when the policy is read (`documents.expression_rules`);
how long it may take with a request's values is bounded here, before it is evaluated.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitca.documents.document import Document
from gitca.documents.expression_rules import ExpressionRule, Shape, shape_of
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.findings import Finding, Severity
from gitca.policy.case import Case
from gitca.policy.proposal import Proposal
from gitca.policy.propose import template_of
from gitca.policy.variables import VARIABLES, variables_of
from gitca.x509.refusal import quoted

if TYPE_CHECKING:
    from cel import Context, Program

MAX_STEPS = 1_000_000
"""Turns of an expression's loops, some half a second."""

FUNCTIONS = frozenset(
    {
        *("size", "contains", "startsWith", "endsWith", "matches", "has"),
        *("int", "uint", "double", "string", "bytes", "timestamp", "duration", "type", "dyn"),
        *("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"),
        *("getHours", "getMinutes", "getSeconds", "getMilliseconds"),
    }
)
"""What CEL offers here beside its operators and loops; its extension libraries are left out."""

_SHOWN = 160  # characters of the evaluator's words
# What the evaluator raises, by its own documentation and by trial: all are a denial.
_ERRORS = (ValueError, RuntimeError, TypeError, ArithmeticError, LookupError)


class ExpressionError(ValueError):
    """An expression that does not compile, or that names what is not there."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression and its shape. Immutable, and free of what it was evaluated on."""

    program: Program
    shape: Shape

    def steps(self, longest: int) -> int:
        """Return how often its loops turn at most where no list has more than `longest` items."""
        items = max(longest, self.shape.items) * (1 + self.shape.additions)
        turns: int = items**self.shape.depth
        return self.shape.loops * turns


@functools.lru_cache(maxsize=1024)
def compile_expression(text: str) -> Expression:
    """Return the compiled expression. Raises: ExpressionError, with what is wrong with it."""
    import cel  # 140 ms, and most policies have no rules

    shape = shape_of(text)
    try:
        program = cel.compile(text)
    except _ERRORS as error:
        raise ExpressionError(f"does not compile: {_words(error)}") from error
    for name in program.variables():
        if name not in VARIABLES and name not in shape.variables:
            raise ExpressionError(f"names {quoted(name)}; there are {', '.join(VARIABLES)}")
    for name in program.functions():
        if name.isidentifier() and not name.startswith("_") and name not in FUNCTIONS:
            raise ExpressionError(f"calls {quoted(name)}; there are {', '.join(sorted(FUNCTIONS))}")
    return Expression(program, shape)


def examine_expressions(policy: Document[IssuancePolicySpec]) -> Iterator[Finding]:
    """Yield a finding, at its place in the policy, for every expression that does not compile."""
    for index, rule in enumerate(policy.spec.rules):
        try:
            compile_expression(rule.expression)
        except ExpressionError as error:
            yield Finding(
                rule="policy.rules.expression",
                severity=Severity.ERROR,
                message=f"the expression of rule {rule.name} {error}",
                location=policy.at("spec", "rules", index, "expression"),
                remedy="mend it; docs/policy.md names the variables",
                policy=policy.name,
            )


def check_rules(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`rules.*`: the expression of each rule is true; false, errors and all else deny.

    Where there is no template there is nothing to judge, and the case is denied already.
    """
    rules = case.policy.spec.rules
    template = template_of(case, proposal) if rules else None
    if template is None:
        return
    from cel import Context  # 140 ms, and most policies have no rules

    variables = variables_of(case, proposal, template)
    context, longest = Context(variables=variables), _longest(variables)
    for rule in rules:
        seen = _objection(rule, context, longest)
        if seen is not None:
            yield case.denial(
                f"rules.{rule.name}",
                f"{seen}; allowed: {rule.message}",
                case.request.at("spec"),
                remedy="change the request, or the policy's rule",
            )


def _objection(rule: ExpressionRule, context: Context, longest: int) -> str | None:
    """Return why a rule denies, None where it is true."""
    try:
        expression = compile_expression(rule.expression)
    except ExpressionError:
        return "the rule cannot be judged, as its expression does not compile"
    steps = expression.steps(longest)
    if steps > MAX_STEPS:
        return f"the rule is not judged: on this request it may take {steps} steps of {MAX_STEPS}"
    try:
        result = expression.program.execute(context)
    except _ERRORS as error:
        return f"the rule could not be judged: {_words(error)}"
    if result is True:
        return None
    if result is False:
        return "the request breaks the rule"
    return f"the rule gives a {type(result).__name__}, neither true nor false"


def _longest(value: object) -> int:
    """Return how many items the longest list or map within a value has."""
    if isinstance(value, Mapping):
        return max((len(value), *map(_longest, value.values())))
    if isinstance(value, list):
        return max((len(value), *map(_longest, value)))
    return 0


def _words(error: BaseException) -> str:
    """Return what an error of the evaluator says, in one line of printable text."""
    if isinstance(error, KeyError):
        return f"there is no key {error}"
    text = str(error).partition("ERROR: <input>:")[2] or str(error)
    line = " ".join(text.partition("\n")[0].split())
    cut = line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in cut)
