"""Keys that revocations refuse: no CA is made on one, and none is asked for or waited for."""

from __future__ import annotations

from pathlib import Path

import pytest

from ca_documents import GOVERNING, authority, revocation
from ca_world import Clone, KeyRing
from gitca.reconcile.report import Report
from gitca.x509.template import spki_identifier


def refused(report: Report) -> list[str]:
    return [item.message for item in report.findings if item.rule == "authority.key.blocked"]


def stop(clone: Clone, name: str) -> dict[str, str]:
    key = spki_identifier(clone.keys.named(name).public_key())
    return {"requests/stop.yaml": revocation(key=key)}


@pytest.mark.parametrize("away", [{}, {"root": None}], ids=["with the root", "without the root"])
@pytest.mark.parametrize("apart", [True, False], ids=["before", "in the same run"])
def test_no_ca_is_made_on_a_key_that_a_revocation_refuses(
    made: Clone, away: dict[str, None], apart: bool
) -> None:
    """Without the root's key, its order was given up and recorded anew, round by round."""
    if apart:
        made.save(stop(made, "spare"))
        assert made.reconcile().exit_code == 0
    made.save(
        {"ca/spare.yaml": authority("spare", "root"), **stop(made, "spare")}
        if not apart
        else {"ca/spare.yaml": authority("spare", "root")}
    )
    report = made.reconcile(opener=made.keys.but(**away))
    (message,) = refused(report)
    assert "is refused: revoked for keyCompromise" in message
    assert (report.exit_code, report.signed, report.abandoned) == (1, [], [])
    assert made.state.authority("spare").certificate is None
    assert made.state.pending == {}
    tip = made.tip
    made.reconcile(opener=made.keys.but(**away))
    assert made.tip == tip


@pytest.mark.parametrize("apart", [True, False], ids=["before", "in the same run"])
def test_no_external_ca_is_asked_on_a_key_that_a_revocation_refuses(
    tmp_path: Path, key_ring: KeyRing, apart: bool
) -> None:
    clone = Clone.create(tmp_path / "clone", key_ring, GOVERNING)
    other = {"ca/other.yaml": authority("other", "external")}
    if apart:
        clone.save(stop(clone, "other"))
        assert clone.reconcile().exit_code == 0
        clone.save(other)
    else:
        clone.save({**stop(clone, "other"), **other})
    report = clone.reconcile()
    (message,) = refused(report)
    assert "is refused: revoked for keyCompromise" in message
    assert clone.state.authority("other").csr is None
    assert clone.state.pending == {}
