"""Waivers: one named rule that one request may break until a date."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from gitca.documents.document import Document
from gitca.documents.waiver import WaiverSpec, why_never
from gitca.findings import Finding, Location, Severity

Waiver = Document[WaiverSpec]


def waivers_for(waivers: Mapping[str, Waiver], request: str) -> tuple[Waiver, ...]:
    """Return the waivers of a request, ended or not."""
    return tuple(waiver for waiver in waivers.values() if waiver.spec.request == request)


def apply_waivers(
    findings: Iterable[Finding], waivers: Collection[Waiver], now: datetime
) -> tuple[tuple[Finding, ...], tuple[Waiver, ...]]:
    """Return the findings, with what is waived as warnings, and the waivers that were needed.

    Waived is what a field of the policy says and the waiver names, and no more: an objection that
    holds under every policy stands (`documents.waiver.NEVER_WAIVED`).
    """
    in_force = [waiver for waiver in waivers if now < waiver.spec.until]
    judged: list[Finding] = []
    needed: dict[str, Waiver] = {}
    for finding in findings:
        waiver = _waiver_of(finding, in_force)
        if waiver is not None:
            needed[waiver.name] = waiver
        judged.append(finding if waiver is None else _waived(finding, waiver))
    return tuple(judged), tuple(needed.values())


def _waiver_of(finding: Finding, in_force: Collection[Waiver]) -> Waiver | None:
    if not finding.is_error or not finding.policy or why_never(finding.rule) is not None:
        return None
    covering = [waiver for waiver in in_force if waiver.spec.rule == finding.rule]
    return max(covering, key=lambda waiver: waiver.spec.until, default=None)


def _waived(finding: Finding, waiver: Waiver) -> Finding:
    spec = waiver.spec
    message = (
        f"{finding.message}: WAIVED by {waiver.path} until {spec.until:%Y-%m-%dT%H:%M:%SZ}, when"
        " the certificate ends at the latest"
    )
    remedy = f"before then, {finding.remedy}" if finding.remedy else "mend it before then"
    return replace(finding, severity=Severity.WARNING, message=message, remedy=remedy)


def examine_waivers(
    waivers: Mapping[str, Waiver],
    *,
    needed: Collection[str],
    judged: Collection[str],
    requests: Collection[str],
    now: datetime,
) -> Iterator[Finding]:
    """Yield a warning for every waiver that has ended or that nothing needs.

    `needed` are the names of the waivers that were; `judged` the names of the requests that could
    be judged, `requests` those of all that there are.
    """
    for name, waiver in sorted(waivers.items()):
        spec = waiver.spec
        if spec.until <= now:
            message = (
                f"the waiver of {spec.rule} for request {spec.request} ended on"
                f" {spec.until:%Y-%m-%dT%H:%M:%SZ}"
            )
            yield _about("waiver.ended", waiver, "until", message, "delete it, or have it renewed")
        elif spec.request not in requests:
            message = f"there is no request {spec.request}, so that the waiver waives nothing"
            yield _about("waiver.unused", waiver, "request", message, "delete it")
        elif spec.request in judged and name not in needed:
            message = f"request {spec.request} does not break {spec.rule}: nothing needs the waiver"
            yield _about("waiver.unused", waiver, "rule", message, "delete it")


def _about(rule: str, waiver: Waiver, key: str, message: str, remedy: str) -> Finding:
    place: Location = waiver.at("spec", key)
    return Finding(rule, Severity.WARNING, message, place, remedy)
