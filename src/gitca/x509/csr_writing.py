"""Certification requests that gitca makes: for a CA that one outside of the repository certifies.

What is signed is the CertificationRequestInfo (RFC 2986 section 4.1). It asks for what the CA's
document says, in the extensionRequest attribute (RFC 2985 section 5.4.2); the external CA decides
what it gives, and what it gave is judged when it is put into use.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from gitca.x509 import der
from gitca.x509.algorithms import algorithm_identifier_der, default_algorithm
from gitca.x509.distinguished_name import flatten, read_name, write_name
from gitca.x509.extensions import extensions_der
from gitca.x509.refusal import RefusedError
from gitca.x509.requested_extensions import EXTENSION_REQUEST
from gitca.x509.signed import tbs_of
from gitca.x509.template import CertificateTemplate
from gitca.x509.template_reading import read_template


def build_request_info(template: CertificateTemplate) -> bytes:
    """Return the bytes that a CSR's signature is over, for the template's subject, key and rest.

    They were read again, by another parser, and say the template and nothing else. Raises:
    RefusedError for what no CSR can say.
    """
    try:
        asked = der.sequence(*extensions_der(template, None))
        attribute = der.sequence(der.object_identifier(EXTENSION_REQUEST), der.tlv(der.SET, asked))
        info_der = der.sequence(
            der.integer(0),
            write_name(template.subject),
            template.spki_der,
            der.explicit(0, attribute),
        )
        reread = _read_info(info_der)
    except RefusedError:
        raise
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        message = f"the CSR cannot be encoded: {error}"
        raise RefusedError("csr.template", message) from error
    if reread != template:
        message = "the CSR as built does not say what it is to ask for"
        remedy = "nothing was ordered; report this as a defect of gitca, with the document"
        raise RefusedError("csr.reread", message, remedy)
    return info_der


def csr_spki(csr_der: bytes) -> bytes:
    """Return the key (SPKI, DER) of a CSR, its signature not verified. Raises: DerError."""
    fields = der.parts(tbs_of(csr_der))
    if [field[0] for field in fields] != [der.INTEGER, der.SEQUENCE, der.SEQUENCE, der.CONTEXT]:
        raise der.DerError("the bytes are no certification request of RFC 2986")
    return fields[2]


def _read_info(info_der: bytes) -> CertificateTemplate:
    """Return the template that a CertificationRequestInfo asks for."""
    _, subject_der, spki_der, attributes_der = der.parts(info_der)
    # The signature is not looked at: any algorithm and no bits at all make it readable.
    identifier_der = algorithm_identifier_der(default_algorithm(spki_der))
    frame = der.sequence(info_der, identifier_der, der.bit_string(b""))
    extensions = x509.load_der_x509_csr(frame).extensions
    (attribute,) = der.parts(attributes_der, der.CONTEXT)
    _, values = der.parts(attribute)
    (asked,) = der.parts(values, der.SET)
    return read_template(flatten(read_name(subject_der)), spki_der, extensions, der.parts(asked))
