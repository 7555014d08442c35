"""Many publish at once while CAs revoke: a relying party never sees a CRL number fall."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509

from ca_documents import authority, request, revocation
from ca_fixtures import both_layouts
from ca_world import Clone, git
from gitca.reconcile.published import Published
from publish_world import (
    FOLDER,
    as_loaded,
    files,
    public,
    published,
    reconciled,
    repository,
)

ROUNDS = 3
NAMES = [f"host{number}" for number in range(ROUNDS)]


class Reader:
    """Fetches the CRL again and again, and keeps the numbers in the order in which it saw them."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.numbers: list[int] = []
        self.failures: list[Exception] = []
        self.done = threading.Event()

    def watch(self) -> None:
        while not self.done.wait(0.002):
            try:
                crl = x509.load_der_x509_crl(self.place.read_bytes())
            except (OSError, ValueError) as error:
                self.failures.append(error)
                return
            number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
            if not self.numbers or self.numbers[-1] != number:
                self.numbers.append(number)


def test_the_number_of_a_published_crl_never_falls_whoever_is_late(
    shared: Clone, tmp_path: Path
) -> None:
    place = tmp_path / "srv"
    place.mkdir()
    shared.save(
        repository("directory:pki")
        | {f"requests/{name}.yaml": request(name, f"{name}.example.internal") for name in NAMES}
    )
    assert reconciled(shared, base=place).exit_code == 0
    reader = Reader(place / "pki" / "issuing.crl")
    others = [shared.beside(f"other{number}") for number in range(2)]
    told: list[Published] = []

    def keep_publishing(clone: Clone) -> None:
        while not reader.done.is_set():
            with as_loaded(clone) as loaded:
                # Late: another run publishes a CRL after this one has loaded the branch.
                seen = len(reader.numbers)
                while len(reader.numbers) == seen and not reader.done.wait(0.005):
                    pass
                told.append(published(clone, base=place, loaded=loaded))

    threads = [threading.Thread(target=keep_publishing, args=(other,)) for other in others]
    threads.append(threading.Thread(target=reader.watch))
    for thread in threads:
        thread.start()
    try:
        for name in NAMES:
            shared.clock.forward(minutes=1)
            shared.pull()
            shared.save({f"requests/stop-{name}.yaml": revocation(certificate=name)})
            assert reconciled(shared, base=place).exit_code == 0
    finally:
        reader.done.set()
        for thread in threads:
            thread.join()
    assert reader.failures == []
    assert reader.numbers == sorted(reader.numbers)
    assert len(reader.numbers) > 1
    assert told
    assert [failure for one in told for target in one.targets for failure in target.failures] == []
    assert published(shared, base=place).targets[0].sent == []
    shared.pull()
    assert reader.place.read_bytes() == shared.read("issued/issuing/crl.der")
    assert set(shared.revoked()) == {shared.current(name).certificate.serial for name in NAMES}


def meanwhile(moment: tuple[str, str], do: Callable[[], object]) -> Callable[[str, str], None]:
    """Return what does something once, before the first call of that kind."""
    done: list[object] = []

    def before(*call: str) -> None:
        if call == moment and not done:
            done.append(True)
            do()

    return before


@pytest.mark.parametrize(
    "moment",
    [("read", "manifest.json"), ("read", "bundles/roots.pem"), ("write", "bundles/roots.pem")],
)
@both_layouts
def test_a_run_that_is_late_by_documents_alone_puts_no_bundle_back(
    made: Clone, moment: tuple[str, str]
) -> None:
    """The ledger is the same; the manifest's commit tells who is late, whenever that shows."""
    spec = {"issuedBranch": "issued"} if made.is_parted else {}
    made.save(repository(FOLDER, **spec))
    assert reconciled(made).exit_code == 0
    earlier = files(made)["bundles/roots.pem"]
    made.save({"ca/other.yaml": authority("other")})
    assert reconciled(made).exit_code == 0
    later = files(made)["bundles/roots.pem"]
    assert later.count(b"BEGIN") == earlier.count(b"BEGIN") + 1
    made.save({"ca/other.yaml": authority("other", state="retired")})
    public(made, "bundles/roots.pem").write_bytes(earlier + b"\n")
    seen = []

    def other_run() -> None:
        assert published(made).exit_code == 0
        assert files(made)["bundles/roots.pem"] == later

    def look(*call: str) -> None:
        other(*call)
        seen.append(files(made)["bundles/roots.pem"])

    other = meanwhile(moment, other_run)
    with as_loaded(made) as late:
        git(made.folder, "revert", "--no-edit", "HEAD")
        result = published(made, loaded=late, before=look)
    assert result.exit_code == 0
    assert set(seen) <= {earlier + b"\n", later}, "and no relying party saw another meanwhile"
    assert files(made)["bundles/roots.pem"] == later


def test_a_commit_that_nobody_has_is_looked_for_and_holds_up_nothing(made: Clone) -> None:
    """Whoever may write the manifest cannot stop certificates by a commit that is none."""
    made.save(repository(FOLDER))
    assert reconciled(made).exit_code == 0
    place = public(made, "manifest.json")
    place.write_text(place.read_text().replace(json.loads(place.read_text())["commit"], "1" * 40))
    roots = files(made)["bundles/roots.pem"]
    public(made, "bundles/roots.pem").write_bytes(b"x")
    result = published(made)
    assert result.exit_code == 0
    assert files(made)["bundles/roots.pem"] == roots
    assert "1" * 40 in result.targets[0].notes[0]


@pytest.mark.parametrize("segments", [0, 1])
def test_a_progress_note_never_replaces_a_later_manifest(made: Clone, segments: int) -> None:
    made.save(repository(FOLDER))
    assert reconciled(made).exit_code == 0
    made.save({"ca/other.yaml": authority("other")})
    assert made.reconcile().exit_code == 0
    planted: list[bytes] = []

    def plant() -> None:
        place = public(made, "manifest.json")
        record = json.loads(place.read_text())
        record["segment"] += 1 + segments
        planted.append(json.dumps(record).encode())
        place.write_bytes(planted[0])

    result = published(made, before=meanwhile(("write", "other.cer"), plant))
    assert result.exit_code == 5
    assert files(made)["manifest.json"] == planted[0]


def test_a_claim_that_failed_lets_no_other_object_through(made: Clone) -> None:
    """Objects wait for one claim; another run claims first, and has written nothing else yet."""
    made.save(repository(FOLDER))
    assert reconciled(made).exit_code == 0
    calls: list[tuple[str, ...]] = []
    with as_loaded(made) as late:
        git(made.folder, "commit", "-q", "--allow-empty", "-m", "later")
        place = public(made, "manifest.json")
        claim = json.loads(place.read_text()) | {"commit": git(made.folder, "rev-parse", "HEAD")}
        spoilt = [f"{ca}.{kind}" for ca in ("root", "issuing") for kind in ("cer", "pem", "p7c")]
        for path in spoilt:
            public(made, path).write_bytes(b"spoilt")
        other = meanwhile(("write", "manifest.json"), lambda: place.write_text(json.dumps(claim)))

        def look(*call: str) -> None:
            calls.append(call)
            other(*call)

        assert published(made, loaded=late, before=look).exit_code == 0
    anew = [number for number, call in enumerate(calls) if call == ("read", "root.crl")][1]
    assert not {path for what, path in calls[:anew] if what == "write"} & set(spoilt)
    assert {path for what, path in calls[anew:] if what == "write"} >= set(spoilt)
