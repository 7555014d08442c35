"""Distinguished names as documents write them: attribute names to values, in encoding order."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic.json_schema import WithJsonSchema
from pydantic_core import PydanticCustomError

from gitca.documents.attribute_types import ATTRIBUTE_NAMES, ATTRIBUTE_OIDS
from gitca.documents.fields import OID_PATTERN, Items, Table, check_oid, refuse


def _attribute_type(value: str) -> str:
    if value in ATTRIBUTE_OIDS:
        return value
    if re.fullmatch(OID_PATTERN, value) is None:
        # The finding is that of an unknown key, with the names that are known.
        raise PydanticCustomError("attribute_type", "unknown attribute")
    name = ATTRIBUTE_NAMES.get(value)
    if name is not None:
        # With two keys for one attribute, a rule under one would not be held against the other.
        message = f"attribute {value} is written by its OID, and has a name"
        raise refuse("document.attribute", message, f"write {name}")
    return check_oid(value)


AttributeType = Annotated[
    str,
    AfterValidator(_attribute_type),
    WithJsonSchema(
        {
            "type": "string",
            "anyOf": [
                {"enum": list(ATTRIBUTE_OIDS)},
                {"pattern": f"^(?:{OID_PATTERN})$"},
            ],
        }
    ),
]
"""An attribute type: its name or, where it has none, its dotted OID."""

# One string stands for a list of one: every reader then meets one form.
_AttributeText = Annotated[str, StringConstraints(min_length=1, max_length=1024)]


def one_or_several(value: object) -> object:
    """Return a list as it is, and any other value as a list of one."""
    return value if isinstance(value, list | tuple) else [value]


AttributeValues = Annotated[
    Items[_AttributeText],
    Field(min_length=1),
    BeforeValidator(one_or_several),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
            ]
        }
    ),
]
"""One value or several of an attribute, always as a tuple."""

Subject = Table[AttributeType, AttributeValues]
"""A distinguished name: attribute types to their values, in the order of the document."""
