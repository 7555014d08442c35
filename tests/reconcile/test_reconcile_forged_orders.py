"""Orders that somebody who may push wrote by hand: none is signed, and verify names each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization

from ca_documents import authority, policy, private_key, request
from ca_fixtures import both_layouts
from ca_forger import Forger, blob, forger_of, honest_order
from ca_signers import Watched, failing_after
from ca_world import Clone, git
from gitca.documents.load import load_governing
from gitca.errors import ContradictionError
from gitca.ledger.draft import crl_tbs
from gitca.ledger.events import (
    CrlParticulars,
    DocumentReference,
    Ordered,
)
from gitca.ledger.image import order_path, standing_certificate
from gitca.plan.issuers import authority_template
from gitca.x509.template import CertificateTemplate, GeneralName

NAME = "api.example.internal"
API = "requests/payments/api.yaml"
YEAR = timedelta(days=365)


@pytest.fixture
def forger(made: Clone) -> Forger:
    return forger_of(made)


def refused(clone: Clone, words: str) -> None:
    """Reconcile refuses with the words, signs nothing and changes nothing; verify sees it too."""
    before = clone.tip
    signers = {
        name: Watched(clone.keys.named(name), lambda _: None) for name in ("root", "issuing")
    }
    with pytest.raises(ContradictionError, match=words) as refusal:
        clone.reconcile(take_over=True, opener=clone.keys.but(**signers))
    assert refusal.value.exit_code == 5
    assert [signer.signed for signer in signers.values()] == [[], []]
    assert clone.tip == before
    assert clone.verify().exit_code == 5


@both_layouts
def test_the_honest_order_written_by_hand_is_signed(forger: Forger) -> None:
    """So that the others are refused for what they change, and for nothing else."""
    forger.push(*forger.certificate())
    assert forger.clone.reconcile(take_over=True).exit_code == 0
    assert forger.clone.openssl_verify("payments/api") == "OK"
    assert forger.clone.verify().contradictions == []


FORGERIES: dict[str, tuple[str, Callable[[Forger], tuple[Ordered, bytes]]]] = {
    "another name": (
        "ask for another certificate",
        lambda forger: forger.certificate(
            template=replace(forger.template, sans=(GeneralName("dns", "evil.example.com"),))
        ),
    ),
    "a CA's powers": (
        "ask for another certificate",
        lambda forger: forger.certificate(
            template=replace(forger.template, key_usage=("keyCertSign", "digitalSignature"))
        ),
    ),
    "a longer validity": (
        "its dates are not those",
        lambda forger: forger.certificate(
            particulars={"not_after": forger.given.not_after + timedelta(seconds=1)}
        ),
    ),
    "an earlier beginning": (
        "its dates are not those",
        lambda forger: forger.certificate(
            particulars={"not_before": forger.given.not_before - timedelta(minutes=1)}
        ),
    ),
    "the root instead of the issuing CA": (
        "its policy issues from CA issuing",
        lambda forger: forger.certificate(ca="root"),
    ),
    "another request's place": (
        "is no sound request",
        lambda forger: forger.certificate(particulars={"request": "payments/other"}),
    ),
    "another algorithm": (
        "its CA signs with ecdsa-sha256",
        lambda forger: forger.certificate(algorithm="ecdsa-sha384"),
    ),
    "another run's moment": (
        "its dates are not those",
        lambda forger: forger.certificate(lease=forger.honest.lease - timedelta(minutes=1)),
    ),
    "a policy that is not the request's": (
        "another file at commit|other documents",
        lambda forger: forger.certificate(
            documents=replace(
                forger.honest.documents, policy=blob(forger.clone, "ca/root.yaml")
            )
        ),
    ),
    "the document of another CA": (
        "names other documents",
        lambda forger: forger.certificate(
            documents=replace(forger.honest.documents, ca=blob(forger.clone, "ca/root.yaml"))
        ),
    ),
    "an older policy": (
        "was another file at commit",
        lambda forger: forger.certificate(
            documents=replace(
                forger.honest.documents,
                policy=DocumentReference("policies/server.yaml", "0" * 40),
            )
        ),
    ),
    "a source commit that there is not": (
        "not in the history of the documents' branch",
        lambda forger: forger.certificate(source="0" * 40),
    ),
}  # fmt: skip


@pytest.mark.parametrize("forgery", FORGERIES)
def test_an_order_that_its_documents_do_not_give_is_not_signed(
    forger: Forger, forgery: str
) -> None:
    words, forge = FORGERIES[forgery]
    forger.push(*forge(forger))
    refused(forger.clone, words)


def test_bytes_that_are_not_those_of_the_order_are_not_signed(forger: Forger) -> None:
    """The particulars are honest, and the digest is that of other bytes."""
    _, tbs = forger.certificate(
        template=replace(forger.template, sans=(GeneralName("dns", "evil.example.com"),))
    )
    forger.push(forger.order(tbs, forger.given), tbs)
    refused(forger.clone, "holds other bytes than its documents give")


@both_layouts
def test_an_order_from_a_commit_that_nobody_reviewed_is_not_signed(forger: Forger) -> None:
    """A side branch that this clone has: its policy lets anything through."""
    clone = forger.clone
    git(clone.folder, "switch", "-q", "-c", "mine")
    anything = policy(sans={"dns": {"allow": ["**"]}}, subject={"commonName": {"allow": ["**"]}})
    evil = request("api", "evil.example.com")
    for path, text in {"policies/server.yaml": anything, API: evil}.items():
        (clone.folder / path).write_text(text)
    git(clone.folder, "commit", "-q", "-a", "-m", "mine")
    source = git(clone.folder, "rev-parse", "HEAD")
    sources = {
        "request": blob(clone, API),
        "csr": blob(clone, API),
        "policy": blob(clone, "policies/server.yaml"),
    }
    git(clone.folder, "switch", "-q", "main")
    template = replace(
        forger.template,
        subject=(replace(forger.template.subject[0], value="evil.example.com"),),
        sans=(GeneralName("dns", "evil.example.com"),),
    )
    forger.push(
        *forger.certificate(
            template=template, source=source, documents=replace(forger.honest.documents, **sources)
        )
    )
    refused(clone, "not in the history of the documents' branch")


def test_an_order_that_the_policy_of_its_source_denies_is_not_signed(made: Clone) -> None:
    made.save({API: request("api", NAME)})
    honest = honest_order(made)
    made.save({API: request("api", NAME, "vault.example.internal")})
    made.clock.forward(minutes=11)
    der = (
        private_key("api")
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    with made.store() as store:
        governing = load_governing(store.at(made.tip, made.tip).entries, store.read)
    names = (GeneralName("dns", NAME), GeneralName("dns", "vault.example.internal"))
    leaf = CertificateTemplate(
        subject=(replace(authority_template(
            governing.authorities["root"], governing.authorities["root"], der, der
        ).subject[0], value=NAME),),
        spki_der=der,
        sans=names,
        key_usage=("digitalSignature",),
        extended_key_usage=("1.3.6.1.5.5.7.3.1",),
        crl_urls=governing.authorities["issuing"].spec.crl.urls,
    )  # fmt: skip
    forger = Forger(made, honest, leaf)
    documents = replace(honest.documents, request=blob(made, API), csr=blob(made, API))
    forger.push(*forger.certificate(source=made.tip, documents=documents))
    refused(made, r"its documents deny it: .*sans\.dns\.deny")


def test_a_ca_that_its_document_may_not_be_is_not_made(made: Clone) -> None:
    """An honest order for a CA, whose parent would never let it live so long."""
    made.save({"ca/other.yaml": authority("other", "root")})
    honest = honest_order(made)
    made.save({"ca/other.yaml": authority("other", "root", validity="11y")})
    made.clock.forward(minutes=11)
    spki, root = made.keys.named("other").public_key(), made.keys.named("root").public_key()
    with made.store() as store:
        authorities = load_governing(store.at(made.tip, made.tip).entries, store.read).authorities
    forger = Forger(
        made, honest, authority_template(authorities["other"], authorities["root"], spki, root)
    )
    forger.push(
        *forger.certificate(
            ca="root",
            source=made.tip,
            documents=replace(honest.documents, ca=blob(made, "ca/other.yaml")),
        )
    )
    before = made.tip
    with pytest.raises(ContradictionError, match="its documents deny it"):
        made.reconcile(take_over=True)
    assert made.tip == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"next_update": YEAR}, "its dates are not those that the CA's document gives"),
        ({"this_update": -timedelta(hours=1)}, "its dates are not those"),
    ],
    ids=["lives a year", "begins an hour ago"],
)
def test_a_crl_with_dates_of_somebodys_own_is_not_signed(
    made: Clone, change: dict[str, timedelta], words: str
) -> None:
    """Relying parties would not ask for a newer one for a year."""
    made.clock.forward(days=4)
    copy = made.copy(made.folder.parent / "copy")
    dead = {name: failing_after(made.keys.named(name), 0) for name in ("root", "issuing")}
    assert copy.reconcile(opener=made.keys.but(**dead)).exit_code == 4
    honest = next(
        record.ordered for record in copy.state.pending.values() if record.ordered.ca == "issuing"
    )
    given = honest.particulars
    assert isinstance(given, CrlParticulars)
    moved = {field: getattr(given, field) + by for field, by in change.items()}
    forged = replace(given, **moved)
    record = made.state.authority("issuing").certificate
    assert record is not None
    tbs = crl_tbs(standing_certificate(record), forged, (), signature_algorithm="ecdsa-sha256")
    forger = Forger(made, honest, CertificateTemplate((), b""))
    forger.push(forger.order(tbs, forged), None)
    refused(made, words)


def test_a_crl_whose_digest_is_not_the_ledgers_is_not_signed(made: Clone) -> None:
    made.clock.forward(days=4)
    record = made.state.authority("issuing").crl
    assert record is not None
    honest = record.ordered
    given = replace(
        record.crl, number=2, this_update=made.clock.now, next_update=made.clock.now + YEAR
    )
    forger = Forger(made, honest, CertificateTemplate((), b""))
    forger.push(forger.order(b"anything", given), None)
    refused(made, "is for bytes with the digest")


def test_ordered_bytes_that_were_changed_are_not_signed(forger: Forger) -> None:
    ordered, tbs = forger.certificate()
    forger.push(ordered, tbs)
    forger.clone.save({order_path(ordered.order): tbs[:-1] + bytes([tbs[-1] ^ 1])})
    refused(forger.clone, f"{order_path(ordered.order)} holds others")


def test_ordered_bytes_that_are_gone_are_not_made_up(forger: Forger) -> None:
    ordered, tbs = forger.certificate()
    forger.push(ordered, tbs)
    forger.clone.save({order_path(ordered.order): None})
    refused(forger.clone, f"{order_path(ordered.order)} is missing")


def test_bytes_without_an_order_are_not_signed(made: Clone) -> None:
    made.save({order_path("0" * 32): b"anything"})
    refused(made, "0.der is not what the ledger gives")
