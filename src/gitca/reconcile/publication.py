"""A publication: what one commit of the ledger gives to publish, read and judged once for all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from gitca.documents.load import Governing
from gitca.errors import ContradictionError
from gitca.findings import Finding, Location, Severity
from gitca.git.store import Snapshot, Store
from gitca.ledger.image import certificate_der, crl_path, is_self_signed
from gitca.ledger.records import EXTERNAL
from gitca.ledger.segment import SegmentHead
from gitca.ledger.state import LedgerState
from gitca.plan.demand import issuer_certificate
from gitca.publishers import Item
from gitca.publishers.gate import Known, Problem, Weight, judge_candidate, judge_time
from gitca.publishers.layout import (
    CrlRendition,
    authority_items,
    crl_renditions,
    issuing,
    misnamed,
)
from gitca.x509.signed import verify_signature

LARGEST_CRL = 512 * 1024**2


@dataclass(frozen=True, slots=True)
class JudgedCrl:
    """A CA's current CRL with what the gate said before any target was looked at."""

    rendition: CrlRendition
    known: Known
    problems: tuple[Problem, ...]

    def has(self, weight: Weight) -> bool:
        """Whether a problem of a kind was found."""
        return any(problem.weight is weight for problem in self.problems)


@dataclass(frozen=True, slots=True)
class Publication:
    """What the commit `commit`, whose ledger stands at `head`, gives to publish."""

    commit: str
    head: SegmentHead
    state: LedgerState
    crls: tuple[JudgedCrl, ...]
    authorities: tuple[Item, ...]
    findings: tuple[Finding, ...]


def read_publication(
    store: Store, snapshot: Snapshot, governing: Governing, now: datetime
) -> Publication | None:
    """Return what a commit gives to publish; None before there is anything.

    Raises: ContradictionError where `issued/` holds another CRL than the ledger, and where a CA's
    certificate is not signed by the key of the CA that the ledger names.
    """
    state, tip = snapshot.state, snapshot.tip
    if tip is None or not state.head.number:
        return None
    _check_authorities(state)
    renditions = crl_renditions(state, _read_crls(store, tip, state), governing.authorities)
    every = governing.repository.spec.reconcile_every or timedelta(0)
    crls = tuple(
        _judge(rendition, state, now, every + _margin(governing, rendition.ca))
        for rendition in renditions
    )
    return Publication(
        commit=tip,
        head=state.head,
        state=state,
        crls=crls,
        authorities=authority_items(state, governing, now),
        findings=(
            *(finding for crl in crls for finding in _findings(crl, governing)),
            *_misnamed(state, governing),
        ),
    )


def _judge(
    rendition: CrlRendition, state: LedgerState, now: datetime, keep_for: timedelta
) -> JudgedCrl:
    ca, issuer = rendition.ca, rendition.issuer

    def ends(serial: int) -> datetime | None:
        record = state.serials.get((ca, f"{serial:x}"))
        return record.certificate.not_after if record else None

    record = state.authorities[ca].crl
    known = Known(record.crl.number if record else 0, ends)
    # It names the certificate of its order; the CA may have been given another one since.
    named = issuer_certificate(state, record.ordered) if record else issuer
    problems = tuple(judge_candidate(rendition.der, named, known))
    if not problems:
        problems = tuple(judge_time(rendition.der, issuer, now, keep_for))
    return JudgedCrl(rendition, known, problems)


def _margin(governing: Governing, ca: str) -> timedelta:
    document = governing.authorities.get(ca)
    return (document.spec.crl.publish_margin if document else None) or timedelta(0)


def _findings(crl: JudgedCrl, governing: Governing) -> Iterator[Finding]:
    """Yield what a person has to mend; contradictions are told of with the targets."""
    ca = crl.rendition.ca
    place = _place(governing, ca, "crl")
    for problem in crl.problems:
        if problem.weight in (Weight.MARGIN, Weight.LAPSED):
            message = f"CRL {crl.known.signed} of CA {ca}: {problem.message}"
            yield Finding(problem.rule, Severity.ERROR, message, place, problem.remedy)


def _misnamed(state: LedgerState, governing: Governing) -> Iterator[Finding]:
    """Yield `publish.name.taken` for each object that another CA's name leaves no place for."""
    for path, ca, owner in misnamed(state):
        yield Finding(
            "publish.name.taken",
            Severity.ERROR,
            f"{path} of CA {ca} is not published: CA {owner}, which is older, has that place",
            _place(governing, ca),
            "make a CA of another name in its stead, and let this one issue nothing more (state:"
            " crl-only)",
        )


def _place(governing: Governing, ca: str, *at: str) -> Location:
    document = governing.authorities.get(ca)
    return document.at("spec", *at) if document else Location(f"ca/{ca}.yaml")


def _read_crls(store: Store, tip: str, state: LedgerState) -> Mapping[str, bytes]:
    """Return each CA's current CRL. Raises: ContradictionError."""
    signed = {name: record.crl.signed for name, record in state.authorities.items() if record.crl}
    paths = {crl_path(name): name for name in signed}
    blobs = {entry.path: entry.blob for entry in store.entries(tip, *paths)} if paths else {}
    read: dict[str, bytes] = {}
    for path, name in paths.items():
        event = signed[name]
        blob = blobs.get(path)
        der = store.repository.read(blob, size_limit=LARGEST_CRL) if blob else b""
        if event is None or event.fingerprint != f"sha256:{hashlib.sha256(der).hexdigest()}":
            raise ContradictionError(
                f"{path} is not the CRL that the ledger has as signed",
                remedy=f"find the commit that changed it (git log -- {path}) and restore the file",
            )
        read[name] = der
    return read


def _check_authorities(state: LedgerState) -> None:
    """Verify the signatures on CAs' certificates; an external CA's were when it was adopted."""
    keys = {name: certificate.template.spki_der for name, _, certificate in issuing(state)}
    for name, record, _ in issuing(state):
        own = [record.certificate] if record.certificate else []
        for order in (*own, *record.crosses.values()):
            signer = name if is_self_signed(order) else order.ordered.ca
            if signer == EXTERNAL or order.signed is None:
                continue
            if not verify_signature(certificate_der(order), keys[signer]):
                raise ContradictionError(
                    f"the certificate of {order.about} does not verify under the key of CA"
                    f" {signer}",
                    remedy="run gitca verify",
                )
