"""Which CA of a repository a key belongs to: by the CA's certificate, or by its document."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gitca.errors import ContradictionError, UsageError

if TYPE_CHECKING:
    from gitca.cli.certificates import Status
    from gitca.documents.load import Governing
    from gitca.ledger.records import OrderRecord
    from gitca.ledger.state import LedgerState


@dataclass(frozen=True, slots=True)
class BoundCertificate:
    """A CA's certificate, signed or ordered."""

    serial: str
    not_after: datetime
    status: Status


@dataclass(frozen=True, slots=True)
class Binding:
    """A CA that has to do with a key: its document names it, or its certificate has it.

    `key` is the identifier of the CA's key: the one of its certificate, or, until there is one, of
    the request to an external CA. None where nothing was ordered on any key yet.
    """

    ca: str
    is_named: bool
    key: str | None
    certificate: BoundCertificate | None

    def is_of(self, identifier: str) -> bool:
        """Whether this is the CA's key."""
        return self.key == identifier

    def contradicts(self, identifier: str) -> bool:
        """Whether the CA's document names this key, and the CA has another."""
        return self.is_named and self.key is not None and not self.is_of(identifier)

    @property
    def what(self) -> str:
        """What pins the CA to its key."""
        if self.certificate is None:
            return "request to an external CA"
        return f"certificate (serial {self.certificate.serial})"


@dataclass(frozen=True, slots=True)
class Known:
    """What a clone knows of CAs: its documents, and the ledger, unless `unknown` says why not."""

    governing: Governing
    state: LedgerState | None
    unknown: str = ""


def known_of(root: Path) -> Known:
    """Return the documents of the working tree, and the ledger of the checked-out commit.

    Raises: ContradictionError where the ledger contradicts itself.
    """
    from gitca.cli.clone import open_clone
    from gitca.cli.worktree import governing_of

    governing = governing_of(root)
    try:
        with open_clone(root) as clone:
            return Known(governing, clone.state)
    except UsageError as error:  # no Git repository, or no commit yet
        return Known(governing, None, error.message)


def bindings_of(known: Known, *, now: datetime, uri: str, identifier: str = "") -> list[Binding]:
    """Return the CAs whose document names the URI, or whose certificate has the key."""
    authorities = known.state.authorities if known.state else {}
    bindings = (
        _binding(known, name, uri=uri, now=now)
        for name in sorted({*known.governing.authorities, *authorities})
    )
    return [binding for binding in bindings if binding.is_named or binding.is_of(identifier)]


def _binding(known: Known, name: str, *, uri: str, now: datetime) -> Binding:
    document = known.governing.authorities.get(name)
    is_named = document is not None and document.spec.key == uri
    if known.state is None:
        return Binding(name, is_named, None, None)
    authority = known.state.authority(name)
    record = authority.certificate or authority.pending_certificate
    bound = _bound(record, known.state, now) if record is not None else None
    return Binding(name, is_named, authority.key, bound)


def _bound(record: OrderRecord, state: LedgerState, now: datetime) -> BoundCertificate:
    from gitca.cli.certificates import status_of

    given = record.certificate
    return BoundCertificate(given.serial, given.not_after, status_of(record, state, now))


def check_bindings(bindings: Iterable[Binding], *, uri: str, identifier: str) -> None:
    """Check that no CA's document names another key than the CA has.

    Raises: ContradictionError, as a reconcile would.
    """
    for binding in bindings:
        if binding.contradicts(identifier):
            raise ContradictionError(
                f"CA {binding.ca}: {uri} holds the key {identifier}, and the CA's {binding.what}"
                f" has ANOTHER key, {binding.key}",
                remedy="point spec.key to the key that the CA was made with; a new key is a new CA",
            )


def check_unbound(bindings: Iterable[Binding], *, uri: str) -> None:
    """Check that no CA that names a URI has a key already, which cannot be made anew.

    Raises: UsageError.
    """
    for binding in bindings:
        if binding.is_named and binding.key is not None:
            raise UsageError(
                f"CA {binding.ca}, whose document names {uri}, has a {binding.what} and is pinned"
                f" to its key, {binding.key}; no key was made",
                remedy="bring that key to its place; a new key is a new CA with a document and a"
                " signer URI of its own",
            )
