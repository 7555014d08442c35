"""`gitca demo`: the whole loop on this machine, with real Git, told while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gitca.errors import UsageError


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
    is_aws: Annotated[
        bool,
        typer.Option("--aws", help="Keys in KMS, CRLs in a bucket: an AWS that needs no account."),
    ] = False,
    aws_server: Annotated[
        Path | None,
        typer.Option(
            "--aws-server", metavar="DIR", help="Where that AWS is: tests/aws of a clone of gitca."
        ),
    ] = None,
) -> None:
    """Show the whole loop on this machine.

    Request, review, merge, reconcile, CRL, revocation, proof: real Git with a bare origin, keys of
    its own under a passphrase that is thrown away, CSRs by openssl where there is one. Everything
    lies in one folder, which is kept; nothing is left running. The exit code is 0 only if every
    step went as it should.

    With --aws the keys are in KMS and the CRLs in a bucket: of the AWS that gitca's own tests use,
    started on this machine for as long as the demo lasts. No account, credentials or network are
    needed, and none of yours are used.
    """
    from gitca.cli.demo.loop import run_loop
    from gitca.cli.demo.stage import set_stage

    if not is_aws and aws_server is None:
        run_loop(set_stage(documents, into))
        return
    from gitca.cli.demo.cloud import check_programs, running_cloud, server_folder

    _check_aws(documents, is_aws=is_aws)
    check_programs()
    with running_cloud(server_folder(aws_server)) as cloud:
        run_loop(set_stage(documents, into, cloud))


def _check_aws(documents: Path | None, *, is_aws: bool) -> None:
    if not is_aws:
        raise UsageError("--aws-server is for --aws", remedy="give --aws as well")
    if documents is not None:
        raise UsageError(
            "--aws makes documents of its own, whose keys are in KMS",
            remedy="leave --documents out, or --aws",
        )
