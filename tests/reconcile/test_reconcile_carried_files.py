"""What stands in the way of taking a local branch as it is: strange files, and other orders."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from offline_world import Hierarchy

from ca_documents import authority
from ca_signers import failing_after
from ca_world import Clone, git
from gitca.errors import BackendUnavailableError, ContradictionError

EVIL = "-----BEGIN CERTIFICATE-----\nZXZpbA==\n-----END CERTIFICATE-----\n"
OTHER_BYTES = b"0\x03\x02\x01\x05"


def born_in_the_safe(world: Hierarchy) -> Clone:
    """Return a clone where a root was made; origin has nothing that it lacks."""
    safe = world.safe()
    assert world.sign(safe).signed
    return world.bring_back(safe)


def commit(clone: Clone, message: str) -> None:
    git(clone.folder, "add", "-A")
    git(clone.folder, "commit", "-q", "-m", message)


@pytest.mark.parametrize(
    "path", ["issued/root/ca.pem", "issued/evil.txt", "issued/root/certificates/web.pem"]
)
def test_a_file_that_no_signature_gives_is_not_carried_over(fresh: Hierarchy, path: str) -> None:
    safe = born_in_the_safe(fresh)
    (safe.folder / path).parent.mkdir(parents=True, exist_ok=True)
    (safe.folder / path).write_text(EVIL)
    commit(safe, "gitca: sign certificates: 1")
    refused(safe, path)


def test_a_file_that_is_missing_or_may_be_run_is_not_carried_over(fresh: Hierarchy) -> None:
    safe = born_in_the_safe(fresh)
    (safe.folder / "issued/root/crl.der").unlink()
    (safe.folder / "issued/root/ca.pem").chmod(0o755)
    commit(safe, "gitca: sign CRLs: 1")
    refused(safe, r"issued/root/ca\.pem.*issued/root/crl\.der")


@pytest.mark.parametrize("data", [OTHER_BYTES, None], ids=["other bytes", "no bytes"])
def test_an_order_without_its_own_bytes_is_not_carried_over(
    fresh: Hierarchy, data: bytes | None
) -> None:
    safe = fresh.safe()
    dying = failing_after(safe.keys.named("root"), 0)
    with pytest.raises(BackendUnavailableError, match="throttles"):
        safe.sign("root", offline=True, opener=safe.keys.but(root=dying))
    (path,) = safe.paths("issued/orders")
    if data is None:
        (safe.folder / path).unlink()
    else:
        (safe.folder / path).write_bytes(data)
    commit(safe, "gitca: order certificates: 1")
    refused(fresh.bring_back(safe), "has not the bytes that it names")


def refused(safe: Clone, words: str) -> None:
    before, origin = safe.tip, git(Path(safe.origin), "rev-parse", "main")
    with pytest.raises(ContradictionError, match=words) as refusal:
        safe.carry_over()
    assert refusal.value.exit_code == 5
    assert (safe.tip, git(Path(safe.origin), "rev-parse", "main")) == (before, origin)


def test_documents_that_came_and_went_become_no_part_of_origins_history(fresh: Hierarchy) -> None:
    """An order could name the commit between, whose documents nobody reviewed."""
    safe = fresh.safe()
    (safe.folder / "ca/other.yaml").write_text(authority("other"))
    commit(safe, "one more CA")
    between = safe.tip
    git(safe.folder, "revert", "--no-edit", "HEAD")
    assert fresh.sign(safe).signed
    fresh.bring_back(safe)
    done = safe.carry_over()
    assert done is not None
    assert (len(done.signed), done.spent, done.commit != done.local) == (2, (), True)
    history = git(Path(safe.origin), "rev-list", "main").split()
    assert between not in history
    assert safe.verify().contradictions == []
    assert safe.status == ""


# Two orders for one first CRL.


def certified_without_a_crl(world: Hierarchy) -> Clone:
    """Return the safe's clone after a person let it sign the root's certificate and no more."""
    safe = world.safe()
    shown: list[object] = []

    def once(proposal: object) -> bool:
        shown.append(proposal)
        return len(shown) == 1

    report = safe.sign("root", offline=True, opener=world.safe_keys, approve=once)
    assert (len(report.signed), report.declined) == (1, True)
    return safe


def test_where_origin_has_the_root_its_first_crl_is_ordered_there_alone(fresh: Hierarchy) -> None:
    fresh.push(certified_without_a_crl(fresh))
    early = fresh.safe()
    fresh.reconcile()
    report = fresh.sign(early)
    assert (report.signed, early.paths("issued/root/crl.der")) == ([], [])
    safe = fresh.safe()
    assert len(fresh.sign(safe).signed) == 2
    fresh.push(safe)
    assert fresh.reconcile().exit_code == 0


def test_two_first_crls_end_with_the_commands_that_drop_the_local_one(fresh: Hierarchy) -> None:
    safe = certified_without_a_crl(fresh)
    copy = replace(safe, folder=safe.folder.parent / "copy")
    shutil.copytree(safe.folder, copy.folder, symlinks=True)
    fresh.push(copy)
    fresh.reconcile()
    fresh.office.clock.forward(hours=1)
    assert len(fresh.sign(safe).signed) == 1
    fresh.bring_back(safe)
    local = safe.tip
    with pytest.raises(ContradictionError, match="cannot stand beside") as refusal:
        safe.carry_over()
    _, _, rest = refusal.value.remedy.partition("drop the local commit: ")
    for command in rest.partition(";")[0].split(" && "):
        tool, *arguments = command.split()
        assert tool == "git"
        git(safe.folder, *arguments)
    assert safe.tip == git(Path(safe.origin), "rev-parse", "main")
    assert git(safe.folder, "rev-parse", f"refs/gitca/dropped/{local}") == local
    assert safe.carry_over() is None
    assert fresh.sign(safe).signed
