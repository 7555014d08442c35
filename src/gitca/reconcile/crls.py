"""CRLs: from planned actions to drafts of their orders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.documents.load import Governing
from gitca.findings import Finding, Severity
from gitca.ledger.draft import crl_tbs, draft_order, listed_too_early
from gitca.ledger.events import CrlParticulars, Revoked
from gitca.ledger.image import standing_certificate
from gitca.ledger.state import LedgerState
from gitca.plan.dates import crl_period
from gitca.plan.issuers import signature_algorithm
from gitca.plan.model import SignCrl
from gitca.reconcile.keys import Keys
from gitca.reconcile.linting import Rehearsed
from gitca.reconcile.moment import Moment
from gitca.x509.crl import rehearse_crl
from gitca.x509.refusal import RefusedError

_FORM = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class CrlBuilder:
    """Builds the CRLs of a plan; their CAs have certificates."""

    governing: Governing
    state: LedgerState
    keys: Keys
    moment: Moment

    def build(self, action: SignCrl, revoked: Iterable[Revoked]) -> Rehearsed | Finding:
        """Return the draft of a CRL, with the frame and the new entries for the linter.

        Raises: ContradictionError when the signer of its CA holds another key than its certificate.

        An entry's bytes never change, so that each is linted on the first CRL that holds it.
        """
        document = self.governing.authorities[action.ca]
        self.keys.pinned_signer(document, self.state)
        record = self.state.authority(action.ca)
        new = [event for event in revoked if event.ca == action.ca]
        listed = record.crl.crl.revocations if record.crl else 0
        carried = tuple(record.carried.values())
        if record.certificate is None:
            raise ValueError(f"CA {action.ca} has no certificate")
        issuer = standing_certificate(record.certificate)
        particulars = self._particulars(
            document, len(record.revocations) + len(new), issuer.not_after
        )
        algorithm = signature_algorithm(document, issuer.template.spki_der)
        entries = (*(event for _, event in carried), *new)
        ahead = listed_too_early(particulars, entries)
        if ahead is not None:
            return _dated_ahead(document, ahead, particulars)
        unlinted = (*(event for place, event in carried if place >= listed), *new)
        try:
            tbs = crl_tbs(issuer, particulars, entries, signature_algorithm=algorithm)
            frame = crl_tbs(issuer, particulars, unlinted, signature_algorithm=algorithm)
        except RefusedError as error:
            at = document.at("spec", "crl")
            return Finding(error.rule, Severity.ERROR, error.message, at, error.remedy)
        too_long = self.keys.too_long(document, algorithm, len(tbs))
        if too_long is not None:
            return too_long
        draft = draft_order(
            tbs,
            particulars,
            ca=action.ca,
            signature_algorithm=algorithm,
            origin=self.moment.origin(action.documents),
        )
        return Rehearsed(draft, rehearse_crl(frame, algorithm), action.documents)

    def _particulars(
        self, document: Document[CertificateAuthoritySpec], revocations: int, end: datetime
    ) -> CrlParticulars:
        record = self.state.authority(document.name)
        this_update, next_update = crl_period(self.moment.now, document.spec, record.crl, end)
        return CrlParticulars(
            number=record.last_crl_number + 1,
            this_update=this_update,
            next_update=next_update,
            revocations=revocations,
        )


def _dated_ahead(
    document: Document[CertificateAuthoritySpec], revoked: Revoked, given: CrlParticulars
) -> Finding:
    return Finding(
        "crl.revocation-date",
        Severity.ERROR,
        f"CRL {given.number} of CA {document.name} would be of {given.this_update:{_FORM}}, and the"
        f" ledger dates the revocation of {revoked.serial} at {revoked.date:{_FORM}}; nothing was"
        " ordered: until then who weighs that date would trust the certificate",
        document.at("spec", "crl"),
        "if no reconciler's clock was ahead when that was recorded, somebody else wrote it: gitca"
        " verify may name the commit. docs/operations.md, 'A revocation is dated ahead', has the"
        " way out; else the CRL is signed once that time has come",
    )
