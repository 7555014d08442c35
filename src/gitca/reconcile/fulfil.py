"""Fulfil: sign recorded orders, check each signature, commit; steps 7 to 9 of the recipe."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.errors import BackendUnavailableError, ContradictionError
from gitca.git.store import Fulfilment, RecordedOrder, Snapshot, Store
from gitca.ledger.events import CertificateParticulars, Signed
from gitca.ledger.image import is_self_signed, standing_certificate
from gitca.ledger.state import LedgerState
from gitca.reconcile.keys import Keys
from gitca.signers import Signature, Signer
from gitca.x509.signed import assemble, tbs_of, verify_signature

# One commit holds at most so many signatures: what a run that is killed may have to sign again.
CHUNK = 1000
CONCURRENCY = 32

Progress = Callable[[str, int, int], None]
"""What is being done, how many are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Fulfiller:
    """Turns recorded orders into committed certificates and CRLs."""

    store: Store
    keys: Keys
    authorities: Mapping[str, Document[CertificateAuthoritySpec]]
    clock: Callable[[], datetime]
    progress: Progress

    def is_within_reach(self, order: RecordedOrder) -> bool:
        """Whether the key that the order needs may be used and answers."""
        document = self.authorities.get(order.ordered.ca)
        return document is not None and self.keys.signer(document) is not None

    def fulfil(self, snapshot: Snapshot, orders: Sequence[RecordedOrder]) -> Snapshot:
        """Sign, check and commit; return the snapshot after the last commit.

        Raises: BackendUnavailableError when a signer fails, ContradictionError when a signature is
        not the CA's, UsageError when a signer refuses; each after every finished signature was
        committed. Orders that were not fulfilled stay recorded.
        """
        for start in range(0, len(orders), CHUNK):
            chunk = orders[start : start + CHUNK]
            finished, failure = self._sign_all(snapshot.state, chunk)
            if finished:
                snapshot = self.store.commit(snapshot, finished, now=self.clock())
            self.progress("sign", start + len(finished), len(orders))
            if failure is not None:
                raise failure
        return snapshot

    def _sign_all(
        self, state: LedgerState, orders: Sequence[RecordedOrder]
    ) -> tuple[list[Fulfilment], BaseException | None]:
        """Return what was signed, and the first failure: whatever failed, the rest is committed."""
        # All keys are held against their certificates before the first signature is made.
        work = list(self._work(state, orders))
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            futures = [pool.submit(sign, *item) for item in work]
        failures = [error for error in (future.exception() for future in futures) if error]
        finished = [future.result() for future in futures if future.exception() is None]
        return finished, failures[0] if failures else None

    def _work(
        self, state: LedgerState, orders: Sequence[RecordedOrder]
    ) -> Iterator[tuple[RecordedOrder, Signer, bytes]]:
        spkis: dict[str, bytes] = {}
        for order in orders:
            ca = order.ordered.ca
            document = self.authorities[ca]
            signer = self.keys.pinned_signer(document, state)
            if signer is None:
                raise BackendUnavailableError(f"the key of CA {ca} is out of reach")
            if ca not in spkis:
                spkis[ca] = _signing_key(state, order, signer)
            yield order, signer, spkis[ca]


def _signing_key(state: LedgerState, order: RecordedOrder, signer: Signer) -> bytes:
    """Return the SPKI that must verify the order's signature: the CA certificate's own."""
    certificate = state.authority(order.ordered.ca).certificate
    if certificate is not None:
        return standing_certificate(certificate).template.spki_der
    if not is_self_signed(state.orders[order.ordered.order]):
        raise ContradictionError(f"CA {order.ordered.ca} is to sign and has no certificate")
    return signer.public_key()


def sign(order: RecordedOrder, signer: Signer, spki_der: bytes) -> Fulfilment:
    """Return a recorded order with its signature, made now and checked.

    Raises: BackendUnavailableError; ContradictionError when the signature does not verify under
    the CA's key, or the assembled object does not hold the ordered bytes.
    """
    ordered = order.ordered
    signature = signer.sign(order.tbs, ordered.signature_algorithm)
    der = assemble(order.tbs, ordered.signature_algorithm, signature.value)
    if tbs_of(der) != order.tbs or not verify_signature(der, spki_der):
        raise ContradictionError(
            f"the signer of CA {ordered.ca} gave a signature over order {ordered.order} that does"
            " not verify under the CA's key; it was thrown away",
            remedy="check that the key's algorithm is the document's, and call a person",
        )
    return Fulfilment(order, _signed(order, signature, der), der)


def _signed(order: RecordedOrder, signature: Signature, der: bytes) -> Signed:
    is_certificate = isinstance(order.ordered.particulars, CertificateParticulars)
    return Signed(
        order=order.ordered.order,
        fingerprint=f"sha256:{hashlib.sha256(der).hexdigest()}",
        key=signature.key,
        request_id=signature.request_id,
        certificate=base64.b64encode(der).decode() if is_certificate else None,
        signature=None if is_certificate else base64.b64encode(signature.value).decode(),
    )
