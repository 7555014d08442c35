"""Whole repositories, made once a session and copied for each test."""

from ca_fixtures import (
    issued,
    issued_in,
    issued_once,
    key_ring,
    layout,
    made,
    made_in,
    made_once,
    shared,
)
from external_parent import waiting_once, world

__all__ = [
    "issued",
    "issued_in",
    "issued_once",
    "key_ring",
    "layout",
    "made",
    "made_in",
    "made_once",
    "shared",
    "waiting_once",
    "world",
]
