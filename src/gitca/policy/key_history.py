"""The past of a key: whose it was first, since when, and who else asks for it now.

A key belongs to the first request that had an order on it, as long as that one stands. So a request
that takes another's key is denied, and the other goes on: one bad request holds up nothing but
itself. Two requests that ask for the same new key at once are both denied, since nothing says whose
it is. A request that moved keeps its key: its old document is gone, and it asks for what the last
certificate on the key says.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitca.documents.fields import duration_text
from gitca.findings import Finding
from gitca.policy.case import Case, objection
from gitca.policy.proposal import Proposal
from gitca.policy.propose import template_of
from gitca.policy.validity import granted_validity
from gitca.x509.differences import differences
from gitca.x509.refusal import quoted

_NEW_KEY = "make a new key and CSR"


def check_authority_key(case: Case, _: Proposal) -> Iterator[Finding]:
    """`key.authority`: the key is no CA's own; who held it could pass for that CA."""
    authority = case.key_history.authority
    if authority is not None:
        yield objection(
            "key.authority",
            f"the key is that of CA {authority}; allowed is a key that is no CA's",
            case.csr_at,
            remedy=f"{_NEW_KEY}, and find out who uses the CA's key",
        )


def check_reuse(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`key.reuse`: the key was certified before, or is asked for, as far as the policy lets it."""
    history, mode = case.key_history, case.policy.spec.key.reuse
    if mode == "allow" or history.authority is not None:
        return
    is_own = history.holder == case.request.name or _has_moved(case, proposal)
    if history.holder is not None and (mode == "forbid" or not is_own):
        since = f" on {history.since:%Y-%m-%d}" if history.since else ""
        wanted = "a new key" if mode == "forbid" else "a key of the request's own"
        yield case.denial(
            "key.reuse",
            f"the key is that of request {quoted(history.holder)}, first ordered{since};"
            f" allowed is {wanted}",
            case.csr_at,
            remedy=_NEW_KEY,
        )
    if history.rivals:
        names = ", ".join(map(quoted, history.rivals[:3]))
        more = " and others" if len(history.rivals) > 3 else ""
        yield case.denial(
            "key.reuse",
            f"the key is asked for by {names}{more} as well; allowed is a key of the request's own",
            case.csr_at,
            remedy="make a new key and CSR for each",
        )


def _has_moved(case: Case, proposal: Proposal) -> bool:
    """Whether the request is that of the key's holder under another name, and asks for the same."""
    left = case.key_history.left
    template = None if left is None else template_of(case, proposal)
    return left is not None and template is not None and not differences(left, template)


def check_max_age(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """`key.maxAge`: the certificate ends before the key is older than the policy lets it be.

    A key's age counts from its first order, so the finding comes with the renewal that would exceed
    it, while the certificate in use is still valid.
    """
    most = case.policy.spec.key.max_age
    if most is None:
        return
    since = case.key_history.since
    latest = (since or case.now) + most
    if proposal.not_before + granted_validity(case, proposal) > latest:
        seen = (
            f"the certificate would end after {latest:%Y-%m-%d}, when the key, first ordered on"
            f" {since:%Y-%m-%d}, is too old"
            if since is not None
            else "the certificate would outlast its key"
        )
        yield case.denial(
            "key.maxAge",
            f"{seen}; allowed is an age of {duration_text(most)}",
            case.csr_at,
            remedy=f"{_NEW_KEY}, or ask for a shorter validity",
        )
