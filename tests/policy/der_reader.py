"""An independent reader: what a certificate's DER says that policy, request and CA do not allow.

It reads the bytes with cryptography's parser and the documents as the plain data that they were
made of. Nothing of gitca is imported.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import naive_names
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from der_facts import (
    OIDS,
    attributes,
    by_oid,
    covers,
    encoded,
    folded,
    general_name,
    sans_of,
    stated_attributes,
    stated_sans,
    subtrees,
)
from naive_names import Data, Identity, allowed, concrete, denied, dns_objections, may_certify

EXTENDED = {"serverAuth": "1.3.6.1.5.5.7.3.1", "clientAuth": "1.3.6.1.5.5.7.3.2"}
UPN = "1.3.6.1.4.1.311.20.2.3"
BITS = {
    "digital_signature": "digitalSignature",
    "content_commitment": "nonRepudiation",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
}
HOURS = {"m": 1 / 60, "h": 1, "d": 24, "w": 168, "y": 8760}
MANAGED = {
    *("2.5.29.14", "2.5.29.35", "2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.17"),
    *("2.5.29.31", "1.3.6.1.5.5.7.1.1", "2.5.29.30", "2.5.29.32"),
}  # fmt: skip
SECOND = timedelta(seconds=1)
# What a CA could go on to certify, as far as the tests' name constraints tell names apart.
SAMPLES = {
    "dns": [
        *("x.internal", "a.x.internal", "b.x.internal", "a.b.x.internal", "y.internal"),
        *("internal", "z.internal", "example.com"),
    ],
    "ip": ["10.1.2.3", "10.9.1.1", "192.0.2.1", "fd00::1"],
    "email": ["a@x.internal", "a@y.internal", "a@a.x.internal"],
    "uri": ["https://x.internal/", "https://a.x.internal/", "https://example.com/"],
}  # fmt: skip


@dataclass(frozen=True)
class Situation:
    """All that a certificate is held against, as it was written; `constraints` are the CA's."""

    policy: Data
    request: Data
    identity: Identity
    csr_pem: bytes
    issuer_der: bytes
    constraints: tuple[Data, Data]
    truncates: bool
    now: datetime


def duration(text: str) -> timedelta:
    return timedelta(hours=int(text[:-1]) * HOURS[text[-1]])


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


class Reader:
    """Says what a certificate says that it should not."""

    def __init__(self, certificate_der: bytes, situation: Situation) -> None:
        self.certificate = x509.load_der_x509_certificate(certificate_der)
        self.issuer = x509.load_der_x509_certificate(situation.issuer_der)
        self.csr = x509.load_pem_x509_csr(situation.csr_pem)
        self.policy, self.request, self.at = situation.policy, situation.request, situation
        self.from_csr = self.policy.get("namesFrom") == "csr"

    def objections(self) -> Iterator[str]:
        for part in (
            *(self._selection, self._subject, self._sans, self._counts, self._nothing_lost),
            *(self._key, self._dates, self._usages, self._usages_of_keys, self._frame),
            *(self._extensions, self._authority, self._issuer_constraints, self._rules),
        ):  # fmt: skip
            yield from part()

    def _extension(self, kind: type[Any]) -> Any:
        try:
            return self.certificate.extensions.get_extension_for_class(kind).value
        except x509.ExtensionNotFound:
            return None

    @cached_property
    def subject(self) -> list[tuple[str, str]]:
        """The subject's attributes; an RDN of several is one that nobody can have asked for."""
        return attributes(self.certificate.subject)

    @cached_property
    def sans(self) -> list[tuple[str, Any]]:
        names = self._extension(x509.SubjectAlternativeName)
        return [general_name(name) for name in names or ()]

    def _selection(self) -> Iterator[str]:
        selector, schema = self.policy.get("selector", {}), self.policy.get("requestSchema")
        paths = selector.get("paths", ["**"])
        if not any(
            naive_names.naive(path, self.at.identity.name, separators="/") for path in paths
        ):
            yield "the policy does not select the request"
        for label, pattern in selector.get("labels", {}).items():
            if not naive_names.text(pattern, self.at.identity.labels.get(label, "")):
                yield f"the policy does not select label {label}"
        if schema and (schema["required"] != ["metadata"] or not self.at.identity.labels):
            yield "the request is not by the schema"

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

    def _key(self) -> Iterator[str]:
        form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        key, rules = self.certificate.public_key(), self.policy["key"]
        if key.public_bytes(*form) != self.csr.public_key().public_bytes(*form):
            yield "another key than that of the CSR"
        if not any(covers(rule, key) for rule in rules["algorithms"]):
            yield "the key is not allowed"
        digest = self.csr.signature_hash_algorithm
        if digest and digest.name not in rules.get("csrHashes", ["sha256", "sha384", "sha512"]):
            yield f"the CSR is signed with {digest.name}"

    def _dates(self) -> Iterator[str]:
        rules, now = self.policy["validity"], self.at.now
        begin = self.certificate.not_valid_before_utc
        end = self.certificate.not_valid_after_utc
        backdate = duration(rules["backdate"]) if "backdate" in rules else timedelta()
        stated = [field for field in ("notBefore", "notAfter") if field in self.request]
        if set(stated) - set(rules.get("requestDates", [])):
            yield f"{stated} may not be stated"
        earliest = max(now - backdate, self.issuer.not_valid_before_utc)
        wanted = max(earliest, moment(self.request.get("notBefore", "2000-01-01T00:00:00Z")))
        if begin != wanted:
            yield f"it begins on {begin}, not on {wanted}"
        last = begin + duration(self.request.get("validity", rules["default"])) - SECOND
        last = moment(self.request["notAfter"]) if "notAfter" in self.request else last
        if end != last and not (
            end == self.issuer.not_valid_after_utc < last
            and rules.get("beyondIssuer") == "truncate"
            and self.at.truncates
        ):
            yield f"it ends on {end}, not on {last}"
        if end - earliest + SECOND > duration(rules["max"]):
            yield f"it ends on {end}: later than the maximum"
        if "min" in rules and end - begin + SECOND < duration(rules["min"]):
            yield "it is too short"
        if end <= now or end > self.issuer.not_valid_after_utc:
            yield f"it ends on {end}"
        if "latestNotAfter" in rules and end > moment(rules["latestNotAfter"]):
            yield f"it ends on {end}: later than the latest"
        days = {day for window in rules.get("windows", []) for day in window["days"]}
        if days and f"{now:%a}".lower() not in days:
            yield "it was issued outside of all windows"

    def _usages(self) -> Iterator[str]:
        bits, oids = self._key_usage(), self._extended()
        authority = {"keyCertSign", "cRLSign"} if "ca" in self.request else set()
        for field, seen, names in (
            ("keyUsage", bits - authority, {}),
            ("extendedKeyUsage", oids, EXTENDED),
        ):
            rules, usual = self.policy.get(field, {}), field == "keyUsage"
            listed = [*rules.get("default", []), *rules.get("allow", [])]
            if seen - {names.get(usage, usage) for usage in listed}:
                yield f"{field} {seen} is not allowed"
            asked = self.request.get(field, rules.get("default", []))
            if seen != {names.get(usage, usage) for usage in asked}:
                yield f"{field} {seen} is not {asked}"
            if {names.get(usage, usage) for usage in rules.get("required", [])} - seen:
                yield f"{field} {seen} lacks what is required"
            if listed and not seen | (authority if usual else set()):
                yield f"{field} is for everything"
            oid = "2.5.29.15" if field == "keyUsage" else "2.5.29.37"
            wanted = rules.get("critical", usual) or (usual and "ca" in self.request)
            if any(
                e.critical != wanted
                for e in self.certificate.extensions
                if e.oid.dotted_string == oid
            ):
                yield f"{field} is not critical: {wanted}"
        if bool(bits & {"keyCertSign", "cRLSign"}) != bool(authority):
            yield f"keyUsage {bits} of a CA"

    def _key_usage(self) -> set[str]:
        usage = self._extension(x509.KeyUsage)
        if usage is None:
            return set()
        bits = {name for attribute, name in BITS.items() if getattr(usage, attribute)}
        if usage.key_agreement:
            bits |= {"encipherOnly"} if usage.encipher_only else set()
            bits |= {"decipherOnly"} if usage.decipher_only else set()
        return bits

    def _extended(self) -> set[str]:
        return {oid.dotted_string for oid in self._extension(x509.ExtendedKeyUsage) or ()}

    def _usages_of_keys(self) -> Iterator[str]:
        key, bits = self.certificate.public_key(), self._key_usage()
        if "keyEncipherment" in bits and not isinstance(key, rsa.RSAPublicKey):
            yield "keyEncipherment without RSA"
        if "keyAgreement" in bits and not isinstance(key, ec.EllipticCurvePublicKey):
            yield "keyAgreement without EC"

    def _frame(self) -> Iterator[str]:
        """Yield what is wrong of what comes from the CA."""
        if self.certificate.issuer != self.issuer.subject or self.certificate.serial_number < 1:
            yield "another issuer, or no serial number"
        if self.certificate.subject == self.issuer.subject:
            yield "the name of the CA itself"
        own = self.issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        aki = self._extension(x509.AuthorityKeyIdentifier)
        if aki is None or aki.key_identifier != own.digest:
            yield "another authority key identifier"
        for kind, url in (
            (x509.CRLDistributionPoints, "http://pki.example.internal/issuing.crl"),
            (x509.AuthorityInformationAccess, "http://pki.example.internal/issuing.cer"),
        ):
            seen = re.findall(r"value='([^']*)'", repr(self._extension(kind)))
            if seen != [url]:
                yield f"{seen} is not {url}"

    def _extensions(self) -> Iterator[str]:
        rules = self.policy.get("extensions", {})
        given = {
            (e["oid"], e.get("critical", False), encoded(e["value"]))
            for e in rules.get("other", [])
        }
        given |= (
            {("1.3.6.1.5.5.7.1.24", False, b"0\x03\x02\x01\x05")}
            if "tlsFeature" in rules
            else set()
        )
        given |= (
            {("1.3.6.1.5.5.7.48.1.5", False, b"\x05\x00")} if rules.get("ocspNoCheck") else set()
        )
        stated = {
            (e["oid"], e.get("critical", False), encoded(e["value"]))
            for e in self.request.get("extensions", [])
            if any(self._extension_allowed(rule, e) for rule in rules.get("allow", []))
        }
        taken = {
            (e.oid.dotted_string, e.critical, e.value.public_bytes())
            for e in self.csr.extensions
            for rule in rules.get("fromRequest", [])
            if (rule["oid"], rule.get("critical", False)) == (e.oid.dotted_string, e.critical)
        }
        seen = {
            (e.oid.dotted_string, e.critical, e.value.public_bytes())
            for e in self.certificate.extensions
            if e.oid.dotted_string not in MANAGED
        }
        if seen - given - stated - taken:
            yield f"extensions {seen - given - stated - taken}"
        if given - seen or len(self.request.get("extensions", [])) > len(stated & seen):
            yield "an extension is missing"
        policies = self._extension(x509.CertificatePolicies) or ()
        said = [(p.policy_identifier.dotted_string, p.policy_qualifiers or []) for p in policies]
        if said != [(each["oid"], each["cps"]) for each in rules.get("certificatePolicies", [])]:
            yield f"certificate policies {said}"
        for extension in self.certificate.extensions:
            if isinstance(extension.value, x509.SubjectAlternativeName) and (
                extension.critical != (not self.subject)
            ):
                yield "the alternative names are critical, or are not"

    def _extension_allowed(self, rule: Data, extension: Data) -> bool:
        same = (rule["oid"], rule.get("critical", False)) == (
            extension["oid"],
            extension.get("critical", False),
        )
        ((form, value),) = extension["value"].items()
        if not same or rule.get("values") is None:
            return same
        if form == "der":
            return value in rule["values"]
        return allowed(
            "text",
            rule["values"],
            str(value).lower() if value is True else str(value),
            self.at.identity,
        )

    @property
    def own_constraints(self) -> tuple[Data, Data]:
        constraints = self._extension(x509.NameConstraints)
        if constraints is None:
            return {}, {}
        permitted, excluded = constraints.permitted_subtrees, constraints.excluded_subtrees
        return subtrees(permitted), subtrees(excluded)

    def _authority(self) -> Iterator[str]:
        basic, rules, asked = (
            self._extension(x509.BasicConstraints),
            self.policy.get("ca"),
            self.request.get("ca"),
        )
        is_ca = basic is not None and basic.ca
        if is_ca != (asked is not None) or (is_ca and rules is None):
            yield f"a CA: {is_ca}"
        if not is_ca or rules is None or asked is None:
            if self.own_constraints != ({}, {}):
                yield "name constraints without a CA"
            return
        above = self.issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        longest = min(rules.get("pathLength", {}).get("max", 0), above.path_length - 1)
        if basic.path_length is None or not basic.path_length <= longest:
            yield f"path length {basic.path_length} above {longest}"
        if not self.subject:
            yield "a CA without a name"
        names = rules.get("nameConstraints", {})
        required = names.get("required", True)
        if required and "nameConstraints" not in asked:
            yield "a CA without name constraints"
        if required or "nameConstraints" in asked:
            outer = names.get("permitted", {}), names.get("excluded", {})
            yield from self._wider(outer, "the policy")
        yield from self._wider(self.at.constraints, "the CA")

    def _wider(self, outer: tuple[Data, Data], who: str) -> Iterator[str]:
        for kind, samples in SAMPLES.items():
            for name in samples:
                inside = may_certify(self.own_constraints, kind, name)
                if inside and not may_certify(outer, kind, name):
                    yield f"it may certify {name}, and {who} does not let it"

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

    def _rules(self) -> Iterator[str]:
        length = (
            self.certificate.not_valid_after_utc - self.certificate.not_valid_before_utc + SECOND
        )
        by_expression: dict[str, Callable[[], bool]] = {
            "size(certificate.sans.dns) < 2": lambda: sum(k == "dns" for k, _ in self.sans) < 2,
            "request.labels.team == 'A'": lambda: self.at.identity.labels.get("team") == "A",
            "!certificate.isCa": lambda: self._extension(x509.BasicConstraints) in {
                None, x509.BasicConstraints(ca=False, path_length=None)
            },
            "certificate.validity <= duration('720h')": lambda: length <= timedelta(days=30),
            "'clientAuth' in certificate.extendedKeyUsage": lambda: (
                EXTENDED["clientAuth"] in self._extended()
            ),
        }  # fmt: skip
        for rule in self.policy.get("rules", []):
            if not by_expression[rule["expression"]]():
                yield f"not {rule['expression']}"
