"""Signing through KMS: what is sent, what is recorded of each attempt, and when it gives up."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from kms_user import new_alias, opened
from odd_kms import odd_kms

from aws.aws_server import AwsServer
from gitca.errors import BackendUnavailableError, UsageError
from gitca.signers import KeyUnsuitableError, Signature, Signer, UnansweredError, Use

MESSAGE = b"to be signed"
ALGORITHM = "ecdsa-sha256"


@pytest.fixture
def arn(kms: AwsServer) -> str:
    return kms.create_key("ECC_NIST_P256")


@pytest.fixture
def signer(kms: AwsServer, arn: str) -> Iterator[Signer]:
    with closing(opened(kms.uri(arn))) as signer:
        yield signer


def many(signer: Signer, number: int) -> list[Signature]:
    with ThreadPoolExecutor(32) as pool:
        messages = [b"%d" % each for each in range(number)]
        return list(pool.map(lambda message: signer.sign(message, ALGORITHM), messages))


def uses_of(signatures: list[Signature]) -> list[str | None]:
    """Return the request ids of all uses of the key that some signatures tell of."""
    unanswered = [use.request_id for each in signatures for use in each.unanswered]
    return [each.request_id for each in signatures] + unanswered


@pytest.mark.parametrize(
    ("spec", "algorithm", "kind", "size"),
    [
        ("RSA_2048", "rsa-pkcs1-sha384", "DIGEST", 48),
        ("RSA_2048", "rsa-pss-sha512", "DIGEST", 64),
        ("ECC_NIST_P256", "ecdsa-sha256", "DIGEST", 32),
        ("ECC_NIST_EDWARDS25519", "ed25519", "RAW", 4096),
        ("ML_DSA_65", "ml-dsa-65", "EXTERNAL_MU", 64),
    ],
)
def test_kms_is_given_a_digest_mu_or_the_message_itself(
    kms: AwsServer, spec: str, algorithm: str, kind: str, size: int
) -> None:
    with closing(opened(kms.uri(kms.create_key(spec)))) as signer:
        message = bytes(100_000)[: signer.longest_message(algorithm)]
        signature = signer.sign(message, algorithm)
    (made,) = kms.signs()
    assert (made["message_type"], len(base64.b64decode(made["message"]))) == (kind, size)
    assert base64.b64decode(made["signature"]) == signature.value
    if kind == "DIGEST":
        digest = hashlib.new(algorithm.rpartition("-")[2], message).digest()
        assert base64.b64decode(made["message"]) == digest


def test_each_signature_names_its_key_and_its_request(
    kms: AwsServer, signer: Signer, arn: str
) -> None:
    signatures = many(signer, 100)
    assert {each.key for each in signatures} == {arn}
    assert sorted(each.request_id or "" for each in signatures) == sorted(
        made["request_id"] for made in kms.signs()
    )


def test_an_alias_that_is_moved_changes_nothing_for_an_open_signer(kms: AwsServer) -> None:
    alias = new_alias()
    first, second = kms.create_key("ECC_NIST_P256", alias=alias), kms.create_key("ECC_NIST_P256")
    with closing(opened(kms.uri(alias))) as signer:
        kms.kms().update_alias(AliasName=alias, TargetKeyId=second)
        assert signer.sign(MESSAGE, ALGORITHM).key == first
    with closing(opened(kms.uri(alias))) as signer:
        assert signer.sign(MESSAGE, ALGORITHM).key == second


@pytest.mark.usefixtures("no_waiting")
def test_throttled_calls_are_repeated_and_are_no_uses_of_the_key(
    kms: AwsServer, signer: Signer
) -> None:
    kms.switch(throttle=0.3, seed=7)
    signatures = many(signer, 200)
    assert len(kms.failures("Sign")) > 40
    assert all(each.unanswered == () for each in signatures)
    assert sorted(map(str, uses_of(signatures))) == sorted(m["request_id"] for m in kms.signs())


@pytest.mark.usefixtures("no_waiting")
def test_a_signature_whose_answer_was_an_error_is_told_with_the_one_that_came(
    kms: AwsServer, signer: Signer, arn: str
) -> None:
    kms.switch(after="error", calls=2)
    signature = signer.sign(MESSAGE, ALGORITHM)
    first, second, last = (made["request_id"] for made in kms.signs())
    assert signature.request_id == last
    assert signature.unanswered == (Use(arn, first), Use(arn, second))


@pytest.mark.usefixtures("no_waiting")
def test_a_call_that_kms_rejected_for_now_is_repeated_and_is_no_use(
    kms: AwsServer, signer: Signer
) -> None:
    kms.switch(before="unavailable", calls=3)
    signature = signer.sign(MESSAGE, ALGORITHM)
    assert [failed["error"] for failed in kms.failures("Sign")] == ["KeyUnavailableException"] * 3
    assert signature.unanswered == ()


@pytest.mark.usefixtures("no_waiting")
def test_a_lost_answer_is_a_use_without_a_name(kms: AwsServer, signer: Signer, arn: str) -> None:
    kms.switch(after="drop", calls=1)
    signature = signer.sign(MESSAGE, ALGORITHM)
    assert len(kms.signs()) == 2
    assert signature.request_id == kms.signs()[1]["request_id"]
    assert signature.unanswered == (Use(arn, None),)


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("after", ["error", "drop"])
def test_where_no_answer_ever_comes_every_use_is_told(
    kms: AwsServer, signer: Signer, arn: str, after: str
) -> None:
    kms.switch(after=after)
    with pytest.raises(UnansweredError) as caught:
        signer.sign(MESSAGE, ALGORITHM)
    made = [entry["request_id"] for entry in kms.signs()]
    named = made if after == "error" else [None] * len(made)
    assert len(made) == 10
    assert caught.value.uses == tuple(Use(arn, each) for each in named)
    assert "of 10 attempts 10 may have made a signature" in caught.value.message
    assert caught.value.remedy


@pytest.mark.usefixtures("no_waiting")
def test_where_every_call_is_throttled_nothing_was_used(kms: AwsServer, signer: Signer) -> None:
    kms.switch(throttle=1)
    with pytest.raises(BackendUnavailableError) as caught:
        signer.sign(MESSAGE, ALGORITHM)
    assert type(caught.value) is BackendUnavailableError
    assert "ThrottlingException" in caught.value.message
    assert len(kms.failures("Sign")) == 10
    assert kms.signs() == []


@pytest.mark.usefixtures("no_waiting")
def test_an_outage_after_which_nothing_answers_may_have_used_nothing(arn: str) -> None:
    with AwsServer() as other:
        there = other.create_key("ECC_NIST_P256")
        signer = opened(other.uri(there))
    with closing(signer), pytest.raises(BackendUnavailableError) as caught:
        signer.sign(MESSAGE, ALGORITHM)
    assert type(caught.value) is BackendUnavailableError


def test_a_permission_that_is_taken_away_is_no_outage(kms: AwsServer, signer: Signer) -> None:
    kms.switch(deny=["Sign"])
    with pytest.raises(KeyUnsuitableError) as caught:
        signer.sign(MESSAGE, ALGORITHM)
    assert "kms:Sign" in caught.value.remedy
    assert len(kms.failures("Sign")) == 1  # running again would not help, so it is asked once


def test_a_key_that_is_disabled_meanwhile_signs_no_more(
    kms: AwsServer, signer: Signer, arn: str
) -> None:
    kms.kms().disable_key(KeyId=arn)
    with pytest.raises(KeyUnsuitableError, match="DisabledException"):
        signer.sign(MESSAGE, ALGORITHM)


def test_permission_is_proved_without_a_signature(kms: AwsServer, signer: Signer) -> None:
    assert "DryRun" in signer.prove(ALGORITHM)
    kms.switch(deny=["Sign"])
    with pytest.raises(KeyUnsuitableError) as caught:
        signer.prove(ALGORITHM)
    assert "kms:Sign" in caught.value.remedy
    assert kms.signs() == []


def test_signers_of_one_place_share_a_client_that_the_last_of_them_closes(kms: AwsServer) -> None:
    from gitca.signers import aws_kms_connection

    def users() -> int:
        here = (p for p in aws_kms_connection._open if p.endpoint == kms.endpoint)
        return sum(aws_kms_connection._open[place].users for place in here)

    before, clients = users(), len(aws_kms_connection._open)
    first, second = (opened(kms.uri(kms.create_key("ECC_NIST_P256"))) for _ in range(2))
    assert users() == before + 2
    assert len(aws_kms_connection._open) == max(clients, 1)
    first.close()
    first.close()
    assert second.sign(MESSAGE, ALGORITHM).value
    second.close()
    assert (users(), len(aws_kms_connection._open)) == (before, clients)


def test_a_closed_signer_says_so_whatever_it_is_asked(kms: AwsServer, arn: str) -> None:
    signer = opened(kms.uri(arn))
    signer.close()
    asked: list[Callable[[], object]] = [
        lambda: signer.prove(ALGORITHM),
        signer.describe,
        lambda: signer.sign(MESSAGE, ALGORITHM),
    ]
    for ask in asked:
        with pytest.raises(UsageError, match="closed"):
            ask()


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"Signature": "AAEC', 200),
        (b"", 200),
        (b"[]", 200),
        (b'{"Signature": "?"}', 200),
        (b"<html>Bad Gateway</html>", 502),
    ],
)
def test_an_answer_that_is_cut_off_or_foreign_may_stand_for_a_signature(
    kms: AwsServer, arn: str, body: bytes, status: int
) -> None:
    with odd_kms(kms, arn, body, status=status) as server, closing(opened(server.uri)) as signer:
        with pytest.raises(UnansweredError) as caught:
            signer.sign(MESSAGE, ALGORITHM)
        assert len(caught.value.uses) == 10
        assert {use.key for use in caught.value.uses} == {arn}


def test_sign_is_signed_as_boto3_signs_and_tells_which_attempt_it_is(
    kms: AwsServer, arn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a-session")

    with odd_kms(kms, arn) as server, closing(opened(server.uri)) as signer:
        assert signer.sign(MESSAGE, ALGORITHM).value == b"\0\1\2"
        describe, *_, sign = server.sent
    assert sign.keys() == describe.keys()
    for name in ("User-Agent", "X-Amz-Security-Token", "Content-Type", "Host", "Accept-Encoding"):
        assert sign[name] == describe[name]
    scope = describe["Authorization"].partition("Signature=")[0]
    assert sign["Authorization"].partition("Signature=")[0] == scope
    assert sign["amz-sdk-request"] == "attempt=1; max=10"
