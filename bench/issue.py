"""Issuing n requests end to end: judge, lint, record, sign, verify, commit; against `openssl ca`.

Both are whole processes, start and key decryption included, with the same P-256 CA key in the same
encrypted file and the same CSRs. openssl judges by one line of policy and records in its index;
gitca judges by the policy of `gitca init`, lints, and makes two Git commits that survive a power
cut.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from fixture import DOMAIN, ISSUING, CaRepository, Request
from measure import Json, machine, rounded, show, tell
from openssl_ca import OpensslCa

TARGET = 100
"""Certificates a second, at n = 1,000."""


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="gitca-bench-") as name:
        folder = Path(name)
        tell(f"issue: {arguments.n} requests on P-256 keys")
        repository = CaRepository.create(folder / "repository")
        requests = [Request.make(number) for number in range(arguments.n)]
        files = {request.path: request.document for request in requests}
        repository.commit(files, f"Ask for {arguments.n} certificates")
        start = repository.tip
        seconds = repository.gitca("reconcile")
        _check(repository, requests)
        steps = None
        if not arguments.no_steps:
            repository.show(start)
            tell("issue: once more, with the steps timed")
            steps = repository.reconcile().as_json()
        openssl = _openssl(repository, requests, folder)
    rate = arguments.n / seconds
    result: Json = {
        "bench": "issue",
        "n": arguments.n,
        "gitca": {"seconds": rounded(seconds), "per_second": round(rate, 1), "steps": steps},
        "openssl_ca": openssl,
        "ratio": round(seconds / float(str(openssl["seconds"])), 2),
        "target": {"per_second": TARGET, "met": rate >= TARGET},
        "machine": machine(),
    }
    show(result)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int, nargs="?", default=1000, help="requests (1000)")
    parser.add_argument("--no-steps", action="store_true", help="leave out the second, timed run")
    return parser.parse_args()


def _check(repository: CaRepository, requests: list[Request]) -> None:
    certificates = repository.folder / "issued" / ISSUING / "certificates"
    missing = [r.name for r in requests if not (certificates / f"{r.name}.pem").is_file()]
    if missing:
        raise SystemExit(f"{len(missing)} certificates were not issued, such as {missing[0]}")


def _openssl(repository: CaRepository, requests: list[Request], folder: Path) -> Json:
    tell("issue: the same CSRs with openssl ca")
    ca = OpensslCa.beside(repository, folder / "openssl")
    paths = []
    for request in requests:
        path = ca.folder / f"{request.host.removesuffix(f'.{DOMAIN}')}.csr"
        path.write_text(request.csr_pem)
        paths.append(path.relative_to(ca.folder))
    seconds, processes = ca.issue(paths)
    if ca.issued != len(requests):
        raise SystemExit(f"openssl ca issued {ca.issued} certificates of {len(requests)}")
    return {
        "seconds": rounded(seconds),
        "per_second": round(len(requests) / seconds, 1),
        "processes": processes,
    }


if __name__ == "__main__":
    main()
