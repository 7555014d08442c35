"""Step 10 with S3 over real HTTP: what a relying party's client is told and gets."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import pytest

from aws.aws_server import AwsServer
from ca_documents import request
from ca_world import Clone
from judges.process import must
from publish_world import (
    API,
    STOP,
    published,
    reconciled,
    repository,
)

WEB = {"requests/web.yaml": request("web", "web.example.internal")}
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass
class Bucket:
    """A public bucket, as anybody without credentials sees it."""

    aws: AwsServer
    name: str

    @property
    def target(self) -> str:
        return self.aws.target(f"{self.name}/prod")

    def get(self, path: str) -> tuple[bytes, dict[str, str]]:
        url = f"{self.aws.endpoint}/{self.name}/prod/{path}"
        with _DIRECT.open(url, timeout=30) as answer:
            return answer.read(), {key.lower(): value for key, value in answer.headers.items()}

    def objects(self) -> dict[str, bytes]:
        s3 = self.aws.s3()
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
        return {key: s3.get_object(Bucket=self.name, Key=key)["Body"].read() for key in keys}

    def sent(self) -> list[str]:
        return [call["key"] for call in self.aws.s3_calls("PutObject") if call["done"]]


@pytest.fixture
def bucket(aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "GITCA_AWS_ENDPOINTS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    name = f"publish-{uuid.uuid4().hex}"
    aws.create_bucket(name, public=True)
    aws.clear_s3_log()
    yield Bucket(aws, name)
    aws.reset()


@pytest.fixture
def target(made: Clone, bucket: Bucket) -> Clone:
    made.save(repository(bucket.target) | API)
    assert reconciled(made).exit_code == 0
    made.clock.forward(hours=1)
    return made


def test_a_client_without_credentials_gets_a_crl_that_openssl_verifies(
    target: Clone, bucket: Bucket
) -> None:
    target.save(STOP)
    assert reconciled(target).exit_code == 0
    content, headers = bucket.get("issuing.crl")
    assert headers["content-type"] == "application/pkix-crl"
    assert headers["cache-control"] == "public, max-age=3600"
    assert parsedate_to_datetime(headers["expires"]) == target.crl().next_update_utc
    folder = target.folder.parent
    (folder / "ca.pem").write_bytes(bucket.get("issuing.pem")[0])
    words = must(
        *("openssl", "crl", "-inform", "DER", "-noout", "-text", "-CAfile", folder / "ca.pem"),
        stdin=content,
    )
    assert target.current("api").certificate.serial.upper() in words.decode()
    assert bucket.get("issuing.cer")[1]["content-type"] == "application/pkix-cert"
    assert bucket.get("issuing.p7c")[1]["content-type"] == "application/pkcs7-mime"
    assert bucket.get("certificates/issuing/api.pem")[1]["cache-control"] == "no-cache"
    serial = target.current("api").certificate.serial
    kept = bucket.get(f"serials/issuing/{serial}.cer")[1]["cache-control"]
    assert kept == "public, max-age=31536000, immutable"


def test_only_what_differs_is_sent(target: Clone, bucket: Bucket) -> None:
    bucket.aws.clear_s3_log()
    assert reconciled(target).exit_code == 0
    assert bucket.sent() == []
    target.save(WEB)
    assert reconciled(target).exit_code == 0
    serial = target.current("web").certificate.serial
    assert sorted(bucket.sent()) == [
        "prod/certificates/issuing/web.pem",
        "prod/manifest.json",
        f"prod/serials/issuing/{serial}.cer",
    ]
    assert bucket.sent()[-1] == "prod/manifest.json"


def test_an_outage_is_exit_code_4_and_is_caught_up(
    target: Clone, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    target.save(STOP)
    bucket.aws.switch_s3(before="error")
    report = reconciled(target)
    assert report.exit_code == 4
    assert report.published is not None
    assert bucket.name in str(report.published.targets[0].failures[0])
    bucket.aws.reset()
    assert reconciled(target).exit_code == 0
    assert bucket.get("issuing.crl")[0] == target.read("issued/issuing/crl.der")


@pytest.mark.parametrize(
    ("key", "how"),
    [
        ("issuing.crl", {"before": "error"}),
        ("issuing.crl", {"after": "error"}),
        ("issuing.crl", {"after": "drop"}),
        ("web.pem", {"after": "error"}),
        ("manifest.json", {"before": "error"}),
        ("manifest.json", {"after": "drop"}),
    ],
)
def test_an_upload_that_failed_or_seemed_to_is_made_good(
    target: Clone,
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    how: dict[str, str],
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    target.save(STOP | WEB)
    assert target.reconcile().exit_code == 0
    bucket.aws.switch_s3(operation="PutObject", key=key, **how)
    assert published(target).exit_code in (0, 4)
    bucket.aws.reset()
    assert published(target).exit_code == 0
    assert bucket.get("issuing.crl")[0] == target.read("issued/issuing/crl.der")
    there = bucket.objects()
    assert {f"prod/{path}" for path in published_paths(target)} <= there.keys()
    bucket.aws.clear_s3_log()
    assert published(target).exit_code == 0
    assert bucket.sent() == []
    assert bucket.objects() == there


def published_paths(clone: Clone) -> list[str]:
    """Where the certificates of requests lie."""
    records = [clone.current(name) for name in ("api", "web")]
    return [
        *(f"certificates/issuing/{record.certificate.request}.pem" for record in records),
        *(f"serials/issuing/{record.certificate.serial}.cer" for record in records),
    ]


def test_throttling_is_waited_out(
    target: Clone, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    target.save(WEB)
    bucket.aws.switch_s3(throttle=0.3, seed=7)
    assert reconciled(target).exit_code == 0
    bucket.aws.reset()
    assert bucket.get("certificates/issuing/web.pem")[0]


def test_a_refusal_names_the_bucket_and_the_action(target: Clone, bucket: Bucket) -> None:
    target.save(STOP)
    bucket.aws.switch_s3(deny=["PutObject"])
    report = reconciled(target)
    assert report.published is not None
    words = str(report.published.targets[0].failures[0])
    assert report.exit_code == 2
    assert bucket.name in words
    assert "s3:PutObject" in words


def test_a_crl_that_does_not_arrive_as_it_was_sent_is_told_of(
    target: Clone, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    target.save(STOP)
    bucket.aws.switch_s3(operation="GetObject", key="issuing.crl", corrupt=True)
    assert reconciled(target).exit_code == 4
    bucket.aws.reset()
    assert reconciled(target).exit_code == 0


def test_what_is_not_published_is_not_there(bucket: Bucket, target: Clone) -> None:
    with pytest.raises(urllib.error.HTTPError):
        bucket.get("ca/issuing.yaml")


@pytest.mark.parametrize(
    ("path", "complete"),
    [
        ("issuing.crl", False),
        ("issuing.cer", False),
        ("bundles/roots.pem", False),
        ("manifest.json", False),
        ("certificates/issuing/api.pem", True),
    ],
)
def test_the_same_bytes_served_otherwise_are_mended(
    target: Clone, bucket: Bucket, path: str, complete: bool
) -> None:
    """Who may write there turns relying parties away without changing a byte."""
    content, right = bucket.get(path)
    spoilt = {
        "ContentType": "text/html",
        "CacheControl": "public, max-age=31536000",
        "WebsiteRedirectLocation": "https://elsewhere.example/",
    }
    key = f"prod/{path}"
    bucket.aws.s3().put_object(Bucket=bucket.name, Key=key, Body=content, **spoilt)
    bucket.aws.clear_s3_log()
    assert published(target, complete=complete).exit_code == 0
    there, headers = bucket.get(path)
    assert there == content or path == "manifest.json"
    names = ("content-type", "cache-control", "expires", "x-amz-website-redirect-location")
    assert [headers.get(name) for name in names] == [right.get(name) for name in names]
    assert key in bucket.sent()
    bucket.aws.clear_s3_log()
    assert published(target, complete=True).exit_code == 0
    assert bucket.sent() == []
