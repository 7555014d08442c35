"""The kind Repository: how the CA repository itself is kept."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from gitca.documents.document import Envelope, Model
from gitca.documents.fields import BranchName, Items, refuse


class Committer(Model):
    """The name under which gitca commits to the repository."""

    name: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^<>\n\r]+$")] = Field(
        "gitca", description="The committer's name.", examples=["gitca"]
    )
    email: Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^<>\s]+@[^<>\s]+$")] = (
        Field(
            "gitca@localhost",
            description="The committer's mail address.",
            examples=["gitca@example.internal"],
        )
    )


def _check_publish(targets: tuple[Any, ...]) -> tuple[Any, ...]:
    if targets:
        raise refuse(
            "repository.publish",
            f"{len(targets)} publishing targets are given, and this version publishes in Git alone",
            "remove the list; copy the files under issued/ from the repository instead",
        )
    return targets


class RepositorySpec(Model):
    """Branches, committer and publishing."""

    branch: BranchName = Field(
        "main",
        description="The branch whose documents are made true, and where issued/ is committed.",
        examples=["main"],
    )
    issued_branch: BranchName | None = Field(
        None,
        description="The branch for issued/, where no bot may push to the documents' branch."
        " Without it, the same branch.",
        examples=["issued"],
    )
    committer: Committer = Field(
        default_factory=Committer,
        description="The name under which gitca commits.",
        examples=[{"name": "gitca", "email": "gitca@example.internal"}],
    )
    publish: Annotated[Items[Any], AfterValidator(_check_publish)] = Field(
        (),
        description="Where certificates and CRLs are published besides Git. None in this version.",
        examples=[[]],
        json_schema_extra={"maxItems": 0},
    )


class Repository(Envelope):
    """How the CA repository itself is kept: ca/repository.yaml."""

    kind: Literal["Repository"] = Field(
        description="The kind of document.", examples=["Repository"]
    )
    spec: RepositorySpec = Field(
        description="How the repository is kept: branches, committer, publishing.",
        examples=[{"branch": "main"}],
    )
