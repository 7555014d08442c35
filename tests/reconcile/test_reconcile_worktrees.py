"""A branch that another working tree of the clone shows is not moved behind that one's index."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from offline_world import Hierarchy

from ca_documents import authority, request
from ca_signers import Watched
from ca_world import Clone, git
from gitca.errors import UsageError

WEB = {"requests/web.yaml": request("web", "web.example.internal")}
REFUSED = "branch main is checked out in the working tree"


def beside(clone: Clone) -> Clone:
    """Return a second working tree of the clone, on a branch of its own."""
    folder = clone.folder.parent / "beside"
    git(clone.folder, "worktree", "add", "-q", "-b", "feature", str(folder))
    return replace(clone, folder=folder)


def test_no_key_is_used_for_what_could_not_be_recorded(made: Clone) -> None:
    made.save(WEB)
    assert made.reconcile(opener=made.keys.but(issuing=None)).exit_code == 0
    made.clock.forward(hours=1)
    other = beside(made)
    used: list[bytes] = []
    watched = Watched(made.keys.named("issuing"), used.append)
    with pytest.raises(UsageError, match=REFUSED):
        other.reconcile(opener=made.keys.but(issuing=watched))
    assert used == []
    assert made.status == ""
    assert made.reconcile().exit_code == 0
    assert made.status == ""
    assert made.verify().contradictions == []


def test_orders_that_nobody_here_can_sign_are_no_reason_to_refuse(made: Clone) -> None:
    made.save(WEB)
    without = made.keys.but(issuing=None)
    assert made.reconcile(opener=without).exit_code == 0
    made.clock.forward(hours=1)
    assert beside(made).reconcile(opener=without).exit_code == 0


def test_what_was_signed_offline_is_not_pushed_from_beside_it(
    tmp_path: Path, standing: Hierarchy
) -> None:
    standing.office.clock.forward(days=5)
    standing.office.save({"ca/other.yaml": authority("other", "root")})
    standing.reconcile()
    safe = standing.safe()
    assert standing.sign(safe).signed
    standing.bring_back(safe)
    standing.office.save(WEB)
    assert standing.reconcile().exit_code == 0
    git(safe.folder, "fetch", "-q", "origin")
    origin, local = safe.origin_tip, safe.tip
    with pytest.raises(UsageError, match=REFUSED):
        beside(safe).carry_over()
    assert (safe.origin_tip, safe.tip, safe.status) == (origin, local, "")
    assert safe.carry_over() is not None
    assert safe.status == ""
    standing.pull()
