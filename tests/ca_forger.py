"""Whoever may push, and writes into the ledger what gitca would not."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from ca_documents import request
from ca_signers import failing_after
from ca_world import COMMITTER, Clone, git
from gitca.ledger.draft import LEASE, Origin, crl_tbs, draft_order
from gitca.ledger.events import (
    Adopted,
    CertificateParticulars,
    CrlParticulars,
    DocumentReference,
    Event,
    Ordered,
    Signed,
)
from gitca.ledger.image import image_of, image_of_adoption, order_path, standing_certificate
from gitca.ledger.segment import SegmentHead, parse_segment, render_segment
from gitca.plan.desired import read_desired
from gitca.plan.make import make_plan
from gitca.plan.model import IssueCertificate
from gitca.x509.certificate import Issuer, rehearse
from gitca.x509.signed import assemble
from gitca.x509.template import CertificateTemplate

API = "requests/payments/api.yaml"
NAME = "api.example.internal"


def blob(clone: Clone, path: str, commit: str = "HEAD") -> DocumentReference:
    return DocumentReference(path, git(clone.folder, "rev-parse", f"{commit}:{path}"))


@dataclass
class Forger:
    """Knows an honest order that was recorded in a copy of the repository, and varies it."""

    clone: Clone
    honest: Ordered
    template: CertificateTemplate

    @property
    def given(self) -> CertificateParticulars:
        assert isinstance(self.honest.particulars, CertificateParticulars)
        return self.honest.particulars

    def issuer(self, ca: str, algorithm: str = "ecdsa-sha256") -> Issuer:
        record = self.clone.state.authority(ca).certificate
        assert record is not None
        return Issuer(standing_certificate(record).der, algorithm)

    def certificate(
        self,
        *,
        ca: str = "issuing",
        template: CertificateTemplate | None = None,
        algorithm: str = "ecdsa-sha256",
        particulars: dict[str, Any] | None = None,
        **changes: Any,
    ) -> tuple[Ordered, bytes]:
        """Return an order whose bytes say what it says."""
        wanted = template or self.template
        given = replace(
            self.given,
            template=wanted.digest,
            key=wanted.key_identifier,
            **(particulars or {}),
        )
        tbs = rehearse(
            wanted,
            self.issuer(ca, algorithm),
            serial=int(given.serial, 16),
            not_before=given.not_before,
            not_after=given.not_after,
        ).tbs
        return self.order(tbs, given, ca=ca, signature_algorithm=algorithm, **changes), tbs

    def order(
        self, tbs: bytes, given: CertificateParticulars | CrlParticulars, **changes: Any
    ) -> Ordered:
        digest = hashlib.sha256(tbs).hexdigest()
        return replace(
            self.honest, order=digest[:32], tbs=f"sha256:{digest}", particulars=given, **changes
        )

    def push(self, ordered: Ordered, tbs: bytes | None, *more: Event) -> None:
        """Write the order into the branch as gitca would."""
        files = {} if tbs is None else {order_path(ordered.order): tbs}
        push_events(self.clone, ordered, *more, files=files)


def push_events(clone: Clone, *events: Event, files: Mapping[str, bytes] | None = None) -> None:
    """Add a segment with these events, and files, in one commit under gitca's name."""
    path, data = render_segment(clone.state.head, events)
    clone.write_issued({path: data, **(files or {})}, "gitca: order certificates: 1", COMMITTER)


def honest_order(clone: Clone) -> Ordered:
    """Let a run die after it recorded one order in a copy of the repository."""
    copy = clone.copy(clone.folder.parent / f"copy-{len(list(clone.folder.parent.iterdir()))}")
    dead = {name: failing_after(clone.keys.named(name), 0) for name in ("root", "issuing")}
    assert copy.reconcile(opener=copy.keys.but(**dead)).exit_code == 4
    (pending,) = copy.state.pending.values()
    return pending.ordered


def forger_of(clone: Clone) -> Forger:
    """Return a forger who knows the order that the request payments/api would be given."""
    clone.save({API: request("api", NAME)})
    honest = honest_order(clone)
    clone.clock.forward(minutes=11)
    with clone.store() as store:
        snapshot = store.at(clone.source, clone.tip)
        desired = read_desired(
            snapshot.entries,
            store.read,
            snapshot.state,
            clone.clock.now,
            read_requesters=store.requesters(snapshot.source),
        )
        (action,) = make_plan(desired, snapshot.state, clone.clock.now).actions
    assert isinstance(action, IssueCertificate)
    return Forger(clone, honest, action.template)


def signed_with(clone: Clone, ordered: Ordered, tbs: bytes, key: str = "issuing") -> Signed:
    """Return the event of a signature that was made behind gitca's back."""
    signature = clone.keys.named(key).sign(tbs, "ecdsa-sha256")
    der = assemble(tbs, ordered.signature_algorithm, signature.value)
    return Signed(
        order=ordered.order,
        fingerprint=f"sha256:{hashlib.sha256(der).hexdigest()}",
        key=signature.key,
        certificate=base64.b64encode(der).decode(),
    )


Change = Callable[[Event], Sequence[Event]]


def rewrite_ledger(clone: Clone, change: Change) -> None:
    """Put other events in the place of each, and link the segments anew, as a forger would."""
    head = SegmentHead()
    files: dict[str, str | bytes | None] = {}
    for path in clone.paths("issued/ledger"):
        events = parse_segment(path, clone.read(path)).events
        name, data = render_segment(head, [new for event in events for new in change(event)])
        head = parse_segment(name, data).head
        files[name] = data
    clone.save(files, "gitca: order certificates: 1", COMMITTER)


def plant(clone: Clone, *events: Event, crl: bytes = b"") -> str:
    """Write a segment with these events and every file that they give, as gitca would.

    `crl` is the CRL (DER) where one of them is its signature. Returns the commit.
    """
    state = clone.state
    path, data = render_segment(state.head, events)
    state.head = parse_segment(path, data).head
    files: dict[str, bytes | None] = {path: data}
    for event in events:
        if isinstance(event, Signed):
            record = state.orders[event.order]
            der = base64.b64decode(event.certificate) if event.certificate else crl
            files |= image_of(state, record, der)
        if isinstance(event, Adopted):
            files |= image_of_adoption(event)
        state.apply_event(event)
    here = {name: made for name, made in files.items() if made or (clone.folder / name).exists()}
    return clone.save(here, "gitca: sign certificates: 1", COMMITTER)


def renewal_order(clone: Clone, request: str) -> tuple[Ordered, bytes]:
    """Return an order for a standing request's next certificate, and its bytes."""
    record = clone.current(request)
    certificate, now = standing_certificate(record), clone.clock.now
    given = replace(record.certificate, serial="5eed", not_before=now)
    issued_by = clone.state.authority(record.ordered.ca).certificate
    assert issued_by is not None
    issuer = Issuer(standing_certificate(issued_by).der, record.ordered.signature_algorithm)
    times = {"not_before": now, "not_after": given.not_after}
    tbs = rehearse(certificate.template, issuer, serial=0x5EED, **times).tbs
    digest = hashlib.sha256(tbs).hexdigest()
    named = {"order": digest[:32], "tbs": f"sha256:{digest}"}
    return replace(record.ordered, particulars=given, lease=now + LEASE, **named), tbs


def crl_order(clone: Clone, ca: str = "issuing") -> tuple[Ordered, bytes]:
    """Return the order for a CA's next CRL with no entry more than it has, and its bytes."""
    authority = clone.state.authority(ca)
    assert authority.crl is not None
    assert authority.certificate is not None
    now = clone.clock.now
    given = CrlParticulars(
        authority.last_crl_number + 1, now, now + timedelta(days=7), len(authority.revocations)
    )
    entries = tuple(revoked for _, revoked in authority.carried.values())
    issuer, algorithm = standing_certificate(authority.certificate), "ecdsa-sha256"
    tbs = crl_tbs(issuer, given, entries, signature_algorithm=algorithm)
    origin = Origin(authority.crl.ordered.documents, authority.crl.ordered.source, "run", now)
    return draft_order(tbs, given, ca=ca, signature_algorithm=algorithm, origin=origin).ordered, tbs


def crl_signed_with(
    clone: Clone, ordered: Ordered, tbs: bytes, signature: bytes | str
) -> tuple[Signed, bytes]:
    """Return the event of a CRL's signature, made by a key that is named or given, and the CRL."""
    if isinstance(signature, str):
        signature = clone.keys.named(signature).sign(tbs, "ecdsa-sha256").value
    der = assemble(tbs, ordered.signature_algorithm, signature)
    event = Signed(
        order=ordered.order,
        fingerprint=f"sha256:{hashlib.sha256(der).hexdigest()}",
        key="file:issuing",
        signature=base64.b64encode(signature).decode(),
    )
    return event, der
