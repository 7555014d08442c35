"""What doctor says, for tests to ask."""

from __future__ import annotations

import json

from cli_command import Command

Checks = dict[str, dict[str, str]]


def doctor(command: Command, *arguments: str, code: int = 0, **environment: str) -> Checks:
    """What doctor says of each thing, by what it is about (`root key`)."""
    answer = command("doctor", "--format", "json", *arguments, **environment)
    assert answer.code == code, answer.out + answer.err
    record = json.loads(answer.out)
    assert record["fit"] is (code == 0)
    return {
        f"{check['ca']} {check['about']}" if check["ca"] else check["about"]: check
        for check in record["checks"]
    }


def not_ok(checks: Checks) -> dict[str, str]:
    return {name: c["outcome"] for name, c in checks.items() if c["outcome"] != "ok"}
