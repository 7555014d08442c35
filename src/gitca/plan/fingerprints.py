"""Fingerprints of findings: the same finding has the same one when the lines around it move."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator

from gitca.findings import Finding


def with_fingerprints(findings: Iterable[Finding]) -> Iterator[tuple[Finding, str]]:
    """Yield each finding with 32 hexadecimal digits that no other one of them has.

    They are over rule, file and message, less the place in the file; where a file has the same
    finding several times, over which of them it is as well.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    for finding in findings:
        identity = (finding.rule, finding.location.file, finding.message)
        seen[identity] += 1
        text = json.dumps([*identity, seen[identity]], ensure_ascii=True)
        yield finding, hashlib.sha256(text.encode()).hexdigest()[:32]
