"""The key: of an algorithm and size that the policy lists, and refused by nobody."""

from __future__ import annotations

from collections.abc import Iterator

from gitca.documents.issuance_policy import EcdsaKeys, KeyAlgorithm, MlDsaKeys, RsaKeys
from gitca.findings import Finding
from gitca.policy.case import Case, objection
from gitca.policy.proposal import Proposal
from gitca.policy.wording import allowed
from gitca.x509.keys import KeyDescription
from gitca.x509.template import spki_identifier

_LEAST_EXPONENT = 65537  # FIPS 186-5 section 5.4: above 2^16; small ones have a history of attacks
_SOUND_HASHES = frozenset(
    {"sha256", "sha384", "sha512", "sha512-256", "sha3-256", "sha3-384", "sha3-512"}
)


def check_algorithm(case: Case, _: Proposal) -> Iterator[Finding]:
    """`key.algorithms`: type, size, curve or parameter set is listed."""
    algorithms = case.policy.spec.key.algorithms
    if not any(_covers(algorithm, case.csr.key) for algorithm in algorithms):
        yield case.denial(
            "key.algorithms",
            f"key {case.csr.key} is not allowed; {allowed(map(_words, algorithms), quote=False)}",
            case.csr_at,
            remedy="make a new key and CSR, or change the policy",
        )


def check_exponent(case: Case, _: Proposal) -> Iterator[Finding]:
    """`key.exponent`: an RSA key's public exponent is 65537 or above."""
    exponent = case.csr.key.exponent
    if exponent is not None and exponent < _LEAST_EXPONENT:
        yield objection(
            "key.exponent",
            f"the RSA key's public exponent is {exponent}; allowed is {_LEAST_EXPONENT} or above"
            " (FIPS 186-5 section 5.4)",
            case.csr_at,
            remedy="make a new key with the usual exponent, 65537",
        )


def check_refused(case: Case, _: Proposal) -> Iterator[Finding]:
    """`key.refused`: nobody reported the key as compromised."""
    identifier = spki_identifier(case.csr.spki_der)
    reason = case.refused_keys.get(identifier)
    if reason is not None:
        yield objection(
            "key.refused",
            f"key {identifier} is refused: {reason}; allowed is a key that was not revoked",
            case.csr_at,
            remedy="make a new key and CSR",
        )


def check_csr_hash(case: Case, _: Proposal) -> Iterator[Finding]:
    """`key.csr-hash`: the CSR's signature proves possession with a hash that is not broken."""
    seen = case.csr.signature_hash
    if seen is not None and seen not in _SOUND_HASHES:
        yield objection(
            "key.csr-hash",
            f"the CSR is signed with {seen.upper()}; allowed are SHA-256 and stronger hashes",
            case.csr_at,
            remedy="sign the CSR again with SHA-256 (openssl req -new -sha256)",
        )


def _covers(algorithm: KeyAlgorithm, key: KeyDescription) -> bool:
    if algorithm.type != key.type:
        return False
    if isinstance(algorithm, RsaKeys):
        return algorithm.min_bits <= key.size <= (algorithm.max_bits or key.size)
    if isinstance(algorithm, EcdsaKeys):
        return key.curve in algorithm.curves
    return not isinstance(algorithm, MlDsaKeys) or str(key) in algorithm.parameter_sets


def _words(algorithm: KeyAlgorithm) -> str:
    if isinstance(algorithm, RsaKeys):
        most = f"to {algorithm.max_bits}" if algorithm.max_bits else "or more"
        return f"RSA of {algorithm.min_bits} {most} bits"
    if isinstance(algorithm, EcdsaKeys):
        return " or ".join(algorithm.curves) or "ECDSA on no curve"
    if isinstance(algorithm, MlDsaKeys):
        return " or ".join(algorithm.parameter_sets) or "ML-DSA with no parameter set"
    return "Ed25519"
