"""What holds for every file of the project; each rule of CONTRIBUTING.md that a tool can see."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
# In pieces, so that this file does not name what it forbids.
FORBIDDEN = {
    "a package registry": re.compile(
        rb"pypi\.(?:org|python)|python"
        rb"hosted\.org|npm"
        rb"js\.(?:org|com)|debian"
        rb"\.org/debian"
        rb"|proxy\.go"
        rb"lang|crates\.i"
        rb"o"
    ),
    "a path of one machine": re.compile(
        rb"(?<![\w.~*/-])/(?:ro" rb"ot|wo" rb"rk|opt|home/\w+|Users/\w+|tmp/" rb"v)/"
    ),
}
# What comes with a dependency, in the version that goes with it, and is part of its interface.
PARTS = {"botocore": "boto3", "pydantic-core": "pydantic", "referencing": "jsonschema"}
LONGEST_FUNCTION = 40
LONGEST_FILE = 320


def tracked() -> list[Path]:
    """Return the files that are, or with the next `git add` will be, the project's."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    paths = {ROOT / name.decode() for name in listed.split(b"\0") if name}
    return sorted(path for path in paths if path.is_file())


SOURCES = [path for path in tracked() if path.is_relative_to(ROOT / "src") and path.suffix == ".py"]


@pytest.mark.parametrize("thing", FORBIDDEN)
def test_no_file_names(thing: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group().decode()}"
        for path in tracked()
        for match in [FORBIDDEN[thing].search(path.read_bytes())]
        if match
    ]
    assert found == []


@pytest.mark.parametrize(
    ("thing", "text"),
    [
        ("a package registry", b"https://py" + b"pi.org/simple"),
        ("a package registry", b"files.python" + b"hosted.org"),
        ("a path of one machine", b"see /wo" + b"rk/main/src"),
        ("a path of one machine", b"/home/" + b"someone/x"),
    ],
)
def test_the_search_for_forbidden_names_finds_them(thing: str, text: bytes) -> None:
    assert FORBIDDEN[thing].search(text)


def test_every_requirement_is_pinned_and_every_pin_has_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    text = (ROOT / "constraints.txt").read_text()
    pins = dict(
        re.findall(
            r"^([a-z0-9-]+)(?:\[[a-z0-9,]+\])?==(\S+) \\\n    --hash=sha256:", text, re.MULTILINE
        )
    )
    assert set(pins) == set(re.findall(r"^([^\s#\[]+)(?:\[\S+\])?==", text, re.MULTILINE))
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    for requirement in map(Requirement, [*wanted, "hatchling", "editables"]):
        name = canonicalize_name(requirement.name)
        assert name in pins, f"{name} is not pinned; run make constraints"
        assert requirement.specifier.contains(pins[name]), f"{name} {pins[name]}"


def test_what_is_imported_is_what_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["pkcs11"]
    declared = {canonicalize_name(Requirement(line).name) for line in wanted}
    distributions = packages_distributions()
    modules = set().union(*map(modules_imported, SOURCES)) - {"gitca"}
    imported = {
        PARTS.get(canonicalize_name(name), canonicalize_name(name))
        for module in modules
        for name in distributions.get(module, ())
    }
    # What the standard library reads where the system has no time zones.
    data = {"tzdata"} if "zoneinfo" in modules else set()
    assert imported | data == declared


def modules_imported(path: Path) -> set[str]:
    """Return the top-level names of the modules that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def test_every_dependency_is_argued_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    argued = (ROOT / "docs" / "dependencies.md").read_text()
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    missing = [name for line in wanted if f"**{(name := Requirement(line).name)}**" not in argued]
    assert missing == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_fit_on_a_screen(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= LONGEST_FILE
    functions = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert [node.name for node in functions if lines_of_code(node) > LONGEST_FUNCTION] == []


def lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function's body, without signature and docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0
