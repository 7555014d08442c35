"""A CA repository that publishes: its targets, runs of step 10, and CRLs that the CA never made."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from ca_documents import document, request, revocation
from ca_world import Clone
from gitca.documents.load import load_governing
from gitca.ledger.image import standing_certificate
from gitca.publishers import Item, Publisher, Stored, open_publisher
from gitca.reconcile.keys import Keys, OpenSigner
from gitca.reconcile.publish import Loaded, Publishing, publish
from gitca.reconcile.published import Published
from gitca.reconcile.recipe import reconcile
from gitca.reconcile.report import Report
from gitca.reconcile.sending import LARGE
from gitca.x509.certificate import Certificate
from gitca.x509.crl import CrlEntry, build_crl_tbs
from gitca.x509.signed import assemble
from judges.process import must

FOLDER = "directory:public"
URL = "http://pki.example.internal/"
API = {"requests/api.yaml": request("api", "api.example.internal")}
STOP = {"requests/stop.yaml": revocation(certificate="api")}


def manifest(clone: Clone) -> dict[str, object]:
    read: dict[str, object] = json.loads(files(clone)["manifest.json"])
    return read


def number_of(content: bytes) -> int:
    form = "PEM" if content.startswith(b"-----") else "DER"
    words = must("openssl", "crl", "-inform", form, "-noout", "-crlnumber", stdin=content)
    return int(words.decode().partition("=0x")[2], 16)


def repository(*targets: object, **spec: object) -> dict[str, str]:
    """Return ca/repository.yaml with targets, by its path."""
    listed = [{"to": target} if isinstance(target, str) else target for target in targets]
    return {"ca/repository.yaml": document("Repository", {"publish": listed, **spec})}


@dataclass
class Interposed:
    """A publisher that does something of a test's before each call; no effect of its own.

    Of what is large it tells after it was read, too.
    """

    inner: Publisher
    before: Callable[[str, str], None]

    def read(self, path: str, most: int | None = None) -> Stored | None:
        self.before("read", path)
        stored = self.inner.read(path, most)
        if stored is not None and len(stored.content) > LARGE:
            self.before("large", path)
        return stored

    def write(self, item: Item, replaces: str | None) -> str:
        self.before("write", item.path)
        version = self.inner.write(item, replaces)
        self.before("written", item.path)
        return version

    def listing(self) -> Any:
        self.before("listing", "")
        return self.inner.listing()

    def describe(self) -> Any:
        return self.inner.describe()

    def close(self) -> None:
        self.inner.close()


def opener(
    clone: Clone, before: Callable[[str, str], None] | None = None, base: Path | None = None
) -> Callable[[str], Publisher]:
    """Return what opens the targets of a clone; `before` is told of each call.

    Folders lie below `base`, which clones may share.
    """
    opened = partial(open_publisher, base=base or clone.folder)
    if before is None:
        return opened
    return lambda uri: Interposed(opened(uri), before)


def published(
    clone: Clone,
    *,
    before: Callable[[str, str], None] | None = None,
    loaded: Loaded | None = None,
    base: Path | None = None,
    **options: Any,
) -> Published:
    """Run step 10 alone, as `gitca publish` does; `loaded` is what a late run had loaded."""
    with clone.store() as store:
        snapshot = store.load()
        fresh = Loaded(snapshot, load_governing(snapshot.entries, store.read))
        publishing = Publishing(opener(clone, before, base), concurrency=4, **options)
        return publish(store, loaded or fresh, publishing=publishing, clock=clone.clock)


def reconciled(
    clone: Clone,
    before: Callable[[str, str], None] | None = None,
    *,
    keys: OpenSigner | None = None,
    base: Path | None = None,
) -> Report:
    """Run the recipe with its last step."""
    with clone.store() as store:
        publishing = Publishing(opener(clone, before, base), concurrency=4)
        return reconcile(
            store, Keys(keys or clone.keys.signer), clone.world(), publishing=publishing
        )


@contextmanager
def as_loaded(clone: Clone) -> Iterator[Loaded]:
    """Give a commit as a run loads it; what is committed later does not change it."""
    with clone.store() as store:
        snapshot = store.load()
        yield Loaded(snapshot, load_governing(snapshot.entries, store.read))


def files(clone: Clone, folder: str = "public") -> dict[str, bytes]:
    """Return what a directory target holds, less what the publisher keeps for itself."""
    top = clone.folder / folder
    return {
        str(path.relative_to(top)): path.read_bytes()
        for path in sorted(top.rglob("*"))
        if path.is_file() and not path.relative_to(top).parts[0].startswith(".")
    }


def issuer_of(clone: Clone, ca: str = "issuing") -> Certificate:
    """Return a CA's certificate, read."""
    record = clone.state.authority(ca).certificate
    assert record is not None
    return standing_certificate(record)


def crl_of(
    clone: Clone,
    number: int,
    serials: Iterable[int] = (),
    *,
    ca: str = "issuing",
    signer: str = "",
    this_update: datetime | None = None,
    lifetime: timedelta = timedelta(days=7),
    issuer: Certificate | None = None,
) -> bytes:
    """Return a CRL, signed by the key of `signer` (the CA's own), that no ledger knows."""
    moment = this_update or clone.clock.now
    tbs = build_crl_tbs(
        issuer or issuer_of(clone, ca),
        signature_algorithm="ecdsa-sha256",
        crl_number=number,
        this_update=moment,
        next_update=moment + lifetime,
        entries=[CrlEntry(serial, moment) for serial in serials],
    )
    signature = clone.keys.named(signer or ca).sign(tbs, "ecdsa-sha256")
    return assemble(tbs, "ecdsa-sha256", signature.value)


def pem(der: bytes) -> bytes:
    """Return a CRL in PEM."""
    body = base64.encodebytes(der).decode().strip()
    return f"-----BEGIN X509 CRL-----\n{body}\n-----END X509 CRL-----\n".encode()


def public(clone: Clone, path: str) -> Path:
    """Return where a directory target has a path."""
    return clone.folder / "public" / path
