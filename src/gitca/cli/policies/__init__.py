"""`gitca policy …`: tools for those who write policies, and for those who review them."""

from gitca.cli.policies.tests import test

__all__ = ["test"]
