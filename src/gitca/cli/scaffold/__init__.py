"""The files of a new CA repository: templates beside this module, and what fills them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitca.cli.scaffold.key_places import FILES, KeyPlaces
from gitca.cli.yaml_text import quoted
from gitca.documents.directory_uri import parse_directory_uri

_HERE = Path(__file__).parent
# Files that would act on this project's own repository if they bore their names here.
_RENAMED = {"gitignore": ".gitignore", "gitattributes": ".gitattributes"}
_PLACEHOLDER = re.compile(
    r"__(DOMAIN|COUNTRY|ORGANIZATION|ROOT_KEY|ISSUING_KEY|KEY_COMMENT|KEY_CARE)__"
)
_PIPELINE = """
## Its pipelines

A pull request gets a plan: what a merge would do, and whether it may. A merge is reconciled, and so
is the branch every {every}: nobody has to run `gitca reconcile` by hand. `SETUP.md` says what is
to be done for that; `gitca doctor` says whether the pipelines are as this version of gitca has
them.
"""
_FOLDERS = ("ca", "policies", "requests", "issued")


@dataclass(frozen=True, slots=True)
class Names:
    """What a scaffold is filled with; `country` may be empty. All have been checked."""

    domain: str
    organization: str
    country: str = ""


def render(
    names: Names,
    keys: KeyPlaces = FILES,
    *,
    every: str = "",
    publish: Sequence[str] = (),
    issued_branch: str = "",
) -> dict[str, bytes]:
    """Return the content of every file of the scaffold by its path in the new repository.

    `every` is how often a pipeline reconciles, `publish` the URIs of where it publishes to, and
    `issued_branch` where issued/ is, if not with the documents; all have been checked, and may be
    empty.
    """
    files = {path: _fill(source, names, keys) for path, source in sorted(_sources())}
    lines = _spec_lines(names, every, publish)
    if issued_branch:
        lines = _ISSUED.format(quoted(issued_branch)) + lines
        del files["issued/.gitkeep"]
    files["ca/repository.yaml"] += lines.encode()
    files[".gitignore"] += "".join(_ignored(publish)).encode()
    if every:
        files["README.md"] += _PIPELINE.format(every=every).encode()
    return files


_ISSUED = """\
  # issued/ is on this branch, which gitca alone may push to; the first reconcile makes it.
  issuedBranch: "{}"
"""


def _spec_lines(names: Names, every: str, publish: Sequence[str]) -> str:
    lines = []
    if every:
        lines.append(
            "  # As the pipeline's schedule has it: plans warn of CRLs that lapse between runs."
        )
        lines.append(f"  reconcileEvery: {every}")
    if publish:
        lines.append(
            "  # Where relying parties read CRLs, CA certificates, chains and certificates."
        )
        lines.append("  publish:")
        lines += [f'    - to: "{quoted(target)}"' for target in publish[:1]]
        lines.append(f'      url: "http://pki.{quoted(names.domain)}/"')
        lines += [f'    - to: "{quoted(target)}"' for target in publish[1:]]
    return "".join(f"{line}\n" for line in lines)


def _ignored(publish: Sequence[str]) -> Iterator[str]:
    """Yield the lines of .gitignore (gitignore(5)) for targets in the repository itself.

    Nothing is published where Git has files.
    """
    for uri in publish:
        if uri.startswith("directory:"):
            path = parse_directory_uri(uri)
            if not path.startswith("/"):
                yield "# What is published into a folder here; Git has it in issued/ already.\n"
                yield f"/{path}/\n"


def _sources() -> Iterator[tuple[str, Path]]:
    for name, target in _RENAMED.items():
        yield target, _HERE / name
    yield "README.md", _HERE / "README.md"
    for folder in _FOLDERS:
        for source in (_HERE / folder).iterdir():
            yield f"{folder}/{source.name}", source


def _fill(source: Path, names: Names, keys: KeyPlaces) -> bytes:
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = "".join(line for line in lines if names.country or "__COUNTRY__" not in line)
    # In YAML what is filled in stands between double quotes, so that what is escaped for them stays
    # within the value, whatever it holds; but for the comment, which is gitca's own words.
    escape = quoted if source.suffix == ".yaml" else str
    values = {
        "DOMAIN": escape(names.domain),
        "COUNTRY": escape(names.country),
        "ORGANIZATION": escape(names.organization),
        "ROOT_KEY": escape(keys.root),
        "ISSUING_KEY": escape(keys.issuing),
        "KEY_COMMENT": "\n  # ".join(keys.comment),
        "KEY_CARE": keys.care,
    }
    # In one pass: a value that looks like a placeholder is none.
    return _PLACEHOLDER.sub(lambda found: values[found[1]], kept).encode()
