"""What a reviewer wants to know beside an action: who owns it, and what stands now.

It is looked up for the actions that are shown, and is no part of the plan, whose digest is without
it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.findings import Location
from gitca.ledger.image import standing_certificate
from gitca.ledger.records import OrderRecord
from gitca.ledger.state import LedgerState
from gitca.plan.desired import Desired
from gitca.plan.model import (
    Action,
    AdoptAuthority,
    CreateAuthority,
    CrossCertify,
    IssueCertificate,
    RequestAuthority,
    RevokeCertificate,
    SignCrl,
)
from gitca.policy.authority import propose_authority
from gitca.x509.template import CertificateTemplate


@dataclass(frozen=True, slots=True)
class Present:
    """A certificate that stands: what it says, and whether it is revoked."""

    ca: str
    serial: str
    not_before: datetime
    not_after: datetime
    template: CertificateTemplate
    is_revoked: bool


@dataclass(frozen=True, slots=True)
class PresentCrl:
    """The CRL that stands."""

    number: int
    next_update: datetime


@dataclass(frozen=True, slots=True)
class Background:
    """What is known of an action's subject.

    `place` is where it is asked for; `owner` and `description` are its document's. `present` is the
    certificate that the action replaces or revokes. `authority` is the document of the CA that the
    action is about, and `proposal` what its certificate will say, less its key.
    """

    place: Location
    owner: str | None = None
    description: str | None = None
    present: Present | None = None
    authority: Document[CertificateAuthoritySpec] | None = None
    proposal: CertificateTemplate | None = None
    crl: PresentCrl | None = None


@dataclass(frozen=True, slots=True)
class Backgrounds:
    """Where the background of every action of a plan is found: what the plan was made from."""

    desired: Desired
    state: LedgerState

    def of(self, action: Action) -> Background:
        """Return the background of one of the plan's actions."""
        match action:
            case IssueCertificate():
                return self._issue(action)
            case RevokeCertificate():
                return self._revocation(action)
            case SignCrl():
                return self._crl(action)
            case CreateAuthority() | RequestAuthority() | AdoptAuthority():
                record = self.state.authority(action.authority).certificate
                return self._authority(action.authority, record)
            case CrossCertify():
                crosses = self.state.authority(action.authority).crosses
                found = self._authority(action.ca, crosses.get(action.ca))
                return replace(found, proposal=None)

    def _issue(self, action: IssueCertificate) -> Background:
        document = self.desired.requests.requests.get(action.request)
        record = self.state.requests.get(action.request)
        current = self._present(record.current) if record else None
        if document is None:
            reference = action.documents.request or action.documents.ca
            return Background(Location(reference.path), present=current)
        return Background(document.at("spec"), *_metadata(document), present=current)

    def _revocation(self, action: RevokeCertificate) -> Background:
        record = self.state.serials.get((action.ca or "", action.serial or ""))
        request = self.desired.requests.requests.get(action.request or "")
        owner, description = _metadata(request) if request else (None, None)
        place = Location(action.document.path)
        return Background(place, owner, description, self._present(record))

    def _authority(self, name: str, record: OrderRecord | None) -> Background:
        document = self.desired.governing.authorities.get(name)
        present = self._present(record)
        if document is None:
            return Background(Location(f"ca/{name}.yaml"), present=present)
        return Background(
            document.at("spec"),
            *_metadata(document),
            present=present,
            authority=document,
            proposal=propose_authority(document, b""),
        )

    def _crl(self, action: SignCrl) -> Background:
        document = self.desired.governing.authorities.get(action.ca)
        record = self.state.authority(action.ca).crl
        standing = PresentCrl(record.crl.number, record.crl.next_update) if record else None
        place = document.at("spec", "crl") if document else Location(action.documents.ca.path)
        return Background(place, authority=document, crl=standing)

    def _present(self, record: OrderRecord | None) -> Present | None:
        if record is None or record.outcome is None or record.outcome.certificate is None:
            return None
        given = record.certificate
        return Present(
            ca=record.ordered.ca,
            serial=given.serial,
            not_before=given.not_before,
            not_after=given.not_after,
            template=standing_certificate(record).template,
            is_revoked=self.state.is_revoked(record),
        )


def _metadata(document: Document[Any]) -> tuple[str | None, str | None]:
    return document.metadata.owner, document.metadata.description
