"""Rules about keys: each with a key that it allows and one that it denies, through a real CSR."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from policy_material import NOW, POLICY, REQUEST, case, changed, csr, judge, openssl_csr, rules
from policy_material import request_text as request

from gitca.policy.case import KeyHistory, Verdict
from gitca.policy.evaluate import evaluate
from gitca.x509.csr import parse_csr
from gitca.x509.template import CertificateTemplate, spki_identifier
from weak_keys import WEAK, RsaKey, prime, sound, weak_key

_API = "sans: {dns: [api.example.internal]}"


def with_key(*lines: str) -> str:
    """Return the policy with more lines about keys."""
    return changed(POLICY, ("maxBits: 4096}]}", f"maxBits: 4096}}], {', '.join(lines)}}}"))


def only(verdict: Verdict, rule: str) -> str:
    """Return the message of the one finding, which is of this rule and at the CSR."""
    (finding,) = verdict.findings
    assert (finding.rule, finding.location.file) == (rule, "requests/payments/api.yaml")
    assert finding.location.column == len("  csrFile: ") + 1
    assert finding.remedy
    return finding.message


# Exponents.


def with_exponents(*exponents: int) -> str:
    listed = ", ".join(map(str, exponents))
    return changed(POLICY, ("maxBits: 4096}", f"maxBits: 4096, exponents: [{listed}]}}"))


def test_the_exponent_65537_alone_is_allowed_where_none_is_listed() -> None:
    usual, other = RsaKey(prime(), prime()), RsaKey(prime(), prime(), e=65539)
    assert judge(csr_bytes=usual.csr()).findings == ()
    message = only(judge(csr_bytes=other.csr()), "key.algorithms.exponents")
    assert message == "the RSA key's public exponent is 65539; allowed is 65537"


def test_a_listed_exponent_is_allowed_and_no_other_is() -> None:
    listed = RsaKey(prime(), prime(), e=65539)
    policy = with_exponents(65539, 2**32 + 15)
    assert judge(policy=policy, csr_bytes=listed.csr()).findings == ()
    message = only(judge(policy=policy, csr_bytes=sound().csr()), "key.algorithms.exponents")
    assert message.endswith("is 65537; allowed are 65539, 4294967311")


def test_an_empty_list_of_exponents_allows_no_rsa_key() -> None:
    message = only(
        judge(policy=with_exponents(), csr_bytes=csr(key="RSA-2048")), "key.algorithms.exponents"
    )
    assert message.endswith("allowed is nothing")


def test_exponents_are_those_of_the_rule_that_the_size_fits() -> None:
    sizes = (
        "{type: rsa, minBits: 2048, maxBits: 2049, exponents: [65537]},"
        " {type: rsa, minBits: 3072, exponents: [65539]}"
    )
    policy = changed(POLICY, ("{type: rsa, minBits: 2048, maxBits: 4096}", sizes))
    assert judge(policy=policy, csr_bytes=csr(key="RSA-2048")).findings == ()
    small = RsaKey(prime(), prime(), e=65539)
    assert rules(judge(policy=policy, csr_bytes=small.csr())) == ["key.algorithms.exponents"]
    large = RsaKey(prime(1536), prime(1536), e=65539)
    assert judge(policy=policy, csr_bytes=large.csr()).findings == ()


# Hashes.


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_the_sha_2_family_is_allowed_where_no_hash_is_listed(digest: str, tmp_path: Any) -> None:
    assert judge(csr_bytes=openssl_csr(tmp_path, digest)).findings == ()


@pytest.mark.parametrize("digest", ["md5", "sha1", "sha224", "sha3-256"])
def test_other_hashes_are_denied_where_none_is_listed(digest: str, tmp_path: Any) -> None:
    message = only(judge(csr_bytes=openssl_csr(tmp_path, digest)), "key.csrHashes")
    assert message == f"the CSR is signed with {digest}; allowed are sha256, sha384, sha512"


def test_listed_hashes_are_allowed_and_no_others(tmp_path: Any) -> None:
    policy = with_key("csrHashes: [sha384, sha3-256]")
    for digest in ("sha384", "sha3-256"):
        assert judge(policy=policy, csr_bytes=openssl_csr(tmp_path, digest)).findings == ()
    message = only(judge(policy=policy, csr_bytes=openssl_csr(tmp_path, "sha256")), "key.csrHashes")
    assert message == "the CSR is signed with sha256; allowed are sha384, sha3-256"


def test_a_key_whose_signature_has_no_hash_to_choose_passes_an_empty_list() -> None:
    policy = changed(
        with_key("csrHashes: []"), ("{type: ecdsa, curves: [P-256]}", "{type: ed25519}")
    )
    assert judge(policy=policy, csr_bytes=csr(key="Ed25519")).findings == ()
    assert rules(judge(policy=policy, csr_bytes=csr(key="RSA-2048"))) == ["key.csrHashes"]


# Weak keys.


@pytest.mark.parametrize("words", WEAK)
def test_a_weak_key_is_denied_unless_the_policy_ignores_it(words: str) -> None:
    weak = weak_key(words).csr()
    message = only(judge(csr_bytes=weak), "key.weakKeys")
    assert message.startswith("the RSA key is weak: ")
    assert words in message
    assert judge(policy=with_key("weakKeys: reject"), csr_bytes=weak).is_denied
    assert judge(policy=with_key("weakKeys: ignore"), csr_bytes=weak).findings == ()


def test_a_sound_rsa_key_is_not_denied() -> None:
    assert judge(csr_bytes=sound().csr()).findings == ()


# The blocklist.


def test_a_blocked_key_is_refused_with_the_reason_and_any_other_is_not() -> None:
    identifier = spki_identifier(parse_csr(csr()).spki_der)
    reason = "leaked in incident 42 (policies/blocked.yaml)"
    message = only(judge(refused_keys={identifier: reason}), "key.refused")
    assert message == (
        f"key {identifier} is refused: {reason};"
        " allowed is a key that is neither blocked nor revoked"
    )
    assert judge(refused_keys={f"sha256:{'0' * 64}": reason}).findings == ()


# Reuse and age.


def judge_history(history: KeyHistory, text: str = REQUEST, *, policy: str = POLICY) -> Verdict:
    return evaluate(replace(case(text, policy=policy), key_history=history))


MINE = KeyHistory("payments/api", NOW - timedelta(days=100))
OTHERS = KeyHistory("payments/web", NOW - timedelta(days=100))
RIVAL = KeyHistory(rivals=("payments/web",))


@pytest.mark.parametrize(
    ("reuse", "history", "message"),
    [
        ("forbid", KeyHistory(), None),
        (
            "forbid",
            MINE,
            "the key is that of request “payments/api”, first ordered on 2026-08-16; allowed is"
            " a new key",
        ),
        (
            "forbid",
            OTHERS,
            "the key is that of request “payments/web”, first ordered on 2026-08-16; allowed is"
            " a new key",
        ),
        (
            "forbid",
            RIVAL,
            "the key is asked for by “payments/web” as well; allowed is a key of the request's own",
        ),
        ("sameRequest", KeyHistory(), None),
        ("sameRequest", MINE, None),
        (
            "sameRequest",
            OTHERS,
            "the key is that of request “payments/web”, first ordered on 2026-08-16; allowed is"
            " a key of the request's own",
        ),
        (
            "sameRequest",
            KeyHistory(rivals=("a", "b", "c", "d")),
            "the key is asked for by “a”, “b”, “c” and others as well; allowed is a key of the"
            " request's own",
        ),
        ("allow", MINE, None),
        ("allow", OTHERS, None),
        ("allow", RIVAL, None),
    ],
)
def test_reuse_of_a_key(reuse: str, history: KeyHistory, message: str | None) -> None:
    verdict = judge_history(history, policy=with_key(f"reuse: {reuse}"))
    if message is None:
        assert verdict.findings == ()
    else:
        assert only(verdict, "key.reuse") == message


def test_without_a_word_on_reuse_a_request_may_keep_its_key_and_no_other_may_have_it() -> None:
    assert judge_history(MINE).findings == ()
    assert rules(judge_history(OTHERS)) == ["key.reuse"]


def left_by_another(text: str = REQUEST) -> CertificateTemplate:
    template = judge(text).template
    assert template is not None
    return template


def test_a_request_that_moved_keeps_its_key_if_it_asks_for_the_same() -> None:
    moved = replace(OTHERS, left=left_by_another())
    assert judge_history(moved).findings == ()
    assert rules(judge_history(moved, request("sans: {dns: [web.example.internal]}"))) == [
        "key.reuse"
    ]
    assert rules(judge_history(moved, policy=with_key("reuse: forbid"))) == ["key.reuse"]


@pytest.mark.parametrize("reuse", ["forbid", "sameRequest", "allow"])
def test_a_cas_own_key_is_denied_whatever_the_policy_says(reuse: str) -> None:
    history = KeyHistory(since=NOW, authority="issuing")
    message = only(judge_history(history, policy=with_key(f"reuse: {reuse}")), "key.authority")
    assert message == "the key is that of CA issuing; allowed is a key that is no CA's"


AGED = with_key("maxAge: 1y")


@pytest.mark.parametrize(
    ("days", "denied"),
    [(0, False), (335, False), (336, True), (400, True)],
)
def test_a_certificate_ends_before_its_key_is_too_old(days: int, denied: bool) -> None:
    # 30d of validity, of which 5m lie in the past.
    verdict = judge_history(KeyHistory("payments/api", NOW - timedelta(days=days)), policy=AGED)
    if denied:
        first = NOW - timedelta(days=days)
        assert only(verdict, "key.maxAge") == (
            f"the certificate would end after {first + timedelta(days=365):%Y-%m-%d}, when the key,"
            f" first ordered on {first:%Y-%m-%d}, is too old; allowed is an age of 1y"
        )
    else:
        assert verdict.findings == ()


def test_a_shorter_validity_uses_a_key_up_to_its_last_day() -> None:
    old = KeyHistory("payments/api", NOW - timedelta(days=360))
    assert judge_history(old, request(_API, "validity: 5d"), policy=AGED).findings == ()
    assert rules(judge_history(old, request(_API, "validity: 6d"), policy=AGED)) == ["key.maxAge"]


def test_a_new_key_is_not_asked_to_last_longer_than_it_may() -> None:
    policy = with_key("maxAge: 60d")
    assert judge_history(KeyHistory(), request(_API, "validity: 60d"), policy=policy).findings == ()
    verdict = judge_history(KeyHistory(), request(_API, "validity: 90d"), policy=policy)
    assert only(verdict, "key.maxAge") == (
        "the certificate would outlast its key; allowed is an age of 60d"
    )


def test_without_a_greatest_age_a_key_may_be_of_any() -> None:
    assert judge_history(KeyHistory("payments/api", NOW - timedelta(days=9000))).findings == ()


@pytest.mark.parametrize(
    ("key", "digest", "rule"),
    [("RSA-2048-e3", "sha256", "key.algorithms.exponents"), ("RSA-2048", "md5", "key.csrHashes")],
)
def test_what_no_policy_may_allow_is_no_policys_word_and_so_never_waived(
    key: str, digest: str, rule: str, tmp_path: Any
) -> None:
    (finding,) = judge(csr_bytes=openssl_csr(tmp_path, digest, key=key)).findings
    assert (finding.rule, finding.policy) == (rule, "")
