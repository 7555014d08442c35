"""What a change of policies would do, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from gitca.ledger.records import OrderRecord
from gitca.plan.render_json import JsonObject, finding_record
from gitca.plan.what_if import Consequence, Effect, WhatIf, by_folder

LISTED = 20
"""Requests of each kind that the text lists; all are counted."""
_RECORDED = 1000  # and that JSON lists
_FOLDERS = 10
VERBS: dict[Effect, str] = {
    "denied": "would deny",
    "admitted": "would newly admit",
    "reissued": "would issue anew",
}


def what_if_text(what_if: WhatIf, *, listed: int = LISTED) -> str:
    """Return the consequences counted by folder and listed, a bounded number of each kind."""
    return "".join(f"{line}\n" for line in _lines(what_if, listed))


def _lines(what_if: WhatIf, listed: int) -> Iterator[str]:
    names = ", ".join(what_if.policies) or "none"
    requests = _counted(what_if.judged, "request")
    yield f"What the change would do (policies: {names}; {requests} judged):"
    for effect, verb in VERBS.items():
        affected = what_if.of(effect)
        if affected:
            certificates = sum(len(item.certificates) for item in affected)
            folders = _folders(affected)
            yield (
                f"  {verb} {_counted(len(affected), 'request')} with"
                f" {_counted(certificates, 'live certificate')} ({folders})"
            )
            for item in islice(affected, listed):
                yield from _item(item)
            if len(affected) > listed:
                yield f"    … and {len(affected) - listed} more"
    if not what_if.consequences:
        yield "  nothing: every request fares as before"


def _folders(affected: Iterable[Consequence]) -> str:
    counts = [f"{folder or 'no folder'}: {n}" for folder, n in by_folder(affected).items()]
    more = [f"{len(counts) - _FOLDERS} more folders"] if len(counts) > _FOLDERS else []
    return ", ".join([*counts[:_FOLDERS], *more])


def _item(item: Consequence) -> Iterator[str]:
    yield f"    {item.request} (policy {item.policy}){_certificates(item.certificates)}"
    was = "was " if item.effect == "admitted" else ""
    for finding in item.findings:
        yield f"      {was}{finding}"
    for change in item.changes:
        yield f"      {change}"


def _certificates(records: tuple[OrderRecord, ...]) -> str:
    given = (record.certificate for record in records)
    texts = [f"{one.serial} until {one.not_after:%Y-%m-%d}" for one in given]
    return f", certificate {', '.join(texts)}" if texts else ""


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def what_if_record(what_if: WhatIf) -> JsonObject:
    """Return the consequences as an object: of each kind the count, the folders, the requests."""
    kinds: JsonObject = {effect: _kind_record(what_if.of(effect)) for effect in VERBS}
    return {"policies": list(what_if.policies), "judged": what_if.judged, **kinds}


def _kind_record(affected: tuple[Consequence, ...]) -> JsonObject:
    return {
        "count": len(affected),
        "certificates": sum(len(item.certificates) for item in affected),
        "byFolder": by_folder(affected),
        "requests": [_item_record(item) for item in affected[:_RECORDED]],
    }


def _item_record(item: Consequence) -> JsonObject:
    return {
        "request": item.request,
        "policy": item.policy,
        "changes": list(item.changes),
        "findings": [finding_record(finding) for finding in item.findings],
        "certificates": [
            {
                "ca": record.ordered.ca,
                "serial": record.certificate.serial,
                "notAfter": f"{record.certificate.not_after:%Y-%m-%dT%H:%M:%SZ}",
            }
            for record in item.certificates
        ],
    }
