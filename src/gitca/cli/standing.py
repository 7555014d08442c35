"""How a CA repository stands at a moment: CAs, CRLs, what expires, what is overdue, what waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from gitca.cli.certificates import Status, certificate_orders, status_of
from gitca.cli.clone import Clone
from gitca.cli.output import Styled, counted, write_line, write_table
from gitca.cli.prospects import AS_STATED, Prospects, state_of
from gitca.cli.times import distance, format_time
from gitca.documents.load import request_paths
from gitca.ledger.draft import recorded_at
from gitca.ledger.records import AuthorityRecord, OrderRecord
from gitca.plan.desired import policy_of, renewal_is_due, renewed_before


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to know: what it is about, when it falls, and why it is told."""

    about: str
    when: datetime
    why: str

    def as_json(self) -> dict[str, object]:
        """The item as `gitca status --format json` gives it."""
        return {"about": self.about, "when": format_time(self.when), "why": self.why}


@dataclass(frozen=True, slots=True)
class Standing:
    """What `gitca status` tells; every tuple is sorted by time.

    `authorities` are the CAs with a certificate, `states` what each may do. Of the valid
    certificates that end soon `renewing` are renewed by themselves, `expiring` are not. `pending`
    are the orders that wait for a signature, `awaited` the CAs that wait for an external CA's
    answer, `kept` valid certificates whose request is gone,
    `waivers` what requests may break.
    """

    now: datetime
    counts: dict[str, int]
    authorities: tuple[tuple[str, AuthorityRecord], ...]
    states: Mapping[str, str]
    overdue: tuple[Item, ...]
    expiring: tuple[Item, ...]
    renewing: tuple[Item, ...]
    pending: tuple[Item, ...]
    awaited: tuple[Item, ...]
    kept: tuple[Item, ...]
    waivers: tuple[Item, ...]


def read_standing(clone: Clone, now: datetime, *, within: timedelta) -> Standing:
    """Return how the clone's commit stands at `now`."""
    orders = certificate_orders(clone.state, authorities=False)
    statuses = [status_of(record, clone.state, now) for record in orders]
    valid = [
        record
        for record, status in zip(orders, statuses, strict=True)
        if status is Status.VALID and record.certificate.request is not None
    ]
    asked = frozenset(request_paths(clone.entries))
    ending = [record for record in valid if record.certificate.not_after <= now + within]
    due = [record for record in valid if _due_since(clone, record, now)]
    obstacles = _obstacles(clone, [*ending, *due], now)
    return Standing(
        now=now,
        counts={status.value: statuses.count(status) for status in Status},
        authorities=tuple((n, a) for n, a in clone.state.authorities.items() if a.certificate),
        states={name: state_of(clone, name, now) for name in clone.state.authorities},
        overdue=_sorted(_overdue(clone, asked, obstacles, now)),
        expiring=_sorted(_expiring(ending, obstacles, renewed=False)),
        renewing=_sorted(_expiring(ending, obstacles, renewed=True)),
        pending=_sorted(_pending(clone)),
        awaited=_sorted(_awaited(clone)),
        kept=_sorted(_kept(valid, asked)),
        waivers=_sorted(_waivers(clone, now)),
    )


def _sorted(items: Iterator[Item]) -> tuple[Item, ...]:
    return tuple(sorted(items, key=lambda item: (item.when, item.about)))


def _obstacles(clone: Clone, records: list[OrderRecord], now: datetime) -> Mapping[str, str]:
    """Return by order why a certificate is not renewed by itself; nothing where it is."""
    if not records:
        return {}
    prospects = Prospects.read(clone, records, now)
    return {record.ordered.order: prospects.obstacle(record) for record in records}


def _due_since(clone: Clone, record: OrderRecord, now: datetime) -> datetime | None:
    """Return since when the renewal of a certificate is due; None where none is by itself."""
    policy = policy_of(record, clone.governing)
    before = renewed_before(policy, record) if policy else None
    if before is None or not renewal_is_due(record, policy, now):
        return None
    return max(record.certificate.not_after - before, record.certificate.not_before)


def _overdue(
    clone: Clone, asked: frozenset[str], obstacles: Mapping[str, str], now: datetime
) -> Iterator[Item]:
    for name, authority in clone.state.authorities.items():
        yield from _overdue_authority(clone, name, authority, now)
        yield from _overdue_renewal(clone, name, authority, now)
    for name, request in clone.state.requests.items():
        current = request.current
        if name not in asked or current is None or clone.state.is_revoked(current):
            continue
        expiry, due = current.certificate.not_after, _due_since(clone, current, now)
        why = obstacles.get(current.ordered.order, "")
        if expiry < now:
            yield Item(name, expiry, "expired, and its request stands")
        elif due is not None and why != AS_STATED:
            yield Item(name, due, f"its renewal is due{'; ' if why else ''}{why}")
    for record in clone.state.pending.values():
        if record.ordered.lease < now:
            why = "ordered, and its run did not sign it"
            yield Item(record.about, record.ordered.lease, why)


def _overdue_authority(
    clone: Clone, name: str, authority: AuthorityRecord, now: datetime
) -> Iterator[Item]:
    document = clone.governing.authorities.get(name)
    if authority.certificate is None or (document and document.spec.state == "retired"):
        return
    if authority.certificate.certificate.not_after < now:
        yield Item(f"CA {name}", authority.certificate.certificate.not_after, "the CA has expired")
    elif authority.crl is None:
        made = authority.certificate.certificate.not_before
        yield Item(f"CA {name}", made, "the CA has no CRL yet")
    elif authority.crl.crl.next_update < now:
        yield Item(f"CA {name}", authority.crl.crl.next_update, "its CRL has run out")
    elif document and authority.crl.crl.next_update - document.spec.crl.refresh_before <= now:
        due = authority.crl.crl.next_update - document.spec.crl.refresh_before
        yield Item(f"CA {name}", due, "its next CRL is due")


def _overdue_renewal(
    clone: Clone, name: str, authority: AuthorityRecord, now: datetime
) -> Iterator[Item]:
    """Yield the renewal of a CA that still signs and is not being renewed already."""
    document, record = clone.governing.authorities.get(name), authority.certificate
    before = document.spec.renew_before if document else None
    if before is None or record is None or state_of(clone, name, now) != "active":
        return
    due = record.certificate.not_after - before
    if due <= now and authority.pending_certificate is None:
        yield Item(f"CA {name}", due, "its renewal is due")


def _expiring(
    records: list[OrderRecord], obstacles: Mapping[str, str], *, renewed: bool
) -> Iterator[Item]:
    """Yield the certificates that are renewed by themselves, or not; `obstacles` say why not."""
    for record in records:
        why = obstacles[record.ordered.order]
        if renewed is not bool(why):
            name, expiry = record.certificate.request or "", record.certificate.not_after
            yield Item(name, expiry, why or "renewed by itself")


def _pending(clone: Clone) -> Iterator[Item]:
    for record in clone.state.pending.values():
        why = f"ordered by run {record.ordered.run}, not yet signed"
        yield Item(record.about, record.ordered.lease, why)


def _awaited(clone: Clone) -> Iterator[Item]:
    """Yield the CAs whose external CA was asked and whose answer is not there."""
    for name, authority in clone.state.authorities.items():
        document, csr = clone.governing.authorities.get(name), authority.csr
        answered = f"ca/{name}.pem"
        if authority.certificate or csr is None or document is None:
            continue
        if document.spec.issuer != "external" or name in clone.governing.authority_certificates:
            continue
        why = (
            f"waits for the external CA's answer to issued/{name}/ca.csr, which is to be added as"
            f" {answered}; asked for"
        )
        yield Item(f"CA {name}", recorded_at(csr.ordered), why)


def _kept(valid: list[OrderRecord], asked: frozenset[str]) -> Iterator[Item]:
    for record in valid:
        name = record.certificate.request or ""
        if name not in asked:
            yield Item(name, record.certificate.not_after, "its request was deleted; still valid")


def _waivers(clone: Clone, now: datetime) -> Iterator[Item]:
    for waiver in clone.governing.waivers.values():
        spec = waiver.spec
        state = "has ended" if spec.until <= now else "is in force"
        why = f"its waiver of {spec.rule} {state} ({waiver.path}: {spec.reason})"
        yield Item(spec.request, spec.until, why)


def standing_record(standing: Standing) -> dict[str, object]:
    """The standing as `gitca status --format json` gives it."""
    return {
        "at": format_time(standing.now),
        "certificates": standing.counts,
        "authorities": [
            _authority_record(name, standing.states[name], a) for name, a in standing.authorities
        ],
        "overdue": [item.as_json() for item in standing.overdue],
        "expiring": [item.as_json() for item in standing.expiring],
        "renewing": [item.as_json() for item in standing.renewing],
        "pending": [item.as_json() for item in standing.pending],
        "awaited": [item.as_json() for item in standing.awaited],
        "kept": [item.as_json() for item in standing.kept],
        "waivers": [item.as_json() for item in standing.waivers],
    }


def _authority_record(name: str, state: str, authority: AuthorityRecord) -> dict[str, object]:
    certificate, crl = authority.certificate, authority.crl
    return {
        "ca": name,
        "state": state,
        "serial": certificate.certificate.serial if certificate else None,
        "notAfter": format_time(certificate.certificate.not_after) if certificate else None,
        "crlNumber": crl.crl.number if crl else None,
        "nextUpdate": format_time(crl.crl.next_update) if crl else None,
        "revoked": len(authority.carried),
    }


def write_standing(standing: Standing, within: int) -> None:
    """Write the standing for people."""
    _write_authorities(standing)
    counts = ", ".join(f"{number} {status}" for status, number in standing.counts.items() if number)
    write_line(f"Certificates: {counts or 'none'}")
    sections = (
        ("Overdue", standing.overdue, "red"),
        (f"Expiring within {counted(within, 'day')}", standing.expiring, "yellow"),
        ("Waiting for a signature", standing.pending, "yellow"),
        ("Waiting for an external CA", standing.awaited, "yellow"),
        ("Valid, and no longer asked for", standing.kept, "yellow"),
        ("Waivers", standing.waivers, "yellow"),
    )
    for title, items, style in sections:
        if items:
            write_line()
            write_line(Styled(title, style))
            for item in items:
                when = f"{item.when:%Y-%m-%d} ({distance(item.when, standing.now)})"
                write_line(f"  {item.about}: {item.why}, {when}")
    write_line()
    if standing.renewing:
        number = len(standing.renewing)
        verb, them = ("is", "it") if number == 1 else ("are", "them")
        write_line(
            f"Within {counted(within, 'day')} {counted(number, 'certificate')} {verb} due for"
            f" renewal; reconcile renews {them}."
        )
    if not standing.overdue:
        write_line("Nothing is overdue.")


def _write_authorities(standing: Standing) -> None:
    rows = []
    for name, authority in standing.authorities:
        certificate, crl = authority.certificate, authority.crl
        rows.append(
            (
                name,
                standing.states[name],
                f"{certificate.certificate.not_after:%Y-%m-%d}" if certificate else "",
                str(crl.crl.number) if crl else "none",
                format_time(crl.crl.next_update) if crl else "",
                str(len(authority.carried)),
            )
        )
    if not rows:
        write_line("No CA has a certificate yet; gitca reconcile makes them.")
    else:
        write_table(("CA", "STATE", "EXPIRES", "CRL", "NEXT UPDATE", "REVOKED"), rows, shrink=0)
