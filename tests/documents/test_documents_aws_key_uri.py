"""URIs of keys in AWS KMS, as `gitca validate` reads them: with no library of AWS's."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gitca.documents.aws_key_uri import AwsKeyUri, AwsKeyUriError, parse_aws_key_uri

KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
MULTI_REGION_ID = f"mrk-{'0123456789abcdef' * 2}"
ARN = f"arn:aws:kms:eu-west-1:111122223333:key/{KEY_ID}"
ALIAS_ARN = "arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/pki/issuing"


@pytest.mark.parametrize(
    ("uri", "named"),
    [
        ("alias/issuing", AwsKeyUri("alias/issuing")),
        ("alias/pki/a_b-c?region=eu-west-1", AwsKeyUri("alias/pki/a_b-c", "eu-west-1")),
        (f"{KEY_ID}?region=ap-southeast-2", AwsKeyUri(KEY_ID, "ap-southeast-2")),
        (MULTI_REGION_ID, AwsKeyUri(MULTI_REGION_ID)),
        (ARN, AwsKeyUri(ARN, "eu-west-1")),
        (f"{ARN}?region=eu-west-1", AwsKeyUri(ARN, "eu-west-1")),
        (ALIAS_ARN, AwsKeyUri(ALIAS_ARN, "us-gov-west-1")),
        ("alias/a?profile=pki%20prod", AwsKeyUri("alias/a", profile="pki prod")),
        ("alias/a?endpoint=https://h:8443/", AwsKeyUri("alias/a", endpoint="https://h:8443")),
        ("alias/a?endpoint=https%3A%2F%2Fh", AwsKeyUri("alias/a", endpoint="https://h")),
        ("alias/a?endpoint=http://[::1]:1", AwsKeyUri("alias/a", endpoint="http://[::1]:1")),
        (
            "alias/a?profile=p&endpoint=http://localhost:1&region=eu-west-1",
            AwsKeyUri("alias/a", "eu-west-1", "http://localhost:1", "p"),
        ),
    ],
)
def test_a_uri_names_a_key_and_how_to_get_to_it(uri: str, named: AwsKeyUri) -> None:
    assert parse_aws_key_uri(f"awskms:///{uri}") == named


def test_only_a_plain_alias_is_one_under_which_a_key_may_be_made() -> None:
    assert parse_aws_key_uri("awskms:///alias/a/b").alias == "alias/a/b"
    assert parse_aws_key_uri(f"awskms:///{ALIAS_ARN}").alias is None
    assert parse_aws_key_uri(f"awskms:///{KEY_ID}").alias is None


@pytest.mark.parametrize(
    ("uri", "seen"),
    [
        ("awskms:alias/a", "three slashes"),
        ("awskms://alias/a", "three slashes"),
        ("awskms:////alias/a", "names no key"),
        ("awskms:///alias/ä", "printable ASCII"),
        ("awskms:///", "names no key"),
        ("awskms:///issuing", "names no key"),
        ("awskms:///alias/", "names no key"),
        ("awskms:///alias/a b", "names no key"),
        ("awskms:///alias/a%2Fb", "names no key"),
        (f"awskms:///alias/{'a' * 251}", "names no key"),
        (f"awskms:///{KEY_ID.upper()}", "names no key"),
        ("awskms:///arn:aws:s3:eu-west-1:111122223333:key/x", "names no key"),
        (f"awskms:///arn:aws:kms::111122223333:key/{KEY_ID}", "names no key"),
        (f"awskms:///arn:aws:kms:eu-west-1:1111:key/{KEY_ID}", "names no key"),
        ("awskms:///alias/aws/acm", "alias/aws/"),
        ("awskms:///arn:aws:kms:eu-west-1:111122223333:alias/aws/s3", "alias/aws/"),
        ("awskms:///alias/a?", "unknown"),
        ("awskms:///alias/a?Region=eu-west-1", "'Region'"),
        ("awskms:///alias/a?region=eu-west-1&", "unknown"),
        ("awskms:///alias/a?region=eu-west-1&region=eu-west-1", "twice"),
        ("awskms:///alias/a?region=", "no value"),
        ("awskms:///alias/a?region=%e", "escapes nothing"),
        ("awskms:///alias/a?region=eu-west-1#x", "a #"),
        ("awskms:///alias/a?region=ireland", "no name of a region"),
        (f"awskms:///{ARN}?region=us-east-1", "its ARN is of eu-west-1"),
        ("awskms:///alias/a?endpoint=http://kms.example", "http at kms.example"),
        ("awskms:///alias/a?endpoint=http://127.0.0.1.example", "http at 127.0.0.1.example"),
        ("awskms:///alias/a?endpoint=ftp://h", "no URL of a server"),
        ("awskms:///alias/a?endpoint=https://user:word@h", "no URL of a server"),
        ("awskms:///alias/a?endpoint=https://h/path", "no URL of a server"),
        ("awskms:///alias/a?endpoint=https://h%3Fquery", "no URL of a server"),
        ("awskms:///alias/a?endpoint=https://", "no URL of a server"),
        ("awskms:///alias/a?endpoint=https://h:99999", "no URL of a server"),
        ("awskms:///alias/a?endpoint=https://[", "no URL of a server"),
        ("awskms:///alias/a?profile=%0A", "no name of a profile"),
    ],
)
def test_what_names_no_key_is_refused_with_one_message(uri: str, seen: str) -> None:
    with pytest.raises(AwsKeyUriError) as caught:
        parse_aws_key_uri(uri)
    assert seen in caught.value.message
    assert caught.value.remedy


def test_a_refusal_repeats_nothing_that_could_be_a_secret() -> None:
    for part in ("aws_secret_access_key=wJalrXUtnFEMI", "region=wJalrXUtnFEMI", "wJalrXUtnFEMI"):
        with pytest.raises(AwsKeyUriError) as caught:
            parse_aws_key_uri(f"awskms:///alias/a?{part}")
        assert "wJalrXUtnFEMI" not in f"{caught.value.message} {caught.value.remedy}"


def test_reading_a_uri_needs_no_library_of_aws() -> None:
    program = (
        "import sys; from gitca.documents.aws_key_uri import parse_aws_key_uri as parse;"
        "from gitca.signers import preview_key, KeyOptions;"
        "parse('awskms:///alias/a');"
        "preview_key('awskms:///alias/a', 'P-256', options=KeyOptions(signing_roles="
        "('arn:aws:iam::111122223333:role/ci',)));"
        "sys.exit(any(name.partition('.')[0] in ('boto3', 'botocore') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
