"""Fulfil: sign recorded orders, check each signature, commit; steps 7 to 9 of the recipe."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.errors import BackendUnavailableError, ContradictionError, GitcaError, UsageError
from gitca.git.store import Fulfilment, RecordedOrder, Snapshot, Store
from gitca.ledger.events import CertificateParticulars, CsrParticulars, Ordered, Signed
from gitca.ledger.image import is_self_signed, standing_certificate
from gitca.ledger.state import LedgerState
from gitca.reconcile.keys import Keys
from gitca.signers import Signature, Signer, UnansweredError, Use
from gitca.x509.signed import assemble, tbs_of, verify_signature

# One commit holds at most so many signatures: what a run that is killed may have to sign again.
CHUNK = 1000
CONCURRENCY = 32

Progress = Callable[[str, int, int], None]
"""What is being done, how many are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Work:
    """A recorded order, who is to sign it, and the key (SPKI) that must verify the signature."""

    order: RecordedOrder
    signer: Signer
    spki_der: bytes

    @property
    def ca(self) -> str:
        """The CA that is to sign."""
        return self.order.ordered.ca


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one piece of work: a fulfilment, or nothing but lost uses, and why."""

    ca: str
    fulfilment: Fulfilment | None = None
    failure: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Fulfiller:
    """Turns recorded orders into committed certificates, CSRs and CRLs."""

    store: Store
    keys: Keys
    authorities: Mapping[str, Document[CertificateAuthoritySpec]]
    clock: Callable[[], datetime]
    progress: Progress
    concurrency: int = CONCURRENCY

    def is_within_reach(self, order: RecordedOrder) -> bool:
        """Whether the key that the order needs may be used and answers."""
        document = self.authorities.get(order.ordered.ca)
        return document is not None and self.keys.signer(document) is not None

    def fulfil(self, snapshot: Snapshot, orders: Sequence[RecordedOrder]) -> tuple[Ordered, ...]:
        """Sign, check and commit; return the orders that were signed.

        The others stay recorded: a key that is out of reach, fails or refuses is given up
        (`Keys.give_up`), and the other CAs' orders are signed all the same. Raises:
        ContradictionError when a signature is not the CA's, after every finished signature, and
        every use of a key whose answer was lost, was committed.
        """
        made: list[Ordered] = []
        for start in range(0, len(orders), CHUNK):
            attempts = self._sign_all(snapshot.state, orders[start : start + CHUNK])
            finished = [item.fulfilment for item in attempts if item.fulfilment is not None]
            if finished:
                snapshot = self.store.commit(snapshot, finished, now=self.clock())
            made += [item.order.ordered for item in finished if item.signed is not None]
            self.progress("sign", len(made), len(orders))
            self._note_failures(attempts)
        return tuple(made)

    def _note_failures(self, attempts: Iterable[Attempt]) -> None:
        """Give up the keys that failed. Raises what is no matter of one CA's key."""
        for attempt in attempts:
            match attempt.failure:
                case None:
                    pass
                case BackendUnavailableError() | UsageError() as error:
                    self.keys.give_up(attempt.ca, error)
                case error:
                    raise error

    def _sign_all(self, state: LedgerState, orders: Sequence[RecordedOrder]) -> list[Attempt]:
        """Return what came of each; after a CA's first failure no more is begun for it."""
        # All keys are held against their certificates before the first signature is made.
        work = list(self._work(state, orders))
        stopped = {item.ca: threading.Event() for item in work}
        contradicted = threading.Event()

        def attempt(item: Work) -> Attempt:
            if contradicted.is_set() or stopped[item.ca].is_set():
                return Attempt(item.ca)
            done = _attempt(item)
            if done.failure is not None:
                stopped[item.ca].set()
            if isinstance(done.failure, ContradictionError):
                contradicted.set()
            return done

        with ThreadPoolExecutor(min(self.concurrency, max(len(work), 1))) as pool:
            futures = [pool.submit(attempt, item) for item in work]
        # Whatever failed, a defect of ours too, the rest is committed.
        return [
            Attempt(item.ca, failure=error) if (error := future.exception()) else future.result()
            for item, future in zip(work, futures, strict=True)
        ]

    def _work(self, state: LedgerState, orders: Iterable[RecordedOrder]) -> Iterator[Work]:
        """Yield the work on the orders whose key is within reach still."""
        spkis: dict[str, bytes] = {}
        for order in orders:
            ca = order.ordered.ca
            signer = self.keys.pinned_signer(self.authorities[ca], state)
            if signer is None:
                continue
            if ca not in spkis:
                spkis[ca] = _signing_key(state, order, signer)
            yield Work(order, signer, spkis[ca])


def _signing_key(state: LedgerState, order: RecordedOrder, signer: Signer) -> bytes:
    """Return the SPKI that must verify the order's signature: the CA certificate's own."""
    ordered = order.ordered
    certificate = state.authority(ordered.ca).certificate
    if certificate is not None:
        return standing_certificate(certificate).template.spki_der
    is_csr = isinstance(ordered.particulars, CsrParticulars)
    if not is_csr and not is_self_signed(state.orders[ordered.order]):
        raise ContradictionError(f"CA {ordered.ca} is to sign and has no certificate")
    return signer.public_key()


def _attempt(work: Work) -> Attempt:
    """Return what comes of signing an order, whatever fails."""
    try:
        return Attempt(work.ca, sign(work.order, work.signer, work.spki_der))
    except UnansweredError as error:
        lost = Fulfilment(work.order, None, b"", _lost(work.order, error.uses))
        return Attempt(work.ca, lost if error.uses else None, error)
    except GitcaError as error:
        return Attempt(work.ca, failure=error)


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
    return Fulfilment(
        order, _signed(order, signature, der), der, _lost(order, signature.unanswered)
    )


def _signed(order: RecordedOrder, signature: Signature, der: bytes) -> Signed:
    particulars = order.ordered.particulars
    whole = base64.b64encode(der).decode()
    is_certificate = isinstance(particulars, CertificateParticulars)
    is_csr = isinstance(particulars, CsrParticulars)
    is_crl = not is_certificate and not is_csr
    return Signed(
        order=order.ordered.order,
        fingerprint=f"sha256:{hashlib.sha256(der).hexdigest()}",
        key=signature.key,
        request_id=signature.request_id,
        certificate=whole if is_certificate else None,
        signature=base64.b64encode(signature.value).decode() if is_crl else None,
        csr=whole if is_csr else None,
    )


def _lost(order: RecordedOrder, uses: Iterable[Use]) -> tuple[Signed, ...]:
    """Return the events of a key's uses whose answer never came."""
    return tuple(
        Signed(order.ordered.order, None, use.key, request_id=use.request_id, spent=True)
        for use in uses
    )
