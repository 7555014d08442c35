"""What the system says of folders and files, as gitca's errors: each is wrapped here, once."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from gitca.errors import BackendUnavailableError, UsageError

# Where a person must change something; all else may be over at the next try.
_REFUSED: Mapping[int, str] = MappingProxyType(
    {
        errno.ENOENT: "make the folder that the others are to lie in",
        errno.EACCES: "let the user that runs gitca write there",
        errno.EPERM: "let the user that runs gitca write there",
        errno.EROFS: "mount the file system for writing, or name another folder",
        errno.ENAMETOOLONG: "name a folder with a shorter path, or shorten the names in it",
        errno.ENOTDIR: "remove what lies where a folder belongs",
        errno.ELOOP: "remove the symbolic link: gitca follows none where it publishes",
        errno.ENXIO: "remove what lies there: it is no file",
        errno.ENODEV: "remove what lies there: it is no file",
        errno.EXDEV: "mount nothing below the folder",
        errno.ENOLCK: "name a folder on a file system with locks",
        errno.ENOTSUP: "name a folder on a file system with locks",
    }
)
_PASSING = "make room, or see what the file system lacks, and run again"


@contextmanager
def wrapped(path: Path) -> Iterator[None]:
    """Turn what the system refuses inside into gitca's errors, which name the path.

    Raises: UsageError, BackendUnavailableError.
    """
    try:
        yield
    except OSError as error:
        text = f"{path} cannot be published to: {error.strerror or type(error).__name__}"
        remedy = _REFUSED.get(error.errno or 0)
        if remedy is not None:
            raise UsageError(text, remedy=remedy) from error
        raise BackendUnavailableError(text, remedy=_PASSING) from error
    except MemoryError as error:
        raise BackendUnavailableError(
            f"{path} cannot be published to: there is too little memory here",
            remedy="give gitca more memory, or lower --concurrency",
        ) from error
