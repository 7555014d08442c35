"""Certificate revocation lists, version 2 (RFC 5280 section 5), written and read in linear time."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from gitca.x509 import der
from gitca.x509.algorithms import algorithm_identifier_der
from gitca.x509.certificate import MAX_SERIAL_BITS, Certificate
from gitca.x509.extensions import extension
from gitca.x509.placeholder import placeholder_signature
from gitca.x509.refusal import RefusedError
from gitca.x509.signed import assemble, tbs_of
from gitca.x509.template_reading import find

_VERSION_2 = der.integer(1)
_CRL_NUMBER_OID = "2.5.29.20"
_REASON_CODE_OID = "2.5.29.21"
_INVALIDITY_DATE_OID = "2.5.29.24"
_AUTHORITY_KEY_IDENTIFIER_OID = "2.5.29.35"

REASONS: Mapping[str, int] = MappingProxyType(
    {
        "keyCompromise": 1,
        "cACompromise": 2,
        "affiliationChanged": 3,
        "superseded": 4,
        "cessationOfOperation": 5,
        "certificateHold": 6,
        "privilegeWithdrawn": 9,
        "aACompromise": 10,
    }
)
"""The reasons that an entry can state (RFC 5280 section 5.3.1).

`unspecified` is stated by leaving the reason out; removeFromCRL belongs to delta CRLs alone.
"""

_REASON_DER = {
    name: extension(_REASON_CODE_OID, False, der.integer(code, der.ENUMERATED))
    for name, code in REASONS.items()
}


class CrlError(RefusedError):
    """A CRL that cannot be read, or particulars that no CRL can state."""


@dataclass(frozen=True, slots=True)
class CrlEntry:
    """One revoked certificate: `reason` by RFC 5280's name, None for unspecified."""

    serial: int
    revocation_date: datetime
    reason: str | None = None
    invalidity_date: datetime | None = None


@dataclass(frozen=True, slots=True)
class Crl:
    """A CRL, read: entries in the order of the bytes, `issuer_der` its issuer's name."""

    number: int
    this_update: datetime
    next_update: datetime
    entries: tuple[CrlEntry, ...]
    issuer_der: bytes
    authority_key_identifier: bytes | None


def build_crl_tbs(
    issuer_certificate: Certificate,
    *,
    signature_algorithm: str,
    crl_number: int,
    this_update: datetime,
    next_update: datetime,
    entries: Iterable[CrlEntry],
) -> bytes:
    """Return the TBSCertList of a complete CRL, its entries in the order given.

    Issuer name and key identifier are those of the CA certificate. The linter may be shown the same
    CRL with the new entries alone, by calling with those. Raises: CrlError, AlgorithmRefusedError.
    """
    identifier_der = algorithm_identifier_der(signature_algorithm)
    try:
        revoked_der = b"".join(_entries(entries))
        return der.sequence(
            _VERSION_2,
            identifier_der,
            issuer_certificate.subject_der,
            der.time(this_update),
            der.time(next_update),
            # Absent when there is none (RFC 5280 section 5.1.2.6).
            der.tlv(der.SEQUENCE, revoked_der) if revoked_der else b"",
            der.explicit(0, der.sequence(*_crl_extensions(issuer_certificate, crl_number))),
        )
    except der.DerError as error:
        raise CrlError("crl.encoding", f"the CRL cannot be encoded: {error}") from error


def _crl_extensions(issuer: Certificate, crl_number: int) -> tuple[bytes, bytes]:
    aki = issuer.subject_key_identifier
    if aki is None:
        message = "the CA certificate has no subjectKeyIdentifier (RFC 5280 section 4.2.1.2)"
        raise CrlError("crl.issuer-key-identifier", message)
    if crl_number < 0 or crl_number.bit_length() > MAX_SERIAL_BITS:
        message = f"CRL number {crl_number} is not of 0 to 20 octets (RFC 5280 section 5.2.3)"
        raise CrlError("crl.number", message)
    identifier = der.sequence(der.tlv(0x80, aki))
    return (
        extension(_AUTHORITY_KEY_IDENTIFIER_OID, False, identifier),
        extension(_CRL_NUMBER_OID, False, der.integer(crl_number)),
    )


def _entries(entries: Iterable[CrlEntry]) -> Iterator[bytes]:
    # Most entries share their moment with others: those of one reconcile.
    time = functools.lru_cache(maxsize=4096)(der.time)
    for entry in entries:
        if entry.serial <= 0 or entry.serial.bit_length() > MAX_SERIAL_BITS:
            message = f"{entry.serial:x} is no serial number of RFC 5280 section 4.1.2.2"
            raise CrlError("crl.serial", message)
        yield der.sequence(
            der.integer(entry.serial), time(entry.revocation_date), _entry_extensions(entry)
        )


def _entry_extensions(entry: CrlEntry) -> bytes:
    if entry.reason is None and entry.invalidity_date is None:
        return b""
    extensions = b""
    if entry.reason is not None:
        if entry.reason not in _REASON_DER:
            message = f"reason {entry.reason!r} is none of {', '.join(REASONS)}, or None"
            raise CrlError("crl.reason", message)
        extensions = _REASON_DER[entry.reason]
    if entry.invalidity_date is not None:
        date = der.generalized_time(entry.invalidity_date)
        extensions += extension(_INVALIDITY_DATE_OID, False, date)
    return der.tlv(der.SEQUENCE, extensions)


def rehearse_crl(tbs: bytes, signature_algorithm: str) -> bytes:
    """Return the CRL of a TBS under a placeholder for its signature, for the linter.

    Raises: AlgorithmRefusedError.
    """
    return assemble(tbs, signature_algorithm, placeholder_signature(signature_algorithm))


def parse_crl(crl_der: bytes) -> Crl:
    """Return what a DER CRL of version 2 says; its signature is not checked.

    Raises: CrlError, also when nextUpdate or the CRL number is missing (RFC 5280 section 5.1.2.5,
    5.2.3) and when a critical extension, as of a delta or partitioned CRL, changes what it says.
    """
    try:
        return _read(crl_der)
    except CrlError:
        raise
    except (
        ValueError,
        TypeError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    ) as error:
        raise CrlError("crl.malformed", f"the bytes are no CRL of RFC 5280: {error}") from error


def _read(crl_der: bytes) -> Crl:
    parsed = x509.load_der_x509_crl(crl_der)
    extensions = parsed.extensions
    number = find(extensions, x509.CRLNumber)
    aki = find(extensions, x509.AuthorityKeyIdentifier)
    _refuse_critical(extensions, "the CRL")
    if number is None or parsed.next_update_utc is None:
        message = "the CRL has no CRLNumber or no nextUpdate (RFC 5280 section 5.1.2.5, 5.2.3)"
        raise CrlError("crl.number", message)
    return Crl(
        number=number.crl_number,
        this_update=parsed.last_update_utc,
        next_update=parsed.next_update_utc,
        entries=tuple(_read_entry(revoked) for revoked in parsed),
        issuer_der=der.parts(tbs_of(crl_der))[2],
        authority_key_identifier=aki.key_identifier if aki else None,
    )


def _read_entry(revoked: x509.RevokedCertificate) -> CrlEntry:
    reason, invalidity_date = None, None
    for found in revoked.extensions:
        if isinstance(found.value, x509.CRLReason):
            reason = found.value.reason.value
        elif isinstance(found.value, x509.InvalidityDate):
            invalidity_date = found.value.invalidity_date_utc
    _refuse_critical(revoked.extensions, "a CRL entry")
    return CrlEntry(revoked.serial_number, revoked.revocation_date_utc, reason, invalidity_date)


def _refuse_critical(extensions: x509.Extensions, where: str) -> None:
    for found in extensions:
        if found.critical:
            message = f"{where} has the critical extension {found.oid.dotted_string}, unknown here"
            raise CrlError("crl.critical-extension", message)
