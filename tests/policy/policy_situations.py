"""What the property is about: a policy and a request, nearly always within a theme of theirs.

A theme is one part of the language. The policy says of it whatever the grammar lets it say, the
request asks for what is about that part, and all else is generous: what is allowed is allowed, or
denied, because of the theme.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from policy_grammar import (
    ALGORITHMS,
    EXTENDED,
    KEY_USAGES,
    LEVEL,
    OTHER,
    POLICY_PARTS,
    REQUEST_PARTS,
    SAN_RULES,
    SAN_VALUES,
    SPECIAL,
    TEAM,
    TOTALS,
    UPN,
    WIDEST,
    Data,
    optional,
    some,
)

GENEROUS: Data = {
    "subject": {
        "commonName": {"allow": ["**"]},
        "organization": {"allow": ["**"]},
        "organizationalUnit": {"default": "Example", "allow": ["Team *", "**.internal"]},
        "email": {"allow": ["**"]},
        "2.5.4.13": {"allow": ["**"]},
    },
    "sans": {
        "dns": {"allow": WIDEST["dns"], "wildcards": True, "special": SPECIAL},
        "ip": {"allow": ["0.0.0.0/0", "::/0"], "deny": ["10.9.0.0/16"]},
        "uri": {"allow": WIDEST["uri"]},
        "email": {"allow": ["*@**.internal"]},
        "otherName": {UPN: {"allow": ["*@**.internal"]}, OTHER: {"allow": ["**"]}},
        "directoryName": {
            "allow": [{"commonName": "**"}, {"organization": "**", "commonName": "**"}]
        },
        "registeredID": {"allow": ["1.3.6.1.4.1.99999.**"]},
    },
    "key": {"algorithms": [*ALGORITHMS[:4], *ALGORITHMS[5:]]},
    "validity": {
        "default": "30d",
        "max": "90d",
        "backdate": "5m",
        "requestDates": ["notBefore", "notAfter"],
    },
    "keyUsage": {"default": ["digitalSignature"], "allow": KEY_USAGES},
    "extendedKeyUsage": {"default": ["serverAuth"], "allow": EXTENDED},
    "extensions": {
        "allow": [{"oid": TEAM}, {"oid": LEVEL, "critical": True}],
        "fromRequest": [{"oid": TEAM}],
    },
    "ca": {"pathLength": {"max": 1}, "nameConstraints": {"required": False}},
}
MODEST: Data = {"sans": {"dns": ["a.x.internal"]}}

CSRS = ("plain", "RSA-2048", "RSA-1024", "RSA-2048-e3", "P-384", "Ed25519", "ML-DSA-65",
        "named", "masters", "wildcard", "other", "foreign", "multi-valued", "extension",
        "critical", "broken", "leaky")  # fmt: skip
"""CSRs by what is special about them; the test makes them."""
CONSTRAINTS: list[tuple[Data, Data]] = [
    ({}, {}),
    ({"dns": ["x.internal"]}, {}),
    ({"dns": ["b.x.internal"]}, {"ip": ["10.9.0.0/16"]}),
    ({}, {"dns": ["a.x.internal"], "email": ["y.internal"]}),
]
"""Name constraints of the CA: permitted and excluded."""


@dataclass(frozen=True)
class Drawn:
    """One policy, one request, and the CA; `names_in_csr`: all names are the CSR's to state."""

    policy: Data
    request: Data
    csr: str = "plain"
    names_in_csr: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    constraints: tuple[Data, Data] = ({}, {})
    path_length: int = 2
    days: int = 1000
    truncates: bool = False


_labels = st.sampled_from(
    [{"team": "A"}, {}, {"team": "*"}, {"team": "a", "star": "*"}, {"star": "**"}]
)
_constraints = st.sampled_from([CONSTRAINTS[0], *CONSTRAINTS])


@st.composite
def _names_theme(draw: st.DrawFn) -> Drawn:
    """One type of alternative name."""
    kind = draw(st.sampled_from(["dns", "dns", *SAN_RULES]))
    rule, names = draw(SAN_RULES[kind]), draw(SAN_VALUES[kind])
    from_csr = draw(st.sampled_from([False, False, True]))
    return Drawn(
        {
            **GENEROUS,
            "sans": {**GENEROUS["sans"], kind: rule},
            "namesFrom": "csr" if from_csr else "request",
        },
        {"sans": {kind: names}},
        names_in_csr=from_csr,
        labels=draw(_labels),
        constraints=draw(_constraints),
    )


@st.composite
def _subject_theme(draw: st.DrawFn) -> Drawn:
    """The subject, and the number of all names."""
    rules, totals = draw(POLICY_PARTS["subject"]), draw(optional(**TOTALS))
    asked = draw(optional(subject=REQUEST_PARTS["subject"], sans=optional(dns=SAN_VALUES["dns"])))
    from_csr = draw(st.sampled_from([False, False, True]))
    return Drawn(
        {
            **GENEROUS,
            "subject": rules if draw(st.booleans()) else {**GENEROUS["subject"], **rules},
            "sans": {**GENEROUS["sans"], **totals},
            "namesFrom": "csr" if from_csr else "request",
        },
        {**MODEST, **asked},
        names_in_csr=from_csr,
        labels=draw(_labels),
        constraints=draw(_constraints),
    )


_PARTS: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [
    *3 * [("validity", ("validity", "notBefore", "notAfter"), ("plain",))],
    *2 * [("keyUsage", ("keyUsage",), ("plain", "plain", "RSA-2048", "Ed25519"))],
    *2 * [("extendedKeyUsage", ("extendedKeyUsage",), ("plain",))],
    *2 * [("extensions", ("extensions",), ("plain", "extension", "critical", "broken"))],
    ("key", (), CSRS[:7]),
    *2 * [("namesFrom", ("subject",), CSRS[7:])],
    ("namesFrom", ("subject", "sans"), CSRS[7:]),
    ("selector", (), ("plain",)),
    ("rules", ("extendedKeyUsage", "validity"), ("plain",)),
    ("requestSchema", (), ("plain",)),
]
"""Parts of a policy, with the parts of requests and the CSRs that they judge."""


@st.composite
def _parts_theme(draw: st.DrawFn) -> Drawn:
    """One part of a policy, with the parts of requests and CSRs that it judges."""
    part, asked, csrs = draw(st.sampled_from(_PARTS))
    request = draw(optional(**{name: REQUEST_PARTS[name] for name in asked}))
    if "notAfter" in request:
        request.pop("validity", None)
    return Drawn(
        {**GENEROUS, part: draw(POLICY_PARTS[part])},
        {**MODEST, **request},
        csr=draw(st.sampled_from(csrs)),
        labels=draw(_labels),
        days=draw(st.sampled_from([1000, 20])) if part == "validity" else 1000,
        truncates=draw(st.booleans()),
    )


@st.composite
def _authority_theme(draw: st.DrawFn) -> Drawn:
    """A CA that is asked for, now and then by the name of the CA that issues, or without one."""
    own = {"commonName": "Example Issuing CA", "organization": "Example"}
    # Without the default of a unit, which would be part of every name.
    policy = {**GENEROUS, "subject": {name: {"allow": ["**"]} for name in GENEROUS["subject"]}}
    if draw(st.sampled_from([True, True, True, False])):
        policy["ca"] = draw(POLICY_PARTS["ca"])
    else:
        policy.pop("ca")
    if draw(st.sampled_from([False, False, True])):
        policy["keyUsage"] = draw(POLICY_PARTS["keyUsage"])
    return Drawn(
        policy,
        {
            "sans": {"dns": ["b.x.internal"]},
            "subject": draw(st.sampled_from([*3 * [{"commonName": "A"}], own, {}])),
            "ca": draw(REQUEST_PARTS["ca"]),
        },
        constraints=draw(_constraints),
        path_length=draw(st.sampled_from([2, 2, 1, 0])),
    )


@st.composite
def _anything(draw: st.DrawFn) -> Drawn:
    """Some parts of all."""
    policy = _some_parts(draw, GENEROUS, POLICY_PARTS)
    request = _some_parts(draw, MODEST, REQUEST_PARTS)
    if "notAfter" in request:
        request.pop("validity", None)
    return Drawn(
        policy,
        request,
        csr=draw(st.sampled_from(CSRS)),
        labels=draw(_labels),
        constraints=draw(_constraints),
        path_length=draw(st.sampled_from([2, 0])),
        days=draw(st.sampled_from([1000, 20])),
        truncates=draw(st.booleans()),
    )


def _some_parts(draw: st.DrawFn, usual: Data, drawn: dict[str, st.SearchStrategy[Any]]) -> Data:
    return {**usual, **{part: draw(drawn[part]) for part in draw(some(sorted(drawn)))}}


situations = st.one_of(
    _names_theme(),
    _names_theme(),
    _subject_theme(),
    _parts_theme(),
    _parts_theme(),
    _parts_theme(),
    _authority_theme(),
    _authority_theme(),
    _anything(),
)
