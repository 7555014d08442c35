"""The whole loop: documents in, certificates, CRLs and a ledger out, and openssl agrees."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from ca_documents import GOVERNING, request, revocation
from ca_fixtures import both_layouts
from ca_signers import Watched
from ca_world import PARTED, Clone, KeyRing, git, kinds, serials_of
from gitca.ledger.image import order_path

API = {"requests/payments/api.yaml": request("api", "api.example.internal")}


@pytest.mark.parametrize("with_origin", [False, True], ids=["no remote", "remote"])
def test_a_fresh_repository_becomes_cas_crls_and_a_certificate_in_one_reconcile(
    tmp_path: Path, key_ring: KeyRing, with_origin: bool
) -> None:
    clone = Clone.create(tmp_path / "clone", key_ring, {**GOVERNING, **API})
    if with_origin:
        clone.with_origin(tmp_path / "origin.git")
    planned = clone.plan()
    report = clone.reconcile()
    assert kinds(planned.actions) == ["create-ca", "create-ca", "sign-crl", "sign-crl", "issue"]
    assert report.exit_code == 0
    assert len(report.signed) == len(planned.actions)
    assert clone.openssl_verify("payments/api") == "OK"
    assert clone.plan().actions == ()
    assert clone.verify().contradictions == []
    assert clone.status == ""
    assert clone.paths("issued") == [
        "issued/issuing/ca.pem",
        "issued/issuing/certificates/payments/api.pem",
        "issued/issuing/chain.pem",
        "issued/issuing/crl.der",
        *(f"issued/ledger/0000000{number}.jsonl" for number in range(1, 7)),
        "issued/root/ca.pem",
        "issued/root/crl.der",
    ]
    if with_origin:
        assert git(Path(clone.origin), "rev-parse", "main") == clone.tip


@both_layouts
def test_revoking_turns_openssls_verdict(shared: Clone) -> None:
    shared.save(API)
    assert shared.reconcile().exit_code == 0
    assert shared.openssl_verify("payments/api") == "OK"
    shared.clock.forward(minutes=5)
    shared.save({"requests/stop.yaml": revocation(certificate="payments/api")})
    report = shared.reconcile()
    assert report.exit_code == 0
    assert len(report.revoked) == 1
    assert shared.openssl_verify("payments/api") == "certificate revoked"
    assert shared.verify().contradictions == []


@both_layouts
def test_a_second_reconcile_does_nothing(issued: Clone) -> None:
    before = issued.tip
    report = issued.reconcile()
    assert (report.exit_code, report.signed, report.resumed) == (0, [], [])
    assert issued.tip == before


@both_layouts
def test_one_bad_request_holds_up_nothing_but_itself(made: Clone) -> None:
    made.save(
        {
            "requests/good.yaml": request("good", "good.example.internal"),
            "requests/bad.yaml": request("bad", "bad.example.com"),
            "requests/broken.yaml": "spec: [",
            "requests/no-csr.yaml": request("x", "x.example.internal", csr="-----BEGIN X-----"),
            "requests/also-good.yaml": request("also", "also.example.internal"),
        }
    )
    report = made.reconcile()
    assert report.exit_code == 1
    places = {finding.location.file for finding in report.findings if finding.is_error}
    assert places == {"requests/bad.yaml", "requests/broken.yaml", "requests/no-csr.yaml"}
    assert {"good", "also-good"} == set(made.state.requests)
    assert made.openssl_verify("good") == "OK"
    assert made.openssl_verify("also-good") == "OK"


def test_a_reconcile_reads_the_branch_and_never_the_working_tree(shared: Clone) -> None:
    (shared.folder / "requests").mkdir()
    (shared.folder / "requests/web.yaml").write_text(request("web", "web.example.internal"))
    report = shared.reconcile()
    assert (report.exit_code, report.signed) == (0, [])
    assert (shared.folder / "requests/web.yaml").exists()


@both_layouts
def test_what_another_clone_pushed_is_reconciled_without_a_pull(shared: Clone) -> None:
    other = shared.beside("other")
    other.save(API)
    assert shared.reconcile().exit_code == 0
    assert shared.openssl_verify("payments/api") == "OK"
    assert shared.status == ""


def test_local_commits_that_were_not_pushed_are_not_reconciled_and_stay(shared: Clone) -> None:
    bare = shared.origin
    git(shared.folder, "remote", "set-url", "origin", "/nowhere")
    (shared.folder / "NOTES").write_text("mine\n")
    git(shared.folder, "add", "NOTES")
    git(shared.folder, "commit", "-q", "-m", "mine")
    git(shared.folder, "remote", "set-url", "origin", bare)
    mine = shared.tip
    shared.beside("other").save(API)
    report = shared.reconcile()
    assert report.exit_code == 0
    assert "1 commit" in report.working_tree
    assert shared.tip == mine


def test_no_signature_is_made_for_bytes_that_the_remotes_branch_does_not_hold(
    tmp_path: Path, key_ring: KeyRing
) -> None:
    """I1: the order of a certificate with its bytes, that of a CRL with its digest."""
    clone = Clone.create(tmp_path / "clone", key_ring, {**GOVERNING, **API})
    clone.with_origin(tmp_path / "origin.git")
    found: list[str] = []

    def look(message: bytes) -> None:
        digest = hashlib.sha256(message).hexdigest()
        listing = git(tmp_path / "origin.git", "ls-tree", "-r", "--name-only", "main", "issued")
        if order_path(digest[:32]) in listing.splitlines():
            blob = git(tmp_path / "origin.git", "rev-parse", f"main:{order_path(digest[:32])}")
            header = b"blob %d\0" % len(message)
            assert blob == hashlib.sha1(header + message).hexdigest()  # noqa: S324 - Git's own id
            found.append("certificate")
        else:
            text = f'"object":"crl".*"tbs":"sha256:{digest}"'
            git(tmp_path / "origin.git", "grep", "-q", text, "main", "--", "issued/ledger")
            found.append("crl")

    signers = {name: Watched(clone.keys.named(name), look) for name in ("root", "issuing")}
    assert clone.reconcile(opener=clone.keys.but(**signers)).exit_code == 0
    assert sorted(found) == ["certificate"] * 3 + ["crl"] * 2


@both_layouts
def test_serial_numbers_are_used_once_over_a_busy_life(shared: Clone) -> None:
    """I2, and I7: the numbers of CRLs rise one by one."""
    for turn in range(4):
        shared.save(
            {
                f"requests/web{turn}.yaml": request(f"w{turn}", f"w{turn}.example.internal"),
                "requests/api.yaml": request(f"api{turn}", "api.example.internal"),
            }
            | ({f"requests/stop{turn}.yaml": revocation(certificate="api")} if turn else {})
        )
        assert shared.reconcile().exit_code == 0
        shared.clock.forward(days=4)
    state = shared.state
    serials = serials_of(state)
    assert len(serials) == len(set(serials)) >= 10
    crls = [item.crl.number for item in state.orders.values() if not hasattr(
        item.ordered.particulars, "serial") and item.ordered.ca == "issuing"]  # fmt: skip
    assert crls == list(range(1, len(crls) + 1))
    assert len(crls) >= 4
    assert shared.verify().contradictions == []


def test_a_serial_number_that_the_random_source_repeats_is_not_used_again(made: Clone) -> None:
    """I2: two machines that were cloned from one image may draw the same numbers."""
    serials = iter([5, 5, 6, 5, 6, 7])
    world = made.world(serials=lambda: next(serials))
    made.save({f"requests/{name}.yaml": request(name, f"{name}.example.internal") for name in "ab"})
    assert made.reconcile(world=world).exit_code == 0
    made.save({"requests/c.yaml": request("c", "c.example.internal")})
    assert made.reconcile(world=world).exit_code == 0
    assert [made.current(name).certificate.serial for name in "abc"] == ["5", "6", "7"]


@pytest.mark.parametrize("with_origin", [False, True], ids=["no remote", "remote"])
def test_issued_may_have_a_branch_of_its_own(
    tmp_path: Path, key_ring: KeyRing, with_origin: bool
) -> None:
    clone = Clone.create(tmp_path / "clone", key_ring, {**GOVERNING, **API}, PARTED)
    if with_origin:
        clone.with_origin(tmp_path / "origin.git")
    main = clone.source
    assert clone.reconcile().exit_code == 0
    place = Path(clone.origin) if with_origin else clone.folder
    assert git(place, "rev-parse", "main") == main
    issued = git(place, "rev-parse", "issued")
    names = git(place, "ls-tree", "--name-only", issued).splitlines()
    assert names == ["issued"]
    with clone.store() as store:
        snapshot = store.load()
        assert snapshot.state.requests["payments/api"].current is not None
    assert clone.reconcile().signed == []
    assert clone.verify(issued).contradictions == []


def test_a_clone_of_the_issued_branch_alone_verifies_what_it_has(
    tmp_path: Path, key_ring: KeyRing
) -> None:
    clone = Clone.create(tmp_path / "clone", key_ring, {**GOVERNING, **API}, PARTED)
    clone.with_origin(tmp_path / "origin.git")
    assert clone.reconcile().exit_code == 0
    url = (tmp_path / "origin.git").as_uri()
    git(tmp_path, "clone", "-q", "--single-branch", "--branch", "issued", url, "alone")
    alone = replace(clone, folder=tmp_path / "alone")
    report = alone.verify()
    assert report.contradictions == []
    (unchecked,) = report.unchecked
    assert unchecked.startswith("5 orders: this clone lacks their source commit")
