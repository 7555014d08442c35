"""Build: from planned actions to drafts of orders; serial numbers and dates are frozen here.

Every TBS is read again and compared with its template, and linted under a throwaway signature,
before anything is recorded. What fails is a finding and holds up nothing but itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from gitca.documents.load import Governing
from gitca.findings import Finding, Severity
from gitca.ledger.draft import Batch, Draft
from gitca.ledger.events import Revoked
from gitca.ledger.image import standing_certificate
from gitca.ledger.state import LedgerState
from gitca.plan.issuers import signature_algorithm
from gitca.plan.model import (
    Action,
    AdoptAuthority,
    IssueCertificate,
    RevokeCertificate,
    SignCrl,
)
from gitca.plan.requested_keys import KeyOrders
from gitca.plan.reserved_keys import Reserved
from gitca.plan.revocations import refused_keys
from gitca.reconcile.certificates import CertificateBuilder, Certifying
from gitca.reconcile.crls import CrlBuilder
from gitca.reconcile.external import ExternalBuilder
from gitca.reconcile.keys import Keys
from gitca.reconcile.linting import Rehearsed, lint_drafts
from gitca.reconcile.moment import Moment
from gitca.x509.refusal import RefusedError


@dataclass(frozen=True, slots=True)
class Built:
    """What is ready to be recorded, and what was found while building it."""

    batch: Batch
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds what of a plan is ready: whose issuer has its certificate."""

    governing: Governing
    state: LedgerState
    keys: Keys
    moment: Moment

    def build(self, actions: Iterable[Action]) -> Built:
        """Return the batch to record. Raises: ContradictionError when a CA's key was exchanged."""
        asked = tuple(actions)
        refused = dict(self._refused_authorities(asked))
        listed = [
            action
            for action in asked
            if isinstance(action, RevokeCertificate) or action.ca not in refused
        ]
        revoking = [action for action in listed if isinstance(action, RevokeCertificate)]
        revoked = tuple(revoked_event(action, self.moment.now) for action in revoking)
        reserved = Reserved(
            refused_keys(self.governing, self.state, revoking),
            KeyOrders(self.state),
            {item.template.key_identifier for item in listed if isinstance(item, IssueCertificate)},
        )
        builder = CertificateBuilder(self.governing, self.state, self.keys, self.moment, reserved)
        made = [
            item
            for action in listed
            if isinstance(action, Certifying)
            for item in builder.build(action)
        ]
        crls = [
            CrlBuilder(self.governing, self.state, self.keys, self.moment).build(action, revoked)
            for action in listed
            if isinstance(action, SignCrl) and self.state.authority(action.ca).certificate
        ]
        external = ExternalBuilder(self.governing, self.state, self.keys, self.moment, reserved)
        asking, adopted = external.build(listed)
        findings = [item for item in (*made, *asking, *crls) if isinstance(item, Finding)]
        sound, lint = lint_drafts(
            [item for item in made if isinstance(item, Rehearsed)],
            [item for item in crls if isinstance(item, Rehearsed)],
            self.moment.now,
        )
        drafts = (*(item for item in asking if isinstance(item, Draft)), *sound)
        batch = Batch(drafts, revoked, adopted=adopted)
        return Built(batch, (*refused.values(), *findings, *lint))

    def _refused_authorities(self, actions: Iterable[Action]) -> Iterator[tuple[str, Finding]]:
        """Yield the CAs whose key cannot sign, or not with their algorithm, and why."""
        keyless = (RevokeCertificate, AdoptAuthority)
        signing = (item.ca for item in actions if not isinstance(item, keyless))
        for ca in dict.fromkeys(signing):
            document = self.governing.authorities[ca]
            unsuitable = self.keys.refusal(document)
            if unsuitable is not None:
                yield ca, unsuitable
                continue
            standing = self.state.authority(ca).certificate
            spki_der = (
                standing_certificate(standing).template.spki_der
                if standing
                else self.keys.public_key(document)
            )
            try:
                if spki_der is not None:
                    signature_algorithm(document, spki_der)
            except RefusedError as error:
                at = document.at("spec", "signatureAlgorithm")
                rule = "authority.signatureAlgorithm"
                yield ca, Finding(rule, Severity.ERROR, error.message, at, error.remedy)


def revoked_event(action: RevokeCertificate, now: datetime) -> Revoked:
    """Return the event that records a planned revocation, dated now."""
    return Revoked(
        reason=action.revocation_reason,
        date=now,
        document=action.document,
        ca=action.ca,
        serial=action.serial,
        key=action.key,
        invalidity_date=action.invalidity_date,
    )
