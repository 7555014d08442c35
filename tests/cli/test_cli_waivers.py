"""Waivers and requesters as the command line tells them."""

from __future__ import annotations

import json

from cli_command import Command

WAIVER = """\
apiVersion: gitca/v1
kind: Waiver
spec:
  request: payments/api
  rule: sans.dns.allow
  until: {until}
  reason: the old name is still in use
"""


def save(command: Command, path: str, text: str) -> None:
    target = command.folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    command.git("add", "-A")
    command.git("commit", "--quiet", "-m", "change")


def test_status_lists_waivers_in_force_and_ended(lived_in: Command) -> None:
    save(lived_in, "policies/waivers/a.yaml", WAIVER.format(until="2099-01-01T00:00:00Z"))
    save(lived_in, "policies/waivers/b.yaml", WAIVER.format(until="2020-01-01T00:00:00Z"))
    listed = json.loads(lived_in.runs("status", "--format", "json"))["waivers"]
    assert [(item["about"], item["when"]) for item in listed] == [
        ("payments/api", "2020-01-01T00:00:00Z"),
        ("payments/api", "2099-01-01T00:00:00Z"),
    ]
    assert "has ended" in listed[0]["why"]
    assert "is in force (policies/waivers/a.yaml: the old name is still in use)" in listed[1]["why"]
    text = lived_in.runs("status")
    assert "Waivers\n" in text
    assert "its waiver of sans.dns.allow is in force" in text


def test_validate_tells_a_waiver_that_ended_and_one_that_nothing_needs(lived_in: Command) -> None:
    for name, until in (("a", "2099-01-01T00:00:00Z"), ("b", "2020-01-01T00:00:00Z")):
        save(lived_in, f"policies/waivers/{name}.yaml", WAIVER.format(until=until))
    found = json.loads(lived_in.runs("validate", "--format", "json"))["findings"]
    assert {(item["rule"], item["file"], item["severity"]) for item in found} == {
        ("waiver.unused", "policies/waivers/a.yaml", "warning"),
        ("waiver.ended", "policies/waivers/b.yaml", "warning"),
    }


def test_validate_says_that_only_a_commit_tells_who_asks(lived_in: Command) -> None:
    policy = lived_in.folder / "policies/internal-server.yaml"
    selector, asking = "  selector:\n", "    requesters: {authors: ['*@example.com']}\n"
    text = policy.read_text()
    assert selector in text
    policy.write_text(text.replace(selector, selector + asking))
    found = json.loads(lived_in.runs("validate", "--format", "json"))["findings"]
    assert {(item["rule"], item["severity"]) for item in found} == {("selector.requesters", "note")}
    assert len(found) == 2


def test_validate_finds_an_expression_that_does_not_compile_though_nobody_asks_for_it(
    lived_in: Command,
) -> None:
    policy = lived_in.folder / "policies/internal-server.yaml"
    rules = "  rules: [{name: a, expression: 'reqest.name', message: m}]"
    text = policy.read_text().replace("  issuer: issuing", f"  issuer: issuing\n{rules}")
    (lived_in.folder / "policies/spare.yaml").write_text(text)
    ran = lived_in("validate", "--format", "json")
    assert ran.code == 1
    found = json.loads(ran.out)["findings"]
    assert [(item["rule"], item["file"]) for item in found] == [
        ("policy.rules.expression", "policies/spare.yaml")
    ]
