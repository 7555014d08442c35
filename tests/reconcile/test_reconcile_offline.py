"""A root whose key lies at a machine without a network: ordered elsewhere, signed there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from offline_world import API, Hierarchy

from ca_documents import GOVERNING, authority, request, revocation
from ca_fixtures import both_layouts
from ca_signers import Watched
from ca_world import Clone, KeyRing, git, serials_of
from cross_world import CROSS, CROSS_FILE, old_root
from gitca.errors import BackendUnavailableError, UsageError
from gitca.reconcile.ceremony import Proposal
from gitca.reconcile.report import Missing
from gitca.signers import KeyAbsentError, KeyUnsuitableError


def openssl(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["openssl", *arguments], cwd=folder, capture_output=True, check=False, text=True
    )
    return done.stdout + done.stderr


@both_layouts
def test_an_offline_root_from_its_first_certificate_to_a_leaf(fresh: Hierarchy) -> None:
    report = fresh.reconcile()
    assert (report.exit_code, report.signed, list(report.absent)) == (0, [], ["root"])
    first = fresh.safe()
    assert len(fresh.sign(first).signed) == 2, "its certificate and its first CRL"
    assert first.status == ""
    assert fresh.sign(first).signed == [], "nothing is left"
    fresh.push(first)

    report = fresh.reconcile()
    assert report.exit_code == 0
    assert [(item.ca, item.missing) for item in report.waiting] == [("root", Missing.ABSENT)]
    fresh.office.clock.forward(minutes=5)
    report = fresh.reconcile()
    assert (report.exit_code, report.held, len(report.waiting)) == (0, (), 1)
    serials = serials_of(fresh.office.state)

    second = fresh.safe()
    assert [order.ca for order in fresh.sign(second).signed] == ["root"]
    fresh.push(second)
    report = fresh.reconcile()
    assert (report.exit_code, report.waiting) == (0, ())
    assert serials_of(fresh.office.state)[: len(serials)] == serials
    assert fresh.office.openssl_verify("payments/api") == "OK"
    assert fresh.office.plan().actions == ()
    assert fresh.office.verify().contradictions == []
    for name in ("crl.der", "ca.pem"):
        (fresh.folder / name).write_bytes(fresh.office.read(f"issued/root/{name}"))
    said = openssl(fresh.folder, "crl", "-in", "crl.der", "-noout", "-CAfile", "ca.pem")
    assert "verify OK" in said


def test_what_is_to_be_signed_is_shown_first_and_nothing_is_signed_on_a_no(
    standing: Hierarchy,
) -> None:
    standing.office.save({"ca/other.yaml": authority("other", "root")})
    standing.office.clock.forward(days=5)
    standing.reconcile()
    safe = standing.safe()
    before = safe.tip
    shown: list[Proposal] = []
    root = Watched(safe.keys.named("root"), lambda _: None)

    def refuse(proposal: Proposal) -> bool:
        shown.append(proposal)
        return False

    report = safe.sign("root", offline=True, approve=refuse, opener=safe.keys.but(root=root))
    assert (report.declined, report.exit_code, root.signed) == (True, 1, [])
    assert safe.tip == before
    (proposal,) = shown
    by_kind = {item.template is not None: item for item in proposal.items}
    told = by_kind[True].template
    assert told is not None
    assert told.spki_der == safe.keys.named("other").public_key()
    assert by_kind[True].key_is_told
    assert (by_kind[False].entries, by_kind[False].new) == ((), ())


@both_layouts
def test_the_roots_crl_travels_months_later_with_a_revocation(standing: Hierarchy) -> None:
    office = standing.office
    office.clock.forward(days=200)
    issuing = office.state.authority("issuing").certificate
    assert issuing is not None
    serial = issuing.certificate.serial
    stop = revocation("superseded", serial=serial, ca="root")
    office.save({"requests/ca/stop.yaml": stop})
    assert [item.missing for item in standing.reconcile().waiting] == [Missing.ABSENT]
    safe = standing.safe()
    shown: list[Proposal] = []
    safe.sign(
        "root",
        offline=True,
        opener=standing.safe_keys,
        approve=lambda proposal: shown.append(proposal) is None,
    )
    (item,) = shown[0].items
    assert [event.serial for event in item.new] == [serial]
    standing.push(safe)
    assert list(office.revoked("root")) == [serial]
    assert standing.reconcile().waiting == ()


def test_a_crl_order_that_lacks_a_later_revocation_is_given_up_and_ordered_anew(
    standing: Hierarchy,
) -> None:
    office = standing.office
    office.clock.forward(days=5)
    standing.reconcile()
    (stale,) = office.state.pending
    issuing = office.state.authority("issuing").certificate
    assert issuing is not None
    stop = revocation("superseded", serial=issuing.certificate.serial, ca="root")
    office.save({"requests/ca/stop.yaml": stop})
    standing.reconcile()
    safe = standing.safe()
    report = standing.sign(safe)
    assert (report.signed, report.abandoned) == ([], [stale])
    standing.push(safe)
    standing.reconcile()
    safe = standing.safe()
    standing.sign(safe)
    standing.push(safe)
    assert list(office.revoked("root")) == [issuing.certificate.serial]


@both_layouts
def test_an_order_that_the_documents_deny_by_now_is_given_up_in_the_safe(
    standing: Hierarchy,
) -> None:
    """The new CA's key is not there, so that only its order tells what it is."""
    office = standing.office
    office.save({"ca/other.yaml": authority("other", "root")})
    standing.reconcile()
    (pending,) = office.state.pending
    office.save({"ca/other.yaml": authority("other", "root", subject={"commonName": "Another"})})
    safe = standing.safe()
    report = standing.sign(safe)
    assert (report.signed, report.abandoned) == ([], [pending])
    standing.push(safe)
    assert len(standing.reconcile().waiting) == 1
    safe = standing.safe()
    assert len(standing.sign(safe).signed) == 1
    standing.push(safe)


def test_only_the_named_ca_is_signed_for(standing: Hierarchy) -> None:
    office = standing.office
    office.clock.forward(days=5)
    office.reconcile(opener=office.keys.but(root=None, issuing=None))
    assert len(office.state.pending) == 2
    report = office.sign("issuing")
    assert [order.ca for order in report.signed] == ["issuing"]
    assert [record.ordered.ca for record in office.state.pending.values()] == ["root"]


@both_layouts
def test_with_origin_in_reach_the_work_is_origins(standing: Hierarchy) -> None:
    office = standing.office
    office.clock.forward(days=5)
    standing.reconcile()
    other = office.beside("other")
    office.save({"requests/web.yaml": request("web", "web.example.internal")})
    assert len(other.sign("root").signed) == 1
    assert other.origin_tip == other.tip
    standing.pull()
    assert office.plan().actions != ()


def test_a_key_that_is_not_here_or_may_not_sign_is_said(standing: Hierarchy) -> None:
    office = standing.office
    with pytest.raises(BackendUnavailableError, match="in the safe") as refusal:
        office.sign("root", opener=office.keys.but(root=None))
    assert "machine that has the key" in refusal.value.remedy
    unsuitable = KeyUnsuitableError("the key encrypts")
    with pytest.raises(KeyUnsuitableError, match="encrypts"):
        office.sign("root", opener=office.keys.but(root=unsuitable))


def test_a_clock_that_is_behind_the_orders_stops_the_ceremony(standing: Hierarchy) -> None:
    standing.office.clock.forward(days=5)
    standing.reconcile()
    safe = standing.safe()
    safe.clock.forward(days=-1)
    with pytest.raises(UsageError, match="clock of this machine"):
        standing.sign(safe)


def test_a_local_branch_that_is_behind_is_not_worked_on(standing: Hierarchy) -> None:
    """What it would sign may have been signed already."""
    other = standing.office.beside("other")
    standing.office.clock.forward(days=5)
    standing.reconcile()
    git(other.folder, "fetch", "-q")
    with pytest.raises(UsageError, match=f"behind origin/{other.branches.issued}") as refusal:
        standing.sign(other)
    assert "merge --ff-only" in refusal.value.remedy


# What reconcile makes of keys that cannot be had.


def test_a_key_that_cannot_sign_is_a_finding_and_holds_up_what_depends_on_it(
    made: Clone,
) -> None:
    made.clock.forward(days=5)
    made.save(API)
    unsuitable = KeyUnsuitableError("the key encrypts", remedy="make one that signs")
    report = made.reconcile(opener=made.keys.but(issuing=unsuitable))
    assert report.exit_code == 1
    (finding,) = [item for item in report.findings if item.rule == "authority.key"]
    assert str(finding).startswith("ca/issuing.yaml:")
    assert "the key encrypts" in finding.message
    assert [order.ca for order in report.signed] == ["root"], "its CRL"
    assert not made.state.pending, "nothing is ordered of it"
    assert made.reconcile().exit_code == 0
    assert made.openssl_verify("payments/api") == "OK"


def test_an_outage_is_exit_code_4_and_a_key_elsewhere_is_not(made: Clone) -> None:
    made.clock.forward(days=5)
    outage = BackendUnavailableError("the HSM does not answer")
    assert made.reconcile(opener=made.keys.but(issuing=outage)).exit_code == 4
    elsewhere = KeyAbsentError("no such file")
    report = made.reconcile(opener=made.keys.but(issuing=elsewhere), take_over=True)
    assert report.exit_code == 0
    assert [item.missing for item in report.waiting] == [Missing.ABSENT]


class Short(Watched):
    """A signer that takes short messages alone."""

    def longest_message(self, signature_algorithm: str) -> int | None:
        return 200


def test_what_is_too_long_for_a_signer_is_never_ordered(made: Clone) -> None:
    made.save(API)
    issuing = Short(made.keys.named("issuing"), lambda _: None)
    report = made.reconcile(opener=made.keys.but(issuing=issuing))
    assert report.exit_code == 1
    (finding,) = [item for item in report.findings if item.rule == "signer.limit"]
    assert str(finding).startswith("ca/issuing.yaml:")
    assert " 200 " in finding.message
    assert not made.state.pending


def test_renewals_of_the_root_and_of_the_ca_below_travel_the_same_way(
    standing: Hierarchy,
) -> None:
    office = standing.office
    root = authority("root", renewBefore="3485d", validity="10y")
    issuing = authority("issuing", "root", renewBefore="1660d", validity="5y")
    office.save({"ca/root.yaml": root, "ca/issuing.yaml": issuing, **API})
    assert standing.reconcile().exit_code == 0
    before = dict(own_certificates(office))
    office.clock.forward(days=170)
    for _ in range(2):  # the root's first, and below that the issuing CA's
        standing.reconcile()
        safe = standing.safe()
        shown: list[Proposal] = []
        safe.sign(
            "root",
            offline=True,
            opener=standing.safe_keys,
            approve=lambda proposal, shown=shown: shown.append(proposal) is None,
        )
        assert not any(item.key_is_told for proposal in shown for item in proposal.items)
        standing.push(safe)
    after = dict(own_certificates(office))
    assert before.keys() == after.keys() == {"root", "issuing"}
    assert all(before[name].serial_number != after[name].serial_number for name in before)
    assert all(before[name].public_key() == after[name].public_key() for name in before)
    report = standing.reconcile()
    assert (report.exit_code, report.waiting) == (0, ())
    assert office.openssl_verify("payments/api") == "OK"


def test_a_cross_certificate_of_an_offline_root_is_signed_in_the_safe(
    tmp_path: Path, key_ring: KeyRing
) -> None:
    files = {**GOVERNING, **old_root()}
    office = Clone.create(tmp_path / "office", key_ring, files)
    assert office.reconcile().exit_code == 0
    office.clock.forward(hours=1)
    standing = Hierarchy(tmp_path, office.with_origin(tmp_path / "origin.git"))
    office.save({**old_root(CROSS), "ca/other.yaml": authority("other")})
    assert standing.reconcile().exit_code == 0
    safe = standing.safe()
    standing.sign(safe)
    gone_on = {"requests/web.yaml": request("web", "web.example.internal")}
    office.save(gone_on)
    standing.reconcile()
    assert standing.bring_back(safe).carry_over() is not None
    standing.pull()
    assert office.paths("issued/other/cross-certificates") == [CROSS_FILE]


def own_certificates(clone: Clone) -> list[tuple[str, x509.Certificate]]:
    return [
        (name, x509.load_pem_x509_certificate(clone.read(f"issued/{name}/ca.pem")))
        for name in ("root", "issuing")
    ]
