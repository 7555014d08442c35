"""Name constraints held against wider ones: a CA's against its issuer's, or against a policy's.

A CA's own constraints must say all that binds it, so that people read them in one place and its
leaves can be judged by them alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gitca.policy.name_constraints import StatedSubtree, subtree_within
from gitca.policy.wording import KIND_WORDS
from gitca.x509.names import check_dns, is_wildcard
from gitca.x509.refusal import quoted
from gitca.x509.template import (
    CONSTRAINED_KINDS,
    GeneralName,
    GeneralNameKind,
    NameConstraints,
)

Problem = tuple[str, tuple[str | int, ...]]
"""What was seen and what is allowed, and the pointer to a subtree or to the side without it."""


def unsound_subtrees(stated: Iterable[StatedSubtree]) -> Iterator[Problem]:
    """Yield each subtree whose host is no DNS name, IDNA 2008 included."""
    for base, pointer in stated:
        host = base.value.rpartition("@")[2].removeprefix(".")
        problem = None if base.kind == "ip" else check_dns(host)
        if problem or is_wildcard(host):
            yield f"subtree {quoted(base.value)} is none: {problem or 'it has a wildcard'}", pointer


def too_wide(
    stated: Iterable[StatedSubtree], outer: NameConstraints, who: str
) -> Iterator[Problem]:
    """Yield what is permitted beyond, or left open of, what the outer constraints permit."""
    permitted = [(base, pointer) for base, pointer in stated if pointer[-3] == "permitted"]
    for kind in CONSTRAINED_KINDS:
        allowed = _of_kind(outer.permitted, kind)
        own = [(base, pointer) for base, pointer in permitted if base.kind == kind]
        seen = f"{who} permits only {_texts(allowed)}"
        if allowed and not own:
            yield f"no {KIND_WORDS[kind]} is constrained, and {seen}", ("permitted",)
        for base, pointer in own:
            if allowed and not any(subtree_within(base, other) for other in allowed):
                message = f"permitted {KIND_WORDS[kind]} {quoted(base.value)} is too wide: {seen}"
                yield message, pointer


def not_excluded(
    stated: Iterable[StatedSubtree], outer: NameConstraints, who: str
) -> Iterator[Problem]:
    """Yield what the outer constraints exclude and the own ones neither exclude nor leave out."""
    listed = tuple(stated)
    for base in outer.excluded:
        own = [(other, pointer[-3]) for other, pointer in listed if other.kind == base.kind]
        permitted = [other for other, side in own if side == "permitted"]
        excluded = [other for other, side in own if side == "excluded"]
        apart = permitted and not any(_overlap(base, other) for other in permitted)
        if not apart and not any(subtree_within(base, other) for other in excluded):
            message = f"{KIND_WORDS[base.kind]} {quoted(base.value)} is excluded by {who}"
            yield f"{message} and not here", ("excluded",)


def _of_kind(bases: Iterable[GeneralName], kind: GeneralNameKind) -> tuple[GeneralName, ...]:
    return tuple(base for base in bases if base.kind == kind)


def _overlap(one: GeneralName, other: GeneralName) -> bool:
    return subtree_within(one, other) or subtree_within(other, one)


def _texts(bases: Iterable[GeneralName]) -> str:
    return ", ".join(base.value for base in bases)
