"""The command line: the only place that prints, prompts, reads the clock or exits.

Heavy modules are imported in command bodies, so that a command pays for what it uses.
"""

import os
import sys

from gitca import __version__


def main() -> None:
    """Run the command that the process was given and exit with its code."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        # The parser would give the same answer and costs more than the rest of the process.
        sys.stdout.write(f"gitca {__version__}\n")
        return
    # No package that happens to be installed here gets to hook into the parsing of documents.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from gitca.cli.boundary import run

    sys.exit(run(arguments))
