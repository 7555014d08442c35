"""Certification requests (PKCS #10, RFC 2986): the public key, and that its holder made them.

Whoever writes a request can write these bytes. Nothing of a CSR but its public key reaches a
certificate by itself; the names it states are handed out to be judged, and of its attributes
(challengePassword, what Microsoft's tools add) only the requested extensions are looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from gitca.x509 import der
from gitca.x509.algorithms import AlgorithmRefusedError
from gitca.x509.distinguished_name import flatten, read_name, relative_name_text
from gitca.x509.keys import RSASSA_PSS_OID, KeyDescription, describe_key, load_public_key
from gitca.x509.pem import PemBlock, PemError, TruncatedPemError, is_pem, pem_blocks
from gitca.x509.refusal import RefusedError, quoted
from gitca.x509.requested_extensions import RequestedExtensions, read_attributes
from gitca.x509.signed import tbs_of, verify_signature
from gitca.x509.template import Extension, GeneralName, NameAttribute

MAX_CSR_BYTES = 64 * 1024
_LABELS = ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")  # the second is Java's and Microsoft's
_PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY")
_MAKE_AGAIN = "make the CSR again and copy it whole"
_EXPOSED = (
    "regard this key as exposed: make a new one, send the CSR alone (openssl req -new), and remove "
    "the file from the repository's history"
)


class CsrError(RefusedError):
    """A CSR that is not accepted whatever the policy; rules are `csr.*` and `key.*`."""


@dataclass(frozen=True, slots=True)
class Csr:
    """A certification request whose self-signature has been verified.

    `other_names` says in words what no document can state: multi-valued relative distinguished
    names, an otherName whose value is no UTF8String, an x400Address and the like. `signature_hash`
    is `sha256`, `sha1`, …, None where the algorithm has none. `extensions` are the requested
    extensions as they are.
    """

    spki_der: bytes
    key: KeyDescription
    subject: tuple[NameAttribute, ...]
    sans: tuple[GeneralName, ...]
    other_names: tuple[str, ...]
    signature_hash: str | None
    extensions: tuple[Extension, ...]


def parse_csr(data: bytes) -> Csr:
    """Return the one CSR that PEM text or DER bytes of at most 64 KiB hold.

    Raises: CsrError, with the rule, for everything else.
    """
    request_der = _request_der(data)
    subject_der, spki_der, attributes_der = _request_info(request_der)
    try:
        key = describe_key(spki_der)
    except RefusedError as error:
        raise CsrError(error.rule, error.message, error.remedy) from error
    signature_hash = _verify(request_der, spki_der)
    subject, other_subject = _subject(subject_der)
    requested = _requested(attributes_der)
    return Csr(
        spki_der=spki_der,
        key=key,
        subject=subject,
        sans=requested.sans,
        other_names=other_subject + requested.other_names,
        signature_hash=signature_hash,
        extensions=requested.extensions,
    )


def _request_der(data: bytes) -> bytes:
    if len(data) > MAX_CSR_BYTES:
        message = f"the CSR has {len(data)} bytes, {MAX_CSR_BYTES} are allowed"
        raise CsrError("csr.too-large", message, "send one CSR, not a file of many things")
    if not data.strip():
        raise CsrError("csr.empty", "the CSR is empty", "paste the PEM text of the CSR")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        message = "the CSR is UTF-16 text; allowed are PEM in ASCII, and DER"
        raise CsrError("csr.encoding", message, "save it as ASCII or UTF-8")
    # A SEQUENCE begins with the character 0; no text goes on with an octet from 0x80.
    if data[0] == der.SEQUENCE and (data[1:2] >= b"\x80" or not is_pem(data)):
        return data
    if not is_pem(data):
        message = "the CSR is neither PEM (-----BEGIN CERTIFICATE REQUEST-----) nor DER"
        raise CsrError("csr.format", message, "paste the PEM text with its BEGIN and END lines")
    return _from_pem(data)


def _from_pem(data: bytes) -> bytes:
    if _PRIVATE_KEY.search(data):
        raise CsrError("csr.private-key", "the file holds a private key, not a CSR alone", _EXPOSED)
    try:
        return _only_request(pem_blocks(data)).decode()
    except TruncatedPemError as error:
        raise CsrError("csr.truncated", f"the CSR is cut off: {error}", _MAKE_AGAIN) from error
    except PemError as error:
        raise CsrError("csr.pem", f"the CSR is no PEM: {error}", _MAKE_AGAIN) from error


def _only_request(blocks: tuple[PemBlock, ...]) -> PemBlock:
    other = [block.label for block in blocks if block.label not in _LABELS]
    if other:
        message = f"the file holds PEM of type {quoted(', '.join(other))}; allowed is {_LABELS[0]}"
        raise CsrError("csr.pem-type", message, "send the CSR alone (openssl req -new)")
    if len(blocks) != 1:
        message = f"the file holds {len(blocks)} CSRs, one is allowed"
        raise CsrError("csr.several", message, "write one request for each")
    return blocks[0]


def _request_info(request_der: bytes) -> tuple[bytes, bytes, bytes]:
    """Return subject, SPKI and attributes of CertificationRequestInfo (RFC 2986 section 4.1)."""
    _check_extent(request_der)
    try:
        info_der, _, _ = _parts_of_request(request_der)
        version_der, subject_der, spki_der, attributes_der = der.parts(info_der)
        version = der.read_integer(version_der)
    except RefusedError:
        raise
    except ValueError as error:
        message = f"the bytes are no certification request of RFC 2986: {error}"
        raise CsrError("csr.der", message, _MAKE_AGAIN) from error
    if version != 0:
        message = f"the CSR says version {version}, allowed is 0 (RFC 2986 section 4.1)"
        raise CsrError("csr.version", message, _MAKE_AGAIN)
    return subject_der, spki_der, attributes_der


def _check_extent(request_der: bytes) -> None:
    try:
        _, _, end = der.read_header(request_der)
    except der.DerError as error:
        message = f"the CSR is cut off, or is not DER: {error}"
        raise CsrError("csr.truncated", message, _MAKE_AGAIN) from error
    if end != len(request_der):
        message = f"{len(request_der) - end} bytes follow the CSR, none are allowed"
        raise CsrError("csr.trailing-data", message, "send one CSR and nothing behind it")


def _parts_of_request(request_der: bytes) -> tuple[bytes, bytes, bytes]:
    parts = der.parts(request_der)
    tags = [part[0] for part in parts]
    # Private keys (RFC 5958, 8017, 5915) and PKCS #12 begin with a version; an encrypted one is an
    # algorithm and octets.
    if tags[:1] == [der.INTEGER] or tags == [der.SEQUENCE, der.OCTET_STRING]:
        raise CsrError("csr.private-key", "the bytes are a private key, not a CSR", _EXPOSED)
    if tags != [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
        raise der.DerError("the outer parts are not request, algorithm and signature")
    if [part[0] for part in der.parts(parts[0])][:1] == [der.CONTEXT]:
        message = "the bytes are a certificate; allowed is a certification request"
        raise CsrError("csr.pem-type", message, "send the CSR that the certificate was made from")
    return parts[0], parts[1], parts[2]


def _verify(request_der: bytes, spki_der: bytes) -> str | None:
    """Verify the self-signature, whatever its hash, and return the hash's name."""
    try:
        frame = _frame(request_der, spki_der)
        digest = frame.signature_hash_algorithm
        _check_signature(request_der, spki_der, frame)
    except (UnsupportedAlgorithm, AlgorithmRefusedError) as error:
        message = "the CSR is signed with an algorithm unknown here"
        raise CsrError("csr.signature-algorithm", message, "sign it with SHA-256") from error
    except InvalidSignature as error:
        message = "the CSR's signature is not by the key that it holds: no proof of possession"
        raise CsrError(
            "csr.signature", message, "make the CSR again with the private key"
        ) from error
    except ValueError as error:
        message = f"the bytes are no certification request of RFC 2986: {error}"
        raise CsrError("csr.der", message, _MAKE_AGAIN) from error
    return digest.name if digest else None


def _frame(request_der: bytes, spki_der: bytes) -> x509.CertificateSigningRequest:
    """Return the CSR without names and attributes, by which its algorithm is read.

    `cryptography` refuses attributes out of DER's order and names in old string types; the
    signature is over whatever bytes there are.
    """
    _, identifier_der, signature_der = der.parts(request_der)
    info_der = der.sequence(der.integer(0), der.sequence(), spki_der, der.explicit(0))
    return x509.load_der_x509_csr(der.sequence(info_der, identifier_der, signature_der))


def _check_signature(
    request_der: bytes, spki_der: bytes, frame: x509.CertificateSigningRequest
) -> None:
    # `is_signature_valid` knows no SHA-1 and MD5; whether they are accepted is the policy's word.
    key, digest = load_public_key(spki_der), frame.signature_hash_algorithm
    message = tbs_of(request_der)
    if isinstance(key, ec.EllipticCurvePublicKey) and digest:
        key.verify(frame.signature, message, ec.ECDSA(digest))
    elif isinstance(key, rsa.RSAPublicKey) and digest:
        key.verify(frame.signature, message, _padding(frame), digest)
    elif not verify_signature(request_der, spki_der):
        raise InvalidSignature


def _padding(frame: x509.CertificateSigningRequest) -> padding.AsymmetricPadding:
    if frame.signature_algorithm_oid.dotted_string != RSASSA_PSS_OID:
        return padding.PKCS1v15()
    parameters = frame.signature_algorithm_parameters
    if not isinstance(parameters, padding.PSS):
        raise InvalidSignature
    return parameters


def _subject(subject_der: bytes) -> tuple[tuple[NameAttribute, ...], tuple[str, ...]]:
    try:
        names = read_name(subject_der)
    except ValueError as error:
        raise CsrError("csr.subject", f"the CSR's subject: {error}", _MAKE_AGAIN) from error
    for attribute in flatten(names):
        if any(character < " " or character == "\x7f" for character in attribute.value):
            message = f"the CSR's subject holds {quoted(attribute.value)}, with a control character"
            raise CsrError("csr.name-control", message, "make the CSR again without it")
    several = tuple(
        f"multi-valued relative name {relative_name_text(relative)}"
        for relative in names
        if len(relative) != 1
    )
    return flatten(names), several


def _requested(attributes_der: bytes) -> RequestedExtensions:
    try:
        return read_attributes(attributes_der)
    except RefusedError as error:
        raise CsrError(error.rule, error.message, error.remedy or _MAKE_AGAIN) from error
    except ValueError as error:
        message = f"the CSR's attributes are not those of RFC 2985: {error}"
        raise CsrError("csr.attributes", message, _MAKE_AGAIN) from error
