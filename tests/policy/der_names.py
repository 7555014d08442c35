"""What the names in a certificate's DER say that policy, request and CA do not allow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import naive_names
from der_certificate import SAMPLES, UPN, Evidence
from der_facts import (
    OIDS,
    attributes,
    by_oid,
    folded,
    sans_of,
    stated_attributes,
    stated_sans,
)
from naive_names import Data, allowed, concrete, denied, dns_objections, may_certify


class NameReader(Evidence):
    """Says which names a certificate has that it should not, or lacks."""

    def _subject(self) -> Iterator[str]:
        rules = {OIDS[name]: rule for name, rule in self.policy["subject"].items()}
        for oid, value in self.subject:
            rule = rules.get(oid)
            if rule is None:
                yield f"{oid} is not mentioned"
                continue
            given = rule.get("fixed", rule.get("default"))
            if value != given and ("fixed" in rule or not self._value_allowed(oid, rule, value)):
                yield f"{oid} {value} is not allowed"
            if denied("text", rule.get("deny", []), value):
                yield f"{oid} {value} is denied"
            if rule.get("mustBeInSans") and not self._is_san(value):
                yield f"{oid} {value} is no alternative name"
        yield from self._attribute_counts(rules)

    def _attribute_counts(self, rules: Data) -> Iterator[str]:
        counts = Counter(oid for oid, _ in self.subject)
        for oid, rule in rules.items():
            if counts[oid] > rule.get("max", 99) or (rule.get("required") and not counts[oid]):
                yield f"{oid} stands {counts[oid]} times"
        if len(set(self.subject)) != len(self.subject) or counts[OIDS["commonName"]] > 1:
            yield "an attribute stands twice"

    def _value_allowed(self, oid: str, rule: Data, value: str) -> bool:
        patterns = rule.get("allow", [])
        if oid == OIDS["commonName"] and value.startswith("*."):
            rules = self.policy["sans"].get("dns", {})
            wildcards = rules.get("wildcards", False)
            covered = wildcards is True or all(
                allowed("dns", wildcards or [], each, self.at.identity) for each in concrete(value)
            )
            return covered and all(
                allowed("dns", patterns, each, self.at.identity) for each in concrete(value)
            )
        return allowed("text", patterns, value, self.at.identity)

    def _is_san(self, value: str) -> bool:
        return any(kind in SAMPLES and value.lower() == text.lower() for kind, text in self.sans)

    def _sans(self) -> Iterator[str]:
        for kind, value in self.sans:
            rules, what = self._rules_of(kind, value)
            if rules is None:
                yield f"{kind} {value} is of a type that is not mentioned"
            elif kind == "dns":
                yield from dns_objections(rules, value, self.at.identity)
            elif kind == "directoryName":
                if not naive_names.directory_allowed(
                    [by_oid(each) for each in rules["allow"]], value, self.at.identity
                ):
                    yield f"{value} is not allowed"
                if naive_names.directory_denied(
                    [by_oid(each) for each in rules.get("deny", [])], value
                ):
                    yield f"{value} is denied"
            else:
                yield from self._name(kind, rules, what, value)
        if len(set(map(repr, self.sans))) != len(self.sans):
            yield "a name stands twice"

    def _rules_of(self, kind: str, value: Any) -> tuple[Data | None, str]:
        sans = self.policy["sans"]
        if kind != "otherName":
            return sans.get(kind), kind
        return sans.get(kind, {}).get(value[0]), "email" if value[0] == UPN else "text"

    def _name(self, kind: str, rules: Data, what: str, value: Any) -> Iterator[str]:
        text = value[1] if kind == "otherName" else value
        if kind == "uri" and text.startswith("spiffe:") and "spiffe" in rules:
            domain = rules["spiffe"]["trustDomain"]
            patterns = [f"spiffe://{domain}/{path}" for path in rules["spiffe"]["paths"]]
            if sum(each == "uri" for each, _ in self.sans) > 1:
                yield f"{text} is not the only URI"
        else:
            patterns = rules["allow"]
        if not allowed(what, patterns, text, self.at.identity):
            yield f"{kind} {text} is not allowed"
        if denied(what, rules.get("deny", []), text):
            yield f"{kind} {text} is denied"

    def _counts(self) -> Iterator[str]:
        sans = self.policy["sans"]
        kinds = Counter(kind if kind != "otherName" else value[0] for kind, value in self.sans)
        rules = {kind: sans[kind] for kind in sans if kind not in {"min", "max", "otherName"}}
        for kind, rule in {**rules, **sans.get("otherName", {})}.items():
            if kinds[kind] > rule.get("max", 99) or (rule.get("required") and not kinds[kind]):
                yield f"{kinds[kind]} names of type {kind}"
        if not sans.get("min", 0) <= len(self.sans) <= sans.get("max", 99):
            yield f"{len(self.sans)} names"
        if not self.sans and not self.subject:
            yield "no name"

    def _nothing_lost(self) -> Iterator[str]:
        """Yield what was asked for and is not there, and what the CSR says against it."""
        csr_sans, csr_subject = sans_of(self.csr), attributes(self.csr.subject)
        asked = csr_sans if self.from_csr else stated_sans(self.request.get("sans", {}))
        if Counter(map(folded, self.sans)) != Counter(map(folded, asked)):
            yield f"names {self.sans} where {asked} were asked for"
        stated = (
            csr_subject if self.from_csr else stated_attributes(self.request.get("subject", {}))
        )
        if Counter(stated) - Counter(self.subject):
            yield f"of {stated} the subject has {self.subject}"
        if csr_subject and Counter(csr_subject) - Counter(self.subject):
            yield "the CSR states another subject"
        if csr_sans and Counter(map(folded, csr_sans)) != Counter(map(folded, self.sans)):
            yield "the CSR states other names"

    def _issuer_constraints(self) -> Iterator[str]:
        for kind, value in self.sans:
            if kind not in SAMPLES:
                continue
            for each in concrete(value) if kind == "dns" else [value]:
                if not may_certify(self.at.constraints, kind, each):
                    yield f"{value} is outside of the CA's name constraints"
        for oid, value in self.subject:
            if oid == OIDS["email"] and not may_certify(self.at.constraints, "email", value):
                yield f"{value} is outside of the CA's name constraints"
