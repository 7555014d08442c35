"""Names that differ in case alone: the newcomer gives way, and a revocation never does."""

from __future__ import annotations

import pytest
from document_samples import POLICY, REQUEST, REVOCATION, TREE, governing, requests

from gitca.documents.load import Known, Requests

REVOKE = REVOCATION.replace("payments/api", "team/api")
FIRST, SECOND, THIRD = "requests/Pay/a.yaml", "requests/pay/b.yaml", "requests/pay/c.yaml"


def told(found: Requests) -> list[str]:
    return [f"{item.severity} {item.location} {item.rule}" for item in found.findings]


def error(path: str) -> str:
    return f"error {path}:1:1 path.case"


def of(*paths: str, known: Known | None = None, **others: str) -> Requests:
    return requests({**TREE, **dict.fromkeys(paths, REQUEST), **others}, known)


PAIRS = [
    ("requests/API.yaml", "requests/api.yaml", "API", "api"),
    (FIRST, SECOND, "Pay/", "pay/"),
    ("requests/x/Pay/a.yaml", "requests/x/pay/y/b.yaml", "x/Pay/", "x/pay/"),
]


@pytest.mark.parametrize(("first", "second", "one", "other"), PAIRS)
def test_where_nobody_was_there_before_all_give_way(first, second, one, other):
    found = of(first, second)
    assert told(found) == [error(first), error(second)]
    assert f"{one} and {other} differ in upper and lower case alone" in found.findings[0].message
    assert f"{other} and {one} differ in upper and lower case alone" in found.findings[1].message
    assert found.broken == {first, second}
    assert list(found.requests) == list(found.csrs) == ["payments/api"]


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize(
    ("how", "why"), [("certified", "has certificates"), ("standing", "was there before")]
)
@pytest.mark.parametrize(("first", "second", "one", "other"), PAIRS)
def test_the_newcomer_alone_gives_way(first, second, one, other, how, why, is_first):
    there, new = (first, second) if is_first else (second, first)
    seen, stays = (other, one) if is_first else (one, other)
    name = there.removeprefix("requests/").removesuffix(".yaml")
    found = of(first, second, known=Known(**{how: {name}}))
    assert told(found) == [error(new)]
    finding = found.findings[0]
    assert finding.message == (
        f"{seen} and {stays} differ in upper and lower case alone, and {stays} {why}"
    )
    assert finding.remedy.startswith(f"spell it {stays}, or choose another name")
    assert found.broken == {new}
    assert name in found.requests


def test_what_has_certificates_stays_before_what_stands_in_the_base():
    found = of(FIRST, SECOND, known=Known(certified={"pay/b"}, standing={"Pay/a", "pay/b"}))
    assert told(found) == [error(FIRST)]


def test_what_clashes_in_the_base_already_gives_way_with_the_newcomer():
    third = "requests/PAY/c.yaml"
    found = of(FIRST, SECOND, third, known=Known(standing={"Pay/a", "pay/b"}))
    assert told(found) == [error(third), error(FIRST), error(SECOND)]
    assert all(" before" not in finding.message for finding in found.findings)


def test_two_that_have_certificates_both_stay_and_one_warning_says_so():
    found = of(FIRST, SECOND, THIRD, known=Known({"Pay/a", "pay/b"}))
    assert told(found) == [f"warning {SECOND}:1:1 path.case"]
    assert "both have certificates" in found.findings[0].message
    assert {"Pay/a", "pay/b", "pay/c"} < found.requests.keys()


def test_a_newcomer_that_gives_way_takes_no_other_newcomer_with_it():
    """Pay/sub/ clashes with pay/SUB/, and gives way to pay/ before that."""
    new, other = "requests/Pay/sub/x.yaml", "requests/pay/SUB/y.yaml"
    found = of(new, other, SECOND, known=Known({"pay/b"}))
    assert told(found) == [error(new)]
    assert "pay/SUB/y" in found.requests


@pytest.mark.parametrize("path", ["requests/Team/revoke.yaml", "requests/TEAM/API.yaml"])
@pytest.mark.parametrize("known", [Known({"team/api"}), Known(standing={"team/api"}), Known()])
def test_a_revocation_is_never_refused_for_how_it_is_spelt_and_refuses_nobody(path, known):
    found = of("requests/team/api.yaml", known=known, **{path: REVOKE})
    assert told(found) == [f"warning {path}:1:1 path.case"]
    assert "executed all the same" in found.findings[0].message
    assert len(found.revocations) == 2
    assert "team/api" in found.requests
    assert found.broken == frozenset()


def test_a_revocation_in_the_right_folder_has_no_finding_for_a_newcomer_in_a_wrong_one():
    new = "requests/TEAM/x.yaml"
    found = of(
        "requests/team/api.yaml",
        new,
        known=Known({"team/api"}),
        **{"requests/team/api-revoked.yaml": REVOKE},
    )
    assert told(found) == [error(new)]
    assert "team/api-revoked" in found.revocations


def test_a_revocation_that_is_not_asked_for_counts_as_one():
    """`only` reads a part of the documents; what kind the others are must not depend on it."""
    from document_samples import entries, reader

    from gitca.documents.load import load_requests

    files = {FIRST: REQUEST, "requests/pay/revoke.yaml": REVOKE}
    found = load_requests(entries(files), reader(files), only={FIRST}, known=Known())
    assert (found.findings, found.broken) == ((), frozenset())


def test_a_document_that_gives_way_has_its_other_findings_too():
    found = of(SECOND, known=Known({"pay/b"}), **{FIRST: REQUEST.replace("csr:", "crs:")})
    rules = {item.rule for item in found.findings}
    assert "path.case" in rules
    assert len(rules) > 1


def test_a_request_that_gives_way_is_no_broken_revocation_whatever_it_says():
    text = REQUEST.replace("{team: payments}", "{reason: x, certificate: pay/b}")
    found = of(SECOND, known=Known({"pay/b"}), **{FIRST: text})
    assert told(found) == [error(FIRST)]
    assert found.broken_revocations == ()


@pytest.mark.parametrize("known", [Known({"API"}), Known({"API"}, standing={"api"})])
def test_a_new_name_gives_way_to_the_certificate_of_a_deleted_one(known):
    """Both files of `issued/` would be one in a clone that folds case."""
    found = of("requests/api.yaml", known=known)
    assert told(found) == [error("requests/api.yaml")]
    assert (
        "issued/ has the certificate of API, which was deleted since" in found.findings[0].message
    )


def test_a_revocation_may_be_named_like_a_deleted_request():
    assert of(known=Known({"STOP"}), **{"requests/stop.yaml": REVOCATION}).findings == ()


def test_a_folder_of_deleted_requests_is_in_nobodys_way():
    """Their certificates lie beside the new ones even where the folders are one."""
    assert of(SECOND, known=Known({"Pay/a"})).findings == ()


def test_thousands_of_clashes_are_found_in_no_time():
    import time

    paths = [f"requests/{'x/' * 60}{top}/a{n}.yaml" for n in range(1000) for top in ("P", "p")]
    known = Known({f"gone/{n}" for n in range(100_000)})
    started = time.process_time()
    found = requests(dict.fromkeys(paths, REQUEST.encode()[:1]), known)
    assert sum(item.rule == "path.case" for item in found.findings) == 2000
    assert time.process_time() - started < 5


def test_of_what_governs_the_first_by_name_stays_whatever_was_there_before():
    """An order is verified by its commit, which has no ledger beside it."""
    known = governing({**TREE, "policies/Internal-server.yaml": POLICY})
    assert [item.location.file for item in known.findings] == ["policies/internal-server.yaml"]
