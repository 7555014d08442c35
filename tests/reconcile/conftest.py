"""Whole repositories, made once a session and copied for each test; the AWS of the tests."""

from aws_fixtures import aws, aws_once
from ca_fixtures import issued, issued_once, key_ring, made, made_once, shared
from external_parent import waiting_once, world

__all__ = [
    "aws",
    "aws_once",
    "issued",
    "issued_once",
    "key_ring",
    "made",
    "made_once",
    "shared",
    "waiting_once",
    "world",
]
