"""pkilint over the exact bytes that will be signed: RFC 5280 and its companions, rule by rule.

pkilint is imported when it is first needed, and its validators are built once for each process.
Where it is known to be wrong a result is dropped: by its code, and only if the value that it speaks
of passes gitca's own check.

- `pkix.invalid_uri_syntax` knows URLs of the web alone: `spiffe://td/x` and `urn:` are URIs as
  well (RFC 3986), and so is `http://ca/crl`, with a host of one label.
- `pkix.invalid_domain_name_syntax`, `pkix.invalid_email_address_syntax` and
  `pkix.name_domain_components_invalid_domain_name` ask for a public top-level domain: a private CA
  certifies `db1`, constrains `internal` and is named DC=internal.

CRLs take some 0.15 ms an entry; of a large one the caller shows the frame with the new entries
alone (docs/design.md, "Linting large CRLs").
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from gitca.findings import Severity
from gitca.x509 import der
from gitca.x509.attributes import ATTRIBUTE_OIDS
from gitca.x509.distinguished_name import flatten, read_name
from gitca.x509.names import check_dns, check_email, check_uri, is_wildcard
from gitca.x509.refusal import quoted
from gitca.x509.signed import tbs_of

if TYPE_CHECKING:
    from pkilint.document import Document, PDUNode
    from pkilint.validation import ValidationResult, ValidatorContainer

UNDECODABLE = "lint.undecodable"
_SEVERITIES: Mapping[str, Severity] = MappingProxyType(
    {
        "FATAL": Severity.ERROR,
        "ERROR": Severity.ERROR,
        "WARNING": Severity.WARNING,
        "NOTICE": Severity.NOTE,
    }
)
"""INFO and DEBUG say what is right, as which method a key identifier follows, and are left out."""


@dataclass(frozen=True, slots=True)
class LintResult:
    """One thing that the linter says: `code` is pkilint's, `where` a path into the ASN.1."""

    severity: Severity
    code: str
    message: str
    where: str = ""

    @property
    def is_error(self) -> bool:
        """Whether the object must not be signed."""
        return self.severity is Severity.ERROR


def lint_certificate(certificate_der: bytes) -> tuple[LintResult, ...]:
    """Return what pkilint says of a DER certificate; whose signature it bears does not matter."""
    from pkilint.loader import load_der_certificate  # pkilint takes 200 ms to import

    return _lint(load_der_certificate, _certificate_validators, certificate_der)


def lint_crl(crl_der: bytes) -> tuple[LintResult, ...]:
    """Return what pkilint says of a DER CRL; whose signature it bears does not matter."""
    from pkilint.loader import load_der_crl  # pkilint takes 200 ms to import

    return _lint(load_der_crl, _crl_validators, crl_der)


def _lint(
    load: Callable[[bytes], Document], validators: Callable[[], ValidatorContainer], data: bytes
) -> tuple[LintResult, ...]:
    from pkilint.document import PDUNavigationFailedError

    try:
        results = validators().validate(load(data).root)
    except (ValueError, TypeError, LookupError, PDUNavigationFailedError) as error:
        message = f"pkilint cannot read the bytes: {quoted(str(error))}"
        return (LintResult(Severity.ERROR, UNDECODABLE, message),)
    return tuple(dict.fromkeys(found for result in results for found in _said(result)))


def _said(result: ValidationResult) -> Iterator[LintResult]:
    for description in result.finding_descriptions:
        severity = _SEVERITIES.get(description.finding.severity.name)
        code, node = description.finding.code, result.node
        if severity is not None and not _is_false_positive(code, node):
            message = str(description.message or "").strip() or code.rpartition(".")[2]
            yield LintResult(severity, code, message, str(node.path))


@functools.cache
def _certificate_validators() -> ValidatorContainer:
    """Return every RFC 5280 certificate validator that pkilint has."""
    from pkilint.pkix import certificate, extension, name

    _keep_tracebacks_out_of_the_terminal()
    decoding = certificate.create_decoding_validators(
        name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS
    )
    return certificate.create_pkix_certificate_validator_container(
        decoding,
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )


@functools.cache
def _crl_validators() -> ValidatorContainer:
    """Return every RFC 5280 CRL validator that pkilint has."""
    from pkilint import pkix
    from pkilint.pkix import crl, extension, name

    _keep_tracebacks_out_of_the_terminal()
    decoding = [
        pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
        pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
    ]
    return crl.create_pkix_crl_validator_container(
        decoding,
        [
            crl.create_issuer_validator_container([]),
            crl.create_validity_validator_container([]),
            crl.create_extensions_validator_container([]),
        ],
    )


def _keep_tracebacks_out_of_the_terminal() -> None:
    # A validator that raises is a result (`base.unhandled_exception`); pkilint logs it as well, and
    # a logger without a handler writes to standard error.
    logger = logging.getLogger("pkilint")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())


def _is_false_positive(code: str, node: PDUNode) -> bool:
    check = _SECOND_OPINIONS.get(code)
    return check is not None and check(node)


def _is_uri(node: PDUNode) -> bool:
    value = str(node.pdu)
    if _in_name_constraints(node):
        return _is_host(value.removeprefix("."))
    return check_uri(value) is None


def _is_domain(node: PDUNode) -> bool:
    value = str(node.pdu)
    return _is_host(value) if _in_name_constraints(node) else check_dns(value) is None


def _is_email(node: PDUNode) -> bool:
    value = str(node.pdu)
    if _in_name_constraints(node) and "@" not in value:
        return _is_host(value.removeprefix("."))
    return check_email(value) is None


def _has_domain_components(node: PDUNode) -> bool:
    oid = ATTRIBUTE_OIDS["domainComponent"]
    subject_der = der.parts(tbs_of(node.document.substrate))[5]
    attributes = flatten(read_name(subject_der))
    labels = [attribute.value for attribute in attributes if attribute.oid == oid]
    return _is_host(".".join(reversed(labels)))


def _is_host(value: str) -> bool:
    return check_dns(value) is None and not is_wildcard(value)


def _in_name_constraints(node: PDUNode) -> bool:
    from pkilint.pkix.general_name import is_nameconstraints_child_node

    return bool(is_nameconstraints_child_node(node))


_SECOND_OPINIONS: Mapping[str, Callable[[PDUNode], bool]] = MappingProxyType(
    {
        "pkix.invalid_uri_syntax": _is_uri,
        "pkix.invalid_domain_name_syntax": _is_domain,
        "pkix.invalid_email_address_syntax": _is_email,
        "pkix.name_domain_components_invalid_domain_name": _has_domain_components,
    }
)
