"""The connections that Sign goes over: kept open, TLS that is verified, proxies."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from kms_user import opened
from odd_kms import odd_kms

from aws.aws_server import AwsServer
from gitca.errors import BackendUnavailableError
from gitca.signers import Signature, UnansweredError

ALGORITHM = "ecdsa-sha256"
SIGNATURE = b"\0\1\2"
Certificate = Callable[[str], tuple[ssl.SSLContext, Path]]


@pytest.fixture
def arn(kms: AwsServer) -> str:
    return kms.create_key("ECC_NIST_P256")


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    """Make a server's certificate for a host name; give its context, and the file to trust."""

    def make(host: str) -> tuple[ssl.SSLContext, Path]:
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .sign(key, hashes.SHA256())
        )
        path = tmp_path / f"{host}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context, path

    return make


def test_over_tls_a_server_is_believed_whose_certificate_the_bundle_knows(
    kms: AwsServer, arn: str, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, bundle = certificate("localhost")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    with odd_kms(kms, arn, context=context) as server, closing(opened(server.uri)) as signer:
        server.hung_up.clear()
        signatures = [signer.sign(b"x", ALGORITHM) for _ in range(3)]
        assert not server.hung_up.is_set()  # one connection served them all
    assert {each.value for each in signatures} == {SIGNATURE}


@pytest.mark.parametrize("trusted", [False, True], ids=["unknown issuer", "another host"])
def test_sign_is_not_sent_to_a_server_that_is_not_believed(
    kms: AwsServer, arn: str, certificate: Certificate, trusted: bool
) -> None:
    from gitca.signers.aws_kms_http import Direct, tls_context

    context, bundle = certificate("elsewhere" if trusted else "localhost")
    with odd_kms(kms, arn, context=context) as server:
        direct = Direct(server.endpoint, tls_context(str(bundle) if trusted else True))
        with closing(direct), pytest.raises(EndpointConnectionError):
            direct.send(AWSRequest("POST", server.endpoint, data=b"{}", headers={}))
    assert server.sent == []


@pytest.mark.usefixtures("no_waiting")
def test_opening_over_tls_that_is_not_believed_is_an_outage(
    kms: AwsServer, arn: str, certificate: Certificate
) -> None:
    context, _ = certificate("localhost")
    with (
        odd_kms(kms, arn, context=context) as server,
        pytest.raises(BackendUnavailableError, match="SSLError"),
    ):
        opened(server.uri)


def test_one_connection_serves_many_signatures(kms: AwsServer, arn: str) -> None:
    with odd_kms(kms, arn) as server, closing(opened(server.uri)) as signer:
        server.hung_up.clear()
        for _ in range(5):
            signer.sign(b"x", ALGORITHM)
        assert not server.hung_up.is_set()


def test_a_connection_that_the_server_ended_is_not_used_and_no_use_of_the_key_is_lost(
    kms: AwsServer, arn: str
) -> None:
    with odd_kms(kms, arn) as server, closing(opened(server.uri)) as signer:
        server.hangs_up = True
        signatures: list[Signature] = []
        for _ in range(3):
            server.hung_up.clear()
            signatures.append(signer.sign(b"x", ALGORITHM))
            assert server.hung_up.wait(30)
    assert [each.unanswered for each in signatures] == [(), (), ()]


def test_a_server_that_takes_a_request_and_says_nothing_is_waited_for_only_so_long() -> None:
    from gitca.signers.aws_kms_http import Direct

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        direct = Direct(url, None, read_seconds=0.1)
        with closing(direct), pytest.raises(ReadTimeoutError):
            direct.send(AWSRequest("POST", url, data=b"{}", headers={}))


def test_sign_goes_through_the_proxy_that_the_environment_names(
    kms: AwsServer, arn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with odd_kms(kms, arn) as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "")
        nowhere = "http://127.0.0.1:1"
        with closing(opened(f"awskms:///{arn}?endpoint={nowhere}")) as signer:
            assert signer.sign(b"x", ALGORITHM).value == SIGNATURE
        assert {request["target"] for request in proxy.sent} == {f"{nowhere}/"}


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(
    ("status", "code"), [(503, "ThrottlingException"), (503, "SlowDown"), (429, "Unknown")]
)
def test_whoever_is_turned_away_has_used_nothing_whatever_the_status(
    kms: AwsServer, arn: str, status: int, code: str
) -> None:
    body = f'{{"__type": "{code}"}}'.encode()
    with (
        odd_kms(kms, arn, body, status=status) as server,
        closing(opened(server.uri)) as signer,
        pytest.raises(BackendUnavailableError, match=code) as caught,
    ):
        signer.sign(b"x", ALGORITHM)
    assert not isinstance(caught.value, UnansweredError)


def test_credentials_are_renewed_in_the_middle_of_a_run(
    kms: AwsServer, arn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Those that end within ten minutes are renewed at every use; each renewal has another name.
    script = tmp_path / "renew"
    soon = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    script.write_text(
        f"#!/bin/sh\necho x >> {tmp_path}/renewals\nn=$(wc -l < {tmp_path}/renewals | tr -d ' ')\n"
        f'echo \'{{"Version": 1, "AccessKeyId": "AKID\'$n\'", "SecretAccessKey": "s", '
        f'"SessionToken": "token-\'$n\'", "Expiration": "{soon}"}}\'\n'
    )
    script.chmod(0o700)
    (tmp_path / "config").write_text(f"[default]\ncredential_process = {script}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with odd_kms(kms, arn) as server, closing(opened(server.uri)) as signer:
        for _ in range(2):
            signer.sign(b"x", ALGORITHM)
    used = [request["Authorization"].partition("/")[0] for request in server.sent]
    tokens = [request["X-Amz-Security-Token"] for request in server.sent]
    assert len(set(used[-2:])) == 2
    for credential, token in zip(used, tokens, strict=True):  # a renewal is taken whole
        assert credential.rpartition("AKID")[2] == token.rpartition("-")[2]
