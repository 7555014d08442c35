"""A CA's CRL at a target: past the gate, by compare and swap, and read back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from gitca.errors import ContradictionError, GitcaError, UsageError
from gitca.publishers import Item, Publisher, Stored
from gitca.publishers.gate import Problem, Weight, judge_succession
from gitca.publishers.paths import TooLargeError
from gitca.reconcile.publication import JudgedCrl
from gitca.reconcile.sending import AheadError, UnsettledError, most_of, send

_LARGE = threading.Lock()
_UNSENT = (Weight.CONTRADICTION, Weight.AHEAD)


@dataclass(slots=True)
class CrlOutcome:
    """What became of a CA's CRL at one target; `settled` are the objects that stand there."""

    settled: list[Item] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    failures: list[GitcaError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def send_crl(publisher: Publisher, crl: JudgedCrl) -> CrlOutcome:
    """Publish a CRL under each of its names, unless the gate is against it.

    What a target refuses for one name holds up no other. Raises: BackendUnavailableError.
    """
    outcome = CrlOutcome()
    if crl.has(Weight.CONTRADICTION):
        outcome.failures += (_failure(crl, "", problem) for problem in crl.problems)
        return outcome
    for item in crl.rendition.items:
        gate = _Gate(crl, item.path)
        try:
            if _send(publisher, item, gate):
                outcome.sent.append(item.path)
        except (UsageError, UnsettledError) as error:
            outcome.failures.append(error)
            continue
        outcome.failures += gate.failures
        outcome.notes += gate.notes
        if not gate.failures and not gate.is_withheld:
            outcome.settled.append(item)
    return outcome


def _send(publisher: Publisher, item: Item, gate: _Gate) -> bool:
    """Send; what is far larger than ours is read by one thread at a time.

    It has to be read: who may write there puts a large one in the place of what it keeps back.
    """
    try:
        return send(publisher, item, gate, read_back=True, most=most_of(item))
    except TooLargeError:
        with _LARGE:
            return send(publisher, item, gate, read_back=True)


@dataclass(slots=True)
class _Gate:
    """Judges what stands where a CRL is to stand; keeps what came of its last look."""

    crl: JudgedCrl
    path: str
    failures: tuple[GitcaError, ...] = ()
    notes: list[str] = field(default_factory=list)
    is_withheld: bool = False

    def __call__(self, stored: Stored | None) -> bool:
        problems = tuple(self._problems(stored))
        self.failures = tuple(
            _failure(self.crl, self.path, problem)
            for problem in problems
            if problem.weight in _UNSENT
        )
        self.notes += (
            f"{self.path}: {problem.message}; it was replaced"
            for problem in problems
            if problem.weight is Weight.REPAIR
        )
        # A lapsed CRL tells more than an older one, and than what is none of the CA's. Where there
        # is nothing, a relying party may ask elsewhere.
        self.is_withheld = self.crl.has(Weight.LAPSED) and stored is None
        return not self.failures and not self.is_withheld

    def _problems(self, stored: Stored | None) -> Iterator[Problem]:
        if stored is not None:
            rendition = self.crl.rendition
            yield from judge_succession(
                rendition.der, stored.content, rendition.issuer, self.crl.known, path=self.path
            )


def _failure(crl: JudgedCrl, path: str, problem: Problem) -> GitcaError:
    where = f", at {path}" if path else ""
    message = (
        f"CRL {crl.known.signed} of CA {crl.rendition.ca} was not published{where}:"
        f" {problem.message} ({problem.rule})"
    )
    kind = AheadError if problem.weight is Weight.AHEAD else ContradictionError
    return kind(message, remedy=problem.remedy)
