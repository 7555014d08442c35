"""Publishing n certificates to S3; against boto3's plain `put_object` of the same objects.

S3 is the one of the tests: a server of its own over HTTP, on the other core. gitca is the whole
process of `gitca publish`: it folds the ledger, verifies each certificate's signature, sends each
object on the condition that nothing is there, with its SHA-256, and writes the manifest last. The
peer has the objects in memory and sends them from a pool of 32 threads, with SHA-256 too, and
checks nothing. Told as well: a run in which nothing changed, and the run after one more request.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fixture import CaRepository, Request
from history import add_issued
from kms_server import AwsServer, kms
from measure import Json, machine, rounded, show, tell

CONCURRENCY = 32
TARGET = 2.0
"""At most so many times the peer's seconds."""


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="gitca-bench-") as name, kms() as server:
        folder = Path(name)
        for bucket in ("gitca", "peer"):
            server.create_bucket(bucket)
        repository = CaRepository.create(folder / "pki")
        requests = [Request.make(number) for number in range(arguments.n + 1)]
        _add_targets(repository, server)
        add_issued(repository, requests[:-1])
        tell("publish: to a folder")
        to_folder = repository.gitca("publish", "--target", "1")
        tell("publish: to S3")
        server.reset()
        to_s3 = repository.gitca("publish", "--target", "2")
        sent = len(server.s3_calls("PutObject"))
        objects = _objects(repository.folder / "public")
        tell(f"publish: {len(objects)} objects with boto3 alone")
        peer = _put(server, objects)
        _compare(server, objects)
        again = repository.gitca("publish", "--target", "2")
        add_issued(repository, requests[-1:])
        one = repository.gitca("publish", "--target", "2")
    figures: Json = {
        "folder_seconds": rounded(to_folder),
        "s3_seconds": rounded(to_s3),
        "objects_per_second": round(len(objects) / to_s3, 1),
        "nothing_changed_seconds": rounded(again),
        "one_more_seconds": rounded(one),
        "uploads": sent,
    }
    show(
        {
            "bench": "publish",
            "n": arguments.n,
            "objects": len(objects),
            "concurrency": CONCURRENCY,
            "gitca": figures,
            "boto3": {
                "seconds": rounded(peer),
                "objects_per_second": round(len(objects) / peer, 1),
            },
            "ratio": round(to_s3 / peer, 2),
            "target": {"ratio": TARGET, "met": to_s3 / peer <= TARGET},
            "machine": machine(),
        }
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int, nargs="?", default=10_000, help="certificates (10000)")
    arguments = parser.parse_args()
    if arguments.n < 1:
        parser.error("n is at least 1")
    return arguments


def _add_targets(repository: CaRepository, server: AwsServer) -> None:
    path = "ca/repository.yaml"
    text = (repository.folder / path).read_text().rstrip()
    uris = ("directory:public", server.target("gitca/prod"))
    targets = "".join(f"    - to: {uri}\n" for uri in uris)
    repository.commit({path: f"{text}\n  publish:\n{targets}".encode()}, "Publish")


def _objects(folder: Path) -> dict[str, bytes]:
    """Return what was published to the folder, less what the publisher keeps for itself."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    named = {str(path.relative_to(folder)): path for path in paths}
    return {name: path.read_bytes() for name, path in named.items() if not name.startswith(".")}


def _put(server: AwsServer, objects: dict[str, bytes]) -> float:
    """Return the seconds that boto3 takes from having the objects to having sent them."""
    begun = time.perf_counter()
    s3 = server.s3(connections=CONCURRENCY)

    def put(name: str) -> None:
        s3.put_object(
            Bucket="peer",
            Key=f"prod/{name}",
            Body=objects[name],
            ContentType="application/pkix-cert",
            ChecksumAlgorithm="SHA256",
        )

    with ThreadPoolExecutor(CONCURRENCY) as pool:
        for _ in pool.map(put, objects):
            pass
    return time.perf_counter() - begun


def _compare(server: AwsServer, objects: dict[str, bytes]) -> None:
    """Check that both buckets have the same names and sizes, the manifests' aside.

    Raises: SystemExit.
    """
    pages = {
        bucket: server.s3().get_paginator("list_objects_v2").paginate(Bucket=bucket)
        for bucket in ("gitca", "peer")
    }
    found = {
        bucket: {one["Key"]: one["Size"] for page in each for one in page["Contents"]}
        for bucket, each in pages.items()
    }
    if found["gitca"] != found["peer"] or len(found["peer"]) != len(objects):
        raise SystemExit(f"{len(found['gitca'])} objects, and {len(found['peer'])} of the peer's")


if __name__ == "__main__":
    main()
