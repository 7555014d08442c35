"""Proving a repository with n certificates, against `openssl verify` over the same certificates.

`whole` is the whole process of `gitca verify`: the chain of segments, every commit that touched
issued/, every file, every signature, and every certificate judged again from its documents. `since`
is `gitca verify --since` the last segment: what a day costs on which nothing happened, so the
chain, the fold and every file. `openssl verify` checks each certificate's signature and path, in
one process for as many files as a command line takes; it knows neither documents nor a ledger, so
the ratio is the price of the proof over that of the signatures.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from pathlib import Path

from fixture import ISSUING, CaRepository, Request
from history import add_issued
from measure import Json, least, machine, rounded, several, show, tell, timed_process

FILES = 5000  # certificates that one command line names


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="gitca-bench-") as name:
        repository = CaRepository.create(Path(name) / "repository")
        add_issued(repository, [Request.make(number) for number in range(arguments.n)])
        last = len(list((repository.folder / "issued" / "ledger").iterdir()))
        tell("verify: gitca verify")
        whole = several(lambda: repository.gitca("verify"), arguments.runs)
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        tell(f"verify: gitca verify --since {last}")
        since = several(lambda: repository.gitca("verify", "--since", str(last)), arguments.runs)
        tell("verify: openssl verify")
        openssl = several(lambda: _openssl(repository), arguments.runs)
    show(
        _result(
            arguments.n,
            {"whole": whole, "since": since, "mebibytes_of_the_largest_process": memory},
            openssl,
        )
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int, nargs="?", default=100_000, help="certificates (100000)")
    parser.add_argument("--runs", type=int, default=1, help="times that each is measured (1)")
    arguments = parser.parse_args()
    if arguments.n < 1 or arguments.runs < 1:
        parser.error("n and --runs are at least 1")
    return arguments


def _openssl(repository: CaRepository) -> float:
    issued = repository.folder / "issued"
    trusted = ["-CAfile", str(issued / "root" / "ca.pem")]
    untrusted = ["-untrusted", str(issued / ISSUING / "ca.pem")]
    files = sorted(map(str, (issued / ISSUING / "certificates").rglob("*.pem")))
    return sum(
        timed_process(["openssl", "verify", *trusted, *untrusted, *files[start : start + FILES]])
        for start in range(0, len(files), FILES)
    )


def _result(n: int, gitca: Json, openssl: Json) -> Json:
    seconds = least(gitca["whole"])  # type: ignore[arg-type] # what several() gave
    return {
        "bench": "verify",
        "n": n,
        "gitca": {**gitca, "milliseconds_each": rounded(seconds / n * 1000)},
        "openssl_verify": openssl,
        "ratio": {"whole": round(seconds / least(openssl), 2)},
        "target": {"minutes": 10, "met": seconds < 600},
        "machine": machine(),
    }


if __name__ == "__main__":
    main()
