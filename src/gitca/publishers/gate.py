"""The gate that a CRL passes before it goes out; pure.

A CRL that is wrong, or older than the one that relying parties have, ends what they know of
revocations: the new one is held against the ledger, and against the one that is published.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from gitca.publishers.published_crl import signed_crls
from gitca.x509.certificate import Certificate
from gitca.x509.crl import Crl, CrlError, parse_crl
from gitca.x509.signed import tbs_of, verify_signature

_NAMED = 3


class Weight(enum.Enum):
    """What a problem means for the CRL.

    CONTRADICTION: it stays here, a person must look. AHEAD: the target has a later one. LAPSED: it
    stays here where nothing is published. MARGIN: it goes out, and a person should know.
    REPAIR: it goes out in place of something that is no CRL of this CA.
    """

    CONTRADICTION = "contradiction"
    AHEAD = "ahead"
    LAPSED = "lapsed"
    MARGIN = "margin"
    REPAIR = "repair"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that the gate found: its rule, what it means, and the words for it."""

    rule: str
    weight: Weight
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger knows of a CA's CRLs.

    `signed` is the number of the current one, `revocations` how many were recorded;
    `ends` gives the notAfter of the certificate with a serial number, None for one of no order.
    """

    signed: int
    ends: Callable[[int], datetime | None]


def judge_candidate(crl_der: bytes, issuer: Certificate, known: Known) -> Iterator[Problem]:
    """Yield what forbids that a CRL goes out at all: signature, issuer, number."""
    try:
        crl = parse_crl(crl_der)
        signed = _is_signed(crl_der, issuer)
    except (CrlError, ValueError) as error:
        yield _contradiction("publish.crl.signature", f"it cannot be read: {error}")
        return
    if not signed:
        yield _contradiction(
            "publish.crl.signature", "its signature does not verify under the CA's key"
        )
    if crl.issuer_der != issuer.subject_der:
        yield _contradiction("publish.crl.issuer", "it names another issuer than the CA")
    if crl.authority_key_identifier != issuer.subject_key_identifier:
        yield _contradiction("publish.crl.issuer", "it names another key than the CA's")
    if crl.number != known.signed:
        yield _contradiction(
            "publish.crl.number",
            f"its number is {crl.number}, and the ledger's current one is {known.signed}",
        )


def judge_time(
    crl_der: bytes, issuer: Certificate, now: datetime, keep_for: timedelta
) -> Iterator[Problem]:
    """Yield what is wrong with a CRL's nextUpdate at this moment.

    It must lie beyond now + `keep_for`, or be the end of the CA itself: then there is no next one.
    """
    crl = parse_crl(crl_der)
    if crl.next_update >= issuer.not_after or now > issuer.not_after:
        return
    if crl.next_update <= now:
        message = f"its nextUpdate {_time(crl.next_update)} has passed"
        remedy = "run gitca reconcile, where the CA's key is"
        yield Problem("publish.crl.lapsed", Weight.LAPSED, message, remedy)
    elif crl.next_update <= now + keep_for:
        yield Problem(
            "publish.crl.margin",
            Weight.MARGIN,
            f"its nextUpdate {_time(crl.next_update)} is not beyond {_time(now + keep_for)}, the"
            " next scheduled run and the margin that the CA asks for",
            "lengthen crl.refreshBefore, run more often, or sign the next one where the key is",
        )


def judge_succession(
    crl_der: bytes, published: bytes, issuer: Certificate, known: Known, *, path: str
) -> Iterator[Problem]:
    """Yield what speaks against a CRL in the place of what is published at `path`, another one.

    What is no CRL that the CA's key signed is to be replaced: somebody else put it there. What it
    signed counts, whatever it is and however it looks: it may revoke what the ledger does not.
    """
    candidate = parse_crl(crl_der)
    signed = signed_crls(path, published, issuer.template.spki_der)
    if not signed:
        message = "what was published there is no CRL that this CA signed"
        yield Problem("publish.crl.broken", Weight.REPAIR, message)
    for old_der in signed:
        try:
            old = parse_crl(old_der)
        except CrlError as error:
            yield _unreadable(error)
            continue
        if old.number == candidate.number and tbs_of(old_der) != tbs_of(crl_der):
            yield _contradiction(
                "publish.crl.number",
                f"the published one has number {old.number} and says other things",
            )
        if old.number > candidate.number:
            yield _ahead(old, candidate)
        else:
            yield from _vanished(old, candidate, known)


def _unreadable(error: CrlError) -> Problem:
    return Problem(
        "publish.crl.unreadable",
        Weight.CONTRADICTION,
        f"the published one is signed with the CA's key, and gitca cannot read it: {error.message}",
        "find out who signed it, and what it revokes (openssl crl -text); docs/publishing.md says"
        " when to remove it there",
    )


def _ahead(old: Crl, candidate: Crl) -> Problem:
    return Problem(
        "publish.crl.unknown",
        Weight.AHEAD,
        f"the published one has number {old.number}, above {candidate.number}, which is the"
        " ledger's last",
        "find out who signed it: the ledger was rewound, or the key is used elsewhere",
    )


def _vanished(old: Crl, new: Crl, known: Known) -> Iterator[Problem]:
    """Yield the revocations that are gone too early (RFC 5280 section 3.3)."""
    kept = {entry.serial for entry in new.entries}
    gone = []
    for entry in old.entries:
        if entry.serial not in kept:
            end = known.ends(entry.serial)
            if end is None or end >= new.this_update:
                gone.append(f"{entry.serial:x}")
    if gone:
        more = f" and {len(gone) - _NAMED} more" if len(gone) > _NAMED else ""
        yield _contradiction(
            "publish.crl.vanished",
            f"{len(gone)} revoked certificates that have not expired are on the published one and"
            f" not on this: {', '.join(gone[:_NAMED])}{more}",
        )


def _is_signed(crl_der: bytes, issuer: Certificate) -> bool:
    return verify_signature(crl_der, issuer.template.spki_der)


def _contradiction(rule: str, message: str) -> Problem:
    remedy = "run gitca verify, and keep both CRLs for whoever looks into it"
    return Problem(rule, Weight.CONTRADICTION, message, remedy)


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
