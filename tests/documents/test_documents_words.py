"""The word that a person meant."""

from __future__ import annotations

import time

import pytest

from gitca.documents.words import listed, nearest


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("polcy", ("policy", "subject"), "policy"),
        ("csr_file", ("csr", "csrFile"), "csrFile"),
        ("CSR", ("csr", "csrFile"), "csr"),
        # Spelt as it is known, although other CAs call the issuer so.
        ("CA", ("ca", "issuer"), "ca"),
        ("CA", ("issuer", "key"), "issuer"),
        ("CN", ("commonName", "country"), "commonName"),
        ("dnsNames", ("dns", "ip"), "dns"),
        ("dnsNames", ("subject", "sans"), "sans"),
        ("prime256v1", ("P-256", "P-384"), "P-256"),
        ("compromised", ("cACompromise", "keyCompromise"), "keyCompromise"),
        ("xyz", ("policy", "subject"), ""),
        ("", ("policy",), ""),
        ("policy", (), ""),
    ],
)
def test_the_nearest_word_is_the_one_that_was_meant(word, known, meant):
    assert nearest(word, known) == meant


def test_a_word_of_any_length_is_compared_in_no_time():
    known = [f"policy{index}" for index in range(1000)]
    began = time.perf_counter()
    nearest("policyy" * 30_000, known)
    assert time.perf_counter() - began < 2


def test_a_long_list_is_cut():
    assert listed(["a", "b"]) == "a, b"
    assert listed([]) == "none"
    assert listed([str(number) for number in range(40)]).endswith("28, 29 and 10 more")
