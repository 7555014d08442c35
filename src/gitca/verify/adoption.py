"""Certificates of external CAs that were taken into use: judged again, as of that moment."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass

from gitca.documents.load import load_governing
from gitca.git.store import DOCUMENT_FOLDERS, Store
from gitca.ledger.events import Adopted
from gitca.ledger.image import standing_certificate
from gitca.ledger.records import OrderRecord
from gitca.policy.external import ExternalCase, judge_external
from gitca.verify.report import FIND, Contradiction
from gitca.x509.certificate import parse_certificate
from gitca.x509.certificate_file import path_from


@dataclass(frozen=True, slots=True)
class Adoption:
    """An adoption, and what the CA had then: its key (`sha256:…`) and its last certificate.

    `segment` is the ledger's that records it.
    """

    event: Adopted
    key: str | None
    before: OrderRecord | None
    segment: int

    @property
    def place(self) -> str:
        """What contradictions name."""
        return f"adoption for CA {self.event.authority} ({self.event.fingerprint[:19]}…)"


def check_path(adoption: Adoption) -> Iterator[Contradiction]:
    """Yield what is wrong with an adoption by itself: the key, the fingerprint, the path.

    Raises: RefusedError or ValueError when the certificates cannot be read, or make no path.
    """
    event = adoption.event
    certificate, *above = (
        parse_certificate(base64.b64decode(text, validate=True))
        for text in (event.certificate, *event.chain)
    )
    if certificate.fingerprint != event.fingerprint:
        yield Contradiction("I3", adoption.place, "the fingerprint is of another object", FIND)
    if certificate.template.key_identifier != adoption.key:
        message = f"the certificate is not on the key of CA {event.authority}"
        yield Contradiction("I5", adoption.place, message, FIND)
    if path_from(certificate, above).above != tuple(above):
        message = "the certificates above it are not in the order in which they sign"
        yield Contradiction("I5", adoption.place, message, FIND)


def judge_adoption(store: Store, adoption: Adoption) -> Iterator[Contradiction]:
    """Yield what the documents of an adoption's source commit have against it.

    Raises: BackendUnavailableError where this clone lacks the commit.
    """
    event, place = adoption.event, adoption.place
    entries = store.entries(event.source, *DOCUMENT_FOLDERS)
    blobs = {entry.path: entry.blob for entry in entries}
    for reference in (event.document, event.file):
        if blobs.get(reference.path) != reference.blob:
            message = f"{reference.path} was another file at commit {event.source[:12]}"
            yield Contradiction("I5", place, message, FIND)
            return
    governing = load_governing(entries, store.read)
    document = governing.authorities.get(event.authority)
    file = governing.authority_certificates.get(event.authority)
    named = (event.document.path, event.file.path)
    if document is None or file is None or named != (document.path, file.path):
        message = "its documents have no external CA of this name with a certificate"
        yield Contradiction("I5", place, message, FIND)
        return
    standing = standing_certificate(adoption.before) if adoption.before else None
    case = ExternalCase(document, file, adoption.key or "", standing, event.date)
    verdict = judge_external(case)
    for finding in verdict.findings:
        if finding.is_error:
            yield Contradiction("I5", place, f"its documents deny it: {finding}", FIND)
    path = verdict.path.certificates if verdict.path else ()
    encoded = [base64.b64encode(item.der).decode() for item in path]
    if path and encoded != [event.certificate, *event.chain]:
        yield Contradiction("I5", place, f"{file.path} holds other certificates", FIND)
