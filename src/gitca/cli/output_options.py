"""The options that `plan` and `validate` share: where answers go, and what makes a job fail."""

from __future__ import annotations

from typing import Annotated

import typer

SMALLEST_LIMIT = 5_000  # headings, and the counts of what is left out, fit into that

Write = Annotated[
    list[str] | None,
    typer.Option(
        "--write",
        metavar="FORMAT=FILE",
        help="Also write a format to a file; as often as files are wanted.",
    ),
]
RequireClean = Annotated[
    bool,
    typer.Option(
        "--require-clean", help="Exit with 1 for warnings as well; notes are always allowed."
    ),
]
Links = Annotated[
    str,
    typer.Option(
        "--links",
        metavar="URL",
        help="Link files in Markdown below this URL, as https://github.com/o/r/blob/<commit>.",
    ),
]
SizeLimit = Annotated[
    int,
    typer.Option(
        "--size-limit",
        metavar="N",
        min=SMALLEST_LIMIT,
        help="Bytes that Markdown has at most; what is left out is counted.",
    ),
]
