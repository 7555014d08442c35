"""What a rule holds documents to, in a sentence, for reports that explain the rules they name."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType

from gitca.policy.rule_names import rule_names

# By the first parts of a rule's name, the longest first that fits; what policies judge is said by
# the rules themselves.
_FAMILIES: Mapping[str, str] = MappingProxyType(
    {
        "authority.life": "A CA lasts as long as what may be issued from it today.",
        "authority.retired": "A CA that signs no CRL any more has no certificate alive.",
        "authority": "A CA's document asks for what can be made, by whom may make it.",
        "blocklist": "A key that a blocklist refuses is on no certificate that stands.",
        "certificate": "A certificate that was given from outside is what its document says.",
        "change.issued": "A change leaves issued/ alone, which gitca alone writes.",
        "change": "A change does not alter what judges it.",
        "crl.lapse": "A CRL is refreshed before it lapses, and before the next scheduled run.",
        "crl.revocation-date": "A CRL is no older than the revocations that it lists.",
        "crl.unlisted": "What is revoked stands on a CRL.",
        "csr": "A certificate request in PKCS #10 is well-formed, and signed by its own key.",
        "document": "A document is one that gitca knows: its kind, its keys, their types.",
        "issuer": "The CA that answers may issue what is asked for.",
        "key": "A key is one that may be certified.",
        "leafBeyondIssuer": "A certificate ends with its CA at the latest.",
        "lint": "The exact bytes of a certificate have none of the flaws that a linter knows.",
        "order.ahead": "An order is dated no later than now.",
        "order": "An order is signed within a day.",
        "path": "A path is a name: each folder and file can be one.",
        "policy": "A policy can do what it says, and says what it does.",
        "renewal": "A certificate that is due can be made anew on its key.",
        "repository": "The repository's settings can be followed.",
        "request.revoked": "A request asks for no certificate that was revoked.",
        "request": "A request names a policy that there is.",
        "revocation": "A revocation names what can be revoked.",
        "tests": "A policy's tests pass.",
        "validity": "A certificate is valid no longer than is allowed.",
        "waiver": "A waiver is needed, is in force, and is for a request that there is.",
        "yaml": "A document is in the safe subset of YAML that gitca reads.",
    }
)


@functools.lru_cache(maxsize=1024)
def rule_sentence(rule: str) -> str:
    """Return what holds where a rule has no finding."""
    for name in rule_names():
        if name.is_exactly(rule):
            return name.sentence[:1].upper() + name.sentence[1:]
    parts = rule.split(".")
    for count in range(len(parts), 0, -1):
        family = ".".join(parts[:count])
        if family in _FAMILIES:
            return _FAMILIES[family]
    return f"The documents keep to the rule {rule}."
