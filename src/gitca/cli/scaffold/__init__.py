"""The files of a new CA repository: templates beside this module, and what fills them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gitca.cli.yaml_text import quoted

_HERE = Path(__file__).parent
# Files that would act on this project's own repository if they bore their names here.
_RENAMED = {"gitignore": ".gitignore", "gitattributes": ".gitattributes"}
_FOLDERS = ("ca", "policies", "requests", "issued")


@dataclass(frozen=True, slots=True)
class Names:
    """What a scaffold is filled with; `country` may be empty. All have been checked."""

    domain: str
    organization: str
    country: str = ""


def render(names: Names) -> dict[str, bytes]:
    """Return the content of every file of the scaffold by its path in the new repository."""
    return {path: _fill(source, names) for path, source in sorted(_sources())}


def _sources() -> Iterator[tuple[str, Path]]:
    for name, target in _RENAMED.items():
        yield target, _HERE / name
    yield "README.md", _HERE / "README.md"
    for folder in _FOLDERS:
        for source in (_HERE / folder).iterdir():
            yield f"{folder}/{source.name}", source


def _fill(source: Path, names: Names) -> bytes:
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = (line for line in lines if names.country or "__COUNTRY__" not in line)
    # In YAML every placeholder stands between double quotes, so what is escaped for them stays
    # within the value, whatever it holds.
    escape = quoted if source.suffix == ".yaml" else str
    text = "".join(kept).replace("__DOMAIN__", escape(names.domain))
    text = text.replace("__COUNTRY__", escape(names.country))
    return text.replace("__ORGANIZATION__", escape(names.organization)).encode()
