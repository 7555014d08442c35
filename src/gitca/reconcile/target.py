"""Publishing to one target: CRLs first, then CAs' certificates, then requests', manifest last.

CRLs and CAs' certificates are read at the target each time: they are few, and all depends on them.
Of the certificates of requests the manifest says what is there; with `complete` each is looked at.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from gitca.errors import GitcaError, UsageError
from gitca.publishers import Item, Listed, Publisher
from gitca.publishers.layout import (
    CURRENT_FOLDER,
    MANIFEST_PATH,
    SERIALS_FOLDER,
    Leaf,
    leaves,
)
from gitca.publishers.manifest import Entry, Manifest
from gitca.reconcile.authority_sending import AuthoritySender
from gitca.reconcile.crl_sending import CrlOutcome, send_crl
from gitca.reconcile.held_manifest import HeldManifest
from gitca.reconcile.leaf_sending import LeafSender, differing
from gitca.reconcile.publication import Publication
from gitca.reconcile.published import TargetReport
from gitca.reconcile.sending import AheadError, WorkT, each

Sent = tuple[Item, bool] | GitcaError
"""An object and whether it was sent, or what is against it."""

Progress = Callable[[str, int, int], None]
"""What is being done, how many are done, and of how many."""

CHUNK, GROWTH = 1000, 4
"""The manifest is written after so many objects, or this part of what it names, if that is more.

That is what a run that is killed may have to look at again.
"""

MOST_REFUSALS = 20
"""Where a target refuses more single objects than that, what is wrong is no single object's."""

_NAMED = 3


@dataclass(slots=True)
class TargetRun:
    """One target in one run."""

    publication: Publication
    publisher: Publisher
    report: TargetReport
    manifest: HeldManifest
    certificates: bool
    complete: bool = False
    concurrency: int = 32
    progress: Progress = lambda *_: None
    _listed: dict[str, Listed] | None = None
    _entries: dict[str, Entry] = field(default_factory=dict)
    _refusals: int = 0

    def send_rest(self) -> None:
        """Publish all else that differs, once the CRLs were sent.

        Raises: what keeps the rest from being sent.
        """
        refusal = self._look()
        self._keep_withheld(item for crl in self.publication.crls for item in crl.rendition.items)
        if refusal is not None:
            self._say_once()
            raise refusal
        if any(isinstance(error, AheadError) for error in self.report.failures):
            return
        self.manifest.check()
        try:
            self._send_authorities()
            self._send_leaves()
        except GitcaError:
            self._save_progress()
            raise
        is_whole = not self.report.failures
        self.manifest.write(self._manifest(is_complete=is_whole))

    # The manifest.

    def _look(self) -> UsageError | None:
        """Read the manifest; return why the target refuses that."""
        try:
            self.manifest.read()
        except UsageError as error:
            return error
        return None

    def _manifest(self, *, is_complete: bool) -> Manifest:
        head, source = self.publication.head, self.manifest.history.source
        return Manifest(
            segment=head.number,
            ledger=head.digest,
            commit=self.publication.commit,
            certificates=self.certificates,
            complete=is_complete,
            objects=dict(self._entries),
            source="" if source == self.publication.commit else source,
        )

    def _save_progress(self) -> None:
        """Note what was sent before a failure, if that much can be done, for the next run."""
        if self.report.sent:
            self._entries = {**self.manifest.held.objects, **self._entries}
            with contextlib.suppress(GitcaError):
                self.manifest.write(self._manifest(is_complete=False))

    # What is sent.

    def send_crls(self) -> None:
        """Publish the CRLs that differ, before the manifest is looked at.

        So whoever writes there stops no revocation. What kept single ones is in the report. Raises:
        BackendUnavailableError.
        """
        each(
            self.concurrency,
            self.publication.crls,
            lambda crl: send_crl(self.publisher, crl),
            self._note_crl,
        )

    def _keep_withheld(self, items: Iterable[Item]) -> None:
        """Leave what was withheld in the manifest as it is."""
        held = self.manifest.found.objects
        for path in (item.path for item in items):
            if path not in self._entries and path in held:
                self._entries[path] = held[path]

    def _say_once(self) -> None:
        """Leave out what CRLs were refused for, where the target refuses everything."""
        if not self._entries:
            others = (each for each in self.report.failures if not isinstance(each, UsageError))
            self.report.failures = list(others)

    def _note_crl(self, outcome: CrlOutcome) -> None:
        self.report.sent += outcome.sent
        self.report.unchanged += sum(item.path not in outcome.sent for item in outcome.settled)
        self.report.failures += outcome.failures
        self.report.notes += outcome.notes
        self._settle(*outcome.settled)

    def _send_authorities(self) -> None:
        items = self.publication.authorities
        objects = {**self.manifest.found.objects, **self._entries}
        claim = replace(self._manifest(is_complete=False), objects=objects)
        sender = AuthoritySender(
            self.publisher,
            self.publication.state,
            lambda is_contended: self.manifest.claim(claim, is_contended=is_contended),
        )
        each(self.concurrency, items, self._singly(sender.send), self._note)
        self._keep_withheld(items)

    def _send_leaves(self) -> None:
        if not self.certificates:
            return
        head, held = self.publication.head, self.manifest.found
        is_current = held.complete and held.certificates and held.segment == head.number
        if is_current and not self.complete:
            self._keep_leaves()
            return
        # Where a run was broken off, or nobody knows, a listing spares sending all of it again.
        if self.complete or not held.complete:
            self._listed = dict(self.publisher.listing())
        if self.complete:
            other = list(leaves(self.publication.state))
            self._note_strangers(other)
        else:
            same, other = differing(leaves(self.publication.state), held.objects)
            self._entries |= same
            self.report.unchanged += len(same)
        self._send_in_chunks(other)

    def _send_in_chunks(self, work: list[Leaf]) -> None:
        sender = LeafSender(
            self.publisher, self.publication.state, self.manifest.found.objects, self._listed
        )
        done = 0

        def note(result: Sent) -> None:
            nonlocal done
            done += 1
            self.progress("publish", done, len(work))
            self._note(result)

        start = 0
        while start < len(work):
            if start:
                self.manifest.write(self._manifest(is_complete=False))
            # A manifest grows with what it names: as often as that, all of them cost the square.
            end = start + max(CHUNK, len(self._entries) // GROWTH)
            each(self.concurrency, work[start:end], self._singly(sender.send), note)
            start = end

    def _singly(self, send: Callable[[WorkT], Sent]) -> Callable[[WorkT], Sent]:
        """Return what sends an object, and returns why the target refuses this one.

        Raises: what `send` does; UsageError, while nothing has settled or once there were many.
        """

        def attempt(work: WorkT) -> Sent:
            try:
                return send(work)
            except UsageError as error:
                self._refusals += 1
                if not self._entries or self._refusals > MOST_REFUSALS:
                    raise
                return error

        return attempt

    def _keep_leaves(self) -> None:
        folders = (f"{CURRENT_FOLDER}/", f"{SERIALS_FOLDER}/")
        kept = {
            p: entry for p, entry in self.manifest.found.objects.items() if p.startswith(folders)
        }
        self._entries |= kept
        self.report.unchanged += len(kept)

    def _note_strangers(self, work: list[Leaf]) -> None:
        """Say what the target holds that neither this publication nor an earlier one put there."""
        held = self.manifest.found.objects
        known = {leaf.path for leaf in work} | self._entries.keys() | held.keys()
        strangers = sorted((self._listed or {}).keys() - known - {MANIFEST_PATH})
        if strangers:
            more = f" and {len(strangers) - _NAMED} more" if len(strangers) > _NAMED else ""
            names = ", ".join(strangers[:_NAMED])
            self.report.notes.append(f"it holds what is not published (any more): {names}{more}")

    def _note(self, result: Sent) -> None:
        if isinstance(result, GitcaError):
            self.report.failures.append(result)
            return
        item, is_sent = result
        if is_sent:
            self.report.sent.append(item.path)
        else:
            self.report.unchanged += 1
        self._settle(item)

    def _settle(self, *items: Item) -> None:
        self._entries |= {item.path: Entry.of(item) for item in items}
