"""The kind KeyBlocklist: keys that no certificate is issued on, whatever the policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from gitca.documents.document import CheckedModel, Envelope, Model
from gitca.documents.fields import Contradiction, Items, KeyIdentifier, Text


class BlockedKey(Model):
    """One key that is refused, and why."""

    key: KeyIdentifier = Field(
        description="The key: sha256: and the SHA-256 of its SubjectPublicKeyInfo in hexadecimal.",
        examples=["sha256:" + "0f" * 32],
    )
    reason: Text = Field(
        description="Why the key is refused; whoever asks for a certificate on it reads this.",
        examples=["leaked in incident 42"],
    )


class KeyBlocklistSpec(CheckedModel):
    """Keys that are refused under every policy."""

    keys: Items[BlockedKey] = Field(
        description="The refused keys, each once.",
        examples=[[{"key": "sha256:" + "0f" * 32, "reason": "leaked in incident 42"}]],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield the keys that stand twice."""
        places: dict[str, int] = {}
        for index, entry in enumerate(self.keys):
            first = places.setdefault(entry.key, index)
            if first != index:
                message = f"key {entry.key} stands already as entry {first + 1}; allowed is once"
                remedy = "remove one of the two"
                yield Contradiction("blocklist.duplicate", message, remedy, ("keys", index, "key"))


class KeyBlocklist(Envelope):
    """Keys that are refused under every policy. What was issued on them stands until revoked."""

    kind: Literal["KeyBlocklist"] = Field(
        description="The kind of document.", examples=["KeyBlocklist"]
    )
    spec: KeyBlocklistSpec = Field(
        description="The refused keys, each with its reason.",
        examples=[{"keys": [{"key": "sha256:" + "0f" * 32, "reason": "leaked in incident 42"}]}],
    )
