"""What every document shares: the envelope, the metadata, and the parsed document itself."""

from __future__ import annotations

import abc
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from gitca.documents.fields import (
    Contradiction,
    Items,
    Label,
    LabelName,
    Table,
    Text,
    no_entries,
    refuse_all,
)
from gitca.documents.source import Source
from gitca.findings import Location

API_VERSION = "gitca/v1"


class Model(BaseModel):
    """The base of all document models: frozen, strict, camelCase in YAML, no unknown keys."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        alias_generator=to_camel,
        # Most runs meet two or three of the kinds.
        defer_build=True,
        # An error message must not carry what a person pasted into the wrong place.
        hide_input_in_errors=True,
    )


class CheckedModel(Model, abc.ABC):
    """A model whose fields can contradict each other."""

    @abc.abstractmethod
    def contradictions(self) -> Iterator[Contradiction]:
        """Yield every contradiction between the fields; each field is well-formed by itself."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        found = tuple(self.contradictions())
        if found:
            raise refuse_all(found)
        return self


class Metadata(Model):
    """Who a document belongs to and what people say of it; nothing here reaches a certificate."""

    owner: Text | None = Field(
        None,
        description="The team or person who answers for what this document asks for.",
        examples=["payments"],
    )
    contacts: Items[Text] = Field(
        (),
        description="Where the owner is reached: mail addresses, channels, pagers.",
        examples=[["payments@example.com"]],
    )
    labels: Table[LabelName, Label] = Field(
        default_factory=no_entries,
        description="Short names and values to select and report by. Values are text: put"
        " numbers in quotes.",
        examples=[{"team": "payments", "environment": "production"}],
    )
    annotations: Table[LabelName, Annotated[str, Field(max_length=4096)]] = Field(
        default_factory=no_entries,
        description="Names and longer values for an organisation's own tools.",
        examples=[{"ticket": "OPS-1234"}],
    )
    description: Annotated[str, Field(max_length=4096)] | None = Field(
        None,
        description="What this is for, in words, for whoever reviews it.",
        examples=["The API that the shops call."],
    )


class Envelope(Model):
    """The outermost mapping of a document, less its kind and spec, which each kind declares."""

    api_version: Literal["gitca/v1"] = Field(
        description="The version of the document format: gitca/v1.", examples=["gitca/v1"]
    )
    metadata: Metadata = Field(
        default_factory=Metadata,
        description="Owner, contacts, labels, annotations and a description; all optional.",
        examples=[{"owner": "payments"}],
    )


SpecT = TypeVar("SpecT", bound=Model, covariant=True)


@dataclass(frozen=True)
class Document(Generic[SpecT]):
    """One parsed document: its name is its path; its source knows where each value stands.

    `blob` is the Git blob id of the text (empty where the text came from elsewhere).
    """

    kind: str
    name: str
    path: str
    blob: str
    metadata: Metadata
    spec: SpecT
    source: Source

    def at(self, *pointer: str | int) -> Location:
        """Return the place of a value, from the document's root: `at("spec", "sans", "dns", 0)`.

        Where the value is absent: the place of the deepest key on the way that is there.
        """
        return self.source.at(*pointer)
