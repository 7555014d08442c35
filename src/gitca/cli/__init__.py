"""The command line: the only place that prints, prompts, reads the clock or exits.

Heavy modules are imported in command bodies, so that a command pays for what it uses.
"""

import gc
import os
import sys
import warnings

from gitca import __version__

# A ledger of 100,000 certificates is millions of objects, all of which live as long as the process:
# looking through them for garbage as often as Python does by default takes a third of its time.
COLLECTION_THRESHOLDS = (100_000, 50, 100)


def main() -> None:
    """Run the command that the process was given and exit with its code."""
    arguments = sys.argv[1:]
    if arguments == ["--version"] and _told_version():
        return
    # No package that happens to be installed here gets to hook into the parsing of documents.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.set_threshold(*COLLECTION_THRESHOLDS)
    if not sys.warnoptions:
        # What a library tells its callers, of an odd certificate for one, is not for a user's eyes.
        warnings.simplefilter("ignore")
    from gitca.cli.boundary import run

    sys.exit(run(arguments))


def _told_version() -> bool:
    """Tell the version; False where that cannot be written, which the parser's way says better.

    That would give the same answer, and costs more than the rest of the process.
    """
    if sys.stdout is None:  # it was closed from the start
        return False
    try:
        sys.stdout.write(f"gitca {__version__}\n")
        sys.stdout.flush()
    except OSError:
        return False
    return True
