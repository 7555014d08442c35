"""The manifest: written the same each time, and read with suspicion."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitca.publishers import Item
from gitca.publishers.manifest import (
    Entry,
    Manifest,
    ManifestError,
    manifest_item,
    parse_manifest,
)

DIGEST = "ab" * 32
OBJECTS = {
    "root.crl": Entry(DIGEST, 10, "application/pkix-crl"),
    "certificates/a/b.pem": Entry("cd" * 32, 0, "application/pem-certificate-chain"),
}
MANIFEST = Manifest(7, f"sha256:{DIGEST}", "1" * 40, True, False, OBJECTS)


def test_a_manifest_is_read_as_it_was_written() -> None:
    item = manifest_item(MANIFEST)
    assert parse_manifest(item.content) == MANIFEST
    assert (item.path, item.media_type, item.cache_control) == (
        "manifest.json", "application/json", "no-cache",
    )  # fmt: skip


def test_a_manifest_does_not_depend_on_the_order_of_sending() -> None:
    other = Manifest(7, f"sha256:{DIGEST}", "1" * 40, True, False, dict(reversed(OBJECTS.items())))
    assert manifest_item(other).content == manifest_item(MANIFEST).content


def test_a_manifest_names_the_commit_of_the_documents_where_that_is_another() -> None:
    parted = replace(MANIFEST, source="2" * 40)
    assert json.loads(manifest_item(parted).content)["source"] == "2" * 40
    assert parse_manifest(manifest_item(parted).content) == parted
    assert "source" not in json.loads(manifest_item(MANIFEST).content)


def test_a_manifest_without_objects_is_json() -> None:
    empty = Manifest(1, None, "0" * 64, False, True, {})
    assert json.loads(manifest_item(empty).content)["objects"] == {}
    assert parse_manifest(manifest_item(empty).content) == empty


@given(
    path=st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40),
    media_type=st.text(max_size=40).filter(lambda text: text.isprintable()),
)
def test_whatever_a_path_holds_the_manifest_stays_json(path: str, media_type: str) -> None:
    manifest = Manifest(1, None, "0" * 40, True, True, {path: Entry(DIGEST, 1, media_type)})
    assert parse_manifest(manifest_item(manifest).content) == manifest


def broken(**changes: object) -> bytes:
    record = json.loads(manifest_item(MANIFEST).content) | changes
    return json.dumps({key: value for key, value in record.items() if value != "gone"}).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"<html>",
        b"\xff\xfe",
        b"[" * 100_000,
        broken(version=2),
        broken(segment="7"),
        broken(segment=True),
        broken(segment=-1),
        broken(segment="gone"),
        broken(ledger="sha256:x"),
        broken(commit="main"),
        broken(source="main"),
        broken(complete=1),
        broken(objects=[]),
        broken(objects={"a": {"sha256": "x", "size": 1, "mediaType": "a/b"}}),
        broken(objects={"a": {"sha256": DIGEST, "size": 1.5, "mediaType": "a/b"}}),
        broken(objects={"a": {"sha256": DIGEST, "size": 1}}),
        broken(objects={"a" * 1025: {"sha256": DIGEST, "size": 1, "mediaType": "a/b"}}),
        broken(objects={"a": {"sha256": DIGEST, "size": 1, "mediaType": "a" * 128}}),
    ],
)
def test_what_is_no_manifest_is_refused(content: bytes) -> None:
    with pytest.raises(ManifestError):
        parse_manifest(content)


@pytest.mark.parametrize(
    ("change", "says_more"),
    [
        ({}, False),
        ({"commit": "2" * 40}, False),
        ({"segment": 8}, True),
        ({"complete": True}, True),
        ({"certificates": False}, True),
        ({"objects": {}}, True),
    ],
)
def test_only_another_commit_is_no_reason_to_write_it_again(
    change: dict[str, object], says_more: bool
) -> None:
    record = json.loads(manifest_item(MANIFEST).content) | change
    other = parse_manifest(json.dumps(record).encode())
    assert other.says_more_than(MANIFEST) == says_more


def test_the_digest_of_an_object_is_its_own() -> None:
    item = Item("a", b"abc", "a/b", "no-cache")
    assert item.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert Entry.of(item) == Entry(item.sha256, 3, "a/b")


@pytest.mark.parametrize("part", [b"[],", b'{"":{}},', b"1,", b'"ab",'])
def test_a_manifest_of_little_else_than_commas_is_not_read(part: bytes) -> None:
    """It would take many times its size in memory."""
    whole = manifest_item(MANIFEST).content
    content = b'{"more": [' + part * 10_000 + b"0]," + whole[1:]
    with pytest.raises(ManifestError, match="parts in"):
        parse_manifest(content)
