"""`gitca policy …`: tools for those who write policies, and for those who review them."""

from gitca.cli.policies.difference import diff
from gitca.cli.policies.explanation import explain
from gitca.cli.policies.tests import run_tests
from gitca.cli.policies.verdicts import check

__all__ = ["check", "diff", "explain", "run_tests"]
