"""Whoever may push, and orders certificates for CAs that gitca would not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ca_forger import Forger, blob
from ca_signers import failing_after
from ca_world import Clone
from gitca.documents.load import Governing, load_governing
from gitca.ledger.events import CertificateParticulars, Ordered, SourceDocuments
from gitca.ledger.image import standing_certificate
from gitca.plan.crosses import judge_cross
from gitca.plan.issuers import authority_template
from gitca.x509.template import BasicConstraints, CertificateTemplate


@dataclass
class AuthorityForger(Forger):
    """Knows the honest order for a CA's renewal or cross-certificate, and varies it."""

    @classmethod
    def of_renewal(cls, clone: Clone) -> AuthorityForger:
        """Return a forger who knows the order for the issuing CA's renewal, which is due."""
        (honest,) = (item for item in honest_orders(clone) if _given(item).authority == "issuing")
        governing = governing_of(clone).authorities
        template = authority_template(
            governing["issuing"], governing["root"], spki_of(clone, "issuing"),
            spki_of(clone, "root"),
        )  # fmt: skip
        clone.clock.forward(minutes=11)
        return cls(clone, honest, template)

    @classmethod
    def of_cross(cls, clone: Clone, subject: str) -> AuthorityForger:
        """Return a forger who knows the order for the root's cross-certificate, which is due."""
        (honest,) = (item for item in honest_orders(clone) if _given(item).cross == subject)
        governing = governing_of(clone).authorities
        record = clone.state.authority("root").certificate
        assert record is not None
        cross = judge_cross(
            governing["root"], governing[subject], standing_certificate(record),
            spki_of(clone, subject), clone.clock.now,
        )  # fmt: skip
        clone.clock.forward(minutes=11)
        return cls(clone, honest, cross.template)

    def certificate(self, *, ca: str = "root", **changes: Any) -> tuple[Ordered, bytes]:
        """Return an order whose bytes say what it says."""
        return super().certificate(ca=ca, **changes)

    def documents(self, ca: str) -> SourceDocuments:
        """Return that an order comes from a CA's document as it is now."""
        return SourceDocuments(blob(self.clone, f"ca/{ca}.yaml"))

    def freer(self) -> CertificateTemplate:
        """Return the template of a CA that may have more below it, and under any name."""
        return replace(
            self.template, basic_constraints=BasicConstraints(None), name_constraints=None
        )

    def renamed(self) -> CertificateTemplate:
        """Return the template for another name."""
        first, *others = self.template.subject
        return replace(self.template, subject=(replace(first, value="Another CA"), *others))


def governing_of(clone: Clone) -> Governing:
    with clone.store() as store:
        return load_governing(store.at(clone.tip, clone.tip).entries, store.read)


def spki_of(clone: Clone, ca: str) -> bytes:
    """Return the key of a CA that has its certificate."""
    record = clone.state.authority(ca).certificate
    assert record is not None
    return standing_certificate(record).template.spki_der


def honest_orders(clone: Clone) -> list[Ordered]:
    """Return what a run ordered of certificates that died in a copy of the repository."""
    copy = clone.copy(clone.folder.parent / f"copy-{len(list(clone.folder.parent.iterdir()))}")
    names = ("root", "issuing", "other")
    dead = {name: failing_after(clone.keys.named(name), 0) for name in names}
    assert copy.reconcile(opener=copy.keys.but(**dead)).exit_code == 4
    orders = [record.ordered for record in copy.state.pending.values()]
    return [item for item in orders if isinstance(item.particulars, CertificateParticulars)]


def _given(ordered: Ordered) -> CertificateParticulars:
    assert isinstance(ordered.particulars, CertificateParticulars)
    return ordered.particulars
