"""CA certificates by request: what a request asks for, and what a policy allows of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gitca.documents.document import Model
from gitca.documents.name_constraints import NameConstraints, Subtrees

_PathLength = Annotated[int, Field(ge=0, le=16)]


class AskedAuthority(Model):
    """The CA that a request asks for: keyCertSign, cRLSign and basicConstraints come with it."""

    path_length: _PathLength | None = Field(
        None,
        description="How many CAs may follow below this one: 0 for a CA that issues to end"
        " entities alone. Without it, any number.",
        examples=[0],
    )
    name_constraints: NameConstraints | None = Field(
        None,
        description="The names that certificates below this CA may carry.",
        examples=[{"permitted": {"dns": ["k8s.example.internal"]}}],
    )


class PathLengthRules(Model):
    """The path lengths that a CA by request may have."""

    max: _PathLength = Field(
        0,
        description="The longest path length that a request may ask for. A request without one asks"
        " for any, which is above every maximum.",
        examples=[0],
    )


class NameConstraintRules(Model):
    """The name constraints that a CA by request must carry."""

    required: bool = Field(
        True,
        description="Whether a request must state name constraints at all. Without it, it must.",
        examples=[True],
    )
    permitted: Subtrees = Field(
        default_factory=Subtrees,
        description="For each type listed here a request must permit subtrees, all of them within"
        " these. A type that neither this nor excluded lists stays open to the CA.",
        examples=[{"dns": ["example.internal"]}],
    )
    excluded: Subtrees = Field(
        default_factory=Subtrees,
        description="Subtrees that a request must exclude, or leave out of what it permits.",
        examples=[{"ip": ["0.0.0.0/0", "::/0"]}],
    )


class AuthorityRules(Model):
    """What CA certificates requests may ask for."""

    path_length: PathLengthRules = Field(
        default_factory=PathLengthRules,
        description="The path lengths that may be asked for. Without it, 0 alone.",
        examples=[{"max": 0}],
    )
    name_constraints: NameConstraintRules = Field(
        default_factory=NameConstraintRules,
        description="The name constraints that a request must carry. Without it, some.",
        examples=[{"permitted": {"dns": ["example.internal"]}}],
    )
