"""Identity templates in patterns: `{path[0]}`, `{request.name}` and `{labels.team}`.

Such a template stands for one text of the request that is judged; `policy.identity` says which. It
means something in allow patterns only: in a deny pattern an absent value would deny nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_TEMPLATE = re.compile(
    r"\{(path\[(?:0|-?[1-9][0-9]?)\]|request\.name|labels\.[A-Za-z0-9][A-Za-z0-9._/-]{0,126})\}"
)
KNOWN_TEMPLATES = "{path[0]}, {path[-1]}, {request.name} and {labels.NAME}"
"""The templates, for a message."""


def templates_in(pattern: str) -> tuple[str, ...]:
    """Return the templates of a pattern in order, without their braces."""
    return tuple(_TEMPLATE.findall(pattern))


def replace_templates(pattern: str, replacement: Callable[[str], str]) -> str:
    """Return a pattern with each template, given without its braces, replaced."""
    return _TEMPLATE.sub(lambda found: replacement(found[1]), pattern)


def has_other_braces(pattern: str) -> bool:
    """Whether a pattern has a brace that belongs to no template."""
    rest = _TEMPLATE.sub("", pattern)
    return "{" in rest or "}" in rest
