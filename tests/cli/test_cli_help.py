"""What --help teaches, and how fast the way to it is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from cli_command import SOURCES, Command, Run

from gitca import __version__
from gitca.cli.examples import EXAMPLES


@pytest.mark.parametrize("command", ["", *EXAMPLES])
def test_help_is_as_the_golden_file_has_it(
    run: Run, golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = run(*command.split(), "--help")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    golden(f"cli/help{'-' if command else ''}{command.replace(' ', '-')}.txt", out)


def test_every_command_ends_its_help_with_an_example(run: Run) -> None:
    for command in EXAMPLES:
        _, out, _ = run(*command.split(), "--help")
        assert f"gitca {command}" in out[out.rindex("\n  Example") :]


def test_examples_name_options_that_exist(run: Run) -> None:
    for command, text in EXAMPLES.items():
        _, out, _ = run(*command.split(), "--help")
        for word in text.split():
            if word.startswith("--"):
                assert f"{word} " in out[: out.rindex("\n  Example")], (command, word)


def test_the_version_is_the_packages_own(run: Run, gitca: Command) -> None:
    assert run("--version")[1] == f"gitca {__version__}\n"
    assert gitca.runs("--version") == f"gitca {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["--version"], ["typer", "pydantic", "cryptography", "yaml", "git", "rich"]),
        (["--help"], ["pydantic", "cryptography", "yaml", "git", "rich", "jsonschema"]),
        # The scaffold's policies have rules in CEL, whose package brings rich.
        (["validate"], ["git", "pkilint", "jsonschema", "boto3"]),
        (["list"], ["rich", "pkilint", "jsonschema", "boto3"]),
    ],
)
def test_a_command_imports_what_it_uses_and_no_more(
    scaffold: str, arguments: list[str], absent: list[str]
) -> None:
    script = (
        "import sys; from gitca.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"sys.stderr.write(' '.join(m for m in {absent!r} if m in sys.modules))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=scaffold,
        env={"PYTHONPATH": str(SOURCES), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    assert answer.stderr == ""


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("gitca val", ["validate"]),
        ("gitca show pay", ["payments/api"]),
        ("gitca show ", ["issuing", "root", "jobs/backup", "payments/api", "shop/web"]),
        ("gitca list --ca r", ["root"]),
        ("gitca request new x --policy internal-s", ["internal-server"]),
        ("gitca revoke jobs/b", ["jobs/backup"]),
        ("gitca list --format j", ["json"]),
    ],
)
def test_the_shell_completes_commands_and_names(
    standing: Command, line: str, offered: list[str]
) -> None:
    words = line.split(" ")
    answer = standing(
        _GITCA_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1)
    )
    assert answer.code == 0
    assert set(offered) <= set(answer.out.split())


def test_completion_outside_of_a_repository_offers_nothing(gitca: Command) -> None:
    answer = gitca(_GITCA_COMPLETE="complete_bash", COMP_WORDS="gitca show ", COMP_CWORD="2")
    assert answer.out.strip() == ""
    assert "Traceback" not in answer.err
