"""What a name on the command line stands for: a request, a CA or a serial number, never two.

Whoever may add a request chooses its name. One that is named like a CA, or like the beginning of a
serial number, must not become what somebody else's revocation is of.
"""

from __future__ import annotations

from dataclasses import dataclass

from gitca.cli.certificates import matching
from gitca.cli.clone import Clone
from gitca.errors import UsageError
from gitca.ledger.records import OrderRecord

_ENDING = ".yaml"


@dataclass(frozen=True, slots=True)
class Meant:
    """What was typed, as the one thing that it stands for; the others are empty.

    A serial number is what may be one: nothing else has that name.
    """

    request: str = ""
    authority: str = ""
    serial: str = ""


def what_is_meant(clone: Clone, target: str, *, ca: str = "") -> Meant:
    """What is meant by a name, a document's path (`ca/NAME.yaml`), or a serial number of a CA.

    Raises: UsageError where it is the name of several.
    """
    if ca:
        return Meant(serial=target)
    if target.endswith(_ENDING):
        folder, _, name = target.removesuffix(_ENDING).partition("/")
        if folder == "requests":
            return Meant(request=name)
        if folder == "ca":
            return Meant(authority=name)
    is_request, is_authority = target in clone.state.requests, target in clone.state.authorities
    serials = list(matching(clone, target)) if is_request or is_authority else []
    if is_request + is_authority + bool(serials) > 1:
        raise _ambiguous(clone, target, serials)
    if is_request:
        return Meant(request=target)
    return Meant(authority=target) if is_authority else Meant(serial=target)


def request_certificate(clone: Clone, name: str) -> OrderRecord | None:
    """The certificate of a request: its current one, or else the last that was ordered."""
    request = clone.state.requests.get(name)
    if request is None:
        return None
    kept = (order for order in reversed(request.orders) if not order.is_given_up)
    return request.current or next(kept, None)


def authority_certificate(clone: Clone, name: str) -> OrderRecord | None:
    """The certificate of a CA: the one in use, or else the one that is ordered."""
    authority = clone.state.authority(name)
    return authority.certificate or authority.pending_certificate


def _ambiguous(clone: Clone, target: str, serials: list[OrderRecord]) -> UsageError:
    meanings, ways = [], []
    if target in clone.state.authorities:
        meanings.append(f"the CA {target}{_number(authority_certificate(clone, target))}")
        ways.append(f"ca/{target}{_ENDING}")
    if target in clone.state.requests:
        meanings.append(f"the request {target}{_number(request_certificate(clone, target))}")
        ways.append(f"requests/{target}{_ENDING}")
    if serials:
        meanings.append(f"the beginning of a serial number{_number(serials[0])}")
    return UsageError(
        f"{target} is {' and '.join(meanings)}; nothing was done",
        remedy=f"say {' or '.join(ways)}, or give the serial number with all its digits and --ca",
    )


def _number(record: OrderRecord | None) -> str:
    """The serial number of a certificate, in brackets; what an external CA signed has its own."""
    if record is None:
        return " (without a certificate)"
    return f" (serial number {record.certificate.serial} of CA {record.ordered.ca})"
