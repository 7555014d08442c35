"""The keys of the CAs, as far as they are within reach of this machine."""

from __future__ import annotations

from collections.abc import Callable

from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.errors import BackendUnavailableError, ContradictionError, UsageError
from gitca.findings import Finding, Severity
from gitca.ledger.state import LedgerState
from gitca.signers import KeyAbsentError, KeyUnsuitableError, Signer
from gitca.x509.template import spki_identifier

OpenSigner = Callable[[str], Signer]
"""Signer URI to signer. Raises: BackendUnavailableError for a key that is out of reach."""


class Keys:
    """Opens each CA's signer once, and only where it is asked for.

    `selected` limits the CAs whose key may be used (None: all). Why a key cannot be had is
    remembered by CA: `absent` is one that is not at this machine, as an offline root's; of an
    `unreachable` one the backend does not answer; one that `cannot_sign` is there and forbidden to,
    or was asked for in a wrong way (a passphrase, a PIN, credentials), which a person has to mend.
    Such a key is not asked again, and keeps no other CA from its work.
    """

    def __init__(self, open_signer: OpenSigner, selected: frozenset[str] | None = None) -> None:
        self._open = open_signer
        self._selected = selected
        self._signers: dict[str, Signer] = {}
        self._spkis: dict[str, bytes] = {}
        self._told: dict[str, bytes] = {}
        self.absent: dict[str, str] = {}
        self.unreachable: dict[str, str] = {}
        self.cannot_sign: dict[str, UsageError] = {}

    def is_selected(self, ca: str) -> bool:
        """Whether this run may use the CA's key at all."""
        return self._selected is None or ca in self._selected

    def signer(self, document: Document[CertificateAuthoritySpec]) -> Signer | None:
        """Return the CA's signer, or None when its key is not selected or out of reach."""
        name = document.name
        refused = (self.absent, self.unreachable, self.cannot_sign)
        if not self.is_selected(name) or any(name in reasons for reasons in refused):
            return None
        if name not in self._signers:
            self._try_to_open(name, document.spec.key)
        return self._signers.get(name)

    def _try_to_open(self, name: str, uri: str) -> None:
        try:
            signer = self._open(uri)
            self._spkis[name] = signer.public_key()
            self._signers[name] = signer
        except KeyAbsentError as error:
            self.absent[name] = str(error)
        except (BackendUnavailableError, UsageError) as error:
            self.give_up(name, error)

    def give_up(self, ca: str, error: BackendUnavailableError | UsageError) -> None:
        """Ask no more of a CA's key: it did not answer, or refused."""
        if isinstance(error, BackendUnavailableError):
            self.unreachable[ca] = str(error)
        else:
            self.cannot_sign[ca] = error

    @property
    def is_wrongly_used(self) -> bool:
        """Whether a key was asked for in a wrong way, as with another passphrase than its own."""
        return any(not isinstance(item, KeyUnsuitableError) for item in self.cannot_sign.values())

    def public_key(self, document: Document[CertificateAuthoritySpec]) -> bytes | None:
        """Return the SPKI (DER) of the CA's key: its signer's, or else what `tell` was given."""
        if self.signer(document) is not None:
            return self._spkis[document.name]
        return self._told.get(document.name)

    def tell(self, ca: str, spki_der: bytes) -> None:
        """Take a CA's public key from elsewhere than its signer, for a CA whose key is not here.

        Nothing here vouches for it: whoever tells it shows it to a person.
        """
        self._told[ca] = spki_der

    def refusal(self, document: Document[CertificateAuthoritySpec]) -> Finding | None:
        """Return `authority.key` for a CA whose key is there and cannot sign; None for any other.

        Nothing may be ordered of such a key.
        """
        self.signer(document)
        error = self.cannot_sign.get(document.name)
        if error is None:
            return None
        at = document.at("spec", "key")
        return Finding("authority.key", Severity.ERROR, error.message, at, error.remedy)

    def too_long(
        self, document: Document[CertificateAuthoritySpec], algorithm: str, octets: int
    ) -> Finding | None:
        """Return `signer.limit` where the CA's signer does not sign a message of so many octets.

        None also where the signer is out of reach: it refuses when it signs.
        """
        signer = self.signer(document)
        longest = signer.longest_message(algorithm) if signer else None
        if longest is None or octets <= longest:
            return None
        return Finding(
            "signer.limit",
            Severity.ERROR,
            f"{octets} octets are to be signed with {algorithm}, and the signer of CA"
            f" {document.name} takes {longest} at the most",
            document.at("spec", "key"),
            "make the object smaller, or keep this CA's key with an algorithm or at a signer that"
            " has no such limit; a new key is a new CA",
        )

    def pinned_signer(
        self, document: Document[CertificateAuthoritySpec], state: LedgerState
    ) -> Signer | None:
        """Return the CA's signer after holding its key against the CA's certificate.

        While an external CA has not given it one, against its CSR. Raises: ContradictionError when
        the signer holds another key.
        """
        signer, record = self.signer(document), state.authority(document.name)
        pinned = record.certificate or record.csr or record.pending_csr
        if signer is None or pinned is None:
            return signer
        if spki_identifier(self._spkis[document.name]) != pinned.key:
            what = "certificate" if record.certificate else "CSR"
            raise ContradictionError(
                f"the signer of CA {document.name} ({document.spec.key}) holds another key than the"
                f" CA's {what}; nothing was signed",
                remedy="point spec.key to the key that the CA was made with; a new key is a new CA",
            )
        return signer

    def close(self) -> None:
        """Close every signer that was opened."""
        for signer in self._signers.values():
            signer.close()
        self._signers.clear()

    def __enter__(self) -> Keys:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
