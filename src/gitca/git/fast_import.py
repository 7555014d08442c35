"""Writing: one `git fast-import` for a commit of any size, and no reference left behind."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from gitca.errors import ContradictionError, UsageError
from gitca.git.process import Answer, Git, as_bytes, as_text, end, failure, pipe
from gitca.git.refs import object_id

Write = Callable[[bytes], object]

_NAME_REFUSED = frozenset("<>\n\r\0")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who writes a commit. Raises: UsageError for what a commit's header cannot hold."""

    name: str
    email: str

    def __post_init__(self) -> None:
        for text in (self.name, self.email):
            if not text.strip() or _NAME_REFUSED & set(text):
                raise UsageError(
                    f"{text[:80]!r} cannot stand in a commit's author line",
                    remedy="give a name and an address without angle brackets and line breaks",
                )


@dataclass(frozen=True, slots=True)
class CommitContent:
    """What a commit will be.

    `changes` maps a path to the bytes of a file (mode 100644), or to None to delete it; `subtrees`
    maps a path to the id of the tree that stands there, before the changes are made; `parent` None
    makes a root commit; `when` is aware.
    """

    parent: str | None
    changes: Mapping[str, bytes | None]
    message: str
    author: Identity
    when: datetime
    subtrees: Mapping[str, str] = field(default_factory=dict)


def write_commit(git: Git, git_dir: Path, content: CommitContent) -> str:
    """Return the id of a new commit; its objects are on disk and no reference names it.

    Committer and author are one. Raises: UsageError for a path that Git cannot hold;
    ContradictionError where the changes would remove a file that they do not name;
    GitFailedError.
    """
    _check_paths(content)
    commit = _import(git, git_dir, content)
    _check_difference(git, commit, content)
    return commit


def _import(git: Git, git_dir: Path, content: CommitContent) -> str:
    # --done: a stream that ends early, because we were killed, makes no commit.
    options = ("--quiet", "--done", "--date-format=raw")
    with tempfile.TemporaryFile() as stderr:
        process = git.start("fast-import", *options, stderr=stderr)
        try:
            _feed(pipe(process.stdin).write, content)
            answer, _ = process.communicate()
        except BrokenPipeError:
            answer = b""  # it ended early, and its own words say why
        finally:
            end(process)
        stderr.seek(0)
        words = stderr.read(64 * 1024)
    if process.returncode == 0 and answer.strip():
        return object_id(answer.decode("ascii").strip())
    (git_dir / f"fast_import_crash_{process.pid}").unlink(missing_ok=True)
    raise failure(Answer("fast-import", process.returncode, answer, words))


def _feed(write: Write, content: CommitContent) -> None:
    ref = f"refs/gitca/{uuid.uuid4().hex}"
    who = as_bytes(f"{content.author.name} <{content.author.email}> {_raw_date(content.when)}")
    message = as_bytes(content.message)
    write(b"commit %s\nmark :1\nauthor %s\ncommitter %s\n" % (ref.encode("ascii"), who, who))
    write(b"data %d\n%s\n" % (len(message), message))
    if content.parent is not None:
        write(b"from %s\n" % object_id(content.parent).encode("ascii"))
    for path, tree in content.subtrees.items():
        write(b"M 040000 %s %s\n" % (object_id(tree).encode("ascii"), _quoted(path)))
    for path, data in content.changes.items():
        if data is None:
            write(b"D %s\n" % _quoted(path))
        else:
            write(b"M 100644 inline %s\ndata %d\n" % (_quoted(path), len(data)))
            write(data)
            write(b"\n")
    # Taking the reference back before the end means that it never comes to exist on disk.
    write(b"get-mark :1\nreset %s\n\ndone\n" % ref.encode("ascii"))


def _raw_date(when: datetime) -> str:
    """Return seconds since 1970 and the offset from UTC. Raises: UsageError."""
    offset = when.utcoffset()
    if offset is None or when.timestamp() < 0:
        raise UsageError(f"a commit cannot be dated {when.isoformat()}: no zone, or before 1970")
    minutes = int(offset.total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    return f"{int(when.timestamp())} {sign}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"


def _quoted(path: str) -> bytes:
    """Return the path as fast-import's C-style string; always quoted, so that any byte may lead."""
    escaped = as_bytes(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"%s"' % escaped


def _check_paths(content: CommitContent) -> None:
    for path in (*content.changes, *content.subtrees):
        if "\0" in path or any(_is_refused(part) for part in path.split("/")):
            raise UsageError(
                f"{path[:200]!r} cannot be the path of a file in Git",
                remedy="use a relative path without empty, dot and .git components",
            )
    written = {path for path, data in content.changes.items() if data is not None}
    for path in written:
        if clash := next((above for above in folders(path) if above in written), None):
            raise ContradictionError(
                f"{clash!r} would be a file and, for {path!r}, a folder too",
                remedy="rename one of the requests that they belong to",
            )


def _is_refused(component: str) -> bool:
    # Git's own verify_path knows more disguises of .git; those begin like this once ignorable
    # characters are gone, and fast-import checks none of it.
    plain = "".join(letter for letter in component if letter.isprintable()).casefold()
    plain = plain.partition(":")[0].rstrip(" .")
    return component in {"", ".", ".."} or plain in {".git", "git~1"}


def folders(path: str) -> Iterator[str]:
    """Yield the folders above a path, from the top: `a` and `a/b` for `a/b/c`."""
    end_of_folder = path.find("/")
    while end_of_folder != -1:
        yield path[:end_of_folder]
        end_of_folder = path.find("/", end_of_folder + 1)


def _check_difference(git: Git, commit: str, content: CommitContent) -> None:
    """Raise unless the commit removes and changes only what was named.

    fast-import replaces a folder by a file of its name, and a file by a folder, without a word.
    """
    options = ("-r", "-z", "--root", "--no-renames", "--no-commit-id", "--name-status")
    output = as_text(git.ask("diff-tree", *options, "--no-ext-diff", commit))
    fields = iter(output.split("\0")[:-1])
    for status, path in zip(fields, fields, strict=True):
        if any(path.startswith(f"{folder}/") for folder in content.subtrees):
            continue
        if path not in content.changes or (content.changes[path] is None) != (status == "D"):
            raise ContradictionError(
                f"writing the commit would change or remove {path!r}, which it does not name",
                remedy="rename the request whose certificate would stand in its place",
            )
