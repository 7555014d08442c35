"""Certificates: the bytes of a template to be signed, and what such bytes say (RFC 5280 section 4).

The issuer's name and key identifier are copied byte for byte out of the CA certificate. The
authority key identifier of a self-signed certificate is its own subject key identifier: RFC 5280
section 4.2.1.1 allows both that and none, and so no verifier needs to know the exception.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from gitca.x509 import der
from gitca.x509.algorithms import algorithm_identifier_der
from gitca.x509.distinguished_name import flatten, read_name, write_name
from gitca.x509.extensions import extensions_der, subject_key_identifier
from gitca.x509.placeholder import placeholder_signature
from gitca.x509.refusal import RefusedError
from gitca.x509.signed import assemble, tbs_of
from gitca.x509.template import CertificateTemplate
from gitca.x509.template_reading import find, read_template

MAX_SERIAL_BITS = 159  # 20 octets, the first bit being the sign (RFC 5280 section 4.1.2.2)
_VERSION_3 = der.explicit(0, der.integer(2))
_EXTENSIONS = der.CONTEXT | 3


class CertificateError(RefusedError):
    """A certificate that cannot be read, or a template that no certificate can say."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs: the CA's certificate, None for a self-signed one, and the algorithm's name."""

    certificate_der: bytes | None
    signature_algorithm: str


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The exact bytes to be signed, and the same under a signature that verifies under no key."""

    der: bytes
    tbs: bytes


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate, read.

    `template` is what a template can say of it; `is_exact` whether it says that and nothing else,
    in the very bytes that gitca writes. Times are inclusive. The identifiers are the octets of the
    two key identifier extensions, None where one is missing.
    """

    der: bytes
    serial: int
    subject_der: bytes
    issuer_der: bytes
    not_before: datetime
    not_after: datetime
    template: CertificateTemplate
    subject_key_identifier: bytes | None
    authority_key_identifier: bytes | None
    is_exact: bool

    @property
    def fingerprint(self) -> str:
        """`sha256:` and the hexadecimal digest of the whole certificate."""
        return f"sha256:{hashlib.sha256(self.der).hexdigest()}"


def rehearse(
    template: CertificateTemplate,
    issuer: Issuer,
    *,
    serial: int,
    not_before: datetime,
    not_after: datetime,
) -> Rehearsal:
    """Return the TBS of a certificate, and the certificate under a placeholder for its signature.

    Times are inclusive, aware and in whole seconds. Whether the template may be issued is not
    checked. Raises: CertificateError for what no certificate can say, AlgorithmRefusedError.
    """
    _check_frame(serial, not_before, not_after)
    identifier_der = algorithm_identifier_der(issuer.signature_algorithm)
    try:
        subject_der = write_name(template.subject)
        issuer_der, aki = (
            (subject_der, subject_key_identifier(template.spki_der))
            if issuer.certificate_der is None
            else _name_and_key_identifier(issuer.certificate_der)
        )
        tbs = der.sequence(
            _VERSION_3,
            der.integer(serial),
            identifier_der,
            issuer_der,
            der.sequence(der.time(not_before), der.time(not_after)),
            subject_der,
            template.spki_der,
            der.tlv(_EXTENSIONS, der.sequence(*extensions_der(template, aki))),
        )
    except CertificateError:
        raise
    except (ValueError, TypeError) as error:
        message = f"the template cannot be encoded: {error}"
        raise CertificateError("certificate.template", message) from error
    signature = placeholder_signature(issuer.signature_algorithm)
    return Rehearsal(assemble(tbs, issuer.signature_algorithm, signature), tbs)


def _check_frame(serial: int, not_before: datetime, not_after: datetime) -> None:
    if serial <= 0 or serial.bit_length() > MAX_SERIAL_BITS:
        message = (
            f"serial number of {serial.bit_length()} bits or not positive; allowed are positive "
            f"ones of {MAX_SERIAL_BITS} bits (RFC 5280 section 4.1.2.2)"
        )
        raise CertificateError("certificate.serial", message)
    if not_after < not_before:
        message = f"notAfter {not_after.isoformat()} is before notBefore {not_before.isoformat()}"
        raise CertificateError("certificate.validity", message)


@functools.lru_cache(maxsize=64)
def _name_and_key_identifier(issuer_der: bytes) -> tuple[bytes, bytes]:
    certificate = parse_certificate(issuer_der)
    if certificate.subject_key_identifier is None:
        raise CertificateError(
            "certificate.issuer-key-identifier",
            "the CA certificate has no subjectKeyIdentifier (RFC 5280 section 4.2.1.2)",
            "have the CA certificate issued again with one",
        )
    return certificate.subject_der, certificate.subject_key_identifier


def parse_certificate(certificate_der: bytes) -> Certificate:
    """Return what a DER certificate says; its signature is not checked.

    Raises: CertificateError.
    """
    try:
        return _read(certificate_der)
    except CertificateError:
        raise
    except (
        ValueError,
        TypeError,
        KeyError,  # of `cryptography`, at a GeneralName or flag that it has no name for
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    ) as error:
        message = f"the bytes are no certificate of RFC 5280: {error}"
        raise CertificateError("certificate.malformed", message) from error


def _read(certificate_der: bytes) -> Certificate:
    parsed = x509.load_der_x509_certificate(certificate_der)
    fields = der.parts(tbs_of(certificate_der))
    if fields[0] != _VERSION_3:
        message = "the certificate is not of version 3 (RFC 5280 section 4.1.2.1)"
        raise CertificateError("certificate.version", message)
    names, extensions = read_name(fields[5]), parsed.extensions
    ski = find(extensions, x509.SubjectKeyIdentifier)
    aki = find(extensions, x509.AuthorityKeyIdentifier)
    encoded = der.parts(der.parts(fields[7], _EXTENSIONS)[0]) if len(extensions) else ()
    template = read_template(flatten(names), fields[6], extensions, encoded)
    return Certificate(
        der=certificate_der,
        serial=der.read_integer(fields[1]),
        subject_der=fields[5],
        issuer_der=fields[3],
        not_before=parsed.not_valid_before_utc,
        not_after=parsed.not_valid_after_utc,
        template=template,
        subject_key_identifier=ski.digest if ski else None,
        authority_key_identifier=aki.key_identifier if aki else None,
        is_exact=_is_exact(template, aki, fields),
    )


def _is_exact(
    template: CertificateTemplate, aki: x509.AuthorityKeyIdentifier | None, fields: list[bytes]
) -> bool:
    """Return whether the template, written again, gives the certificate's own bytes."""
    try:
        subject_der = write_name(template.subject)
        extensions = der.sequence(*extensions_der(template, aki.key_identifier if aki else None))
    except (ValueError, TypeError):
        return False
    return fields[5] == subject_der and fields[7:] == [der.tlv(_EXTENSIONS, extensions)]


def template_of(certificate_der: bytes) -> CertificateTemplate:
    """Return the template that a certificate, or a certificate's TBS, says and nothing beyond it.

    Raises: CertificateError also when the bytes say more than a template can, or otherwise than
    gitca writes it: what was judged would not be what is signed.
    """
    certificate = parse_certificate(_signed(certificate_der))
    if not certificate.is_exact:
        message = "the certificate says more than its template, or says it in other bytes"
        raise CertificateError("certificate.inexact", message)
    return certificate.template


def _signed(certificate_or_tbs: bytes) -> bytes:
    """Return a certificate as it is, and a TBS under its own algorithm and an empty signature."""
    try:
        fields = der.parts(certificate_or_tbs)
    except der.DerError as error:
        message = f"the bytes are no certificate of RFC 5280: {error}"
        raise CertificateError("certificate.malformed", message) from error
    if len(fields) > 3 and fields[0][0] == der.CONTEXT:
        return der.sequence(certificate_or_tbs, fields[2], der.bit_string(b""))
    return certificate_or_tbs
