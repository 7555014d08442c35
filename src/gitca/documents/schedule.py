"""How often the pipeline runs, beside what CAs need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.documents.fields import duration_text
from gitca.findings import Finding, Severity


def schedule_findings(
    authorities: Iterable[Document[CertificateAuthoritySpec]], every: timedelta | None
) -> Iterator[Finding]:
    """Yield `authority.crl.schedule` for CAs whose CRL could lapse between two runs.

    A run that just misses the moment to refresh leaves it to the next, `every` later.
    """
    for authority in authorities:
        before = authority.spec.crl.refresh_before
        if every is not None and authority.spec.state != "retired" and before < every:
            yield Finding(
                rule="authority.crl.schedule",
                severity=Severity.WARNING,
                message=f"refreshBefore {duration_text(before)} is below reconcileEvery"
                f" {duration_text(every)} of ca/repository.yaml: a CRL could lapse between two"
                " runs",
                location=authority.at("spec", "crl", "refreshBefore"),
                remedy="lengthen refreshBefore (and lifetime), or run more often",
            )
