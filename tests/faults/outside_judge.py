"""A judge that knows the ledger's text and the log of the keys, and shares no code with gitca.

It looks at the remote's branch after every step, reads what is new, and holds each invariant of
docs/design.md that can be seen from outside.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from reconciler_process import tip_of

Record = dict[str, Any]
NEAR = timedelta(days=4)
"""Two certificates for the same documents are further apart: a renewal comes after five or more."""


@dataclass
class OutsideJudge:
    """What the branch of a bare remote has said so far, and what its keys were used for."""

    bare: Path
    log: Path
    tip: str = ""
    segments: list[str] = field(default_factory=list)
    orders: dict[str, Record] = field(default_factory=dict)
    order_of_digest: dict[str, str] = field(default_factory=dict)
    recorded_in: dict[str, int] = field(default_factory=dict)
    signed: dict[str, list[Record]] = field(default_factory=dict)
    answers: dict[str, Record] = field(default_factory=dict)
    abandoned: set[str] = field(default_factory=set)
    serials: set[tuple[str, str]] = field(default_factory=set)
    revoked: set[tuple[str, str]] = field(default_factory=set)
    crls: dict[str, x509.CertificateRevocationList] = field(default_factory=dict)
    blobs: dict[str, str] = field(default_factory=dict)
    uses: dict[str, Record] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    _read: int = 0

    def look(self) -> None:
        """Read what is new and hold every invariant."""
        tip = tip_of(self.bare)
        if tip != self.tip:
            self.tip = tip
            listed = self._listing(tip)
            self._take_segments([blob for path, blob in listed if "/ledger/" in path])
            for path, blob in listed:
                if path.endswith("crl.der") and self.blobs.get(path) != blob:
                    self.blobs[path] = blob
                    self._take_crl(path.split("/")[1], self._cat(blob))
        self._take_uses()

    def forget(self, run: str) -> None:
        """A run was killed: its uses of keys may be in the log alone."""
        self.forgotten.add(run)

    def settle(self) -> None:
        """Hold log and ledger against each other, one to one, when nobody runs any more (I1)."""
        told = Counter(
            event["requestId"]
            for events in self.signed.values()
            for event in events
            if "requestId" in event
        )
        twice = [request for request, count in told.items() if count > 1]
        assert twice == [], f"one use of a key is in the ledger twice: {twice}"
        missing = {
            request
            for request, use in self.uses.items()
            if use["run"] not in self.forgotten and request not in told
        }
        assert missing == set(), f"uses of a key that the ledger does not tell: {missing}"

    def _take_uses(self) -> None:
        if not self.log.exists():
            return
        with self.log.open() as file:
            file.seek(self._read)
            lines = file.readlines()
            self._read = file.tell()
        for use in map(json.loads, lines):
            order = self.order_of_digest.get(use["digest"])
            assert order is not None, f"I1: signed, and never ordered: {use}"
            segments = sum("/ledger/" in path for path, _ in self._listing(use["tip"]))
            place = self.recorded_in[order]
            assert place <= segments, f"I1: signed before the order was pushed: {order}"
            self.uses[use["request"]] = use

    def _take_segments(self, blobs: list[str]) -> None:
        known = len(self.segments)
        assert blobs[:known] == self.segments, "I10: the ledger lost or changed a segment"
        for number, blob in enumerate(blobs[known:], start=known + 1):
            self.segments.append(blob)
            lines = [json.loads(line) for line in self._cat(blob).splitlines()]
            assert lines[0]["segment"] == number, "I10: the segments are not in order"
            for event in lines[1:]:
                getattr(self, f"_{event['event']}")(event, number)

    def _ordered(self, event: Record, segment: int) -> None:
        order = event["order"]
        assert order not in self.orders, f"ordered twice: {order}"
        self.orders[order] = event
        self.recorded_in[order] = segment
        self.order_of_digest[event["tbs"].removeprefix("sha256:")] = order
        if "serial" in event:
            serial = event["ca"], event["serial"]
            assert serial not in self.serials, f"I2: a serial number was drawn twice: {serial}"
            self.serials.add(serial)

    def _signed(self, event: Record, _segment: int) -> None:
        order = self.orders[event["order"]]
        before = self.signed.setdefault(event["order"], [])
        before.append(event)
        if event.get("spent"):
            return
        outcomes = [item for item in before if not item.get("spent")]
        assert len(outcomes) == 1, f"an order has two outcomes: {event['order']}"
        assert event["order"] not in self.abandoned, f"signed after all: {event['order']}"
        if order["object"] == "certificate" and "request" in order:
            self._once(order)
            der = base64.b64decode(event["certificate"])
            made = x509.load_der_x509_certificate(der)
            assert f"{made.serial_number:x}" == order["serial"], "I5: another serial number"

    def _once(self, order: Record) -> None:
        """No request is answered twice: not by the same documents within a certificate's days."""
        last = self.answers.get(order["request"])
        self.answers[order["request"]] = order
        if last is None or (last["ca"], last["serial"]) in self.revoked:
            return
        same = all(last.get(key) == order.get(key) for key in ("template", "documents"))
        apart = abs(_time(last["notBefore"]) - _time(order["notBefore"]))
        assert not same or apart > NEAR, f"answered twice: {order['request']}"

    def _abandoned(self, event: Record, _segment: int) -> None:
        outcomes = self.signed.get(event["order"], ())
        assert all(item.get("spent") for item in outcomes), "an order was signed and given up"
        assert event["order"] not in self.abandoned, "an order was given up twice"
        self.abandoned.add(event["order"])

    def _revoked(self, event: Record, _segment: int) -> None:
        if "serial" in event:
            assert (event["ca"], event["serial"]) not in self.revoked, "revoked twice"
            self.revoked.add((event["ca"], event["serial"]))

    def _take_crl(self, ca: str, data: bytes) -> None:
        crl, last = x509.load_der_x509_crl(data), self.crls.get(ca)
        self.crls[ca] = crl
        listed = {f"{entry.serial_number:x}" for entry in crl}
        ended = self._ended(ca, crl.last_update_utc)
        if last is not None:
            assert _number(crl) > _number(last), f"I7: CRL numbers of {ca} do not rise"
            assert crl.last_update_utc > last.last_update_utc, f"I7: a CRL of {ca} went back"
            stood = {f"{entry.serial_number:x}" for entry in last}
            assert stood - listed <= ended, "I6: a revoked serial number left the CRL"
        assert listed <= {serial for name, serial in self.revoked if name == ca}

    def _ended(self, ca: str, at: datetime) -> set[str]:
        return {
            order["serial"]
            for order in self.orders.values()
            if order["ca"] == ca and "serial" in order and _time(order["notAfter"]) < at
        }

    def _listing(self, commit: str) -> list[tuple[str, str]]:
        paths = ("issued/ledger", "issued/root/crl.der", "issued/issuing/crl.der")
        lines = self._git("ls-tree", "-r", commit, "--", *paths).decode().splitlines()
        entries = (line.split("\t") for line in lines)
        return [(path, facts.split()[2]) for facts, path in entries]

    def _cat(self, blob: str) -> bytes:
        return self._git("cat-file", "blob", blob)

    def _git(self, *arguments: str) -> bytes:
        done = subprocess.run(["git", *arguments], cwd=self.bare, capture_output=True, check=True)
        return done.stdout


def _number(crl: x509.CertificateRevocationList) -> int:
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
