"""Key blocklists, and what a policy may say of keys: forms, contradictions, and lost documents."""

from __future__ import annotations

import pytest
from document_samples import (
    BLOCKLIST,
    POLICY,
    TESTS,
    TREE,
    entries,
    governing,
    marked,
    only_finding,
    parsed,
    reader,
)

from gitca.documents.load import Governing, TreeEntry, load_governing
from gitca.documents.load_tests import load_policy_tests

KEY = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
BLOCKED = "policies/blocked.yaml"


def blocklist(*entries: str) -> str:
    head = BLOCKLIST.split("  keys:")[0]
    return head + "  keys:\n" + "".join(f"    - {entry}\n" for entry in entries)


def test_blocked_keys_are_known_with_reason_and_document() -> None:
    again = blocklist(
        f'{{key: "{KEY}", reason: listed before}}', f'{{key: "{OTHER}", reason: of a test}}'
    )
    known = governing({**TREE, BLOCKED: BLOCKLIST, "policies/keys/more.yaml": again})
    assert known.findings == ()
    assert set(known.blocklists) == {"blocked", "keys/more"}
    assert known.blocked_keys == {
        KEY: f"leaked in incident 42 ({BLOCKED})",
        OTHER: "of a test (policies/keys/more.yaml)",
    }
    assert set(known.policies) == {"internal-server"}


def test_without_a_blocklist_no_key_is_blocked() -> None:
    assert governing(TREE).blocked_keys == {}


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        (f'{{key: ‸"{KEY.upper()}", reason: x}}', "document.key-identifier"),
        (f'{{key: ‸"{KEY[:-1]}", reason: x}}', "document.key-identifier"),
        (f'{{key: "{KEY}", reason: ‸""}}', "document.value"),
        (f'‸{{key: "{KEY}"}}', "document.missing-key"),
        (f'{{key: "{KEY}", reason: x, ‸since: x}}', "document.unknown-key"),
    ],
)
def test_a_mistake_in_an_entry_is_one_finding_at_its_place(entry: str, rule: str) -> None:
    text, place = marked(blocklist(entry))
    found = only_finding(text)
    assert found.startswith(f"x.yaml:{place}: ")
    assert f"({rule})" in found


def test_a_key_that_stands_twice_is_a_finding() -> None:
    text, place = marked(
        blocklist(f'{{key: "{KEY}", reason: one}}', f'{{key: ‸"{KEY}", reason: two}}')
    )
    assert only_finding(text) == (
        f"x.yaml:{place}: key {KEY} stands already as entry 1; allowed is once"
        " (blocklist.duplicate); remove one of the two"
    )


@pytest.mark.parametrize(
    "broken",
    [
        BLOCKLIST.replace("leaked in incident 42", ""),
        BLOCKLIST.replace("KeyBlocklist", "KeyBlockList"),
        BLOCKLIST.replace("kind: KeyBlocklist\n", ""),
        BLOCKLIST.replace("spec:", "spec: ["),
        "kind: KeyBlocklist\n",
        BLOCKLIST.replace("apiVersion: gitca/v1", "apiVersion: gitca/v2"),
        BLOCKLIST + "#" * 300_000,
    ],
    ids=["reason", "kind misspelt", "no kind", "no YAML", "no spec", "version", "too large"],
)
def test_a_blocklist_that_cannot_be_read_holds_up_every_policy(broken: str) -> None:
    known = governing({**TREE, BLOCKED: broken})
    assert known.policies == {}
    assert {BLOCKED, "policies/internal-server.yaml"} <= known.broken
    (held,) = [found for found in known.findings if found.rule == "policy.blocklist.broken"]
    assert str(held) == (
        "policies/internal-server.yaml:8:8: the key blocklist policies/blocked.yaml has findings,"
        " and nobody can tell which keys it refuses (policy.blocklist.broken); mend"
        " policies/blocked.yaml first"
    )


HELD = "policy.blocklist.broken"


def rules_found(known: Governing) -> set[str]:
    return {finding.rule for finding in known.findings}


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (BLOCKLIST.encode() + b"#" * 1024**2, "document.size"),
        (bytes(1024**2 + 1), "document.size"),
        (b"#" * (1024**2 + 1), "document.size"),
        (BLOCKLIST.encode("utf-16"), "yaml.encoding"),
        (BLOCKLIST.encode("utf-16-le"), "yaml.control-character"),
        (b"K\0e\0y\0", "yaml.control-character"),
        ("kind: IssuancePolicy # \xe9".encode("latin-1"), "yaml.encoding"),
    ],
    ids=["above a mebibyte", "as the store gives it", "nothing seen of it", "UTF-16 with BOM",
         "UTF-16", "NUL", "Latin-1"],
)  # fmt: skip
def test_what_cannot_be_searched_may_be_a_blocklist(data: bytes, rule: str) -> None:
    known = governing({**TREE, BLOCKED: data})
    assert known.policies == {}
    assert rules_found(known) == {rule, HELD}


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("policies/blocked.yml", "path.extension"),
        ("policies/blocked.YAML", "path.extension"),
        ("policies/_blocked.yaml", "path.characters"),
        ("policies/_block\ned.yaml", "path.characters"),
        ("policies/" + "b" * 201 + ".yaml", "path.length"),
        ("policies/x.yaml/blocked.yaml", "path.reserved"),
        ("policies/Internal-Server.yaml/blocked.yml", "path.extension"),
        ("policies/waivers/blocked.yaml", "document.kind"),
        ("policies/blocked.tests.yaml", "document.kind"),
        ("policies/waivers/blocked.tests.yaml", "document.kind"),
    ],
)
def test_a_blocklist_of_a_wrong_name_holds_up_every_policy(path: str, rule: str) -> None:
    known = governing({**TREE, path: BLOCKLIST})
    assert known.policies == {}
    assert path in known.broken
    assert {rule, HELD} <= rules_found(known)
    assert all("\n" not in str(finding) for finding in known.findings)


def test_a_blocklist_that_another_documents_name_clashes_with_holds_up_every_policy() -> None:
    known = governing({**TREE, "policies/Blocked.yaml": POLICY, BLOCKED: BLOCKLIST})
    assert known.policies == {}
    assert BLOCKED in known.broken
    assert rules_found(known) == {"path.case", HELD}


@pytest.mark.parametrize(("mode", "rule"), [("120000", "path.symlink"),
                                            ("160000", "path.submodule")])  # fmt: skip
@pytest.mark.parametrize("path", [BLOCKED, "policies/blocked", "policies/blocked.tests.yaml"])
def test_a_link_in_the_place_of_a_blocklist_holds_up_every_policy(
    path: str, mode: str, rule: str
) -> None:
    listing = [*entries(TREE), TreeEntry(path, mode, "of nothing that could be read")]
    known = load_governing(listing, reader(TREE))
    assert known.policies == {}
    assert rules_found(known) == {rule, HELD}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (POLICY, "document.kind"),
        ("", "document.type"),
        (TESTS + "kind: PolicyTests\n", "yaml.duplicate-key"),
        (TESTS.replace("spec:", "spec: ["), "yaml.syntax"),
    ],
    ids=["policy", "nothing", "kind twice", "no YAML"],
)
def test_what_is_named_as_tests_and_is_none_is_a_finding(text: str, rule: str) -> None:
    path = "policies/other.tests.yaml"
    known = governing({**TREE, path: text})
    assert path in known.broken
    assert rules_found(known) == {rule}
    assert set(known.policies) == {"internal-server"}
    listing = entries({path: text})
    assert load_policy_tests(listing, reader({path: text}), known).findings == ()


@pytest.mark.parametrize("path", ["policies/other.yml", "policies/_other.yaml"])
def test_another_document_of_a_wrong_name_holds_up_itself_alone(path: str) -> None:
    assert set(governing({**TREE, path: POLICY}).policies) == {"internal-server"}


@pytest.mark.parametrize("text", [TESTS, TESTS.replace("an api", "no key blocklist")])
def test_tests_and_other_files_hold_up_nothing(text: str) -> None:
    files = {"policies/x.tests.yaml": text, "policies/README.md": "A KeyBlocklist refuses keys."}
    known = governing({**TREE, **files})
    assert known.findings == ()
    assert set(known.policies) == {"internal-server"}


def test_another_broken_policy_holds_up_itself_alone() -> None:
    known = governing({**TREE, "policies/other.yaml": POLICY.replace("spec:", "spec: [")})
    assert set(known.policies) == {"internal-server"}


def with_key_rules(rules: str) -> str:
    """Return the policy whose rules about keys are these and one curve; a mark is kept."""
    line = next(line for line in POLICY.splitlines() if line.startswith("  key:"))
    algorithms = "algorithms: [{type: ecdsa, curves: [P-256]}]"
    return POLICY.replace(line, f"  key: {{{algorithms}, {rules}}}")


@pytest.mark.parametrize(
    "rules",
    [
        "csrHashes: [sha256]",
        "csrHashes: []",
        "csrHashes: [sha512-256, sha3-256, sha3-384, sha3-512]",
        "weakKeys: ignore",
        "reuse: allow",
        "reuse: sameRequest",
        "maxAge: 30d",
        "algorithms: [{type: rsa, exponents: [65537, 65539]}]",
    ],
)
def test_a_policy_may_say_of_keys(rules: str) -> None:
    text = with_key_rules(rules)
    if rules.startswith("algorithms"):
        text = text.replace("algorithms: [{type: ecdsa, curves: [P-256]}], ", "")
    document, findings = parsed(text)
    assert findings == ()
    assert document is not None


def test_what_a_policy_does_not_say_of_keys_is_the_careful_choice() -> None:
    document, _ = parsed(POLICY)
    key = document.spec.key
    assert key.csr_hashes == ("sha256", "sha384", "sha512")
    assert (key.weak_keys, key.reuse, key.max_age) == ("reject", "sameRequest", None)
    assert key.algorithms[1].exponents == (65537,)


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ("csrHashes: [‸sha1]", "sha1"),
        ("csrHashes: [‸md5]", "md5"),
        ("csrHashes: [‸SHA256]", "SHA256"),
        ("weakKeys: ‸warn", "warn"),
        ("reuse: ‸never", "never"),
        ("maxAge: ‸365", "365"),
        ("maxAge: ‸0d", "0d"),
        (
            "maxAge: ‸29d",
            "maxAge 29d is below validity.default less backdate, 43195m: no key is young enough"
            " (policy.key.maxAge)",
        ),
        (
            "reuse: ‸forbid",
            "reuse is forbid and renewal is automatic, which keeps the key: every renewal would be"
            " denied (policy.key.reuse); write sameRequest, or remove renewal.automatic",
        ),
    ],
)
def test_a_mistake_in_rules_about_keys_is_one_finding_at_its_place(rules: str, says: str) -> None:
    text, place = marked(with_key_rules(rules))
    found = only_finding(text)
    assert found.startswith(f"x.yaml:{place}: ")
    assert says in found


def test_reuse_may_be_forbidden_where_nothing_is_renewed_by_itself() -> None:
    text = with_key_rules("reuse: forbid").replace(
        "  renewal: {automatic: true, before: 10d}\n", ""
    )
    assert parsed(text)[1] == ()


@pytest.mark.parametrize("exponent", ["3", "65536", "65538", "-65537", "0"])
def test_an_exponent_below_65537_or_even_cannot_be_listed(exponent: str) -> None:
    text, place = marked(
        with_key_rules(f"algorithms: [{{type: rsa, exponents: [‸{exponent}]}}]").replace(
            "algorithms: [{type: ecdsa, curves: [P-256]}], ", ""
        )
    )
    assert only_finding(text) == (
        f"x.yaml:{place}: exponent {exponent} is not an odd number from 65537 on (FIPS 186-5"
        " section 5.4) (policy.key.exponent); write 65537, which every tool uses"
    )
