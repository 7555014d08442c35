"""What the demo does with AWS besides: keys in KMS, a bucket, and KMS's log beside the ledger."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

from gitca.cli.demo.cloud import BUCKET, REGION, ROLE, TARGET, Cloud
from gitca.cli.demo.story import Actor, chapter, perform, tell
from gitca.cli.output import write_line
from gitca.errors import GitcaError

_SPECS = {"root": "ECC_NIST_P384", "issuing": "ECC_NIST_P256"}
_Use = tuple[str | None, str]  # request id and key of a signature
_POLICY = "../public-read.json"  # of the bucket, from a clone


def scaffold_with_keys(director: Actor, pipeline: Actor, cloud: Cloud, domain: str) -> None:
    """Make the repository, the bucket, and the CAs' keys at KMS."""
    tell(
        f"""`init` scaffolds one, with a root, an issuing CA and policies with their tests. We are
        in {director.folder}. The AWS is that of gitca's own tests, on this machine: the pipeline
        has AWS_ENDPOINT_URL={cloud.endpoint}, and credentials that mean nothing."""
    )
    names = ("--domain", domain, "--organization", "Example")
    where = ("--signer", "awskms", "--region", REGION, "--publish", TARGET)
    perform(director, "gitca", "init", "pipeline", *names, *where, quiet=True)
    tell("A bucket that anybody may read; its URL goes into the documents:")
    make_bucket(pipeline, cloud)
    _name_bucket(pipeline, cloud, domain)
    tell(
        """The keys, which never leave KMS. Each gets an alias and a policy: the role gitca may sign
        with it, in one way, and nobody else may."""
    )
    for ca, spec in _SPECS.items():
        perform(pipeline, "gitca", "keys", "create", ca, "--spec", spec, "--sign-role", ROLE)
    cloud.act_as(ROLE)
    tell("From here on the pipeline has that role, and KMS holds each call against the policies.")


def ask_permission(pipeline: Actor) -> None:
    """Let gitca see, before anything is ordered, whether KMS would sign."""
    tell("Would KMS let it sign? `doctor` asks, by DryRun, which makes no signature:")
    perform(pipeline, "gitca", "doctor", "--ca", "issuing")


def make_bucket(pipeline: Actor, cloud: Cloud) -> None:
    """Make a bucket whose objects anybody may get, with whichever program is at hand."""
    allowed = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    (pipeline.folder / _POLICY).write_text(f"{policy}\n", encoding="utf-8")
    if cloud.has_cli:
        perform(pipeline, "aws", "s3", "mb", f"s3://{BUCKET}")
        give = ("aws", "s3api", "put-bucket-policy", "--bucket", BUCKET)
        perform(pipeline, *give, "--policy", f"file://{_POLICY}")
    else:
        bucket = cloud.url("").rstrip("/")
        perform(pipeline, "curl", "-sSf", "-X", "PUT", bucket)
        perform(pipeline, "curl", "-sSf", "-T", _POLICY, f"{bucket}?policy")


def _name_bucket(pipeline: Actor, cloud: Cloud, domain: str) -> None:
    names = [f"ca/{name}.yaml" for name in (*_SPECS, "repository")]
    for name in names:
        document = pipeline.folder / name
        text = document.read_text(encoding="utf-8")
        document.write_text(text.replace(f"http://pki.{domain}/", cloud.url("")), encoding="utf-8")
    perform(pipeline, "grep", "-n", cloud.endpoint, *names)
    perform(pipeline, "git", "commit", "--quiet", "--all", "-m", "CRLs are in a bucket")


def look_at_bucket(pipeline: Actor, cloud: Cloud) -> None:
    """See what a relying party is told of a CRL, where there is a program for that."""
    if shutil.which("curl"):
        tell("It has published, too. What a relying party is told of a CRL, by plain HTTP:")
        perform(pipeline, "curl", "-sSfI", cloud.url("issuing.crl"))


def hold_against_ledger(clone: Path, cloud: Cloud) -> None:
    """Say that KMS's log and the ledger have the same signatures. Raises: GitcaError if not."""
    chapter("8. KMS's own log, beside the ledger")
    tell(
        """Every Sign that the server carried out, as CloudTrail would show it, and the order in the
        ledger that has the same request id and key:"""
    )
    signed = _signatures(clone)
    orders = dict(signed)
    made = cloud.signs()
    for sign in made:
        order = orders.get((sign["request_id"], sign["key"]), "in no order")
        write_line(f"  {sign['request_id']}  {sign['algorithm']:<14}  {order[:12]}")
    uses: Counter[_Use] = Counter((sign["request_id"], sign["key"]) for sign in made)
    recorded = Counter(use for use, _ in signed)
    if uses != recorded:
        raise GitcaError(
            f"the demo stopped: KMS made {(uses - recorded).total()} signatures that are not in "
            f"the ledger, which has {(recorded - uses).total()} that KMS knows nothing of",
            remedy=f"look around in {clone}",
        )
    tell(f"{len(made)} signatures by KMS, {len(signed)} in the ledger, one to one.")


def _signatures(clone: Path) -> list[tuple[_Use, str]]:
    """Return every signature in a clone's ledger: its request id and key, and its order."""
    from gitca.ledger.events import Signed
    from gitca.ledger.segment import parse_segment

    return [
        ((event.request_id, event.key), event.order)
        for path in sorted((clone / "issued/ledger").glob("*.jsonl"))
        for event in parse_segment(f"issued/ledger/{path.name}", path.read_bytes()).events
        if isinstance(event, Signed)
    ]
