"""Public suffixes, below which anybody can have a name: co.uk, github.io (publicsuffix.org)."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

# Never on the list, and where most names of a private CA are: the list need not be read for them.
# RFC 6761, RFC 6762, and ICANN's resolution 2024.07.29.06 on .internal.
_RESERVED = frozenset({"example", "internal", "invalid", "local", "localhost", "test"})


def is_public_suffix(name: str) -> bool:
    """Return whether a DNS name, in A-labels and lower case, is listed as a public suffix.

    The list is the one that comes with the package publicsuffixlist; nothing is fetched.
    """
    return name.rpartition(".")[2] not in _RESERVED and _suffixes().is_public(name)


@functools.cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # it takes 60 ms to read its list

    return PublicSuffixList(accept_unknown=False)
