"""New files, written whole or not at all, and never over an old one."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from gitca.errors import UsageError


def write_new(root: Path, path: str, content: bytes) -> None:
    """Write `path` below `root`, making the folders it needs.

    Raises: UsageError when something is there already, when a folder on the way is a symbolic link
    or a file, or the file cannot be written.
    """
    target = root / path
    check_free(root, path)
    # Beside the target, and under a name that no loader takes for a document.
    unfinished = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # A link fails where a rename would replace what another process wrote meanwhile.
        os.link(unfinished, target, follow_symlinks=False)
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    finally:
        # Where its name is one that no file can have, it is not there and cannot be asked for.
        with suppress(OSError):
            unfinished.unlink()


def check_free(root: Path, path: str) -> None:
    """Check that a new file can be made at `path` below `root`. Raises: UsageError."""
    if os.path.lexists(root / path):
        raise _exists(path)
    folder = root
    for segment in path.split("/")[:-1]:
        folder = folder / segment
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise UsageError(
                f"{folder.relative_to(root)} is not a folder of its own",
                remedy="documents lie in real folders, not behind links",
            )


def _exists(path: str) -> UsageError:
    return UsageError(
        f"{path} is there already", remedy="change it with an editor, or choose another name"
    )
