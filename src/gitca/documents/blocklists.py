"""Key blocklists as other documents meet them: which keys they refuse, and what if one is lost.

A blocklist that cannot be read refuses nothing by itself. So that nothing is issued on a key that
it names, every policy is held up until it is mended; and so it is where a file cannot be searched
for what it was.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from gitca.documents.csr_files import Read
from gitca.documents.document import Document
from gitca.documents.fields import escaped
from gitca.documents.flaws import flaw
from gitca.documents.issuance_policy import IssuancePolicySpec
from gitca.documents.key_blocklist import KeyBlocklistSpec
from gitca.documents.tree import SUBMODULE, SYMLINK, TreeEntry
from gitca.findings import Finding

# The kind, however it was misspelt, or an entry: a broken document may have lost the one.
_TRACES = re.compile(rb"key[ _-]?block[ _-]?list|sha256:[0-9a-f]{64}", re.IGNORECASE)
# Bytes. Of a longer file the readers give the beginning or zeros, so that its end is not seen.
_SEARCHED = 1024**2


def reasons_by_key(blocklists: Iterable[Document[KeyBlocklistSpec]]) -> Mapping[str, str]:
    """Return the refused keys, each with the reason of the first list that names it."""
    reasons: dict[str, str] = {}
    for document in blocklists:
        for entry in document.spec.keys:
            reasons.setdefault(entry.key, f"{entry.reason} ({document.path})")
    return reasons


def lost_blocklists(refused: Iterable[TreeEntry], read: Read) -> frozenset[str]:
    """Return the paths of those refused entries that are, or may be, blocklists."""
    return frozenset(
        entry.path
        for entry in refused
        if entry.mode in {SYMLINK, SUBMODULE} or _may_be_blocklist(read(entry.blob))
    )


def _may_be_blocklist(data: bytes) -> bool:
    """Whether a text was a blocklist by what is left of it, or cannot be searched for that."""
    if len(data) > _SEARCHED or b"\0" in data:
        return True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return _TRACES.search(data) is not None


def held_up_policies(
    policies: Iterable[Document[IssuancePolicySpec]], lost: Collection[str]
) -> tuple[Finding, ...]:
    """Return `policy.blocklist.broken` for each policy; `lost` are the paths of lost blocklists."""
    if not lost:
        return ()
    path = escaped(min(lost))
    message = f"the key blocklist {path} has findings, and nobody can tell which keys it refuses"
    return tuple(
        flaw("policy.blocklist.broken", message, policy.at("spec", "key"), f"mend {path} first")
        for policy in policies
    )
