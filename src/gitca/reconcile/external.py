"""CAs that an external one certifies: from planned actions to a CSR's draft and an adoption."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gitca.documents.load import Governing
from gitca.findings import Finding
from gitca.ledger.draft import Draft, draft_order
from gitca.ledger.events import Adopted, CsrParticulars
from gitca.ledger.state import LedgerState
from gitca.plan.external import adopted_event
from gitca.plan.external_renewal import judge_identity
from gitca.plan.issuers import signature_algorithm
from gitca.plan.model import Action, AdoptAuthority, RequestAuthority
from gitca.plan.reserved_keys import Reserved, judge_new_key, judge_standing_key
from gitca.policy.authority import propose_authority
from gitca.reconcile.keys import Keys
from gitca.reconcile.linting import build_finding
from gitca.reconcile.moment import Moment
from gitca.x509.csr_writing import build_request_info
from gitca.x509.refusal import RefusedError
from gitca.x509.template import spki_identifier


@dataclass(frozen=True, slots=True)
class ExternalBuilder:
    """Builds what is sent to external CAs, and what came from them.

    On `reserved` keys no CA is made.
    """

    governing: Governing
    state: LedgerState
    keys: Keys
    moment: Moment
    reserved: Reserved

    def build(
        self, actions: Iterable[Action]
    ) -> tuple[tuple[Draft | Finding, ...], tuple[Adopted, ...]]:
        """Return the drafts of CSRs, or why there are none, and the adoptions, of all actions.

        With the drafts stands what is to be said of the adoptions: no later round would say it.

        Raises: ContradictionError when the signer of a CA, where it is within reach, holds another
        key than the CA has.
        """
        asked = tuple(actions)
        requests = (item for item in asked if isinstance(item, RequestAuthority))
        drafts = tuple(draft for action in requests for draft in self._request(action))
        adoptions = tuple(item for item in asked if isinstance(item, AdoptAuthority))
        remarks = (
            remark
            for action in adoptions
            for remark in judge_identity(action, self.state, self.moment.now)
        )
        return (*drafts, *remarks), tuple(self._adopt(action) for action in adoptions)

    def _request(self, action: RequestAuthority) -> Iterator[Draft | Finding]:
        """Yield the draft of a CA's CSR, or why there is none; nothing where its key is away."""
        document = self.governing.authorities[action.authority]
        self.keys.pinned_signer(document, self.state)
        spki_der = self.keys.public_key(document)
        if spki_der is None:
            return
        problems = tuple(self._key_problems(action.authority, spki_identifier(spki_der)))
        if problems:
            yield from problems
            return
        template = propose_authority(document, spki_der)
        try:
            algorithm = signature_algorithm(document, spki_der)
            info_der = build_request_info(template)
        except RefusedError as error:
            yield build_finding(action.documents, error.rule, error.message, error.remedy)
            return
        too_long = self.keys.too_long(document, algorithm, len(info_der))
        if too_long is not None:
            yield too_long
            return
        yield draft_order(
            info_der,
            CsrParticulars(action.authority, template.digest, template.key_identifier),
            ca=action.ca,
            signature_algorithm=algorithm,
            origin=self.moment.origin(action.documents),
        )

    def _key_problems(self, name: str, key: str) -> Iterator[Finding]:
        document = self.governing.authorities[name]
        if self.state.authority(name).key is not None:
            return judge_standing_key(document, key, self.reserved.refused)
        return judge_new_key(document, key, self.reserved)

    def _adopt(self, action: AdoptAuthority) -> Adopted:
        document = self.governing.authorities[action.authority]
        self.keys.pinned_signer(document, self.state)
        return adopted_event(action, self.moment.source, self.moment.run, self.moment.now)
