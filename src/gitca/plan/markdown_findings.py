"""Findings in the plan's Markdown: what this change is about first, what stays after it apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

from gitca.findings import Finding, Severity
from gitca.plan.markdown_fit import Section
from gitca.plan.markdown_text import code, counted, place_link, prose
from gitca.plan.outcome import Outcome, heaviest_first

STANDING_RULES = frozenset(
    {
        "authority.life",
        "authority.retired",
        "authority.crl.schedule",
        "blocklist.standing",
        "crl.lapse",
        "order.ahead",
        "order.waiting",
        "renewal.automatic",
        "renewal.issuer",
        "renewal.key",
        "renewal.notAfter",
        "renewal.waiver",
    }
)
"""Rules whose warnings are about what stands: they are there with and without a change."""

_STAYING = (
    "These are about the repository as it stands. They stay when this change is merged, until"
    " somebody acts on them.\n\n"
)


def findings_section(outcome: Outcome, links: str) -> Section:
    """Return what was found of the documents, errors first; every error is among it."""
    found = [item for item in heaviest_first(outcome.findings) if not _is_standing(item)]
    heading = f"\n### Findings: {tally(found)}\n\n"
    return _section(heading, found, links, share=0.5, rank=0)


def standing_section(outcome: Outcome, links: str) -> Section:
    """Return the warnings and notes that outlive the change."""
    found = [item for item in heaviest_first(outcome.findings) if _is_standing(item)]
    heading = f"\n### Beyond this change: {tally(found)}\n\n{_STAYING}"
    return _section(heading, found, links, share=0.3, rank=3)


def tally(findings: Sequence[Finding]) -> str:
    """Return `2 errors, 1 warning`."""
    found = Counter(item.severity for item in findings)
    return ", ".join(counted(found[s], s.value) for s in Severity if found[s])


def finding_item(finding: Finding, links: str, *, indent: str = "") -> str:
    """Return a finding as an item of a list: what weighs how much, where, and what to do."""
    policy = f", policy {code(finding.policy)}" if finding.policy else ""
    remedy = f" **Remedy:** {prose(finding.remedy)}." if finding.remedy else ""
    return (
        f"{indent}- **{finding.severity.value}** {place_link(finding.location, links)}:"
        f" {prose(finding.message)} ({code(finding.rule)}{policy}).{remedy}\n"
    )


def _is_standing(finding: Finding) -> bool:
    return not finding.is_error and finding.rule in STANDING_RULES


def _section(
    heading: str, found: Sequence[Finding], links: str, *, share: float, rank: int
) -> Section:
    def left_out(count: int) -> str:
        return f"- … **and {tally(found[count:])} more**, which do not fit in here\n"

    blocks = [partial(finding_item, item, links) for item in found]
    return Section(heading, blocks, left_out, share, rank)
