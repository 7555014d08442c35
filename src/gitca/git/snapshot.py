"""What gitca sees: the branches of a CA repository, and one commit of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gitca.documents.load import TreeEntry
from gitca.ledger.state import LedgerState


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One commit as gitca sees it.

    `source` is the commit of the documents, `tip` the one of `issued/` (None before the first),
    `entries` the files below `ca/`, `policies/` and `requests/`, `orders` the blobs below
    `issued/orders/` by path.
    """

    source: str
    tip: str | None
    entries: tuple[TreeEntry, ...]
    orders: Mapping[str, str]
    state: LedgerState


@dataclass(frozen=True, slots=True)
class Branches:
    """Where documents are read from and where `issued/` is written; often the same branch."""

    documents: str
    issued: str
