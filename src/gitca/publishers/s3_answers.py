"""What S3 answers, read as strictly as what anybody may send: an answer of something else is none.

A proxy's login page is an answer, too: with status 200, and without what S3 always says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitca.errors import BackendUnavailableError
from gitca.publishers import Served
from gitca.publishers.paths import check_size

_PIECE = 1024 * 1024
# API Reference, "GetObject": what a writer may set and gitca never does.
_OTHERS = ("ContentDisposition", "ContentEncoding", "ContentLanguage", "WebsiteRedirectLocation")


def told(answer: Mapping[str, Any], name: str, subject: str) -> Any:
    """Return what S3 says in every such answer. Raises: BackendUnavailableError."""
    value = answer.get(name)
    if value is None or value == "":
        raise BackendUnavailableError(
            f"{subject}: an answer without {name} came, which is none of S3's",
            remedy="check network, proxy and endpoint, and run again",
        )
    return value


def served_of(answer: Mapping[str, Any]) -> Served:
    """Return what goes with an object to a relying party's client."""
    expires = answer.get("Expires")
    others = {name for name in _OTHERS if answer.get(name)}
    if not expires and answer.get("ExpiresString"):
        others.add("Expires")  # and is no time
    return Served(
        str(answer.get("ContentType", "")),
        str(answer.get("CacheControl", "")),
        expires or None,
        frozenset(others),
    )


def content_of(
    answer: Mapping[str, Any], path: str, subject: str, *, most: int | None = None
) -> bytes:
    """Return an object's content; no more than `most` bytes are read.

    Raises: TooLargeError for a larger one, whatever length it states; BackendUnavailableError;
    what botocore raises.
    """
    check_size(path, int(told(answer, "ContentLength", subject)), most)
    return b"".join(_pieces(answer["Body"], path, most))


def _pieces(body: Any, path: str, most: int | None) -> Iterator[bytes]:
    size = 0
    # To the empty piece at the end, with which the SDK compares length and checksum.
    while True:
        piece = body.read(_PIECE)
        size += len(piece)
        check_size(path, size, most)
        yield piece
        if not piece:
            return


def listed_in(page: Mapping[str, Any], subject: str) -> Iterator[tuple[str, int, str]]:
    """Yield key, size and ETag of each object in a page. Raises: BackendUnavailableError."""
    told(page, "IsTruncated", subject)
    for entry in page.get("Contents", ()):
        yield (
            str(told(entry, "Key", subject)),
            int(told(entry, "Size", subject)),
            str(told(entry, "ETag", subject)),
        )
