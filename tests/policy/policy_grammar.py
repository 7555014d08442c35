"""Requests and policies that hypothesis makes, within the grammar of the real documents.

Names are drawn from few words, so that requests and policies meet. What is drawn is plain data, and
becomes YAML for the real loader.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Data = dict[str, Any]

UPN = "1.3.6.1.4.1.311.20.2.3"
OTHER = "1.3.6.1.4.1.99999.3"
TEAM = "1.3.6.1.4.1.99999.7"
LEVEL = "1.3.6.1.4.1.99999.8"

TEXTS: dict[str, list[str]] = {
    "dns": [
        *("a.x.internal", "b.x.internal", "A.x.internal", "a.b.x.internal", "x.internal"),
        *("*.x.internal", "*.b.x.internal", "a.y.internal", "*", "localhost", "a.localhost"),
        *("host", "co.uk", "*.co.uk", "a.co.uk", "*.internal", "a.x.internal.", "api.x.internal"),
    ],
    "ip": ["10.1.2.3", "10.9.9.9", "192.0.2.1", "fd00::1", "::ffff:10.1.2.3"],
    "uri": [
        *("spiffe://x.internal/a", "spiffe://x.internal/a/b", "spiffe://x.internal/a/.."),
        *("spiffe://y.internal/a", "https://x.internal:8443/a", "https://a.x.internal/%61"),
        *("https://a.x.internal/a", "https://a.x.internal/a?b", "spiffe://x.internal/api"),
    ],
    "email": ["a@x.internal", "A@x.internal", "b@y.internal", "a@a.x.internal", "api@x.internal"],
    "otherName": ["a@x.internal", "b@y.internal", "A@x.internal", "Team A", "a.b", "*"],
    "registeredID": ["1.3.6.1.4.1.99999.1", "1.3.6.1.4.1.99999.1.2", "2.5.4.3"],
    "subject": [
        *("a.x.internal", "A.x.internal", "*.x.internal", "Team A", "Example", "GB", "*"),
        *("system:masters", "api", "a@x.internal", "10.1.2.3"),
    ],
}  # fmt: skip
PATTERNS: dict[str, list[str]] = {
    "dns": [
        *("**.internal", "*.x.internal", "a*.x.internal", "*.b.x.internal", "b.x.internal", "*"),
        *("**", "{path[-1]}.x.internal", "{labels.team}.x.internal", "localhost", "*.uk", "host"),
        "{labels.star}.x.internal",
    ],
    "ip": ["0.0.0.0/0", "10.0.0.0/8", "10.1.2.3", "::/0", "fd00::/8", "::ffff:0:0/96"],
    "uri": [
        *("spiffe://x.internal/*", "spiffe://x.internal/**", "spiffe://*.internal/a"),
        *("https://**.internal/*", "spiffe://x.internal/{path[-1]}", "https://x.internal:8443/a"),
    ],
    "email": ["*@x.internal", "*@**.internal", "a@x.internal", "{path[-1]}@x.internal"],
    "otherName": ["*@x.internal", "*@**.internal", "{labels.team}@x.internal"],
    "text": ["*", "**", "Team *", "**.internal", "Example", "G*", "Team {labels.team}"],
    "registeredID": ["1.3.6.1.4.1.99999.*", "1.3.6.1.4.1.99999.**", "2.5.4.3"],
    "subject": [
        *("*", "**", "Team *", "**.internal", "Example", "G*", "{path[-1]}", "{labels.star}"),
        *("Team {labels.team}", "a@**", "system:*"),
    ],
}  # fmt: skip
WIDEST: dict[str, list[str]] = {
    "dns": ["**"],
    "ip": ["0.0.0.0/0", "::/0"],
    "uri": ["spiffe://*.internal/**", "https://**.internal/**"],
    "email": ["*@**.internal"],
    "otherName": ["*@**.internal"],
    "text": ["**"],
    "registeredID": ["1.3.6.1.4.1.99999.**"],
}
ATTRIBUTES = ["commonName", "organization", "organizationalUnit", "country", "email", "2.5.4.13"]
KEY_USAGES = [
    *("digitalSignature", "keyEncipherment", "keyAgreement", "encipherOnly", "nonRepudiation"),
]  # fmt: skip
EXTENDED = ["serverAuth", "clientAuth", "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.3"]
SPECIAL = ["bareDomain", "localhost", "singleLabel", "publicSuffix"]
EXPRESSIONS = [
    "size(certificate.sans.dns) < 2",
    "request.labels.team == 'A'",
    "!certificate.isCa",
    "certificate.validity <= duration('720h')",
    "'clientAuth' in certificate.extendedKeyUsage",
]
TIMES = ["2026-11-26T00:00:00Z", "2026-12-20T00:00:00Z", "2027-02-20T00:00:00Z"]
ALGORITHMS: list[Data] = [
    {"type": "ecdsa", "curves": ["P-256"]},
    {"type": "ecdsa", "curves": ["P-384", "P-521"]},
    {"type": "rsa", "minBits": 2048},
    {"type": "rsa", "minBits": 3072},
    {"type": "rsa", "maxBits": 4096, "exponents": [65537, 65539]},
    {"type": "ed25519"},
    {"type": "ml-dsa", "parameterSets": ["ML-DSA-65"]},
]
SUBTREES: list[Data] = [
    {"dns": ["x.internal"]},
    {"dns": ["b.x.internal", "y.internal"]},
    {"dns": ["internal"], "ip": ["10.0.0.0/8"]},
    {"ip": ["10.9.0.0/16"]},
    {"email": ["x.internal"], "uri": [".internal"]},
]


def some(items: list[Any], *, least: int = 0, most: int = 3) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(items), min_size=least, max_size=most, unique_by=repr)


def optional(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Data]:
    return st.fixed_dictionaries({}, optional=parts)


def _plain(kind: str) -> list[str]:
    return [pattern for pattern in PATTERNS[kind] if "{" not in pattern]


def _names(kind: str, **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Data]:
    return st.fixed_dictionaries(
        {"allow": st.just(WIDEST[kind]) | some(PATTERNS[kind])},
        optional={
            "deny": some(_plain(kind), most=1),
            "required": st.booleans(),
            "max": st.integers(0, 3),
            **more,
        },
    )


_directory = st.fixed_dictionaries(
    {"allow": st.lists(st.sampled_from([
        {"commonName": "*"},
        {"organization": "Example", "commonName": "*"},
        {"commonName": "{labels.team}"},
        {"organizationalUnit": ["Team *", "*"]},
    ]), max_size=2, unique_by=repr)},
    optional={"deny": st.just([{"commonName": "root"}]), "max": st.integers(0, 1)},
)  # fmt: skip
SAN_RULES: dict[str, st.SearchStrategy[Any]] = {
    "dns": _names(
        "dns",
        wildcards=st.booleans() | some(PATTERNS["dns"], most=2),
        special=some(SPECIAL, most=4),
    ),
    "ip": _names("ip"),
    "uri": _names(
        "uri",
        spiffe=st.fixed_dictionaries(
            {
                "trustDomain": st.sampled_from(["x.internal", "x.internal", "y.internal"]),
                "paths": some(["*", "a", "**", "{path[-1]}"], most=2),
            }
        ),
    ),
    "email": _names("email"),
    "otherName": optional(**{UPN: _names("otherName"), OTHER: _names("text")}),
    "directoryName": _directory,
    "registeredID": _names("registeredID"),
}
"""Rules of a policy for one type of alternative name."""

SAN_VALUES: dict[str, st.SearchStrategy[Any]] = {
    **{kind: some(TEXTS[kind], least=1, most=2) for kind in ("dns", "ip", "uri", "email")},
    "otherName": st.lists(
        st.fixed_dictionaries(
            {"oid": st.sampled_from([UPN, OTHER]), "utf8": st.sampled_from(TEXTS["otherName"])}
        ),
        min_size=1,
        max_size=2,
    ),
    "directoryName": some(
        [
            {"commonName": "A"},
            {"commonName": "root"},
            {"commonName": "*"},
            {"organization": "Example", "commonName": "A"},
            {"organizationalUnit": ["Team A", "A"]},
        ],
        least=1,
        most=2,
    ),
    "registeredID": some(TEXTS["registeredID"], least=1, most=2),
}
"""What a request states of one type of alternative name."""

TOTALS = {"min": st.integers(0, 2), "max": st.integers(1, 3)}

_attribute_rules = st.one_of(
    st.fixed_dictionaries(
        {"fixed": st.sampled_from(["Example", "GB", "a.x.internal"])},
        optional={"mustBeInSans": st.booleans()},
    ),
    st.fixed_dictionaries(
        {"allow": some(PATTERNS["subject"])},
        optional={
            "deny": some(_plain("subject"), most=1),
            "default": st.sampled_from(["Example", "GB", "b.x.internal"]),
            "required": st.booleans(),
            "mustBeInSans": st.booleans(),
            "max": st.integers(0, 2),
        },
    ),
)


def _usages(names: list[str]) -> st.SearchStrategy[Data]:
    return some(names).flatmap(
        lambda default: optional(
            default=st.just(default),
            allow=some(names).map(lambda more: list(dict.fromkeys([*default, *more]))),
            required=st.just(default[:1]),
            critical=st.booleans(),
        )
    )


_value = st.sampled_from(
    [{"utf8": "A"}, {"utf8": "*"}, {"ia5": "b"}, {"integer": 7}, {"boolean": True},
     {"der": "BQA="}, {"der": "DAFB"}]
)  # fmt: skip
_stated_extensions = st.lists(
    st.fixed_dictionaries(
        {"oid": st.sampled_from([TEAM, LEVEL]), "value": _value},
        optional={"critical": st.booleans()},
    ),
    max_size=2,
)
_extension_rules = optional(
    certificatePolicies=st.just([{"oid": "1.3.6.1.4.1.99999.1", "cps": ["http://x.internal/cps"]}]),
    tlsFeature=st.just(["statusRequest"]),
    ocspNoCheck=st.booleans(),
    other=st.just([{"oid": LEVEL, "critical": False, "value": {"integer": 3}}]),
    allow=st.lists(
        st.fixed_dictionaries(
            {"oid": st.sampled_from([TEAM, LEVEL])},
            optional={
                "critical": st.booleans(),
                "values": some(["*", "A", "{labels.team}", "7", "true", "BQA=", "b"]),
            },
        ),
        max_size=2,
    ),
    fromRequest=st.lists(
        st.fixed_dictionaries(
            {"oid": st.sampled_from([TEAM, LEVEL])}, optional={"critical": st.booleans()}
        ),
        max_size=1,
    ),
)
_ca_rules = optional(
    pathLength=st.fixed_dictionaries({"max": st.integers(0, 2)}),
    nameConstraints=optional(
        required=st.booleans(),
        permitted=st.sampled_from(SUBTREES),
        excluded=st.sampled_from(SUBTREES),
    ),
)
_validity = st.fixed_dictionaries(
    {"default": st.sampled_from(["30d", "2d"]), "max": st.sampled_from(["90d", "30d"])},
    optional={
        "min": st.sampled_from(["12h", "2d"]),
        "backdate": st.sampled_from(["5m", "1h"]),
        "latestNotAfter": st.sampled_from(TIMES),
        "requestDates": some(["notBefore", "notAfter"], most=2),
        "beyondIssuer": st.sampled_from(["reject", "truncate"]),
        "windows": st.sampled_from([*3 * [[{"days": ["tue"]}]], [{"days": ["wed"]}]]),
    },
)
POLICY_PARTS: dict[str, st.SearchStrategy[Any]] = {
        "subject": st.dictionaries(st.sampled_from(ATTRIBUTES), _attribute_rules, max_size=4),
        "sans": optional(**SAN_RULES, **TOTALS),
        "key": st.fixed_dictionaries(
            {"algorithms": some(ALGORITHMS)},
            optional={"csrHashes": some(["sha256", "sha384"], most=2)},
        ),
        "validity": _validity,
        "keyUsage": _usages(KEY_USAGES),
        "extendedKeyUsage": _usages(EXTENDED),
        "extensions": _extension_rules,
        "namesFrom": st.sampled_from(["request", "request", "csr"]),
        "selector": st.sampled_from(
            [{"paths": ["**"]}, {"paths": ["payments/*"]}, {"paths": ["x"]},
             {"labels": {"team": "A"}}, {"labels": {"team": "?"}}]
        ),
        "rules": some(EXPRESSIONS, most=2).map(
            lambda texts: [
                {"name": f"rule{n}", "expression": text, "message": "as it says"}
                for n, text in enumerate(texts)
            ]
        ),
        "ca": _ca_rules,
        "requestSchema": st.sampled_from([{"required": ["metadata"]}, {"required": ["nothing"]}]),
    }  # fmt: skip


def _values(attribute: str) -> st.SearchStrategy[list[str]]:
    """Return values of an attribute, most of them such as it can have."""
    fitting = {"country": ["GB"], "email": ["a@x.internal", "A@x.internal", "b@y.internal"]}
    texts = fitting.get(attribute, TEXTS["subject"])
    return some(texts, least=1, most=1) | some(TEXTS["subject"], least=1, most=2)


REQUEST_PARTS: dict[str, st.SearchStrategy[Any]] = {
        "subject": st.lists(st.sampled_from(ATTRIBUTES), max_size=2, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: _values(name) for name in names})
    ),
    "sans": optional(**SAN_VALUES),
        "validity": st.sampled_from(["1d", "12h", "1h", "30d", "90d", "91d", "10y"]),
        "notBefore": st.sampled_from(TIMES),
        "notAfter": st.sampled_from(TIMES),
        "keyUsage": some(KEY_USAGES),
        "extendedKeyUsage": some(EXTENDED),
        "extensions": _stated_extensions,
        "ca": optional(
            pathLength=st.integers(0, 1),
            nameConstraints=optional(
                permitted=st.sampled_from(SUBTREES), excluded=st.sampled_from(SUBTREES)
            ).map(lambda names: names or {"permitted": SUBTREES[0]}),
        ),
    }  # fmt: skip
