"""Step 10 with a folder: what is sent, what is not, and when."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from ca_documents import CRL, authority
from ca_fixtures import both_layouts
from ca_signers import Garbled
from ca_world import Clone, git
from gitca.errors import ContradictionError
from gitca.publishers import directory_turn
from judges.process import must
from publish_world import (
    API,
    FOLDER,
    STOP,
    files,
    manifest,
    public,
    published,
    reconciled,
    repository,
)


@both_layouts
def test_a_run_publishes_what_it_committed_and_the_next_has_nothing_to_send(made: Clone) -> None:
    files_of = repository(FOLDER, **({"issuedBranch": "issued"} if made.is_parted else {}))
    made.save(files_of | API)
    report = reconciled(made)
    assert report.published is not None
    assert report.exit_code == 0
    assert sorted(report.published.targets[0].sent) == sorted(set(files(made)) - {"manifest.json"})
    assert manifest(made)["commit"] == report.tip == made.tip
    assert manifest(made)["complete"] is True
    before = files(made)
    again = reconciled(made)
    assert again.published is not None
    assert again.published.targets[0].sent == []
    assert files(made) == before


def test_what_is_published_is_what_the_branch_has(target: Clone) -> None:
    there = files(target)
    assert there["certificates/issuing/api.pem"] == target.read(
        "issued/issuing/certificates/api.pem"
    )
    assert there["issuing.crl"] == target.read("issued/issuing/crl.der")
    assert there["issuing.pem"] == target.read("issued/issuing/ca.pem")
    assert there["issuing.chain.pem"] == target.read("issued/issuing/chain.pem")


def test_a_repository_without_targets_publishes_nothing(made: Clone) -> None:
    assert reconciled(made).published is None
    assert not (made.folder / "public").exists()


def test_a_run_in_which_nothing_changed_reads_crls_and_cas_alone(target: Clone) -> None:
    asked: list[tuple[str, str]] = []
    published(target, before=lambda what, path: asked.append((what, path)))
    assert {what for what, _ in asked} == {"read"}
    paths = [path for _, path in asked]
    assert len(paths) == len(set(paths))
    assert not any(path.startswith(("certificates/", "serials/")) for path in paths)


def test_certificates_can_be_left_out(made: Clone) -> None:
    made.save(repository({"to": FOLDER, "certificates": False}) | API)
    assert reconciled(made).exit_code == 0
    assert not [path for path in files(made) if path.startswith(("certificates/", "serials/"))]
    made.save(repository(FOLDER))
    assert reconciled(made).exit_code == 0
    assert "certificates/issuing/api.pem" in files(made)


def test_a_revocation_is_on_the_published_crl_under_each_of_its_names(target: Clone) -> None:
    target.save(STOP)
    assert reconciled(target).exit_code == 0
    serial = target.current("api").certificate.serial
    names = [path for path in files(target) if path.startswith("issuing") and ".crl" in path]
    assert len(names) == 3
    for name in names:
        content = files(target)[name]
        form = "PEM" if name.endswith(".pem") else "DER"
        words = must("openssl", "crl", "-inform", form, "-noout", "-text", stdin=content)
        assert serial.upper() in words.decode()


def test_a_renewed_certificate_takes_the_place_of_the_old_one_whose_serial_stays(
    target: Clone,
) -> None:
    first = target.current("api").certificate.serial
    target.clock.forward(days=21)
    assert reconciled(target).exit_code == 0
    second = target.current("api").certificate.serial
    assert second != first
    there = files(target)
    assert {f"serials/issuing/{serial}.cer" for serial in (first, second)} <= there.keys()
    assert there["certificates/issuing/api.pem"] == target.read(
        "issued/issuing/certificates/api.pem"
    )


# The margin.


def margins(clone: Clone, **spec: object) -> list[tuple[str, bool]]:
    return [(f.rule, f.is_error) for f in published(clone, **spec).findings]


def test_a_crl_that_falls_short_of_the_margin_goes_out_and_is_told_of(target: Clone) -> None:
    crl = CRL | {"publishMargin": "6d"}
    target.save(
        repository(FOLDER, reconcileEvery="2d")
        | STOP
        | {"ca/issuing.yaml": authority("issuing", "root", crl=crl)}
    )
    report = reconciled(target)
    assert report.published is not None
    assert report.exit_code == 1
    (finding,) = report.published.findings
    assert (finding.rule, finding.location.file) == ("publish.crl.margin", "ca/issuing.yaml")
    assert files(target)["issuing.crl"] == target.read("issued/issuing/crl.der")


def test_a_lapsed_crl_goes_out_only_in_the_place_of_an_older_one(target: Clone) -> None:
    old = files(target)["issuing.crl"]
    target.save(STOP)
    assert target.reconcile().exit_code == 0
    new = target.read("issued/issuing/crl.der")
    target.clock.forward(days=8)
    public(target, "issuing.crl.pem").unlink()
    result = published(target)
    assert result.exit_code == 1
    assert "publish.crl.lapsed" in {finding.rule for finding in result.findings}
    assert old != new == files(target)["issuing.crl"]
    assert "issuing.crl.pem" not in files(target)


def test_a_lapsed_crl_replaces_what_is_none(target: Clone) -> None:
    """It tells what is revoked; what stands there tells nothing, and would stay for good."""
    right = files(target)["issuing.crl"]
    target.clock.forward(days=8)
    public(target, "issuing.crl").write_bytes(b"<html>busy</html>")
    result = published(target)
    assert (result.exit_code, result.targets[0].sent) == (1, ["issuing.crl"])
    assert "it was replaced" in result.targets[0].notes[0]
    assert files(target)["issuing.crl"] == right


# Several targets, and failures.


def test_a_target_that_fails_holds_up_no_other_and_is_caught_up(
    made: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.save(repository("directory:one", "directory:two", "directory:three") | API)
    monkeypatch.setattr(directory_turn, "WAIT_SECONDS", 0.2)
    lock = made.folder / "two" / ".gitca-publish" / "lock"
    lock.parent.mkdir(parents=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        report = reconciled(made)
    assert report.published is not None
    codes = [target.exit_code for target in report.published.targets]
    assert codes == [0, 4, 0]
    assert report.exit_code == 4
    assert reconciled(made).exit_code == 0
    first = files(made, "one")
    assert first == files(made, "two") == files(made, "three")


def test_no_target_waits_for_the_certificates_of_another_with_its_crls(made: Clone) -> None:
    made.save(repository("directory:one", "directory:two") | API)
    seen: list[bool] = []

    def looked(what: str, path: str) -> None:
        if what == "write" and not path.endswith((".crl", ".crl.pem")):
            seen.append((made.folder / "two" / "issuing.crl").exists())

    assert reconciled(made, looked).exit_code == 0
    assert len(seen) > 10
    assert all(seen)


def test_only_the_targets_that_are_asked_for_are_published_to(made: Clone) -> None:
    made.save(repository("directory:one", "directory:two") | API)
    assert made.reconcile().exit_code == 0
    assert published(made, selected=frozenset({2})).exit_code == 0
    assert (files(made, "one") if (made.folder / "one").exists() else {}) == {}
    assert files(made, "two")


def test_a_target_outside_of_the_repository_needs_the_operators_word(
    made: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "srv"
    place.mkdir()
    monkeypatch.delenv("GITCA_PUBLISH_DIRECTORIES", raising=False)
    made.save(repository(f"directory:{place}/pki") | API)
    assert reconciled(made).exit_code == 2
    assert list(place.iterdir()) == []
    monkeypatch.setenv("GITCA_PUBLISH_DIRECTORIES", str(place))
    assert reconciled(made).exit_code == 0
    assert (place / "pki" / "manifest.json").exists()


def test_a_pull_request_that_is_checked_out_cannot_name_a_target(target: Clone) -> None:
    git(target.folder, "checkout", "-q", "-b", "evil")
    target.save(repository("directory:evil"))
    assert published(target).exit_code == 0
    assert not (target.folder / "evil").exists()


def test_what_was_pushed_is_published_also_when_the_run_ends_with_a_contradiction(
    target: Clone,
) -> None:
    """The issuing CA's signer gives another key's signatures; the root's CRL goes out."""
    before = files(target)
    target.clock.forward(days=5)
    garbled = Garbled(target.keys.named("issuing"), target.keys.named("other"))
    with pytest.raises(ContradictionError, match="does not verify under the CA's key"):
        reconciled(target, keys=target.keys.but(issuing=garbled))
    there = files(target)
    assert there["root.crl"] == target.read("issued/root/crl.der") != before["root.crl"]
    assert there["issuing.crl"] == before["issuing.crl"]
