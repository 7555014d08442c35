"""What is published is not what Git has: a target with files in Git is refused."""

from __future__ import annotations

from ca_world import Clone
from publish_world import (
    API,
    FOLDER,
    files,
    reconciled,
    repository,
)


def test_nothing_is_published_where_git_has_files(made: Clone) -> None:
    made.save(repository(FOLDER, "directory:other") | API | {"public/issuing.crl": "planted"})
    report = reconciled(made)
    assert report.exit_code == 2
    assert report.published is not None
    first, second = report.published.targets
    assert "public/issuing.crl" in str(first.failures[0])
    assert "git rm -r --cached public" in first.failures[0].remedy
    assert files(made) == {"issuing.crl": b"planted"}
    # The other target is none the worse for it.
    assert not second.failures
    assert "manifest.json" in files(made, "other")


def test_a_folder_beside_files_of_git_is_a_target(made: Clone) -> None:
    made.save(repository("directory:site/pki") | {"site/index.html": "x", "site/pki.md": "y"})
    assert reconciled(made).exit_code == 0
    assert "manifest.json" in files(made, "site/pki")
