"""Whole repositories, made once a session and copied for each test; the AWS of the tests."""

from offline_world import fresh, standing

__all__ = ["fresh", "standing"]
