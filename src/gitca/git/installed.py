"""Git as it is installed, and GitPython, which runs it when it is imported."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from gitca.errors import UsageError

_OLDEST = (2, 39)  # what the tests run; --end-of-options, core.fsync and --batch-command need 2.36


def gitpython() -> ModuleType:
    """Return GitPython; importing it takes 60 ms and runs Git. Raises: ImportError without Git."""
    with _no_secrets():
        import git

    return git


def git_version() -> str:
    """Return the version of the Git that is run.

    Raises: UsageError where there is none, or an older one than the tests run.
    """
    missing = UsageError("Git is not on the PATH", remedy="install Git 2.39 or newer")
    try:
        git = gitpython()
    except ImportError as error:
        raise missing from error
    try:
        with _no_secrets():
            version = git.Git().version_info
    except git.GitError as error:  # GIT_PYTHON_REFRESH may have kept the import quiet
        raise missing from error
    seen = ".".join(str(number) for number in version)
    if version[:2] < _OLDEST:
        raise UsageError(f"Git is {seen}; 2.39 or newer is needed", remedy="install a newer Git")
    return seen


@contextmanager
def _no_secrets() -> Iterator[None]:
    """Keep passphrase and PIN out of a process that GitPython starts: it hands on all it has."""
    hidden = {name: os.environ.pop(name) for name in [*os.environ] if name.startswith("GITCA_")}
    try:
        yield
    finally:
        os.environ.update(hidden)
