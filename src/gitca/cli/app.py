"""The application: the table of commands, and the options that come before them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gitca import __version__
from gitca.cli import (
    demo,
    doctor,
    documents,
    explain,
    init,
    inventory,
    keys,
    operate,
    planning,
    policies,
    proof,
    publish,
    requests,
    revoke,
    schema,
    show,
    sign,
    status,
)
from gitca.cli.examples import EXAMPLES, EXIT_CODES
from gitca.cli.output import write_line
from gitca.cli.settings import Settings, Verbosity
from gitca.errors import UsageError

_PLAIN = {"help_option_names": ["--help", "-h"]}

# Plain help instead of boxes: the same on a terminal and in a pipe, and it starts faster.
app = typer.Typer(
    name="gitca",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=_PLAIN,
)
_request = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Write the document that asks for a certificate, or explain one.",
)
_keys = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Make the key of a CA at its signer, or describe it.",
)
_policy = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Test, explain and compare policies.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        write_line(f"gitca {__version__}")
        raise typer.Exit


@app.callback(epilog=EXIT_CODES)
def _settings(
    context: typer.Context,
    repo: Annotated[
        Path,
        typer.Option("--repo", metavar="DIR", help="The CA repository, or a folder in it."),
    ] = Path(),
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say more; after a defect, show where it is.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Say nothing but findings and failures.")
    ] = False,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """A certificate authority whose only database is a Git repository.

    People write what certificates there shall be, in requests/; `gitca reconcile` makes it so and
    writes certificates, CRLs and a ledger to issued/.
    """
    if verbose and quiet:
        raise UsageError("both --verbose and --quiet", remedy="give one of them")
    verbosity = Verbosity.VERBOSE if verbose else Verbosity.QUIET if quiet else Verbosity.NORMAL
    context.obj = Settings(repo=repo, verbosity=verbosity)


app.command("init", epilog=EXAMPLES["init"])(init.init)
app.command("demo", epilog=EXAMPLES["demo"])(demo.demo)
app.command("validate", epilog=EXAMPLES["validate"])(documents.validate)
app.command("plan", epilog=EXAMPLES["plan"])(planning.plan)
app.command("reconcile", epilog=EXAMPLES["reconcile"])(operate.reconcile)
app.command("sign", epilog=EXAMPLES["sign"])(sign.sign)
app.command("publish", epilog=EXAMPLES["publish"])(publish.publish)
app.command("verify", epilog=EXAMPLES["verify"])(proof.verify)
app.command("list", epilog=EXAMPLES["list"])(inventory.list_certificates)
app.command("show", epilog=EXAMPLES["show"])(show.show)
app.command("status", epilog=EXAMPLES["status"])(status.status)
_request.command("new", epilog=EXAMPLES["request new"])(requests.new)
_request.command("show", epilog=EXAMPLES["request show"])(explain.show)
app.add_typer(_request, name="request")
app.command("revoke", epilog=EXAMPLES["revoke"])(revoke.revoke)
_policy.command("test", epilog=EXAMPLES["policy test"])(policies.run_tests)
_policy.command("explain", epilog=EXAMPLES["policy explain"])(policies.explain)
_policy.command("check", epilog=EXAMPLES["policy check"])(policies.check)
_policy.command("diff", epilog=EXAMPLES["policy diff"])(policies.diff)
app.add_typer(_policy, name="policy")
_keys.command("create", epilog=EXAMPLES["keys create"])(keys.create)
_keys.command("show", epilog=EXAMPLES["keys show"])(keys.show)
app.add_typer(_keys, name="keys")
app.command("doctor", epilog=EXAMPLES["doctor"])(doctor.doctor)
app.command("schema", epilog=EXAMPLES["schema"])(schema.schema)
