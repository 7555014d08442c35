"""gitca reads every CSR of the corpus as its table says, and names the defect of every bad one."""

from __future__ import annotations

import pytest

from components import require
from fixtures.csrs import corpus
from fixtures.csrs.defects import DEFECTS
from fixtures.csrs.rules import REFUSED
from fixtures.csrs.tools import TOOLS
from fixtures.csrs.wanted import KeyKind, Wanted, server
from gitca.x509.csr import Csr, CsrError, parse_csr

OIDS = {"C": "2.5.4.6", "O": "2.5.4.10", "OU": "2.5.4.11", "CN": "2.5.4.3"}

# What is well formed is handed on, whole, for the policy to judge.
HANDED_ON = {
    "signature-md5.pem": ("signature_hash", "md5"),
    "signature-sha1.pem": ("signature_hash", "sha1"),
    "key-rsa-1024.pem": ("key", "RSA 1024"),
    "subject-too-long.pem": ("subject", "a" * 65),
    "subject-two-common-names.pem": ("subject", "admin.example.internal"),
    "subject-multi-valued-rdn.pem": ("other_names", "multi-valued"),
    "subject-unknown-attribute.pem": ("subject", "1.2.3.4.5"),
    "san-other-name.pem": ("sans", "administrator@example.internal"),
    "san-directory-name.pem": ("sans", "value='admin'"),
    "san-wildcard.pem": ("sans", "*.example.internal"),
    "san-empty.pem": ("extensions", "2.5.29.17"),
}


def assert_says(csr: Csr, wanted: Wanted) -> None:
    assert str(csr.key) == wanted.key
    subject = [(attribute.oid, attribute.value) for attribute in csr.subject]
    assert subject == [(OIDS[name], value) for name, value in wanted.subject]
    assert {(san.kind, san.value) for san in csr.sans} == set(wanted.sans)
    assert csr.other_names == ()


@pytest.mark.parametrize("name", corpus.GOOD)
def test_a_good_csr_of_the_corpus_is_read_whole(name: str) -> None:
    assert_says(parse_csr(corpus.good(name)), corpus.GOOD[name])


@pytest.mark.parametrize(
    ("name", "key"), [(name, key) for name, tool in TOOLS.items() for key in tool.keys]
)
def test_a_csr_that_a_tool_makes_now_is_read_whole(name: str, key: KeyKind) -> None:
    require(TOOLS[name].component)
    wanted = server(name, key)
    assert_says(parse_csr(TOOLS[name].request(wanted)), wanted)


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_csr_is_refused_by_the_rule_of_its_defect(name: str) -> None:
    with pytest.raises(CsrError) as refusal:
        parse_csr(corpus.bad(name))
    assert refusal.value.rule == REFUSED[name]
    assert refusal.value.message


@pytest.mark.parametrize("name", HANDED_ON)
def test_a_well_formed_csr_is_handed_on_with_what_the_policy_has_to_see(name: str) -> None:
    attribute, seen = HANDED_ON[name]
    assert seen in str(getattr(parse_csr(corpus.bad(name)), attribute))


def test_every_defect_of_the_corpus_is_judged_here() -> None:
    assert set(REFUSED) | set(HANDED_ON) == set(DEFECTS)
