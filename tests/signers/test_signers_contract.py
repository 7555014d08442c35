"""What every signer owes, whatever holds its key.

A new backend joins BACKENDS, and says in conftest.py under which URIs it has keys.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from signature_judges import verifies

from gitca.errors import GitcaError, UsageError
from gitca.signers import (
    SCHEMES,
    KeyAbsentError,
    KeyOptions,
    KeyUnsuitableError,
    Signer,
    create_key,
    open_signer,
    preview_key,
)
from gitca.x509.algorithms import SIGNATURE_ALGORITHMS, algorithms_for
from gitca.x509.keys import KEY_SPECS, describe_key

SECRET = b"correct horse battery staple"
MESSAGE = b"to be signed" * 1000
LARGER_THAN_A_KMS_TAKES = bytes(1_000_000)


@dataclass(frozen=True)
class BackendUnderTest:
    """One backend: its scheme, the keys it can make, what that takes, how it says there is none.

    The fixture `SCHEME_uris` gives the URIs of its keys.
    """

    scheme: str
    specs: tuple[str, ...]
    options: KeyOptions = field(default_factory=KeyOptions)
    absent: type[GitcaError] = KeyAbsentError

    def __str__(self) -> str:
        return self.scheme


BACKENDS = (
    BackendUnderTest("file", tuple(KEY_SPECS)),
    BackendUnderTest(
        "awskms",
        tuple(KEY_SPECS),
        KeyOptions(signing_roles=("arn:aws:iam::123456789012:role/gitca",)),
        # An alias that does not exist is a mistake: KMS is the same on every machine.
        absent=KeyUnsuitableError,
    ),
    # SoftHSM 2.6 has no ML-DSA.
    BackendUnderTest("pkcs11", tuple(spec for spec in KEY_SPECS if not spec.startswith("ML-DSA"))),
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


class Keys:
    """The one key of each backend and spec, made when it is first asked for."""

    def __init__(self, request: pytest.FixtureRequest, base: Path) -> None:
        self.base = base
        self._request = request
        self._made: dict[tuple[BackendUnderTest, str], Made] = {}

    def uri(self, backend: BackendUnderTest, name: str) -> str:
        uri: str = self._request.getfixturevalue(f"{backend.scheme}_uris")(name)
        return uri

    def create(self, backend: BackendUnderTest, uri: str, spec: str) -> bytes:
        options = backend.options
        return create_key(uri, spec, base=self.base, passphrase=passphrase, options=options)

    def __call__(self, backend: BackendUnderTest, spec: str) -> Made:
        if (backend, spec) not in self._made:
            uri = self.uri(backend, spec)
            spki_der = self.create(backend, uri, spec)
            signer = open_signer(uri, base=self.base, passphrase=passphrase)
            self._made[backend, spec] = Made(uri, self.base, spki_der, signer)
        return self._made[backend, spec]

    def close(self) -> None:
        for each in self._made.values():
            each.signer.close()


@pytest.fixture(scope="session")
def keys(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Keys]:
    made = Keys(request, tmp_path_factory.mktemp("ca"))
    yield made
    made.close()


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
    message = message[: made.signer.longest_message(algorithm)]
    signature = made.signer.sign(message, algorithm)
    assert signature.key
    assert signature.unanswered == ()
    judged = {"algorithm": algorithm, "folder": tmp_path}
    assert verifies(made.spki_der, signature.value, message, **judged)
    assert not verifies(made.spki_der, signature.value, message + b"!", **judged)


@pytest.mark.parametrize(("backend", "spec", "algorithm"), ALGORITHMS, ids=str)
def test_what_is_longer_than_the_longest_message_is_refused_with_both_numbers(
    keys, backend, spec, algorithm
) -> None:
    signer = keys(backend, spec).signer
    longest = signer.longest_message(algorithm)
    if longest is None:
        return
    with pytest.raises(UsageError, match=str(longest)) as caught:
        signer.sign(bytes(longest + 1), algorithm)
    assert str(longest + 1) in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize(("backend", "spec", "algorithm"), ALGORITHMS, ids=str)
def test_a_signer_says_what_shows_that_it_may_sign(keys, backend, spec, algorithm) -> None:
    assert keys(backend, spec).signer.prove(algorithm)


@pytest.mark.parametrize(("backend", "spec"), CASES, ids=str)
def test_a_signer_describes_its_key(keys, backend, spec) -> None:
    described = keys(backend, spec).signer.describe()
    assert described["kept"]
    assert all(isinstance(text, str) for pair in described.items() for text in pair)


@pytest.mark.parametrize(("backend", "spec"), CASES, ids=str)
def test_a_key_can_be_shown_before_it_is_made(keys, backend, spec) -> None:
    uri = keys.uri(backend, f"shown-{spec}")
    shown = preview_key(uri, spec, options=backend.options)
    assert (shown["signer"], shown["spec"]) == (uri, spec)
    json.dumps(shown)
    with pytest.raises(backend.absent):
        open_signer(uri, base=keys.base, passphrase=passphrase)


@pytest.mark.parametrize(("backend", "spec"), CASES, ids=str)
def test_a_foreign_algorithm_is_refused(keys, backend, spec) -> None:
    signer = keys(backend, spec).signer
    foreign = set(SIGNATURE_ALGORITHMS) - set(algorithms_for(KEY_SPECS[spec]))
    for name in sorted(foreign):
        for ask in (partial(signer.sign, MESSAGE), signer.prove):
            with pytest.raises(UsageError, match=name) as caught:
                ask(name)
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
        keys.create(backend, made.uri, backend.specs[-1])
    with closing(open_signer(made.uri, base=made.base, passphrase=passphrase)) as again:
        assert again.public_key() == made.spki_der


@pytest.mark.parametrize("backend", BACKENDS, ids=str)
def test_a_missing_key_is_named(keys, backend) -> None:
    uri = keys.uri(backend, "nowhere")
    with pytest.raises(backend.absent) as caught:
        open_signer(uri, base=keys.base, passphrase=passphrase)
    assert uri in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("spec", ["", "RSA-1024", "rsa-2048", "P-224", "Ed448", "ML-DSA-99"])
@pytest.mark.parametrize("backend", BACKENDS, ids=str)
def test_an_unknown_key_spec_is_refused(keys, backend, spec) -> None:
    uri = keys.uri(backend, "new")
    with pytest.raises(UsageError, match="key spec") as caught:
        keys.create(backend, uri, spec)
    assert "P-256" in str(caught.value)
    with pytest.raises(backend.absent):
        open_signer(uri, base=keys.base, passphrase=passphrase)


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
        keys.create(backend, made.uri, backend.specs[0])
    said = ["".join(traceback.format_exception(caught.value)), repr(made.signer)]
    said.append(made.signer.prove(algorithms_for(KEY_SPECS[backend.specs[0]])[0]))
    said.extend(made.signer.describe().values())
    with pytest.raises(UsageError) as caught:
        made.signer.sign(MESSAGE, "unknown")
    said.append("".join(traceback.format_exception(caught.value)))
    made.signer.sign(MESSAGE, algorithms_for(KEY_SPECS[backend.specs[0]])[0])
    printed = capfd.readouterr()
    assert printed.out == printed.err == ""
    assert not any(secret in text for text in said for secret in (SECRET.decode(), "testing"))
