"""Many publish at once while CAs revoke: a relying party never sees a CRL number fall."""

from __future__ import annotations

import threading
from pathlib import Path

from cryptography import x509

from ca_documents import request, revocation
from ca_world import Clone
from gitca.reconcile.published import Published
from publish_world import as_loaded, published, reconciled, repository

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
