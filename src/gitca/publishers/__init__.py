"""Publishers put certificates, chains and CRLs where relying parties read them.

The protocol, and the table of URI schemes. A target URI is what `to` of a target in
`ca/repository.yaml` names. A backend is a module with one function, and is imported when a URI of
its scheme is opened. A new one is a file in this folder, a line in `SCHEMES` and the form of its
URI in `documents/publish_target.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from gitca.errors import GitcaError, UsageError


class ConflictError(GitcaError):
    """A target holds something else by now than what a write was to replace; read it again."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Served:
    """What a relying party's HTTP client is told with an object.

    `others` are the names of headers of which it is told besides and that gitca never sets, such
    as a redirect.
    """

    media_type: str
    cache_control: str
    expires: datetime | None = None
    others: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Item:
    """An object that is to be published.

    `path` is relative and slash-separated, of segments of letters, digits and `. _ -` that are
    neither `.` nor `..`. `media_type`, `cache_control` and `expires` are what a relying party's
    HTTP client is told; a folder has no place for them. `sha256` is the digest in hexadecimal.
    """

    path: str
    content: bytes = field(repr=False)
    media_type: str
    cache_control: str
    expires: datetime | None = None
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha256", hashlib.sha256(self.content).hexdigest())

    @property
    def served(self) -> Served:
        """What a client is to be told."""
        return Served(self.media_type, self.cache_control, self.expires)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a target holds at a path; `version` is opaque, and another one for other content.

    `served` is what goes with it to a relying party, None where the target has no place for that;
    two that differ there alone may have one version, and are equal.
    """

    content: bytes = field(repr=False)
    version: str
    served: Served | None = field(default=None, compare=False)

    def is_served_as(self, item: Item) -> bool:
        """Whether a client is told what it is to be told with `item`, as far as can be."""
        return self.served in (None, item.served)

    def holds(self, item: Item) -> bool:
        """Whether it is that object, byte for byte, and is served as that."""
        return self.content == item.content and self.is_served_as(item)


@dataclass(frozen=True, slots=True)
class Listed:
    """What a listing says of an object, without its content; `version` is as in `Stored`."""

    size: int
    version: str


class Publisher(Protocol):
    """One target, wherever it is, and nothing but its objects.

    *Durability.* When `write` returns, the object outlasts a loss of power at the target, and every
    later `read` gives it. A reader never sees half an object.

    *Compare and swap.* `write` replaces exactly the version it was told of, or nothing where it was
    told of none; of two writers of different content that were told of the same version, one gets
    ConflictError.

    *Idempotence.* An object that is there already, and is served as it is to be, is taken for
    written, whatever it was to replace: so a `write` whose answer was lost can be made again under
    the same condition. Two writers of the same content may both be told that they wrote it. One
    that is there and is served otherwise is written again, which its version may not tell.

    *Retry.* Every call may be repeated after BackendUnavailableError.

    *Threads.* All but `close` may be called from many threads at once.

    Nothing is ever taken away: what relying parties may still fetch stays.
    """

    def read(self, path: str, most: int | None = None) -> Stored | None:
        """Return what is at a path, its checksum verified where the target keeps one, or None.

        Raises: TooLargeError, before it is in memory, for one of more than `most` bytes (None:
        `paths.LARGEST_OBJECT`); UsageError where the target refuses; BackendUnavailableError.
        """
        ...

    def write(self, item: Item, replaces: str | None) -> str:
        """Put an object in the place of the version `replaces` (None: of nothing).

        Returns its version. Raises: ConflictError where the target holds something else by now;
        UsageError where it refuses; BackendUnavailableError.
        """
        ...

    def listing(self) -> Mapping[str, Listed]:
        """Return all objects of the target by path. Raises: UsageError; BackendUnavailableError."""
        ...

    def describe(self) -> Mapping[str, str]:
        """Return what there is to say of the target, by name, for a person; no secret."""
        ...

    def close(self) -> None:
        """Let go of connections; closing twice is allowed."""
        ...


class Backend(Protocol):
    """What a module in this folder offers for its scheme. URIs come with their scheme."""

    def open_publisher(self, uri: str, *, base: Path) -> Publisher:
        """Return the publisher of a target; whether it answers shows with the first call."""
        ...


def _directory() -> Backend:
    from gitca.publishers import directory

    return directory


def _s3() -> Backend:
    from gitca.publishers import s3

    return s3


SCHEMES: Mapping[str, Callable[[], Backend]] = MappingProxyType(
    {"directory": _directory, "s3": _s3}
)


def open_publisher(uri: str, *, base: Path) -> Publisher:
    """Return the publisher of a target's URI; `base` is the root of the CA repository.

    Raises: UsageError for an unknown scheme and a URI that the backend, or this machine's operator,
    refuses; BackendUnavailableError.
    """
    scheme, _, _ = uri.partition(":")
    backend = SCHEMES.get(scheme)
    if backend is None:
        # The URI is not repeated: it may hold credentials.
        raise UsageError(
            f"the target is no URI of {' or '.join(f'{name}:' for name in SCHEMES)}",
            remedy="set `to` of the target in ca/repository.yaml to such a URI",
        )
    return backend().open_publisher(uri, base=base)
