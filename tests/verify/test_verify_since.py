"""`--since`: a daily verification looks at everything that is new, and at the chain of the rest."""

from __future__ import annotations

import pytest
from verify_material import WEB_PEM

from ca_forger import crl_order, crl_signed_with, forger_of, plant, signed_with
from ca_world import Clone, git
from gitca.errors import ContradictionError, UsageError
from gitca.verify.proof import verify
from gitca.verify.report import VerifyReport
from gitca.verify.since import Since, find_since


def since(clone: Clone, text: str) -> VerifyReport:
    with clone.store() as store:
        return verify(store, clone.tip, since=find_since(store, clone.tip, text))


@pytest.mark.parametrize("number", range(14))
def test_from_any_segment_on_a_sound_repository_has_no_contradiction(
    rich: Clone, number: int
) -> None:
    report = since(rich, str(number))
    assert (report.contradictions, report.since) == ([], number)
    assert report.checked["segments"] == 13
    assert report.checked["commits to issued/"] == 13 - number


def test_a_segment_a_commit_and_a_date_name_the_same_place(rich: Clone) -> None:
    commit = git(rich.folder, "log", "--format=%H", "--", "issued/ledger/00000005.jsonl")
    with rich.store() as store:
        assert find_since(store, rich.tip, "5") == Since(5, commit)
        assert find_since(store, rich.tip, commit) == Since(5, commit)
        assert find_since(store, rich.tip, commit[:12]) == Since(5, commit)
        assert find_since(store, rich.tip, "2099-01-01").number == 13
        assert find_since(store, rich.tip, "2001-01-01") == Since()
        assert find_since(store, rich.tip, "2001-01-01T00:00:00Z") == Since()


@pytest.mark.parametrize("text", ["nonsense", "2026-13-45", "--all", ""])
def test_what_names_no_place_is_wrong_usage(rich: Clone, text: str) -> None:
    with rich.store() as store, pytest.raises(UsageError):
        find_since(store, rich.tip, text)


def test_a_segment_that_the_ledger_no_longer_has_is_a_contradiction(rich: Clone) -> None:
    """To go on from the last one would call a branch that was rewound since a whole one."""
    rewound = git(rich.folder, "log", "--format=%H", "--", "issued/ledger/00000008.jsonl")
    with rich.store() as store:
        for tip, text, last in ((rich.tip, "14", 13), (rewound, "13", 8), (rewound, "9", 8)):
            words = f"segment {text}, which was verified before, .* ends with segment {last}:"
            with pytest.raises(ContradictionError, match=words):
                find_since(store, tip, text)
        assert find_since(store, rewound, "8") == Since(8, rewound)


def test_digits_that_begin_a_commit_too_are_told_apart_by_the_user(rich: Clone) -> None:
    """One abbreviation in thirty has digits alone; that a branch was rewound would be untrue."""
    tree = git(rich.folder, "rev-parse", f"{rich.tip}^{{tree}}")
    made = (
        git(rich.folder, "commit-tree", "-p", rich.tip, "-m", f"attempt {number}", tree)
        for number in range(1000)
    )
    commit = next(name for name in made if name[:5].isdecimal() and name[0] != "0")
    with rich.store() as store:
        with pytest.raises(UsageError, match="taken for a segment's number") as told:
            find_since(store, commit, commit[:5])
        assert f"commit {commit[:12]}, give" in told.value.remedy
        assert find_since(store, commit, commit).number == 13


def test_a_tag_named_like_a_number_stands_for_no_segment(rich: Clone) -> None:
    git(rich.folder, "tag", "4711", rich.tip)
    with rich.store() as store, pytest.raises(ContradictionError, match="segment 4711"):
        find_since(store, rich.tip, "4711")


def test_what_was_forged_after_it_is_found(made: Clone) -> None:
    number = made.state.head.number
    forger = forger_of(made)
    ordered, tbs = forger.certificate()
    forger.push(ordered, None, signed_with(made, ordered, tbs, key="other"))
    report = since(made, str(number))
    assert any("not one of CA issuing's key" in item.message for item in report.contradictions)


def test_a_crl_that_was_forged_after_it_is_found(made: Clone) -> None:
    """The replay looks at CRLs by itself; certificates are judged elsewhere."""
    number = made.state.head.number
    made.clock.forward(hours=1)
    ordered, tbs = crl_order(made)
    signed, crl = crl_signed_with(made, ordered, tbs, "other")
    plant(made, ordered, signed, crl=crl)
    found = since(made, str(number)).contradictions
    assert any("not one of CA issuing's key" in item.message for item in found)


def test_a_file_of_before_that_was_changed_after_it_is_found(rich: Clone) -> None:
    commit = rich.save({WEB_PEM: b"evil"})
    report = since(rich, "13")
    assert report.contradictions[0].commit == commit


def test_a_crl_of_before_is_still_compared(rich: Clone) -> None:
    rich.save({"issued/issuing/crl.der": rich.read("issued/root/crl.der")})
    places = {item.place for item in since(rich, "13").contradictions}
    assert places == {"issued/issuing/crl.der"}


def test_the_chain_of_before_is_still_followed(rich: Clone) -> None:
    path = "issued/ledger/00000003.jsonl"
    rich.save({path: rich.read(path).replace(b":00Z", b":01Z")})
    assert since(rich, "13").exit_code == 5
