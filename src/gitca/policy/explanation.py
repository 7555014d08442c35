"""A policy in sentences, for a reviewer who never saw one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.documents.issuance_policy import IssuancePolicySpec, ValidityRules
from gitca.documents.validity_rules import IssuanceWindow
from gitca.policy.explanation_content import (
    authority_sentences,
    extension_sentences,
    key_sentences,
    usage_sentences,
)
from gitca.policy.explanation_names import san_sentences, subject_sentences
from gitca.policy.explanation_words import either, moment, number, rest, span

Policy = Document[IssuancePolicySpec]
Authority = Document[CertificateAuthoritySpec]

_STARS = (
    "In patterns, * stands for one label (between dots) or one folder, ** for one or more of them,"
    " and {…} for a value of the request itself; everything else stands for itself."
)
_DAYS = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
_TOLD = (
    *("issuer", "selector", "subject", "sans", "names_from", "key", "validity", "key_usage"),
    *("extended_key_usage", "ca", "extensions", "request_schema", "rules", "lint", "limits"),
    *("renewal", "on_replace", "on_delete"),
)


@dataclass(frozen=True, slots=True)
class Section:
    """One subject that a policy speaks of, and what it says of it."""

    title: str
    sentences: tuple[str, ...]


def explain(policy: Policy, authority: Authority) -> tuple[Section, ...]:
    """Return what a policy allows and what it does not, subject by subject.

    What is not mentioned is denied, and is said to be.
    """
    spec = policy.spec
    sections = {
        "Who may ask, and who issues": _selection(policy, authority),
        "Subject": subject_sentences(spec),
        "Alternative names": san_sentences(spec),
        "Keys": key_sentences(spec.key),
        "Validity": _validity(spec.validity),
        "Usages": usage_sentences(spec),
        "CA certificates": authority_sentences(spec),
        "Other extensions": extension_sentences(spec),
        "Further conditions": _conditions(spec),
        "Afterwards": _lifecycle(spec),
    }
    found = ((title, tuple(sentences)) for title, sentences in sections.items())
    return tuple(Section(title, sentences) for title, sentences in found if sentences)


def _selection(policy: Policy, authority: Authority) -> Iterator[str]:
    selector = policy.spec.selector
    if selector.paths == ("**",):
        yield "Every request below requests/ may name this policy."
    elif selector.paths:
        yield f"Requests may name this policy whose path matches {either(selector.paths)}."
    else:
        yield "No request may name this policy, as its list of paths is empty."
    for label, pattern in selector.labels.items():
        yield f"The request's label {label} must match {either([pattern])}."
    if selector.requesters is not None:
        for role in ("authors", "committers"):
            patterns = getattr(selector.requesters, role)
            if patterns is not None:
                who = either(patterns) or "nobody"
                yield f"The {role[:-1]} of the request's last change must be {who}."
        yield from rest(selector.requesters, "selector.requesters", ("authors", "committers"))
    yield from rest(selector, "selector", ("paths", "labels", "requesters"))
    name = ", ".join(value for values in authority.spec.subject.values() for value in values)
    yield f"Certificates are issued by the CA {authority.name} ({name})."
    yield _STARS


def _validity(rules: ValidityRules) -> Iterator[str]:
    yield f"A certificate is valid for {span(rules.default)} where a request does not say."
    least = f"at least {span(rules.min)} and " if rules.min is not None else ""
    yield f"A request may ask for {least}at most {span(rules.max)}."
    if rules.backdate:
        yield f"It begins {span(rules.backdate)} before it is issued, for clocks that are slow."
    if rules.latest_not_after is not None:
        yield f"No certificate ends after {moment(rules.latest_not_after)}."
    if rules.request_dates:
        yield f"A request may state {either(rules.request_dates, quote=False, last='and')} itself."
    else:
        yield "A request may not state when its certificate begins or ends, only how long it lasts."
    for window in rules.windows:
        yield f"Certificates are issued {_window(window)}; what is due otherwise waits."
    if rules.beyond_issuer == "truncate":
        yield "A certificate that would outlive its CA ends with it, where the CA agrees."
    else:
        yield "A certificate that would outlive its CA is denied."
    told = ("default", "max", "min", "backdate", "latest_not_after", "request_dates", "windows")
    yield from rest(rules, "validity", (*told, "beyond_issuer"))


def _window(window: IssuanceWindow) -> str:
    days = either((_DAYS.get(day, day) for day in window.days), quote=False, last="and")
    return f"on {days}, {window.hours} ({window.time_zone})"


def _conditions(spec: IssuancePolicySpec) -> Iterator[str]:
    if spec.request_schema is not None:
        yield "The whole document of the request must satisfy the policy's JSON Schema."
    for rule in spec.rules:
        yield f"{rule.name}: {rule.message} (in CEL: {rule.expression.strip()})."
    what = "An error" if spec.lint.level == "error" else "An error or a warning"
    yield f"{what} of the linter (pkilint) stops a certificate."
    for lint in spec.lint.ignore:
        yield f"The lint {lint.lint} is ignored until {moment(lint.until)}: {lint.reason}."
    yield from rest(spec.lint, "lint", ("level", "ignore"))
    yield from rest(spec, "", _TOLD)


def _lifecycle(spec: IssuancePolicySpec) -> Iterator[str]:
    renewal = spec.renewal
    before = renewal.before
    lead = f"{before} of its validity" if isinstance(before, Fraction) else before and span(before)
    if renewal.automatic:
        yield f"A certificate is renewed by itself on the same key, {lead} before it ends."
        yield "A validity that, less the backdate, is no longer than that is denied."
    else:
        yield "A certificate is not renewed by itself: a renewal needs a new CSR."
        if lead is not None:
            yield f"That one is due is told {lead} before it ends."
    if renewal.key == "new":
        yield "A renewal needs a new key."
    yield from rest(renewal, "renewal", ("automatic", "before", "key"))
    yield from _ends("Once it was replaced, a certificate", spec.on_replace)
    yield from _ends("When its request is deleted, a certificate", spec.on_delete)
    limits = spec.limits
    if limits.live_per_request is not None:
        yield f"A request may have {number(limits.live_per_request, 'live certificate')} at most."
    if limits.live_per_policy is not None:
        most = number(limits.live_per_policy, "request")
        yield f"At most {most} under this policy may have a live certificate."
    if limits.issued_per_day is not None:
        yield f"At most {number(limits.issued_per_day, 'certificate')} are issued in 24 hours."
    yield from rest(limits, "limits", ("live_per_request", "live_per_policy", "issued_per_day"))


def _ends(when: str, rule: object) -> Iterator[str]:
    action, reason = getattr(rule, "action", rule), getattr(rule, "reason", "")
    if action == "revoke":
        yield f"{when} is revoked ({reason})."
    else:
        yield f"{when} stays valid until it expires."
