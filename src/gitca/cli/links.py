"""`--links URL`: where the lines of documents can be seen."""

from __future__ import annotations

import re

from gitca.errors import UsageError

# What RFC 3986 lets stand in a URL, less brackets and parentheses, quotes and commas, which end a
# link in Markdown or change what it is.
_BASE = re.compile(r"https?://[A-Za-z0-9._~:/%@+-]+")


def parse_links(text: str) -> str:
    """Return the base of links to files, without its last slash; empty for none.

    Raises: UsageError for what is no plain http or https URL.
    """
    if text and not _BASE.fullmatch(text):
        raise UsageError(
            f"--links {text!r} is no http or https URL without query and fragment",
            remedy="give the URL of the repository's folder at a commit, as in"
            " --links https://github.com/example/pki/blob/<commit>",
        )
    return text.rstrip("/")
