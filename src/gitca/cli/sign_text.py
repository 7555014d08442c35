"""What a key is about to sign, in words, and the question whether it may."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import typer

from gitca.cli.name_text import name_text
from gitca.cli.output import (
    Styled,
    counted,
    field_lines,
    terminal_columns,
    write_line,
    write_table,
)
from gitca.cli.times import distance, format_time
from gitca.errors import UsageError
from gitca.git.process import Git, as_text
from gitca.ledger.draft import recorded_at
from gitca.ledger.events import CertificateParticulars, CrlParticulars, Ordered, Revoked
from gitca.ledger.segment import segment_path
from gitca.plan.words import authority_words, extension_lines, key_words, usage_words
from gitca.reconcile.ceremony import Item, Proposal
from gitca.x509.template import CertificateTemplate

_SHOWN = 40  # entries of a CRL; beyond them the numbers say more
_PRETTY = "%h of %aI by %an <%ae>: %s"


def show(proposal: Proposal, root: Path, now: datetime) -> None:
    """Write all that a proposal would let the key sign."""
    number = counted(len(proposal.items), "object")
    write_line(Styled(f"The key of CA {proposal.ca} is to sign {number}.", "bold"))
    for item in proposal.items:
        write_line()
        _show_item(item, proposal, Git(root), now)
    for event in proposal.abandoned:
        write_line()
        write_line(f"Order {event.order} is given up unsigned: {event.reason}.")
    write_line()


def ask(proposal: Proposal) -> bool:
    """Ask on the terminal whether to go on. Raises: UsageError where there is none."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "there is no terminal to ask on; nothing was signed",
            remedy="run this on a terminal, or add --yes once you have seen what it shows",
        )
    number = counted(len(proposal.items), "object")
    question = f"Sign {number} with the key of CA {proposal.ca}?"
    return typer.confirm(question if proposal.items else "Give up the orders?", default=False)


def _show_item(item: Item, proposal: Proposal, git: Git, now: datetime) -> None:
    write_line(Styled(_title(item.ordered), "cyan"))
    facts = [*_facts(item, now), *_origins(item, proposal, git)]
    for name, value in facts:
        for line in field_lines(name, value, terminal_columns()):
            write_line(line)
    if item.new:
        rows = [_entry(event) for event in item.new[:_SHOWN]]
        write_table(("SERIAL", "REVOKED", "REASON", "DOCUMENT"), rows, shrink=3)
        if len(item.new) > _SHOWN:
            write_line(f"  … and {len(item.new) - _SHOWN} more")


def _title(ordered: Ordered) -> str:
    given = ordered.particulars
    if isinstance(given, CrlParticulars):
        return f"CRL {given.number} of CA {ordered.ca}"
    if not isinstance(given, CertificateParticulars):
        return f"CSR of CA {given.authority}, for its external issuer"
    if given.cross is not None:
        return f"Cross-certificate for CA {given.cross}, by CA {ordered.ca}"
    if given.authority == ordered.ca:
        return f"Certificate of CA {ordered.ca}, signed by itself"
    if given.authority is not None:
        return f"Certificate of CA {given.authority}, by CA {ordered.ca}"
    return f"Certificate for the request {given.request}, by CA {ordered.ca}"


def _facts(item: Item, now: datetime) -> Iterator[tuple[str, str]]:
    given = item.ordered.particulars
    if item.template is not None and isinstance(given, CertificateParticulars):
        yield from _certificate(item, item.template)
        until = f"{format_time(given.not_after)} ({distance(given.not_after, now)})"
        yield "valid", f"{format_time(given.not_before)} to {until}"
        yield "serial", given.serial
    elif isinstance(given, CrlParticulars):
        yield "this update", format_time(given.this_update)
        until = f"{format_time(given.next_update)} ({distance(given.next_update, now)})"
        yield "next update", until
        entries = counted(len(item.entries), "entry", "entries")
        yield "entries", f"{entries}, {len(item.new)} of them new" if item.entries else "none"
    elif not isinstance(given, CertificateParticulars):
        yield "key", given.key
    yield "algorithm", item.ordered.signature_algorithm


def _certificate(item: Item, template: CertificateTemplate) -> Iterator[tuple[str, str]]:
    yield "subject", name_text(template.subject)
    if template.sans:
        yield "names", ", ".join(map(str, template.sans))
    yield "key", key_words(template.spki_der)
    yield "", template.key_identifier
    given = item.ordered.particulars
    if item.key_is_told and isinstance(given, CertificateParticulars):
        name = given.authority or given.cross
        yield (
            "COMPARE",
            (
                f"this key is at another machine, and only the ledger says that it is CA {name}'s:"
                f" compare the line above with what `gitca keys show {name}` says there, read to"
                " you by somebody you know"
            ),
        )
    yield "authority", authority_words(template) or "none: no CA"
    yield "usages", ", ".join(usage_words(template))
    for line in extension_lines(template):
        yield "extension", line
    if template.crl_urls:
        yield "CRL at", ", ".join(template.crl_urls)
    if template.ca_issuers_urls:
        yield "issuer at", ", ".join(template.ca_issuers_urls)


def _origins(item: Item, proposal: Proposal, git: Git) -> Iterator[tuple[str, str]]:
    ordered = item.ordered
    yield "document", f"{ordered.documents.ca.path} (blob {ordered.documents.ca.blob[:12]})"
    reviewed = _last_commit(git, ordered.source, ordered.documents.ca.path)
    if reviewed:
        yield "", f"as commit {reviewed}"
    yield "judged at", f"commit {ordered.source[:12]}"
    if item.segment is None:
        yield "recorded", "not yet: this run orders it"
        return
    yield "recorded", f"{format_time(recorded_at(ordered))} by run {ordered.run}"
    tip = proposal.snapshot.tip
    recorded = _last_commit(git, tip, segment_path(item.segment)) if tip else ""
    if recorded:
        yield "", f"in commit {recorded}"


def _last_commit(git: Git, commit: str, path: str) -> str:
    """Return the last commit up to `commit` that touched a path, in words, where it is here."""
    answer = git.run(
        "log", "-1", "--no-show-signature", f"--format={_PRETTY}", "--abbrev=12",
        "--end-of-options", commit, "--", path,
    )  # fmt: skip
    return as_text(answer.stdout).strip() if answer.returncode == 0 else ""


def _entry(event: Revoked) -> tuple[str, str, str, str]:
    return event.serial or "", f"{event.date:%Y-%m-%d}", event.reason, event.document.path
