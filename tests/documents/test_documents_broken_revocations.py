"""Broken revocations: what is read in them, from whatever editor and however wrong they are."""

from __future__ import annotations

import time

import pytest

from gitca.documents.broken_revocations import BrokenRevocation, broken_revocations
from gitca.documents.load import load_requests
from gitca.documents.tree import TreeEntry

KEY = "sha256:" + "0f" * 32
PATH = "requests/stop.yaml"


def found(data: bytes, mode: str = "100644") -> BrokenRevocation | None:
    entry = TreeEntry(PATH, mode, "blob")
    return next(iter(broken_revocations([entry], {PATH}, lambda _: data)), None)


@pytest.mark.parametrize(
    "text",
    [
        "kind: RevocationRequest\nspec:\n  certificate: payments/api\n",
        'kind: RevocationRequest\nspec: {"certificate" : "payments/api", reason: x}',
        "reason: keyCompromise\ncertificate:\n    payments/api # the shop's\n",
        "kind: revocation request\ncertificate: requests/payments/api.yaml",
        "\ufeffkind: RevocationRequest\r\nCertificate:\tpayments/api\r\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_request_is_read_in_every_form(text: str, encoding: str) -> None:
    revocation = found(text.encode(encoding))
    assert revocation is not None
    assert revocation.certificates == {"payments/api"}


@pytest.mark.parametrize(
    ("written", "serial"), [("'3f2a9c'", "3f2a9c"), ("03:F2:A9:0C", "3f2a90c"), ("0x12", "12")]
)
def test_a_serial_number_is_read_as_other_tools_show_it(written: str, serial: str) -> None:
    revocation = found(f"kind: RevocationRequest\nserial: {written}\nca: issuing\n".encode())
    assert revocation is not None
    assert (revocation.serials, revocation.authorities) == ({serial}, {"issuing"})


def test_all_targets_are_read_and_the_first_is_the_place() -> None:
    text = f"kind: RevocationRequest\nspec:\n  key: {KEY.upper()}\n  certificate: a\n"
    revocation = found(text.encode())
    assert revocation is not None
    assert (revocation.keys, revocation.certificates) == ({KEY}, {"a"})
    assert (revocation.location.line, revocation.location.column) == (3, 3)


@pytest.mark.parametrize(
    "text",
    [
        "certificate: a\n",
        "# kind: RevocationRequest\ncertificate: a\n",
        "kind: RevocationRequest\n# certificate: a\n",
        "kind: RevocationRequest\nspec: {key: sha256:0f, certificates: a, mycertificate: b}\n",
        "",
    ],
)
def test_what_is_no_revocation_or_names_nothing_is_passed_over(text: str) -> None:
    assert found(text.encode()) is None


def test_links_are_not_followed() -> None:
    assert found(b"kind: RevocationRequest\ncertificate: a\n", mode="120000") is None


@pytest.mark.parametrize("unit", [b"certificate ", b"revoke certificate: ", b" ", b"#", b"ca:\n"])
def test_a_hostile_text_costs_little(unit: bytes) -> None:
    begun = time.monotonic()
    found(b"reason: " + unit * (1 << 20))
    assert time.monotonic() - begun < 2


def test_a_sound_revocation_is_not_among_them() -> None:
    text = (
        b"apiVersion: gitca/v1\nkind: RevocationRequest\n"
        b"spec: {certificate: a, reason: superseded}\n"
    )
    read = load_requests([TreeEntry(PATH, "100644", "blob")], lambda _: text)
    assert (list(read.revocations), read.broken_revocations) == (["stop"], ())
