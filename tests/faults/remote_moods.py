"""A bare remote that refuses, delays, goes away, or accepts a push and loses the answer."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler_process import tip_of

MOODS = ("", "refuse", "lose", "down", "hold")
_PATIENCE_SECONDS = 60.0
_REFUSE = "#!/bin/sh\necho 'this branch is protected' >&2\nexit 1\n"
# Whoever pushes hears nothing more: the branch has moved, and the answer is lost.
_LOSE = "#!/bin/sh\nrm -f hooks/post-receive\nkill -KILL $PPID\n"
# The push stands after everything was received and before the branch moves.
_HOLD = """\
#!/bin/sh
rm -f hooks/pre-receive
echo $PPID > held.new && mv held.new held
while [ ! -e release ]; do sleep 0.005; done
rm -f release held
"""


@dataclass
class Remote:
    """A bare repository whose next answers a test chooses; each mood but `refuse` is for once."""

    folder: Path

    def turn(self, mood: str) -> None:
        """Be in this mood from now on."""
        self.calm()
        match mood:
            case "refuse":
                self._hook("pre-receive", _REFUSE)
            case "lose":
                self._hook("post-receive", _LOSE)
            case "hold":
                self._hook("pre-receive", _HOLD)
            case "down":
                (self.folder / "HEAD").rename(self.folder / "HEAD.away")

    def calm(self) -> None:
        """Answer everything again; a push that stands goes on standing."""
        for hook in ("pre-receive", "post-receive"):
            (self.folder / "hooks" / hook).unlink(missing_ok=True)
        if (self.folder / "HEAD.away").exists():
            (self.folder / "HEAD.away").rename(self.folder / "HEAD")

    def take(self, files: Mapping[str, str | None]) -> None:
        """Take a person's commit that writes or deletes (None) files, in whatever mood."""
        parts = ["commit refs/heads/main\ncommitter P <p@example.internal> 1700000000 +0000\n"]
        parts.append(f"data 6\nchange\nfrom {tip_of(self.folder)}\n")
        for path, text in files.items():
            if text is None:
                parts.append(f"D {path}\n")
            else:
                parts.append(f"M 644 inline {path}\ndata {len(text.encode())}\n{text}\n")
        done = subprocess.run(
            ["git", "--git-dir", str(self.folder), "fast-import", "--quiet", "--date-format=raw"],
            input="".join(parts).encode(),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()

    @property
    def is_holding(self) -> bool:
        """Whether a push stands."""
        return (self.folder / "held").exists()

    def release(self) -> None:
        """Let the push that stands go on, and wait until the remote has dealt with it."""
        receiver = int((self.folder / "held").read_text())
        (self.folder / "release").touch()
        end = time.monotonic() + _PATIENCE_SECONDS
        while _is_running(receiver):
            assert time.monotonic() < end, "the push that was held does not end"
            time.sleep(0.002)

    def _hook(self, name: str, text: str) -> None:
        hooks = self.folder / "hooks"
        hooks.mkdir(exist_ok=True)
        (hooks / name).write_text(text)
        (hooks / name).chmod(0o755)


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
