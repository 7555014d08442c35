"""Chains made by openssl alone that a judge has to accept, and such with one defect each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from judges.chain import Chain, Purpose
from judges.openssl_authority import (
    AUTHORITY_EXTENSIONS,
    OpensslAuthority,
    leaf_extensions,
    new_key,
)

CONSTRAINED = (*AUTHORITY_EXTENSIONS, "nameConstraints=critical,permitted;DNS:example.internal")
NO_CRL_SIGN = (
    *(line for line in AUTHORITY_EXTENSIONS if not line.startswith("keyUsage")),
    "keyUsage=critical,keyCertSign",
)
INSIDE = "api.example.internal"
OUTSIDE = "api.example.com"


def flip_last_bit(der: bytes) -> bytes:
    """Return the object with the last bit of its signature changed; its structure stays whole."""
    return der[:-1] + bytes([der[-1] ^ 1])


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """A root and an issuing CA (path length 0, DNS names below example.internal only)."""

    folder: Path
    root: OpensslAuthority
    issuing: OpensslAuthority
    key: Path

    @classmethod
    def create(cls, folder: Path) -> Hierarchy:
        """Make the two CAs, and the key that every leaf here shares."""
        root = OpensslAuthority.root(folder / "root", "Proving Root")
        issuing = root.subordinate(folder / "issuing", "Proving Issuing CA", CONSTRAINED)
        return cls(folder, root, issuing, new_key(folder / "leaf.key"))

    def leaf(
        self, dns: str = INSIDE, *, usage: str = "serverAuth", days: tuple[int, int] = (-1, 10)
    ) -> bytes:
        """Issue a leaf from the issuing CA."""
        extensions = leaf_extensions(dns, usage=usage)
        return self.issuing.issue(f"/CN={dns}", extensions, key=self.key, days=days)

    def chain(self, leaf: bytes, purpose: Purpose = "server") -> Chain:
        """Return the path of a leaf with both CAs' CRLs of this moment."""
        crls = (self.issuing.crl(), self.root.crl())
        path = (self.issuing.certificate,)
        return Chain(leaf, path, self.root.certificate, crls, purpose)


def accepted_chains(hierarchy: Hierarchy) -> dict[str, Chain]:
    """Return the chains without a defect."""
    direct = hierarchy.root.issue("/CN=direct", leaf_extensions(OUTSIDE), key=hierarchy.key)
    server = hierarchy.chain(hierarchy.leaf())
    client = hierarchy.chain(hierarchy.leaf(usage="clientAuth"), "client")
    below_root = Chain(direct, (), hierarchy.root.certificate, (hierarchy.root.crl(),))
    return {"server": server, "client": client, "directly-below-the-root": below_root}


def _revoked_leaf(hierarchy: Hierarchy) -> Chain:
    leaf = hierarchy.leaf()
    hierarchy.issuing.revoke(leaf)
    return hierarchy.chain(leaf)


def _revoked_issuer(hierarchy: Hierarchy) -> Chain:
    issuing = hierarchy.root.subordinate(hierarchy.folder / "bad", "Bad CA", CONSTRAINED)
    leaf = issuing.issue("/CN=leaf", leaf_extensions(INSIDE), key=hierarchy.key)
    hierarchy.root.revoke(issuing.certificate, "CACompromise")
    crls = (issuing.crl(), hierarchy.root.crl())
    return Chain(leaf, (issuing.certificate,), hierarchy.root.certificate, crls)


def _expired_leaf(hierarchy: Hierarchy) -> Chain:
    return hierarchy.chain(hierarchy.leaf(days=(-10, -1)))


def _leaf_not_yet_valid(hierarchy: Hierarchy) -> Chain:
    # NSS forgives a clock that is wrong by a day.
    return hierarchy.chain(hierarchy.leaf(days=(3, 10)))


def _wrong_issuer(hierarchy: Hierarchy) -> Chain:
    # The impostor's CAs bear the same names and hold other keys.
    impostor = Hierarchy.create(hierarchy.folder / "impostor")
    return hierarchy.chain(replace(impostor, key=hierarchy.key).leaf())


def _unknown_root(hierarchy: Hierarchy) -> Chain:
    stranger = OpensslAuthority.root(hierarchy.folder / "stranger", "Stranger")
    return replace(hierarchy.chain(hierarchy.leaf()), anchor=stranger.certificate)


def _forged_leaf(hierarchy: Hierarchy) -> Chain:
    return hierarchy.chain(flip_last_bit(hierarchy.leaf()))


def _name_not_permitted(hierarchy: Hierarchy) -> Chain:
    return hierarchy.chain(hierarchy.leaf(OUTSIDE))


def _path_too_long(hierarchy: Hierarchy) -> Chain:
    third = hierarchy.issuing.subordinate(hierarchy.folder / "third", "Third CA")
    leaf = third.issue("/CN=leaf", leaf_extensions(INSIDE), key=hierarchy.key)
    above = hierarchy.chain(leaf)
    return replace(
        above,
        intermediates=(third.certificate, *above.intermediates),
        crls=(third.crl(), *above.crls),
    )


def _issued_by_a_leaf(hierarchy: Hierarchy) -> Chain:
    no_authority = hierarchy.issuing.subordinate(
        hierarchy.folder / "no-ca", "Not a CA", leaf_extensions("ca.example.internal")
    )
    leaf = no_authority.issue("/CN=leaf", leaf_extensions(INSIDE), key=hierarchy.key)
    above = hierarchy.chain(leaf)
    return replace(
        above,
        intermediates=(no_authority.certificate, *above.intermediates),
        crls=(no_authority.crl(), *above.crls),
    )


def _wrong_usage(hierarchy: Hierarchy) -> Chain:
    return hierarchy.chain(hierarchy.leaf(usage="clientAuth"))


def _unknown_critical_extension(hierarchy: Hierarchy) -> Chain:
    extensions = (*leaf_extensions(INSIDE), "1.2.3.4.5=critical,DER:0500")
    return hierarchy.chain(hierarchy.issuing.issue("/CN=leaf", extensions, key=hierarchy.key))


def _no_crl_of_the_leafs_issuer(hierarchy: Hierarchy) -> Chain:
    return replace(hierarchy.chain(hierarchy.leaf()), crls=(hierarchy.root.crl(),))


def _no_crl_of_the_root(hierarchy: Hierarchy) -> Chain:
    return replace(hierarchy.chain(hierarchy.leaf()), crls=(hierarchy.issuing.crl(),))


def _stale_crl(hierarchy: Hierarchy) -> Chain:
    stale = hierarchy.issuing.crl(days=(-9, -2))
    return replace(hierarchy.chain(hierarchy.leaf()), crls=(stale, hierarchy.root.crl()))


def _forged_crl(hierarchy: Hierarchy) -> Chain:
    forged = flip_last_bit(hierarchy.issuing.crl())
    return replace(hierarchy.chain(hierarchy.leaf()), crls=(forged, hierarchy.root.crl()))


def _issuer_that_may_not_sign_crls(hierarchy: Hierarchy) -> Chain:
    issuing = hierarchy.root.subordinate(hierarchy.folder / "no-crl", "No CRL CA", NO_CRL_SIGN)
    leaf = issuing.issue("/CN=leaf", leaf_extensions(INSIDE), key=hierarchy.key)
    crls = (issuing.crl(), hierarchy.root.crl())
    return Chain(leaf, (issuing.certificate,), hierarchy.root.certificate, crls)


REFUSED: dict[str, Callable[[Hierarchy], Chain]] = {
    "revoked-leaf": _revoked_leaf,
    "revoked-issuer": _revoked_issuer,
    "expired-leaf": _expired_leaf,
    "leaf-not-yet-valid": _leaf_not_yet_valid,
    "wrong-issuer": _wrong_issuer,
    "unknown-root": _unknown_root,
    "forged-leaf": _forged_leaf,
    "name-not-permitted": _name_not_permitted,
    "path-too-long": _path_too_long,
    "issued-by-a-leaf": _issued_by_a_leaf,
    "wrong-usage": _wrong_usage,
    "unknown-critical-extension": _unknown_critical_extension,
    "no-crl-of-the-leafs-issuer": _no_crl_of_the_leafs_issuer,
    "no-crl-of-the-root": _no_crl_of_the_root,
    "stale-crl": _stale_crl,
    "forged-crl": _forged_crl,
    "issuer-that-may-not-sign-crls": _issuer_that_may_not_sign_crls,
}
