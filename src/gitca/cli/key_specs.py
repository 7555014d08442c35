"""Kinds of keys as people write them: by gitca's names, and by those of AWS KMS."""

from __future__ import annotations

import typer

from gitca.signers.key_spec_names import KMS_SPECS

_NAMES = {name: name for name in KMS_SPECS} | {kms: name for name, kms in KMS_SPECS.items()}


def parse_spec(text: str) -> str:
    """The name of the kind of key that a text names, case and all. Raises: typer.BadParameter."""
    if text in _NAMES:
        return _NAMES[text]
    alike = [name for name in _NAMES if _bare(name) == _bare(text)]
    hint = f"; write {alike[0]}" if alike else ""
    raise typer.BadParameter(
        f"{text!r} is not one of {', '.join(KMS_SPECS)}, nor AWS KMS's name of one of them{hint}"
    )


def spec_names(incomplete: str) -> list[str]:
    """The names that begin so, for the shell."""
    return [name for name in _NAMES if name.startswith(incomplete)]


def _bare(name: str) -> str:
    return name.replace("-", "").replace("_", "").casefold()
