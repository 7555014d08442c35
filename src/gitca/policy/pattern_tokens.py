"""The tokens of patterns: stars, literals, and the values of identity templates.

A template's value is spliced in as literal characters, and only if a `*` in its place could stand
for it: a team called `*`, `a.b` or `../x` matches nothing that a team called `a` does not.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

import idna

from gitca.documents.identity_templates import has_other_braces, replace_templates
from gitca.policy.glob import CharacterClass, Glob, Token, literal
from gitca.x509.refusal import quoted

_PARTS = re.compile(r"(\*+|\{\+?[0-9]+\})")
_HOLE = re.compile(r"\{\+?[0-9]+\}")
_LDH = re.compile(r"[a-z0-9_-]*")
_NEVER = CharacterClass(frozenset())

HOST_CHARACTERS = string.ascii_lowercase + string.digits + "-_"
LABEL = CharacterClass(frozenset(HOST_CHARACTERS))


class PatternError(ValueError):
    """A pattern that can mean nothing, or nothing that its author can have meant."""


@dataclass(frozen=True, slots=True)
class Written:
    """A pattern whose templates are holes, `{0}`, `{1}`, …, and the values that fill them.

    A hole `{+0}` is that of a request's name, which may have several segments. None, for a value
    that the request does not have, matches nothing.
    """

    text: str
    values: tuple[str | None, ...] = ()

    @property
    def is_literal(self) -> bool:
        """Whether the pattern stands for one text, whatever the request."""
        return _PARTS.search(self.text) is None


def written(text: str, values: dict[str, str | None]) -> Written:
    """Return a pattern with holes for its templates; a template without an entry has no value.

    Raises: PatternError for a brace that belongs to no template.
    """
    if has_other_braces(text):
        raise PatternError("a brace belongs to no identity template")
    filled: list[str | None] = []

    def hole(template: str) -> str:
        filled.append(values.get(template))
        return f"{{{'+' if template == 'request.name' else ''}{len(filled) - 1}}}"

    return Written(replace_templates(text, hole), tuple(filled))


def has_variables(text: str) -> bool:
    """Whether a part of a written pattern has stars or holes."""
    return _PARTS.search(text) is not None


@dataclass(frozen=True, slots=True)
class Stars:
    """What `*`, `**` and the name of a request may stand for in one part of a pattern."""

    one: CharacterClass
    deep: CharacterClass
    name: CharacterClass | None = None

    def tokens(self, text: str, values: tuple[str | None, ...]) -> list[Token]:
        """Return the tokens of a text. Raises: PatternError for more than two stars in a row."""
        tokens: list[Token] = []
        for part in _PARTS.split(text):
            if _HOLE.fullmatch(part):
                tokens += self._filled(part, values)
            elif part == "*":
                tokens.append(Token(self.one, repeats=True))
            elif part == "**":
                tokens.append(Token(self.deep, repeats=True))
            elif part.startswith("*"):
                raise PatternError(f"{part} means nothing; write * or **")
            else:
                tokens.extend(literal(part))
        return tokens

    def glob(self, text: str, values: tuple[str | None, ...] = ()) -> Glob:
        """Return the matcher of a text. Raises: PatternError."""
        return Glob(self.tokens(text, values))

    def _filled(self, hole: str, values: tuple[str | None, ...]) -> list[Token]:
        value = values[int(hole.strip("{+}"))]
        allowed = self.name or self.one if "+" in hole else self.one
        if not value or not all(map(allowed.takes, value)):
            return [Token(_NEVER)]
        return literal(value)


def host_tokens(
    text: str, values: tuple[str | None, ...] = (), *, wildcards: bool = False
) -> list[Token]:
    """Return the tokens of a host pattern, label by label, in A-labels and lower case.

    `wildcards`: a whole-label star stands for the star of a wildcard name, too.
    Raises: PatternError.
    """
    lowered = tuple(value.lower() if value and value.isascii() else value for value in values)
    tokens: list[Token] = []
    for label in text.split("."):
        tokens += literal(".") if tokens else []
        tokens += _label_tokens(label, lowered, star="*" if wildcards else "")
    return tokens


def _label_tokens(label: str, values: tuple[str | None, ...], *, star: str) -> list[Token]:
    if label in {"*", "**"}:
        separator = "." if label == "**" else ""
        return [Token(CharacterClass(frozenset(HOST_CHARACTERS + separator + star)), repeats=True)]
    if "**" in label:
        raise PatternError("** stands for whole labels only")
    ascii_label = label.lower() if label.isascii() else _a_label(label)
    if not label or not _LDH.fullmatch(_PARTS.sub("", ascii_label)):
        raise PatternError(f"{quoted(label)} is no label of a host name")
    return Stars(LABEL, LABEL).tokens(ascii_label, values)


def _a_label(label: str) -> str:
    """Return the A-label of a U-label (RFC 5890 section 2.3.2.1)."""
    try:
        return idna.encode(label, uts46=False).decode("ascii")
    except idna.IDNAError as error:
        raise PatternError(f"{quoted(label)} is no label by IDNA 2008 ({error})") from error
