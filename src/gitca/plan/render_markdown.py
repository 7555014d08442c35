"""The plan as Markdown, for the comment on a pull request."""

from __future__ import annotations

from gitca.plan.outcome import Outcome

MARKER = "<!-- gitca plan -->"


def render_markdown(outcome: Outcome, *, links: str = "", size_limit: int) -> str:
    """Return the comment."""
    return f"{MARKER}\n{len(outcome.findings)} {links} {size_limit}\n"
