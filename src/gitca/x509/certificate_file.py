"""A file of PEM certificates, and the path that they make: one, who issued it, and so on upwards.

RFC 5280 section 6.1 without a trust anchor: names match byte for byte, each signature verifies
under the key above it. Dates, CA flags and constraints are for the caller.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gitca.x509 import der
from gitca.x509.algorithms import AlgorithmRefusedError
from gitca.x509.certificate import MAX_SERIAL_BITS, Certificate, parse_certificate
from gitca.x509.pem import PemError, is_pem, pem_blocks
from gitca.x509.refusal import RefusedError, quoted
from gitca.x509.signed import algorithm_name, tbs_of, verify_signature

MAX_CERTIFICATES = 10
"""Certificates that a file may hold: the path from a CA up to its root has three or four."""

_LABEL = "CERTIFICATE"
_CONVERT = "save the certificates as PEM text (-----BEGIN CERTIFICATE-----)"


class CertificateFileError(RefusedError):
    """A file that holds no certificates, others than it may, or none that make one path."""


@dataclass(frozen=True, slots=True)
class CertificatePath:
    """A certificate and those above it, each issued by the next.

    `is_whole` says that the last one is self-signed; if not, nobody here knows the key that signed
    the last.
    """

    certificates: tuple[Certificate, ...]
    is_whole: bool

    @property
    def subject(self) -> Certificate:
        """The certificate at the beginning."""
        return self.certificates[0]

    @property
    def above(self) -> tuple[Certificate, ...]:
        """Those above it, the nearest first."""
        return self.certificates[1:]


def certificates_of(data: bytes) -> tuple[Certificate, ...]:
    """Return the certificates of a PEM file in its order; text around them is passed over.

    Raises: CertificateFileError.
    """
    if not is_pem(data):
        message = "the file holds no PEM (-----BEGIN CERTIFICATE-----)"
        remedy = "convert DER with: openssl x509 -inform DER -in FILE"
        raise CertificateFileError("certificate.format", message, remedy)
    try:
        blocks = pem_blocks(data)
        encoded = [block.decode() for block in blocks]
    except PemError as error:
        message = f"the file is no whole PEM: {error}"
        raise CertificateFileError("certificate.pem", message, "copy it again, whole") from error
    other = [block.label for block in blocks if block.label != _LABEL]
    if other:
        message = f"the file holds PEM of type {quoted(other[0])}; allowed is {_LABEL} alone"
        remedy = _CONVERT
        if other[0] in {"PKCS7", "CMS"}:
            remedy = "convert it with: openssl pkcs7 -print_certs -in FILE"
        raise CertificateFileError("certificate.pem-type", message, remedy)
    if len(blocks) > MAX_CERTIFICATES:
        message = f"the file holds {len(blocks)} certificates, {MAX_CERTIFICATES} are allowed"
        remedy = "leave the CA's certificate and those above it alone in it"
        raise CertificateFileError("certificate.several", message, remedy)
    return tuple(_read(place, item) for place, item in enumerate(encoded, start=1))


def check_serial(certificate_der: bytes) -> None:
    """Raise unless a certificate's serial number is one that a CRL can list, and verifiers read.

    Looked at before the certificate is parsed, which some libraries would warn of.
    Raises: CertificateFileError; ValueError for bytes that are no certificate.
    """
    serial = der.read_integer(der.parts(tbs_of(certificate_der))[1])
    if serial <= 0 or serial.bit_length() > MAX_SERIAL_BITS:
        seen = f"of {serial.bit_length()} bits" if serial > 0 else "not positive"
        message = f"its serial number is {seen}; allowed are positive ones of {MAX_SERIAL_BITS}"
        raise CertificateFileError(
            "certificate.serial",
            f"{message} bits (RFC 5280 section 4.1.2.2)",
            "have it issued again with such a number; a root can be left out of the file",
        )


def _read(place: int, certificate_der: bytes) -> Certificate:
    try:
        check_serial(certificate_der)
        certificate = parse_certificate(certificate_der)
        algorithm_name(certificate_der)
    except CertificateFileError as error:
        message = f"certificate {place} of the file cannot be used: {error.message}"
        raise CertificateFileError(error.rule, message, error.remedy) from error
    except AlgorithmRefusedError as error:
        who = f"certificate {place} ({subject_words(certificate)})"
        message = f"{who} is signed with an algorithm that is not used here: {error.message}"
        remedy = "have it signed with one of these; a root can be left out of the file"
        raise CertificateFileError(error.rule, message, remedy) from error
    except ValueError as error:
        message = f"certificate {place} of the file cannot be read: {error}"
        remedy = "take the certificate as the CA gave it; a root can be left out of the file"
        raise CertificateFileError("certificate.malformed", message, remedy) from error
    return certificate


def path_from(start: Certificate, others: Iterable[Certificate]) -> CertificatePath:
    """Return the path from a certificate upwards, whatever the order of the others.

    Raises: CertificateFileError where a name matches and no signature does, and for a certificate
    that is no part of the path.
    """
    left, path = list(others), [start]
    while not _is_self_issued(path[-1]):
        named = [item for item in left if item.subject_der == path[-1].issuer_der]
        if not named:
            break
        above = next((item for item in named if _is_signed_by(path[-1], item)), None)
        if above is None:
            raise _bad_signature(path[-1], named[0])
        left.remove(above)
        path.append(above)
    if left:
        raise _stray(left[0], path[-1])
    whole = _is_self_issued(path[-1])
    if whole and not _is_signed_by(path[-1], path[-1]):
        raise _bad_signature(path[-1], path[-1])
    return CertificatePath(tuple(path), whole)


def _is_self_issued(certificate: Certificate) -> bool:
    return certificate.subject_der == certificate.issuer_der


def _is_signed_by(certificate: Certificate, issuer: Certificate) -> bool:
    try:
        return verify_signature(certificate.der, issuer.template.spki_der)
    except RefusedError:
        return False  # on a key that gitca does not verify with


def _bad_signature(certificate: Certificate, issuer: Certificate) -> CertificateFileError:
    message = (
        f"the signature on {subject_words(certificate)} is not by the key of"
        f" {subject_words(issuer)}, whose name it gives as its issuer's"
    )
    remedy = "put the certificate into the file whose key signed it"
    return CertificateFileError("certificate.signature", message, remedy)


def _stray(certificate: Certificate, last: Certificate) -> CertificateFileError:
    message = (
        f"{subject_words(certificate)} is no part of the path, which ends at {subject_words(last)}"
    )
    remedy = "remove it, or add the certificate between them"
    return CertificateFileError("certificate.stray", message, remedy)


def subject_words(certificate: Certificate) -> str:
    """Return the subject of a certificate for a message, cut and escaped."""
    named = (attribute.value for attribute in certificate.template.subject)
    return quoted(", ".join(named) or "(no name)")
