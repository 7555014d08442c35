"""Where a CA repository is published besides Git: the targets of `Repository.spec.publish`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from gitca.documents.aws_uri import AwsUriError
from gitca.documents.directory_uri import SCHEME as DIRECTORY
from gitca.documents.directory_uri import DirectoryUriError, parse_directory_uri
from gitca.documents.document import Model
from gitca.documents.fields import Contradiction, refuse, refuse_all
from gitca.documents.s3_uri import SCHEME as S3
from gitca.documents.s3_uri import parse_s3_uri
from gitca.documents.uris import HttpUrl

_LONGEST = 2048
_RULE = "repository.publish.to"
_EXAMPLE = "write s3://BUCKET/PREFIX?region=eu-west-1, or directory:public"


def _target_uri(value: str) -> str:
    try:
        place_of(value)
    except (AwsUriError, DirectoryUriError) as error:
        raise refuse(_RULE, error.message, error.remedy) from error
    return value


def place_of(uri: str) -> tuple[str, ...]:
    """Return what tells the place of a target from every other one.

    Raises: AwsUriError, DirectoryUriError; a PydanticCustomError for an unknown scheme.
    """
    scheme, _, _ = uri.partition(":")
    if len(uri) > _LONGEST or scheme not in (S3, DIRECTORY):
        # The value is not repeated: a URI that was pasted here may hold credentials.
        raise refuse(_RULE, f"the target is no URI of {S3}: or {DIRECTORY}:", _EXAMPLE)
    if scheme == S3:
        place = parse_s3_uri(uri)
        return (S3, place.namespace, place.bucket, place.prefix)
    return (DIRECTORY, parse_directory_uri(uri))


TargetUri = Annotated[str, AfterValidator(_target_uri)]
"""A URI that names a target, in ASCII, without any secret."""


def _root_url(value: str) -> str:
    if "?" in value or "{" in value:
        raise refuse(
            "repository.publish.url",
            "the URL of a target's root has a query or a template",
            "write http://host/path/, below which relying parties see what is published",
        )
    return value if value.endswith("/") else f"{value}/"


RootUrl = Annotated[HttpUrl, AfterValidator(_root_url)]
"""An http URL below which something lies; it ends with a slash."""


class PublishTarget(Model):
    """One place that is published into."""

    to: TargetUri = Field(
        description="Where to: s3://BUCKET/PREFIX?region=… (also &expectedBucketOwner=ACCOUNT),"
        " or directory:PATH, relative to the root of the repository, or absolute below a folder"
        " that GITCA_PUBLISH_DIRECTORIES names where gitca runs.",
        examples=["s3://example-pki/prod?region=eu-west-1", "directory:public"],
    )
    url: RootUrl | None = Field(
        None,
        description="The http URL at which relying parties see this target's root. With it, the"
        " URLs of CRLs and CA certificates are held against what is published here.",
        examples=["http://pki.example.internal/"],
    )
    certificates: bool = Field(
        True,
        description="Whether certificates of requests are published as well: the current ones by"
        " request, and all ever issued by serial number.",
        examples=[False],
    )


def check_targets(targets: tuple[PublishTarget, ...]) -> tuple[PublishTarget, ...]:
    """Return the targets, each of which is another place.

    Raises: PydanticCustomError (rule `repository.publish.duplicate`).
    """
    found = tuple(_duplicates(targets))
    if found:
        raise refuse_all(found)
    return targets


def _duplicates(targets: tuple[PublishTarget, ...]) -> Iterator[Contradiction]:
    places = [place_of(target.to) for target in targets]
    for index, place in enumerate(places):
        for earlier, other in enumerate(places[:index]):
            if _overlap(place, other):
                yield Contradiction(
                    "repository.publish.duplicate",
                    f"target {index + 1} lies where target {earlier + 1} does, or one within the"
                    " other",
                    "remove one, or give each a folder or prefix of its own",
                    (index, "to"),
                )
                break


def _overlap(place: tuple[str, ...], other: tuple[str, ...]) -> bool:
    first, second = place[-1], other[-1]
    shorter, longer = sorted((first, second), key=len)
    return place[:-1] == other[:-1] and f"{longer}/".startswith(f"{shorter}/" if shorter else "")
