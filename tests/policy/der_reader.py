"""An independent reader: what a certificate's DER says that policy, request and CA do not allow.

It reads the bytes with cryptography's parser and the documents as the plain data that they were
made of. Nothing of gitca is imported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import naive_names
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from der_certificate import EXTENDED, MANAGED, SAMPLES, SECOND, duration, moment
from der_facts import (
    covers,
    encoded,
)
from der_names import NameReader
from naive_names import Data, allowed, may_certify


class Reader(NameReader):
    """Says what a certificate says that it should not."""

    def objections(self) -> Iterator[str]:
        for part in (
            *(self._selection, self._subject, self._sans, self._counts, self._nothing_lost),
            *(self._key, self._dates, self._usages, self._usages_of_keys, self._frame),
            *(self._extensions, self._authority, self._issuer_constraints, self._rules),
        ):  # fmt: skip
            yield from part()

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
        if len(oids) != len(list(self._extension(x509.ExtendedKeyUsage) or ())):
            yield "an extended key usage stands twice"
        if bool(bits & {"keyCertSign", "cRLSign"}) != bool(authority):
            yield f"keyUsage {bits} of a CA"

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
