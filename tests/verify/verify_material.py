"""What `verify` found, as the tests ask for it."""

from __future__ import annotations

from collections.abc import Sequence

from ca_world import Clone
from gitca.verify.report import Contradiction

API_PEM = "issued/issuing/certificates/payments/api.pem"
WEB_PEM = "issued/issuing/certificates/web.pem"


def found(clone: Clone) -> list[Contradiction]:
    report = clone.verify()
    assert report.exit_code == (5 if report.contradictions else 0)
    return report.contradictions


def places(contradictions: Sequence[Contradiction]) -> set[str]:
    """Return places, with that of the ledger itself taken from the message."""
    return {
        item.message.partition(": ")[0] if item.place == "ledger" else item.place
        for item in contradictions
    }
