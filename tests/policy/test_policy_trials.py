"""The tests of policies: judged as requests are, and told where they fail."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from policy_material import NOW, POLICY, changed, csr, governing

from gitca.cli.throwaway import throwaway_csr
from gitca.documents.load import Governing, TreeEntry
from gitca.documents.load_tests import LoadedTests, load_policy_tests
from gitca.policy.trials import TrialBench, TrialReport
from gitca.x509.csr import parse_csr
from gitca.x509.keys import KEY_SPECS, KeyDescription
from gitca.x509.template import spki_identifier

PATH = "policies/internal-server.tests.yaml"
HEAD = """\
apiVersion: gitca/v1
kind: PolicyTests
spec:
  policy: internal-server
  cases:
"""
API = "name: payments/api, spec: {sans: {dns: [api.example.internal]}"


def loaded(text: str, documents: Governing) -> LoadedTests:
    entries = [TreeEntry(PATH, "100644", PATH)]
    return load_policy_tests(entries, lambda _: text.encode(), documents)


def run(*cases: str, policy: str = POLICY, refused: dict[str, str] | None = None) -> TrialReport:
    documents = governing(policy)
    text = HEAD + "".join(f"    - {{{case}}}\n" for case in cases)
    tests = loaded(text, documents)
    assert not tests.findings, "\n".join(map(str, tests.findings))
    bench = TrialBench(
        policy=documents.policies["internal-server"],
        authority=documents.authorities["issuing"],
        make_csr=throwaway_csr,
        now=NOW,
        refused_keys=refused or {},
    )
    return bench.report(tests.documents.values())


def seen(case: str, **options: object) -> set[str]:
    (trial,) = run(case, **options).trials
    return set(trial.seen)


def test_a_case_that_is_allowed_as_expected_passes() -> None:
    report = run(f"name: a, request: {{{API}}}}}, expect: allow")
    assert report.failures == ()
    assert report.trials[0].has_passed


def test_a_case_that_is_denied_by_exactly_the_rules_expected_passes() -> None:
    case = (
        "name: a, request: {name: payments/api, spec: {sans: {dns: [x.example.com]},"
        " validity: 400d}}, expect: [validity.max, sans.dns.allow]"
    )
    assert run(case).failures == ()


@pytest.mark.parametrize(
    ("expect", "words"),
    [
        ("allow", "expects allow; seen: sans.dns.allow (sans.dns.allow: DNS name “x.example.com”"),
        ("[validity.max]", "expects validity.max; seen: sans.dns.allow (sans.dns.allow: DNS"),
        (
            "[sans.dns.allow, validity.max]",
            "expects sans.dns.allow, validity.max; seen: sans.dns.allow",
        ),
    ],
)
def test_a_case_that_fails_is_a_finding_at_its_expectation(expect: str, words: str) -> None:
    denied = "name: payments/api, spec: {sans: {dns: [x.example.com]}}"
    case = f"name: another domain, request: {{{denied}}}, expect: {expect}"
    (failure,) = run(case).failures
    assert (failure.rule, failure.is_error) == ("tests.case", True)
    assert str(failure.location) == f"{PATH}:6:{len('    - {' + case) - len(expect) + 1}"
    assert failure.message.startswith("case “another domain” " + words)


def test_findings_of_a_case_stand_at_its_place_in_the_tests() -> None:
    case = "name: a, request: {name: payments/a, spec: {sans: {dns: [x.example.com]}}}"
    (trial,) = run(case + ", expect: allow").trials
    (finding,) = trial.findings
    assert str(finding.location) == f"{PATH}:6:{('    - {' + case).index('x.example.com') + 1}"


@pytest.mark.parametrize(
    ("key", "rules"),
    [
        ("{type: ecdsa, curve: P-256}", set()),
        ("{type: ecdsa, curve: P-384}", {"key.algorithms"}),
        ("{type: rsa, bits: 2048}", set()),
        ("{type: rsa, bits: 1024}", {"key.algorithms"}),
        ("{type: rsa, exponent: 3}", {"key.algorithms.exponents"}),
        ("{type: ed25519}", {"key.algorithms"}),
        ("{type: ml-dsa, parameterSet: ML-DSA-44}", {"key.algorithms"}),
    ],
)
def test_a_case_states_what_kind_of_key_it_is_about(key: str, rules: set[str]) -> None:
    expect = f"[{', '.join(rules)}]" if rules else "allow"
    assert seen(f"name: a, request: {{{API}, key: {key}}}}}, expect: {expect}") == rules


def test_without_a_key_a_case_is_about_one_that_the_policy_allows() -> None:
    only_rsa = changed(POLICY, ("{type: ecdsa, curves: [P-256]}, ", ""))
    case = f"name: a, request: {{{API}}}}}, expect: allow"
    assert seen(case, policy=only_rsa) == set()


def test_a_case_may_have_a_csr_of_its_own() -> None:
    pem = csr((), ("dns:other.example.internal",)).decode()
    quoted = '"' + pem.replace("\n", "\\n") + '"'
    case = f"name: a, request: {{{API}, csr: {quoted}}}}}, expect: [csr.sans]"
    assert seen(case) == {"csr.sans"}
    broken = f"name: a, request: {{{API}, csr: nonsense}}}}, expect: [csr.format]"
    assert seen(broken) == {"csr.format"}


def test_keys_on_a_blocklist_are_refused_in_cases_too() -> None:
    key = spki_identifier(parse_csr(throwaway_csr(KEY_SPECS["P-256"]).encode()).spki_der)
    case = f"name: a, request: {{{API}}}}}, expect: [key.refused]"
    assert seen(case, refused={key: "leaked"}) == {"key.refused"}


def test_a_case_has_a_path_labels_and_requesters() -> None:
    policy = changed(
        POLICY,
        ('paths: ["payments/**"]', 'paths: ["payments/**"], labels: {team: pay},'
         ' requesters: {authors: ["*@example.com"]}'),
    )  # fmt: skip
    metadata = "metadata: {labels: {team: pay}}, requester: {author: jo@example.com}"
    assert seen(f"name: a, request: {{{metadata}, {API}}}}}, expect: allow", policy=policy) == set()
    others = "requester: {author: jo@example.org}, spec: {sans: {dns: [a.example.internal]}}"
    assert seen(f"name: a, request: {{{others}}}, expect: [x]", policy=policy) == {
        "selector.paths",
        "selector.labels",
        "selector.requesters.authors",
    }


def test_a_case_may_be_of_another_moment() -> None:
    policy = changed(POLICY, ("max: 90d", "max: 90d, latestNotAfter: 2027-01-31T00:00:00Z"))
    case = f"name: a, request: {{{API}}}}}, expect: allow"
    assert seen(case, policy=policy) == set()
    later = f"{case}, now: 2027-01-15T00:00:00Z"
    assert seen(later, policy=policy) == {"validity.latestNotAfter"}


def test_a_case_of_a_moment_outside_of_the_hours_sees_their_rule() -> None:
    windows = "windows: [{days: [mon], hours: '08:00-18:00'}]"
    policy = changed(POLICY, ("max: 90d", f"max: 90d, {windows}"))
    case = f"name: a, request: {{{API}}}}}, expect: allow"
    assert seen(case, policy=policy) == set(), "without a moment of its own, hours are not asked"
    assert datetime(2026, 12, 1, tzinfo=UTC).weekday() == 1
    assert seen(f"{case}, now: 2026-12-01T10:00:00Z", policy=policy) == {"validity.windows"}
    assert seen(f"{case}, now: 2026-11-30T10:00:00Z", policy=policy) == set()


def test_the_age_of_the_ca_decides_nothing() -> None:
    case = f"name: a, request: {{{API}}}}}, expect: allow"
    assert seen(f"{case}, now: 2099-01-01T00:00:00Z") == set()


def test_rules_that_no_case_is_denied_by_are_told() -> None:
    report = run(
        f"name: a, request: {{{API}}}}}, expect: allow",
        "name: b, request: {name: payments/a, spec: {sans: {dns: [x.example.com]}}},"
        " expect: [sans.dns.allow]",
        "name: c, request: {name: other, spec: {sans: {dns: [vault.example.internal]},"
        " validity: 400d}}, expect: [selector.paths, sans.dns.deny, validity.max]",
    )
    assert report.failures == ()
    told = set(report.unexercised)
    assert told == set(report.configured) - {
        "sans.dns.allow",
        "selector.paths",
        "sans.dns.deny",
        "validity.max",
    }
    assert "key.algorithms" in told


def test_the_size_of_a_throwaway_key_is_bounded() -> None:
    policy = changed(
        POLICY, ("{type: ecdsa, curves: [P-256]}, {type: rsa, minBits: 2048, maxBits: 4096}",
                 "{type: rsa, minBits: 16384}"),
    )  # fmt: skip
    case = f"name: a, request: {{{API}}}}}, expect: [key.algorithms]"
    assert seen(case, policy=policy) == {"key.algorithms"}


@pytest.mark.parametrize("spec", KEY_SPECS)
def test_a_throwaway_csr_is_on_the_kind_of_key_that_was_asked_for(spec: str) -> None:
    key = KEY_SPECS[spec]
    found = parse_csr(throwaway_csr(key).encode())
    assert found.key == key
    assert (found.subject, found.sans) == ((), ())
    assert throwaway_csr(KeyDescription(key.type, key.size, key.curve, key.exponent)) is (
        throwaway_csr(key)
    )


@pytest.mark.parametrize(
    ("line", "rule", "words"),
    [
        ("name: a, expect: []", "tests.expect", "an empty list"),
        ("name: a, expect: deny", "tests.expect", "allowed are allow and a list"),
        ("name: a", "document.missing-key", "expect"),
        ("name: a, expect: allow, request: {spec: {policy: p}}", "document.unknown-key", "policy"),
        ("name: a, expect: allow, request: {spec: {csrFile: a.csr}}", "document.unknown-key", ""),
        (
            "name: a, expect: allow, request: {spec: {csr: x, key: {type: ed25519}}}",
            "tests.csr.both",
            "at most one",
        ),
        ("name: a, expect: allow, request: {spec: {validity: 3}}", "document.type", "duration"),
        ("name: a, expect: allow, request: {spec: {key: {type: dsa}}}", "document.value", "dsa"),
        ("name: a, expect: allow}\n    - {name: a, expect: allow", "tests.name.taken", "earlier"),
    ],
)
def test_what_is_wrong_with_a_case_is_a_finding_in_its_line(
    line: str, rule: str, words: str
) -> None:
    tests = loaded(f"{HEAD}    - {{{line}}}\n", governing())
    assert tests.documents == {}
    (finding,) = tests.findings
    assert finding.rule == rule
    assert words in finding.message
    assert finding.location.line in {6, 7}


@pytest.mark.parametrize(
    ("policy", "rule", "remedy"),
    [
        ("internal-serve", "tests.policy.unknown", "write internal-server"),
        ("zzz", "tests.policy.unknown", "name the policy that the cases are about"),
    ],
)
def test_tests_of_no_policy_are_a_finding(policy: str, rule: str, remedy: str) -> None:
    text = HEAD.replace("policy: internal-server", f"policy: {policy}")
    (finding,) = loaded(f"{text}    - {{name: a, expect: allow}}\n", governing()).findings
    assert (finding.rule, finding.location.line, finding.remedy) == (rule, 4, remedy)
