from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pkcs11
import pytest
from signature_judges import verifies

from components import softhsm_module
from gitca.signers import create_key, open_signer, preview_key
from gitca.signers.pkcs11_sessions import MOST, Sessions
from gitca.x509.algorithms import algorithms_for
from gitca.x509.keys import KEY_SPECS
from token_world import PIN, Token, token

HERE = Path("/nowhere")
MADE = ("RSA-2048", "P-384", "Ed25519")

# What another program sees of a key: one that shares no process with gitca.
_ATTRIBUTES = """
import sys, pkcs11
from pkcs11 import Attribute, ObjectClass
module, label, pin, name = sys.argv[1:]
token = pkcs11.lib(module).get_token(token_label=label)
with token.open(user_pin=pin) as session:
    (key,) = session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: name})
    (other,) = session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.LABEL: name})
    print(sorted(each for each in ("TOKEN PRIVATE SENSITIVE ALWAYS_SENSITIVE EXTRACTABLE"
        " NEVER_EXTRACTABLE LOCAL SIGN SIGN_RECOVER DECRYPT UNWRAP DERIVE").split()
        if key[Attribute[each]]), len(key[Attribute.ID]), key[Attribute.ID] == other[Attribute.ID])
"""


def never(purpose: str) -> bytes:
    raise AssertionError(f"asked for a secret for {purpose}")


@pytest.fixture(scope="session")
def made() -> Token:
    """A token with a key of each type, named after its spec."""
    keys = token("keys")
    for spec in MADE:
        create_key(keys.uri(spec), spec, base=HERE, passphrase=never)
    return keys


@pytest.mark.parametrize("spec", MADE)
def test_a_key_signs_stays_in_its_token_and_does_nothing_else(made, spec) -> None:
    arguments = (str(softhsm_module()), made.label, PIN, spec)
    done = subprocess.run(
        [sys.executable, "-c", _ATTRIBUTES, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout == (
        "['ALWAYS_SENSITIVE', 'LOCAL', 'NEVER_EXTRACTABLE', 'PRIVATE', 'SENSITIVE', 'SIGN', "
        "'TOKEN'] 16 True\n"
    )


def test_a_description_names_token_key_and_how_it_is_kept(made) -> None:
    with closing(open_signer(made.uri("P-384"), base=HERE, passphrase=never)) as signer:
        described = dict(signer.describe())
        signature = signer.sign(b"x", "ecdsa-sha384")
    assert re.fullmatch("[0-9a-f]{16}", described.pop("serial"))
    identifier = described.pop("id")
    assert described == {
        "kept": "in a PKCS #11 token",
        "token": "keys",
        "model": "SoftHSM v2",
        "manufacturer": "SoftHSM project",
        "object": "P-384",
        "sensitive": "yes",
        "always-sensitive": "yes",
        "extractable": "no",
        "never-extractable": "yes",
        "made-in-token": "yes",
        "pin-with-each-signature": "no",
    }
    assert re.fullmatch(r"pkcs11:token=keys;serial=\w{16};object=P-384;id=.+", signature.key)
    assert len(bytes.fromhex(identifier)) == 16


def test_the_name_of_a_key_is_a_uri_that_opens_it(made) -> None:
    with closing(open_signer(made.uri("P-384"), base=HERE, passphrase=never)) as signer:
        name = signer.sign(b"x", "ecdsa-sha384").key
        query = made.uri("").partition("?")[2]
        with closing(open_signer(f"{name}?{query}", base=HERE, passphrase=never)) as again:
            assert again.public_key() == signer.public_key()


def test_a_preview_says_which_id_and_attributes_the_key_would_have(made) -> None:
    shown = preview_key(made.uri("x").replace("object=x", "object=x;id=%0a%ff"), "P-256")
    assert (shown["object"], shown["id"]) == ("x", "0aff")
    assert preview_key(made.uri("x"), "P-256")["id"] == "16 random octets"
    assert shown["attributes"]["CKA_EXTRACTABLE"] is False


def test_an_id_of_the_uri_is_the_keys(made) -> None:
    uri = made.uri("chosen").replace("object=chosen", "object=chosen;id=%01%02")
    spki_der = create_key(uri, "P-256", base=HERE, passphrase=never)
    by_id = made.uri("x").replace("object=x", "id=%01%02")
    with closing(open_signer(by_id, base=HERE, passphrase=never)) as signer:
        assert signer.public_key() == spki_der
        assert signer.describe()["object"] == "chosen"


def test_a_key_that_wants_the_pin_with_each_signature_gets_it(made, tmp_path) -> None:
    made.make_pair("careful", "21", "ALWAYS_AUTHENTICATE=1")
    with (
        closing(open_signer(made.uri("careful"), base=HERE, passphrase=never)) as signer,
        ThreadPoolExecutor(8) as pool,
    ):
        assert signer.describe()["pin-with-each-signature"] == "yes"
        messages = [b"%d" % number for number in range(16)]
        signatures = list(pool.map(lambda each: signer.sign(each, "ecdsa-sha256"), messages))
        for message, signature in zip(messages, signatures, strict=True):
            assert verifies(
                signer.public_key(),
                signature.value,
                message,
                algorithm="ecdsa-sha256",
                folder=tmp_path,
            )


def test_several_keys_of_one_token_sign_in_many_threads(made, tmp_path) -> None:
    with ExitStack() as stack, ThreadPoolExecutor(MOST) as pool:
        signers = {
            spec: stack.enter_context(
                closing(open_signer(made.uri(spec), base=HERE, passphrase=never))
            )
            for spec in MADE
        }
        jobs = [(spec, b"%d" % number) for number in range(100) for spec in MADE]

        def sign(job: tuple[str, bytes]) -> bytes:
            spec, message = job
            return signers[spec].sign(message, algorithms_for(KEY_SPECS[spec])[0]).value

        signatures = list(pool.map(sign, jobs))
        for (spec, message), signature in list(zip(jobs, signatures, strict=True))[::7]:
            algorithm = algorithms_for(KEY_SPECS[spec])[0]
            spki_der = signers[spec].public_key()
            assert verifies(spki_der, signature, message, algorithm=algorithm, folder=tmp_path)


@pytest.mark.parametrize(
    "first",
    [
        # Promised a single thread, SoftHSM drops its locks, and this ends in a crash.
        pytest.param("pass", id="gitca"),
        pytest.param("import pkcs11; pkcs11.lib(sys.argv[2])", id="something else"),
    ],
)
def test_threads_do_not_race_in_a_module_whoever_initialised_it(made, first) -> None:
    program = (
        f"import sys\n{first}\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from pathlib import Path\n"
        "from gitca.signers import open_signer\n"
        "signer = open_signer(sys.argv[1], base=Path('/nowhere'), passphrase=None)\n"
        "with ThreadPoolExecutor(32) as pool:\n"
        "    made = list(pool.map(lambda n: signer.sign(b'%d' % n, 'ed25519'), range(3000)))\n"
        "print(len({each.value for each in made}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, made.uri("Ed25519"), str(softhsm_module())],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "3000\n", "")


class FewSessions:
    """A token with room for a few sessions, which SoftHSM cannot be made to be."""

    def __init__(self, room: int) -> None:
        self.room = room
        self._lock = threading.Lock()
        self.open_now = 0

    def open(self) -> FewSessions.Session:
        with self._lock:
            if self.open_now == self.room:
                raise pkcs11.SessionCount
            self.open_now += 1
        return self.Session(self)

    class Session:
        def __init__(self, token: FewSessions) -> None:
            self._token = token
            self.users = 0

        def close(self) -> None:
            with self._token._lock:
                self._token.open_now -= 1


@pytest.fixture(params=[1, 3])
def few(request: pytest.FixtureRequest) -> Iterator[tuple[FewSessions, Sessions]]:
    few = FewSessions(request.param)
    sessions = Sessions(few.open(), few.open)
    yield few, sessions
    sessions.close()
    assert few.open_now == 0


def test_threads_share_the_sessions_that_a_token_has(few) -> None:
    _, sessions = few

    def use(_: int) -> int:
        with sessions.session() as session:
            session.users += 1
            seen = session.users
            threading.Event().wait(0.001)
            session.users -= 1
            return seen

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(use, range(100))) == {1}


def test_a_session_that_failed_is_closed_and_another_takes_its_place(few) -> None:
    token, sessions = few
    for _ in range(10):
        with pytest.raises(pkcs11.DeviceError), sessions.session():
            raise pkcs11.DeviceError
    if token.room == 1:
        return
    with sessions.session():
        for _ in range(10):
            with pytest.raises(pkcs11.DeviceError), sessions.session():
                raise pkcs11.DeviceError
        assert token.open_now == 1
