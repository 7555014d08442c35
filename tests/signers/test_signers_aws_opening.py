"""Opening a key in KMS: what it must be, who may ask, and which message each refusal gives."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from kms_user import new_alias, opened
from odd_kms import odd_kms

from aws.aws_server import AwsServer
from gitca.errors import BackendUnavailableError, GitcaError, UsageError
from gitca.signers import KeyAbsentError, KeyUnsuitableError

REGION = "eu-west-1"


def refused(uri: str, kind: type[GitcaError] = KeyUnsuitableError) -> GitcaError:
    with pytest.raises(GitcaError) as caught:
        opened(uri)
    assert type(caught.value) is kind
    assert caught.value.remedy
    return caught.value


def test_the_same_key_is_named_by_alias_id_and_arn(kms: AwsServer) -> None:
    alias = new_alias()
    arn = kms.create_key("ECC_NIST_P256", alias=alias)
    alias_arn = f"{arn.rpartition(':')[0]}:{alias}"
    keys = set()
    for name in (alias, arn, alias_arn, arn.rpartition("/")[2]):
        with closing(opened(kms.uri(name))) as signer:
            keys.add((signer.public_key(), signer.sign(b"x", "ecdsa-sha256").key))
    ((_, key),) = keys
    assert key == arn


def test_where_no_region_is_said_the_machines_configuration_says_it(
    kms: AwsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = kms.create_key("ECC_NIST_P256")
    uri = f"awskms:///{arn.rpartition('/')[2]}?endpoint={kms.endpoint}"
    with closing(opened(uri)) as signer:
        assert signer.describe()["arn"] == arn
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    error = refused(uri, UsageError)
    assert "names no region" in error.message
    assert "?region=" in error.remedy


def test_a_malformed_uri_is_refused_as_validate_refuses_it() -> None:
    assert "names no key" in refused("awskms:///issuing", UsageError).message


def test_a_key_that_is_not_there_is_said_with_account_and_region(kms: AwsServer) -> None:
    error = refused(kms.uri("alias/nowhere"))
    assert "NotFoundException" in error.message
    assert f"arn:aws:kms:{REGION}:123456789012:alias/nowhere" in error.message
    assert not isinstance(error, KeyAbsentError)  # that would leave orders for another machine


@pytest.mark.parametrize(
    ("spec", "usage", "seen"),
    [
        ("RSA_2048", "ENCRYPT_DECRYPT", "usage ENCRYPT_DECRYPT; allowed is SIGN_VERIFY"),
        ("HMAC_256", "GENERATE_VERIFY_MAC", "usage GENERATE_VERIFY_MAC"),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "usage ENCRYPT_DECRYPT"),
        ("ECC_SECG_P256K1", "SIGN_VERIFY", "spec ECC_SECG_P256K1; allowed are RSA_2048"),
    ],
)
def test_a_key_that_no_ca_could_have_is_refused(
    kms: AwsServer, spec: str, usage: str, seen: str
) -> None:
    arn = kms.create_key(spec, KeyUsage=usage)
    error = refused(kms.uri(arn))
    assert seen in error.message
    assert arn in error.message


@pytest.mark.parametrize(
    ("change", "state"), [("disable_key", "Disabled"), ("schedule_key_deletion", "PendingDeletion")]
)
def test_a_key_that_is_not_enabled_is_refused(kms: AwsServer, change: str, state: str) -> None:
    arn = kms.create_key("ECC_NIST_P256")
    getattr(kms.kms(), change)(KeyId=arn)
    error = refused(kms.uri(arn))
    assert f"is {state}; allowed is Enabled" in error.message
    assert "enable it" in error.remedy


@pytest.mark.parametrize("operation", ["DescribeKey", "GetPublicKey"])
def test_a_missing_permission_is_named(kms: AwsServer, operation: str) -> None:
    arn = kms.create_key("ECC_NIST_P256")
    kms.switch(deny=[operation])
    error = refused(kms.uri(arn))
    assert "AccessDeniedException" in error.message
    assert f"kms:{operation}" in error.remedy


@pytest.mark.usefixtures("kms", "no_waiting")
def test_a_server_that_is_not_there_is_an_outage() -> None:
    uri = f"awskms:///alias/x?region={REGION}&endpoint=http://127.0.0.1:1"
    error = refused(uri, BackendUnavailableError)
    assert "EndpointConnectionError" in error.message


def test_without_credentials_it_is_said_how_to_get_some(
    kms: AwsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = kms.create_key("ECC_NIST_P256")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    error = refused(kms.uri(arn), BackendUnavailableError)
    assert not isinstance(error, KeyAbsentError), "a pipeline that lost its role is no success"
    assert "no usable AWS credentials here" in error.message
    assert "aws sso login" in error.remedy


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://kms.eu-west-1.amazonaws.com",
        "https://kms-fips.us-gov-west-1.amazonaws.com",
        "https://kms.eu-west-1.api.aws",
        "https://kms.cn-north-1.amazonaws.com.cn",
        "https://vpce-0123456789abcdef0-a1b2c3d4.kms.eu-west-1.vpce.amazonaws.com",
        "http://127.0.0.1:5000",
        "http://[::1]:5000",
        "https://localhost",
    ],
)
def test_requests_may_go_to_kms_itself_and_to_this_machine(endpoint: str) -> None:
    from gitca.signers.aws_kms_place import parse_uri

    _, place = parse_uri(f"awskms:///alias/x?endpoint={endpoint}", {})
    assert place.endpoint == endpoint


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://kms.example",
        "https://kms.eu-west-1.amazonaws.com.example",
        "https://x.execute-api.eu-west-1.amazonaws.com",
        "https://ec2-192-0-2-1.eu-west-1.compute.amazonaws.com",
        "https://kms.evil.eu-west-1.amazonaws.com",
        "https://s3.eu-west-1.amazonaws.com",
    ],
)
def test_requests_go_nowhere_else_unless_the_operator_says_so(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gitca.signers.aws_kms_place import parse_uri

    uri = f"awskms:///alias/x?region=eu-west-1&endpoint={endpoint}"
    monkeypatch.delenv("GITCA_AWS_ENDPOINTS", raising=False)
    error = refused(uri, UsageError)
    assert endpoint in error.message
    assert f"GITCA_AWS_ENDPOINTS={endpoint}" in error.remedy
    listed = {"GITCA_AWS_ENDPOINTS": f"https://other.example, {endpoint}/"}
    assert parse_uri(uri, listed)[1].endpoint == endpoint


def test_a_profile_is_the_operators_to_allow(
    kms: AwsServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    arn = kms.create_key("ECC_NIST_P256")
    uri = f"{kms.uri(arn)}&profile=pki"
    error = refused(uri, KeyAbsentError)
    assert "'pki'" in error.message
    assert "GITCA_AWS_PROFILES=pki" in error.remedy
    monkeypatch.setenv("GITCA_AWS_PROFILES", "other,pki")
    assert "not in the AWS configuration" in refused(uri, UsageError).message
    configuration = tmp_path / "config"
    configuration.write_text(
        "[profile pki]\naws_access_key_id=testing\naws_secret_access_key=testing\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(configuration))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with closing(opened(uri)) as signer:
        assert signer.sign(b"x", "ecdsa-sha256").key == arn


def test_a_key_is_described_as_kms_describes_it(kms: AwsServer) -> None:
    alias = new_alias()
    arn = kms.create_key("ECC_NIST_P384", alias=alias, MultiRegion=True, Description="the root")
    with closing(opened(kms.uri(alias))) as signer:
        described = signer.describe()
        kms.switch(deny=["ListAliases"])
        assert "refused" in signer.describe()["aliases"]
    assert described["arn"] == arn
    assert described["keySpec"] == "ECC_NIST_P384"
    assert described["state"] == "Enabled"
    assert described["origin"] == "AWS_KMS"
    assert described["aliases"] == alias
    assert described["description"] == "the root"
    assert described["multiRegion"].startswith(f"primary in {REGION}")
    assert described["created"].startswith("20")


@pytest.mark.usefixtures("kms")
def test_an_endpoint_of_the_environment_that_is_no_url_is_said_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "someone:password@nonsense")
    error = refused(f"awskms:///alias/x?region={REGION}", UsageError)
    assert "malformed" in error.message
    assert "AWS_ENDPOINT_URL_KMS" in error.remedy
    assert "password" not in f"{error.message} {error.remedy}"


@pytest.mark.parametrize(
    ("changes", "kind", "seen"),
    [
        ({"KeyState": "Creating"}, BackendUnavailableError, "is Creating; allowed is Enabled"),
        ({"KeyState": "Unavailable"}, BackendUnavailableError, "is Unavailable"),
        ({"KeyState": "PendingImport"}, KeyUnsuitableError, "is PendingImport"),
        ({"SigningAlgorithms": ["ECDSA_SHA_512"]}, KeyUnsuitableError, "not sign with ECDSA_SHA_2"),
        (
            {"KeySpec": "ECC_NIST_P384", "SigningAlgorithms": ["ECDSA_SHA_384"]},
            KeyUnsuitableError,
            "is P-256 by its public half, and P-384 by its spec",
        ),
    ],
)
def test_what_kms_says_of_a_key_has_to_fit_together(
    kms: AwsServer, changes: dict[str, object], kind: type[GitcaError], seen: str
) -> None:
    with odd_kms(kms, kms.create_key("ECC_NIST_P256")) as server:
        metadata = json.loads(server.answers["DescribeKey"])["KeyMetadata"]
        server.answers["DescribeKey"] = json.dumps({"KeyMetadata": metadata | changes}).encode()
        assert seen in refused(server.uri, kind).message


def test_boto3_is_imported_when_a_key_in_kms_is_opened_and_not_before() -> None:
    program = (
        "import sys; import gitca.signers, gitca.signers.aws_kms;"
        "sys.exit(any(name.partition('.')[0] in ('boto3', 'botocore') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
