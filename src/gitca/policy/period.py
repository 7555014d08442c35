"""When a certificate shall be valid, as its documents say it: a value that no clock moves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gitca.documents.certificate_request import CertificateRequestSpec
from gitca.documents.validity_rules import ValidityRules

ONE_SECOND = timedelta(seconds=1)
LAST_MOMENT = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)  # RFC 5280 section 4.1.2.5


@dataclass(frozen=True, slots=True)
class Period:
    """A validity and a backdate, or the times that a request states.

    `validity` counts from notBefore and includes its last second (RFC 5280 section 4.1.2.5); it is
    None exactly where `not_after`, inclusive, is stated. `not_before` is the earliest beginning:
    once it has passed it says nothing more.
    """

    validity: timedelta | None
    backdate: timedelta = timedelta(0)
    not_before: datetime | None = None
    not_after: datetime | None = None

    def begin(self, now: datetime, issuer_begin: datetime | None) -> datetime:
        """Return notBefore of a certificate that is issued now; never before its issuer's."""
        moments = (now.replace(microsecond=0) - self.backdate, self.not_before, issuer_begin)
        return max(moment for moment in moments if moment is not None)

    def end(self, begin: datetime) -> datetime:
        """Return notAfter, inclusive, of a certificate with this notBefore; not truncated."""
        if self.not_after is not None:
            return self.not_after
        lasting = self.validity or timedelta(0)
        # notAfter is inclusive, so one second less (RFC 5280 section 4.1.2.5).
        return begin + lasting - ONE_SECOND if begin < LAST_MOMENT - lasting else LAST_MOMENT

    def dates(
        self, now: datetime, issuer_begin: datetime | None, issuer_end: datetime | None
    ) -> tuple[datetime, datetime]:
        """Return notBefore and notAfter of a certificate that is issued now, within its issuer's.

        Whether it may be truncated to the issuer's end is the policy's word and is not asked.
        """
        begin = self.begin(now, issuer_begin)
        end = self.end(begin)
        return begin, end if issuer_end is None else min(end, issuer_end)


def period_of(request: CertificateRequestSpec, rules: ValidityRules) -> Period:
    """Return the period that a request asks for, its policy's default where it does not say."""
    validity = None if request.not_after is not None else request.validity or rules.default
    return Period(validity, rules.backdate, request.not_before, request.not_after)
