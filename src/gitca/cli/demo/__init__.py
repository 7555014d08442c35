"""`gitca demo`: the whole loop on this machine, with real Git, told while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    documents: Annotated[
        Path | None,
        typer.Option(
            "--documents",
            metavar="DIR",
            help="Play with a copy of these documents (ca/, policies/, requests/).",
        ),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option("--into", metavar="DIR", help="A new folder to play in; else a fresh one."),
    ] = None,
) -> None:
    """Show the whole loop on this machine.

    Request, review, merge, reconcile, CRL, revocation, proof: real Git with a bare origin, keys of
    its own under a passphrase that is thrown away, CSRs by openssl where there is one. Everything
    lies in one folder, which is kept; nothing is left running. The exit code is 0 only if every
    step went as it should.
    """
    from gitca.cli.demo.loop import run_loop
    from gitca.cli.demo.stage import set_stage

    run_loop(set_stage(documents, into))
