"""Foresight: what fails later unless a person does something, told while there is time.

Nothing here decides on an issuance. Messages have dates and no time that is left: the findings of
one state read the same tomorrow.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from gitca.documents.document import Document
from gitca.documents.fields import duration_text
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.documents.load import Governing
from gitca.findings import Finding, Location, Severity
from gitca.ledger.draft import dated_ahead, recorded_at
from gitca.ledger.events import CertificateParticulars
from gitca.ledger.records import AuthorityRecord, OrderRecord
from gitca.ledger.state import LedgerState
from gitca.plan.issuers import Issuer
from gitca.plan.model import Action, CreateAuthority, SignCrl
from gitca.policy.period import ONE_SECOND
from gitca.x509.certificate import Certificate, parse_certificate

PATIENCE = timedelta(days=1)
"""How long an order may wait for its signature before a person is told."""

_GIVE_UP = (
    "set this machine's clock if it is behind; if it is right, gitca reconcile --take-over gives up"
    " what is dated ahead and orders anew"
)
_SHOWN = 3
_DAY = "%Y-%m-%d"
_TIME = "%Y-%m-%dT%H:%M:%SZ"


def foresee(
    governing: Governing,
    issuers: Mapping[str, Issuer],
    state: LedgerState,
    actions: Iterable[Action],
    now: datetime,
) -> Iterator[Finding]:
    """Yield `authority.life`, `authority.retired`, `crl.lapse`, `order.waiting`, `order.ahead`."""
    planned = tuple(actions)
    refreshed = {action.ca for action in planned if isinstance(action, SignCrl)}
    renewed = {action.authority for action in planned if isinstance(action, CreateAuthority)}
    for issuer in issuers.values():
        if issuer.name not in renewed and issuer.record.pending_certificate is None:
            yield from _short_life(issuer, issuers.values(), governing.policies.values(), now)
    yield from _lapsing_crls(governing, state, refreshed, now)
    yield from _retired(governing, state, refreshed, now)
    yield from _waiting(governing, state, now)
    yield from _ahead(governing, state, now)


@dataclass(frozen=True, slots=True)
class _Need:
    """What may be issued from a CA: `lasting` from the moment of issuance on, `why` in words."""

    lasting: timedelta
    name: str
    why: str
    remedy: str


def _short_life(
    issuer: Issuer,
    issuers: Iterable[Issuer],
    policies: Iterable[Document[IssuancePolicySpec]],
    now: datetime,
) -> Iterator[Finding]:
    """`authority.life`: a CA lasts as long as what may be issued from it today."""
    certificate = issuer.certificate
    is_open = issuer.document.spec.state == "active" and not issuer.held_up
    if certificate is None or not is_open or certificate.not_after < now:
        return
    end = _chain_end(issuer, certificate)
    needs = [
        need
        for need in (*_policy_needs(issuer, policies), *_authority_needs(issuer, issuers, now))
        if now + need.lasting - ONE_SECOND > end
    ]
    if not needs:
        return
    longest = max(needs, key=lambda need: (need.lasting, need.name))
    others = sorted(need.name for need in needs if need is not longest)
    more = f" (so do {_listed(others)})" if others else ""
    since = end + ONE_SECOND - longest.lasting
    until = "" if end == certificate.not_after else ", with a CA above it,"
    yield Finding(
        rule="authority.life",
        severity=Severity.WARNING,
        message=f"CA {issuer.name} ends{until} on {end:{_DAY}}, and {longest.why}{more}:"
        f" since {since:{_DAY}} it outlives the CA",
        location=issuer.document.at("spec", "validity"),
        remedy="renew the CA's certificate (renewBefore), let a new CA issue, or " + longest.remedy,
    )


def _chain_end(issuer: Issuer, certificate: Certificate) -> datetime:
    """Return when the first certificate ends of a CA's and those that an external CA gave with it.

    Nothing that the CA issues is valid after that.
    """
    adopted = issuer.record.adopted
    above = adopted.chain if adopted else ()
    read = (parse_certificate(base64.b64decode(text, validate=True)) for text in above)
    return min((certificate.not_after, *(item.not_after for item in read)))


def _policy_needs(
    issuer: Issuer, policies: Iterable[Document[IssuancePolicySpec]]
) -> Iterator[_Need]:
    certificate = issuer.certificate
    for policy in policies:
        rules = policy.spec.validity
        latest = rules.latest_not_after
        if policy.spec.issuer != issuer.name or certificate is None:
            continue
        if latest is None or latest > certificate.not_after:
            name = f"policy {policy.name}"
            why = f"what {name} issues may last {duration_text(rules.max)}"
            remedy = f"shorten validity.max of {name}"
            yield _Need(rules.max - rules.backdate, name, why, remedy)


def _authority_needs(issuer: Issuer, issuers: Iterable[Issuer], now: datetime) -> Iterator[_Need]:
    """Yield what CAs below need that are in the second half of their lives.

    Earlier, nobody issues them again: a root of ten years would be warned of for five. One that is
    still to be made, or is held up, has findings of its own.
    """
    for below in issuers:
        spec, made = below.document.spec, below.certificate
        is_asked = below.parent == issuer.name != below.name and spec.state == "active"
        if made is None or below.held_up or not is_asked:
            continue
        if now - made.not_before >= made.not_after - now:
            name = f"CA {below.name}"
            why = f"{name} below it is made for {duration_text(spec.validity)}"
            yield _Need(spec.validity, name, why, f"shorten the validity of {name}")


def _lapsing_crls(
    governing: Governing, state: LedgerState, refreshed: Collection[str], now: datetime
) -> Iterator[Finding]:
    """`crl.lapse`: a CA's CRL is refreshed before it lapses, or before the next scheduled run.

    One that has lapsed is an error: relying parties that ask for a CRL refuse every certificate.
    """
    horizon = now + (governing.repository.spec.reconcile_every or timedelta(0))
    for name, record in state.authorities.items():
        if record.crl is None or name in refreshed or _is_over(record, now):
            continue
        if _is_closed(governing, name) or record.crl.crl.next_update > horizon:
            continue
        reason, remedy = _why_not_refreshed(governing, name, record, now)
        end, number = record.crl.crl.next_update, record.crl.crl.number
        lapsed = end <= now
        when = "lapsed on" if lapsed else "lapses before the next scheduled run, on"
        yield Finding(
            rule="crl.lapse",
            severity=Severity.ERROR if lapsed else Severity.WARNING,
            message=f"CRL {number} of CA {name} {when} {end:{_TIME}}, and {reason}",
            location=_place(governing, name, "crl"),
            remedy=remedy,
        )


def _why_not_refreshed(
    governing: Governing, name: str, record: AuthorityRecord, now: datetime
) -> tuple[str, str]:
    """Return why a plan does not sign the next CRL, and what to do."""
    document = governing.authorities.get(name)
    if document is None:
        return "the CA's document has findings", f"mend ca/{name}.yaml"
    if record.pending_crl is not None:
        waits = f"CRL {record.last_crl_number} is ordered and not signed"
        if dated_ahead(record.pending_crl[0].ordered, now):
            return f"{waits}, as its date has not come", _GIVE_UP
        return waits, f"run gitca sign --ca {name} where its key is"
    before = duration_text(document.spec.crl.refresh_before)
    return (
        f"the next one is not due before the last {before} of it",
        "lengthen crl.refreshBefore to reconcileEvery of ca/repository.yaml or more",
    )


def _retired(
    governing: Governing, state: LedgerState, refreshed: Collection[str], now: datetime
) -> Iterator[Finding]:
    """`authority.retired`: a CA that signs no CRL any more has none of its certificates alive.

    A warning even after that end: that it shall sign nothing is what a person wrote.
    """
    closed = [
        name
        for name, record in state.authorities.items()
        if _is_closed(governing, name) and not _is_over(record, now)
        if name not in refreshed and not state.is_authority_revoked(name)
    ]
    for name, live in _live(state, closed, now).items():
        record, last = state.authority(name), max(item.certificate.not_after for item in live)
        end = record.crl.crl.next_update if record.crl else None
        if end is not None and end >= last:
            continue
        crl = f"its last CRL ends on {end:{_DAY}}" if end else "it has no CRL"
        count = f"{len(live)} certificate{'s' if len(live) > 1 else ''}"
        document = governing.authorities.get(name)
        restore = "set" if document else "restore its document with"
        keep = f"{restore} state: crl-only, so that they can be checked and revoked until then"
        sign = f"run gitca sign --ca {name} where its key is"
        yield Finding(
            rule="authority.retired",
            severity=Severity.WARNING,
            message=f"CA {name} {'is retired' if document else 'has no document any more'}, and"
            f" {crl}, before the last of {count} on {last:{_DAY}}",
            location=_place(governing, name, "state"),
            remedy=sign if record.pending_crl else keep,
        )


def _live(
    state: LedgerState, authorities: Collection[str], now: datetime
) -> Mapping[str, list[OrderRecord]]:
    """Return the unexpired certificates by CA, less those that CAs made for themselves.

    Revoked ones are among them: they are why there must be a CRL. All orders are looked at, where
    there is such a CA.
    """
    live: dict[str, list[OrderRecord]] = {}
    for record in state.orders.values() if authorities else ():
        given, ca = record.ordered.particulars, record.ordered.ca
        if not isinstance(given, CertificateParticulars) or ca not in authorities:
            continue
        if not record.is_given_up and given.not_after >= now and given.authority != ca:
            live.setdefault(ca, []).append(record)
    return live


def _waiting(governing: Governing, state: LedgerState, now: datetime) -> Iterator[Finding]:
    """`order.waiting`: an order is signed within a day."""
    waiting: dict[str, list[datetime]] = {}
    for record in state.pending.values():
        moment = recorded_at(record.ordered)
        if now - moment > PATIENCE:
            waiting.setdefault(record.ordered.ca, []).append(moment)
    for name, moments in waiting.items():
        orders = f"{len(moments)} orders wait" if len(moments) > 1 else "an order waits"
        yield Finding(
            rule="order.waiting",
            severity=Severity.WARNING,
            message=f"{orders} for the key of CA {name} since {min(moments):{_TIME}}",
            location=_place(governing, name, "key"),
            remedy=f"run gitca sign --ca {name} where that key is",
        )


def _ahead(governing: Governing, state: LedgerState, now: datetime) -> Iterator[Finding]:
    """`order.ahead`: no order is dated later than now, by more than clocks may differ.

    None is signed before its date, and until then what it is for is ordered no second time.
    """
    ahead: dict[str, list[datetime]] = {}
    for record in state.pending.values():
        if dated_ahead(record.ordered, now):
            ahead.setdefault(record.ordered.ca, []).append(recorded_at(record.ordered))
    for name, moments in ahead.items():
        orders = f"{len(moments)} orders" if len(moments) > 1 else "an order"
        yield Finding(
            rule="order.ahead",
            severity=Severity.WARNING,
            message=f"{orders} of CA {name} dated {max(moments):{_TIME}}: that has not come, and"
            " until then nothing is signed in the place of it",
            location=_place(governing, name, "key"),
            remedy=_GIVE_UP,
        )


def _is_closed(governing: Governing, name: str) -> bool:
    """Whether a CA signs no CRL: it is retired, or its document is gone."""
    document = governing.authorities.get(name)
    if document is None:
        return f"ca/{name}.yaml" not in governing.broken
    return document.spec.state == "retired"


def _is_over(record: AuthorityRecord, now: datetime) -> bool:
    """Whether a CA has no certificate that is still valid, and so owes no CRL."""
    return record.certificate is None or record.certificate.certificate.not_after < now


def _place(governing: Governing, name: str, field: str) -> Location:
    document = governing.authorities.get(name)
    return document.at("spec", field) if document else Location(f"ca/{name}.yaml")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
