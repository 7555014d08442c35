"""Actions in the plan's Markdown: what each will do, beside what stands now."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from gitca.findings import Location
from gitca.plan.background import Background
from gitca.plan.markdown_certificates import (
    Row,
    adoption_rows,
    certificate_rows,
    compared,
    present_rows,
    proposal_rows,
)
from gitca.plan.markdown_fit import Section
from gitca.plan.markdown_text import (
    cell_code,
    cell_prose,
    code,
    counted,
    details,
    html_code,
    place_link,
    prose,
    table,
)
from gitca.plan.model import (
    Action,
    AdoptAuthority,
    CreateAuthority,
    CrossCertify,
    IssueCertificate,
    RequestAuthority,
    RevokeCertificate,
    SignCrl,
    action_subject,
)
from gitca.plan.words import duration_words, key_words, period_words

OPEN = 3
"""Actions that are shown unfolded where there are no more."""

_FOLDERS = 6
_VERBS: Mapping[str, str] = MappingProxyType(
    {
        "create-ca": "create CA",
        "renew-ca": "renew CA",
        "cross-certify": "cross-certify CA",
        "request-ca": "ask an external CA for CA",
        "adopt-ca": "adopt CA",
        "issue": "issue",
        "renew": "renew",
        "rekey": "rekey",
        "revoke": "revoke",
        "sign-crl": "sign the CRL of",
        "retire-ca": "sign the last CRL of",
    }
)
# What is hardest to undo comes first; CRLs, which follow from the rest, last.
_ORDER = (
    *("create-ca", "renew-ca", "adopt-ca", "cross-certify", "request-ca", "retire-ca", "revoke"),
    *("rekey", "issue", "renew", "sign-crl"),
)


@dataclass(frozen=True, slots=True)
class _Renderer:
    background_of: Callable[[Action], Background]
    links: str
    is_open: bool

    def block(self, action: Action) -> str:
        """Return what an action does, as a part that unfolds."""
        background = self.background_of(action)
        reason = prose(_sentence(action.reason))
        rows = list(self._rows(action, background))
        present = background.present
        if present is not None and not isinstance(action, RevokeCertificate):
            standing = present_rows(present, with_urls=background.proposal is None)
            body = compared(rows, standing, present)
        else:
            body = table(("Field", "Value"), [(f"**{row.name}**", row.will_be) for row in rows])
        return details(_summary(action), f"{reason}.\n\n{body}", is_open=self.is_open) + "\n"

    def _rows(self, action: Action, background: Background) -> Iterator[Row]:
        place = background.place
        yield Row("Asked for in", place_link(place, self.links, in_table=True))
        if background.owner:
            yield Row("Owner", cell_code(background.owner))
        if background.description:
            yield Row("Description", cell_code(background.description))
        is_narrow = background.present is not None
        match action:
            case IssueCertificate():
                yield from certificate_rows(action.template, action.period, is_narrow=is_narrow)
                yield from self._issue_rows(action)
            case CrossCertify():
                yield from certificate_rows(action.template, action.period, is_narrow=is_narrow)
            case AdoptAuthority():
                file = place_link(Location(action.file.path), self.links, in_table=True, line=False)
                yield from adoption_rows(action, file, is_narrow=is_narrow)
            case CreateAuthority() | RequestAuthority():
                yield from proposal_rows(background)
            case RevokeCertificate():
                yield from _revocation_rows(action, background)
            case SignCrl():
                yield from _crl_rows(action, background)

    def _issue_rows(self, action: IssueCertificate) -> Iterator[Row]:
        policy, csr = action.documents.policy, action.documents.csr
        if policy:
            place = place_link(Location(policy.path), self.links, in_table=True, line=False)
            yield Row("Policy", place)
        if csr and csr != action.documents.request:
            place = place_link(Location(csr.path), self.links, in_table=True, line=False)
            yield Row("CSR", place)
        for path in action.waivers:
            link = place_link(Location(path), self.links, in_table=True, line=False)
            yield Row("**WAIVED** by", link)
        if action.ends_by is not None:
            yield Row("Ends before", f"{action.ends_by:%Y-%m-%dT%H:%M:%SZ}")


def actions_section(
    actions: Sequence[Action], background_of: Callable[[Action], Background], links: str
) -> Section:
    """Return every action in a block of its own: CAs and revocations first, CRLs last."""
    ordered = sorted(actions, key=lambda action: _ORDER.index(action.action))
    renderer = _Renderer(background_of, links, is_open=len(ordered) <= OPEN)

    def left_out(count: int) -> str:
        kinds = Counter(action.action for action in ordered[count:])
        listing = ", ".join(f"{number:,} {code(kind)}" for kind, number in kinds.items())
        return (
            f"… **and {counted(len(ordered) - count, 'more action')}** ({listing}), which do not"
            f" fit in here; {code('gitca plan')} lists all\n"
        )

    blocks = [partial(renderer.block, action) for action in ordered]
    return Section("\n### Each action\n\n", blocks, left_out, share=0.6, rank=2)


def overview_section(actions: Sequence[Action]) -> Section:
    """Return how many actions there are of each kind, by CA and folder."""
    groups: dict[tuple[str, str], list[Action]] = {}
    for action in actions:
        groups.setdefault((action.action, action.ca or ""), []).append(action)
    ordered = sorted(groups.items(), key=lambda group: (_ORDER.index(group[0][0]), group[0][1]))
    rows = [partial(_overview_row, *key, group) for key, group in ordered]

    def left_out(count: int) -> str:
        hidden = sum(len(group) for _, group in ordered[count:])
        return f"| … | {hidden:,} | | {counted(len(rows) - count, 'more line')} left out |\n"

    heading = "\n### What is done\n\n" + table(("Action", "How many", "CA", "For"), [])
    return Section(heading, rows, left_out, share=0.5, rank=1)


def _overview_row(kind: str, ca: str, group: Sequence[Action]) -> str:
    subjects = [subject for action in group if (subject := action_subject(action))]
    folders = Counter(map(_folder, subjects))
    shown = [
        cell_code(folder) + (f": {count:,}" if count > 1 else "")
        for folder, count in folders.most_common(_FOLDERS)
    ]
    more = [f"{len(folders) - _FOLDERS:,} more"] if len(folders) > _FOLDERS else []
    whom = cell_code(ca) if ca else ""
    return f"| {kind} | {len(group):,} | {whom} | {', '.join([*shown, *more])} |\n"


def _folder(subject: str) -> str:
    """Return the folder of a request, or a CA's name, or the beginning of a key's digest."""
    if "/" in subject:
        return f"{subject.rpartition('/')[0]}/"
    return f"{subject[:23]}…" if subject.startswith("sha256:") else subject


def _sentence(reason: str) -> str:
    is_word = re.match(r"[a-z]+[ :]", reason)
    return f"{reason[0].upper()}{reason[1:]}" if is_word else reason


def _summary(action: Action) -> str:
    """Return an action in a line of HTML."""
    verb, subject = _VERBS[action.action], action_subject(action)
    if isinstance(action, SignCrl):
        return f"<b>{verb}</b> {html_code(action.ca)}"
    line = f"<b>{verb}</b> {html_code(subject or '')}"
    if action.ca and action.ca not in (subject, "external"):
        line += f" {'of' if isinstance(action, RevokeCertificate) else 'from'} "
        line += html_code(action.ca)
    if isinstance(action, IssueCertificate):
        facts = f"{key_words(action.template.spki_der)}, {period_words(action.period)}"
        waived = ", <b>WAIVED</b>" if action.waivers else ""
        authority = ", <b>a CA</b>" if action.template.basic_constraints else ""
        return f"{line}: {facts}{authority}{waived}"
    if isinstance(action, RevokeCertificate):
        return f"{line}: {html_code(action.revocation_reason)}"
    return line


def _revocation_rows(action: RevokeCertificate, background: Background) -> Iterator[Row]:
    if action.serial:
        yield Row("Serial number", cell_code(action.serial))
    if action.key:
        yield Row("Key, refused from now on", cell_code(action.key))
    yield Row("Reason", cell_code(action.revocation_reason))
    if action.invalidity_date is not None:
        yield Row("Invalid since", f"{action.invalidity_date:%Y-%m-%dT%H:%M:%SZ}")
    if background.present is not None:
        yield from present_rows(background.present, is_narrow=False).values()


def _crl_rows(action: SignCrl, background: Background) -> Iterator[Row]:
    document, standing = background.authority, background.crl
    number = f"{standing.number + 1}" if standing else "1"
    yield Row("CRL number", f"{number} or higher" if standing else number)
    if standing:
        yield Row("The last one ends", f"{standing.next_update:%Y-%m-%dT%H:%M:%SZ}")
    if document is not None:
        lifetime = duration_words(document.spec.crl.lifetime)
        is_last = action.action == "retire-ca"
        lasting = f"until the CA's certificate ends, {lifetime} at least" if is_last else lifetime
        yield Row("Lifetime", cell_prose(lasting))
