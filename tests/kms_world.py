"""A CA repository with a bare origin whose issuing CA has its key in the AWS of the tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path

from aws.aws_server import AwsServer
from ca_documents import authority, policy, request
from ca_world import NOW, PASSPHRASE, Clone, KeyRing
from gitca.ledger.events import Event, Signed
from gitca.ledger.segment import parse_segment
from gitca.reconcile.keys import OpenSigner
from gitca.reconcile.report import Report
from gitca.signers import Signer, open_signer
from token_world import PIN

_aliases = count()


@dataclass
class Signers:
    """Opens real signers, as a run does, and closes them."""

    base: Path
    opened: list[Signer] = field(default_factory=list)

    def __call__(self, uri: str) -> Signer:
        """Open the signer of a URI."""
        self.opened.append(
            open_signer(
                uri, base=self.base, passphrase=lambda _: PASSPHRASE, pin=lambda _: PIN.encode()
            )
        )
        return self.opened[-1]


@contextmanager
def signers_of_a_run(base: Path) -> Iterator[Signers]:
    """Give an opener for one run."""
    signers = Signers(base)
    try:
        yield signers
    finally:
        for signer in signers.opened:
            signer.close()


@dataclass
class KmsWorld:
    """The clone, the server, and the issuing CA's key: its alias and its ARN."""

    clone: Clone
    aws: AwsServer
    alias: str
    key: str

    @classmethod
    def create(
        cls, folder: Path, keys: KeyRing, aws: AwsServer, spec: str, *, start: datetime = NOW
    ) -> KmsWorld:
        """Make root (a file), issuing CA (KMS) and their CRLs at `start`; it is an hour later."""
        alias = f"alias/world/{next(_aliases)}"
        key = aws.create_key(spec, alias=alias)
        documents = {
            "ca/root.yaml": authority("root"),
            "ca/issuing.yaml": authority("issuing", "root", key=aws.uri(alias)),
            "policies/server.yaml": policy(),
        }
        clone = Clone.create(folder / "clone", keys, documents).with_origin(folder / "origin.git")
        clone.clock.now = start
        world = cls(clone, aws, alias, key)
        assert world.run().exit_code == 0
        clone.clock.forward(hours=1)
        return world

    def run(self, *, take_over: bool = False, opener: OpenSigner | None = None) -> Report:
        """Reconcile with signers that were opened for this run, the root's key from the ring."""
        with signers_of_a_run(self.clone.folder) as signers:

            def one(uri: str) -> Signer:
                return self.clone.keys.signer(uri) if uri.startswith("file:") else signers(uri)

            return self.clone.reconcile(take_over=take_over, opener=opener or one)

    def ask(self, number: int, prefix: str = "host") -> list[str]:
        """Save so many requests, on one key each, and return their names."""
        names = [f"{prefix}{each}" for each in range(number)]
        self.clone.save(
            {f"requests/{name}.yaml": request(name, f"{name}.example.internal") for name in names}
        )
        return names

    def check_log(self) -> None:
        """Hold the log of KMS against the ledger: each use of the key is one event, and back."""
        events = Counter(event.request_id for event in signed_events(self.clone, self.key))
        unheard = events.pop(None, 0)
        made = [entry for entry in self.aws.signs() if entry["key"] == self.key]
        dropped = [entry for entry in made if entry["outcome"] == "dropped"]
        heard = Counter(entry["request_id"] for entry in made if entry["outcome"] != "dropped")
        assert events == heard
        assert unheard == len(dropped)

    def check_nothing_is_missing(self) -> None:
        """See that each use in the log is in the ledger, which may tell of more.

        Of a call that failed nobody but KMS knows whether it signed before it failed.
        """
        events = {event.request_id for event in signed_events(self.clone, self.key)}
        assert {
            each["request_id"] for each in self.aws.signs() if each["key"] == self.key
        } <= events

    def check_outcomes(self, names: list[str]) -> None:
        """Each request has one order and one certificate, and all is sound and done."""
        state = self.clone.state
        for name in names:
            orders = state.requests[name].orders
            assert [record.signed is not None for record in orders] == [True], name
        assert not state.pending
        assert self.clone.verify().contradictions == []
        assert self.clone.plan().actions == ()
        assert self.clone.status == ""


def events_of(clone: Clone) -> list[Event]:
    """Return every event of the ledger, in order."""
    return [
        event
        for path in clone.paths("issued/ledger")
        for event in parse_segment(path, clone.read(path)).events
    ]


def signed_events(clone: Clone, key: str) -> list[Signed]:
    """Return the events of a key's uses."""
    return [event for event in events_of(clone) if isinstance(event, Signed) and event.key == key]
