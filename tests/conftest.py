"""What the tests of every area share: a Git that obeys no one's configuration, and golden files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

# Whole repositories, the AWS of the tests and an external CA, for whoever asks for them.
pytest_plugins = ["ca_fixtures", "aws_fixtures", "external_parent"]

GOLDEN = Path(__file__).parent / "golden"
LONGEST_ID = 40
GIT_CONFIGURATION = """\
[user]
\tname = Test
\temail = test@example.com
[init]
\tdefaultBranch = main
[commit]
\tgpgSign = false
"""

# No deadline: on a busy machine a slow example says nothing. CI draws the same examples every time.
hypothesis.settings.register_profile("gitca", deadline=None, print_blob=True)
hypothesis.settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "gitca")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite tests/golden/ with what the commands print now",
    )
    parser.addoption(
        "--long",
        action="store_true",
        help="go deeper than `make test` has time for (make reliability)",
    )


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name cases with binary values after the argument: pytest's own ids would be unreadable.

    Where the value is random, as a key is, the ids would also differ between the workers of xdist,
    which refuse to run then.
    """
    if isinstance(val, bytes) and not (len(val) <= LONGEST_ID and val.isascii()):
        return argname
    return None


@pytest.fixture(scope="session", autouse=True)
def hermetic_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the developer's home, Git configuration, language and gitca settings out of the tests.

    A hook that runs the tests sets GIT_DIR, which would aim every `git` here at the wrong
    repository.
    """
    home = tmp_path_factory.mktemp("home")
    configuration = home / "gitconfig"
    configuration.write_text(GIT_CONFIGURATION)
    with pytest.MonkeyPatch.context() as patch:
        kept = {"GITCA_REQUIRE_ALL"}
        for name in os.environ:
            if name.startswith(("GIT_", "GITCA_")) and name not in kept:
                patch.delenv(name)
        for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "SOURCE_DATE_EPOCH", "LANGUAGE"):
            patch.delenv(name, raising=False)
        patch.setenv("HOME", str(home))
        patch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
        patch.setenv("GIT_CONFIG_GLOBAL", str(configuration))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        patch.setenv("GIT_TERMINAL_PROMPT", "0")
        patch.setenv("LC_ALL", "C.UTF-8")
        patch.setenv("TZ", "UTC")
        yield


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with tests/golden/NAME, or rewrite that file under --update-golden."""
    rewrite = request.config.getoption("--update-golden")

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if rewrite:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        if not path.exists():
            pytest.fail(f"tests/golden/{name} is missing; write it with pytest --update-golden")
        assert text == path.read_text(encoding="utf-8"), "pytest --update-golden rewrites it"

    return compare
