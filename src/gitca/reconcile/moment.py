"""The moment of a build: what is frozen for all that it orders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from gitca.ledger.draft import Origin
from gitca.ledger.events import SourceDocuments


@dataclass(frozen=True, slots=True)
class Moment:
    """What is frozen for one build: the time, the run, the documents' commit, a serial source."""

    now: datetime
    run: str
    source: str
    next_serial: Callable[[], int]

    def origin(self, documents: SourceDocuments) -> Origin:
        """Return where an order of this moment comes from."""
        return Origin(documents, self.source, self.run, self.now)
