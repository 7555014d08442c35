"""Keys for people: what was made, what it is bound to, and what would be made."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from gitca.cli.certificates import Status
from gitca.cli.output import Styled, field_lines, terminal_columns, write_line
from gitca.cli.times import format_time
from gitca.cli.yaml_text import scalar

if TYPE_CHECKING:
    from gitca.cli.key_bindings import Binding

_PINNED = (
    "Once a CA has a certificate it is pinned to its key: another key in that place stops every"
    " run, and a new key is a new CA."
)


def write_made(record: Mapping[str, str], bindings: Sequence[Binding], *, quiet: bool) -> None:
    """Write what was made, and unless `quiet` what comes next."""
    _write_fields(record)
    if quiet:
        return
    write_line()
    if bindings:
        names = " and ".join(f"ca/{binding.ca}.yaml" for binding in bindings)
        _write_text(f"{names} names it: `gitca reconcile` makes the CA's certificate with it.")
    else:
        _write_text("No CA's document names it yet. Write into one, ca/NAME.yaml, below spec:")
        write_line()
        write_line(f"  key: {scalar(record['signer'])}")
        write_line()
    _write_text(_PINNED)


def write_key(
    record: Mapping[str, str],
    details: Mapping[str, str],
    bindings: Sequence[Binding],
    *,
    unknown: str,
) -> None:
    """Write a key, what its signer says of it, and what it is bound to.

    `unknown` says why no ledger could be read, where none could.
    """
    fields = {**record, **{name: text for name, text in details.items() if name not in record}}
    width = _width(fields)
    _write_fields(fields)
    identifier = record["identifier"]
    for binding in bindings:
        style = "red" if binding.contradicts(identifier) else ""
        _write_field("certificate", _bound_text(binding, identifier), width, style=style)
    if unknown:
        _write_field("certificate", f"not looked for: {unknown}", width)
    elif not bindings:
        text = "none: no CA's document here names this key, and no CA's certificate has it"
        _write_field("certificate", text, width)


def _bound_text(binding: Binding, identifier: str) -> str:
    certificate = binding.certificate
    if binding.contradicts(identifier):
        return f"CA {binding.ca} names this key, and its {binding.what} has ANOTHER: {binding.key}"
    if certificate is None:
        asked = ", which an external CA is asked for" if binding.key else ""
        return f"CA {binding.ca} names this key, and has no certificate yet{asked}"
    until = format_time(certificate.not_after)
    words = {
        Status.VALID: f"valid until {until}",
        Status.EXPIRED: f"expired at {until}",
        Status.REVOKED: f"revoked (it would be valid until {until})",
        Status.SUPERSEDED: f"superseded (valid until {until})",
        Status.PENDING: "ordered, and not yet signed",
    }
    elsewhere = "" if binding.is_named else "; the CA's document names another URI"
    return f"CA {binding.ca}, serial {certificate.serial}, {words[certificate.status]}{elsewhere}"


def binding_record(binding: Binding, identifier: str) -> dict[str, object]:
    """The binding as `gitca keys show --format json` gives it."""
    certificate = binding.certificate
    return {
        "ca": binding.ca,
        "named": binding.is_named,
        "key": binding.key,
        "isThisKey": binding.is_of(identifier),
        "certificate": certificate
        and {
            "serial": certificate.serial,
            "notAfter": format_time(certificate.not_after),
            "status": certificate.status.value,
        },
    }


def write_preview(preview: Mapping[str, object]) -> None:
    """Write nested values as an indented outline, each value wrapped below its own beginning."""
    for line in _outline(preview, 0):
        write_line(line)


def _outline(value: Mapping[str, object], indent: int) -> Iterator[str]:
    margin = " " * indent
    for name, item in value.items():
        if isinstance(item, Mapping):
            yield f"{margin}{name}:"
            yield from _outline(item, indent + 2)
        elif isinstance(item, list | tuple) and item:
            yield from _listed(name, item, margin)
        else:
            yield from _wrapped(f"{margin}{name}: ", _word(item))


def _listed(name: str, items: Sequence[object], margin: str) -> Iterator[str]:
    if not any(isinstance(item, Mapping) for item in items):
        yield from _wrapped(f"{margin}{name}: ", ", ".join(map(_word, items)))
        return
    yield f"{margin}{name}:"
    for item in items:
        nested = item if isinstance(item, Mapping) else {"": item}
        lines = list(_outline(nested, len(margin) + 4))
        yield f"{margin}  - {lines[0].lstrip()}"
        yield from lines[1:]


def _word(value: object) -> str:
    if value is None or value in ([], (), ""):
        return "none"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _wrapped(head: str, text: str) -> list[str]:
    """The text after its head, and below the head's end where it is too long for one line."""
    # Names that are long leave too little beside them: then the text goes below, indented.
    hang = " " * (len(head) if len(head) <= 28 else len(head) - len(head.lstrip()) + 4)
    width = max(terminal_columns(), 40)
    return textwrap.wrap(
        text,
        width,
        initial_indent=head,
        subsequent_indent=hang,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [head.rstrip()]


def _width(record: Mapping[str, str]) -> int:
    return max(14, *(len(name) + 2 for name in record))


def _write_fields(record: Mapping[str, str]) -> None:
    width = _width(record)
    for name, value in record.items():
        _write_field(name, value, width)


def _write_field(name: str, value: str, width: int, *, style: str = "") -> None:
    for line in field_lines(f"{name:<{width}}", value, terminal_columns()):
        write_line(Styled(line.rstrip(), style))


def _write_text(text: str) -> None:
    for line in textwrap.wrap(text, max(terminal_columns(), 40), break_on_hyphens=False):
        write_line(line)
