"""Issuing n requests with the CA's key in AWS KMS; against the same CA with its key in a file.

KMS is the one of the tests: a server of its own over HTTP, on the other core, that waits 15 ms
before it looks at a Sign. The ideal is what the latency alone takes: n / concurrency x latency.
Both sides are whole processes of `gitca reconcile`, with P-256 keys and the same requests. The
figure of the signing phase is the server's: from the arrival of the first Sign of a certificate to
the answer to the last. Its log is held against the ledger, request id by request id.

`--crl N` also lets a CA whose key is in KMS list N certificates in its next CRL, the last of them
being revoked now.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509

from fixture import ISSUING, CaRepository, Request
from gitca.reconcile.fulfil import CONCURRENCY
from gitca.signers import KeyOptions, create_key
from history import add_issued, add_revoked, revocation, revocation_path
from kms_server import ROLE, AwsServer, Sign, kms, span
from measure import Json, machine, rounded, show, tell

LATENCY_SECONDS = 0.015
TARGET = 0.6
"""The share of the ideal, at n = 1,000."""

Event = dict[str, str]


def main() -> None:
    arguments = _arguments()
    requests = [Request.make(number) for number in range(arguments.n)]
    with tempfile.TemporaryDirectory(prefix="gitca-bench-") as name, kms() as server:
        folder = Path(name)
        tell(f"kms: {arguments.n} requests, the key in a file")
        in_file = CaRepository.create(folder / "file")
        _ask(in_file, requests)
        peer = in_file.gitca("reconcile")
        tell(f"kms: the same with the key in KMS, {LATENCY_SECONDS * 1000:.0f} ms a signature")
        uri = server.uri("alias/bench")
        _make_key(uri, folder)
        repository = CaRepository.create(folder / "kms", key=uri)
        _ask(repository, requests)
        server.reset()
        before = {event["order"] for event in _signed(repository)}
        server.switch(latency_ms=LATENCY_SECONDS * 1000)
        seconds = repository.gitca("reconcile")
        signs: list[Sign] = server.signs()
        events = [event for event in _signed(repository) if event["order"] not in before]
        _compare(signs, events, arguments.n)
        crl = _crl(server, folder, arguments.crl) if arguments.crl else None
    result = _result(arguments.n, seconds, peer, _of_certificates(signs, events))
    show({**result, "crl": crl})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int, nargs="?", default=1000, help="requests (1000)")
    parser.add_argument("--crl", type=int, default=0, help="entries of a CRL (0: none is made)")
    arguments = parser.parse_args()
    if arguments.n < 1 or arguments.crl < 0 or arguments.crl == 1:
        parser.error("n is at least 1, --crl 0 or at least 2")
    return arguments


def _make_key(uri: str, base: Path) -> None:
    options = KeyOptions(signing_roles=(ROLE,))
    create_key(uri, "P-256", base=base, passphrase=lambda _: b"", options=options)


def _ask(repository: CaRepository, requests: list[Request]) -> None:
    files = {request.path: request.document for request in requests}
    repository.commit(files, f"Ask for {len(requests)} certificates")


def _signed(repository: CaRepository) -> Iterator[Event]:
    """Yield what the ledger has of each signature, in its own words."""
    for segment in sorted((repository.folder / "issued" / "ledger").glob("*.jsonl")):
        for line in segment.read_text().splitlines():
            event = json.loads(line)
            if event.get("event") == "signed":
                yield event


def _compare(signs: list[Sign], events: list[Event], n: int) -> None:
    """Check that each signature of KMS is in the ledger once, and that n of them are certificates.

    Raises: SystemExit.
    """
    made = sorted((sign["request_id"], sign["key"]) for sign in signs)
    recorded = sorted((event["requestId"], event["key"]) for event in events)
    certificates = sum("certificate" in event for event in events)
    if made != recorded or certificates != n:
        raise SystemExit(
            f"KMS made {len(made)} signatures, the ledger has {len(recorded)}, of which "
            f"{len(set(made) & set(recorded))} are the same; {certificates} certificates of {n}"
        )


def _crl(server: AwsServer, folder: Path, n: int) -> Json:
    """Return what the next CRL of n entries takes; its one signature is KMS's."""
    server.clear_switches()
    uri = server.uri("alias/bench-crl")
    _make_key(uri, folder)
    repository = CaRepository.create(folder / "crl", key=uri)
    requests = [Request.make(number) for number in range(n)]
    add_issued(repository, requests)
    add_revoked(repository, requests[:-1])
    last = requests[-1]
    repository.commit({revocation_path(last): revocation(last)}, "Revoke one more")
    tell(f"kms: the next CRL, of {n} entries")
    server.reset()
    server.switch(latency_ms=LATENCY_SECONDS * 1000)
    seconds = repository.gitca("reconcile")
    signs: list[Sign] = server.signs()
    issued = repository.folder / "issued" / ISSUING
    made = x509.load_der_x509_crl((issued / "crl.der").read_bytes())
    issuer = x509.load_pem_x509_certificate((issued / "ca.pem").read_bytes())
    valid = made.is_signature_valid(issuer.public_key())  # type: ignore[arg-type] # any CA key
    if len(made) != n or not valid or len(signs) != 1:
        raise SystemExit(f"{len(made)} entries, valid: {valid}, {len(signs)} signatures")
    return {"n": n, "reconcile_seconds": rounded(seconds), "sign_seconds": rounded(span(signs))}


def _of_certificates(signs: list[Sign], events: list[Event]) -> list[Sign]:
    ids = {event["requestId"] for event in events if "certificate" in event}
    return [sign for sign in signs if sign["request_id"] in ids]


def _result(n: int, seconds: float, peer: float, signs: list[Sign]) -> Json:
    signing = span(signs)
    ideal = n / CONCURRENCY * LATENCY_SECONDS
    share = ideal / signing
    return {
        "bench": "kms",
        "n": n,
        "latency_seconds": LATENCY_SECONDS,
        "concurrency": CONCURRENCY,
        "kms": {
            "reconcile_seconds": rounded(seconds),
            "signing_seconds": rounded(signing),
            "signatures_per_second": round(n / signing, 1),
            "ideal_seconds": rounded(ideal),
            "share_of_ideal": round(share, 3),
            "signatures_in_the_ledger": n,
        },
        "file": {"reconcile_seconds": rounded(peer)},
        "ratio": round(seconds / peer, 2),
        "target": {"share_of_ideal": TARGET, "met": share >= TARGET},
        "machine": machine(),
    }


if __name__ == "__main__":
    main()
