"""Templated URLs, from documents to certificates; openssl reads what the certificates say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ca_documents import CRL, authority, document, policy, request
from ca_signers import failing_after
from ca_world import Clone, KeyRing
from judges.openssl import certificate_text
from judges.process import must

API = {"requests/api.yaml": request("api", "api.example.internal")}
BASE = "http://pki.example.internal"
DEFAULTS = {
    "crl": [f"{BASE}/{{ca.name}}-{{ca.keyIdentifier}}.crl"],
    "caIssuers": [f"{BASE}/{{ca.name}}.cer", f"{BASE}/{{ca.keyIdentifier}}.cer"],
}


def repository(**spec: object) -> str:
    return document("Repository", {"urls": DEFAULTS} | spec)


UNSAID = {
    "ca/repository.yaml": repository(),
    "ca/root.yaml": authority("root", crl=None),
    "ca/issuing.yaml": authority("issuing", "root", crl=None),
    "policies/server.yaml": policy(),
}


def text_of(clone: Clone, path: str) -> str:
    """What openssl says of the first certificate of a file."""
    return certificate_text(must("openssl", "x509", "-outform", "DER", stdin=clone.read(path)))


def urls(text: str) -> tuple[list[str], list[str]]:
    """The CRL and CA-certificate URLs in openssl's text of a certificate."""
    points = text.partition("CRL Distribution Points")[2].partition("Authority Information")[0]
    return re.findall(r"URI:(\S+)", points), re.findall(r"CA Issuers - URI:(\S+)", text)


def key_identifier(clone: Clone, ca: str) -> str:
    """A CA's subject key identifier as openssl reads it, in lower-case hexadecimal."""
    words = text_of(clone, f"issued/{ca}/ca.pem").partition("Subject Key Identifier:")[2]
    return words.split()[0].replace(":", "").lower()


def defaults_of(clone: Clone, ca: str) -> tuple[list[str], list[str]]:
    key = key_identifier(clone, ca)
    return [f"{BASE}/{ca}-{key}.crl"], [f"{BASE}/{ca}.cer", f"{BASE}/{key}.cer"]


@pytest.fixture(scope="module")
def unsaid_once(tmp_path_factory: pytest.TempPathFactory, key_ring: KeyRing) -> Clone:
    """A certificate below two CAs whose URLs the repository's document gives."""
    folder = tmp_path_factory.mktemp("urls") / "clone"
    clone = Clone.create(folder, key_ring, {**UNSAID, **API})
    assert clone.reconcile().exit_code == 0
    return clone


def test_certificates_carry_the_repositorys_urls_with_name_and_key_of_their_issuer(
    unsaid_once: Clone,
) -> None:
    leaf = text_of(unsaid_once, "issued/issuing/certificates/api.pem")
    issuing = text_of(unsaid_once, "issued/issuing/ca.pem")
    root = text_of(unsaid_once, "issued/root/ca.pem")
    assert urls(leaf) == defaults_of(unsaid_once, "issuing")
    assert urls(issuing) == defaults_of(unsaid_once, "root")
    assert urls(root) == ([], [])
    assert re.fullmatch(r"[0-9a-f]{40}", key_identifier(unsaid_once, "issuing"))
    assert "{" not in leaf + issuing


def test_the_repository_is_proved_and_nothing_is_left_to_do(unsaid_once: Clone) -> None:
    assert unsaid_once.plan().actions == ()
    assert unsaid_once.openssl_verify("api") == "OK"
    report = unsaid_once.verify()
    assert (report.contradictions, report.unchecked) == ([], [])


def test_a_plan_before_the_key_is_known_has_the_digest_that_it_has_after_the_merge(
    tmp_path: Path, key_ring: KeyRing
) -> None:
    clone = Clone.create(tmp_path / "clone", key_ring, {**UNSAID, **API})
    head = clone.tip
    proposed = clone.plan(head)
    assert "issue" in [action.action for action in proposed.actions]
    assert clone.plan(clone.save({"README": "merged"})).digest == proposed.digest


def test_a_cas_own_urls_come_first_and_an_empty_list_is_none(
    tmp_path: Path, key_ring: KeyRing
) -> None:
    own = authority(
        "issuing",
        "root",
        crl=CRL | {"urls": [f"{BASE}/own/{{ca.keyIdentifier}}"]},
        caIssuersUrls=[],
    )
    clone = Clone.create(tmp_path / "clone", key_ring, {**UNSAID, **API, "ca/issuing.yaml": own})
    assert clone.reconcile().exit_code == 0
    leaf = text_of(clone, "issued/issuing/certificates/api.pem")
    assert urls(leaf) == ([f"{BASE}/own/{key_identifier(clone, 'issuing')}"], [])
    assert "Authority Information Access" not in leaf


def test_new_defaults_apply_to_what_is_issued_next_and_what_was_issued_stays_proved(
    tmp_path: Path, unsaid_once: Clone
) -> None:
    clone = unsaid_once.copy(tmp_path / "clone")
    clone.save({"ca/repository.yaml": repository(urls={"crl": [f"{BASE}/new/{{ca.name}}.crl"]})})
    assert clone.plan().actions == ()
    clone.save({"requests/web.yaml": request("web", "web.example.internal")})
    assert clone.reconcile().exit_code == 0
    web = text_of(clone, "issued/issuing/certificates/web.pem")
    assert urls(web) == ([f"{BASE}/new/issuing.crl"], [])
    assert urls(text_of(clone, "issued/issuing/certificates/api.pem"))[1] != []
    assert clone.verify().contradictions == []


@pytest.mark.parametrize("changed", [False, True], ids=["as ordered", "other defaults since"])
def test_an_order_left_behind_is_signed_with_the_urls_it_was_recorded_with_or_given_up(
    tmp_path: Path, unsaid_once: Clone, changed: bool
) -> None:
    """Its bytes are built again from the documents of its commit, the repository's among them."""
    clone = unsaid_once.copy(tmp_path / "clone")
    clone.save({"requests/web.yaml": request("web", "web.example.internal")})
    dead = failing_after(clone.keys.named("issuing"), 0)
    assert clone.reconcile(opener=clone.keys.but(issuing=dead)).exit_code == 4
    (left,) = clone.state.pending
    if changed:
        clone.save({"ca/repository.yaml": repository(urls={"crl": [f"{BASE}/{{ca.name}}/crl"]})})
    assert clone.reconcile(take_over=True).exit_code == 0
    assert (clone.state.orders[left].abandoned is not None) == changed
    web = text_of(clone, "issued/issuing/certificates/web.pem")
    wanted = ([f"{BASE}/issuing/crl"], []) if changed else defaults_of(clone, "issuing")
    assert urls(web) == wanted
    assert clone.verify().contradictions == []


def test_an_order_for_a_ca_left_behind_is_built_again_with_its_issuers_urls(
    tmp_path: Path, key_ring: KeyRing
) -> None:
    clone = Clone.create(tmp_path / "clone", key_ring, UNSAID)
    # The root's certificate is signed, and then the order of the CA below it is not.
    dying = failing_after(clone.keys.named("root"), 1)
    assert clone.reconcile(opener=clone.keys.but(root=dying)).exit_code == 4
    left = clone.state.authority("issuing").pending_certificate
    assert left is not None
    assert clone.reconcile(take_over=True).exit_code == 0
    assert clone.state.orders[left.ordered.order].signed is not None
    assert urls(text_of(clone, "issued/issuing/ca.pem")) == defaults_of(clone, "root")
    assert clone.verify().contradictions == []


def test_a_ca_with_a_new_key_has_a_new_url(tmp_path: Path, unsaid_once: Clone) -> None:
    """The same name of the file would serve two CRLs, of two keys, at one address."""
    clone = unsaid_once.copy(tmp_path / "clone")
    clone.save(
        {
            "ca/other.yaml": authority("other", "root", crl=None),
            "policies/server.yaml": policy(issuer="other"),
        }
    )
    assert clone.reconcile().exit_code == 0
    leaf = text_of(clone, "issued/other/certificates/api.pem")
    assert urls(leaf) == defaults_of(clone, "other")
    assert key_identifier(clone, "other") != key_identifier(clone, "issuing")


def test_what_a_name_of_a_ca_may_have_stands_in_its_url_as_it_is(
    tmp_path: Path, key_ring: KeyRing
) -> None:
    files = {
        **UNSAID,
        "ca/Issuing_2027.Q1.yaml": authority("issuing", "root", crl=None),
        "policies/server.yaml": policy(issuer="Issuing_2027.Q1"),
        **API,
    }
    del files["ca/issuing.yaml"]
    clone = Clone.create(tmp_path / "clone", key_ring, files)
    assert clone.reconcile().exit_code == 0
    leaf = text_of(clone, "issued/Issuing_2027.Q1/certificates/api.pem")
    assert urls(leaf) == defaults_of(clone, "Issuing_2027.Q1")
