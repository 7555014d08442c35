"""Whether the documents of this moment still ask for what a CA is to have, or is to sign itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.documents.load import Governing
from gitca.ledger.draft import recorded_at
from gitca.ledger.events import CertificateParticulars, CrlParticulars, CsrParticulars, Ordered
from gitca.ledger.image import standing_certificate
from gitca.ledger.state import LedgerState
from gitca.plan.crosses import judge_cross
from gitca.plan.dates import crl_period
from gitca.plan.issuers import CHANGED, Issuer, authority_template, signature_algorithm
from gitca.policy.authority import propose_authority
from gitca.policy.period import Period
from gitca.reconcile.keys import Keys
from gitca.reconcile.objection import Objection, denials, too_long
from gitca.x509.refusal import RefusedError
from gitca.x509.template import spki_identifier

_DAY = "%Y-%m-%d"


@dataclass(frozen=True, slots=True)
class WantedAuthorities:
    """Judges orders of CAs once more, by the documents of one moment."""

    governing: Governing
    state: LedgerState
    keys: Keys
    issuers: Mapping[str, Issuer]
    now: datetime

    def against(self, ordered: Ordered, given: CertificateParticulars) -> Iterator[Objection]:
        """Yield what speaks against an order for a CA's own certificate, or a cross-certificate."""
        issuer = self._issuer(given.cross or given.authority or "")
        if isinstance(issuer, Objection):
            yield issuer
        elif given.cross is not None:
            yield from self._cross(ordered, given, issuer)
        else:
            yield from self._own(ordered, given, issuer)

    def against_crl(self, ordered: Ordered, given: CrlParticulars) -> Iterator[Objection]:
        """Yield what speaks against an order for a CRL, of a CA whose document is there.

        An order may name any document of the history: one that held long ago, or that was taken
        back within a merged branch, so that nobody saw it. A CRL that lasts for longer than the CA
        wants could be shown to relying parties in the place of those that list what is revoked.
        """
        document = self.governing.authorities.get(ordered.ca)
        record = self.state.authority(ordered.ca)
        if document is None or record.certificate is None:
            return
        end = standing_certificate(record.certificate).not_after
        _, until = crl_period(recorded_at(ordered), document.spec, record.crl, end)
        if given.next_update > until:
            yield Objection(
                f"the document lets the CRL last until {until:{_DAY}}, which is earlier"
            )
        elif given.next_update < until and document.spec.state == "retired":
            yield Objection(f"CA {ordered.ca} is retired by now, and this is not its last CRL")

    def against_algorithm(self, ordered: Ordered) -> Iterator[Objection]:
        """Yield an objection where the CA signs with another algorithm by now."""
        issuer = self.issuers.get(ordered.ca)
        if issuer is None or issuer.certificate is None:
            return
        try:
            algorithm = signature_algorithm(issuer.document, issuer.certificate.template.spki_der)
        except RefusedError as error:
            yield Objection(error.message, final=False)
            return
        if ordered.signature_algorithm != algorithm:
            yield Objection(f"CA {ordered.ca} signs with {algorithm} by now")

    def against_csr(self, ordered: Ordered, given: CsrParticulars) -> Iterator[Objection]:
        """Yield what speaks against an order for a CSR, by which an external CA is asked."""
        issuer = self._issuer(given.authority)
        if isinstance(issuer, Objection):
            yield issuer
            return
        document = issuer.document
        if document.spec.state != "active":
            yield Objection(f"CA {issuer.name} is {document.spec.state} by now")
        if not issuer.is_external:
            yield Objection(f"the document of the CA names the issuer {issuer.parent} by now")
        if given.key in self.governing.blocked_keys:
            yield Objection("a blocklist refuses its key by now")
        yield from denials(item for item in issuer.findings if item.rule != CHANGED)
        # A key that was exchanged behind the same document is for the rebuild to stop at.
        if document.blob != ordered.documents.ca.blob:
            yield from self._against_asked(given, document)

    def _against_asked(
        self, given: CsrParticulars, document: Document[CertificateAuthoritySpec]
    ) -> Iterator[Objection]:
        """Yield what only who knows the CA's key can see; without it the order waits anyway."""
        spki_der = self.keys.public_key(document)
        if spki_der is None:
            return
        if spki_identifier(spki_der) != given.key:
            yield Objection("the document of the CA names another key since")
        elif propose_authority(document, spki_der).digest != given.template:
            yield Objection("the document of the CA asks for another certificate by now")

    def _issuer(self, name: str) -> Issuer | Objection:
        """Return a CA that has a sound document, or why there is none."""
        if name not in self.governing.authorities:
            is_broken = f"ca/{name}.yaml" in self.governing.broken
            reason = "the document of the CA is " + ("broken" if is_broken else "gone")
            return Objection(reason, final=not is_broken)
        issuer = self.issuers.get(name)
        return issuer or Objection("what the CA stands on is broken", final=False)

    def _own(
        self, ordered: Ordered, given: CertificateParticulars, issuer: Issuer
    ) -> Iterator[Objection]:
        spec = issuer.document.spec
        if spec.state != "active":
            yield Objection(f"CA {issuer.name} is {spec.state} by now")
        if issuer.is_revoked:
            yield Objection(f"CA {issuer.name}, or one above it, is revoked by now")
        if issuer.parent != ordered.ca:
            yield Objection(f"the document of the CA names the issuer {issuer.parent} by now")
        if issuer.certificate is not None and not issuer.renewal_is_due(self.now):
            yield Objection("the document of the CA asks for no renewal by now")
        yield from self._against_key(ordered, given, issuer)
        yield from denials(issuer.findings)
        if issuer.held_up:
            yield Objection(f"CA {ordered.ca} is held up", final=False)
        parent = None if issuer.parent == issuer.name else self.issuers.get(issuer.parent)
        record = self.state.orders[ordered.order]
        certificate = parent.certificate if parent else None
        yield from too_long(record, Period(spec.validity), certificate, None)

    def _against_key(
        self, ordered: Ordered, given: CertificateParticulars, issuer: Issuer
    ) -> Iterator[Objection]:
        """Yield what only who knows the CA's key can see; without it the order waits anyway."""
        signing = self.governing.authorities.get(ordered.ca)
        spki_der = self._key(issuer)
        if spki_der is None or signing is None:
            return
        if spki_identifier(spki_der) != given.key:
            yield Objection("the document of the CA names another key since")
        above = self.issuers.get(ordered.ca)
        certificate = above.certificate if above else None
        signing_spki = certificate.template.spki_der if certificate else spki_der
        wanted = authority_template(issuer.document, signing, spki_der, signing_spki)
        if wanted.digest != given.template:
            yield Objection("the documents ask for another certificate by now")

    def _key(self, issuer: Issuer) -> bytes | None:
        if issuer.certificate is not None:
            return issuer.certificate.template.spki_der
        return self.keys.public_key(issuer.document)

    def _cross(
        self, ordered: Ordered, given: CertificateParticulars, subject: Issuer
    ) -> Iterator[Objection]:
        signing = self.issuers.get(ordered.ca)
        if signing is None or signing.held_up or subject.held_up:
            yield Objection(f"CA {ordered.ca} or {subject.name} is held up", final=False)
            return
        if signing.certificate is None or subject.certificate is None:
            return
        spki_der = subject.certificate.template.spki_der
        above = signing.certificate
        try:
            wanted = judge_cross(signing.document, subject.document, above, spki_der, self.now)
        except KeyError:
            yield Objection(f"CA {ordered.ca} lists no cross-certificate for it by now")
            return
        yield from denials(wanted.findings)
        if wanted.template.digest != given.template:
            yield Objection("the documents ask for another cross-certificate by now")
        record = self.state.orders[ordered.order]
        yield from too_long(record, wanted.period, above, None)
