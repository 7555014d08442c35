"""`plan` and `reconcile` as a repository grows: nothing to do, and one new request.

The same change costs the same at each size, less a scan of tree and ledger that is linear in their
records: `growth` tells it in microseconds a certificate. The peer does what it has for that with as
many rows in its index: `openssl ca -updatedb` looks through all of them with nothing to do, and
`openssl ca` signs one more CSR.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from fixture import STEPS, CaRepository, Request, collect_as_gitca, now
from gitca.plan.desired import read_desired
from gitca.plan.make import make_plan
from history import add_issued, index_entries
from measure import Json, Steps, in_new_process, least, machine, several, show, tell
from openssl_ca import OpensslCa


def main() -> None:
    arguments = _arguments()
    sizes: list[int] = arguments.sizes
    measured = [_measure(n, arguments.runs) for n in sizes]
    result: Json = {
        "bench": "plan",
        "sizes": [{"n": n, **part} for n, part in zip(sizes, measured, strict=True)],
        "growth": _growth(sizes, measured),
        "machine": machine(),
    }
    show(result)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    words = "certificates that are issued already (1000 20000)"
    parser.add_argument("sizes", type=int, nargs="*", default=[1000, 20_000], help=words)
    parser.add_argument("--runs", type=int, default=5, help="times that each is measured (5)")
    arguments = parser.parse_args()
    if min(arguments.sizes) < 1 or arguments.runs < 1:
        parser.error("sizes and --runs are at least 1")
    return arguments


def _measure(n: int, runs: int) -> dict[str, Json]:
    """Return all measurements at one size."""
    with tempfile.TemporaryDirectory(prefix="gitca-bench-") as name:
        repository = CaRepository.create(Path(name) / "repository")
        requests = [Request.make(number) for number in range(n + 1)]
        add_issued(repository, requests[:-1])
        tell(f"plan: with {n} certificates")
        peer = OpensslCa.beside(repository, Path(name) / "openssl")
        peer.fill(index_entries(repository))
        return {
            "nothing_to_do": _nothing(repository, peer, runs),
            "one_request": _one(repository, peer, requests[-1], runs),
        }


def _nothing(repository: CaRepository, peer: OpensslCa, runs: int) -> Json:
    return {
        "plan": several(lambda: repository.gitca("plan"), runs),
        "plan_steps": _planned(repository, actions=0).as_json(),
        "openssl_ca_updatedb": several(peer.update, runs),
    }


def _one(repository: CaRepository, peer: OpensslCa, request: Request, runs: int) -> Json:
    repository.commit({request.path: request.document}, "Ask for one more")
    start = repository.tip
    csr = peer.folder / "one.csr"
    csr.write_text(request.csr_pem)

    def reconcile() -> float:
        repository.show(start)
        return repository.gitca("reconcile")

    plan = several(lambda: repository.gitca("plan"), runs)
    plan_steps = _planned(repository, actions=1)
    whole = several(reconcile, runs)
    repository.show(start)
    steps = repository.reconcile()
    return {
        "plan": plan,
        "plan_steps": plan_steps.as_json(),
        "reconcile": whole,
        "reconcile_steps": steps.as_json(),
        "openssl_ca": several(lambda: peer.issue([csr])[0], runs),
    }


def _planned(repository: CaRepository, *, actions: int) -> Steps:
    steps, found = in_new_process(_plan, repository)
    if found != actions:
        raise SystemExit(f"the plan has {found} actions, not {actions}")
    return steps


def _plan(repository: CaRepository) -> tuple[Steps, int]:
    """Return where the time of a plan goes, and how many actions it has."""
    collect_as_gitca()
    steps = Steps()
    with steps.step("other"), repository.store() as store, steps.watching(STEPS):
        snapshot = store.load()
        with steps.step("read documents"):
            desired = read_desired(
                snapshot.entries,
                store.read,
                snapshot.state,
                now(),
                read_requesters=store.requesters(snapshot.source),
            )
        with steps.step("plan"):
            made = make_plan(desired, snapshot.state, now())
    return steps, len(made.actions)


def _growth(sizes: Sequence[int], measured: Sequence[Mapping[str, Json]]) -> Json:
    """Return what each takes more at the greatest size than at the least."""
    few, many = (sizes.index(pick(sizes)) for pick in (min, max))
    growth: Json = {}
    for change, measurements in measured[few].items():
        for name, less in measurements.items():
            more = measured[many][change][name]
            if isinstance(less, dict) and isinstance(more, dict) and "runs" in less:
                growth[f"{change}, {name}"] = _grown(
                    least(less), least(more), sizes[many] - sizes[few]
                )
    return growth


def _grown(less: float, more: float, certificates: int) -> Json:
    each = (more - less) / certificates * 1e6 if certificates else 0.0
    return {"ratio": round(more / less, 2), "microseconds_a_certificate": round(each, 1)}


if __name__ == "__main__":
    main()
