"""Pipelines that were changed, or are another version's: noticed; their setting: read back."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from gitca.cli.scaffold.drift import PATHS, drifted, forges, read_setting
from gitca.cli.scaffold.pipelines import OWN, Forge, Setting, pinned, rendered_pipelines

PROJECT = Path(__file__).parents[2]
TOOLS = {
    Forge.GITHUB: pinned("example/gitca", "a" * 40),
    Forge.GITLAB: pinned("https://gitlab.com/example/gitca.git", "a" * 40),
}
SIGNERS = {
    "file": {},
    "awskms": {"region": "eu-west-1"},
    "awskms as a role": {"region": "eu-west-1", "role": "arn:aws:iam::123456789012:role/gitca"},
    "pkcs11": {"module": '/usr/lib/"x" y.so'},
}


def setting(forge: Forge, name: str) -> Setting:
    return Setting(forge, TOOLS[forge], name.split()[0], **SIGNERS[name])


@pytest.mark.parametrize(("forge", "name"), list(itertools.product(TOOLS, SIGNERS)))
def test_the_setting_is_read_back_and_nothing_has_drifted(forge: Forge, name: str) -> None:
    for wanted in (setting(forge, name), replace(setting(forge, name), branch="trunk")):
        files = rendered_pipelines(wanted)
        assert read_setting(forge, files) == wanted
        assert drifted(forge, files) == ()
        assert forges(files) == (forge,)


@pytest.mark.parametrize("forge", TOOLS)
def test_owners_are_for_people_to_change(forge: Forge) -> None:
    files = dict(rendered_pipelines(setting(forge, "awskms")))
    (owners,) = files.keys() - set(PATHS[forge])
    files[owners] = b"* @example/pki\n"
    assert drifted(forge, files) == ()


@pytest.mark.parametrize("path", PATHS[Forge.GITHUB])
def test_a_changed_or_missing_workflow_is_named(path: str) -> None:
    files = dict(rendered_pipelines(setting(Forge.GITHUB, "awskms")))
    changed = files[path].replace(b"timeout-minutes: ", b"timeout-minutes: 1")
    assert drifted(Forge.GITHUB, files | {path: changed}) == (path,)
    del files[path]
    assert path in drifted(Forge.GITHUB, files)


def test_other_pipelines_are_not_taken_for_gitcas() -> None:
    files = dict.fromkeys(PATHS[Forge.GITHUB], b"on: push\njobs: {}\n")
    assert read_setting(Forge.GITHUB, files) is None
    assert drifted(Forge.GITHUB, files) == PATHS[Forge.GITHUB]
    assert forges({"README.md": b""}) == ()
    broken = dict.fromkeys(PATHS[Forge.GITLAB], b"\xff\xfe\x00")
    assert read_setting(Forge.GITLAB, broken) is None


def test_the_projects_own_pipelines_have_not_drifted() -> None:
    files = {path: (PROJECT / path).read_bytes() for path in itertools.chain(*PATHS.values())}
    assert [drifted(forge, files) for forge in PATHS] == [(), ()]
    own = read_setting(Forge.GITHUB, files)
    assert own is not None
    assert own.tool == OWN
