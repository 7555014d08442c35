"""A hierarchy whose root key is in a safe: an office, couriers, and ceremonies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ca_documents import GOVERNING, request
from ca_fixtures import MadeIn
from ca_world import Clone, KeyRing, git
from gitca.git.store import Branches
from gitca.reconcile.keys import OpenSigner
from gitca.reconcile.report import Report

API = {"requests/payments/api.yaml": request("api", "api.example.internal")}


class Hierarchy:
    """An origin; an office whose clone has every key but the root's; a safe that has that alone."""

    def __init__(self, folder: Path, office: Clone) -> None:
        self.folder = folder
        self.office = office
        self.ceremonies = 0

    def reconcile(self) -> Report:
        """Reconcile in the office, from whatever origin has."""
        return self.office.reconcile(opener=self.office.keys.but(root=None))

    @property
    def safe_keys(self) -> OpenSigner:
        away = dict.fromkeys(("issuing", "other", "spare"))
        return self.office.keys.but(**away)

    def safe(self) -> Clone:
        """Return a fresh clone from a bundle: what a courier carries to the safe."""
        self.ceremonies += 1
        name = f"safe{self.ceremonies}"
        bundle, clone = self.folder / f"{name}.bundle", self.folder / name
        git(Path(self.office.origin), "bundle", "create", "-q", str(bundle), "--branches")
        git(self.folder, "clone", "-q", "-b", "main", str(bundle), str(clone))
        bundle.unlink()
        return replace(self.office, folder=clone)

    def sign(self, safe: Clone, ca: str = "root") -> Report:
        return safe.sign(ca, offline=True, opener=self.safe_keys)

    def bring_back(self, safe: Clone) -> Clone:
        """Carry the safe's clone to where origin answers."""
        git(safe.folder, "remote", "set-url", "origin", self.office.origin)
        return safe

    def push(self, safe: Clone) -> None:
        """Push what a ceremony signed, and see that the whole of it is sound."""
        assert safe.verify().contradictions == []
        self.bring_back(safe)
        git(safe.folder, "push", "-q", "origin", self.office.branches.issued)
        self.pull()

    def pull(self) -> None:
        self.office.pull()
        assert self.office.verify().contradictions == []
        assert self.office.status == ""


@pytest.fixture
def fresh(tmp_path: Path, key_ring: KeyRing, layout: Branches) -> Hierarchy:
    """Nothing is made yet."""
    office = Clone.create(tmp_path / "office", key_ring, {**GOVERNING, **API}, layout)
    return Hierarchy(tmp_path, office.with_origin(tmp_path / "origin.git"))


@pytest.fixture
def standing(tmp_path: Path, made_in: MadeIn, layout: Branches) -> Hierarchy:
    """The CAs and their first CRLs are made."""
    office = made_in(layout).copy(tmp_path / "office").with_origin(tmp_path / "origin.git")
    return Hierarchy(tmp_path, office)
