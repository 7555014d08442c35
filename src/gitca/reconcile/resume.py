"""Resume: the orders that a run left behind are taken up, with the bytes they were recorded with.

Of those that may be taken (their lease is over, or this run takes over), a certificate's is
rebuilt from its documents first, and judged once more by the documents of this moment. What has
become pointless, or is not wanted any more, is abandoned: its serial number or CRL number stays
used. One that is dated ahead of the clock is never signed: its date has not come, and whoever can
push can write one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.errors import ContradictionError
from gitca.git.store import DOCUMENT_FOLDERS, RecordedOrder, Snapshot, Store
from gitca.ledger.draft import dated_ahead, listed_too_early
from gitca.ledger.events import (
    Abandoned,
    CrlParticulars,
    CsrParticulars,
    Ordered,
)
from gitca.ledger.records import AuthorityRecord
from gitca.plan.desired import Desired
from gitca.plan.rebuild import Rebuild
from gitca.reconcile.keys import Keys
from gitca.reconcile.objection import Objection
from gitca.reconcile.report import Held, Missing, Waiting
from gitca.reconcile.subject_keys import subject_key, subject_of
from gitca.reconcile.wanted import Wanted
from gitca.x509.template import spki_identifier

_AHEAD = "it is dated ahead of the clock"


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Pending orders, by what is to become of them.

    `take` are to be signed now, `abandon` will not be signed, `held` belong to other runs or are
    dated ahead, `waiting` need a key that is not within reach, or a document that is to be mended
    first.
    """

    take: tuple[RecordedOrder, ...] = ()
    abandon: tuple[Abandoned, ...] = ()
    held: tuple[Held, ...] = ()
    waiting: tuple[Waiting, ...] = ()


@dataclass(frozen=True, slots=True)
class Resumer:
    """Sorts the pending orders of a snapshot.

    `own` are the orders that this process drafted, whole: whoever can push can write any name of a
    run into theirs.
    """

    store: Store
    snapshot: Snapshot
    desired: Desired
    keys: Keys
    own: Collection[Ordered]
    _rebuilds: dict[str, Rebuild] = field(default_factory=dict)

    def sort(
        self,
        now: datetime,
        *,
        take_over: bool,
        give_up_ahead: bool = False,
        ca: str | None = None,
    ) -> Leftovers:
        """Return the pending orders by what is to become of them; of one CA, where it is named.

        `take_over` waits for no lease, `give_up_ahead` abandons what is dated ahead.
        Raises: ContradictionError when an order's bytes are not those its documents give.
        """
        terms = _Terms(now, self._wanted(now), take_over, give_up_ahead)
        outcomes = [
            self._outcome(order, terms)
            for order in self.store.pending(self.snapshot)
            if ca is None or order.ordered.ca == ca
        ]
        return Leftovers(
            tuple(item for item in outcomes if isinstance(item, RecordedOrder)),
            tuple(item for item in outcomes if isinstance(item, Abandoned)),
            tuple(item for item in outcomes if isinstance(item, Held)),
            tuple(item for item in outcomes if isinstance(item, Waiting)),
        )

    def _outcome(
        self, order: RecordedOrder, terms: _Terms
    ) -> RecordedOrder | Abandoned | Held | Waiting:
        ordered = order.ordered
        # A clock that is minutes ahead may be another machine's; one hours ahead dates things that
        # are not to be signed yet, whoever takes over.
        is_ahead = dated_ahead(ordered, terms.now)
        if not is_ahead and self._is_leased(ordered, terms):
            return self._held(ordered)
        # One that is ahead is leased until its date comes: what overtook it does not wait for that.
        if pointless := self._pointless(ordered, terms.now):
            return Abandoned(ordered.order, pointless)
        if is_ahead and not (terms.give_up_ahead and self.keys.is_selected(ordered.ca)):
            return self._held(ordered)
        objection = self._objection(terms.wanted, order)
        if objection is not None and not objection.final:
            return Waiting(ordered, Missing.DOCUMENT, ordered.ca, objection.reason)
        if is_ahead:
            return Abandoned(ordered.order, _AHEAD)
        if objection is not None:
            return Abandoned(ordered.order, objection.reason)
        return self._missing(ordered) or order

    def _is_leased(self, ordered: Ordered, terms: _Terms) -> bool:
        """Whether an order is to be left to another run."""
        return ordered not in self.own and ordered.lease > terms.now and not terms.take_over

    def _held(self, ordered: Ordered) -> Held | Waiting:
        # What no run like this one can sign is nothing to come back for.
        return self._missing(ordered) or Held(ordered, ordered.lease)

    def _pointless(self, ordered: Ordered, now: datetime) -> str:
        """Return why an order is not to be signed any more, in words, or nothing."""
        particulars, state = ordered.particulars, self.snapshot.state
        if isinstance(particulars, CrlParticulars):
            return _pointless_crl(particulars, state.authority(ordered.ca), now)
        if isinstance(particulars, CsrParticulars):
            return "the key is refused since" if particulars.key in state.refused_keys else ""
        if particulars.not_after < now:
            return "the certificate would have expired already"
        if (ordered.ca, particulars.serial) in state.revoked:
            return "the certificate was revoked before it was signed"
        if particulars.key in state.refused_keys:
            return "the key is refused since"
        if state.is_authority_revoked(ordered.ca):
            return "its CA was revoked before it was signed"
        return ""

    def _wanted(self, now: datetime) -> Wanted | None:
        state = self.snapshot.state
        return Wanted.read(self.desired, state, self.keys, now) if state.pending else None

    def _objection(self, wanted: Wanted | None, order: RecordedOrder) -> Objection | None:
        """Return what the documents have against an order; this run's own were judged just now.

        Raises: ContradictionError for an order that gitca did not make, wanted or not.
        """
        ordered = order.ordered
        objection = None
        if wanted is not None and ordered not in self.own:
            objection = wanted.objection(ordered)
        if self._is_within_reach(ordered) and not (objection and self._is_on_another_key(ordered)):
            segment = self.snapshot.state.orders[ordered.order].segment
            with self.store.naming(self.snapshot, segment):
                self._check(order)
        return objection

    def _is_on_another_key(self, ordered: Ordered) -> bool:
        """Whether the document of the CA that an order is of names another key by now."""
        given = ordered.particulars
        if isinstance(given, CrlParticulars) or given.authority is None:
            return False
        spki_der = self._subject_key(ordered, given.authority)
        return spki_der is None or spki_identifier(spki_der) != given.key

    def _is_within_reach(self, ordered: Ordered) -> bool:
        """Whether the key that signs answers, and that of a CA that the order is for is known."""
        return self._missing(ordered) is None

    def _missing(self, ordered: Ordered) -> Waiting | None:
        """Return which key an order waits for, or None where both are within reach."""
        signing = self._authority(ordered.ca)
        if signing is None or self.keys.signer(signing) is None:
            return self._waiting(ordered, ordered.ca)
        subject = subject_of(ordered)
        if subject is not None and self._subject_key(ordered, subject) is None:
            return self._waiting(ordered, subject)
        return None

    def _waiting(self, ordered: Ordered, ca: str) -> Waiting:
        """Return that an order waits for the key of a CA, and why it is missing."""
        if self._authority(ca) is None:
            return Waiting(ordered, Missing.DOCUMENT, ca, f"ca/{ca}.yaml is missing or broken")
        if not self.keys.is_selected(ca):
            return Waiting(ordered, Missing.NOT_SELECTED, ca)
        if ca in self.keys.absent:
            return Waiting(ordered, Missing.ABSENT, ca)
        if ca in self.keys.unreachable:
            return Waiting(ordered, Missing.UNREACHABLE, ca)
        return Waiting(ordered, Missing.CANNOT_SIGN, ca)

    def _authority(self, name: str) -> Document[CertificateAuthoritySpec] | None:
        return self.desired.governing.authorities.get(name)

    def _check(self, order: RecordedOrder) -> None:
        """Raise where an order is not what its documents give, or those were never reviewed."""
        ordered, state = order.ordered, self.snapshot.state
        rebuild = self._rebuild(ordered)
        if isinstance(ordered.particulars, CrlParticulars):
            # The store has rebuilt its bytes from the ledger.
            rebuild.check_crl(ordered, state.authority(ordered.ca).crl)
            return
        name = ordered.particulars.authority
        spki_der = None if name is None else self._subject_key(ordered, name)
        if rebuild.bytes_of(ordered, spki_der) != order.tbs:
            raise ContradictionError(
                f"order {ordered.order} holds other bytes than its documents give; it was not"
                " signed",
                remedy="find the commit that recorded it and who pushed that",
            )

    def _rebuild(self, ordered: Ordered) -> Rebuild:
        """Return the documents of an order's source commit, read once for all its orders."""
        source = ordered.source
        if source not in self._rebuilds:
            if not self.store.is_reviewed(source, self.snapshot):
                raise ContradictionError(
                    f"order {ordered.order} names the source commit {source[:12]}, which is not in"
                    " the history of the documents' branch; it was not signed",
                    remedy="find the commit that recorded it and who pushed that",
                )
            entries = self.store.entries(source, *DOCUMENT_FOLDERS)
            requesters = self.store.requesters(source)
            self._rebuilds[source] = Rebuild(
                entries, self.store.read, self.snapshot.state, requesters
            )
        return self._rebuilds[source]

    def _subject_key(self, ordered: Ordered, name: str) -> bytes | None:
        """Return the SPKI of a CA that an order is for, as far as this run knows it."""
        return subject_key(
            self.keys,
            self.desired.governing.authorities,
            self.snapshot.state,
            issuer=ordered.ca,
            subject=name,
        )


@dataclass(frozen=True, slots=True)
class _Terms:
    """On which terms orders are sorted; `wanted` is None where none is pending."""

    now: datetime
    wanted: Wanted | None
    take_over: bool
    give_up_ahead: bool


def _pointless_crl(particulars: CrlParticulars, authority: AuthorityRecord, now: datetime) -> str:
    if particulars.next_update <= now:
        return "the CRL would have lapsed already"
    if particulars.revocations != len(authority.revocations):
        return "revocations were recorded since; the next CRL lists them"
    entries = authority.pending_crl[1] if authority.pending_crl else ()
    if listed_too_early(particulars, entries) is not None:
        return "a revocation is dated later than the CRL that would list it"
    return ""
