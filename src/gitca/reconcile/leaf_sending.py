"""Certificates of requests at a target: only what differs, each verified before it is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gitca.errors import ContradictionError, GitcaError
from gitca.ledger.state import LedgerState
from gitca.publishers import Item, Listed, Publisher, Stored
from gitca.publishers.layout import Leaf
from gitca.publishers.manifest import Entry
from gitca.reconcile.sending import AheadError, most_of, send
from gitca.x509.certificate import parse_certificate
from gitca.x509.pem import is_pem, pem_blocks
from gitca.x509.signed import verify_signature


def differing(
    leaves: Iterable[Leaf], held: Mapping[str, Entry]
) -> tuple[dict[str, Entry], list[Leaf]]:
    """Return the entries of objects that are as the manifest says, and the objects that are not."""
    same: dict[str, Entry] = {}
    other: list[Leaf] = []
    for leaf in leaves:
        entry = held.get(leaf.path)
        # What lies under a serial number never changes, so that it need not be built to compare.
        if entry is not None and (leaf.is_immutable or entry == Entry.of(leaf.build())):
            same[leaf.path] = entry
        else:
            other.append(leaf)
    return same, other


@dataclass(frozen=True, slots=True)
class LeafSender:
    """Sends certificates to one target. `listed` is what it has, where that was asked for."""

    publisher: Publisher
    state: LedgerState
    held: Mapping[str, Entry]
    listed: Mapping[str, Listed] | None = None

    def send(self, leaf: Leaf) -> tuple[Item, bool] | GitcaError:
        """Publish a certificate's object; return it, and whether it was sent.

        Returns what is against this one: ContradictionError when its signature does not verify,
        AheadError when the target has a certificate there that the ledger does not know.
        Raises: BackendUnavailableError; UsageError.
        """
        try:
            return self._send(leaf)
        except (ContradictionError, AheadError) as error:
            return error

    def _send(self, leaf: Leaf) -> tuple[Item, bool]:
        if not verify_signature(leaf.der(), leaf.issuer_spki_der):
            raise ContradictionError(
                f"{leaf.path} was not published: its signature does not verify under the key of"
                " its CA",
                remedy="run gitca verify",
            )
        item = leaf.build()
        known = self.held if self.listed is None else self.listed
        sent = send(
            self.publisher,
            item,
            lambda stored: self._may_replace(leaf, stored),
            is_new=leaf.path not in known,
            most=most_of(item),
        )
        return item, sent

    def _may_replace(self, leaf: Leaf, stored: Stored | None) -> bool:
        """Whether what stands there is older, or nothing that this CA made."""
        der = None if stored is None else _certificate(stored.content)
        if der is None or not _is_signed(der, leaf.issuer_spki_der):
            return True
        digest = f"sha256:{hashlib.sha256(der).hexdigest()}"
        if not self._is_known(leaf, der, digest):
            raise AheadError(
                f"{leaf.path} is a certificate that the ledger does not know, {digest}",
                remedy="find out who signed it: the ledger was rewound, or the key is used"
                " elsewhere",
            )
        return True

    def _is_known(self, leaf: Leaf, der: bytes, fingerprint: str) -> bool:
        ca = leaf.path.split("/")[1]
        record = self.state.serials.get((ca, f"{parse_certificate(der).serial:x}"))
        return bool(record and record.outcome and record.outcome.fingerprint == fingerprint)


def _certificate(content: bytes) -> bytes | None:
    """Return the first certificate of an object, DER or PEM; None where there is none."""
    try:
        der = pem_blocks(content)[0].decode() if is_pem(content) else content
        parse_certificate(der)
    except (ValueError, IndexError):
        return None
    return der


def _is_signed(der: bytes, spki_der: bytes) -> bool:
    try:
        return verify_signature(der, spki_der)
    except ValueError:
        return False
