"""The plan as Markdown, for the one comment that a pull request has of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType

from gitca.findings import Severity
from gitca.ledger.events import time_text
from gitca.plan.markdown_actions import actions_section, overview_section
from gitca.plan.markdown_findings import findings_section, standing_section, tally
from gitca.plan.markdown_fit import Section, fit
from gitca.plan.markdown_text import code, counted
from gitca.plan.markdown_what_if import what_if_section
from gitca.plan.model import Action, PendingOrder, Plan, RevokeCertificate
from gitca.plan.outcome import Outcome

MARKER = "<!-- gitca plan -->"
"""The first line, by which the comment is found again that the next plan takes the place of."""

# What the headline says of each kind, of one and of several.
_DEEDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "create-ca": ("creates {} CA", "creates {} CAs"),
        "renew-ca": ("renews {} CA", "renews {} CAs"),
        "adopt-ca": ("takes {} CA's certificate from outside into use",) * 2,
        "cross-certify": ("makes {} cross-certificate", "makes {} cross-certificates"),
        "request-ca": ("asks an external CA for {} certificate",) * 2,
        "issue": ("issues {} certificate", "issues {} certificates"),
        "rekey": ("issues {} certificate on a new key", "issues {} certificates on new keys"),
        "renew": ("renews {} certificate", "renews {} certificates"),
        "revoke": ("revokes {} certificate", "revokes {} certificates"),
        "refuse": ("refuses {} key", "refuses {} keys"),
        "retire-ca": ("signs {} last CRL", "signs {} last CRLs"),
        "sign-crl": ("signs {} CRL", "signs {} CRLs"),
    }
)


def render_markdown(outcome: Outcome, *, links: str = "", size_limit: int) -> str:
    """Return the plan for a reviewer, in at most `size_limit` bytes of UTF-8.

    Findings come first, then what is done, what changed policies would do, and what stays; the
    digest is last. Files are linked below the URL `links`, where there is one. Nothing that a
    document says is markup.
    """
    plan = outcome.plan or Plan((), outcome.findings)
    start = f"{MARKER}\n## gitca plan\n\n{_headline(plan, outcome)}\n"
    end = (
        f"\nPlan {code(plan.digest)}. After the merge the plan has the same digest, unless"
        " something else was merged or fell due before.\n"
    )
    return fit(start, list(_sections(plan, outcome, links)), end, size_limit)


def _sections(plan: Plan, outcome: Outcome, links: str) -> Iterator[Section]:
    yield findings_section(outcome, links)
    yield overview_section(plan.actions)
    if outcome.what_if is not None:
        yield what_if_section(outcome.what_if, links)
    if outcome.background is not None:
        yield actions_section(plan.actions, outcome.background, links)
    yield _pending_section(plan.pending)
    yield standing_section(outcome, links)


def _headline(plan: Plan, outcome: Outcome) -> str:
    done = _deeds(plan.actions)
    errors = outcome.of(Severity.ERROR)
    if done:
        first = f"**Once this is merged, gitca {done}.**"
    elif errors:
        first = "**Nothing is done.**"
    else:
        first = "**Nothing to do: the repository is as its documents say.**"
    if not errors:
        found = tally(outcome.findings)
        return f"{first} There {_are(outcome)} {found}." if found else f"{first} No findings."
    count = counted(len(errors), "error")
    stops = "stops" if len(errors) == 1 else "stop"
    return f"{first} **{count} {stops} what the documents named below ask for.**"


def _are(outcome: Outcome) -> str:
    return "is" if len(outcome.findings) == 1 else "are"


def _deeds(actions: Sequence[Action]) -> str:
    counts: Counter[str] = Counter(map(_kind, actions))
    deeds = [
        words[counts[kind] > 1].format(f"{counts[kind]:,}")
        for kind, words in _DEEDS.items()
        if counts[kind]
    ]
    return f"{', '.join(deeds[:-1])} and {deeds[-1]}" if len(deeds) > 1 else "".join(deeds)


def _kind(action: Action) -> str:
    is_key = isinstance(action, RevokeCertificate) and action.serial is None
    return "refuse" if is_key else action.action


def _pending_section(pending: Sequence[PendingOrder]) -> Section:
    """Return the orders of earlier runs that await their signature."""

    def left_out(count: int) -> str:
        return f"- … **and {counted(len(pending) - count, 'more order')}**\n"

    heading = (
        "\n### Orders awaiting a signature\n\n"
        "They were recorded by earlier runs; a reconcile signs what the documents still allow.\n\n"
    )
    blocks = [partial(_pending, order) for order in pending]
    return Section(heading, blocks, left_out, share=0.3, rank=4)


def _pending(order: PendingOrder) -> str:
    wanted = code(order.request or order.authority or order.about)
    return (
        f"- {code(order.ca)}: {wanted}, order {code(order.order)},"
        f" leased until {time_text(order.lease)}\n"
    )
