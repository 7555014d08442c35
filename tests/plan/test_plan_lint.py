"""What a policy makes of the linter's word: its level, and lints that it ignores until a date."""

from __future__ import annotations

from ca_documents import policy, request
from ca_world import Clone
from gitca.findings import Finding

API = "requests/payments/api.yaml"
NAME = "api.example.internal"
WARNED = "pkix.key_usage_extension_not_critical"
REFUSED = "pkix.subject_email_address_not_in_san"
LOOSE = {"keyUsage": {"default": ["digitalSignature"], "critical": False}}
MAILED = {"subject": {"email": {"allow": ["*@example.internal"]}}}
REQUEST = request("api", NAME)
MAILING = request("api", NAME, subject={"email": "pki@example.internal"})


def ignoring(lint: str, until: str) -> dict[str, object]:
    return {"ignore": [{"lint": lint, "reason": "an old appliance", "until": until}]}


def run(made: Clone, text: str, **spec: object) -> list[Finding]:
    """Reconcile the request under the policy with these changes; return what was found."""
    made.save({"policies/server.yaml": policy(**spec)})
    made.save({API: text})
    return list(made.reconcile().findings)


def is_issued(made: Clone) -> bool:
    return "payments/api" in made.state.requests


def test_by_default_a_warning_is_shown_and_stops_nothing(made: Clone) -> None:
    (finding,) = run(made, REQUEST, **LOOSE)
    assert (finding.rule, finding.severity.value) == (f"lint.{WARNED}", "warning")
    assert is_issued(made)


def test_at_level_warning_a_warning_stops_the_certificate(made: Clone) -> None:
    (finding,) = run(made, REQUEST, **LOOSE, lint={"level": "warning"})
    assert (finding.rule, finding.is_error) == (f"lint.{WARNED}", True)
    assert not is_issued(made)


def test_at_level_warning_what_the_linter_likes_is_issued(made: Clone) -> None:
    assert run(made, REQUEST, lint={"level": "warning"}) == []
    assert is_issued(made)


def test_an_error_stops_the_certificate(made: Clone) -> None:
    (finding,) = run(made, MAILING, **MAILED)
    assert (finding.rule, finding.is_error) == (f"lint.{REFUSED}", True)
    assert not is_issued(made)


def test_an_ignored_lint_stops_nothing_and_is_shown(made: Clone) -> None:
    (finding,) = run(made, MAILING, **MAILED, lint=ignoring(REFUSED, "2027-01-01T00:00:00Z"))
    assert (finding.rule, finding.severity.value) == (f"lint.{REFUSED}", "warning")
    assert finding.message.endswith(
        ": IGNORED by the policy until 2027-01-01T00:00:00Z (an old appliance)"
    )
    assert is_issued(made)
    assert made.verify().contradictions == []


def test_another_lint_is_not_ignored(made: Clone) -> None:
    run(made, MAILING, **MAILED, lint=ignoring(WARNED, "2027-01-01T00:00:00Z"))
    assert not is_issued(made)


def test_an_ignored_lint_counts_again_from_its_end_on_and_the_end_is_told(made: Clone) -> None:
    found = run(made, MAILING, **MAILED, lint=ignoring(REFUSED, "2026-11-24T12:00:00Z"))
    assert not is_issued(made)
    assert [(finding.rule, finding.location.file, finding.is_error) for finding in found] == [
        ("lint.ignore", "policies/server.yaml", False),
        (f"lint.{REFUSED}", API, True),
    ]
    assert "counts again" in found[0].message
