"""What `gitca init` says when it is done: what there is, and what remains to be done, in order."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gitca.cli.output import Styled, write_line
from gitca.cli.scaffold.key_places import ISSUING_SPEC, ROOT_SPEC
from gitca.cli.scaffold.remaining import Step, terminal_lines
from gitca.signers.key_spec_names import KMS_SPECS

if TYPE_CHECKING:
    from gitca.cli.init_pipelines import Keys

_SPECS = {"root": ROOT_SPEC, "issuing": ISSUING_SPEC}
_KEYS = {
    "file": "  .gitca/keys/  their keys, encrypted and out of Git: keep a copy elsewhere",
    "awskms": "                whose keys are to be made in AWS KMS",
    "pkcs11": "                whose keys are to be made in the token",
}
_NEXT = {
    "awskms": "Next, with AWS credentials; ROLE_ARN stands for the role that gitca runs as:",
    "pkcs11": "Next, where the token is; its PIN is asked for, or taken from GITCA_PKCS11_PIN:",
}


def write_made(directory: Path, domain: str, *, keys: Keys, steps: Sequence[Step]) -> None:
    """Write what was made in a folder, and what comes next: the steps, where there are any."""
    signer = keys.signer
    write_line("Made a CA repository in ", Styled(str(directory), "bold"), ":")
    lines = ["  ca/           a root and an issuing CA"]
    lines.append(f"  policies/     what they may issue, for names under {domain}")
    lines.insert(len(lines) if signer == "file" else 1, _KEYS[signer])
    for line in lines:
        write_line(line)
    if steps:
        write_line("  CODEOWNERS    who has to agree to what, beside the pipelines of its forge")
        write_line("  SETUP.md      what remains to be done for its pipelines, in this order:")
        for line in terminal_lines(steps):
            write_line(line)
        return
    # Where the user is already, by the shell's own idea of it.
    is_here = directory.absolute() == Path(os.getcwd())  # noqa: PTH109 - as the shell's
    enter = [] if is_here else [f"cd {shlex.quote(str(directory))}"]
    if signer == "file":
        write_line(f"Next: {' && '.join([*enter, 'gitca reconcile'])}")
        return
    write_line(_NEXT[signer])
    for command in (*enter, *_commands(signer, keys.module), "gitca doctor", "gitca reconcile"):
        write_line(f"  {command}")


def _commands(signer: str, module: str) -> list[str]:
    if signer == "awskms":
        return [
            f"gitca keys create {ca} --spec {KMS_SPECS[spec]} --sign-role ROLE_ARN"
            for ca, spec in _SPECS.items()
        ]
    return [
        f"export GITCA_PKCS11_MODULES={shlex.quote(module)}",
        *(f"gitca keys create {ca} --spec {spec}" for ca, spec in _SPECS.items()),
    ]
