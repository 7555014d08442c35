"""An adopted certificate whose serial number no CRL could list is a contradiction."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ca_world import NOW
from gitca.ledger.adoption import adopted_record
from gitca.ledger.events import Adopted, DocumentReference
from gitca.x509.der import parts, sequence
from gitca.x509.signed import tbs_of


@pytest.mark.parametrize(
    ("octets", "words"),
    [(b"\x91" + bytes(7), "not positive"), (b"\0", "not positive"), (b"\x01" * 21, "161 bits")],
    ids=["negative", "zero", "21 octets"],
)
def test_such_a_number_is_refused(octets: bytes, words: str) -> None:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Issuing")])
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(name, name, key.public_key(), 5, NOW, NOW)
    whole = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    version, _, *rest = parts(tbs_of(whole))
    _, algorithm, signature = parts(whole)
    serial = bytes((2, len(octets))) + octets
    der = sequence(sequence(version, serial, *rest), algorithm, signature)
    event = Adopted(
        authority="issuing",
        fingerprint=f"sha256:{hashlib.sha256(der).hexdigest()}",
        certificate=base64.b64encode(der).decode(),
        chain=(),
        document=DocumentReference("ca/issuing.yaml", "0" * 40),
        file=DocumentReference("ca/issuing.pem", "0" * 40),
        source="0" * 40,
        run="run",
        date=NOW,
    )
    with pytest.raises(ValueError, match=words):
        adopted_record(event, 1)
