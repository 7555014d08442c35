"""What `plan` and `validate` found, in the formats that people, forges and programs read."""

from __future__ import annotations

import enum
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from gitca import __version__
from gitca.cli.output import json_text, write_block, write_line

if TYPE_CHECKING:
    from gitca.plan.outcome import Outcome


class PlanFormat(enum.StrEnum):
    """How a plan is written."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    GITHUB = "github"
    SARIF = "sarif"
    JUNIT = "junit"
    CODEQUALITY = "codequality"


class FindingsFormat(enum.StrEnum):
    """How findings alone are written."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"
    JUNIT = "junit"
    CODEQUALITY = "codequality"


@dataclass(frozen=True, slots=True)
class Rendering:
    """How an outcome becomes text: what the command itself renders, and what Markdown is told.

    `write_plainly` writes the answer for people, `record` is the answer as JSON.
    """

    outcome: Outcome
    write_plainly: Callable[[TextIO], None]
    record: Callable[[], object]
    links: str = ""
    size_limit: int = 0

    def write(self, name: str, stream: TextIO) -> None:
        """Write the outcome in a format to a stream. Raises: KeyError for one that is none."""
        _WRITERS[name](self, stream)

    def text(self, name: str) -> str:
        """Return the outcome in a format, as a file has it."""
        buffer = io.StringIO()
        self.write(name, buffer)
        return buffer.getvalue()


def _markdown(rendering: Rendering, stream: TextIO) -> None:
    from gitca.plan.render_markdown import render_markdown

    text = render_markdown(
        rendering.outcome, links=rendering.links, size_limit=rendering.size_limit
    )
    write_block(text, stream=stream)


def _github(rendering: Rendering, stream: TextIO) -> None:
    from gitca.plan.render_github import annotation_lines

    for line in annotation_lines(rendering.outcome):
        if line.is_command:
            # The one line of gitca's that a CI system is meant to obey; its data is escaped.
            stream.write(f"{line.text}\n")
        else:
            write_line(line.text, stream=stream)


def _sarif(rendering: Rendering, stream: TextIO) -> None:
    from gitca.plan.render_sarif import sarif_record

    stream.write(json_text(sarif_record(rendering.outcome, __version__)))


def _junit(rendering: Rendering, stream: TextIO) -> None:
    from gitca.plan.render_junit import junit_text

    write_block(junit_text(rendering.outcome), stream=stream)


def _codequality(rendering: Rendering, stream: TextIO) -> None:
    from gitca.plan.render_codequality import codequality_record

    stream.write(json_text(codequality_record(rendering.outcome)))


_WRITERS: dict[str, Callable[[Rendering, TextIO], None]] = {
    "text": lambda rendering, stream: rendering.write_plainly(stream),
    "json": lambda rendering, stream: _write_record(rendering, stream),
    "markdown": _markdown,
    "github": _github,
    "sarif": _sarif,
    "junit": _junit,
    "codequality": _codequality,
}


def _write_record(rendering: Rendering, stream: TextIO) -> None:
    stream.write(json_text(rendering.record()))
