"""A CA repository that has been lived in, with its bare origin, and every command to run in it."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import gitca_process

_MASKS = (
    (r"sha256:[0-9a-f]{64}", "sha256:DIGEST"),
    (r"\b[0-9a-f]{32,64}\b", "ID"),
    (r"\b[0-9a-f]{12}\b", "ID"),
    (r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(Z|\+00:00)", "TIME"),
    (r"\bin \d+ (days|hours|minutes|seconds)\b", "in N"),
    (r"\d+(\.\d+)? (ms|s)\b", "N s"),
)
READING: tuple[tuple[str, ...], ...] = (
    ("validate",),
    ("validate", "--format", "json"),
    ("plan",),
    ("plan", "--format", "json"),
    ("plan", "--base", "HEAD~1"),
    ("verify",),
    ("list",),
    ("list", "--format", "json"),
    ("show", "payments/api"),
    ("show", "payments/api", "--format", "json"),
    ("show", "--crl", "issuing"),
    ("status",),
    ("status", "--format", "json"),
    ("doctor",),
    ("request", "show", "payments/api"),
    ("policy", "check", "payments/api"),
    ("policy", "explain", "internal-server"),
    ("policy", "test"),
    ("keys", "show", "root"),
    ("schema", "CertificateRequest"),
)
"""Commands that change nothing."""
WRITING: tuple[tuple[str, ...], ...] = (
    (
        *("request", "new", "shop/new", "--policy", "internal-server"),
        *("--new-key", "../new.key", "--dns", "new.example.internal"),
    ),
    ("revoke", "jobs/backup", "--reason", "superseded"),
    ("reconcile",),
    ("init", "../beside", "--domain", "example.internal", "--organization", "Example"),
)
"""Commands that write: documents, `issued/`, and a repository beside this one."""


@dataclass(frozen=True)
class Said:
    """What a command said, less what differs from run to run."""

    code: int
    words: str


@dataclass(frozen=True)
class Hostile:
    """A clone (`top`/pki) and its bare origin (`top`/origin.git), to plant things in."""

    top: Path

    @property
    def clone(self) -> Path:
        return self.top / "pki"

    @property
    def origin(self) -> Path:
        return self.top / "origin.git"

    def copy(self, top: Path) -> Hostile:
        """Return a copy whose clone has the copied origin."""
        shutil.copytree(self.top, top, symlinks=True, dirs_exist_ok=True)
        copied = Hostile(top)
        copied.git("remote", "set-url", "origin", str(copied.origin))
        return copied

    def git(self, *arguments: str, check: bool = True, where: Path | None = None) -> str:
        """Run Git as a person would, who obeys every setting."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=where or self.clone,
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0 or not check, done.stderr.decode(errors="replace")
        return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")

    def gitca(self, *arguments: str, **environment: str) -> Said:
        """Run one command in the clone, in a process of its own."""
        return self.gitca_in(self.clone, *arguments, **environment)

    def gitca_in(self, folder: Path, *arguments: str, **environment: str) -> Said:
        """Run one command in a folder."""
        running = gitca_process.start(folder, *arguments, **environment)
        code = running.wait()
        words = running.words.replace(str(self.top), "TOP")
        running.output.unlink()
        for pattern, mask in _MASKS:
            words = re.sub(pattern, mask, words)
        return Said(code, words)

    def save(self, message: str, **environment: str) -> None:
        """Commit everything below requests/ and push it."""
        self.git("add", "--all", "requests")
        self.git("commit", "-q", "-m", message)
        self.git("push", "-q", "origin", "main")

    def ask(self, name: str, policy: str) -> None:
        """Write a request for a name of its own."""
        host = f"{name.rpartition('/')[2]}.example.internal"
        asked = self.gitca(
            *("request", "new", name, "--policy", policy, "--new-key", f"../{host}.key"),
            *("--dns", host, "--common-name", host),
        )
        assert asked.code == 0, asked.words


def live_in(top: Path) -> Hostile:
    """Return a repository with CAs, two certificates, one request not answered yet, an origin."""
    world = Hostile(top)
    made = world.gitca_in(
        top, "init", "pki", "--domain", "example.internal", "--organization", "Example"
    )
    assert made.code == 0, made.words
    world.git("clone", "-q", "--bare", str(world.clone), str(world.origin), where=top)
    world.git("remote", "add", "origin", str(world.origin))
    world.git("fetch", "-q", "origin")
    world.ask("payments/api", "internal-server")
    world.ask("jobs/backup", "internal-client")
    world.save("two requests")
    assert world.gitca("reconcile").code == 0
    world.ask("shop/web", "internal-server")
    world.save("one more request")
    return world
