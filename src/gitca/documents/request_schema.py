"""The JSON Schema that a policy may embed for an organisation's own metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def check_request_schema(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema if it is one."""
    return schema
