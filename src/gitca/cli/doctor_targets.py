"""What `gitca doctor` says of the targets that a repository is published to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gitca.cli.doctor_check import Check, Outcome, attempt
from gitca.documents.load import Governing
from gitca.ledger.state import LedgerState


def target_checks(root: Path, governing: Governing, state: LedgerState | None) -> Iterator[Check]:
    """Read each target's manifest; nothing is written, so that a right to write is not proven."""
    for target in governing.repository.spec.publish:
        yield from attempt(
            "target",
            lambda uri=target.to: _target(uri, root, state),  # type: ignore[misc]
        )


def _target(uri: str, root: Path, state: LedgerState | None) -> Iterator[Check]:
    """Say what a target holds. Raises: UsageError, BackendUnavailableError."""
    from gitca.publishers import open_publisher
    from gitca.publishers.layout import MANIFEST_PATH
    from gitca.publishers.manifest import ManifestError, parse_manifest

    publisher = open_publisher(uri, base=root)
    try:
        stored = publisher.read(MANIFEST_PATH)
    finally:
        publisher.close()
    if stored is None:
        seen = f"{uri} answers; nothing is published there yet"
        yield Check("target", Outcome.NOTE, seen, "gitca reconcile, or gitca publish, does that")
        return
    try:
        manifest = parse_manifest(stored.content)
    except ManifestError as error:
        remedy = "find who wrote it; gitca publish --complete looks at every object"
        yield Check("target", Outcome.FAILED, f"{uri}: manifest.json: {error}", remedy)
        return
    segment = state.head.number if state else manifest.segment
    if manifest.segment < segment or not manifest.complete:
        seen = f"{uri} has segment {manifest.segment} of the ledger, which is at {segment}"
        remedy = "gitca publish sends what is missing there, and says what hinders it"
        yield Check("target", Outcome.WARNING, seen, remedy)
    else:
        seen = f"{uri} answers, and has segment {manifest.segment} of the ledger"
        yield Check("target", Outcome.OK, seen)
