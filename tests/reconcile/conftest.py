"""Whole repositories, made once a session and copied for each test; the AWS of the tests."""

from offline_world import fresh, standing

from aws_fixtures import aws, aws_once
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
    "aws",
    "aws_once",
    "fresh",
    "issued",
    "issued_in",
    "issued_once",
    "key_ring",
    "layout",
    "made",
    "made_in",
    "made_once",
    "shared",
    "standing",
    "waiting_once",
    "world",
]
