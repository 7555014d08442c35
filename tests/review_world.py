"""A repository with something of everything for a reviewer: a pull request upon a base, both here.

The base is a commit whose orders were signed three weeks ago; HEAD is a pull request upon it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from ca_documents import authority, document, key_identifier, policy, request, revocation
from ca_world import Clone, KeyRing, git

CROSS = {"subject": "other", "validity": "2y", "renewBefore": "30d"}
YEARLY = {"lifetime": "400d", "refreshBefore": "30d"}
BASE = {
    "ca/repository.yaml": document("Repository", {"reconcileEvery": "30d"}),
    "ca/root.yaml": authority("root", pathLength=2, crl=YEARLY),
    "ca/other.yaml": authority("other", crl=YEARLY),
    # Due for its renewal when it is 20 days old.
    "ca/issuing.yaml": authority("issuing", "root", renewBefore="1806d"),
    "policies/server.yaml": policy(),
    "policies/manual.yaml": policy(renewal={"automatic": False}),
    "requests/payments/api.yaml": request("api", "api.example.internal"),
    "requests/payments/web.yaml": request("web", "web.example.internal", "www.example.internal"),
    "requests/shop/cart.yaml": request("cart", "cart.example.internal"),
    "requests/shop/old.yaml": request("old", "old.example.internal"),
    "requests/jobs/backup.yaml": request("backup", "backup.example.internal", policy="manual"),
}


def owned(text: str, **metadata: str) -> str:
    """Return a document with metadata."""
    return yaml.safe_dump(yaml.safe_load(text) | {"metadata": metadata}, sort_keys=False, width=999)


# On main since: what a reconcile does whatever the pull request says.
SINCE = {
    "ca/root.yaml": authority("root", pathLength=2, crl=YEARLY, crossCertificates=[CROSS]),
    "ca/partner.yaml": document("CertificateAuthority", {
        "subject": {"commonName": "Partner CA", "organization": "Example"},
        "issuer": "external",
        "key": "file:.gitca/keys/spare.pem",
        "validity": "3y",
        "pathLength": 0,
    }),
}  # fmt: skip
HEAD = {
    "requests/payments/web.yaml": owned(
        request("web-2", "web.example.internal", "pay.example.internal"),
        owner="payments",
        description="The web shop's till.\nSee @payments and https://example.com/#12",
    ),
    "requests/shop/cart.yaml": request("cart", "cart.example.internal", extendedKeyUsage=[
        "serverAuth", "clientAuth",
    ]),
    "requests/shop/new.yaml": owned(request("new", "new.example.internal"), owner="shop"),
    "requests/shop/evil.yaml": request(
        "evil", "vault.example.internal", "evil.example.com", validity="400d"
    ),
    "requests/shop/broken.yaml": "kind: [\n",
    "requests/revocations/old.yaml": revocation("superseded", certificate="shop/old"),
    "requests/revocations/stolen.yaml": revocation("keyCompromise", key=key_identifier("stolen")),
    "policies/server.yaml": policy(
        sans={"dns": {"allow": ["**.example.internal"], "deny": ["api.example.internal"]}},
        keyUsage={"default": ["digitalSignature", "keyAgreement"]},
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Review:
    """A clone that has the pull request checked out, and the base's commit."""

    clone: Clone
    base: str

    @property
    def at(self) -> str:
        """The time of the plan, as `--at` takes it."""
        return f"{self.clone.clock.now:%Y-%m-%dT%H:%M:%SZ}"


def make_review(folder: Path, keys: KeyRing) -> Review:
    """Make the repository: reconciled, three weeks on, changed on main, and a pull request."""
    clone = Clone.create(folder, keys, BASE)
    assert clone.reconcile().exit_code == 0
    clone.clock.forward(days=15)
    # The root's key is in the safe: its orders wait.
    clone.save({"ca/root.yaml": authority("root", pathLength=2, crl=YEARLY, crossCertificates=[
        {**CROSS, "validity": "1y"},
    ])})  # fmt: skip
    clone.reconcile(selected={"issuing", "other"})
    clone.clock.forward(days=6)
    base = clone.save(SINCE)
    git(folder, "switch", "-q", "-c", "change")
    clone.save(HEAD)
    return Review(clone, base)
