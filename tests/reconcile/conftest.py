"""Whole repositories, made once a session and copied for each test; the AWS of the tests."""

from aws_fixtures import aws, aws_once
from ca_fixtures import issued, issued_once, key_ring, made, made_once, shared

__all__ = ["aws", "aws_once", "issued", "issued_once", "key_ring", "made", "made_once", "shared"]
