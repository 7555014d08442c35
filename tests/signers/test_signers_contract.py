"""What every signer owes, whatever holds its key. A new backend joins BACKENDS and nothing else."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from signature_judges import verifies

from gitca.errors import BackendUnavailableError, UsageError
from gitca.signers import SCHEMES, Signer, create_key, open_signer
from gitca.x509.algorithms import SIGNATURE_ALGORITHMS, algorithms_for
from gitca.x509.keys import KEY_SPECS, describe_key

SECRET = b"correct horse battery staple"
MESSAGE = b"to be signed" * 1000
LARGER_THAN_A_KMS_TAKES = bytes(1_000_000)


@dataclass(frozen=True)
class BackendUnderTest:
    """How to reach one backend: its scheme, the keys it can make, and the URI of a key's name."""

    scheme: str
    specs: tuple[str, ...]
    uri: Callable[[str], str]

    def __str__(self) -> str:
        return self.scheme


BACKENDS = (
    BackendUnderTest("file", tuple(KEY_SPECS), lambda name: f"file:.gitca/keys/{name}.pem"),
)
CASES = [(backend, spec) for backend in BACKENDS for spec in backend.specs]
ALGORITHMS = [
    (backend, spec, algorithm)
    for backend, spec in CASES
    for algorithm in algorithms_for(KEY_SPECS[spec])
]


def passphrase(_purpose: str) -> bytes:
    return SECRET


@dataclass(frozen=True)
class Made:
    """A key that has been made, and a signer that holds it open."""

    uri: str
    base: Path
    spki_der: bytes
    signer: Signer


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Made]]:
    """Give the one key of a backend and spec, made when it is first asked for."""
    base = tmp_path_factory.mktemp("ca")
    made: dict[tuple[BackendUnderTest, str], Made] = {}

    def key(backend: BackendUnderTest, spec: str) -> Made:
        if (backend, spec) not in made:
            uri = backend.uri(spec)
            spki_der = create_key(uri, spec, base=base, passphrase=passphrase)
            signer = open_signer(uri, base=base, passphrase=passphrase)
            made[backend, spec] = Made(uri, base, spki_der, signer)
        return made[backend, spec]

    yield key
    for each in made.values():
        each.signer.close()


def test_every_scheme_is_under_this_contract() -> None:
    assert {backend.scheme for backend in BACKENDS} == set(SCHEMES)


@pytest.mark.parametrize(("backend", "spec"), CASES, ids=str)
def test_the_public_key_is_of_the_spec_and_the_same_each_time(keys, backend, spec) -> None:
    made = keys(backend, spec)
    assert describe_key(made.spki_der) == KEY_SPECS[spec]
    assert made.signer.public_key() == made.signer.public_key() == made.spki_der
    with closing(open_signer(made.uri, base=made.base, passphrase=passphrase)) as again:
        assert again.public_key() == made.spki_der


@pytest.mark.parametrize(("backend", "spec", "algorithm"), ALGORITHMS, ids=str)
@pytest.mark.parametrize("message", [MESSAGE, b"x", LARGER_THAN_A_KMS_TAKES], ids=len)
def test_an_independent_verifier_accepts_each_signature(
    keys, backend, spec, algorithm, message, tmp_path
) -> None:
    made = keys(backend, spec)
    signature = made.signer.sign(message, algorithm)
    assert signature.key
    judged = {"algorithm": algorithm, "folder": tmp_path}
    assert verifies(made.spki_der, signature.value, message, **judged)
    assert not verifies(made.spki_der, signature.value, message + b"!", **judged)


@pytest.mark.parametrize(("backend", "spec"), CASES, ids=str)
def test_a_foreign_algorithm_is_refused(keys, backend, spec) -> None:
    signer = keys(backend, spec).signer
    foreign = set(SIGNATURE_ALGORITHMS) - set(algorithms_for(KEY_SPECS[spec]))
    for name in sorted(foreign):
        with pytest.raises(UsageError, match=name) as caught:
            signer.sign(MESSAGE, name)
        assert caught.value.remedy


@pytest.mark.parametrize("name", ["", "sha256", "ECDSA-SHA256", "ecdsa-sha1", "rsa-pkcs1-md5"])
@pytest.mark.parametrize("backend", BACKENDS, ids=str)
def test_an_unknown_algorithm_is_refused(keys, backend, name) -> None:
    with pytest.raises(UsageError, match="algorithm"):
        keys(backend, backend.specs[0]).signer.sign(MESSAGE, name)


@pytest.mark.parametrize(("backend", "spec"), CASES, ids=str)
def test_many_threads_may_sign_at_once(keys, backend, spec, tmp_path) -> None:
    made = keys(backend, spec)
    algorithm = algorithms_for(KEY_SPECS[spec])[0]
    messages = [b"%d" % number for number in range(48)]
    with ThreadPoolExecutor(8) as pool:
        signatures = list(pool.map(lambda message: made.signer.sign(message, algorithm), messages))
    for message, signature in list(zip(messages, signatures, strict=True))[::6]:
        judged = {"algorithm": algorithm, "folder": tmp_path}
        assert verifies(made.spki_der, signature.value, message, **judged)


@pytest.mark.parametrize("backend", BACKENDS, ids=str)
def test_a_key_is_never_replaced(keys, backend) -> None:
    made = keys(backend, backend.specs[0])
    with pytest.raises(UsageError, match="exists already"):
        create_key(made.uri, backend.specs[-1], base=made.base, passphrase=passphrase)
    with closing(open_signer(made.uri, base=made.base, passphrase=passphrase)) as again:
        assert again.public_key() == made.spki_der


@pytest.mark.parametrize("backend", BACKENDS, ids=str)
def test_a_missing_key_is_a_backend_out_of_reach(backend, tmp_path) -> None:
    uri = backend.uri("nowhere")
    with pytest.raises(BackendUnavailableError, match="out of reach") as caught:
        open_signer(uri, base=tmp_path, passphrase=passphrase)
    assert uri in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("spec", ["", "RSA-1024", "rsa-2048", "P-224", "Ed448", "ML-DSA-99"])
@pytest.mark.parametrize("backend", BACKENDS, ids=str)
def test_an_unknown_key_spec_is_refused(backend, spec, tmp_path) -> None:
    with pytest.raises(UsageError, match="key spec") as caught:
        create_key(backend.uri("new"), spec, base=tmp_path, passphrase=passphrase)
    assert "P-256" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("backend", BACKENDS, ids=str)
def test_a_closed_signer_refuses_and_may_be_closed_again(keys, backend) -> None:
    made = keys(backend, backend.specs[0])
    algorithm = algorithms_for(KEY_SPECS[backend.specs[0]])[0]
    signer = open_signer(made.uri, base=made.base, passphrase=passphrase)
    signer.close()
    signer.close()
    with pytest.raises(UsageError, match="closed"):
        signer.sign(MESSAGE, algorithm)


@pytest.mark.parametrize("backend", BACKENDS, ids=str)
def test_no_secret_is_printed_or_said(keys, backend, capfd) -> None:
    made = keys(backend, backend.specs[0])
    with pytest.raises(UsageError) as caught:
        create_key(made.uri, backend.specs[0], base=made.base, passphrase=passphrase)
    said = ["".join(traceback.format_exception(caught.value)), repr(made.signer)]
    with pytest.raises(UsageError) as caught:
        made.signer.sign(MESSAGE, "unknown")
    said.append("".join(traceback.format_exception(caught.value)))
    made.signer.sign(MESSAGE, algorithms_for(KEY_SPECS[backend.specs[0]])[0])
    printed = capfd.readouterr()
    assert printed.out == printed.err == ""
    assert not any(SECRET.decode() in text for text in said)
