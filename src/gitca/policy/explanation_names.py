"""What a policy says of names, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel

from gitca.documents.issuance_policy import AttributeRule, IssuancePolicySpec, SanRules
from gitca.policy.explanation_words import either, number, rest

_KINDS = {
    "dns": "DNS names",
    "ip": "IP addresses",
    "uri": "URIs",
    "email": "e-mail addresses",
    "directory_name": "directory names",
    "registered_id": "registered IDs",
}
_SPECIAL = {
    "bareDomain": "the bare domain that a pattern of the form **.domain stands below",
    "localhost": "localhost",
    "singleLabel": "names of a single label",
    "publicSuffix": "public suffixes",
}
_ATTRIBUTE = ("allow", "deny", "required", "default", "fixed", "must_be_in_sans", "max")


def subject_sentences(spec: IssuancePolicySpec) -> Iterator[str]:
    """Yield what the subject may say."""
    if spec.names_from == "csr":
        yield "Subject and alternative names are taken from the CSR, and each is judged."
    else:
        yield ("Names come from the request's YAML; a CSR that states names must state the same.")
    for name, rule in spec.subject.items():
        yield from _attribute(name, rule)
    others = "other attribute" if spec.subject else "attribute"
    yield f"No {others} may appear in the subject."


def _attribute(name: str, rule: AttributeRule) -> Iterator[str]:
    if rule.fixed is not None:
        yield f"{name} is always {either([rule.fixed])}; a request may repeat it."
    elif rule.allow:
        yield f"{name} may be a value that matches {either(rule.allow)}."
    elif rule.default is None:
        yield f"{name} may not have any value, as nothing is allowed."
    if rule.default is not None:
        only = "" if rule.allow else ", and may be nothing else"
        yield f"{name} is {either([rule.default])} where a request does not give it{only}."
    if rule.deny:
        yield f"{name} is never a value that matches {either(rule.deny)}."
    if rule.required:
        yield f"A request without {name} is denied."
    if rule.must_be_in_sans:
        yield f"{name} must also be one of the alternative names."
    if rule.max is not None:
        yield f"{name} may stand at most {number(rule.max, 'time')}."
    yield from rest(rule, f"subject.{name}", _ATTRIBUTE)


def san_sentences(spec: IssuancePolicySpec) -> Iterator[str]:
    """Yield which alternative names there may be."""
    sans = spec.sans
    if sans.min:
        yield f"A request must have at least {number(sans.min, 'alternative name')}."
    if sans.max is not None:
        yield f"A request may have at most {number(sans.max, 'alternative name')} over all types."
    absent = []
    for field, words in _KINDS.items():
        rules = getattr(sans, field)
        if rules is None:
            absent.append(words)
        else:
            yield from _type(f"sans.{SanRules.model_fields[field].alias}", words, rules)
    for oid, rules in sans.other_name.items():
        yield from _type(f"sans.otherName.{oid}", f"other names of type {oid}", rules)
    absent.append("further other names" if sans.other_name else "other names")
    yield f"There may be no {either(absent, quote=False)}."
    yield from rest(sans, "sans", ("min", "max", "other_name", *_KINDS))


def _type(path: str, words: str, rules: Any) -> Iterator[str]:
    """Yield what the rules for one type of names say; each type has some of these fields."""
    allow = [_entry(entry) for entry in rules.allow]
    spiffe = getattr(rules, "spiffe", None)
    beside = "Other " if spiffe else ""
    if spiffe is not None:
        yield from _spiffe(spiffe)
    if allow:
        yield _begun(f"{beside}{words} may be asked for that match {either(allow, quote=False)}.")
    else:
        yield _begun(f"no {beside.lower()}{words} may be asked for, as the list is empty.")
    if getattr(rules, "deny", ()):
        denied = either(map(_entry, rules.deny), quote=False)
        yield _begun(f"{words} that match {denied} are denied, whatever is allowed.")
    yield from _wildcards(rules)
    if getattr(rules, "special", ()):
        also = either((_SPECIAL.get(name, name) for name in rules.special), quote=False, last="and")
        yield f"The stars of patterns also allow {also}."
    if rules.required:
        yield f"A request without {words} is denied."
    if rules.max is not None:
        yield _begun(f"{words}: at most {rules.max}.")
    told = ("allow", "deny", "wildcards", "special", "required", "max", "spiffe")
    yield from rest(rules, path, told)


def _spiffe(spiffe: Any) -> Iterator[str]:
    paths = either(spiffe.paths)
    yield (
        f"SPIFFE IDs may be asked for in the trust domain {spiffe.trust_domain}, with paths that"
        f" match {paths}; a certificate with one has no other URI."
    )
    yield from rest(spiffe, "sans.uri.spiffe", ("trust_domain", "paths"))


def _wildcards(rules: Any) -> Iterator[str]:
    wildcards = getattr(rules, "wildcards", None)
    if wildcards is None:
        return
    if isinstance(wildcards, bool):
        yield "Wildcard names (*.…) " + ("may be asked for." if wildcards else "are denied.")
    else:
        yield f"Wildcard names (*.…) may be asked for that match {either(wildcards)}."


def _entry(entry: object) -> str:
    """Return an entry of a list: a pattern, or a directory name's attributes with theirs."""
    if isinstance(entry, str):
        return either([entry])
    if isinstance(entry, BaseModel):
        entry = entry.model_dump(by_alias=True, exclude_unset=True)
    pairs: Iterable[tuple[str, object]] = entry.items() if hasattr(entry, "items") else ()
    return "{" + ", ".join(f"{key}: {_values(value)}" for key, value in pairs) + "}"


def _values(value: object) -> str:
    values = value if isinstance(value, list | tuple) else [value]
    return either(map(str, values))


def _begun(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]
