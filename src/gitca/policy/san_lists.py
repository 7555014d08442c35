"""The rules of a policy that an alternative name falls under, and what their lists say of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gitca.documents.issuance_policy import DnsRules, EmailRules, IpRules, SanRules, UriRules
from gitca.documents.other_name_rules import (
    DirectoryNameRules,
    OtherNameRules,
    RegisteredIdRules,
)
from gitca.policy import directory_names, dns_rules
from gitca.policy.identity import Request, allow_list
from gitca.policy.pattern_lists import other_name_kind, pattern_list
from gitca.policy.patterns import PatternKind
from gitca.x509.template import GeneralName, GeneralNameKind

Rules = (
    DnsRules
    | IpRules
    | UriRules
    | EmailRules
    | OtherNameRules
    | DirectoryNameRules
    | RegisteredIdRules
)


@dataclass(frozen=True, slots=True)
class SanField:
    """One type of alternative name that a policy mentions; other names are a type for each OID."""

    kind: GeneralNameKind
    rules: Rules
    type_id: str = ""

    @property
    def path(self) -> str:
        """The path of the field below `sans`: `dns`, `otherName.1.2.3`."""
        return type_path(self.kind, self.type_id)

    def covers(self, name: GeneralName) -> bool:
        """Whether a name is of this type."""
        return (name.kind, name.type_id) == (self.kind, self.type_id)

    def admits(self, name: GeneralName, request: Request) -> bool:
        """Whether the allow-list admits a name of this type."""
        if isinstance(self.rules, DirectoryNameRules):
            patterns = self.rules.allow
            return any(directory_names.admits(each, name.attributes, request) for each in patterns)
        if isinstance(self.rules, DnsRules):
            return dns_rules.allows(self.rules, name.value, request)
        return allow_list(self._pattern_kind, self.rules.allow, request).admits(name.value)

    def forbidding(self, name: GeneralName) -> str | None:
        """Return the first entry of the deny-list that denies a name of this type."""
        if isinstance(self.rules, DirectoryNameRules):
            denying = (
                directory_names.pattern_text(each)
                for each in self.rules.deny
                if directory_names.forbids(each, name.attributes)
            )
            return next(denying, None)
        return pattern_list(self._pattern_kind, self.rules.deny).forbidding(name.value)

    @property
    def allowed(self) -> tuple[str, ...]:
        """The entries of the allow-list, for a message."""
        if isinstance(self.rules, DirectoryNameRules):
            return tuple(map(directory_names.pattern_text, self.rules.allow))
        return self.rules.allow

    @property
    def _pattern_kind(self) -> PatternKind:
        match self.kind:
            case "dns" | "ip" | "uri" | "email":
                return self.kind
            case "registeredID":
                return "oid"
            case _:
                return other_name_kind(self.type_id)


def type_path(kind: GeneralNameKind, type_id: str) -> str:
    """Return the path of a type of alternative name below `sans`."""
    return f"{kind}.{type_id}" if type_id else kind


def san_fields(sans: SanRules) -> Iterator[SanField]:
    """Yield the types of alternative name that a policy mentions, in the order of encoding."""
    simple: tuple[tuple[GeneralNameKind, Rules | None], ...] = (
        ("dns", sans.dns),
        ("ip", sans.ip),
        ("uri", sans.uri),
        ("email", sans.email),
    )
    last: tuple[tuple[GeneralNameKind, Rules | None], ...] = (
        ("directoryName", sans.directory_name),
        ("registeredID", sans.registered_id),
    )
    yield from (SanField(kind, rules) for kind, rules in simple if rules)
    yield from (SanField("otherName", rules, oid) for oid, rules in sans.other_name.items())
    yield from (SanField(kind, rules) for kind, rules in last if rules)


def field_of(sans: SanRules, name: GeneralName) -> SanField | None:
    """Return the field of a policy that speaks of a name, None where none does."""
    return next((field for field in san_fields(sans) if field.covers(name)), None)
