"""What `gitca doctor` says of pipelines: whether they are this version's, and who owns what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gitca.cli.code_owners import PLACES, owners_of
from gitca.cli.doctor_check import Check, Outcome, read_small
from gitca.cli.doctor_schedule import WORKFLOWS
from gitca.cli.scaffold.pipelines import Forge, Setting, Tool, rendered_pipelines
from gitca.cli.scaffold.targets import NO_TARGETS, Targets, targets_of
from gitca.documents.load import Governing

_ANY = "__ANYTHING__"
_SIGNERS = ("awskms", "pkcs11", "file")
_PIN = re.compile(r"@[0-9a-f]{40} # v[0-9.]+$", re.MULTILINE)
_FILES = {Forge.GITHUB: f"{WORKFLOWS}/reconcile.yml", Forge.GITLAB: ".gitlab-ci.yml"}
_PROBES = {
    "ca/": "ca/root.yaml",
    "policies/": "policies/server.yaml",
    "requests/ca/": "requests/ca/stop.yaml",
}
_PIPELINE_PROBES = {
    Forge.GITHUB: (".github/", f"{WORKFLOWS}/reconcile.yml"),
    Forge.GITLAB: (".gitlab-ci.yml", ".gitlab-ci.yml"),
}


def pipeline_checks(root: Path, governing: Governing) -> Iterator[Check]:
    """Hold each forge's pipelines, where there are any, against what this version writes."""
    for forge, path in _FILES.items():
        if (root / path).is_file():
            yield from _drift(root, forge, governing)
            yield _owners(root, forge)


def expected_pipelines(
    forge: Forge, signer: str, branch: str, targets: Targets = NO_TARGETS
) -> Mapping[str, bytes]:
    """Return what this version writes, with a mark for all that a repository says for itself."""
    setting = Setting(
        forge,
        Tool(_ANY, _ANY, _ANY),
        signer,
        region=_ANY,
        module=_ANY,
        role=_ANY,
        branch=branch,
        security=_ANY,
        targets=targets,
    )
    return rendered_pipelines(setting)


def first_difference(expected: str, found: str) -> int | None:
    """Return the number of the first line that is another one than expected; None for no such.

    What stands for a mark may be anything, and a pinned action another version of it.
    """
    wanted, got = expected.splitlines(), found.splitlines()
    for number in range(max(len(wanted), len(got))):
        if number >= len(wanted) or number >= len(got):
            return number + 1
        if not _like(wanted[number], got[number]):
            return number + 1
    return None


def _like(wanted: str, found: str) -> bool:
    parts = re.split(f"{_ANY}|{_PIN.pattern}", _PIN.sub(_ANY, wanted))
    pin = "@[0-9a-f]{40}(?: # .+)?" if _PIN.search(wanted) else ".+"
    return re.fullmatch(pin.join(map(re.escape, parts)), found) is not None


def _drift(root: Path, forge: Forge, governing: Governing) -> Iterator[Check]:
    branch, likely = governing.repository.spec.branch, _signer(governing)
    # One that is for another kind of key than the documents' is told by the key's own check.
    signers = (likely, *(signer for signer in _SIGNERS if signer != likely))
    # What lets gitca go to a target may be said where the runner is, and not in the file.
    allowed = dict.fromkeys(
        (targets_of([t.to for t in governing.repository.spec.publish]), NO_TARGETS)
    )
    written = [
        expected_pipelines(forge, signer, branch, targets)
        for signer in signers
        for targets in allowed
    ]
    for path in sorted(written[0]):
        if path.endswith("CODEOWNERS"):
            continue  # its content is the repository's own
        yield _compared(root, path, [files[path].decode() for files in written], forge)


def _compared(root: Path, path: str, versions: Sequence[str], forge: Forge) -> Check:
    target = root / path
    if not target.is_file():
        return Check("pipeline", Outcome.WARNING, f"{path} is not there", _renew(forge))
    lines = [first_difference(version, read_small(target)) for version in versions]
    if None in lines:
        return Check("pipeline", Outcome.OK, f"{path} is as this version writes it")
    seen = f"{path} differs from what this version writes, first in line {lines[0]}"
    return Check("pipeline", Outcome.WARNING, seen, _renew(forge))


def _renew(forge: Forge) -> str:
    return (
        f"gitca init ../new --ci {forge.value} with the options of this repository writes it anew:"
        " compare, and take over what is not your own change (docs/operations.md)"
    )


def _signer(governing: Governing) -> str:
    """Return whose keys the pipelines are for: those of the CAs that are not in a file, if any."""
    schemes = {document.spec.key.partition(":")[0] for document in governing.authorities.values()}
    return next((scheme for scheme in _SIGNERS if scheme in schemes), "file")


def _owners(root: Path, forge: Forge) -> Check:
    place = next((place for place in PLACES if (root / place).is_file()), None)
    default = f".{forge.value}/CODEOWNERS"
    if place is None:
        remedy = f"gitca init ../new --ci {forge.value} writes {default}: copy it, name the owners"
        seen = "there is no CODEOWNERS: a team that may merge requests may merge policies, too"
        return Check("CODEOWNERS", Outcome.WARNING, seen, remedy)
    text = read_small(root / place)
    probes = {**_PROBES, **dict([_PIPELINE_PROBES[forge]])}
    bare = [folder for folder, path in probes.items() if not owners_of(text, path)]
    placeholder = [
        folder for folder, path in probes.items() if "@OWNER/" in " ".join(owners_of(text, path))
    ]
    if bare:
        seen = f"{place} gives no owner to {', '.join(bare)}"
        return Check("CODEOWNERS", Outcome.WARNING, seen, f"add a line for each: {bare[0]} @TEAM")
    if placeholder:
        seen = f"{place} names @OWNER/security, whom nobody is"
        return Check("CODEOWNERS", Outcome.WARNING, seen, "name who answers for CAs and policies")
    return Check("CODEOWNERS", Outcome.OK, f"{place} gives owners to {', '.join(probes)}")
