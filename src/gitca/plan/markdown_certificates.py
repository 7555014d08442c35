"""Certificates in the plan's Markdown: what one will say, field by field, beside what one says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from gitca.plan.background import Background, Present
from gitca.plan.markdown_text import cell_code, cell_prose, listed, table
from gitca.plan.model import AdoptAuthority
from gitca.plan.words import (
    authority_words,
    duration_words,
    extension_lines,
    key_words,
    period_words,
    subject_words,
    usage_words,
)
from gitca.policy.period import Period
from gitca.x509.certificate import parse_certificate
from gitca.x509.extensions import subject_key_identifier
from gitca.x509.template import CertificateTemplate, spki_identifier

_TIME = "%Y-%m-%d %H:%M:%SZ"
_NONE = "none"


@dataclass(frozen=True, slots=True)
class Row:
    """A field of a table: its name in words, and its value in Markdown, fit for a cell."""

    name: str
    will_be: str


def certificate_rows(
    template: CertificateTemplate, period: Period, *, is_narrow: bool
) -> Iterator[Row]:
    """Yield what a certificate will say, and how long it will be valid.

    With `is_narrow` a digest takes two lines, for a table that has another column.
    """
    yield from _template_rows(template, is_narrow=is_narrow)
    yield Row("Validity", cell_prose(_period(period)))


def adoption_rows(action: AdoptAuthority, file: str, *, is_narrow: bool) -> Iterator[Row]:
    """Yield what the certificate says that an external CA gave; `file` is where it lies."""
    certificate = parse_certificate(action.certificate_der)
    yield Row("Certificates", file)
    yield Row("SHA-256 fingerprint", cell_code(certificate.fingerprint))
    yield from _template_rows(certificate.template, is_narrow=is_narrow)
    yield Row("Validity", _dates(certificate.not_before, certificate.not_after))
    yield Row("Certificates above it", f"{len(action.chain)}")


def proposal_rows(background: Background) -> Iterator[Row]:
    """Yield what a CA's certificate will say, less its key, which its signer is asked for."""
    document, proposal = background.authority, background.proposal
    if document is None or proposal is None:
        return
    present = background.present
    standing = present.template.spki_der if present else None
    yield from _template_rows(proposal, standing, is_narrow=present is not None)
    yield Row("Validity", cell_prose(duration_words(document.spec.validity)))
    yield Row("Key at", cell_code(document.spec.key))


def present_rows(
    present: Present, *, with_urls: bool = True, is_narrow: bool = True
) -> Mapping[str, Row]:
    """Return what a standing certificate says, by the fields' names.

    Where the CRL and the certificate of its issuer lie is left out of what is compared with a CA's
    document alone, which does not say it.
    """
    template = present.template
    if not with_urls:
        template = replace(template, crl_urls=(), ca_issuers_urls=())
    rows = [
        *_template_rows(template, is_narrow=is_narrow),
        Row("Validity", _dates(present.not_before, present.not_after)),
    ]
    return {row.name: row for row in rows}


def compared(rows: Iterable[Row], standing: Mapping[str, Row], present: Present) -> str:
    """Return a table of what will be beside what is; the fields that change are marked."""
    revoked = ", **revoked**" if present.is_revoked else ""
    now = f"Now: {cell_code(present.serial)}{revoked}"
    listing = list(rows)
    lines = [_line(row, standing.get(row.name)) for row in listing]
    names = {row.name for row in listing}
    gone = [row for name, row in standing.items() if name not in names]
    lines += [(f"**{row.name}** (changes)", _NONE, row.will_be) for row in gone]
    return table(("Field", "Will be", now), lines)


def _line(row: Row, before: Row | None) -> tuple[str, str, str]:
    """Return a field, what it will be, and what it is: nothing where no certificate says such."""
    if before is None and row.name not in _FIELDS:
        return f"**{row.name}**", row.will_be, ""
    was = before.will_be if before else _NONE
    if row.name == "Validity":
        return f"**{row.name}**", row.will_be, was
    if was == row.will_be:
        return f"**{row.name}**", row.will_be, "the same"
    return f"**{row.name}** (changes)", row.will_be, was


_FIELDS = frozenset(
    {"Subject", "Names", "CA", "Key", "Usages", "Extensions", "CRL and issuer URLs"}
)


def _template_rows(
    template: CertificateTemplate, spki_der: bytes | None = None, *, is_narrow: bool = False
) -> Iterator[Row]:
    """Yield what a template says; fields that it has not are left out."""
    if template.subject:
        yield Row("Subject", cell_code(subject_words(template.subject)))
    if template.sans:
        yield Row("Names", listed([str(name) for name in template.sans]))
    if template.basic_constraints:
        yield Row("CA", cell_prose(authority_words(template)))
    key = template.spki_der or spki_der
    if key:
        yield Row("Key", _key(key, is_narrow=is_narrow))
    usages = usage_words(template)
    yield Row("Usages", ", ".join(map(cell_prose, usages)) if usages else "none")
    if extensions := extension_lines(template):
        yield Row("Extensions", "<br>".join(map(cell_prose, extensions)))
    if urls := [*template.crl_urls, *template.ca_issuers_urls]:
        yield Row("CRL and issuer URLs", listed(urls))


def _key(spki_der: bytes, *, is_narrow: bool) -> str:
    digest = spki_identifier(spki_der)
    half = len(digest) - 32 if is_narrow else len(digest)
    lines = [cell_code(part) for part in (digest[:half], digest[half:]) if part]
    identifier = subject_key_identifier(spki_der).hex()
    return (
        f"{cell_code(key_words(spki_der))}<br>SPKI {'<br>'.join(lines)}"
        f"<br>SKI {cell_code(identifier)}"
    )


def _period(period: Period) -> str:
    backdate = duration_words(period.backdate) if period.backdate else ""
    return period_words(period) + (f", backdated {backdate}" if backdate else "")


def _dates(begin: datetime, end: datetime) -> str:
    return f"{begin:{_TIME}} to<br>{end:{_TIME}}"
