"""The policies of the working tree, as the commands name them."""

from __future__ import annotations

from collections.abc import Iterable

from gitca.documents.load import Governing
from gitca.documents.words import listed, nearest
from gitca.errors import UsageError


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
