"""The key: of an algorithm and size that the policy lists, and refused by nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from gitca.documents.issuance_policy import EcdsaKeys, KeyAlgorithm, MlDsaKeys, RsaKeys
from gitca.documents.key_rules import LEAST_EXPONENT, CsrHash
from gitca.findings import Finding
from gitca.policy.case import Case, objection
from gitca.policy.proposal import Proposal
from gitca.policy.wording import allowed
from gitca.x509.keys import KeyDescription
from gitca.x509.template import spki_identifier
from gitca.x509.weak_keys import weaknesses


def check_algorithm(case: Case, _: Proposal) -> Iterator[Finding]:
    """`key.algorithms`: type, size, curve or parameter set is listed."""
    algorithms = case.policy.spec.key.algorithms
    if not any(_covers(algorithm, case.csr.key) for algorithm in algorithms):
        yield case.denial(
            "key.algorithms",
            f"key {case.csr.key} is not allowed;"
            f" {allowed(map(algorithm_words, algorithms), quote=False)}",
            case.csr_at,
            remedy="make a new key and CSR, or change the policy",
        )


def check_exponent(case: Case, _: Proposal) -> Iterator[Finding]:
    """`key.algorithms.exponents`: an RSA key's public exponent is listed with its size."""
    key = case.csr.key
    if key.exponent is None:
        return
    listed = [rule for rule in case.policy.spec.key.algorithms if isinstance(rule, RsaKeys)]
    # Where no rule covers the size, key.algorithms says so.
    fitting = [rule for rule in listed if _covers(rule, key)]
    exponents = dict.fromkeys(number for rule in fitting for number in rule.exponents)
    if fitting and key.exponent not in exponents:
        # Those below cannot be listed, so that no waiver stands in for a list either.
        speak = objection if key.exponent < LEAST_EXPONENT else case.denial
        yield speak(
            "key.algorithms.exponents",
            f"the RSA key's public exponent is {key.exponent};"
            f" {allowed(map(str, exponents), quote=False)}",
            case.csr_at,
            remedy="make a new key with the usual exponent, 65537",
        )


def check_weak(case: Case, _: Proposal) -> Iterator[Finding]:
    """`key.weakKeys`: the key's numbers betray no weakness that is known."""
    if case.policy.spec.key.weak_keys == "ignore":
        return
    for weakness in weaknesses(case.csr.spki_der):
        yield case.denial(
            "key.weakKeys",
            f"the RSA key is weak: {weakness}; allowed are keys without a known weakness",
            case.csr_at,
            remedy="make a new key with another program (openssl genpkey) and use this one no more",
        )


def check_refused(case: Case, _: Proposal) -> Iterator[Finding]:
    """`key.refused`: the key is on no blocklist, and nobody reported it as compromised."""
    identifier = spki_identifier(case.csr.spki_der)
    reason = case.refused_keys.get(identifier)
    if reason is not None:
        yield objection(
            "key.refused",
            f"key {identifier} is refused: {reason}; allowed is a key that is neither blocked nor"
            " revoked",
            case.csr_at,
            remedy="make a new key and CSR",
        )


def check_csr_hash(case: Case, _: Proposal) -> Iterator[Finding]:
    """`key.csrHashes`: the CSR's signature proves possession with a hash that is listed."""
    seen, listed = case.csr.signature_hash, case.policy.spec.key.csr_hashes
    if seen is not None and seen not in listed:
        speak = case.denial if seen in get_args(CsrHash) else objection
        yield speak(
            "key.csrHashes",
            f"the CSR is signed with {seen}; {allowed(listed, quote=False)}",
            case.csr_at,
            remedy="sign the CSR again with one that is allowed (openssl req -new -sha256)",
        )


def _covers(algorithm: KeyAlgorithm, key: KeyDescription) -> bool:
    if algorithm.type != key.type:
        return False
    if isinstance(algorithm, RsaKeys):
        return algorithm.min_bits <= key.size <= (algorithm.max_bits or key.size)
    if isinstance(algorithm, EcdsaKeys):
        return key.curve in algorithm.curves
    return not isinstance(algorithm, MlDsaKeys) or str(key) in algorithm.parameter_sets


def algorithm_words(algorithm: KeyAlgorithm) -> str:
    """Return the keys that an entry of `key.algorithms` allows, in words."""
    if isinstance(algorithm, RsaKeys):
        most = f"to {algorithm.max_bits}" if algorithm.max_bits else "or more"
        return f"RSA of {algorithm.min_bits} {most} bits"
    if isinstance(algorithm, EcdsaKeys):
        return " or ".join(algorithm.curves) or "ECDSA on no curve"
    if isinstance(algorithm, MlDsaKeys):
        return " or ".join(algorithm.parameter_sets) or "ML-DSA with no parameter set"
    return "Ed25519"
