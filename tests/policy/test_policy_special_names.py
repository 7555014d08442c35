"""DNS names that are special in themselves, and the list of public suffixes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gitca.policy.dns_rules import special_kinds
from gitca.policy.public_suffix import is_public_suffix


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("api.example.internal", []),
        ("*.example.internal", []),
        ("example.com", []),
        ("*.example.com", []),
        ("example.co.uk", []),
        ("*.example.github.io", []),
        ("localhost", ["localhost"]),
        ("*.localhost", ["localhost"]),
        ("a.localhost", ["localhost"]),
        ("notlocalhost.internal", []),
        ("db1", ["singleLabel"]),
        ("com", ["singleLabel", "publicSuffix"]),
        ("*.com", ["publicSuffix"]),
        ("*.internal", ["publicSuffix"]),
        ("co.uk", ["publicSuffix"]),
        ("*.co.uk", ["publicSuffix"]),
        ("github.io", ["publicSuffix"]),
        ("anything.ck", ["publicSuffix"]),
        ("www.ck", []),
        ("xn--55qx5d.cn", ["publicSuffix"]),
    ],
)
def test_a_name_is_special_in_these_ways(name: str, kinds: list[str]) -> None:
    assert list(special_kinds(name)) == kinds


@pytest.mark.parametrize("name", ["internal", "example.internal", "a.test", "x.local", ""])
def test_what_nobody_listed_is_no_public_suffix(name: str) -> None:
    assert not is_public_suffix(name)


def test_the_list_is_read_only_for_names_that_could_be_on_it() -> None:
    program = (
        "import sys; from gitca.policy.public_suffix import is_public_suffix;"
        "import gitca.policy.evaluate; is_public_suffix('api.example.internal');"
        "before = 'publicsuffixlist' in sys.modules; is_public_suffix('co.uk');"
        "sys.exit(before or 'publicsuffixlist' not in sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", program], env=environment).returncode == 0
