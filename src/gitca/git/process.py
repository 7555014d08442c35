"""How Git is run: nothing that a repository says is executed, nothing that its caller set leaks in.

Processes are started with `subprocess` and not with GitPython's `Git.execute`: that one can only
add to the caller's environment, and a gitca that runs inside a hook has to take `GIT_DIR`,
`GIT_INDEX_FILE` and their like away; and its `kill_after_timeout` finds children with `ps`.

The user's own means of reaching a remote keep working: credential helpers, `http.*` settings, the
ssh command, and configuration handed over in `GIT_CONFIG_COUNT`, as CI systems do. Those that the
repository's configuration names are not run (`gitca.git.local_programs`).
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from gitca.errors import BackendUnavailableError, UsageError

Argument = str | bytes
Setting = tuple[str, str]

SETTINGS: tuple[Setting, ...] = (
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.autocrlf", "false"),
    ("core.safecrlf", "false"),
    ("core.alternateRefsCommand", "true"),
    ("core.quotePath", "false"),
    ("protocol.ext.allow", "never"),
    ("protocol.fd.allow", "never"),
    ("submodule.recurse", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("push.recurseSubmodules", "no"),
    ("push.followTags", "false"),
    ("push.gpgSign", "false"),
    ("commit.gpgSign", "false"),
    # A signature would be checked by whatever program the configuration names.
    ("log.showSignature", "false"),
    ("log.follow", "false"),
    # A user may have ids cut; what is read here has to be whole.
    ("core.abbrev", "no"),
    # Or have names recoded, and a committer's name would not be the one in the commit.
    ("i18n.logOutputEncoding", "UTF-8"),
    ("fetch.prune", "false"),
    ("fetch.writeCommitGraph", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    # A commit id is given out only when its objects would survive a power cut.
    ("core.fsync", "all"),
    ("core.fsyncMethod", "fsync"),
    # One fsync a pack instead of one an object, as soon as there are some.
    ("fastimport.unpackLimit", "32"),
    # Another gitca in the same clone holds a reference for milliseconds: wait for it.
    ("core.filesRefLockTimeout", "5000"),
    ("core.packedRefsTimeout", "5000"),
    ("color.ui", "false"),
    ("color.push", "false"),
    ("color.remote", "false"),
    ("color.transport", "false"),
)
"""What every invocation overrides. Passed in the environment, because `-c` cuts a key at `=`."""

_VARIABLES = {
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": f"{os.devnull}/none",  # one that is there, even empty, makes Git give advice
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_EDITOR": ":",
    "GIT_SEQUENCE_EDITOR": ":",
    # For reflogs. Without it Git asks the resolver for this machine's name, which can take seconds.
    "GIT_COMMITTER_NAME": "gitca",
    "GIT_COMMITTER_EMAIL": "gitca@localhost",
    "LC_ALL": "C",
    "LANGUAGE": "C",
}

_KEPT = re.compile(
    r"GIT_(?:SSH.*|SSL_.*|HTTP_.*|PROXY_.*|ASKPASS|EXEC_PATH|CEILING_DIRECTORIES"
    r"|DISCOVERY_ACROSS_FILESYSTEM|CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+))"
)
_PATIENCE = 5.0  # seconds between asking a process to end and ending it


class GitFailedError(BackendUnavailableError):
    """Git itself failed: no space, no permission, a lock left behind, a damaged repository."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a finished Git said; `returncode` is negative or `timed_out` where it was ended."""

    command: str
    returncode: int
    stdout: bytes
    stderr: bytes
    timed_out: bool = False

    @property
    def reason(self) -> str:
        """Git's own words, fit for a terminal, without credentials and hints."""
        words = printable(self.stderr)
        return words or f"git {self.command} ended with status {self.returncode}"


@dataclass(frozen=True, slots=True)
class Git:
    """Git, run in one directory under the settings of this module and those added to it.

    `variables` are environment variables that pin the repository, once it is known.
    """

    directory: Path
    settings: tuple[Setting, ...] = ()
    variables: tuple[Setting, ...] = ()

    def with_settings(self, settings: Iterable[Setting]) -> Git:
        """Return the same Git with more settings, which win over all others."""
        return replace(self, settings=(*self.settings, *settings))

    def run(
        self, command: str, *arguments: Argument, stdin: bytes = b"", timeout: float | None = None
    ) -> Answer:
        """Return the answer of one command, whatever its exit status; `timeout` in seconds."""
        process = self.start(command, *arguments)
        try:
            stdout, stderr = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired:
            text = f"no answer within {timeout:g} s".encode()
            return Answer(command, -signal.SIGTERM, b"", text, timed_out=True)
        finally:
            end(process)
        return Answer(command, process.returncode, stdout, stderr)

    def ask(self, command: str, *arguments: Argument, stdin: bytes = b"") -> bytes:
        """Return the standard output of a command that has to succeed.

        Raises: GitFailedError with Git's own words when it does not.
        """
        answer = self.run(command, *arguments, stdin=stdin)
        if answer.returncode != 0:
            raise failure(answer)
        return answer.stdout

    def start(
        self, command: str, *arguments: Argument, stderr: int | IO[bytes] = subprocess.PIPE
    ) -> subprocess.Popen[bytes]:
        """Return a running Git whose standard streams are pipes; the caller ends it.

        Raises: UsageError where there is no Git, or its directory went away.
        """
        words = [as_bytes(word) for word in ("git", command, *arguments)]
        try:
            return subprocess.Popen(
                words,
                cwd=self.directory,
                env=environment(os.environ, self.settings) | dict(self.variables),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=_unattended(),
            )
        except OSError as error:
            raise UsageError(
                f"git cannot be run in {self.directory}: {error.strerror}",
                remedy="install Git 2.39 or newer, and check that the directory is there",
            ) from error


def failure(answer: Answer) -> GitFailedError:
    """Return the error that says which command failed, in Git's own words."""
    return GitFailedError(f"git {answer.command} failed: {answer.reason}")


def environment(caller: Mapping[str, str], settings: Iterable[Setting] = ()) -> dict[str, str]:
    """Return the environment that Git gets: the caller's, less what would steer Git elsewhere."""
    kept = {
        name: value
        for name, value in caller.items()
        # GITCA_KEY_PASSPHRASE is for no credential helper and no ssh that Git starts.
        if not name.startswith(("GIT_", "GITCA_")) or _KEPT.fullmatch(name)
    }
    allowed = caller.get("GIT_ALLOW_PROTOCOL")
    if allowed is not None:
        # It overrides protocol.ext.allow; whoever narrows the protocols keeps that.
        names = [name for name in allowed.split(":") if name not in {"ext", "fd"}]
        kept["GIT_ALLOW_PROTOCOL"] = ":".join(names)
    first = _setting_count(caller)
    pairs = list(enumerate((*SETTINGS, *settings), start=first))
    kept |= {f"GIT_CONFIG_KEY_{number}": key for number, (key, _) in pairs}
    kept |= {f"GIT_CONFIG_VALUE_{number}": value for number, (_, value) in pairs}
    return kept | _VARIABLES | {"GIT_CONFIG_COUNT": str(first + len(pairs))}


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process, with what it started where it leads a session, and close its pipes."""
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            close(stream)


def pipe(stream: IO[bytes] | None) -> IO[bytes]:
    """Return a standard stream of a process that `Git.start` started. Raises: ValueError."""
    if stream is None:
        raise ValueError("the stream is not a pipe")
    return stream


def close(stream: IO[bytes]) -> None:
    """Close a pipe whose reader may be gone already."""
    try:
        stream.close()
    except BrokenPipeError:
        # The reader's own exit status and words say why; what was not written is lost with it.
        return


_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-_])")
_USERINFO = re.compile(r"(?<=://)[^/\s]*@")
_QUERY = re.compile(r"(://[^\s?'\"]*\?)[^\s'\"]+")
_LONGEST = 2000  # characters of somebody else's words that a message repeats


def printable(data: bytes) -> str:
    """Return Git's words as one line of printable text, without credentials and hints.

    A remote's words reach the user's terminal by this way, so escape sequences go too.
    """
    text = _ESCAPE.sub("", data.decode("utf-8", "replace"))
    lines = [line.strip() for line in re.split(r"[\r\n]+", text)]
    kept = [line for line in lines if line and not line.startswith("hint:")]
    joined = "; ".join(dict.fromkeys(kept))
    shown = "".join(letter if letter.isprintable() else "�" for letter in redact(joined))
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]} …"


def redact(text: str) -> str:
    """Return the text with the user, password and query of every URL in it replaced by `***`."""
    return _QUERY.sub(r"\1***", _USERINFO.sub("***@", text))


def as_bytes(text: str | bytes) -> bytes:
    """Return the bytes of a path or argument; undecodable ones travel as surrogates."""
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


def as_text(data: bytes) -> str:
    """Return Git's bytes as text; undecodable ones become surrogates, and `as_bytes` undoes it."""
    return data.decode("utf-8", "surrogateescape")


def _setting_count(caller: Mapping[str, str]) -> int:
    text = caller.get("GIT_CONFIG_COUNT", "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0


def _unattended() -> bool:
    """Whether nobody sits at a terminal: then Git gets a session of its own.

    There ssh cannot wait for a passphrase that nobody types, and a timeout ends ssh too.
    """
    return not os.isatty(0)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
    except ProcessLookupError:
        return
