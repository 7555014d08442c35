"""Step 10 at a target that is ahead, strange or tampered with: nothing goes back, all is told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ca_documents import request
from ca_world import Clone
from gitca.errors import ContradictionError
from gitca.ledger.image import certificate_der
from gitca.publishers import open_publisher
from gitca.publishers.kinds import SERIAL
from gitca.publishers.layout import Leaf
from gitca.reconcile.leaf_sending import LeafSender
from publish_world import (
    API,
    FOLDER,
    STOP,
    as_loaded,
    crl_of,
    files,
    issuer_of,
    manifest,
    number_of,
    pem,
    public,
    published,
    reconciled,
    repository,
)

# Late runs.


def test_a_late_run_replaces_no_later_crl(target: Clone) -> None:
    """It had loaded the branch; another run signed the next CRL and published it."""
    with as_loaded(target) as late:
        other = target.copy(target.folder.parent / "other")
        other.save(STOP)
        assert reconciled(other).exit_code == 0
        later = files(other)
        # The same target, and a branch that does not have what the target has.
        for path, content in later.items():
            public(target, path).parent.mkdir(parents=True, exist_ok=True)
            public(target, path).write_bytes(content)
        result = published(target, loaded=late)
    assert files(target) == later
    assert result.exit_code == 5, "the branch has no such commit"
    assert "publish.crl.unknown" in str(result.targets[0].failures[0])


def test_a_crl_that_another_run_publishes_meanwhile_is_not_replaced(target: Clone) -> None:
    """It appears between the look at what is there and the write, which is conditional."""
    later = crl_of(target, 99)

    def meanwhile(what: str, path: str) -> None:
        if (what, path) == ("write", "issuing.crl"):
            public(target, path).write_bytes(later)

    target.save(STOP)
    assert target.reconcile().exit_code == 0
    assert published(target, before=meanwhile).exit_code == 5
    assert files(target)["issuing.crl"] == later


def test_a_crl_that_does_not_stay_where_it_was_written_is_told_of(target: Clone) -> None:
    """It is read back, whatever the target said of the write."""
    old = files(target)["issuing.crl"]

    def lost(what: str, path: str) -> None:
        if (what, path) == ("written", "issuing.crl"):
            public(target, path).write_bytes(old)

    target.save(STOP)
    assert target.reconcile().exit_code == 0
    result = published(target, before=lost)
    assert result.exit_code == 4
    assert "issuing.crl was another object each" in str(result.targets[0].failures[0])
    assert published(target).exit_code == 0


def test_a_late_run_whose_branch_went_on_publishes_the_later_commit(shared: Clone) -> None:
    shared.save(repository(FOLDER) | API)
    assert reconciled(shared).exit_code == 0
    other = shared.beside("other")
    (other.folder / "public").symlink_to(shared.folder / "public")
    shared.clock.forward(hours=1)
    with as_loaded(other) as late:
        shared.pull()
        shared.save(STOP)
        assert reconciled(shared).exit_code == 0
        later = files(shared)
        (other.folder / "public").unlink()
        (shared.folder / "public").rename(other.folder / "public")
        result = published(other, loaded=late)
        assert (result.exit_code, result.targets[0].is_ahead) == (0, False)
        assert files(other) == later


def test_a_manifest_of_another_history_is_a_contradiction(target: Clone) -> None:
    record = manifest(target)
    record["ledger"] = "sha256:" + "0" * 64
    public(target, "manifest.json").write_text(json.dumps(record))
    before = files(target)
    result = published(target)
    assert (result.exit_code, files(target)) == (5, before)
    assert "another repository" in str(result.targets[0].failures[0])
    target.save(STOP)
    assert reconciled(target).exit_code == 5, "also when the manifest is of an earlier segment"


def test_a_manifest_that_is_ahead_holds_up_no_crl(target: Clone) -> None:
    """Who can write the target cannot stop revocations by a number alone."""
    record = manifest(target)
    record["segment"] = 10**6
    public(target, "manifest.json").write_text(json.dumps(record))
    target.save(STOP)
    report = reconciled(target)
    assert report.exit_code == 5
    assert files(target)["issuing.crl"] == target.read("issued/issuing/crl.der")


# What stands at the target.


def test_a_crl_that_was_put_back_is_replaced_by_the_next_run(target: Clone) -> None:
    old = files(target)["issuing.crl"]
    target.save(STOP)
    assert reconciled(target).exit_code == 0
    new = files(target)["issuing.crl"]
    public(target, "issuing.crl").write_bytes(old)
    assert published(target).targets[0].sent == ["issuing.crl"]
    assert files(target)["issuing.crl"] == new


@pytest.mark.parametrize("content", [b"", b"<html>busy</html>"])
def test_garbage_in_the_place_of_a_crl_is_replaced_and_told_of(
    target: Clone, content: bytes
) -> None:
    public(target, "issuing.crl").write_bytes(content)
    result = published(target)
    assert (result.exit_code, result.targets[0].sent) == (0, ["issuing.crl"])
    assert "no CRL that this CA signed; it was replaced" in result.targets[0].notes[0]
    assert files(target)["issuing.crl"] == target.read("issued/issuing/crl.der")


def test_a_published_revocation_that_the_ledger_lost_is_a_contradiction(target: Clone) -> None:
    """A CRL with a lower number that revokes what the ledger's does not: nothing is taken back."""
    serial = int(target.current("api").certificate.serial, 16)
    planted = crl_of(target, 0, [serial])
    public(target, "issuing.crl").write_bytes(planted)
    public(target, "issuing.crl.pem").write_bytes(pem(planted))
    result = published(target)
    assert result.exit_code == 5
    assert {path for path, content in files(target).items() if content == planted} == {
        "issuing.crl"
    }
    assert all("publish.crl.vanished" in str(error) for error in result.targets[0].failures)
    assert len(result.targets[0].failures) == 2


def test_a_crl_with_a_number_that_the_ledger_never_gave_is_a_contradiction(target: Clone) -> None:
    planted = crl_of(target, 99)
    public(target, "issuing.crl").write_bytes(planted)
    result = published(target)
    assert (result.exit_code, files(target)["issuing.crl"]) == (5, planted)
    assert "has number 99, above 1, which is the ledger's last" in str(
        result.targets[0].failures[0]
    )


def test_one_cas_contradiction_holds_up_no_other_ca_and_no_certificate(target: Clone) -> None:
    public(target, "root.crl").write_bytes(crl_of(target, 99, ca="root"))
    target.save(STOP | {"requests/web.yaml": request("web", "web.example.internal")})
    before = number_of(files(target)["issuing.crl"])
    report = reconciled(target)
    assert report.exit_code == 5
    assert number_of(files(target)["issuing.crl"]) == before + 1


def test_a_certificate_at_the_target_that_the_ledger_does_not_know_is_not_replaced(
    target: Clone,
) -> None:
    """Two repositories with one key: the other's certificate is not the older one."""
    other = target.copy(target.folder.parent / "other")
    other.clock.forward(days=21)
    assert reconciled(other).exit_code == 0
    foreign = files(other)["certificates/issuing/api.pem"]
    target.clock.forward(days=22)
    assert target.reconcile().exit_code == 0
    public(target, "certificates/issuing/api.pem").write_bytes(foreign)
    result = published(target)
    assert files(target)["certificates/issuing/api.pem"] == foreign
    assert result.exit_code == 5
    assert "the ledger does not know" in str(result.targets[0].failures[0])


def test_a_certificate_that_somebody_changed_is_mended_by_a_complete_run(target: Clone) -> None:
    place = public(target, "certificates/issuing/api.pem")
    right = place.read_bytes()
    place.write_bytes(right[:-40] + b"X" * 40)
    (serial,) = (public(target, "serials/issuing")).iterdir()
    whole = serial.read_bytes()
    serial.unlink()
    assert published(target).targets[0].sent == []
    result = published(target, complete=True)
    assert (result.exit_code, len(result.targets[0].sent)) == (0, 2)
    assert (place.read_bytes(), serial.read_bytes()) == (right, whole)


def test_a_complete_run_tells_what_else_is_there(target: Clone) -> None:
    public(target, "strange.txt").write_text("x")
    notes = published(target, complete=True).targets[0].notes
    assert notes == ["it holds what is not published (any more): strange.txt"]


def test_a_manifest_that_is_none_is_written_anew(target: Clone) -> None:
    before = files(target)
    public(target, "manifest.json").write_text("{}")
    result = published(target)
    assert (result.exit_code, result.targets[0].sent) == (0, [])
    assert files(target) == before


def test_an_issued_file_that_was_changed_is_never_published(target: Clone) -> None:
    """`issued/` is an image: what is published is held against the ledger."""
    before = files(target)
    target.save({"issued/issuing/crl.der": crl_of(target, 99)})
    with pytest.raises(ContradictionError, match=r"issued/issuing/crl\.der is not what the ledger"):
        published(target)
    assert files(target) == before


def test_a_certificate_whose_signature_is_not_its_cas_is_not_sent(target: Clone) -> None:
    state, record = target.state, target.current("api")
    right = certificate_der(record)
    wrong = right[:-1] + bytes([right[-1] ^ 1])
    key = issuer_of(target).template.spki_der
    path = f"serials/issuing/{record.certificate.serial}.cer"
    public(target, path).unlink()
    publisher = open_publisher(FOLDER, base=target.folder)
    sender = LeafSender(publisher, state, {})
    leaf = Leaf(path, True, lambda: wrong, key, lambda: SERIAL.item(path, wrong))
    assert isinstance(sender.send(leaf), ContradictionError)
    assert not public(target, path).exists()
    sound = replace(leaf, der=lambda: right, build=lambda: SERIAL.item(path, right))
    assert sender.send(sound) == (SERIAL.item(path, right), True)
    assert public(target, path).read_bytes() == right
