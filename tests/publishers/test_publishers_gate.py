"""The gate that a CRL passes: each defect alone, and what is right goes through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ca_world import NOW, Clone
from gitca.ledger.image import certificate_der
from gitca.publishers.gate import (
    Known,
    Problem,
    Weight,
    judge_candidate,
    judge_succession,
    judge_time,
)
from gitca.x509 import der
from gitca.x509.algorithms import algorithm_identifier_der
from gitca.x509.signed import assemble, verify_signature
from publish_world import crl_of, issuer_of, pem

ENDS = {0xA: NOW + timedelta(days=20), 0xB: NOW - timedelta(days=1)}
KNOWN = Known(3, ENDS.get)


def told(problems: Iterator[Problem]) -> list[tuple[str, Weight]]:
    return [(problem.rule, problem.weight) for problem in problems]


def contradiction(name: str) -> list[tuple[str, Weight]]:
    return [(f"publish.crl.{name}", Weight.CONTRADICTION)]


# The candidate by itself.


def candidate(clone: Clone, crl_der: bytes, ca: str = "issuing") -> list[tuple[str, Weight]]:
    return told(judge_candidate(crl_der, issuer_of(clone, ca), KNOWN))


def test_the_ledgers_crl_goes_out(issued_once: Clone) -> None:
    assert candidate(issued_once, crl_of(issued_once, 3, [0xA])) == []


def test_a_crl_of_another_key_stays(issued_once: Clone) -> None:
    assert candidate(issued_once, crl_of(issued_once, 3, signer="root")) == contradiction(
        "signature"
    )


def test_a_crl_with_a_changed_byte_stays(issued_once: Clone) -> None:
    crl = crl_of(issued_once, 3, [0xA])
    at = crl.index(b"\x02\x01\x0a")
    changed = crl[:at] + b"\x02\x01\x0c" + crl[at + 3 :]
    assert candidate(issued_once, changed) == contradiction("signature")


def test_a_crl_that_names_another_issuer_stays(issued_once: Clone) -> None:
    root = issuer_of(issued_once, "root")
    name_alone = replace(issuer_of(issued_once), subject_der=root.subject_der)
    crl = crl_of(issued_once, 3, issuer=name_alone)
    assert candidate(issued_once, crl) == contradiction("issuer")


def test_a_crl_that_names_another_key_stays(issued_once: Clone) -> None:
    other = replace(issuer_of(issued_once), subject_key_identifier=b"\x01" * 20)
    assert candidate(issued_once, crl_of(issued_once, 3, issuer=other)) == contradiction("issuer")


@pytest.mark.parametrize("number", [2, 4])
def test_a_crl_with_a_number_that_is_not_the_ledgers_stays(issued_once: Clone, number: int) -> None:
    assert candidate(issued_once, crl_of(issued_once, number)) == contradiction("number")


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x30\x80\x00\x00", b"\x30\x03\x02\x01\x01"])
def test_what_is_no_crl_stays(issued_once: Clone, content: bytes) -> None:
    assert candidate(issued_once, content) == contradiction("signature")


# Its time.


def at(clone: Clone, now: datetime, keep_for: timedelta = timedelta(0)) -> list[tuple[str, Weight]]:
    crl = crl_of(clone, 3, this_update=NOW)  # for seven days
    return told(judge_time(crl, issuer_of(clone), now, keep_for))


def test_a_crl_is_lapsed_from_its_nextupdate_on(issued_once: Clone) -> None:
    assert at(issued_once, NOW + timedelta(days=7, seconds=-1)) == []
    lapsed = [("publish.crl.lapsed", Weight.LAPSED)]
    assert at(issued_once, NOW + timedelta(days=7)) == lapsed
    assert at(issued_once, NOW + timedelta(days=70), timedelta(days=1)) == lapsed


def test_a_crl_has_to_outlast_the_next_run_and_the_margin(issued_once: Clone) -> None:
    assert at(issued_once, NOW, timedelta(days=7, seconds=-1)) == []
    assert at(issued_once, NOW, timedelta(days=7)) == [("publish.crl.margin", Weight.MARGIN)]


def test_a_last_crl_needs_no_next_one(issued_once: Clone) -> None:
    issuer = issuer_of(issued_once)
    crl = crl_of(issued_once, 3, this_update=NOW, lifetime=issuer.not_after - NOW)
    assert told(judge_time(crl, issuer, issuer.not_after, timedelta(days=1))) == []
    beyond = issuer.not_after + timedelta(days=1)
    assert told(judge_time(crl_of(issued_once, 3), issuer, beyond, timedelta(days=1))) == []


# In the place of what is published.


def succession(
    clone: Clone, new: bytes, old: bytes, *, path: str = "issuing.crl"
) -> list[tuple[str, Weight]]:
    return told(judge_succession(new, old, issuer_of(clone), KNOWN, path=path))


BROKEN = [("publish.crl.broken", Weight.REPAIR)]
PEM = "issuing.crl.pem"


@pytest.fixture
def new(issued_once: Clone) -> bytes:
    return crl_of(issued_once, 3, [0xA])


def test_a_higher_number_replaces_a_lower_one(issued_once: Clone, new: bytes) -> None:
    assert succession(issued_once, new, crl_of(issued_once, 2)) == []
    assert succession(issued_once, new, pem(crl_of(issued_once, 2, [0xA])), path=PEM) == []


def test_a_lower_number_replaces_no_higher_one(issued_once: Clone, new: bytes) -> None:
    later = crl_of(issued_once, 4, [0xA])
    ahead = [("publish.crl.unknown", Weight.AHEAD)]
    assert succession(issued_once, new, later) == ahead
    assert succession(issued_once, new, pem(later), path=PEM) == ahead
    assert succession(issued_once, new, later, path=PEM) == ahead
    hidden = pem(crl_of(issued_once, 2, [0xA])) + pem(later)
    assert succession(issued_once, new, hidden, path=PEM) == ahead


def test_only_the_pem_object_is_read_as_pem(issued_once: Clone, new: bytes) -> None:
    """A CRL in DER may hold those letters, and relying parties read no PEM at the others."""
    assert succession(issued_once, new, pem(crl_of(issued_once, 4, [0xA]))) == BROKEN
    text = b"# see -----BEGIN X509 CRL-----\n" + pem(crl_of(issued_once, 4, [0xA]))
    assert succession(issued_once, new, text, path=PEM) == BROKEN


def test_one_number_does_not_say_two_things(issued_once: Clone, new: bytes) -> None:
    other = crl_of(issued_once, 3, [0xA, 0xB])
    assert succession(issued_once, new, other) == contradiction("number")


def test_another_signature_over_the_same_bytes_is_the_same_crl(
    issued_once: Clone, new: bytes
) -> None:
    again = crl_of(issued_once, 3, [0xA])
    assert again != new
    assert succession(issued_once, new, again) == []


def test_a_revocation_that_has_not_expired_does_not_vanish(issued_once: Clone) -> None:
    new, old = crl_of(issued_once, 3), crl_of(issued_once, 2, [0xA])
    assert succession(issued_once, new, old) == contradiction("vanished")


def test_a_revocation_of_no_order_does_not_vanish(issued_once: Clone) -> None:
    new, old = crl_of(issued_once, 3), crl_of(issued_once, 2, [0xC])
    assert succession(issued_once, new, old) == contradiction("vanished")


def test_a_revocation_of_an_expired_certificate_leaves(issued_once: Clone) -> None:
    new, old = crl_of(issued_once, 3), crl_of(issued_once, 2, [0xB])
    assert succession(issued_once, new, old) == []


def test_many_vanished_ones_are_counted_and_a_few_named(issued_once: Clone) -> None:
    old = crl_of(issued_once, 2, range(0x100, 0x200))
    (problem,) = judge_succession(
        crl_of(issued_once, 3), old, issuer_of(issued_once), KNOWN, path="issuing.crl"
    )
    assert "256 revoked certificates" in problem.message
    assert "100, 101, 102 and 253 more" in problem.message


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"-----BEGIN X509 CRL-----\nAA\n-----END X509 CRL-----\n"]
)
def test_what_is_no_crl_is_replaced(issued_once: Clone, new: bytes, content: bytes) -> None:
    assert succession(issued_once, new, content) == BROKEN
    assert succession(issued_once, new, content, path=PEM) == BROKEN


def test_a_crl_that_somebody_else_signed_is_replaced_whatever_its_number(
    issued_once: Clone, new: bytes
) -> None:
    forged = crl_of(issued_once, 999, [0xA], signer="root")
    assert succession(issued_once, new, forged) == BROKEN


# Signed with the CA's key by other software, which writes other CRLs.


FOREIGN_KEY = ec.generate_private_key(ec.SECP256R1())


def spki_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.DER, form)


def foreign(clone: Clone, new: bytes, old: bytes, path: str = "issuing.crl") -> list[Problem]:
    """What the gate says where the CA's key is the one that other software signed with, too."""
    issuer = issuer_of(clone)
    own = replace(issuer, template=replace(issuer.template, spki_der=spki_of(FOREIGN_KEY)))
    return list(judge_succession(new, old, own, KNOWN, path=path))


def foreign_crl(
    clone: Clone,
    *extensions: tuple[x509.ExtensionType, bool],
    on_entry: tuple[x509.ExtensionType, bool] | None = None,
    digest: hashes.SHA224 | hashes.SHA256 | None = None,
    key: ec.EllipticCurvePrivateKey = FOREIGN_KEY,
) -> bytes:
    name = x509.load_pem_x509_certificate(clone.read("issued/issuing/ca.pem")).subject
    entry = x509.RevokedCertificateBuilder().serial_number(0xDEADBEEF).revocation_date(NOW)
    if on_entry:
        entry = entry.add_extension(on_entry[0], critical=on_entry[1])
    builder = x509.CertificateRevocationListBuilder().issuer_name(name)
    builder = builder.last_update(NOW).next_update(NOW + timedelta(days=7))
    for extension, is_critical in extensions:
        builder = builder.add_extension(extension, critical=is_critical)
    signed = builder.add_revoked_certificate(entry.build()).sign(key, digest or hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)


def version_1(clone: Clone) -> bytes:
    times = (der.time(NOW), der.time(NOW + timedelta(days=7)))
    algorithm = algorithm_identifier_der("ecdsa-sha256")
    tbs = der.sequence(algorithm, issuer_of(clone).subject_der, *times)
    return assemble(tbs, "ecdsa-sha256", FOREIGN_KEY.sign(tbs, ec.ECDSA(hashes.SHA256())))


NUMBER = (x509.CRLNumber(99), False)
WHERE = x509.UniformResourceIdentifier("http://pki.example.internal/issuing.crl")
PART = (x509.IssuingDistributionPoint([WHERE], None, False, False, None, False, False), True)
INDIRECT = (x509.CertificateIssuer([WHERE]), True)
UNREADABLE: dict[str, Callable[[Clone], bytes]] = {
    "a critical IDP": lambda clone: foreign_crl(clone, NUMBER, PART),
    "no number": foreign_crl,
    "a critical extension of an entry": lambda clone: foreign_crl(clone, NUMBER, on_entry=INDIRECT),
    "version 1": version_1,
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_the_cas_key_signed_is_never_rubbish(
    issued_once: Clone, new: bytes, kind: str
) -> None:
    """It may revoke what the ledger does not, whether gitca can read it or not."""
    old = UNREADABLE[kind](issued_once)
    for path, content in (("issuing.crl", old), (PEM, pem(old)), (PEM, old)):
        (problem,) = foreign(issued_once, new, content, path)
        assert (problem.rule, problem.weight) == (
            "publish.crl.unreadable",
            Weight.CONTRADICTION,
        )
        assert problem.remedy


def test_an_algorithm_that_gitca_never_signs_with_counts_as_well(
    issued_once: Clone, new: bytes
) -> None:
    old = foreign_crl(issued_once, NUMBER, digest=hashes.SHA224())
    (problem,) = foreign(issued_once, new, old)
    assert problem.weight is Weight.AHEAD
    stranger = ec.generate_private_key(ec.SECP256R1())
    forged = foreign_crl(issued_once, NUMBER, digest=hashes.SHA224(), key=stranger)
    assert [problem.weight for problem in foreign(issued_once, new, forged)] == [Weight.REPAIR]


def test_a_crl_of_the_key_under_another_name_is_no_rubbish(issued_once: Clone) -> None:
    new, root = crl_of(issued_once, 3), issuer_of(issued_once, "root")
    named = replace(issuer_of(issued_once), subject_der=root.subject_der)
    old = crl_of(issued_once, 2, [0xC], issuer=named)
    assert succession(issued_once, new, old) == contradiction("vanished")


def test_a_certificate_in_the_place_of_a_crl_is_replaced(issued_once: Clone, new: bytes) -> None:
    """The CA's key signed it, and whoever can write to the target can fetch it there."""
    leaf = certificate_der(issued_once.current("payments/api"))
    assert verify_signature(leaf, issuer_of(issued_once).template.spki_der)
    assert succession(issued_once, new, leaf) == BROKEN
