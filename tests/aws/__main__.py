"""Serve the AWS of the tests: `python tests/aws [--port PORT]`.

The first line on standard output is the endpoint. Ends on SIGTERM and Ctrl-C, and with
`--until-input-ends` when its standard input does, so that it cannot outlive who started it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys

from http_front import Connection
from service import Service


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python tests/aws", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one")
    parser.add_argument("--until-input-ends", action="store_true")
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    service, over = Service(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    if arguments.until_input_ends:
        loop.add_reader(sys.stdin.fileno(), lambda: os.read(0, 1024) or over.set())
    server = await loop.create_server(
        lambda: Connection(service.handle), "127.0.0.1", arguments.port
    )
    port = server.sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}", flush=True)  # noqa: T201 - for whoever started it
    await over.wait()
    server.close()


with contextlib.suppress(KeyboardInterrupt):
    asyncio.run(_serve(_arguments()))
# moto keeps threads and temporary files that nobody waits for.
sys.stdout.flush()
os._exit(0)
