"""Publishing into S3: what is sent along, who is refused and why, and what a bad day does."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import time
import traceback
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from published_targets import item, s3_target

from aws.aws_server import CREDENTIALS, REGION, AwsServer
from gitca.errors import BackendUnavailableError, GitcaError, UsageError
from gitca.publishers import ConflictError, Publisher, Stored, open_publisher
from gitca.publishers.s3_place import parse_target
from gitca.publishers.s3_publisher import ATTEMPTS, COLLISIONS, READS

NEXT_UPDATE = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
BASE = Path("/nonexistent")


def bucket_of(uri: str) -> str:
    return uri.removeprefix("s3://").partition("/")[0]


@pytest.fixture
def uri(s3: AwsServer) -> str:
    """The URI of an empty place in a bucket that anybody may read."""
    return s3_target(s3, BASE, public=True).uri


@pytest.fixture
def publisher(uri: str) -> Iterator[Publisher]:
    with closing(open_publisher(uri, base=BASE)) as publisher:
        yield publisher


def test_what_it_is_and_how_long_it_keeps_is_told_to_relying_parties(
    s3: AwsServer, uri: str, publisher: Publisher, tmp_path: Path
) -> None:
    publisher.write(item("ca.crl", b"crl", cache_control="max-age=7", expires=NEXT_UPDATE), None)
    url = f"{s3.endpoint}/{bucket_of(uri)}/some/prefix/ca.crl"
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.read() == b"crl"
        assert answer.headers["Content-Type"] == "application/pkix-crl"
        assert answer.headers["Cache-Control"] == "max-age=7"
        assert answer.headers["Expires"] == "Wed, 02 Jan 2030 03:04:05 GMT"


def test_s3_is_given_the_digest_and_gives_it_back(s3: AwsServer, uri: str) -> None:
    with closing(open_publisher(uri, base=BASE)) as publisher:
        what = item("ca.crl", b"crl")
        publisher.write(what, None)
    plain = s3.s3()
    there = plain.head_object(
        Bucket=bucket_of(uri), Key="some/prefix/ca.crl", ChecksumMode="ENABLED"
    )
    assert base64.b64decode(there["ChecksumSHA256"]).hex() == what.sha256


def test_a_small_object_is_sent_at_once_and_a_large_one_when_s3_will_have_it(
    s3: AwsServer, publisher: Publisher
) -> None:
    for size in (1, 2**20, 2**20 + 1):
        publisher.write(item(str(size), bytes(size)), None)
    assert [call["asked"] for call in s3.s3_calls("PutObject")] == [False, False, True]


def test_a_place_may_be_a_whole_bucket(s3: AwsServer) -> None:
    s3.create_bucket("whole-bucket")
    with closing(open_publisher(s3.target("whole-bucket"), base=BASE)) as publisher:
        publisher.write(item("a/ca.crl", b"1"), None)
        assert publisher.listing().keys() == {"a/ca.crl"}
    assert s3.s3().get_object(Bucket="whole-bucket", Key="a/ca.crl")["ContentLength"] == 1


def test_a_listing_has_nothing_of_neighbours_and_of_folders_of_the_console(
    s3: AwsServer, uri: str, publisher: Publisher
) -> None:
    for key in ("some/prefix/", "some/prefix/empty/", "some/prefixed", "some/prefix/ca.crl", "x"):
        s3.s3().put_object(Bucket=bucket_of(uri), Key=key, Body=b"")
    assert publisher.listing().keys() == {"ca.crl"}


def test_an_object_of_another_program_is_read_and_replaced(
    s3: AwsServer, uri: str, publisher: Publisher
) -> None:
    s3.s3().put_object(Bucket=bucket_of(uri), Key="some/prefix/ca.crl", Body=b"theirs")
    there = publisher.read("ca.crl")
    assert there is not None
    assert there.content == b"theirs"
    publisher.write(item("ca.crl", b"ours"), there.version)
    s3.s3().delete_object(Bucket=bucket_of(uri), Key="some/prefix/ca.crl")
    assert publisher.read("ca.crl") is None


def test_of_a_bucket_with_versions_the_current_ones_count(
    s3: AwsServer, uri: str, publisher: Publisher
) -> None:
    s3.s3().put_bucket_versioning(
        Bucket=bucket_of(uri), VersioningConfiguration={"Status": "Enabled"}
    )
    first = publisher.write(item("ca.crl", b"1"), None)
    second = publisher.write(item("ca.crl", b"2"), first)
    with pytest.raises(ConflictError):
        publisher.write(item("ca.crl", b"3"), first)
    assert publisher.read("ca.crl") == Stored(b"2", second)
    s3.s3().delete_object(Bucket=bucket_of(uri), Key="some/prefix/ca.crl")
    assert publisher.read("ca.crl") is None
    assert publisher.listing() == {}
    publisher.write(item("ca.crl", b"4"), None)


@pytest.mark.usefixtures("no_waiting")
def test_hundreds_of_objects_arrive_while_s3_turns_a_third_away(
    s3: AwsServer, publisher: Publisher
) -> None:
    s3.switch_s3(throttle=0.3, seed=1)
    paths = [f"serials/root/{number}.cer" for number in range(300)]
    with ThreadPoolExecutor(32) as threads:
        list(threads.map(lambda path: publisher.write(item(path, path.encode()), None), paths))
    s3.reset()
    assert publisher.listing().keys() == set(paths)


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"throttle": 1}, "SlowDown"),
        ({"before": "error"}, "InternalError"),
        ({"before": "drop"}, "ConnectionClosedError"),
        ({"before": "conflict", "operation": "PutObject"}, "ConditionalRequestConflict"),
    ],
)
def test_an_outage_is_waited_for_and_then_told(
    s3: AwsServer, publisher: Publisher, settings: dict[str, object], words: str
) -> None:
    s3.switch_s3(**settings)
    with pytest.raises(BackendUnavailableError, match=words) as caught:
        publisher.write(item("ca.crl", b"1"), None)
    assert "run again" in caught.value.remedy
    asked = COLLISIONS if words.startswith("Conditional") else ATTEMPTS
    assert len(s3.s3_calls("PutObject")) == asked
    if "operation" not in settings:
        with pytest.raises(BackendUnavailableError, match=words):
            publisher.read("ca.crl")
        with pytest.raises(BackendUnavailableError, match=words):
            publisher.listing()
    s3.reset()
    publisher.write(item("ca.crl", b"1"), None)


@pytest.mark.usefixtures("no_waiting")
def test_a_server_that_is_gone_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    with AwsServer() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        uri = s3_target(server, BASE).uri
        with closing(open_publisher(uri, base=BASE)) as publisher:
            server.stop()
            with pytest.raises(BackendUnavailableError, match="EndpointConnectionError"):
                publisher.read("ca.crl")


def test_a_download_that_was_spoilt_is_asked_for_again(
    s3: AwsServer, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whatever else the machine's configuration wants of the SDK.
    monkeypatch.setenv("AWS_RESPONSE_CHECKSUM_VALIDATION", "when_required")
    with closing(open_publisher(uri, base=BASE)) as publisher:
        version = publisher.write(item("ca.crl", b"crl"), None)
        s3.switch_s3(corrupt=True, operation="GetObject", calls=READS - 1)
        assert publisher.read("ca.crl") == Stored(b"crl", version)
        s3.switch_s3(corrupt=True, operation="GetObject", calls=READS)
        with pytest.raises(BackendUnavailableError, match="FlexibleChecksumError"):
            publisher.read("ca.crl")


def test_an_answer_that_was_lost_is_no_success_where_another_came_after(
    s3: AwsServer, uri: str, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = publisher.write(item("ca.crl", b"1"), None)

    def meanwhile(_: float) -> None:
        # Between two tries of the SDK's.
        s3.s3().put_object(Bucket=bucket_of(uri), Key="some/prefix/ca.crl", Body=b"theirs")

    monkeypatch.setattr(time, "sleep", meanwhile)
    s3.switch_s3(after="drop", operation="PutObject", calls=1)
    with pytest.raises(ConflictError, match="another object"):
        publisher.write(item("ca.crl", b"2"), first)
    there = publisher.read("ca.crl")
    assert there is not None
    assert there.content == b"theirs"


@pytest.mark.parametrize(
    ("action", "call", "needed"),
    [
        ("PutObject", "write", r"s3:PutObject and s3:GetObject on arn:aws:s3:::.*/some/prefix/\*"),
        ("GetObject", "read", "s3:GetObject on .* and s3:ListBucket on arn:aws:s3:::published"),
        ("ListBucket", "read", "s3:GetObject on .* and s3:ListBucket on arn:aws:s3:::published"),
        ("ListBucket", "listing", "s3:ListBucket on arn:aws:s3:::published"),
    ],
)
def test_who_may_not_is_told_which_action_to_allow(
    s3: AwsServer, publisher: Publisher, action: str, call: str, needed: str
) -> None:
    s3.switch_s3(deny=[action])
    calls = {
        "write": lambda: publisher.write(item("ca.crl", b"1"), None),
        "read": lambda: publisher.read("absent.crl" if action == "ListBucket" else "ca.crl"),
        "listing": publisher.listing,
    }
    if call == "read" and action == "GetObject":
        publisher.write(item("ca.crl", b"1"), None)
    with pytest.raises(UsageError, match=f"AccessDenied.*request.*s3:{action}") as caught:
        calls[call]()
    assert re.search(f"allow {needed}", caught.value.remedy), caught.value.remedy


def test_a_bucket_that_there_is_not_or_of_another_account_is_refused(s3: AwsServer) -> None:
    absent = s3.target("there-is-no-such-bucket")
    with closing(open_publisher(absent, base=BASE)) as publisher:
        for call in (publisher.listing, lambda: publisher.read("a"),
                     lambda: publisher.write(item("a", b"1"), None)):  # fmt: skip
            with pytest.raises(UsageError, match=r"s3://there-is-no-such-bucket.*NoSuchBucket"):
                call()
    uri = s3_target(s3, BASE).uri.replace("=123456789012", "=210987654321")
    with closing(open_publisher(uri, base=BASE)) as publisher:
        for call in (publisher.listing, lambda: publisher.read("a"),
                     lambda: publisher.write(item("a", b"1"), None)):  # fmt: skip
            with pytest.raises(UsageError, match="AccessDenied") as caught:
                call()
            assert "expectedBucketOwner" in caught.value.remedy


def test_credentials_are_the_sdks_alone_and_nowhere_in_what_is_said(
    s3: AwsServer, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "a-secret-access-key-of-the-tests"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    monkeypatch.setenv("AWS_SESSION_TOKEN", f"token-{secret}")
    s3.switch_s3(deny=["*"])
    with closing(open_publisher(uri, base=BASE)) as publisher:
        with pytest.raises(UsageError) as caught:
            publisher.read("ca.crl")
        told = "".join(traceback.format_exception(caught.value)) + str(publisher.describe())
    assert secret not in told
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    with (
        closing(open_publisher(uri, base=BASE)) as publisher,
        pytest.raises(BackendUnavailableError, match="no usable AWS credentials") as none,
    ):
        publisher.read("ca.crl")
    assert "aws sso login" in none.value.remedy
    assert CREDENTIALS["aws_secret_access_key"] not in str(publisher.describe())


@pytest.mark.parametrize(
    ("endpoint", "listed", "allowed"),
    [
        ("https://s3.eu-west-1.amazonaws.com", "", True),
        ("https://s3-fips.dualstack.us-gov-west-1.amazonaws.com", "", True),
        ("https://bucket.vpce-0a1b2c3d4e5f-abcd.s3.eu-west-1.vpce.amazonaws.com", "", True),
        ("http://127.0.0.1:9000", "", True),
        ("https://minio.example.internal", "", False),
        ("https://minio.example.internal", "https://minio.example.internal/", True),
        ("https://minio.example.internal", "https://other.example, https://minio.example", False),
        ("https://evil.s3.eu-west-1.amazonaws.com", "", False),
        ("https://s3.eu-west-1.amazonaws.com.evil.example", "", False),
        ("https://s3-eu-west-1amazonaws.com", "", False),
    ],
)
def test_an_endpoint_is_s3s_own_or_listed(endpoint: str, listed: str, allowed: bool) -> None:
    uri = f"s3://example-pki/prod?region=eu-west-1&endpoint={endpoint}"
    environment = {"GITCA_AWS_ENDPOINTS": listed}
    if allowed:
        assert parse_target(uri, environment).endpoint == endpoint
        return
    with pytest.raises(UsageError, match="allowed are S3's own endpoints"):
        parse_target(uri, environment)


def test_a_region_is_the_uris_or_the_machines(
    s3: AwsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = f"s3://published-somewhere?endpoint={s3.endpoint}"
    with closing(open_publisher(uri, base=BASE)) as publisher:
        assert publisher.describe()["region"] == REGION
    with closing(open_publisher(f"{uri}&region=us-east-2", base=BASE)) as publisher:
        assert publisher.describe()["region"] == "us-east-2"
        assert publisher.describe()["endpoint"] == s3.endpoint
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "user:secret@host")
    with pytest.raises(UsageError, match="refuses an endpoint or region") as caught:
        open_publisher("s3://published-somewhere?region=us-east-2", base=BASE)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("uri", ["s3://", "s3://A", "s3://example-pki?region=x", "s3://u:p@host/x"])
def test_a_uri_of_no_bucket_is_refused(uri: str) -> None:
    with pytest.raises(GitcaError) as caught:
        open_publisher(uri, base=BASE)
    assert caught.value.exit_code == 2


def test_a_key_that_is_too_long_for_s3_is_refused_before_it_is_sent(
    s3: AwsServer, publisher: Publisher
) -> None:
    with pytest.raises(UsageError, match="1024"):
        publisher.write(item("/".join(["n" * 250] * 5), b"1"), None)
    assert s3.s3_calls() == []


def test_openssl_fetches_a_crl_from_its_url(
    s3: AwsServer, uri: str, publisher: Publisher, tmp_path: Path
) -> None:
    made = _crl(tmp_path)
    publisher.write(item("ca.crl", made), None)
    url = f"{s3.endpoint}/{bucket_of(uri)}/some/prefix/ca.crl"
    done = subprocess.run(
        ["openssl", "crl", "-in", url, "-inform", "DER", "-noout", "-issuer"],
        capture_output=True,
        text=True,
        env={**os.environ, "no_proxy": "127.0.0.1"},
    )
    assert done.returncode == 0, done.stderr
    assert "CN" in done.stdout


def _crl(folder: Path) -> bytes:
    """Return an empty CRL that openssl itself makes."""
    (folder / "index").touch()
    (folder / "c.cnf").write_text(
        "[ca]\ndefault_ca=c\n[c]\ndatabase=index\ndefault_md=sha256\ndefault_crl_days=1\n"
    )
    request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
               "-keyout", "k.pem", "-out", "c.pem", "-subj", "/CN=Root"]  # fmt: skip
    crl = ["ca", "-gencrl", "-config", "c.cnf", "-keyfile", "k.pem", "-cert", "c.pem",
           "-out", "crl.pem"]  # fmt: skip
    for arguments in (request, crl, ["crl", "-in", "crl.pem", "-outform", "DER", "-out", "c.crl"]):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
    return (folder / "c.crl").read_bytes()


def test_it_tells_what_relying_parties_are_told(s3: AwsServer, uri: str) -> None:
    what = item("ca.crl", b"crl", cache_control="max-age=7", expires=NEXT_UPDATE)
    changes: list[dict[str, object]] = [
        {"ContentType": "text/html"},
        {"CacheControl": "max-age=31536000"},
        {"Expires": NEXT_UPDATE.replace(year=2040)},
        {"WebsiteRedirectLocation": "https://elsewhere.example/"},
        {"ContentEncoding": "gzip"},
        {"ContentDisposition": "attachment"},
    ]
    ours = {
        "Bucket": bucket_of(uri),
        "Key": "some/prefix/ca.crl",
        "Body": what.content,
        "ContentType": what.media_type,
        "CacheControl": what.cache_control,
        "Expires": what.expires,
    }
    with closing(open_publisher(uri, base=BASE)) as publisher:
        version = publisher.write(what, None)
        for change in changes:
            s3.s3().put_object(**{**ours, **change})
            there = publisher.read("ca.crl")
            assert there == Stored(b"crl", version), "the bytes are the same"
            assert there is not None
            assert not there.holds(what), change
            # It is not taken for written, and another writer's condition fails.
            with pytest.raises(ConflictError):
                publisher.write(what, None)
            publisher.write(what, there.version)
            mended = publisher.read("ca.crl")
            assert mended is not None
            assert mended.holds(what)
            # A write whose answer was lost met itself.
            assert publisher.write(what, None) == mended.version
