"""What is published of hierarchies: cross-certificates, external CAs, renewed and retired ones."""

from __future__ import annotations

import pytest

from ca_documents import authority, request
from ca_world import Clone
from cross_world import CROSS, crossed, crossed_once, old_root
from external_parent import ExternalWorld
from judges.process import must
from publish_world import FOLDER, files, published, reconciled, repository

__all__ = ["crossed", "crossed_once"]


@pytest.fixture
def both_roots(crossed: Clone) -> Clone:
    crossed.save(repository(FOLDER))
    assert reconciled(crossed).exit_code == 0
    return crossed


def certificates_in(content: bytes, *, form: str = "PEM") -> int:
    """How many certificates openssl finds in a PKCS #7 object or a PEM file."""
    if form == "PEM":
        content = must("openssl", "crl2pkcs7", "-nocrl", "-certfile", "/dev/stdin", stdin=content)
    words = must(
        *("openssl", "pkcs7", "-inform", form, "-print_certs", "-noout"), stdin=content
    ).decode()
    return words.count("subject=")


def test_who_trusts_the_old_root_alone_gets_to_a_leaf_below_the_new_one(both_roots: Clone) -> None:
    """With the PKCS #7 object that AIA may name: it has the cross-certificate alone.

    Beside the new root's own certificate, openssl takes that one and ends there.
    """
    there, folder = files(both_roots), both_roots.folder.parent
    assert certificates_in(there["other.p7c"], form="DER") == 1
    assert certificates_in(there["root.p7c"], form="DER") == 1
    crosses = must(
        *("openssl", "pkcs7", "-inform", "DER", "-print_certs"), stdin=there["other.p7c"]
    )
    (folder / "crosses").write_bytes(crosses)
    for name, path in {
        "anchor": "root.pem",
        "chain": "issuing.chain.pem",
        "leaf": "certificates/issuing/api.pem",
    }.items():
        (folder / name).write_bytes(there[path])
    must(
        *("openssl", "verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-CAfile", "anchor"),
        *("-attime", str(int(both_roots.clock.now.timestamp()))),
        *("-untrusted", "chain", "-untrusted", "crosses", "leaf"),
        cwd=folder,
    )


def test_both_roots_are_in_the_bundle_until_one_is_retired(both_roots: Clone) -> None:
    assert certificates_in(files(both_roots)["bundles/roots.pem"]) == 2
    both_roots.save(old_root(CROSS, state="crl-only"))
    assert reconciled(both_roots).exit_code in (0, 1)
    assert certificates_in(files(both_roots)["bundles/roots.pem"]) == 2
    both_roots.save(old_root(state="retired"))
    assert reconciled(both_roots).exit_code in (0, 1)
    assert certificates_in(files(both_roots)["bundles/roots.pem"]) == 1


def test_an_external_cas_chain_is_published_without_its_root(world: ExternalWorld) -> None:
    clone = world.clone
    clone.save(repository(FOLDER))
    report = reconciled(clone)
    assert report.exit_code == 0
    assert files(clone).keys() == {"bundles/roots.pem", "manifest.json"}, "no certificate yet"
    certificate = world.middle.sign(world.csr)
    world.answer(world.root.certificate + certificate + world.middle.certificate)
    clone.save({"requests/api.yaml": request("api", "api.example.internal")})
    assert reconciled(clone).exit_code == 0
    there = files(clone)
    assert there["issuing.chain.pem"] == clone.read("issued/issuing/chain.pem")
    assert certificates_in(there["issuing.chain.pem"]) == 2
    assert there["bundles/roots.pem"] == b"", "whose root that is, is not this repository's to say"
    assert certificates_in(there["certificates/issuing/api.pem"]) == 3


def test_a_ca_that_is_renewed_replaces_its_certificate_and_its_chain(made: Clone) -> None:
    made.save(
        repository(FOLDER) | {"ca/issuing.yaml": authority("issuing", "root", renewBefore="4y")}
    )
    assert reconciled(made).exit_code == 0
    old = files(made)
    made.clock.forward(days=400)
    assert reconciled(made).exit_code == 0
    new = files(made)
    changed = {path for path in new if path.startswith("issuing") and old.get(path) != new[path]}
    assert {"issuing.cer", "issuing.pem", "issuing.p7c", "issuing.chain.pem"} <= changed
    assert new["issuing.pem"] == made.read("issued/issuing/ca.pem")


def test_the_last_crl_of_a_retired_ca_stays_and_is_no_finding(made: Clone) -> None:
    made.save(repository(FOLDER, reconcileEvery="1d"))
    made.save({"ca/issuing.yaml": authority("issuing", "root", state="retired")})
    assert reconciled(made).exit_code in (0, 1)
    there = files(made)["issuing.crl"]
    made.clock.forward(days=300)
    result = published(made)
    assert [finding.rule for finding in result.findings if "issuing" in finding.message] == []
    assert files(made)["issuing.crl"] == there
