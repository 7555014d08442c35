"""`gitca sign`: signing what is ordered, where the key is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from gitca.cli.completion import authority_names
from gitca.cli.output import Format, complain, write_json
from gitca.cli.settings import Settings, settings_of
from gitca.cli.times import clock
from gitca.errors import BackendUnavailableError, UsageError

if TYPE_CHECKING:
    from gitca.git.store import Snapshot, Store
    from gitca.reconcile.carry_over import CarriedOver
    from gitca.reconcile.ceremony import Approve, Proposal
    from gitca.reconcile.report import Report


@dataclass(frozen=True, slots=True)
class Signing:
    """What came of the command: what was carried over, what was signed, and where it lies.

    `branch` is the local branch where origin was not reached, or told to be left alone; None where
    the work is origin's already, or there is no origin.
    """

    carried: CarriedOver | None
    report: Report | None
    branch: str | None


def sign(
    context: typer.Context,
    ca: Annotated[
        str,
        typer.Option(
            "--ca",
            metavar="CA",
            help="The CA whose key is here; without it, nothing is signed.",
            autocompletion=authority_names,
        ),
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Sign without asking.")] = False,
    accept_key: Annotated[
        list[str] | None,
        typer.Option(
            "--accept-key",
            metavar="SHA256",
            help="With --yes: a key of another machine, compared with `keys show`; repeatable.",
        ),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Use no network: work on the local branch.")
    ] = False,
    output_format: Annotated[Format, typer.Option("--format", help="text or json.")] = Format.TEXT,
) -> None:
    """Sign what awaits the key of one CA, where that key is.

    For a root whose key is offline. Each order that reconcile recorded is rebuilt from its
    documents, shown in words, and signed once you agree. A root that has no certificate yet orders
    that, and its first CRL, itself. Where origin does not answer, or with --offline, all of it is
    on the local branch: push that, or carry the clone to where it can be pushed. Run again in a
    clone whose origin has gone on, this carries over what was signed there.
    """
    _check_options(ca, yes=yes, offline=offline, output_format=output_format)
    settings = settings_of(context)
    approve = _approval(settings, output_format, yes=yes, accepted=frozenset(accept_key or ()))
    done = _sign(settings, ca, approve=approve, offline=offline)
    from gitca.cli.sign_done import signing_record, write_signing

    if output_format is Format.JSON:
        write_json(signing_record(done, ca))
    else:
        write_signing(done, settings, ca)
    if done.report is not None and done.report.exit_code:
        raise typer.Exit(done.report.exit_code)


def _check_options(ca: str, *, yes: bool, offline: bool, output_format: Format) -> None:
    if offline and not ca:
        raise UsageError("--offline without --ca", remedy="name the CA whose key is here")
    if output_format is Format.JSON and ca and not yes:
        raise UsageError(
            "--format json cannot ask", remedy="add --yes, or leave --format to be asked"
        )


def _approval(
    settings: Settings, output_format: Format, *, yes: bool, accepted: frozenset[str]
) -> Approve:
    from gitca.cli.sign_text import ask, show

    def approve(proposal: Proposal) -> bool:
        if output_format is Format.TEXT and not (yes and settings.is_quiet):
            show(proposal, settings.root, clock())
        if yes:
            _check_told_keys(proposal, accepted)
        return yes or ask(proposal)

    return approve


def _check_told_keys(proposal: Proposal, accepted: frozenset[str]) -> None:
    """Raise where nobody has compared a key that only the ledger says is a CA's.

    Raises: UsageError.
    """
    told = (item.template for item in proposal.items if item.key_is_told)
    keys = dict.fromkeys(template.key_identifier for template in told if template is not None)
    unseen = [key for key in keys if key not in accepted]
    if unseen:
        options = " ".join(f"--accept-key {key}" for key in unseen)
        raise UsageError(
            f"--yes does not vouch for keys that only the ledger says are a CA's:"
            f" {', '.join(unseen)}; nothing was signed",
            remedy="compare each with what `gitca keys show` says at the machine that has it, and"
            f" add {options}, or leave --yes out to be asked",
        )


def _sign(settings: Settings, ca: str, *, approve: Approve, offline: bool) -> Signing:
    from gitca.cli.clone import open_store
    from gitca.git.carry import begin_locally

    with open_store(settings.repo) as store:
        has_origin = store.repository.remote() is not None
        carried, snapshot = None, None
        if has_origin and not offline:
            snapshot = _load(store, ca)
        if snapshot is not None:
            carried = _carry_over(store, snapshot)
        elif has_origin:
            begin_locally(store)
        if not ca:
            _check_branch(store, has_origin=has_origin)
            return Signing(carried, None, None)
        report = _hold(store, settings, ca, approve)
        is_local = has_origin and snapshot is None
        return Signing(carried, report, store.branches.issued if is_local else None)


def _check_branch(store: Store, *, has_origin: bool) -> None:
    """Raise UsageError where nothing could have been carried over at all."""
    from gitca.git.repository import ORIGIN

    branch = store.branches.issued
    if not has_origin:
        raise UsageError(f"there is no {ORIGIN} to carry anything to", remedy="give --ca")
    if store.repository.local_branch(branch) is None:
        raise UsageError(
            f"there is no local branch {branch} to carry anything over from",
            remedy=f"git switch -c {branch} COMMIT, with the commit that the safe's bundle brought",
        )


def _load(store: Store, ca: str) -> Snapshot | None:
    """Return origin's branch; None, told to the user, where origin does not answer."""
    try:
        return store.load()
    except BackendUnavailableError as error:
        if not ca:
            raise
        complain(f"origin does not answer, so this works on the local branch: {error.message}")
        return None


def _carry_over(store: Store, snapshot: Snapshot) -> CarriedOver | None:
    from gitca.reconcile.carry_over import carry_over

    return carry_over(store, snapshot, clock())


def _hold(store: Store, settings: Settings, ca: str, approve: Approve) -> Report:
    from gitca.cli.clone import check_authority
    from gitca.cli.passphrase import signer_opener
    from gitca.cli.run import next_serial, run_name
    from gitca.documents.load import load_governing
    from gitca.reconcile.ceremony import hold_ceremony
    from gitca.reconcile.keys import Keys
    from gitca.reconcile.recipe import World

    snapshot = store.load()
    check_authority(load_governing(snapshot.entries, store.read), ca)
    world = World(clock, next_serial, run_name())
    # One key is opened here, and no other machine is asked for one.
    with Keys(signer_opener(settings.root), frozenset({ca})) as keys:
        return hold_ceremony(store, keys, world, ca, approve=approve)
