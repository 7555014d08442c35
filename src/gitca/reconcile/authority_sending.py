"""A CA's own objects at a target: read, compared and swapped; a trust bundle is never emptied."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from gitca.errors import ContradictionError
from gitca.ledger.image import CERTIFICATE_LABEL, certificate_der
from gitca.ledger.state import LedgerState
from gitca.publishers import Item, Publisher, Stored
from gitca.publishers.layout import ROOTS_PATH, roots
from gitca.reconcile.sending import most_of, send
from gitca.x509.pem import to_pem


@dataclass(frozen=True, slots=True)
class AuthoritySender:
    """Sends the objects of CAs' certificates to one target; `state` knows all roots there were.

    `claim` is called before an object is written, and told whether another run writes it too; it
    raises where this run is late.
    """

    publisher: Publisher
    state: LedgerState
    claim: Callable[[bool], None] = lambda _: None

    def send(self, item: Item) -> tuple[Item, bool] | ContradictionError:
        """Make an object stand at the target; return it, and whether it was sent.

        Return what keeps it back, where a bundle of this repository's roots would be emptied.
        Raises: BackendUnavailableError; UsageError.
        """
        kept: list[str] = []
        looks = itertools.count()

        def judge(stored: Stored | None) -> bool:
            kept[:] = self._lost(item, stored)
            if not kept:
                self.claim(next(looks) > 0)
            return not kept

        sent = send(self.publisher, item, judge, most=most_of(item))
        return _refusal(item.path, kept) if kept else (item, sent)

    def _lost(self, item: Item, stored: Stored | None) -> list[str]:
        """Return the CAs whose roots are in the bundle that an empty one would replace.

        What others wrote there is not spared: nobody could take it away again.
        """
        if item.path != ROOTS_PATH or item.content or stored is None:
            return []
        return [
            name
            for name, order in roots(self.state)
            if to_pem(certificate_der(order), CERTIFICATE_LABEL).encode() in stored.content
        ]


def _refusal(path: str, names: list[str]) -> ContradictionError:
    return ContradictionError(
        f"{path} was not emptied: no root is to be trusted any more, and there it has that of CA"
        f" {', '.join(names)}",
        remedy="look at this machine's clock, at state in the documents of these CAs, and at what"
        f" was revoked; if it is meant, remove {path} at the target and publish again",
    )
