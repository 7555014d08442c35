"""The policies of the working tree, as the commands name them."""

from __future__ import annotations

from collections.abc import Iterable

from gitca.documents.document import Document
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.documents.load import Governing
from gitca.documents.words import listed, nearest
from gitca.errors import GitcaError, UsageError


def check_policies(governing: Governing, names: Iterable[str]) -> None:
    """Check that there are such policies, sound or not. Raises: UsageError."""
    for name in names:
        if name not in governing.policies and f"policies/{name}.yaml" not in governing.broken:
            known = sorted(governing.policies)
            meant = nearest(name, known)
            raise UsageError(
                f"there is no policy {name!r}; there is {listed(known)}",
                remedy=f"write {meant}"
                if meant
                else "a policy is named after its path below policies/",
            )


def sound_policy(governing: Governing, name: str) -> Document[IssuancePolicySpec]:
    """Return a policy by name.

    Raises: UsageError where there is none; GitcaError, with its findings, where it is broken.
    """
    check_policies(governing, [name])
    policy = governing.policies.get(name)
    if policy is None:
        path = f"policies/{name}.yaml"
        told = [str(finding) for finding in governing.findings if finding.location.file == path]
        raise GitcaError(
            "; ".join(told) or f"{path} is broken", remedy="`gitca validate` tells all"
        )
    return policy
