"""The next CRL after one more revocation, n being listed in the end; against `openssl ca -gencrl`.

openssl reads its index, builds, signs and writes in one process, so its figure holds everything.
gitca's is told in three parts: `crl` is what making the CRL takes with the ledger in memory (build,
lint what is new, sign, verify the signature), `ledger` what reading and folding the ledger takes
before that, and `reconcile` the whole process from a cold start, which also reads documents, plans,
makes two Git commits that survive a power cut, and brings the working tree forward.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509

from fixture import ISSUING, CaRepository, Request
from history import add_issued, add_revoked, index_entries, revocation, revocation_path
from measure import Json, Steps, least, machine, rounded, several, show, tell
from openssl_ca import OpensslCa

CRL_STEPS = ("build", "lint", "sign and check")
LEDGER_STEPS = ("read ledger", "fold ledger")


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="gitca-bench-") as name:
        folder = Path(name)
        repository, start = _past(folder / "repository", arguments.n)
        tell("crl: gitca reconcile")
        whole = several(lambda: _reconcile(repository, start), arguments.runs)
        steps = [_reconcile_in_steps(repository, start) for _ in range(arguments.runs)]
        tell("crl: openssl ca -gencrl")
        peer = OpensslCa.beside(repository, folder / "openssl")
        peer.fill(index_entries(repository))
        openssl = several(peer.crl, arguments.runs)
        _compare(repository, peer, arguments.n)
    show(_result(arguments.n, whole, steps, openssl))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int, nargs="?", default=100_000, help="entries (100000)")
    parser.add_argument("--runs", type=int, default=3, help="times that each is measured (3)")
    arguments = parser.parse_args()
    if arguments.n < 2 or arguments.runs < 1:
        parser.error("n is at least 2, --runs at least 1")
    return arguments


def _past(folder: Path, n: int) -> tuple[CaRepository, str]:
    """Return a repository with n certificates, all but the last of them revoked and listed.

    The commit is the one that asks for the last revocation.
    """
    repository = CaRepository.create(folder)
    requests = [Request.make(number) for number in range(n)]
    add_issued(repository, requests)
    add_revoked(repository, requests[:-1])
    last = requests[-1]
    repository.commit({revocation_path(last): revocation(last)}, "Revoke one more")
    return repository, repository.tip


def _reconcile(repository: CaRepository, start: str) -> float:
    repository.show(start)
    return repository.gitca("reconcile")


def _reconcile_in_steps(repository: CaRepository, start: str) -> Steps:
    repository.show(start)
    return repository.reconcile()


def _compare(repository: CaRepository, peer: OpensslCa, n: int) -> None:
    """Check that both CRLs list the same n serial numbers under a signature that verifies."""
    made = x509.load_der_x509_crl((repository.folder / "issued" / ISSUING / "crl.der").read_bytes())
    other = x509.load_pem_x509_crl((peer.folder / "crl.pem").read_bytes())
    issuer = x509.load_pem_x509_certificate((peer.folder / "ca.pem").read_bytes())
    serials = {entry.serial_number for entry in made}
    same = serials == {entry.serial_number for entry in other}
    valid = all(crl.is_signature_valid(issuer.public_key()) for crl in (made, other))  # type: ignore[arg-type] # any CA key
    if len(serials) != n or not same or not valid:
        raise SystemExit(f"the CRLs differ: {len(serials)} serial numbers, valid: {valid}")


def _result(n: int, whole: Json, steps: Sequence[Steps], openssl: Json) -> Json:
    crl, ledger = (_part(steps, names) for names in (CRL_STEPS, LEDGER_STEPS))
    crl_seconds, peer = _sum(crl), least(openssl)
    return {
        "bench": "crl",
        "n": n,
        "gitca": {
            "crl": crl,
            "ledger": ledger,
            "reconcile": whole,
            "reconcile_steps": [run.as_json() for run in steps],
        },
        "openssl_gencrl": openssl,
        "ratio": {
            "crl": round(crl_seconds / peer, 2),
            "ledger_and_crl": round((_sum(ledger) + crl_seconds) / peer, 2),
            "reconcile": round(least(whole) / peer, 2),
        },
        "target": {"faster_than_openssl": "crl", "met": crl_seconds < peer},
        "machine": machine(),
    }


def _part(steps: Sequence[Steps], names: Sequence[str]) -> dict[str, float]:
    """Return some steps of the run in which they took least together."""
    totals = [sum(run.seconds[name] for name in names) for run in steps]
    run = steps[totals.index(min(totals))]
    return {name: rounded(run.seconds[name]) for name in names}


def _sum(part: dict[str, float]) -> float:
    return sum(part.values())


if __name__ == "__main__":
    main()
