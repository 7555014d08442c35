"""Odd keys, CSRs and certificates of other projects, from the source releases that hold them.

No wheel has them, and nothing of them is kept in this repository: `make test` has pip fetch each
release by its hash (`tests/components.py` runs this), and a test asks `files("badkeys")`. Where the
package index cannot be reached the test is skipped with the reason; with GITCA_REQUIRE_ALL=1, as in
CI, it fails. Only regular files of the one folder are taken out, and nothing of them is run.
"""

from __future__ import annotations

import ast
import base64
import binascii
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

FOLDER = Path(sys.prefix, "corpora")
LARGEST = 64 * 1024
SECONDS = 120.0


@dataclass(frozen=True)
class Corpus:
    """A source release: its requirement, the SHA-256 of its archive, the folder that is wanted."""

    requirement: str
    sha256: str
    folder: str

    @property
    def place(self) -> Path:
        """Where its files lie."""
        return FOLDER / f"{self.requirement}-{self.sha256[:12]}"


CORPORA = {
    "badkeys": Corpus(
        "badkeys==0.0.21",
        "a4323c2a3de67e81786e87271d8c1cb302eed89054b770f85dbf1f95ce4264ad",
        "tests/data",
    ),
    "asn1crypto": Corpus(
        "asn1crypto-tests==1.5.1",
        "a2c4c3245fd0957f6a9cb5c95061a44c1334852f37ceae8cd806a967d27617ab",
        "fixtures",
    ),
    "oscrypto": Corpus(
        "oscrypto-tests==1.3.0",
        "40b822bea63e02da2624fee3c252926605c283e8129837e3154a3b3ca53f3c32",
        "fixtures",
    ),
    "tlslite": Corpus(
        "tlslite-ng==0.8.2",
        "9ac377526c60a7d6e7625bd49e7a5ae551b12b0465b07d691342c64a0b3e8440",
        "tests",
    ),
    # Its samples of each RFC's structures stand in the sources of its tests, in base64.
    "pyasn1": Corpus(
        "pyasn1-alt-modules==0.4.10",
        "57b546aaa3ddfc482d0e84c29e34638834a50e3d29e331644a729957a5a797e7",
        "tests",
    ),
}


def files(name: str) -> dict[str, bytes]:
    """Return a corpus's files by name; skip the test, or fail it in CI, where it is not here."""
    corpus = CORPORA[name]
    if not corpus.place.is_dir():
        reason = f"the corpus {name} is not here; run python tests/corpora.py"
        if os.environ.get("GITCA_REQUIRE_ALL") == "1":
            pytest.fail(f"{reason} (GITCA_REQUIRE_ALL=1 forbids the skip)")
        pytest.skip(reason)
    found: dict[str, bytes] = {}
    for path in sorted(corpus.place.rglob("*")):
        if path.suffix == ".py":
            texts = enumerate(_base64_in(path.read_bytes()))
            found |= {f"{path.name}:{number}": data for number, data in texts}
        elif path.is_file():
            found[path.relative_to(corpus.place).as_posix()] = path.read_bytes()
    return found


def _base64_in(source: bytes) -> Iterator[bytes]:
    """Yield what the literals of a Python source hold in base64, from 64 octets on."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) > 80:
            try:
                yield base64.b64decode(re.sub(r"\s", "", node.value), validate=True)
            except (binascii.Error, ValueError):
                continue


def fetch(corpus: Corpus) -> str:
    """Have pip fetch a release and take its folder out; return what went wrong, if anything did."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        there = Path(name)
        wanted = there / "requirements.txt"
        wanted.write_text(f"{corpus.requirement} --hash=sha256:{corpus.sha256}\n")
        options = ("--quiet", "--no-deps", "--no-binary", ":all:", "--no-build-isolation")
        command = [sys.executable, "-m", "pip", "download", *options, "--require-hashes"]
        try:
            done = subprocess.run(
                [*command, "--dest", str(there), "--requirement", str(wanted)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=SECONDS,
            )
        except subprocess.TimeoutExpired:
            return f"pip took more than {SECONDS:.0f} seconds"
        archives = list(there.glob("*.tar.gz"))
        if done.returncode != 0 or len(archives) != 1:
            return (done.stderr.strip().splitlines() or ["pip brought no archive"])[-1]
        _take_out(archives[0], corpus, there / "files")
        (there / "files").rename(corpus.place)
    return ""


def _take_out(archive: Path, corpus: Corpus, into: Path) -> None:
    into.mkdir()
    with tarfile.open(archive) as opened:
        for member in opened:
            _, _, path = member.name.partition("/")
            inner = path.removeprefix(f"{corpus.folder}/")
            if not member.isreg() or inner == path or member.size > LARGEST:
                continue
            if ".." in inner.split("/"):
                raise ValueError(f"{archive.name} holds {member.name}")
            data = opened.extractfile(member)
            (into / inner).parent.mkdir(parents=True, exist_ok=True)
            (into / inner).write_bytes(data.read() if data else b"")


def main() -> int:
    """Fetch every corpus that is not here, and say which could not be."""
    wanted = {name: corpus for name, corpus in CORPORA.items() if not corpus.place.is_dir()}
    failed = {name: words for name, corpus in wanted.items() if (words := fetch(corpus))}
    for name, words in failed.items():
        print(f"corpora: no {name} ({CORPORA[name].requirement}); its tests are skipped: {words}")
    return 1 if failed and os.environ.get("GITCA_REQUIRE_ALL") == "1" else 0


if __name__ == "__main__":
    raise SystemExit(main())
