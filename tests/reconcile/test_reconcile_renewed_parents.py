"""What awaits the key of a CA whose external certificate changes: CAs below it, crosses, a root."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from ca_documents import authority, policy, request
from ca_world import Clone, KeyRing, kinds
from external_parent import ANSWER, CSR, ISSUING, ExternalParent, given
from gitca.git.store import Branches
from judges.chain import from_pem
from judges.openssl import verify_crl
from judges.process import ask

OTHER_KEY_IDENTIFIER = "0102030405060708090a0b0c0d0e0f1011121314"
ROOM = "critical,CA:TRUE,pathlen:1"
ISSUES_CAS = {"pathLength": 1, "crl": {"lifetime": "400d", "refreshBefore": "30d"}}


@pytest.fixture
def parent(tmp_path: Path) -> ExternalParent:
    return ExternalParent.root(tmp_path / "parent")


def answer(clone: Clone, parent: ExternalParent, **extensions: str) -> None:
    """Let the external CA certify the CSR as of now, and put its answer beside the document."""
    begin = clone.clock.now
    certificate = parent.sign(
        clone.read(CSR), given(**extensions), begin=begin, end=begin + timedelta(days=1500)
    )
    clone.save({ANSWER: certificate + parent.chain})


def own(clone: Clone, ca: str) -> bytes:
    return from_pem(clone.read(f"issued/{ca}/ca.pem").decode())[0]


def above(clone: Clone, certificate: bytes, issuer: bytes, anchor: str) -> str:
    """Return openssl's verdict on a CA's certificate below another's, that an anchor signed."""
    folder = clone.folder.parent
    for name, text in (
        ("below.pem", x509.load_der_x509_certificate(certificate)),
        ("issuer.pem", x509.load_der_x509_certificate(issuer)),
    ):
        (folder / name).write_bytes(text.public_bytes(serialization.Encoding.PEM))
    (folder / "anchor.pem").write_text(anchor)
    return ask(
        *("openssl", "verify", "-x509_strict", "-no-CApath", "-no-CAstore"),
        *("-attime", str(int(clone.clock.now.timestamp()))),
        *("-CAfile", "anchor.pem", "-untrusted", "issuer.pem", "below.pem"),
        cwd=folder,
    ).words


def names(certificate: bytes, issuer: bytes) -> bool:
    """Whether a certificate names a CA's: its subject byte for byte, and its key identifier."""
    lower, upper = map(x509.load_der_x509_certificate, (certificate, issuer))
    aki = lower.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    ski = upper.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return lower.issuer == upper.subject and aki.key_identifier == ski.digest


def adopted(tmp_path: Path, key_ring: KeyRing, parent: ExternalParent, **more: str) -> Clone:
    """Make a repository whose issuing CA is certified by the external one and may sign CAs."""
    files = {ISSUING: authority("issuing", "external", **ISSUES_CAS), **more}
    clone = Clone.create(tmp_path / "clone", key_ring, files)
    clone.reconcile()
    answer(clone, parent, basicConstraints=ROOM)
    assert clone.reconcile().exit_code == 0
    clone.clock.forward(hours=1)
    return clone


def renew(clone: Clone, parent: ExternalParent) -> tuple[bytes, bytes]:
    """Take a certificate with another key identifier into use; return the former and it."""
    former = own(clone, "issuing")
    clone.clock.forward(minutes=1)
    answer(clone, parent, basicConstraints=ROOM, subjectKeyIdentifier=OTHER_KEY_IDENTIFIER)
    assert clone.reconcile(selected=()).exit_code == 0
    current = own(clone, "issuing")
    assert current != former
    assert clone.verify().contradictions == []
    return former, current


def test_a_renewal_below_that_waited_names_the_certificate_it_was_ordered_under(
    tmp_path: Path, key_ring: KeyRing, parent: ExternalParent
) -> None:
    clone = adopted(tmp_path, key_ring, parent, **below(renewBefore="300d"))
    made = own(clone, "other")
    clone.clock.forward(days=80)
    assert clone.reconcile(selected=("other",)).exit_code == 0
    (order,) = clone.state.pending
    assert clone.state.orders[order].ordered.particulars.authority == "other"
    former, current = renew(clone, parent)
    assert [item.order for item in clone.sign("issuing").signed] == [order]
    renewed = own(clone, "other")
    assert renewed != made
    assert (names(renewed, former), names(renewed, current)) == (True, False)
    assert above(clone, renewed, former, parent.certificate) == "below.pem: OK"
    chain = from_pem(clone.read("issued/other/chain.pem").decode())
    assert chain == (renewed, former)
    assert clone.verify().contradictions == []


def test_a_cross_certificate_that_waited_names_the_certificate_it_was_ordered_under(
    tmp_path: Path, key_ring: KeyRing, parent: ExternalParent
) -> None:
    clone = adopted(tmp_path, key_ring, parent, **{"ca/root.yaml": authority("root", pathLength=0)})
    listed = [{"subject": "root", "validity": "1y"}]
    clone.save({ISSUING: authority("issuing", "external", **ISSUES_CAS, crossCertificates=listed)})
    assert clone.reconcile(selected=()).exit_code == 0
    (order,) = clone.state.pending
    assert clone.state.orders[order].ordered.particulars.cross == "root"
    former, current = renew(clone, parent)
    assert [item.order for item in clone.sign("issuing").signed] == [order]
    (cross,) = from_pem(clone.read("issued/root/cross-certificates/issuing.pem").decode())
    assert (names(cross, former), names(cross, current)) == (True, False)
    assert above(clone, cross, former, parent.certificate) == "below.pem: OK"
    assert clone.verify().contradictions == []


def test_a_root_that_an_external_ca_certifies_by_now_signs_what_it_had_ordered_as_a_root(
    tmp_path: Path, key_ring: KeyRing, parent: ExternalParent, layout: Branches
) -> None:
    root, api = authority("issuing", "self", pathLength=0), request("api", "api.example.internal")
    files = {ISSUING: root, "policies/server.yaml": policy(), "requests/api.yaml": api}
    clone = Clone.create(tmp_path / "clone", key_ring, files, layout)
    assert clone.reconcile().exit_code == 0
    former = own(clone, "issuing")
    clone.save({ISSUING: authority("issuing", "external", pathLength=0)})
    assert clone.reconcile().exit_code == 1  # until it is adopted, the document says otherwise
    clone.clock.forward(days=4, hours=1)
    clone.reconcile(selected=())
    (order,) = clone.state.pending
    # openssl's key identifier is another than gitca's, on the same key.
    answer(clone, parent)
    assert clone.reconcile(selected=()).exit_code == 0
    current = own(clone, "issuing")
    assert clone.verify().contradictions == []
    assert [item.order for item in clone.sign("issuing").signed] == [order]
    crl = clone.crl()
    aki = crl.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    skis = [
        x509.load_der_x509_certificate(item)
        .extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        .value.digest
        for item in (former, current)
    ]
    assert aki.key_identifier == skis[0] != skis[1]
    assert verify_crl(clone.read("issued/issuing/crl.der"), former).words == "verify OK"
    assert clone.verify().contradictions == []
    clone.clock.forward(days=8)
    assert clone.reconcile().exit_code == 0
    aki = clone.crl().extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert aki.key_identifier == skis[1]
    assert clone.verify().contradictions == []


def below(**spec: object) -> dict[str, str]:
    return {"ca/other.yaml": authority("other", "issuing", validity="1y", **spec)}


def leaves(**spec: object) -> dict[str, str]:
    return {"policies/server.yaml": policy(issuer="other", **spec)}


def served(clone: Clone, name: str, anchor: str) -> str:
    """Return openssl's verdict on what the server of a request's certificate sends."""
    folder = clone.folder.parent
    (folder / "served.pem").write_bytes(clone.read(f"issued/other/certificates/{name}.pem"))
    (folder / "anchor.pem").write_text(anchor)
    return ask(
        *("openssl", "verify", "-x509_strict", "-no-CApath", "-no-CAstore"),
        *("-attime", str(int(clone.clock.now.timestamp()))),
        *("-CAfile", "anchor.pem", "-untrusted", "served.pem", "served.pem"),
        cwd=folder,
    ).words


def test_renewals_in_the_order_of_the_runbook_make_every_path_whole_again(
    tmp_path: Path, key_ring: KeyRing, parent: ExternalParent
) -> None:
    asked = {f"requests/{name}.yaml": request(name, f"{name}.example.internal") for name in "ab"}
    before = asked.pop("requests/a.yaml")
    more = below() | leaves() | {"requests/a.yaml": before}
    clone = adopted(tmp_path, key_ring, parent, **more)
    clone.clock.forward(days=2)
    renew(clone, parent)
    clone.save(asked)
    assert clone.reconcile().exit_code == 0
    assert served(clone, "a", parent.certificate) == "served.pem: OK"
    assert "unable to get local issuer" in served(clone, "b", parent.certificate)
    clone.save(below(renewBefore="364d"))
    assert kinds(clone.reconcile().plan.actions) == ["renew-ca"]
    clone.save(below())
    clone.clock.forward(days=2)
    clone.save(leaves(renewal={"automatic": True, "before": "29d"}))
    assert kinds(clone.reconcile().plan.actions).count("renew") == 2
    clone.save(leaves())
    assert clone.reconcile().exit_code == 0
    assert served(clone, "a", parent.certificate) == "served.pem: OK"
    assert served(clone, "b", parent.certificate) == "served.pem: OK"
    assert clone.verify().contradictions == []
