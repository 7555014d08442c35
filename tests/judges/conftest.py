"""The judges as fixtures: one JVM for the session, and one name for each judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from judges import gnutls, java, nss, openssl
from judges.chain import Chain, Verdict

JUDGES = ("openssl", "gnutls", "nss", "java")
Judge = Callable[[Chain], Verdict]


@pytest.fixture(scope="session")
def java_judge() -> Iterator[java.JavaJudge]:
    with java.open_judge() as judge:
        yield judge


@pytest.fixture
def judge_of(request: pytest.FixtureRequest) -> Callable[[str], Judge]:
    """From a judge's name to the judge: a function from a chain to a verdict."""

    def find(name: str) -> Judge:
        if name == "java":
            started: java.JavaJudge = request.getfixturevalue("java_judge")
            return started.verify
        return {"openssl": openssl.verify, "gnutls": gnutls.verify, "nss": nss.verify}[name]

    return find


@pytest.fixture(params=JUDGES)
def judge(request: pytest.FixtureRequest, judge_of: Callable[[str], Judge]) -> Judge:
    """Each judge in turn."""
    return judge_of(request.param)
