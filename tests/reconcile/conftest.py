"""Hierarchies of offline CAs, and what is published to a folder."""

import pytest
from offline_world import fresh, standing

from ca_world import Clone
from publish_world import API, FOLDER, reconciled, repository

__all__ = ["fresh", "standing"]


@pytest.fixture
def target(made: Clone) -> Clone:
    """A repository with a certificate, all of it published to a folder."""
    made.save(repository(FOLDER) | API)
    assert reconciled(made).exit_code == 0
    made.clock.forward(hours=1)
    return made
