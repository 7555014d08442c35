"""Which folder a `directory:` URI means, and whether the operator lets gitca write there.

A relative one lies in the repository, where the URI's own rules keep it out of what holds documents
and certificates. An absolute one comes from a document too, so from whoever may change that, and
would otherwise be any folder that the user may write: it lies in one that the operator lists.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gitca.documents.directory_uri import DirectoryUriError, parse_directory_uri
from gitca.errors import UsageError

DIRECTORIES_VARIABLE = "GITCA_PUBLISH_DIRECTORIES"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder: an anchor that is the operator's to choose, and what a document says below it.

    Symbolic links are followed on the way to the anchor, and from there on none.
    """

    anchor: Path
    segments: tuple[str, ...]

    @property
    def path(self) -> Path:
        """The whole path."""
        return self.anchor.joinpath(*self.segments)


def parse_target(uri: str, base: Path, environ: Mapping[str, str] = os.environ) -> Place:
    """Return the folder that a URI names, if it may be written to. Raises: UsageError."""
    try:
        path = PurePosixPath(parse_directory_uri(uri))
    except DirectoryUriError as error:
        raise UsageError(error.message, remedy=error.remedy) from error
    if not path.is_absolute():
        return Place(base.absolute(), path.parts)
    listed = environ.get(DIRECTORIES_VARIABLE, "").split(os.pathsep)
    for anchor in map(Path, filter(os.path.isabs, listed)):
        if path.is_relative_to(anchor):
            return Place(anchor, path.relative_to(anchor).parts)
    raise UsageError(
        f"the directory URI names {path}; allowed are folders of the repository, and what lies in "
        f"one that {DIRECTORIES_VARIABLE} lists",
        remedy=f"set {DIRECTORIES_VARIABLE}={path} where gitca runs, or name a relative folder",
    )
