"""Verify: prove from a clone, offline, every invariant that a clone can prove."""
