"""Validating n requests under a policy with ten patterns and three expressions, without linting.

`gitca validate` is the whole process: it reads the documents, verifies each CSR and judges each
request, on one core. Its processor time is what the target speaks of, as other work on the machine
does not count in it. `gitca plan` builds and lints the certificates besides, on every core. The
peers do the least that a CA must do with a CSR, and judge nothing: cryptography parses the same
CSRs and verifies their signatures in one process, `openssl req -verify` does so in a process each.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml
from cryptography import x509

from fixture import DOMAIN, ISSUING, POLICY, CaRepository, Request, now
from gitca.cli import examine
from gitca.plan import requested_keys
from measure import Json, Steps, in_new_process, machine, rounded, show, tell, timed_process

TARGET = 3.0
"""Milliseconds of one core a request, without linting, at n = 10,000."""

MEASURED = "measured"
OPENSSL_SAMPLE = 100
SPIFFE_ID = f"spiffe://{DOMAIN}/servers/api"

# Ten patterns; what the requests ask for is matched by the last of each list that has several.
ALLOW_DNS = [f"*.{zone}.{DOMAIN}" for zone in ("db", "mail", "ci")] + [f"{{labels.host}}.{DOMAIN}"]
DOCUMENT: Json = {
    "apiVersion": "gitca/v1",
    "kind": "IssuancePolicy",
    "spec": {
        "issuer": ISSUING,
        "selector": {"paths": ["infra/**", "team*/*"]},
        "subject": {"commonName": {"allow": [f"**.{DOMAIN}"], "mustBeInSans": True}},
        "sans": {
            "dns": {"allow": ALLOW_DNS, "deny": [f"vault.{DOMAIN}", f"*.admin.{DOMAIN}"]},
            "uri": {"allow": [f"spiffe://{DOMAIN}/servers/*"]},
        },
        "key": {"algorithms": [{"type": "ecdsa", "curves": ["P-256"]}]},
        "validity": {"default": "30d", "max": "90d", "backdate": "5m"},
        "keyUsage": {"default": ["digitalSignature"]},
        "extendedKeyUsage": {"default": ["serverAuth"], "allow": ["serverAuth"]},
        "rules": [
            {
                "name": "short-names",
                "expression": "size(request.name) < 40",
                "message": "names have at most 39 characters",
            },
            {
                "name": "own-folder",
                "expression": "request.labels.team == request.path[0]",
                "message": "the label team is the folder",
            },
            {
                "name": "hosts-below-the-domain",
                "expression": f"certificate.sans.dns.all(name, name.endsWith('.{DOMAIN}'))",
                "message": "every host is below the domain",
            },
        ],
    },
}

STEPS = (
    ("read documents", examine, "load_requests"),
    ("parse CSRs", requested_keys, "parse_csr"),
    ("judge", examine, "evaluate"),
)
"""The steps of a validation, and the functions that take them."""


def main() -> None:
    arguments = _arguments()
    n: int = arguments.n
    with tempfile.TemporaryDirectory(prefix="gitca-bench-") as name:
        folder = Path(name)
        tell(f"policy: {n} requests")
        requests = [Request.make(number, uris=(SPIFFE_ID,)) for number in range(n)]
        repository = _repository(folder, requests)
        tell("policy: gitca validate")
        without = _measured(lambda: repository.gitca("validate"), n)
        steps = in_new_process(_steps, repository).as_json()
        linted: Json | None = None
        if not arguments.no_lint:
            tell("policy: gitca plan, which lints")
            # The workers that lint are not this process's children: only the clock sees them.
            seconds = repository.gitca("plan")
            linted = {"seconds": rounded(seconds), "milliseconds_each": _each(seconds, n)}
        tell("policy: the peers")
        peers: Json = {
            "cryptography_parse_and_verify": _measured(lambda: _cryptography(requests), n),
            "openssl_req_verify": _openssl(folder, requests[:OPENSSL_SAMPLE]),
        }
    spent = float(str(without["cpu_milliseconds_each"]))
    result: Json = {
        "bench": "policy",
        "n": n,
        "gitca": {"validate": without, "validate_steps": steps, "plan_with_linting": linted},
        "peers": peers,
        "target": {"cpu_milliseconds_each": TARGET, "met": spent <= TARGET},
        "machine": machine(),
    }
    show(result)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int, nargs="?", default=10_000, help="requests (10000)")
    parser.add_argument("--no-lint", action="store_true", help="leave out the run that lints")
    arguments = parser.parse_args()
    if arguments.n < 1:
        parser.error("n is at least 1")
    return arguments


def _repository(folder: Path, requests: list[Request]) -> CaRepository:
    """Return a repository whose CAs are made and that asks for all the certificates."""
    repository = CaRepository.create(folder / "repository")
    documents = {request.path: _document(request) for request in requests}
    policy = {f"policies/{MEASURED}.yaml": yaml.safe_dump(DOCUMENT, sort_keys=False).encode()}
    repository.commit({**policy, **documents}, f"Ask for {len(requests)} certificates")
    return repository


def _document(request: Request) -> bytes:
    """Return a request's document with labels, under the policy that is measured."""
    team, _, name = request.name.partition("/")
    changes = (
        ("metadata: {owner: platform}", f"metadata: {{labels: {{team: {team}, host: {name}}}}}"),
        (f"  policy: {POLICY}\n", f"  policy: {MEASURED}\n"),
    )
    text = request.document.decode()
    for old, new in changes:
        if old not in text:
            raise SystemExit(f"the document of a request has no {old!r}")
        text = text.replace(old, new)
    return text.encode()


def _measured(run: Callable[[], object], n: int) -> Json:
    """Return the seconds of a run, with the processor time of this process and its children."""
    cpu, begun = _cpu(), time.perf_counter()
    run()
    seconds, spent = time.perf_counter() - begun, _cpu() - cpu
    return {
        "seconds": rounded(seconds),
        "cpu_seconds": rounded(spent),
        "milliseconds_each": _each(seconds, n),
        "cpu_milliseconds_each": _each(spent, n),
    }


def _each(seconds: float, n: int) -> float:
    return round(seconds / n * 1000, 3)


def _cpu() -> float:
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _steps(repository: CaRepository) -> Steps:
    """Return where the time of a validation goes, in a process without a command line."""
    steps = Steps()
    with steps.step("other"), steps.watching(STEPS):
        found = examine.examine(repository.folder, now())
    if found.findings:
        raise SystemExit(f"validate found {len(found.findings)}, such as {found.findings[0]}")
    return steps


def _cryptography(requests: list[Request]) -> None:
    for request in requests:
        csr = x509.load_pem_x509_csr(request.csr_pem.encode())
        if not csr.is_signature_valid:
            raise SystemExit(f"the CSR of {request.name} does not verify")


def _openssl(folder: Path, requests: list[Request]) -> Json:
    paths = [folder / f"{number}.csr" for number in range(len(requests))]
    for path, request in zip(paths, requests, strict=True):
        path.write_text(request.csr_pem)

    def verify() -> None:
        for path in paths:
            timed_process(["openssl", "req", "-verify", "-noout", "-in", str(path)])

    return {**_measured(verify, len(paths)), "processes": len(paths)}


if __name__ == "__main__":
    main()
