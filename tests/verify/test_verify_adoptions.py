"""Adopted certificates: whoever forges one in the ledger is found by what the repository says."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from verify_material import found, places

from ca_documents import request
from ca_forger import blob, push_events, rewrite_ledger
from ca_world import Clone, git
from external_parent import ANSWER, ExternalParent, ExternalWorld, given
from gitca.errors import ContradictionError
from gitca.ledger.events import Adopted, CsrParticulars, Event, Ordered, Signed
from gitca.ledger.image import image_of_adoption
from gitca.ledger.segment import render_segment
from judges.chain import from_pem, to_pem


@dataclass(frozen=True)
class Adoption:
    """A repository with an adopted certificate, the external CA, and the event."""

    world: ExternalWorld
    event: Adopted

    @property
    def clone(self) -> Clone:
        return self.world.clone

    def forge(self, **changes: object) -> list[str]:
        """Put other values into the event, and its files into issued/; return what is said."""

        def change(event: Event) -> list[Event]:
            return [replace(event, **changes)] if isinstance(event, Adopted) else [event]

        rewrite_ledger(self.clone, change)
        return self.said()

    def said(self) -> list[str]:
        return [item.message for item in self.clone.verify().contradictions]

    def signed(self, **options: object) -> str:
        """Return a certificate of the external CA's, as the ledger holds it."""
        (der,) = from_pem(self.world.root.sign(self.world.csr, **options))
        return base64.b64encode(der).decode()


@pytest.fixture(scope="session")
def adopted_once(tmp_path_factory: pytest.TempPathFactory, waiting_once: ExternalWorld) -> Adoption:
    clone = waiting_once.clone.copy(tmp_path_factory.mktemp("adopted") / "clone")
    world = replace(waiting_once, clone=clone)
    world.answer(world.good(), **{"requests/web.yaml": request("web", "web.example.internal")})
    assert clone.reconcile().exit_code == 0
    event = clone.state.authority("issuing").adopted
    assert event is not None
    return Adoption(world, event)


@pytest.fixture
def adopted(tmp_path: Path, adopted_once: Adoption) -> Adoption:
    clone = adopted_once.clone.copy(tmp_path / "clone")
    return replace(adopted_once, world=replace(adopted_once.world, clone=clone))


def test_an_honest_adoption_is_judged_again(adopted: Adoption) -> None:
    report = adopted.clone.verify()
    assert report.contradictions == []
    assert report.checked["adopted certificates"] == 1
    assert report.checked["CSRs"] == 1


FORGED: dict[str, tuple[Callable[[Adoption], dict[str, object]], str]] = {
    "another fingerprint": (
        lambda _: {"fingerprint": "sha256:" + "0" * 64},
        "the certificate given to CA issuing has another fingerprint",
    ),
    "a date before the certificate": (
        lambda item: {"date": item.event.date - timedelta(days=30)},
        "its documents deny it: ca/issuing.pem:1:1: “Example issuing CA, Example” is valid from",
    ),
    "a source of nobody's": (
        lambda _: {"source": "0" * 40},
        "is not in the history of the documents",
    ),
    "a source before the answer": (
        lambda item: {"source": _parent(item)},
        "ca/issuing.pem was another file at commit",
    ),
    "another blob of the document": (
        lambda item: {"document": replace(item.event.document, blob="0" * 40)},
        "ca/issuing.yaml was another file at commit",
    ),
    "another file": (
        lambda item: {"file": blob(item.clone, "policies/server.yaml")},
        "its documents have no external CA of this name with a certificate",
    ),
    "less of the chain": (lambda _: {"chain": ()}, "ca/issuing.pem holds other certificates"),
    "a chain of another root": (
        lambda item: {"chain": (_other_root(item),)},
        "is no part of the path",
    ),
}


def _parent(item: Adoption) -> str:
    return git(item.clone.folder, "rev-parse", f"{item.event.source}^")


def _other_root(item: Adoption) -> str:
    other = ExternalParent.root(item.clone.folder.parent / "other", "Other Root")
    return base64.b64encode(from_pem(other.certificate)[0]).decode()


@pytest.mark.parametrize("name", FORGED)
def test_an_event_that_says_something_else_is_found(adopted: Adoption, name: str) -> None:
    make, words = FORGED[name]
    said = adopted.forge(**make(adopted))
    assert any(words in message for message in said), said


def forged(item: Adoption, certificate: str) -> Adopted:
    """Return the event of another certificate, with the files that it gives in the branch."""
    digest = hashlib.sha256(base64.b64decode(certificate)).hexdigest()
    return replace(item.event, certificate=certificate, fingerprint=f"sha256:{digest}")


@pytest.mark.parametrize(
    "extensions",
    [given(), given(basicConstraints="critical,CA:TRUE"), given(keyUsage=None)],
    ids=["good", "wider", "unusable"],
)
def test_a_certificate_that_no_document_holds_is_found(
    adopted: Adoption, extensions: tuple[str, ...]
) -> None:
    event = forged(adopted, adopted.signed(extensions=extensions))
    files = {path: data for path, data in image_of_adoption(event).items() if data is not None}
    push_events(adopted.clone, event, files=files)
    assert "ca/issuing.pem holds other certificates" in adopted.said()


def test_a_certificate_on_another_key_ends_the_replay(adopted: Adoption) -> None:
    own = (adopted.world.root.folder / "own.csr").read_bytes()
    (der,) = from_pem(adopted.world.root.sign(own))
    event = forged(adopted, base64.b64encode(der).decode())
    path, data = _segment(adopted.clone, event)
    adopted.clone.save({path: data})
    assert any("on a key that is not its own" in message for message in adopted.said())


def _segment(clone: Clone, event: Event) -> tuple[str, bytes]:
    return render_segment(clone.state.head, [event])


def test_an_answer_that_a_person_refused_is_found_when_a_forger_adopts_it(
    adopted: Adoption,
) -> None:
    bad = adopted.signed(extensions=given(extendedKeyUsage="serverAuth"))
    adopted.clone.save({ANSWER: to_pem(base64.b64decode(bad)) + adopted.world.root.chain})
    event = replace(
        forged(adopted, bad), source=adopted.clone.tip, file=blob(adopted.clone, ANSWER)
    )
    files = {path: data for path, data in image_of_adoption(event).items() if data is not None}
    push_events(adopted.clone, event, files=files)
    said = adopted.said()
    assert any("its documents deny it: ca/issuing.pem" in message for message in said), said


@pytest.mark.parametrize("path", ["issued/issuing/ca.csr", "issued/issuing/chain.pem"])
def test_a_file_of_the_ca_that_was_changed_is_found(adopted: Adoption, path: str) -> None:
    adopted.clone.save({path: adopted.clone.read(path) + b"\n"})
    assert places(found(adopted.clone)) == {path}


def test_a_csr_with_another_signature_is_found(adopted: Adoption) -> None:
    def change(event: Event) -> list[Event]:
        if isinstance(event, Signed) and event.csr is not None:
            der = bytearray(base64.b64decode(event.csr))
            der[-1] ^= 1
            return [replace(event, csr=base64.b64encode(bytes(der)).decode())]
        return [event]

    rewrite_ledger(adopted.clone, change)
    said = adopted.said()
    assert "the fingerprint is of another object" in said
    assert "the signature is not one of CA issuing's key" in said


def test_a_csr_that_its_documents_do_not_ask_for_is_found(adopted: Adoption) -> None:
    digest = "sha256:" + "1" * 64

    def change(event: Event) -> list[Event]:
        if isinstance(event, Ordered) and isinstance(event.particulars, CsrParticulars):
            return [replace(event, particulars=replace(event.particulars, template=digest))]
        return [event]

    rewrite_ledger(adopted.clone, change)
    assert any("its documents ask for another CSR" in message for message in adopted.said())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no certificate", "the chain of the certificate given to CA issuing is none"),
        ("another root", "is no part of the path"),
        ("the root twice", "is no part of the path"),
    ],
)
def test_an_adoption_with_an_odd_chain_is_refused_by_every_command(
    adopted: Adoption, name: str, words: str
) -> None:
    """It would be read when the next certificate's chain is written, after its signature."""
    root = adopted.event.chain[-1]
    chain = {
        "no certificate": ("AAAA",),
        "another root": (_other_root(adopted),),
        "the root twice": (root, root),
    }[name]
    push_events(adopted.clone, replace(adopted.event, chain=chain))
    adopted.clone.save({"requests/next.yaml": request("next", "next.example.internal")})
    with pytest.raises(ContradictionError, match=words) as refusal:
        adopted.clone.reconcile()
    assert refusal.value.exit_code == 5
    assert any(words in message for message in adopted.said())


def test_an_adoption_whose_chain_is_in_another_order_is_refused(
    tmp_path: Path, waiting_once: ExternalWorld
) -> None:
    clone = waiting_once.clone.copy(tmp_path / "clone")
    world = replace(waiting_once, clone=clone)
    own, middle, root = from_pem(world.middle.sign(world.csr) + world.middle.chain)
    text = [base64.b64encode(item).decode() for item in (own, root, middle)]
    document = blob(clone, "ca/issuing.yaml")
    event = Adopted(
        authority="issuing",
        fingerprint=f"sha256:{hashlib.sha256(own).hexdigest()}",
        certificate=text[0],
        chain=tuple(text[1:]),
        document=document,
        file=document,
        source=clone.tip,
        run="forged",
        date=clone.clock.now,
    )
    push_events(clone, event)
    with pytest.raises(ContradictionError, match="is not in the order in which"):
        clone.reconcile()
