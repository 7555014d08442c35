"""Which requests a policy speaks for: by path, by label, and by who changed them last."""

from __future__ import annotations

from pydantic import Field

from gitca.documents.document import Model
from gitca.documents.fields import Items, LabelName, Table, no_entries
from gitca.documents.patterns import EmailPattern, PathPattern, TextPattern


class Requesters(Model):
    """Who may ask: e-mail addresses of the last commit that changed the request.

    Git proves none of them: they are worth what the forge checks when it takes a push or merges.
    """

    authors: Items[EmailPattern] | None = Field(
        None,
        description="Patterns for the author's address. Without it, any author. A squash or rebase"
        " keeps the author of the change; of a merge, the merged commits count.",
        examples=[["*@example.com"]],
    )
    committers: Items[EmailPattern] | None = Field(
        None,
        description="Patterns for the committer's address. Without it, any committer. A squash or"
        " rebase on the forge has the forge itself as committer.",
        examples=[["noreply@github.com"]],
    )


class Selector(Model):
    """Which requests may name this policy; each key that is given must hold."""

    paths: Items[PathPattern] = Field(
        ("**",),
        description="Patterns for the names of requests: * stands within one folder or name, **"
        " for one or more of them.",
        examples=[["payments/**"]],
    )
    labels: Table[LabelName, TextPattern] = Field(
        default_factory=no_entries,
        description="Labels that the request's metadata must have, with patterns for their values.",
        examples=[{"team": "payments"}],
    )
    requesters: Requesters | None = Field(
        None,
        description="Who may have changed the request, and its csrFile, last: e-mail addresses as"
        " Git has them. Needs the whole history, so no shallow clone.",
        examples=[{"authors": ["*@example.com"]}],
    )
