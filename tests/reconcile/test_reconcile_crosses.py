"""Cross-certificates: who trusts the old root reaches what stands below the new one."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from ca_documents import GOVERNING, authority, revocation
from ca_world import Clone, KeyRing, kinds
from cross_world import (
    CROSS,
    CROSS_FILE,
    Spec,
    check_idle,
    cross_certificate,
    crossed,
    crossed_once,
    old_root,
    own_certificate,
)
from gitca.ledger.image import certificate_der

__all__ = ["crossed", "crossed_once"]


def openssl_path(clone: Clone, anchor: str, *untrusted: str, crls: bool = True) -> str:
    """Return openssl's words on the request's certificate for who trusts one root alone."""
    folder = clone.folder.parent
    paths = {
        "leaf": "issued/issuing/certificates/api.pem",
        "anchor": f"issued/{anchor}/ca.pem",
        **{f"untrusted{place}": path for place, path in enumerate(untrusted)},
    }
    for name, path in paths.items():
        (folder / name).write_bytes(clone.read(path))
    options = [part for name in paths if name.startswith("u") for part in ("-untrusted", name)]
    if crls:
        for ca in ("root", "other", "issuing"):
            (folder / f"{ca}.crl").write_bytes(clone.read(f"issued/{ca}/crl.der"))
            options += ["-CRLfile", f"{ca}.crl"]
        options.append("-crl_check_all")
    done = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-show_chain",
         "-attime", str(int(clone.clock.now.timestamp())), *options, "-CAfile", "anchor", "leaf"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


ISSUING = "issued/issuing/ca.pem"


def test_openssl_builds_a_path_from_either_root(crossed: Clone) -> None:
    check_idle(crossed)
    new = openssl_path(crossed, "other", ISSUING)
    assert "leaf: OK" in new
    assert "depth=2: CN = Example other CA" in new
    old = openssl_path(crossed, "root", ISSUING, CROSS_FILE)
    assert "leaf: OK" in old
    assert "depth=2: CN = Example other CA" in old
    assert "depth=3: CN = Example root CA" in old
    assert "leaf: OK" not in openssl_path(crossed, "root", ISSUING), "the cross-certificate is why"


def test_a_cross_certificate_says_what_the_subject_is_and_who_vouches(crossed: Clone) -> None:
    cross, new, old = (
        cross_certificate(crossed),
        own_certificate(crossed, "other"),
        own_certificate(crossed, "root"),
    )
    assert (cross.subject, cross.issuer) == (new.subject, old.subject)
    assert cross.public_key() == new.public_key()
    cross.verify_directly_issued_by(old)
    extension = cross.extensions.get_extension_for_class(x509.CRLDistributionPoints)
    assert "root.crl" in str(extension.value)
    assert cross.not_valid_after_utc - cross.not_valid_before_utc < timedelta(days=731)


def test_constraints_of_the_entry_bind_the_path_over_the_old_root_alone(crossed: Clone) -> None:
    """The certificate is made anew with them; who trusts the new root is not bound."""
    bound = CROSS | {"nameConstraints": {"excluded": {"dns": ["api.example.internal"]}}}
    crossed.save(old_root(bound | {"pathLength": 1}))
    assert crossed.reconcile().exit_code == 0
    cross = cross_certificate(crossed)
    constraints = cross.extensions.get_extension_for_class(x509.NameConstraints)
    assert "api.example.internal" in str(constraints.value)
    crossed.clock.forward(hours=1)
    assert "leaf: OK" in openssl_path(crossed, "other", ISSUING)
    assert "excluded subtree violation" in openssl_path(crossed, "root", ISSUING, CROSS_FILE)
    check_idle(crossed)


ENTRIES: dict[str, tuple[tuple[Spec, ...], str]] = {
    "unknown": (({"subject": "nobody", "validity": "2y"},), "authority.cross.subject"),
    "itself": (({"subject": "root", "validity": "2y"},), "authority.cross.subject"),
    "twice": ((CROSS, CROSS | {"validity": "3y"}), "authority.cross.subject"),
    "path length": ((CROSS | {"pathLength": 2},), "authority.pathLength"),
    "validity": ((CROSS | {"validity": "20y"},), "authority.validity"),
    "always due": ((CROSS | {"renewBefore": "2y"},), "authority.renew-before"),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_that_cannot_be_is_a_finding_at_its_place_and_certifies_nothing(
    tmp_path: Path, key_ring: KeyRing, entry: str
) -> None:
    crosses, rule = ENTRIES[entry]
    files = {**GOVERNING, **old_root(*crosses), "ca/other.yaml": authority("other")}
    clone = Clone.create(tmp_path / "clone", key_ring, files)
    report = clone.reconcile()
    assert report.exit_code == 1
    found = [finding for finding in report.findings if finding.rule == rule]
    assert [finding.location.file for finding in found] == ["ca/root.yaml"]
    assert found[0].location.line > 10, "the entry, and not the document's head"
    assert not any("cross" in path for path in clone.paths("issued"))
    assert own_certificate(clone, "other").subject
    assert clone.plan().actions == ()
    assert clone.verify().contradictions == []


def test_an_expired_ca_certifies_nobody(tmp_path: Path, key_ring: KeyRing) -> None:
    files = {"ca/root.yaml": authority("root", pathLength=2, validity="30d")}
    clone = Clone.create(tmp_path / "clone", key_ring, files)
    assert clone.reconcile().exit_code == 0
    clone.clock.forward(days=31)
    cross = CROSS | {"validity": "10d", "renewBefore": "1d"}
    clone.save(
        {
            "ca/other.yaml": authority("other"),
            **old_root(cross, validity="30d"),
        }
    )
    report = clone.reconcile()
    assert report.exit_code == 1
    assert "issuer.validity" in {finding.rule for finding in report.findings}
    assert not any("cross" in path for path in clone.paths("issued"))
    assert own_certificate(clone, "other").subject


def test_a_revoked_cross_certificate_is_not_made_again_and_its_path_is_refused(
    crossed: Clone,
) -> None:
    serial = f"{cross_certificate(crossed).serial_number:x}"
    document = revocation("cessationOfOperation", serial=serial, ca="root")
    crossed.save({"requests/elsewhere.yaml": document})
    report = crossed.reconcile()
    assert [item.rule for item in report.findings if item.is_error] == ["revocation.authority"]
    crossed.save({"requests/elsewhere.yaml": None, "requests/ca/cross.yaml": document})
    assert crossed.reconcile().exit_code == 0
    assert set(crossed.revoked("root")) == {serial}
    crossed.clock.forward(hours=1)
    assert "certificate revoked" in openssl_path(crossed, "root", ISSUING, CROSS_FILE)
    assert "leaf: OK" in openssl_path(crossed, "other", ISSUING)
    check_idle(crossed)
    crossed.clock.forward(days=700)
    crossed.reconcile()
    assert f"{cross_certificate(crossed).serial_number:x}" == serial


def test_the_subject_is_renewed_and_its_cross_certificate_stays(crossed: Clone) -> None:
    before, own = cross_certificate(crossed), own_certificate(crossed, "other")
    crossed.save({"ca/other.yaml": authority("other", renewBefore="3640d")})
    crossed.clock.forward(days=20)
    assert ("renew-ca", "other") in [(a.action, a.ca) for a in crossed.plan().actions]
    assert crossed.reconcile().exit_code == 0
    assert own_certificate(crossed, "other") != own
    assert cross_certificate(crossed) == before
    crossed.clock.forward(hours=1)
    assert "leaf: OK" in openssl_path(crossed, "root", ISSUING, CROSS_FILE)
    assert "leaf: OK" in openssl_path(crossed, "other", ISSUING)
    check_idle(crossed)


def test_a_cross_certificate_is_made_anew_in_time_and_the_old_one_stays_in_the_ledger(
    crossed: Clone,
) -> None:
    before = cross_certificate(crossed)
    crossed.clock.forward(days=2 * 365 - 20)
    assert crossed.reconcile().exit_code == 0
    record = crossed.state.authority("other").crosses["root"]
    renewed = x509.load_der_x509_certificate(certificate_der(record))
    assert renewed == cross_certificate(crossed)
    assert renewed.not_valid_after_utc > before.not_valid_after_utc
    check_idle(crossed)


def test_an_entry_that_is_removed_leaves_the_certificate_and_makes_no_other(
    crossed: Clone,
) -> None:
    before = cross_certificate(crossed)
    crossed.save(old_root())
    crossed.clock.forward(days=2 * 365 - 20)
    assert crossed.reconcile().exit_code == 0
    assert cross_certificate(crossed) == before
    check_idle(crossed)


def test_a_cross_certificate_that_is_not_listed_any_more_is_abandoned(crossed: Clone) -> None:
    before = cross_certificate(crossed)
    crossed.clock.forward(days=2 * 365 - 20)
    crossed.reconcile(opener=crossed.keys.but(root=None))
    assert crossed.state.authority("other").pending_crosses
    crossed.save(old_root())
    crossed.clock.forward(hours=1)
    report = crossed.reconcile()
    assert len(report.abandoned) >= 1
    assert cross_certificate(crossed) == before
    crossed.clock.forward(hours=1)
    check_idle(crossed)


@pytest.mark.parametrize("state", ["crl-only", "retired"])
def test_a_ca_that_issues_no_more_certifies_nobody_anew(crossed: Clone, state: str) -> None:
    before = cross_certificate(crossed)
    crossed.save(old_root(CROSS, state=state))
    crossed.clock.forward(days=2 * 365 - 20)
    assert "cross-certify" not in kinds(crossed.plan().actions)
    crossed.reconcile()
    assert cross_certificate(crossed) == before
    crossed.clock.forward(hours=1)
    check_idle(crossed)


@pytest.mark.parametrize("path", [CROSS_FILE, "issued/other/ca.pem"])
@pytest.mark.parametrize("deed", ["edited", "removed", "exchanged"])
def test_verify_finds_a_cross_certificate_that_was_tampered_with(
    crossed: Clone, path: str, deed: str
) -> None:
    other = "issued/other/ca.pem" if path == CROSS_FILE else CROSS_FILE
    pem = crossed.read(path)
    content = {
        "edited": pem[:-40] + bytes([pem[-40] ^ 1]) + pem[-39:],
        "removed": None,
        "exchanged": crossed.read(other),
    }
    crossed.save({path: content[deed]})
    report = crossed.verify()
    assert report.exit_code == 5
    assert {item.place for item in report.contradictions} == {path}


def test_verify_finds_a_cross_certificate_that_the_ledger_does_not_know(crossed: Clone) -> None:
    path = "issued/issuing/cross-certificates/root.pem"
    crossed.save({path: crossed.read(CROSS_FILE)})
    assert {item.place for item in crossed.verify().contradictions} == {path}
