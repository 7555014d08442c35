"""Publishing to one target: CRLs first, then CAs' certificates, then requests', manifest last.

CRLs and CAs' certificates are read at the target each time: they are few, and all depends on them.
Of the certificates of requests the manifest says what is there; with `complete` each is looked at.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from gitca.errors import BackendUnavailableError, ContradictionError, GitcaError
from gitca.publishers import ConflictError, Item, Listed, Publisher
from gitca.publishers.layout import (
    CURRENT_FOLDER,
    MANIFEST_PATH,
    SERIALS_FOLDER,
    Leaf,
    leaves,
)
from gitca.publishers.manifest import (
    NOTHING,
    Entry,
    Manifest,
    ManifestError,
    manifest_item,
    parse_manifest,
)
from gitca.reconcile.crl_sending import CrlOutcome, send_crl
from gitca.reconcile.leaf_sending import LeafSender, differing
from gitca.reconcile.publication import Publication
from gitca.reconcile.published import TargetReport
from gitca.reconcile.sending import ATTEMPTS, AheadError, each, send

Progress = Callable[[str, int, int], None]
"""What is being done, how many are done, and of how many."""

CHUNK = 1000
"""After so many objects the manifest is written: what a run that is killed may have to look at."""

_NAMED = 3


@dataclass(slots=True)
class TargetRun:
    """One target in one run. `digest_of` gives the digest of an earlier segment of the ledger."""

    publication: Publication
    publisher: Publisher
    report: TargetReport
    certificates: bool
    digest_of: Callable[[int], str | None]
    complete: bool = False
    concurrency: int = 32
    progress: Progress = lambda *_: None
    _version: str | None = None
    _held: Manifest = NOTHING
    _listed: dict[str, Listed] | None = None
    _entries: dict[str, Entry] = field(default_factory=dict)

    def run(self) -> None:
        """Publish all that differs.

        Raises: what keeps the rest from being sent; what kept single CRLs is in the report.
        """
        self._read_manifest()
        self._check_history()
        self._send_crls()
        if any(isinstance(error, AheadError) for error in self.report.failures):
            return
        if self._held.segment > self.publication.head.number:
            raise self._ahead(self._held)
        try:
            self._send_authorities()
            self._send_leaves()
        except GitcaError:
            self._save_progress()
            raise
        is_whole = not self.report.failures
        self._write_manifest(self._manifest(is_complete=is_whole))

    # The manifest.

    def _read_manifest(self) -> None:
        stored = self.publisher.read(MANIFEST_PATH)
        self._version, self._held = None, NOTHING
        if stored is None:
            return
        self._version = stored.version
        try:
            self._held = parse_manifest(stored.content)
        except ManifestError as error:
            self.report.notes.append(f"{MANIFEST_PATH} was none that gitca wrote: {error}")

    def _check_history(self) -> None:
        """Raise where another repository, or another history of this one, is published there."""
        held, head = self._held, self.publication.head
        if held is NOTHING or held.segment > head.number:
            return
        known = head.digest if held.segment == head.number else self.digest_of(held.segment)
        if held.ledger != known:
            raise ContradictionError(
                f"{MANIFEST_PATH} names {held.ledger} as segment {held.segment} of the ledger, and"
                f" here it is {known}: another repository is published there, or another history",
                remedy="give each repository a target of its own; if the history was rewritten, see"
                " docs/publishing.md",
            )

    def _ahead(self, manifest: Manifest) -> AheadError:
        return AheadError(
            f"the target has segment {manifest.segment} of the ledger (commit {manifest.commit}),"
            f" and here it ends with {self.publication.head.number}",
            remedy="if no other run was faster, the ledger was rewound; see docs/publishing.md",
        )

    def _manifest(self, *, is_complete: bool) -> Manifest:
        head = self.publication.head
        return Manifest(
            segment=head.number,
            ledger=head.digest,
            commit=self.publication.commit,
            certificates=self.certificates,
            complete=is_complete,
            objects=dict(self._entries),
        )

    def _write_manifest(self, manifest: Manifest) -> None:
        """Replace the manifest, never one of a later segment."""
        if self._version is not None and not manifest.says_more_than(self._held):
            return
        item = manifest_item(manifest)
        for _ in range(ATTEMPTS):
            try:
                self._version = self.publisher.write(item, self._version)
            except ConflictError:
                self._read_manifest()
                if self._held.segment > manifest.segment:
                    raise self._ahead(self._held) from None
                continue
            self._held = manifest
            return
        raise BackendUnavailableError(
            f"{MANIFEST_PATH} was replaced by others {ATTEMPTS} times", remedy="run it again"
        )

    def _save_progress(self) -> None:
        """Note what was sent before a failure, if that much can be done, for the next run."""
        if self.report.sent:
            self._entries = {**self._held.objects, **self._entries}
            with contextlib.suppress(GitcaError):
                self._write_manifest(self._manifest(is_complete=False))

    # What is sent.

    def _send_crls(self) -> None:
        crls = self.publication.crls
        each(
            self.concurrency,
            crls,
            lambda crl: send_crl(self.publisher, crl),
            self._note_crl,
        )
        # What was withheld stays in the manifest as it is.
        for path in (item.path for crl in crls for item in crl.rendition.items):
            if path not in self._entries and path in self._held.objects:
                self._entries[path] = self._held.objects[path]

    def _note_crl(self, outcome: CrlOutcome) -> None:
        self.report.sent += outcome.sent
        self.report.unchanged += sum(item.path not in outcome.sent for item in outcome.settled)
        self.report.failures += outcome.failures
        self.report.notes += outcome.notes
        self._settle(*outcome.settled)

    def _send_authorities(self) -> None:
        def publish(item: Item) -> tuple[Item, bool]:
            return item, send(self.publisher, item, lambda _: True)

        each(self.concurrency, self.publication.authorities, publish, self._note)

    def _send_leaves(self) -> None:
        if not self.certificates:
            return
        head, held = self.publication.head, self._held
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
            self.publisher, self.publication.state, self._held.objects, self._listed
        )
        done = 0

        def note(result: tuple[Item, bool] | GitcaError) -> None:
            nonlocal done
            done += 1
            self.progress("publish", done, len(work))
            if isinstance(result, GitcaError):
                self.report.failures.append(result)
            else:
                self._note(result)

        for start in range(0, len(work), CHUNK):
            if start:
                self._write_manifest(self._manifest(is_complete=False))
            each(self.concurrency, work[start : start + CHUNK], sender.send, note)

    def _keep_leaves(self) -> None:
        folders = (f"{CURRENT_FOLDER}/", f"{SERIALS_FOLDER}/")
        kept = {p: entry for p, entry in self._held.objects.items() if p.startswith(folders)}
        self._entries |= kept
        self.report.unchanged += len(kept)

    def _note_strangers(self, work: list[Leaf]) -> None:
        """Say what the target holds that neither this publication nor an earlier one put there."""
        known = {leaf.path for leaf in work} | self._entries.keys() | self._held.objects.keys()
        strangers = sorted((self._listed or {}).keys() - known - {MANIFEST_PATH})
        if strangers:
            more = f" and {len(strangers) - _NAMED} more" if len(strangers) > _NAMED else ""
            names = ", ".join(strangers[:_NAMED])
            self.report.notes.append(f"it holds what is not published (any more): {names}{more}")

    def _note(self, result: tuple[Item, bool]) -> None:
        item, is_sent = result
        if is_sent:
            self.report.sent.append(item.path)
        else:
            self.report.unchanged += 1
        self._settle(item)

    def _settle(self, *items: Item) -> None:
        self._entries |= {item.path: Entry.of(item) for item in items}
