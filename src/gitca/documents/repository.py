"""The kind Repository: how the CA repository itself is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gitca.documents.document import CheckedModel, Envelope, Model
from gitca.documents.fields import BranchName, Contradiction, Duration, Items, shown
from gitca.documents.publish_target import PublishTarget, check_targets
from gitca.documents.uris import UrlTemplate, has_template


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


class DefaultUrls(CheckedModel):
    """Where relying parties find what CAs publish whose documents state no URLs."""

    crl: Items[UrlTemplate] = Field(
        (),
        description="The crl.urls of every CA whose document has none.",
        examples=[["http://pki.example.internal/{ca.name}.crl"]],
    )
    ca_issuers: Items[UrlTemplate] = Field(
        (),
        description="The caIssuersUrls of every CA whose document has none.",
        examples=[["http://pki.example.internal/{ca.name}-{ca.keyIdentifier}.cer"]],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield what would be one CRL's URL in the certificates of several CAs."""
        for index, url in enumerate(self.crl):
            if not has_template(url):
                yield Contradiction(
                    "repository.urls.shared",
                    f"{shown(url)} would be the URL of every CA's CRL, and each CA has its own",
                    "write {ca.name} or {ca.keyIdentifier} into its path",
                    ("crl", index),
                )


class RepositorySpec(CheckedModel):
    """Branches, committer, URLs, schedule and publishing."""

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
    urls: DefaultUrls = Field(
        default_factory=DefaultUrls,
        description="The URLs of CRLs and CA certificates for every CA whose document states none."
        " An empty list in a CA's document means none.",
        examples=[
            {
                "crl": ["http://pki.example.internal/{ca.name}.crl"],
                "caIssuers": ["http://pki.example.internal/{ca.name}.cer"],
            }
        ],
    )
    reconcile_every: Duration | None = Field(
        None,
        description="How often the pipeline runs gitca reconcile by its schedule. A plan warns of"
        " CRLs that would lapse before the next run. Without it, of those alone that have lapsed.",
        examples=["1d"],
    )
    publish: Annotated[
        Items[PublishTarget], Field(max_length=32), AfterValidator(check_targets)
    ] = Field(
        (),
        description="Where CRLs, CA certificates, chains and certificates are published besides"
        " Git. Without it, nowhere.",
        examples=[
            [
                {
                    "to": "s3://example-pki/prod?region=eu-west-1",
                    "url": "http://pki.example.internal/",
                }
            ]
        ],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield an `issuedBranch` that Git cannot have beside `branch`: one is a folder's name."""
        issued = self.issued_branch
        if issued is None or issued == self.branch:
            return
        short, long = sorted((self.branch, issued), key=len)
        if long.startswith(f"{short}/"):
            yield Contradiction(
                "repository.branch.nested",
                f"Git has no branch {long} beside {short}",
                f"write a name that is not below {short}/, such as issued",
                ("issuedBranch",),
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
