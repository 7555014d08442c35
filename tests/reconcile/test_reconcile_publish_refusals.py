"""What a target refuses for one object, or who can write its manifest, stops no other CRL."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from ca_documents import request
from ca_world import Clone
from gitca.reconcile import sending
from gitca.reconcile import target as target_run
from publish_world import (
    FOLDER,
    STOP,
    files,
    public,
    published,
    repository,
)


def link(target: Clone, path: str) -> None:
    place = public(target, path)
    place.unlink()
    place.symlink_to(target.folder / "elsewhere")


@pytest.mark.parametrize("path", ["root.crl", "issuing.crl"])
def test_a_crl_that_the_target_refuses_holds_up_no_other_and_no_certificate(
    target: Clone, path: str
) -> None:
    target.save(STOP | {"requests/web.yaml": request("web", "web.example.internal")})
    assert target.reconcile().exit_code == 0
    link(target, path)
    result = published(target, before=None)
    (failure,) = result.targets[0].failures
    assert (result.exit_code, path in str(failure)) == (2, True)
    expected = {"issuing.crl", "issuing.crl.pem", "certificates/issuing/web.pem"} - {path}
    assert expected <= set(result.targets[0].sent)
    assert not json.loads(files(target)["manifest.json"])["complete"]
    public(target, path).unlink()
    assert published(target).exit_code == 0


def lacking(target: Clone) -> list[str]:
    """Three more requests, of whose certificates the target refuses one; returns their paths."""
    names = [f"host{number}" for number in range(3)]
    target.save(
        {f"requests/{name}.yaml": request(name, f"{name}.example.internal") for name in names}
    )
    assert target.reconcile().exit_code == 0
    paths = [f"certificates/issuing/{name}.pem" for name in names]
    public(target, paths[1]).symlink_to(target.folder / "elsewhere")
    return paths


def test_a_certificate_that_the_target_refuses_holds_up_no_other(target: Clone) -> None:
    paths = lacking(target)
    result = published(target)
    (failure,) = result.targets[0].failures
    assert (result.exit_code, paths[1] in str(failure)) == (2, True)
    assert {paths[0], paths[2]} <= set(result.targets[0].sent)
    assert paths[1] not in json.loads(files(target)["manifest.json"])["objects"]
    public(target, paths[1]).unlink()
    assert published(target).exit_code == 0
    assert paths[1] in files(target)


def test_a_cas_certificate_that_the_target_refuses_holds_up_no_other(target: Clone) -> None:
    (path, *_) = lacking(target)
    public(target, path).unlink(missing_ok=True)
    link(target, "root.cer")
    result = published(target)
    assert result.exit_code == 2
    assert path in result.targets[0].sent


def test_where_many_are_refused_the_run_at_that_target_ends(
    target: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = lacking(target)
    monkeypatch.setattr(target_run, "MOST_REFUSALS", 0)
    result = published(target)
    assert (result.exit_code, len(result.targets[0].failures)) == (2, 1)
    assert paths[1] in str(result.targets[0].failures[0])


def test_a_crl_that_somebody_keeps_changing_holds_up_no_other(target: Clone) -> None:
    old = files(target)["issuing.crl"]
    target.save(STOP)
    assert target.reconcile().exit_code == 0

    def undo(what: str, path: str) -> None:
        if (what, path) == ("written", "issuing.crl"):
            public(target, path).write_bytes(old)

    result = published(target, before=undo)
    assert result.exit_code == 4
    assert "issuing.crl.pem" in result.targets[0].sent
    assert result.targets[0].sent[-1] != "issuing.crl"


def of_another_history(target: Clone) -> None:
    place = public(target, "manifest.json")
    record = json.loads(place.read_text())
    place.write_text(json.dumps(record | {"ledger": "sha256:" + "0" * 64}))


@pytest.mark.parametrize(
    ("spoil", "code"),
    [(of_another_history, 5), (lambda target: link(target, "manifest.json"), 2)],
    ids=["of another history", "a symbolic link"],
)
def test_a_manifest_stops_no_revocation(
    target: Clone, spoil: Callable[[Clone], None], code: int
) -> None:
    target.save(STOP | {"requests/web.yaml": request("web", "web.example.internal")})
    assert target.reconcile().exit_code == 0
    spoil(target)
    result = published(target)
    assert result.exit_code == code
    assert len(result.targets[0].failures) == 1
    assert files(target)["issuing.crl"] == target.read("issued/issuing/crl.der")
    assert "certificates/issuing/web.pem" not in files(target)


def test_a_target_that_refuses_everything_says_so_once(target: Clone) -> None:
    public(target, "").rename(target.folder / "other")
    public(target, "").symlink_to(target.folder / "other")
    result = published(target)
    assert result.exit_code == 2
    assert len(result.targets[0].failures) == 1


def test_the_manifest_is_written_less_often_the_more_it_names(
    made: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is as long as all that was sent: at even steps all of them would cost the square."""
    names = [f"host{number}" for number in range(20)]
    made.save(
        repository(FOLDER)
        | {f"requests/{name}.yaml": request(name, f"{name}.example.internal") for name in names}
    )
    assert made.reconcile().exit_code == 0
    monkeypatch.setattr(target_run, "CHUNK", 1)
    named: list[int] = []

    def count(what: str, path: str) -> None:
        if (what, path) == ("written", "manifest.json"):
            named.append(len(json.loads(files(made)["manifest.json"])["objects"]))

    assert published(made, before=count).exit_code == 0
    assert named[-1] >= 40
    assert len(named) < 10, named
    assert all(after >= before * 1.2 for before, after in pairwise(named[1:-2]))


def test_a_large_object_in_the_place_of_a_crl_is_replaced_and_others_are_told_of(
    target: Clone,
) -> None:
    target.save(STOP)
    assert target.reconcile().exit_code == 0
    for path in ("root.crl", "issuing.crl", "root.crl.pem", "issuing.cer"):
        public(target, path).write_bytes(bytes(sending.LARGE + 1))
    reads = threading.Semaphore(1)  # for what is large

    def looked(what: str, path: str) -> None:
        if what == "large":
            assert reads.acquire(blocking=False)
            time.sleep(0.2)  # for another thread to come here, if it may
        elif what == "write" and path in {"root.crl", "issuing.crl", "root.crl.pem"}:
            reads.release()

    result = published(target, before=looked)
    (failure,) = result.targets[0].failures
    assert f"issuing.cer at the target has {sending.LARGE + 1} bytes" in str(failure)
    assert result.exit_code == 2
    assert files(target)["issuing.crl"] == target.read("issued/issuing/crl.der")
    assert {"root.crl", "issuing.crl", "root.crl.pem"} <= set(result.targets[0].sent)
