"""What a policy says of keys, usages, CA certificates and extensions, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitca.documents.issuance_policy import IssuancePolicySpec, KeyRules
from gitca.documents.name_constraints import Subtrees
from gitca.policy.explanation_words import either, number, rest, span
from gitca.policy.key import algorithm_words

_REUSE = {
    "forbid": "No key is certified twice: every certificate needs a new key.",
    "sameRequest": "A request may keep its key, and no other request may have the same.",
    "allow": "Several requests may have the same key.",
}
_SUBTREES = {"dns": "DNS names", "ip": "IP addresses", "uri": "hosts of URIs", "email": "e-mail"}


def key_sentences(rules: KeyRules) -> Iterator[str]:
    """Yield which keys there may be."""
    if rules.algorithms:
        allowed = (algorithm_words(algorithm) for algorithm in rules.algorithms)
        yield f"Allowed keys: {either(allowed, quote=False)}."
    else:
        yield "No key is allowed, as the list of algorithms is empty."
    hashes = (name.upper().replace("SHA", "SHA-", 1) for name in rules.csr_hashes)
    yield f"A CSR may be signed with {either(hashes, quote=False)}."
    if rules.weak_keys == "reject":
        yield "Keys with a known weakness are denied."
    else:
        yield "Known weaknesses of keys are not looked for."
    yield _REUSE[rules.reuse]
    if rules.max_age is not None:
        yield f"No certificate ends when its key was in use for more than {span(rules.max_age)}."
    yield from rest(rules, "key", ("algorithms", "csr_hashes", "weak_keys", "reuse", "max_age"))


def usage_sentences(spec: IssuancePolicySpec) -> Iterator[str]:
    """Yield what certificates may be used for."""
    yield from _usages("key usage", "keyUsage", spec.key_usage, usually_critical=True)
    purposes = spec.extended_key_usage
    yield from _usages("extended key usage", "extendedKeyUsage", purposes, usually_critical=False)


def _usages(words: str, path: str, rules: Any, *, usually_critical: bool) -> Iterator[str]:
    allowed = rules.default if rules.allow is None else rules.allow
    if not rules.default and not allowed:
        yield f"Certificates have no {words}, and a request may ask for none."
    elif not rules.default:
        yield f"A request must state the {words}: there is no default."
    else:
        yield f"The {words} is {_all(rules.default)} where a request asks for none."
    if allowed:
        yield f"A request may ask for the {words} {either(allowed, quote=False)}."
    if rules.required:
        yield f"A certificate without the {words} {_all(rules.required)} is not issued."
    if rules.critical is not usually_critical:
        yield f"The {words} is {'critical' if rules.critical else 'not critical'}."
    yield from rest(rules, path, ("default", "allow", "required", "critical"))


def _all(values: tuple[str, ...]) -> str:
    return either(values, quote=False, last="and")


def authority_sentences(spec: IssuancePolicySpec) -> Iterator[str]:
    """Yield which CA certificates a request may ask for."""
    rules = spec.ca
    if rules is None:
        yield "No CA certificate is issued: what is issued can sign no certificate."
        return
    below = rules.path_length.max
    follow = "no further CA" if below == 0 else f"at most {number(below, 'level')} of CAs"
    yield f"A request may ask for a CA certificate, below which there is {follow}."
    yield "It has the key usages keyCertSign and cRLSign, whatever else is said of usages."
    constraints = rules.name_constraints
    if constraints.required:
        yield "Such a request must state name constraints."
    for kind, bases in _subtrees(constraints.permitted):
        yield f"Its {kind} must be constrained to what lies within {either(bases)}."
    for kind, bases in _subtrees(constraints.excluded):
        yield f"Its {kind} must leave out {_each(bases)}."
    told = ("required", "permitted", "excluded")
    yield from rest(constraints, "ca.nameConstraints", told)
    yield from rest(rules.path_length, "ca.pathLength", ("max",))
    yield from rest(rules, "ca", ("path_length", "name_constraints"))


def _subtrees(subtrees: Subtrees) -> Iterator[tuple[str, tuple[str, ...]]]:
    for kind in type(subtrees).model_fields:
        bases = getattr(subtrees, kind)
        if bases:
            yield _SUBTREES.get(kind, kind), bases


def _each(values: tuple[str, ...]) -> str:
    return either(values, last="and")


def extension_sentences(spec: IssuancePolicySpec) -> Iterator[str]:
    """Yield which further extensions there are, and which a request may state."""
    rules = spec.extensions
    for policy in rules.certificate_policies:
        texts = [*policy.cps, *([policy.notice] if policy.notice else [])]
        also = f" ({either(texts, last='and')})" if texts else ""
        yield f"Every certificate names the certificate policy {policy.oid}{also}."
    if rules.tls_feature:
        features = either(rules.tls_feature, quote=False, last="and")
        yield f"Every certificate asks its server for the TLS feature {features}."
    if rules.ocsp_no_check:
        yield "Relying parties are told not to ask for the revocation of these certificates."
    for extension in rules.other:
        value = extension.value.model_dump(by_alias=True, exclude_none=True)
        shown = either([f"{kind}: {item}" for kind, item in value.items()])
        yield f"Every certificate has the {_critical(extension)}extension {extension.oid}, {shown}."
    for allowed in rules.allow:
        values = f" with a value that matches {either(allowed.values)}" if allowed.values else ""
        yield f"A request may state the {_critical(allowed)}extension {allowed.oid}{values}."
    for taken in rules.from_request:
        yield f"The {_critical(taken)}extension {taken.oid} is taken from a CSR that asks for it."
    if not rules.allow and not rules.from_request:
        yield "A request may state no extension of its own."
    told = ("certificate_policies", "tls_feature", "ocsp_no_check", "other", "allow")
    yield from rest(rules, "extensions", (*told, "from_request"))


def _critical(extension: Any) -> str:
    return "critical " if extension.critical else ""
