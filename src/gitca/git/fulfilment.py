"""What became of recorded orders at their keys, and the events and files that this gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitca.errors import ContradictionError
from gitca.ledger.events import Event, Signed
from gitca.ledger.image import image_of
from gitca.ledger.state import LedgerState

if TYPE_CHECKING:
    from gitca.git.store import RecordedOrder


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """A recorded order with its signature and the whole signed object (DER).

    Of one that got no signature only `lost` is there: uses of the key whose answer never came.
    """

    order: RecordedOrder
    signed: Signed | None
    der: bytes
    lost: tuple[Signed, ...] = ()


def settled(
    state: LedgerState, fulfilments: Sequence[Fulfilment]
) -> tuple[list[Event], dict[str, bytes | None]]:
    """Return the events and changed files of fulfilments; a second signature is a spent one.

    Raises: ContradictionError where the ledger has no such order any more.
    """
    events: list[Event] = []
    changes: dict[str, bytes | None] = {}
    for fulfilment in fulfilments:
        record = state.orders.get(fulfilment.order.ordered.order)
        if record is None:
            raise ContradictionError(
                f"order {fulfilment.order.ordered.order} was signed and left the branch",
                remedy="the branch was rewound: restore the commit that recorded the order",
            )
        events += fulfilment.lost
        if fulfilment.signed is None:
            continue
        if record.is_pending:
            events.append(fulfilment.signed)
            changes |= image_of(state, record, fulfilment.der)
        else:
            events.append(replace(fulfilment.signed, spent=True))
    return events, changes
