"""The path that a request names its CSR file by."""

from __future__ import annotations

import re

from gitca.documents.fields import SEGMENT, refuse, shown

_CSR_FILE = re.compile(rf"{SEGMENT}(?:/{SEGMENT})*")


def check_csr_file(value: str) -> str:
    """Return the path from the request's folder if it stays in that folder or goes below it.

    Raises: PydanticCustomError (rule `request.csr-file.path`) for an absolute path, for `..`, and
    for characters that names do not have.
    """
    if _CSR_FILE.fullmatch(value) is None or len(value) > 1000:
        raise refuse(
            "request.csr-file.path",
            f"csrFile {shown(value)} does not name a file in the request's own folder or below it",
            "write a relative path without “..”, as in api.csr",
        )
    return value
