"""The plan as text, for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from gitca.ledger.events import time_text
from gitca.plan.model import (
    Action,
    AdoptAuthority,
    CrossCertify,
    IssueCertificate,
    PendingOrder,
    Plan,
    action_subject,
)
from gitca.plan.words import (
    authority_words,
    extension_lines,
    key_words,
    period_words,
    subject_words,
    usage_words,
)
from gitca.x509.certificate import parse_certificate

NOTHING = "Nothing to do: the repository is as its documents say."


def render_text(plan: Plan) -> str:
    """Return the plan's actions, one to a line, with what each certificate will say below it.

    Orders that await their signature come after them: a reconcile signs those, too. Findings are
    not in it: they are printed as findings are everywhere.
    """
    if not plan.actions and not plan.pending:
        return NOTHING + "\n"
    blocks = [lines for lines in (list(_actions(plan)), list(_pending(plan))) if lines]
    return "\n".join("".join(f"{line}\n" for line in lines) for lines in blocks)


def _pending(plan: Plan) -> Iterator[str]:
    if not plan.pending:
        return
    count = len(plan.pending)
    yield f"{count} order{'' if count == 1 else 's'} awaiting a signature, which reconcile gives to"
    yield "what the documents still allow:"
    for order in plan.pending:
        yield f"  {_wanted(order)}  order {order.order}, leased until {time_text(order.lease)}"


def _wanted(order: PendingOrder) -> str:
    return f"{order.ca}: {order.request or order.authority or order.about}"


def _actions(plan: Plan) -> Iterator[str]:
    if not plan.actions:
        return
    rows = [(action.action, _target(action)) for action in plan.actions]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    for (verb, target), action in zip(rows, plan.actions, strict=True):
        yield f"{verb:<{widths[0]}}  {target:<{widths[1]}}  {action.reason}"
        if isinstance(action, CrossCertify):
            yield f"{'':<{widths[0]}}    {_cross(action)}"
        if isinstance(action, AdoptAuthority):
            yield f"{'':<{widths[0]}}    {_adopted(action)}"
        if isinstance(action, IssueCertificate):
            yield from (f"{'':<{widths[0]}}    {line}" for line in _certificate(action))
    count = len(plan.actions)
    yield ""
    yield f"{count} action{'' if count == 1 else 's'}, plan {plan.digest}"


def _target(action: Action) -> str:
    subject = action_subject(action)
    if subject is None or subject == action.ca:
        return str(action.ca)
    return f"{action.ca}: {subject}" if action.ca else subject


def _cross(action: CrossCertify) -> str:
    template, period = action.template, period_words(action.period)
    return f"{authority_words(template)}; key {key_words(template.spki_der)}; valid {period}"


def _adopted(action: AdoptAuthority) -> str:
    certificate = parse_certificate(action.certificate_der)
    template, above = certificate.template, len(action.chain)
    chain = f"{above} certificate{'' if above == 1 else 's'} above it"
    key = key_words(template.spki_der)
    return f"{authority_words(template)}; key {key}; {certificate.fingerprint}; {chain}"


def _certificate(action: IssueCertificate) -> Iterator[str]:
    template = action.template
    if template.subject:
        yield subject_words(template.subject)
    if template.sans:
        yield ", ".join(str(name) for name in template.sans)
    if template.basic_constraints:
        yield authority_words(template)
    yield from extension_lines(template)
    if action.ends_by is not None:
        waivers = ", ".join(action.waivers)
        yield f"WAIVED by {waivers}: ends before {action.ends_by:%Y-%m-%dT%H:%M:%SZ}"
    policy = action.documents.policy
    yield "; ".join(
        [
            f"key {key_words(template.spki_der)}",
            f"valid {period_words(action.period)}",
            ", ".join(usage_words(template)) or "no usages",
            f"policy {policy.path if policy else 'none'}",
        ]
    )
