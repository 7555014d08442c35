"""Whatever request and policy: what is allowed, an independent reader finds allowed too.

The reader works on the policy as plain data and on the template that came out; it knows nothing of
the rules, and matches by the naive matcher.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import event, given, settings
from hypothesis import strategies as st
from naive_matcher import naive
from policy_material import ISSUING, case, csr

from gitca.policy.case import Case, Verdict
from gitca.policy.evaluate import evaluate
from gitca.x509.attributes import ATTRIBUTE_NAMES
from gitca.x509.template import CertificateTemplate, GeneralName

Data = dict[str, Any]

_DNS = [
    "a.x.internal",
    "b.x.internal",
    "A.x.internal",
    "a.b.x.internal",
    "x.internal",
    "*.x.internal",
    "*.b.x.internal",
    "a.y.internal",
    "*",
]
_IP = ["10.1.2.3", "10.9.9.9", "192.0.2.1", "fd00::1", "::ffff:10.1.2.3"]
_URI = [
    "spiffe://x.internal/a",
    "spiffe://x.internal/a/b",
    "spiffe://x.internal/a/..",
    "spiffe://y.internal/a",
    "https://x.internal:8443/a",
    "https://a.x.internal/%61",
]
_EMAIL = ["a@x.internal", "A@x.internal", "b@y.internal", "a@a.x.internal"]
_VALUES = [
    "a.x.internal",
    "A.x.internal",
    "*.x.internal",
    "Team A",
    "Example",
    "GB",
    "system:masters",
    "*",
]
_ATTRIBUTES = ["commonName", "organization", "organizationalUnit", "country", "email"]
_KINDS = ["dns", "ip", "uri", "email"]
_KEY_USAGES = [
    "digitalSignature",
    "keyEncipherment",
    "keyAgreement",
    "encipherOnly",
    "nonRepudiation",
]
_EXTENDED = ["serverAuth", "clientAuth", "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.3"]
_EXTENDED_OIDS = {"serverAuth": "1.3.6.1.5.5.7.3.1", "clientAuth": "1.3.6.1.5.5.7.3.2"}

_PATTERNS = {
    "dns": ["**.internal", "*.x.internal", "a*.x.internal", "*.b.x.internal", "b.x.internal", "*"],
    "ip": ["0.0.0.0/0", "10.0.0.0/8", "10.1.2.3", "::/0", "fd00::/8"],
    "uri": ["spiffe://x.internal/*", "spiffe://x.internal/**", "spiffe://*.internal/a"],
    "email": ["*@x.internal", "*@**.internal", "a@x.internal"],
}  # fmt: skip
_VALUE_PATTERNS = ["*", "**", "Team *", "**.internal", "Example", "G*"]

_CSRS = [
    csr(),
    csr(key="RSA-2048"),
    csr(key="RSA-1024"),
    csr(key="Ed25519"),
    csr((("commonName", "a.x.internal"),)),
    csr((("commonName", "a.x.internal"), ("organization", "system:masters"))),
    csr((("commonName", "a.x.internal"),), ("dns:a.x.internal", "ip:10.1.2.3")),
    csr((), ("dns:*.x.internal",)),
    csr((), ("dns:a.x.internal", "upn:a@x.internal")),
    csr((), ("uri:spiffe://x.internal/a", "email:a@x.internal")),
]
_CONSTRAINTS: list[Data] = [
    {},
    {"permitted": {"dns": ["x.internal"]}},
    {"permitted": {"dns": ["b.x.internal"]}, "excluded": {"ip": ["10.9.0.0/16"]}},
    {"excluded": {"dns": ["a.x.internal"], "email": ["y.internal"]}},
]


def _some(items: list[str], *, most: int = 3) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(items), max_size=most, unique=True)


def _optional(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Data]:
    return st.fixed_dictionaries({}, optional=parts)


def _names(kind: str) -> st.SearchStrategy[Data]:
    more = {"wildcards": st.booleans()} if kind == "dns" else {}
    return st.fixed_dictionaries(
        {"allow": _some(_PATTERNS[kind], most=3)},
        optional={
            "deny": _some(_PATTERNS[kind], most=1),
            "required": st.booleans(),
            "max": st.integers(0, 3),
            **more,
        },
    )


_attribute_rules = st.one_of(
    st.fixed_dictionaries({"fixed": st.sampled_from(["Example", "GB", "a.x.internal"])}),
    st.fixed_dictionaries(
        {"allow": _some(_VALUE_PATTERNS)},
        optional={
            "default": st.sampled_from(["Example", "GB"]),
            "required": st.booleans(),
            "mustBeInSans": st.booleans(),
        },
    ),
)


def _usages(names: list[str]) -> st.SearchStrategy[Data]:
    return _some(names).flatmap(
        lambda default: _optional(
            default=st.just(default),
            allow=_some(names).map(lambda more: list(dict.fromkeys([*default, *more]))),
        )
    )


_policies = st.fixed_dictionaries(
    {
        "issuer": st.just("issuing"),
        "subject": st.dictionaries(st.sampled_from(_ATTRIBUTES), _attribute_rules, max_size=4),
        "sans": _optional(**{kind: _names(kind) for kind in _KINDS}),
        "key": st.lists(
            st.sampled_from(
                [
                    {"type": "ecdsa", "curves": ["P-256"]},
                    {"type": "rsa", "minBits": 2048},
                    {"type": "ed25519"},
                ]
            ),
            max_size=3,
        ).map(lambda algorithms: {"algorithms": algorithms}),
        "validity": st.sampled_from(
            [
                {"default": "30d", "max": "90d", "backdate": "5m"},
                {"default": "30d", "max": "30d", "min": "12h"},
            ]
        ),
        "keyUsage": _usages(_KEY_USAGES),
        "extendedKeyUsage": _usages(_EXTENDED),
        "namesFrom": st.sampled_from(["request", "request", "request", "csr"]),
        "selector": st.sampled_from(
            [{"paths": ["**"]}, {"paths": ["payments/*"]}, {"paths": ["x"]}]
        ),
    }
)
_requests = st.fixed_dictionaries(
    {"policy": st.just("internal-server"), "csrFile": st.just("api.csr")},
    optional={
        "subject": st.dictionaries(
            st.sampled_from(_ATTRIBUTES),
            st.lists(st.sampled_from(_VALUES), min_size=1, max_size=2),
            max_size=2,
        ),
        "sans": _optional(dns=_some(_DNS), ip=_some(_IP), uri=_some(_URI), email=_some(_EMAIL)),
        "validity": st.sampled_from(["1d", "12h", "1h", "30d", "90d", "91d", "10y"]),
        "keyUsage": _some(_KEY_USAGES),
        "extendedKeyUsage": _some(_EXTENDED),
    },
)


_GENEROUS: Data = {
    "subject": {
        "commonName": {"allow": ["**"]},
        "organization": {"allow": ["**"]},
        "organizationalUnit": {"default": "Example", "allow": ["Team *", "**.internal"]},
        "email": {"allow": ["*"]},
    },
    "sans": {
        "dns": {"allow": ["**"], "wildcards": True},
        "ip": {"allow": ["0.0.0.0/0", "::/0"], "deny": ["10.9.0.0/16"]},
        "uri": {"allow": ["spiffe://*.internal/**"]},
        "email": {"allow": ["*@**.internal"]},
    },
    "key": {
        "algorithms": [{"type": "ecdsa", "curves": ["P-256"]}, {"type": "rsa", "minBits": 2048}]
    },
    "validity": {"default": "30d", "max": "90d"},
    "keyUsage": {"default": ["digitalSignature"], "allow": _KEY_USAGES},
    "extendedKeyUsage": {"default": ["serverAuth"], "allow": ["serverAuth", "clientAuth"]},
    "namesFrom": "request",
    "selector": {"paths": ["**"]},
}
_MODEST: Data = {"sans": {"dns": ["a.x.internal"]}}


def _nearly(
    usual: Data, drawn: st.SearchStrategy[Data], parts: list[str]
) -> st.SearchStrategy[Data]:
    """Return what is usual, with one or two of the parts as drawn."""
    names = st.lists(st.sampled_from(parts), min_size=1, max_size=2)
    return st.tuples(drawn, names).map(
        lambda both: {**usual, **{k: v for k, v in both[0].items() if k in both[1]}}
    )


_near_policies = _nearly(_GENEROUS, _policies, [*_GENEROUS, "subject", "subject", "sans", "sans"])
_near_requests = _nearly(
    _MODEST,
    _requests,
    ["subject", "subject", "sans", "sans", "sans", "validity", "keyUsage", "extendedKeyUsage"],
)
_situations = st.one_of(
    st.tuples(_near_policies, st.just(_MODEST)),
    st.tuples(_near_policies, st.just(_MODEST)),
    st.tuples(st.just(_GENEROUS), _near_requests),
    st.tuples(st.just(_GENEROUS), _near_requests),
    st.tuples(_near_policies, _near_requests),
    st.tuples(_policies, _requests),
)


def _document(kind: str, spec: Data) -> str:
    return json.dumps({"apiVersion": "gitca/v1", "kind": kind, "spec": spec})


class Reader:
    """Says what a template says that the policy does not allow."""

    def __init__(self, case: Case, policy: Data, verdict: Verdict) -> None:
        assert verdict.template is not None
        self.case = case
        self.policy = policy
        self.template: CertificateTemplate = verdict.template
        self.verdict = verdict

    def objections(self) -> Iterator[str]:
        yield from self._subject()
        yield from self._sans()
        yield from self._usages()
        yield from self._rest()
        yield from self._constraints()

    def _subject(self) -> Iterator[str]:
        sans = {name.value for name in self.template.sans}
        for attribute in self.template.subject:
            name = ATTRIBUTE_NAMES[attribute.oid]
            rule = self.policy["subject"].get(name)
            if rule is None:
                yield f"{name} is not mentioned"
            elif "fixed" in rule:
                if attribute.value != rule["fixed"]:
                    yield f"{name} is not the fixed value"
            elif attribute.value != rule.get("default") and not self._value(name, attribute.value):
                yield f"{name} {attribute.value} is not allowed"
            must = bool(rule and rule.get("mustBeInSans"))
            if must and not {attribute.value, attribute.value.lower()} & sans:
                yield f"{name} {attribute.value} is not in the sans"
        stated = [ATTRIBUTE_NAMES[attribute.oid] for attribute in self.template.subject]
        for name, rule in self.policy["subject"].items():
            if rule.get("required") and name not in stated:
                yield f"{name} is missing"

    def _value(self, name: str, value: str) -> bool:
        if name == "commonName" and value.startswith("*."):
            wildcards = self.policy["sans"].get("dns", {}).get("wildcards", False)
            value = value.replace("*", "q") if wildcards else value
        return any(
            naive(pattern, value, separators=".")
            for pattern in self.policy["subject"][name].get("allow", [])
        )

    def _sans(self) -> Iterator[str]:
        for name in self.template.sans:
            rules = self.policy["sans"].get(name.kind)
            if rules is None:
                yield f"{name} is of a type that is not mentioned"
                continue
            concrete = self._concrete(name)
            if concrete != [name.value] and not rules.get("wildcards"):
                yield f"{name} is a wildcard"
            for value in concrete:
                if not any(self._fits(name.kind, entry, value) for entry in rules["allow"]):
                    yield f"{name} is not allowed"
                if any(self._fits(name.kind, entry, value) for entry in rules.get("deny", [])):
                    yield f"{name} is denied"
        for kind, rules in self.policy["sans"].items():
            count = sum(name.kind == kind for name in self.template.sans)
            if count > rules.get("max", count) or (rules.get("required") and not count):
                yield f"{count} names of type {kind}"
        if len(set(self.template.sans)) != len(self.template.sans):
            yield "a name stands twice"

    @staticmethod
    def _concrete(name: GeneralName) -> list[str]:
        if name.kind == "dns" and name.value.startswith("*."):
            return [label + name.value[1:] for label in ("a", "b", "zz9", "ab")]
        return [name.value]

    @staticmethod
    def _fits(kind: str, entry: str, value: str) -> bool:
        if kind == "ip":
            return ipaddress.ip_address(value) in ipaddress.ip_network(entry)
        if kind == "uri" and "*" in entry and ("%" in value or "/.." in value):
            return False
        separators = {"dns": ".", "uri": "./:?#@", "email": "@"}[kind]
        return naive(entry, value, separators=separators)

    def _usages(self) -> Iterator[str]:
        for field, stated in (
            ("keyUsage", self.template.key_usage),
            ("extendedKeyUsage", self.template.extended_key_usage),
        ):
            rules = self.policy[field]
            listed = [*rules.get("default", []), *rules.get("allow", [])]
            oids = {_EXTENDED_OIDS.get(usage, usage) for usage in listed}
            if set(stated) - oids or (rules.get("default") and not stated):
                yield f"{field} {stated} is not allowed"
            if len(set(stated)) != len(stated):
                yield f"{field} stands twice"
        key = serialization.load_der_public_key(self.template.spki_der)
        if "keyEncipherment" in self.template.key_usage and not isinstance(key, rsa.RSAPublicKey):
            yield "keyEncipherment without RSA"
        if "keyAgreement" in self.template.key_usage and not isinstance(
            key, ec.EllipticCurvePublicKey
        ):
            yield "keyAgreement without EC"

    def _rest(self) -> Iterator[str]:
        durations = {"1d": 24, "30d": 720, "90d": 2160, "12h": 12}
        rules = self.policy["validity"]
        hours = self.verdict.validity / timedelta(hours=1)
        if not durations.get(rules.get("min", ""), 0) <= hours <= durations[rules["max"]]:
            yield f"validity {hours}h"
        if self.template.spki_der != self.case.csr.spki_der:
            yield "another key"
        if self.template.basic_constraints or self.template.name_constraints:
            yield "it is a CA"
        if not self.template.subject and not self.template.sans:
            yield "no name"
        if self.policy["selector"]["paths"] == ["x"]:
            yield "the policy does not select the request"
        if not any(map(self._covers, self.policy["key"]["algorithms"])):
            yield "the key is not allowed"
        csr_names = {str(name) for name in self.case.csr.sans}
        if csr_names - {str(name) for name in self.template.sans} or self.case.csr.other_names:
            yield "the CSR names what the certificate does not"

    def _covers(self, algorithm: Data) -> bool:
        key = serialization.load_der_public_key(self.template.spki_der)
        if isinstance(key, rsa.RSAPublicKey):
            return algorithm["type"] == "rsa" and key.key_size >= algorithm["minBits"]
        if isinstance(key, ec.EllipticCurvePublicKey):
            return algorithm["type"] == "ecdsa" and key.curve.name == "secp256r1"
        return algorithm["type"] == "ed25519" and isinstance(key, ed25519.Ed25519PublicKey)

    def _constraints(self) -> Iterator[str]:
        issuer = self.case.issuer
        constraints = issuer.template.name_constraints if issuer else None
        if constraints is None:
            return
        for name in self.template.sans:
            permitted = [base.value for base in constraints.permitted if base.kind == name.kind]
            excluded = [base.value for base in constraints.excluded if base.kind == name.kind]
            for value in self._concrete(name):
                if permitted and not any(self._below(name.kind, value, base) for base in permitted):
                    yield f"{name} is not permitted by the CA"
                if any(self._below(name.kind, value, base) for base in excluded):
                    yield f"{name} is excluded by the CA"

    @staticmethod
    def _below(kind: str, value: str, base: str) -> bool:
        if kind == "ip":
            return ipaddress.ip_address(value) in ipaddress.ip_network(base)
        if kind == "email":
            return value.rpartition("@")[2] == base
        return f".{value}".endswith(f".{base}")


@settings(max_examples=1200)
@given(
    situation=_situations,
    csr_bytes=st.one_of(st.just(csr()), st.just(csr()), st.sampled_from(_CSRS)),
    constraints=st.one_of(st.just({}), st.just({}), st.sampled_from(_CONSTRAINTS)),
)
def test_what_is_allowed_says_nothing_that_the_policy_does_not_allow(
    situation: tuple[Data, Data], csr_bytes: bytes, constraints: Data
) -> None:
    policy = {"issuer": "issuing", **situation[0]}
    request = {"policy": "internal-server", "csrFile": "api.csr", **situation[1]}
    issuing = ISSUING
    if constraints:
        issuing += f"  nameConstraints: {json.dumps(constraints)}\n"
    judged = case(
        _document("CertificateRequest", request),
        policy=_document("IssuancePolicy", policy),
        issuing=issuing,
        csr_bytes=csr_bytes,
    )
    verdict = evaluate(judged)
    event("denied" if verdict.is_denied else "allowed")
    if verdict.is_denied:
        return
    assert list(Reader(judged, policy, verdict).objections()) == []
