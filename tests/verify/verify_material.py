"""What `verify` found and the next run refuses, as the tests ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ca_forger import push_events
from ca_signers import Watched
from ca_world import Clone, git
from gitca.errors import ContradictionError
from gitca.ledger.events import Signed
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


@dataclass
class Scene:
    """Who forges has a clone that may push, and who judges clones afterwards."""

    forger: Clone
    origin: Path
    old: Clone

    def fresh(self, name: str) -> Clone:
        """Return a clone made now."""
        folder = self.forger.folder.parent / name
        git(folder.parent, "clone", "-q", str(self.origin), str(folder))
        return replace(self.forger, folder=folder)


def refuses(clone: Clone, before: str) -> str:
    """Reconcile refuses, signs nothing and pushes nothing; return its words."""
    signers = {
        name: Watched(clone.keys.named(name), lambda _: None) for name in ("root", "issuing")
    }
    with pytest.raises(ContradictionError) as refusal:
        clone.reconcile(take_over=True, opener=clone.keys.but(**signers))
    assert refusal.value.exit_code == 5
    assert refusal.value.remedy
    assert [signer.signed for signer in signers.values()] == [[], []]
    assert git(Path(clone.origin), "rev-parse", "main") == before
    return refusal.value.message


def the_cover(clone: Clone) -> None:
    """One more commit as gitca might have made it, upon the forgery."""
    order = next(item.ordered.order for item in clone.state.orders.values() if item.signed)
    push_events(clone, Signed(order, None, "file:issuing", request_id="1-2-3", spent=True))
