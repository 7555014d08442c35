"""Where a new repository is published to, by kind: each asks something else of its pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitca.documents.directory_uri import SCHEME as DIRECTORY
from gitca.documents.directory_uri import parse_directory_uri
from gitca.documents.s3_uri import S3Uri, parse_s3_uri


@dataclass(frozen=True, slots=True)
class Targets:
    """The targets of `Repository.spec.publish`, each once.

    `buckets` are at AWS's own S3, each with its prefix; `endpoints` are the URLs of other servers
    that speak S3, on this machine too. `folders` lie in the repository, `directories` elsewhere.
    """

    buckets: tuple[tuple[str, str], ...] = ()
    endpoints: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    directories: tuple[str, ...] = ()


NO_TARGETS = Targets()
"""Git alone."""


def targets_of(uris: Sequence[str]) -> Targets:
    """Return what the URIs name. Raises: AwsUriError, DirectoryUriError for what is no target."""
    in_folders = [uri for uri in uris if uri.startswith(f"{DIRECTORY}:")]
    paths = [parse_directory_uri(uri) for uri in in_folders]
    places = [parse_s3_uri(uri) for uri in uris if uri not in in_folders]
    return Targets(
        tuple((place.bucket, place.prefix) for place in places if not _is_elsewhere(place)),
        _once(place.endpoint or "" for place in places if _is_elsewhere(place)),
        _once(path for path in paths if not path.startswith("/")),
        _once(path for path in paths if path.startswith("/")),
    )


def _is_elsewhere(place: S3Uri) -> bool:
    # A bucket's namespace is the endpoint where that is none of AWS's.
    return place.endpoint is not None and place.namespace == place.endpoint.lower()


def _once(values: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
