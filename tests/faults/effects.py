"""The calls in src/gitca that have an effect outside the process, found in its syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "src" / "gitca"
# Whatever these modules are asked for is looked at.
MODULES = {
    "os", "subprocess", "shutil", "tempfile", "fcntl", "socket", "signal", "multiprocessing",
    "urllib", "http", "webbrowser", "mmap", "pty", "sqlite3", "dbm", "shelve", "ctypes",
}  # fmt: skip
# What of them only looks, or moves values in memory.
LOOKS = {
    "os.cpu_count", "os.environ.get", "os.environ.items", "os.fsdecode", "os.fsencode",
    "os.fspath", "os.fstat", "os.get_terminal_size", "os.getpgid", "os.getuid", "os.geteuid",
    "os.getpid", "os.isatty", "os.lstat", "os.path.lexists", "os.path.normpath", "os.path.relpath",
    "os.readlink", "os.stat", "os.strerror", "os.fdopen", "os.close", "os.listdir", "os.scandir",
    "os.path.abspath", "os.path.join", "os.access", "os.getcwd", "os.environ.copy", "os.umask",
    "shutil.which", "shutil.get_terminal_size", "multiprocessing.get_context", "os.path.realpath",
    "urllib.parse.quote", "urllib.parse.unquote", "urllib.parse.urlsplit", "urllib.parse.urlparse",
    "os.read", "os.path.expanduser",
}  # fmt: skip
METHODS = {
    "write_bytes", "write_text", "unlink", "mkdir", "rename", "touch", "symlink_to", "hardlink_to",
    "chmod", "rmdir", "rmtree", "sign", "generate_keypair", "create_object", "copy_object",
    "destroy", "put_object", "create_alias", "create_key", "schedule_key_deletion", "request",
    "Popen", "system", "execv", "urlopen", "sendall",
}  # fmt: skip
GIT_RUNNERS = {"run", "ask", "start"}


def effects() -> Iterator[tuple[str, str]]:
    """Yield each call as its file and what it calls: `git/refs.py`, `git update-ref`."""
    for path in sorted(SOURCES.rglob("*.py")):
        name = path.relative_to(SOURCES).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = dict(_imported(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                for call in _effect(node, imported, in_git=name.startswith("git/")):
                    yield name, call


def _effect(node: ast.Call, imported: dict[str, str], *, in_git: bool) -> Iterator[str]:
    function = node.func
    dotted = _dotted(function)
    head, _, rest = dotted.partition(".")
    known = imported.get(head, head) + (f".{rest}" if rest else "")
    if head in imported and known.partition(".")[0] in MODULES:
        if known not in LOOKS:
            yield known
        return
    if dotted == "open" or (isinstance(function, ast.Attribute) and function.attr == "open"):
        mode = [word for word in _words(node) if set(word) <= set("rwaxbt+") and word]
        if any(set(word) & set("wax+") for word in mode):
            yield f"open {mode[0]}"
    elif isinstance(function, ast.Attribute) and function.attr in METHODS:
        yield f".{function.attr}"
    elif in_git and isinstance(function, ast.Attribute) and function.attr in GIT_RUNNERS:
        first = node.args[0] if node.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield f"git {first.value}"
        elif first is not None:
            yield f"git {ast.unparse(first)}"


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield each name of the file that is a module of MODULES, or something out of one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] in MODULES:
                    head = alias.name if alias.asname else alias.name.partition(".")[0]
                    yield alias.asname or head, head
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        inner = _dotted(node.value)
        return f"{inner}.{node.attr}" if inner else f"?.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def _words(node: ast.Call) -> list[str]:
    given = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "mode")]
    return [
        item.value
        for item in given
        if isinstance(item, ast.Constant) and isinstance(item.value, str)
    ]
