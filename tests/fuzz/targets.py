"""The parsers of what strangers write: what each may raise, and samples to start from."""

from __future__ import annotations

import base64
import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ca_documents import GOVERNING, csr_pem, request, revocation
from fixtures.csrs import corpus
from fuzz.ledger_samples import ledger_samples
from gitca.documents.aws_key_uri import AwsKeyUriError, parse_aws_key_uri
from gitca.documents.load import TreeEntry, parse_entry
from gitca.documents.pkcs11_uri import Pkcs11UriError, parse_pkcs11_uri
from gitca.documents.schema import KINDS
from gitca.errors import ContradictionError
from gitca.ledger.segment import parse_segment, segment_path
from gitca.x509 import der
from gitca.x509.certificate import parse_certificate
from gitca.x509.certificate_file import certificates_of
from gitca.x509.crl import parse_crl
from gitca.x509.csr import parse_csr
from gitca.x509.keys import describe_key
from gitca.x509.names import check_name
from gitca.x509.pem import PemError, pem_blocks
from gitca.x509.refusal import RefusedError

FOUND = Path(__file__).parent / "found"


@dataclass(frozen=True)
class Target:
    """One parser: what it may raise, and texts that reach its corners."""

    read: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...]
    samples: Callable[[], tuple[bytes, ...]]

    def __call__(self, data: bytes) -> None:
        """Give it the bytes. Raises: what no reader of its documentation expects."""
        # Of odd certificates cryptography says that a later release will refuse them.
        with warnings.catch_warnings(action="ignore"):
            try:
                self.read(data)
            except self.refusals:
                return


def _yaml(data: bytes) -> None:
    entry = TreeEntry("requests/fuzz.yaml", "0" * 40, "100644")
    _, findings = parse_entry("fuzz", entry, lambda _: data, tuple(KINDS))
    assert len(findings) < 1000
    assert all(str(finding).isprintable() for finding in findings)


def _pem(data: bytes) -> None:
    for block in pem_blocks(data):
        block.decode()


def _der(data: bytes) -> None:
    """Take a value apart as far as it goes, as the parsers above do."""
    waiting = [data]
    while waiting:
        value = waiting.pop()
        try:
            waiting += der.parts(value, value[0] if value else der.SEQUENCE)
        except der.DerError:
            for read in (der.read_integer, der.read_bit_string, der.read_object_identifier):
                try:
                    read(value)
                except der.DerError:
                    continue


def _names(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    for kind in ("dns", "ip", "uri", "email"):
        check_name(kind, text)


def _text(parse: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: parse(data.decode("utf-8", "surrogateescape"))


def _segment(data: bytes) -> object:
    return parse_segment(segment_path(1), data)


def _documents() -> tuple[bytes, ...]:
    texts = (*GOVERNING.values(), request("fuzz", "a.example.internal"), revocation(serial="3f2a"))
    return tuple(text.encode() for text in texts)


@functools.cache
def _csrs() -> tuple[bytes, ...]:
    folder = corpus.FOLDER
    files = [path for kind in ("good", "bad") for path in sorted((folder / kind).iterdir())]
    return (csr_pem("fuzz").encode(), *(path.read_bytes() for path in files))


def vectors(*patterns: str) -> tuple[bytes, ...]:
    """Return files of the package cryptography_vectors, 64 KiB each at the most."""
    import cryptography_vectors

    top = Path(cryptography_vectors.__file__).parent
    paths = [path for pattern in patterns for path in sorted(top.glob(pattern)) if path.is_file()]
    return tuple(path.read_bytes() for path in paths if path.stat().st_size <= 64 * 1024)


def _ders(*patterns: str) -> tuple[bytes, ...]:
    """Return the DER of the vectors, out of PEM where they are PEM."""
    found = []
    for data in vectors(*patterns):
        try:
            found += [block.decode() for block in pem_blocks(data)] or [data]
        except PemError:
            found.append(data)
    return tuple(found)


_X509 = ("x509/*.pem", "x509/*.der", "x509/custom/*.pem", "x509/custom/*.der")
TARGETS = {
    "yaml": Target(_yaml, (), _documents),
    "csr": Target(parse_csr, (RefusedError,), _csrs),
    "pem": Target(_pem, (PemError,), _csrs),
    "der": Target(_der, (), lambda: _ders("x509/*.der", "x509/requests/*")),
    "certificate": Target(parse_certificate, (RefusedError,), lambda: _ders(*_X509)),
    "certificates": Target(certificates_of, (RefusedError,), lambda: vectors("x509/*.pem")),
    "crl": Target(parse_crl, (RefusedError,), lambda: _ders("x509/custom/crl_*")),
    "key": Target(describe_key, (RefusedError,), lambda: _ders("asymmetric/**/*pub*")),
    "segment": Target(_segment, (ContradictionError,), ledger_samples),
    "names": Target(
        _names,
        (),
        lambda: (b"*.a.example.internal", b"2001:db8::1", b"x@y.z", b"spiffe://a/b", b"1.2.3"),
    ),
    "pkcs11": Target(
        _text(parse_pkcs11_uri),
        (Pkcs11UriError,),
        lambda: (b"pkcs11:token=ca;object=root%20key;id=%01?module-name=hsm&pin-source=file:/p",),
    ),
    "awskms": Target(
        _text(parse_aws_key_uri),
        (AwsKeyUriError,),
        lambda: (
            b"awskms:///alias/example-issuing?region=eu-west-1",
            b"awskms:///arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        ),
    ),
}


def samples(name: str) -> tuple[bytes, ...]:
    """Return the samples of a target, and every input that once broke it."""
    found = sorted((FOUND / name).glob("*")) if (FOUND / name).is_dir() else []
    return (*TARGETS[name].samples(), *(base64.b64decode(path.read_bytes()) for path in found))
