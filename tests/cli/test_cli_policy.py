"""gitca policy: tests, explanation, verdicts rule by rule, and what a change would do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_command import Command, Run

from ca_documents import GOVERNING, document, policy, request

Golden = Callable[[str, str], None]
Masked = Callable[[str], str]

POLICY = policy(
    selector={"paths": ["payments/**"]},
    sans={"dns": {"allow": ["**.example.internal"], "deny": ["vault.example.internal"], "max": 3}},
)
CASES = [
    {
        "name": "an api is allowed",
        "request": {
            "name": "payments/api",
            "spec": {
                "subject": {"commonName": "api.example.internal"},
                "sans": {"dns": ["api.example.internal"]},
                "key": {"type": "ecdsa", "curve": "P-256"},
            },
        },
        "expect": "allow",
    },
    {
        "name": "another domain is denied",
        "request": {"name": "payments/x", "spec": {"sans": {"dns": ["x.example.com"]}}},
        "expect": ["sans.dns.allow"],
    },
]
WRONG = {
    "name": "a long life is allowed",
    "request": {
        "name": "payments/x",
        "spec": {"sans": {"dns": ["x.example.internal"]}, "validity": "400d"},
    },
    "expect": "allow",
}


def cases(*more: object, policy: str = "server") -> str:
    return document("PolicyTests", {"policy": policy, "cases": [*CASES, *more]})


FILES = {
    **GOVERNING,
    "policies/server.yaml": POLICY,
    "policies/server.tests.yaml": cases(),
    "requests/payments/api.yaml": request("api", "api.example.internal"),
}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write documents, with changes, into a folder, and go there."""

    def write(changes: dict[str, str] | None = None) -> Path:
        for path, text in (FILES | (changes or {})).items():
            place = tmp_path / "repository" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        monkeypatch.chdir(tmp_path / "repository")
        monkeypatch.setenv("COLUMNS", "100")
        return tmp_path / "repository"

    return write


Tree = Callable[..., Path]


def test_tests_that_pass_are_counted_with_what_no_case_exercises(
    run: Run, tree: Tree, golden: Golden
) -> None:
    tree()
    code, out, _ = run("policy", "test")
    assert code == 0
    golden("cli/policy-test.txt", out)


def test_a_failing_case_is_told_at_its_place_and_exits_with_1(
    run: Run, tree: Tree, golden: Golden
) -> None:
    tree({"policies/server.tests.yaml": cases(WRONG)})
    code, out, _ = run("policy", "test", "server")
    assert code == 1
    golden("cli/policy-test-failing.txt", out)
    quiet = run("--quiet", "policy", "test")
    assert (quiet[0], quiet[1].count("\n")) == (1, 1)


def test_tests_are_json_too(run: Run, tree: Tree) -> None:
    tree({"policies/server.tests.yaml": cases(WRONG)})
    code, out, _ = run("policy", "test", "--format", "json")
    answer = json.loads(out)
    (tested,) = answer["policies"]
    assert (code, tested["policy"]) == (1, "server")
    assert [case["passed"] for case in tested["cases"]] == [True, True, False]
    failing = tested["cases"][2]
    assert (failing["expected"], failing["seen"]) == ("allow", ["validity.max"])
    assert (failing["file"], failing["line"] > 1) == ("policies/server.tests.yaml", True)
    assert "sans.dns.max" in tested["unexercised"]
    assert "sans.dns.allow" in tested["rules"]
    assert "sans.dns.allow" not in tested["unexercised"]
    assert [finding["rule"] for finding in answer["findings"]] == ["tests.case"]


def test_validate_runs_the_tests(run: Run, tree: Tree) -> None:
    tree({"policies/server.tests.yaml": cases(WRONG)})
    code, out, _ = run("validate")
    assert code == 1
    assert "policies/server.tests.yaml:" in out
    assert "(tests.case)" in out
    assert run("validate", "policies/server.yaml")[0] == 1
    assert run("validate", "policies/server.tests.yaml")[0] == 1
    assert run("validate", "requests")[0] == 0
    assert run("validate", "ca")[0] == 0


def test_tests_in_which_something_is_wrong_are_findings(run: Run, tree: Tree) -> None:
    tree({"policies/server.tests.yaml": cases(policy="serve")})
    code, out, _ = run("policy", "test")
    assert code == 1
    assert "(tests.policy.unknown)" in out
    assert "server: no tests" in out
    assert "write server" in out


def test_a_broken_policy_is_told_and_not_tested(run: Run, tree: Tree) -> None:
    tree({"policies/server.yaml": policy(colour="red")})
    code, out, _ = run("policy", "test")
    assert code == 1
    assert "(document.unknown-key)" in out
    assert "(tests.policy.broken)" in out


@pytest.mark.parametrize("command", [("test",), ("explain",)])
def test_a_policy_that_is_not_there_is_wrong_usage(
    run: Run, tree: Tree, command: tuple[str, ...]
) -> None:
    tree()
    code, _, err = run("policy", *command, "serve")
    assert code == 2
    assert "there is no policy 'serve'; there is server; write server" in err


def test_a_policy_is_explained_in_sentences(run: Run, tree: Tree, golden: Golden) -> None:
    tree()
    code, out, _ = run("policy", "explain", "server")
    assert code == 0
    golden("cli/policy-explain.txt", out)
    code, out, _ = run("policy", "explain", "server", "--format", "json")
    answer = json.loads(out)
    assert (answer["policy"], answer["file"]) == ("server", "policies/server.yaml")
    assert {"Subject", "Keys", "Validity"} <= {part["title"] for part in answer["sections"]}
    assert all(part["sentences"] for part in answer["sections"])


def test_a_broken_policy_is_not_explained_but_its_findings_are_told(run: Run, tree: Tree) -> None:
    tree({"policies/server.yaml": policy(colour="red")})
    code, out, err = run("policy", "explain", "server")
    assert (code, out) == (1, "")
    assert "policies/server.yaml:" in err
    assert "document.unknown-key" in err


def test_each_rule_of_a_request_is_told(run: Run, tree: Tree, golden: Golden) -> None:
    denied = request("api", "api.example.com", validity="400d")
    tree({"requests/payments/api.yaml": denied})
    code, out, _ = run("policy", "check", "payments/api")
    assert code == 1
    golden("cli/policy-check-denied.txt", out)
    code, out, _ = run("policy", "check", "payments/api", "--format", "json")
    answer = json.loads(out)
    assert (code, answer["verdict"], answer["policy"]) == (1, "denied", "server")
    by_rule = {row["rule"]: row for row in answer["rules"]}
    assert by_rule["validity.max"]["verdict"] == "denied"
    assert by_rule["selector.paths"]["verdict"] == "allowed"
    assert by_rule["sans.dns.max"]["verdict"] == "allowed"
    assert by_rule["key.maxAge"] == {
        "rule": "key.maxAge",
        "verdict": "not asked",
        "reason": "policy server does not say it",
    }


def test_a_request_that_is_allowed_is_checked_with_0(run: Run, tree: Tree) -> None:
    tree()
    code, out, _ = run("policy", "check", "payments/api")
    assert code == 0
    assert out.startswith("requests/payments/api.yaml: allowed by policy server\n")
    assert "denied" not in out


def test_a_request_without_a_sound_document_has_findings_and_no_rules(run: Run, tree: Tree) -> None:
    tree({"requests/payments/api.yaml": request("api", "api.example.internal", policy="serve")})
    code, out, _ = run("policy", "check", "payments/api")
    assert code == 1
    assert "(request.policy.unknown)" in out
    assert "not asked" not in out
    code, _, err = run("policy", "check", "nobody")
    assert code == 2
    assert "there is no requests/nobody.yaml" in err


@pytest.fixture
def changed(lived_in: Command) -> Command:
    """A repository whose working tree has a stricter policy than its last commit."""
    place = lived_in.folder / "policies" / "internal-server.yaml"
    text = place.read_text()
    assert 'deny: ["pki.example.internal"]' in text
    place.write_text(text.replace('deny: ["pki.', 'deny: ["api.example.internal", "pki.'))
    return lived_in


def test_diff_says_what_the_working_tree_would_do(
    changed: Command, golden: Golden, masked: Masked
) -> None:
    out = changed.runs("policy", "diff", "HEAD")
    golden("cli/policy-diff.txt", masked(out))
    record = json.loads(changed.runs("policy", "diff", "main", "--format", "json"))
    assert (record["policies"], record["judged"]) == (["internal-server"], 2)
    assert (record["denied"]["count"], record["denied"]["certificates"]) == (1, 1)
    assert record["denied"]["byFolder"] == {"payments/": 1}
    (request,) = record["denied"]["requests"]
    assert request["request"] == "payments/api"
    assert [finding["rule"] for finding in request["findings"]] == ["sans.dns.deny"]
    assert record["admitted"]["count"] == record["reissued"]["count"] == 0


def test_diff_lists_no_more_than_it_is_told(changed: Command) -> None:
    out = changed.runs("policy", "diff", "HEAD", "--most", "0")
    assert "would deny 1 request with 1 live certificate (payments/: 1)" in out
    assert "… and 1 more" in out
    assert "requests/payments/api.yaml" not in out


def test_diff_without_a_change_says_so_and_an_unknown_base_is_wrong_usage(
    lived_in: Command,
) -> None:
    assert "nothing: every request fares as before" in lived_in.runs("policy", "diff", "HEAD")
    answer = lived_in("policy", "diff", "nowhere")
    assert answer.code == 2
    assert "there is no commit 'nowhere'" in answer.err


def test_plan_on_a_base_shows_what_a_change_of_policies_would_do(
    changed: Command, golden: Golden, masked: Masked
) -> None:
    changed.git("checkout", "--quiet", "-b", "stricter")
    changed.git("commit", "--quiet", "-a", "-m", "stricter")
    out = changed.runs("plan", "--base", "main")
    golden("cli/plan-base-policy.txt", masked(out[out.index("note: ") :]))
    record = json.loads(changed.runs("plan", "--base", "main", "--format", "json"))
    assert record["whatIf"]["denied"]["count"] == 1
    plain = json.loads(changed.runs("plan", "--format", "json", code=1))
    assert "whatIf" not in plain


def test_plan_on_a_base_finds_what_is_wrong_with_the_new_policies(lived_in: Command) -> None:
    lived_in.git("checkout", "--quiet", "-b", "broken")
    place = lived_in.folder / "policies" / "internal-server.yaml"
    text = place.read_text()
    place.write_text(text.replace("[serverAuth]\n  ex", "[serverAuth]\n  colour: red\n  ex", 1)
                     if "[serverAuth]\n  ex" in text else text + "  colour: red\n")  # fmt: skip
    lived_in.git("commit", "--quiet", "-a", "-m", "broken")
    out = lived_in.runs("plan", "--base", "main", code=1)
    assert "(document.unknown-key)" in out
    assert "would deny 2 requests with 1 live certificate" in out
    place.write_text(text.replace('paths: ["**"]', "paths: []"))
    lived_in.git("commit", "--quiet", "-a", "-m", "a policy of nothing")
    out = lived_in.runs("plan", "--base", "main", code=1)
    assert "(policy internal-server, policy.selector)" in out


@pytest.mark.parametrize(
    ("changes", "rule", "code"),
    [
        ({"selector": {"paths": []}}, "policy.selector", 1),
        ({"selector": {"paths": ["orders/**"]}}, "policy.selector", 0),
        ({"sans": {"dns": {"allow": ["a.example.internal"], "deny": ["**"]}}}, "policy.allow", 1),
        ({"subject": {"country": {"fixed": "GBR"}}}, "policy.subject.value", 1),
        ({"keyUsage": {"default": ["keyEncipherment"]}}, "policy.keyUsage", 1),
        ({"validity": {"default": "91d", "max": "90d"}}, "policy.validity.order", 1),
        (
            {"rules": [{"name": "r", "expression": "nobody == 1", "message": "m"}]},
            "policy.rules.expression",
            1,
        ),
    ],
)
def test_validate_finds_what_is_wrong_with_a_policy(
    run: Run, tree: Tree, changes: dict[str, object], rule: str, code: int
) -> None:
    root = tree({"policies/server.yaml": policy(**changes)})
    (root / "policies/server.tests.yaml").unlink()
    (root / "requests/payments/api.yaml").unlink()
    (root / "requests/other.yaml").write_text(
        document("RevocationRequest", {"reason": "superseded", "key": "sha256:" + "ab" * 32})
    )
    found, out, _ = run("validate")
    assert f"{rule})" in out
    assert found == code


@pytest.mark.parametrize(
    ("line", "offered", "not_offered"),
    [
        ("gitca policy ", {"test", "explain", "check", "diff"}, set()),
        ("gitca policy explain ", {"server"}, {"server.tests"}),
        ("gitca policy test s", {"server"}, {"server.tests"}),
        ("gitca policy check pay", {"payments/api"}, set()),
    ],
)
def test_the_shell_completes_policies_and_requests(
    tree: Tree, line: str, offered: set[str], not_offered: set[str]
) -> None:
    count = str(len(line.split(" ")) - 1)
    command = Command(tree())
    answer = command(_GITCA_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=count)
    words = set(answer.out.split())
    assert offered <= words
    assert not words & not_offered
