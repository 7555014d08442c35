"""Keys opened for the user, who is asked for passphrases and PINs where need be."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitca.signers import Signer


def signer_opener(root: Path) -> Callable[[str], Signer]:
    """The function that opens the signer of a URI; files are looked for from the root."""
    from gitca.cli.passphrase import passphrase_of_user, pin_of_user
    from gitca.signers import open_signer

    return partial(open_signer, base=root, passphrase=passphrase_of_user(), pin=pin_of_user())
