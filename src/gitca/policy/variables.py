"""What expressions see: the variables of a policy's rules, as values that CEL knows.

Every key named here is always there, so that an expression need not ask for it; only what people
name themselves (labels, annotations, attributes, the keys of `request.spec`) may be missing.

- `request`: `name`, `path` (its folders and file name, a list), `owner`, `contacts`, `description`,
  `labels`, `annotations`, and `spec`, which is what the document says, as written, less the CSR.
- `certificate`: what it will say. `subject` (attribute to list of values), `sans` (type to list of
  values), `key` (`type`, `size`, `curve`, `exponent`, `identifier`), `keyUsage`,
  `extendedKeyUsage` (names, or OIDs), `isCa`, `pathLength` (-1 without one), `nameConstraints`
  (`permitted` and `excluded`, each type to list of values), `certificatePolicies` (OIDs),
  `extensions` (other ones; `oid`, `critical`), `validity` and `backdate` (durations), `issuer` (the
  CA's name).
- `policy`: `name`, `owner`, `labels`, `issuer`.
- `now`: the moment of issuance, a timestamp in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from gitca.documents.usages import EXTENDED_KEY_USAGES
from gitca.policy.case import Case
from gitca.policy.proposal import Proposal
from gitca.x509.attributes import attribute_name
from gitca.x509.template import NAME_KINDS, CertificateTemplate, GeneralName

VARIABLES = ("request", "certificate", "policy", "now")

_USAGE_NAMES: Mapping[str, str] = MappingProxyType(
    {oid: name for name, oid in EXTENDED_KEY_USAGES.items()}
)
_NOT_SHOWN = frozenset({"csr", "csrFile"})


def variables_of(case: Case, proposal: Proposal, template: CertificateTemplate) -> dict[str, Any]:
    """Return the variables for the rules of a case's policy, each by its name."""
    return {
        "request": _request(case),
        "certificate": _certificate(case, proposal, template),
        "policy": {
            "name": case.policy.name,
            "owner": case.policy.metadata.owner or "",
            "labels": dict(case.policy.metadata.labels),
            "issuer": case.policy.spec.issuer,
        },
        "now": case.now,
    }


def _request(case: Case) -> dict[str, Any]:
    document, metadata = case.request, case.request.metadata
    source = document.source.value
    spec = source.get("spec") if isinstance(source, dict) else None
    stated = spec if isinstance(spec, dict) else {}
    return {
        "name": document.name,
        "path": document.name.split("/"),
        "owner": metadata.owner or "",
        "contacts": list(metadata.contacts),
        "description": metadata.description or "",
        "labels": dict(metadata.labels),
        "annotations": dict(metadata.annotations),
        "spec": {key: value for key, value in stated.items() if key not in _NOT_SHOWN},
    }


def _certificate(case: Case, proposal: Proposal, template: CertificateTemplate) -> dict[str, Any]:
    constraints, names, key = template.basic_constraints, template.name_constraints, case.csr.key
    length = constraints.path_length if constraints else None
    return {
        "subject": _grouped((attribute_name(part.oid), part.value) for part in template.subject),
        "sans": _by_type(template.sans),
        "key": {
            "type": key.type,
            "size": key.size,
            "curve": key.curve or "",
            "exponent": key.exponent or 0,
            "identifier": template.key_identifier,
        },
        "keyUsage": list(template.key_usage),
        "extendedKeyUsage": [_USAGE_NAMES.get(oid, oid) for oid in template.extended_key_usage],
        "isCa": constraints is not None,
        "pathLength": -1 if length is None else length,
        "nameConstraints": {
            "permitted": _by_type(names.permitted if names else ()),
            "excluded": _by_type(names.excluded if names else ()),
        },
        "certificatePolicies": [policy.oid for policy in template.certificate_policies],
        "extensions": [
            {"oid": extension.oid, "critical": extension.critical}
            for extension in template.extensions
        ],
        "validity": proposal.validity,
        "backdate": case.policy.spec.validity.backdate,
        "issuer": case.authority.name,
    }


def _by_type(names: Iterable[GeneralName]) -> dict[str, list[str]]:
    """Return names by type, every type among the keys."""
    groups: dict[str, list[str]] = {kind: [] for kind in NAME_KINDS}
    return groups | _grouped((name.kind, name.text) for name in names)


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return groups
