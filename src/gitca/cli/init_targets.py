"""What `gitca init` publishes to: checked, for pipelines also against where they run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from gitca.cli.scaffold.pipelines import Forge
from gitca.cli.scaffold.targets import Targets, targets_of
from gitca.documents.aws_uri import AwsUriError, is_loopback
from gitca.documents.directory_uri import DirectoryUriError
from gitca.errors import UsageError

_UNREAD = "nobody could read what is published there"
_ELSEWHERE = "publish to s3://BUCKET/PREFIX, or reconcile where relying parties are served"


def checked_targets(uris: Sequence[str], forge: Forge, signer: str) -> Targets:
    """Return the targets that the URIs name, if they are ones that a forge's pipeline can reach.

    With keys in a token it runs on a machine of one's own, else on one of the forge's.
    Raises: UsageError.
    """
    try:
        targets = targets_of(uris)
    except (AwsUriError, DirectoryUriError) as error:
        raise UsageError(f"--publish: {error.message}", remedy=error.remedy) from error
    if forge is not Forge.NONE:
        _check_reach(targets, signer)
    return targets


def _check_reach(targets: Targets, signer: str) -> None:
    found = next(_unreachable(targets, signer), None)
    if found is not None:
        message, remedy = found
        raise UsageError(f"--publish: {message}", remedy=f"{remedy} (docs/pipelines.md)")


def _unreachable(targets: Targets, signer: str) -> Iterator[tuple[str, str]]:
    """Yield why a pipeline would publish in vain, or not at all, and the remedy."""
    for folder in targets.folders:
        message = f"{folder}/ would lie in the pipeline's clone, which ends with the run"
        own = "name a folder of the runner's machine, as directory:/srv/pki"
        yield f"{message}: {_UNREAD}", own if signer == "pkcs11" else _ELSEWHERE
    if signer != "pkcs11":
        for path in targets.directories:
            message = f"{path} would lie on a machine of the forge's, which ends with the run"
            yield f"{message}: {_UNREAD}", _ELSEWHERE
        for endpoint in targets.endpoints:
            if is_loopback(urlsplit(endpoint).hostname or ""):
                message = f"{endpoint} would be a machine of the forge's, which ends with the run"
                yield message, _ELSEWHERE
    if targets.endpoints and (targets.buckets or signer == "awskms"):
        yield (
            f"{targets.endpoints[0]} is not AWS's, and a run has one set of credentials for S3:"
            " here those of a role in AWS",
            "publish to AWS's S3 alone, or reconcile where one set serves for both",
        )
