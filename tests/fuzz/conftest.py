"""What the fuzzing tests share."""

from ca_fixtures import key_ring

__all__ = ["key_ring"]
