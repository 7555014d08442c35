"""CAs whose keys, certificates and CSRs are real: the fold takes no others of a CA."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from ledger_material import CA_DOCUMENT, T0

from gitca.ledger.events import (
    CertificateParticulars,
    CsrParticulars,
    Ordered,
    Signed,
    SourceDocuments,
)
from gitca.x509.certificate import Issuer, rehearse
from gitca.x509.csr_writing import build_request_info
from gitca.x509.signed import assemble
from gitca.x509.template import BasicConstraints, CertificateTemplate, NameAttribute

ALGORITHM = "ecdsa-sha256"


@dataclass
class Authority:
    """A CA with a key of its own, which signs whatever it is asked to."""

    name: str
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    certificate: bytes | None = None

    @property
    def template(self) -> CertificateTemplate:
        return CertificateTemplate(
            subject=(NameAttribute("2.5.4.3", self.name),),
            spki_der=self.key.public_key().public_bytes(
                Encoding.DER, PublicFormat.SubjectPublicKeyInfo
            ),
            basic_constraints=BasicConstraints(None),
            key_usage=("keyCertSign", "cRLSign"),
        )

    def order(
        self,
        subject: Authority,
        serial: int,
        *,
        template: CertificateTemplate | None = None,
        is_cross: bool = False,
    ) -> tuple[Ordered, bytes]:
        """Return the order for a CA's certificate by this one, and its bytes."""
        wanted, end = template or subject.template, T0 + timedelta(days=300)
        issuer = Issuer(None if subject is self else self.certificate, ALGORITHM)
        tbs = rehearse(wanted, issuer, serial=serial, not_before=T0, not_after=end).tbs
        given = CertificateParticulars(
            serial=f"{serial:x}",
            request=None,
            authority=None if is_cross else subject.name,
            cross=subject.name if is_cross else None,
            template=wanted.digest,
            key=wanted.key_identifier,
            not_before=T0,
            not_after=end,
        )
        return self._ordered(given, tbs), tbs

    def csr_order(self) -> tuple[Ordered, bytes]:
        """Return the order for this CA's CSR, and its bytes."""
        info = build_request_info(self.template)
        given = CsrParticulars(self.name, self.template.digest, self.template.key_identifier)
        return self._ordered(given, info), info

    def _ordered(self, given: CertificateParticulars | CsrParticulars, tbs: bytes) -> Ordered:
        digest = hashlib.sha256(tbs).hexdigest()
        return Ordered(
            order=digest[:32],
            ca=self.name,
            particulars=given,
            tbs=f"sha256:{digest}",
            signature_algorithm=ALGORITHM,
            documents=SourceDocuments(CA_DOCUMENT),
            source="c" * 40,
            run="run",
            lease=T0 + timedelta(minutes=10),
        )

    def sign(self, ordered: Ordered, tbs: bytes) -> Signed:
        """Return the event of a signature by this CA's key, whatever the order says."""
        der = assemble(tbs, ALGORITHM, self.key.sign(tbs, ec.ECDSA(hashes.SHA256())))
        text = base64.b64encode(der).decode()
        is_csr = isinstance(ordered.particulars, CsrParticulars)
        return Signed(
            order=ordered.order,
            fingerprint=f"sha256:{hashlib.sha256(der).hexdigest()}",
            key="file:key.pem",
            certificate=None if is_csr else text,
            csr=text if is_csr else None,
        )

    def certify(self, subject: Authority, serial: int) -> tuple[Ordered, Signed]:
        """Return the order and signature of a CA's certificate by this one; it has it from now."""
        ordered, tbs = self.order(subject, serial)
        event = self.sign(ordered, tbs)
        subject.certificate = base64.b64decode(event.certificate or "")
        return ordered, event

    def certify_itself(self, serial: int) -> tuple[Ordered, Signed]:
        """Return the order and signature of a certificate by the CA itself."""
        return self.certify(self, serial)
