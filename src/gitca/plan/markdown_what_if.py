"""The what-if of changed policies in the plan's Markdown: which requests would fare otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from gitca.plan.markdown_findings import finding_item
from gitca.plan.markdown_fit import Section
from gitca.plan.markdown_text import code, counted, prose
from gitca.plan.render_what_if import VERBS
from gitca.plan.what_if import Consequence, WhatIf, by_folder

_NOT_APPLIED = (
    "This change alters CAs or policies. They are not applied to it: its requests were judged by"
    " those of the base. Once merged, they judge every request that stands"
)
_POLICIES = 5
_FOLDERS = 5
_LONGEST = 40
_SHOWN = 5
"""Findings, changes and certificates of one request that are shown."""


def what_if_section(what_if: WhatIf, links: str) -> Section:
    """Return what would be denied first, then what would be admitted, then issued anew."""
    items = [item for effect in VERBS for item in what_if.of(effect)]
    blocks: list[Callable[[], str]] = [partial(_item, item, links) for item in items]
    blocks = blocks or [lambda: _NOTHING]

    def left_out(count: int) -> str:
        return f"- … **and {counted(len(items) - count, 'more request')}**, which do not fit in\n"

    return Section(_heading(what_if), blocks, left_out, share=0.5, rank=1)


_NOTHING = "Nothing: every request fares as before.\n"


def _heading(what_if: WhatIf) -> str:
    policies = [code(name, longest=_LONGEST) for name in what_if.policies[:_POLICIES]]
    if len(what_if.policies) > _POLICIES:
        policies.append(f"{len(what_if.policies) - _POLICIES:,} more")
    judged = counted(what_if.judged, "request")
    lines = "".join(_kind(VERBS[effect], what_if.of(effect)) for effect in VERBS)
    return (
        "\n### What the changed policies would do\n\n"
        f"{_NOT_APPLIED} ({judged} judged again; policies: {', '.join(policies) or 'none'}).\n\n"
        + lines
    )


def _kind(verb: str, affected: Sequence[Consequence]) -> str:
    if not affected:
        return ""
    certificates = sum(len(item.certificates) for item in affected)
    counts = list(by_folder(affected).items())
    folders = [
        f"{code(name, longest=_LONGEST) if name else 'no folder'}: {number:,}"
        for name, number in counts[:_FOLDERS]
    ]
    more = [f"{len(counts) - _FOLDERS:,} more folders"] if len(counts) > _FOLDERS else []
    return (
        f"**They {verb} {counted(len(affected), 'request')}** with"
        f" {counted(certificates, 'live certificate')} ({', '.join([*folders, *more])}).\n\n"
    )


def _item(item: Consequence, links: str) -> str:
    certificates = [
        f"{code(record.certificate.serial)} until {record.certificate.not_after:%Y-%m-%d}"
        for record in item.certificates[:_SHOWN]
    ]
    held = f"; live certificate {', '.join(certificates)}" if certificates else ""
    was = " It was denied for:" if item.effect == "admitted" else ""
    policy, verb = code(item.policy), VERBS[item.effect]
    lines = [f"- {code(item.request)} (policy {policy}): **{verb}**{held}.{was}\n"]
    lines += [finding_item(finding, links, indent="  ") for finding in item.findings[:_SHOWN]]
    lines += [f"  - {prose(change)}\n" for change in item.changes[:_SHOWN]]
    hidden = max(0, len(item.findings) - _SHOWN) + max(0, len(item.changes) - _SHOWN)
    return "".join(lines) + (f"  - … and {hidden:,} more\n" if hidden else "")
