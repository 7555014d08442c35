"""Where a certificate comes from: the order, the documents, the commit, the people, the key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from gitca.cli.certificates import (
    Row,
    Status,
    certificate_orders,
    is_current,
    row_of,
    status_of,
)
from gitca.cli.clone import Clone
from gitca.cli.output import field_lines
from gitca.cli.times import distance, format_time
from gitca.git.process import Git, as_text
from gitca.ledger.events import DocumentReference, Revoked
from gitca.ledger.image import authority_path, certificate_path, cross_path
from gitca.ledger.records import EXTERNAL, OrderRecord
from gitca.plan.words import authority_words, extension_lines, key_words, usage_words


@dataclass(frozen=True, slots=True)
class Change:
    """The commit by which a document came to say what it says, and who wrote it."""

    commit: str
    author: str
    date: str
    subject: str


def certificate_record(clone: Clone, record: OrderRecord, now: datetime) -> dict[str, object]:
    """A certificate and its provenance as `gitca show --format json` gives them."""
    row, ordered = row_of(clone, record, now), record.ordered
    revoked, signed = _revocation(clone, record), record.outcome
    return row.as_json() | {
        "key": key_words(row.template.spki_der),
        "keyIdentifier": row.template.key_identifier,
        "usages": usage_words(row.template),
        "authority": authority_words(row.template) or None,
        "extensions": extension_lines(row.template),
        "file": _file(clone, record),
        "order": None if ordered.ca == EXTERNAL else ordered.order,
        "segment": record.segment,
        "run": ordered.run,
        "signatureAlgorithm": ordered.signature_algorithm,
        "signingKey": signed.key if signed and ordered.ca != EXTERNAL else None,
        "signingRequest": signed.request_id if signed else None,
        "sourceCommit": ordered.source,
        "documents": [
            _document_record(clone, record, what, item) for what, item in _documents(clone, record)
        ],
        "revocation": revoked and _revocation_record(revoked),
    }


def certificate_lines(clone: Clone, record: OrderRecord, now: datetime, columns: int) -> list[str]:
    """A certificate and its provenance, for people, in lines of at most `columns`."""
    row = row_of(clone, record, now)
    sections: dict[str, Iterable[tuple[str, str]]] = {
        "": _facts(clone, row, now),
        "Where it comes from": _origins(clone, record),
        "Revoked": _revocation_facts(_revocation(clone, record)),
        f"Other certificates of the {'request' if row.record.certificate.request else 'CA'}": (
            _others(clone, record, now)
        ),
    }
    lines: list[str] = []
    for title, facts in sections.items():
        body = [line for fact in facts if fact[1] for line in field_lines(*fact, columns)]
        lines += ["", title, *body] if title and body else body
    return lines


def _facts(clone: Clone, row: Row, now: datetime) -> Iterator[tuple[str, str]]:
    given, template = row.record.certificate, row.template
    of = given.authority or f"{given.cross} (cross-certificate)"
    yield "request" if given.request else "CA", given.request or of
    ends = f", expires {distance(given.not_after, now)}" if row.status is Status.VALID else ""
    yield "status", f"{row.status.value}{ends}"
    yield "serial", given.serial
    yield "issued by", row.record.ordered.ca
    yield "subject", row.subject
    yield "names", ", ".join(row.sans)
    yield "key", key_words(template.spki_der)
    yield "", template.key_identifier
    yield "usages", ", ".join(usage_words(template))
    yield "authority", authority_words(template)
    for line in extension_lines(template):
        yield "extension", line
    yield "valid", f"{format_time(given.not_before)} to {format_time(given.not_after)}"
    signed = row.record.outcome
    yield "fingerprint", (signed.fingerprint if signed else None) or ""
    yield "file", _file(clone, row.record) or ""


def _origins(clone: Clone, record: OrderRecord) -> Iterator[tuple[str, str]]:
    ordered = record.ordered
    is_adopted = ordered.ca == EXTERNAL
    place = f"ledger segment {record.segment}, run {ordered.run}"
    if is_adopted:
        yield "adopted", f"from an external CA ({place})"
    else:
        yield "order", f"{ordered.order} ({place})"
    yield "judged at", f"commit {ordered.source[:12]}"
    for what, document in _documents(clone, record):
        yield what, f"{document.path} (blob {document.blob[:12]})"
        change = last_change(clone, ordered.source, document.path)
        if change is not None:
            yield "", f"{change.date[:10]}, commit {change.commit[:12]}, by {change.author}"
    signed = record.outcome
    if signed is not None and not is_adopted:
        used = f" (request {signed.request_id})" if signed.request_id else ""
        late = ", after the order had been given up" if record.late is not None else ""
        yield "signed with", f"{signed.key}, {ordered.signature_algorithm}{used}{late}"


def _others(clone: Clone, record: OrderRecord, now: datetime) -> Iterator[tuple[str, str]]:
    given = record.certificate
    request = clone.state.requests.get(given.request or "")
    orders = request.orders if request else _of_authority(clone, given.authority or given.cross)
    for other in orders:
        if other is not record and not other.is_given_up:
            by = f" (cross-certificate by {other.ordered.ca})" if other.certificate.cross else ""
            yield status_of(other, clone.state, now).value, f"{other.certificate.serial}{by}"


def _of_authority(clone: Clone, name: str | None) -> list[OrderRecord]:
    """The certificates of a CA, its own and cross-certificates, oldest first."""
    return [
        record
        for record in certificate_orders(clone.state, authorities=True)
        if record.certificate.request is None
        and name in (record.certificate.authority, record.certificate.cross)
    ]


def _documents(clone: Clone, record: OrderRecord) -> Iterator[tuple[str, DocumentReference]]:
    authority = clone.state.authority(record.certificate.authority or "")
    adopted = authority.adoptions.get((record.signed and record.signed.fingerprint) or "")
    documents = record.ordered.documents
    csr = documents.csr if documents.csr != documents.request else None
    for what, reference in (
        ("request", documents.request),
        ("CSR", csr),
        ("policy", documents.policy),
        ("CA", documents.ca),
        ("file", adopted.file if adopted else None),
    ):
        if reference is not None:
            yield what, reference


def last_change(clone: Clone, commit: str, path: str) -> Change | None:
    """The last commit up to `commit` that touched the path; None where history is not here."""
    answer = Git(clone.repository.root).run(
        "log", "-1", "--no-show-signature", "--format=%H%x00%an <%ae>%x00%aI%x00%s",
        "--end-of-options", commit, "--", path,
    )  # fmt: skip
    fields = as_text(answer.stdout).rstrip("\n").split("\0")
    return Change(*fields) if answer.returncode == 0 and len(fields) == 4 else None


def _document_record(
    clone: Clone, record: OrderRecord, what: str, document: DocumentReference
) -> dict[str, object]:
    change = last_change(clone, record.ordered.source, document.path)
    return {
        "role": what.lower(),
        "path": document.path,
        "blob": document.blob,
        "commit": change and change.commit,
        "author": change and change.author,
        "date": change and change.date,
    }


def _revocation(clone: Clone, record: OrderRecord) -> Revoked | None:
    given = record.certificate
    if record.ordered.ca == EXTERNAL:  # its serial numbers are not ours to revoke: its key is
        return clone.state.refused_keys.get(given.key)
    return clone.state.revoked.get((record.ordered.ca, given.serial))


def _revocation_facts(revoked: Revoked | None) -> Iterator[tuple[str, str]]:
    if revoked is None:
        return
    yield "date", format_time(revoked.date)
    yield "reason", revoked.reason
    yield "document", revoked.document.path
    if revoked.invalidity_date is not None:
        yield "invalid since", format_time(revoked.invalidity_date)


def _revocation_record(revoked: Revoked) -> dict[str, object]:
    record: dict[str, object] = {
        "date": format_time(revoked.date),
        "reason": revoked.reason,
        "document": revoked.document.path,
    }
    if revoked.invalidity_date is not None:
        record["invalidityDate"] = format_time(revoked.invalidity_date)
    return record


def _file(clone: Clone, record: OrderRecord) -> str | None:
    """Where the certificate lies; None where a newer one lies there."""
    if record.is_pending or not is_current(record, clone.state):
        return None
    given = record.certificate
    if given.request is not None:
        return certificate_path(record.ordered.ca, given.request)
    if given.cross is not None:
        return cross_path(given.cross, record.ordered.ca)
    return authority_path(given.authority or "")
