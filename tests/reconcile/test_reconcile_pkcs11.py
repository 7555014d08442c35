"""A hierarchy whose keys are all in a token: SoftHSM, through its module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ca_documents import authority, policy, request, revocation
from ca_world import Clone, KeyRing
from gitca.reconcile.linting import MANY
from gitca.signers import KeyAbsentError, Signer, create_key, open_signer
from token_world import Token, token

Opener = Callable[[str], Signer]
NAMES = tuple(f"host{number}" for number in range(MANY + 10))


def no_secret(purpose: str) -> bytes:
    raise AssertionError(f"asked for a secret for {purpose}")


@pytest.fixture(scope="module")
def hsm() -> Token:
    return token("reconcile")


@pytest.fixture
def opener(tmp_path: Path) -> Iterator[Opener]:
    opened: list[Signer] = []

    def open_one(uri: str) -> Signer:
        opened.append(open_signer(uri, base=tmp_path / "clone", passphrase=no_secret))
        return opened[-1]

    yield open_one
    for signer in opened:
        signer.close()


@pytest.mark.parametrize(
    ("root", "root_algorithm", "issuing"),
    [
        ("RSA-3072", "rsa-pss-sha384", "P-384"),
        ("P-521", "ecdsa-sha512", "RSA-2048"),
    ],
)
def test_cas_in_a_token_issue_revoke_and_verify(
    hsm, opener, key_ring: KeyRing, tmp_path: Path, root, root_algorithm, issuing
) -> None:
    keys = {"root": hsm.uri(f"root-{root}"), "issuing": hsm.uri(f"issuing-{issuing}")}
    for uri, spec in zip(keys.values(), (root, issuing), strict=True):
        create_key(uri, spec, base=tmp_path, passphrase=no_secret)
    documents = {
        "ca/root.yaml": authority("root", key=keys["root"], signatureAlgorithm=root_algorithm),
        "ca/issuing.yaml": authority("issuing", "root", key=keys["issuing"]),
        "policies/server.yaml": policy(),
    }
    clone = Clone.create(tmp_path / "clone", key_ring, documents)
    # So many that the linter's own processes are started while the module is in use.
    clone.save(
        {f"requests/{name}.yaml": request(name, f"{name}.example.internal") for name in NAMES}
    )
    report = clone.reconcile(opener=opener)
    assert (report.exit_code, report.unreachable) == (0, {})
    assert [clone.openssl_verify(name) for name in NAMES[::30]] == ["OK"] * len(NAMES[::30])

    serial = clone.current(NAMES[0]).certificate.serial
    clone.clock.forward(hours=1)
    clone.save({"requests/revoked.yaml": revocation(certificate=NAMES[0])})
    assert clone.reconcile(opener=opener).exit_code == 0
    assert set(clone.revoked()) == {serial}
    assert "revoked" in clone.openssl_verify(NAMES[0])
    assert clone.openssl_verify(NAMES[1]) == "OK"
    assert clone.verify().contradictions == []


def test_a_root_whose_token_is_away_leaves_the_others_at_work(
    hsm, opener, key_ring: KeyRing, tmp_path: Path
) -> None:
    away = f"pkcs11:token=in%20the%20safe;object=root?{hsm.uri('').partition('?')[2]}"
    here = hsm.uri("standalone")
    create_key(here, "P-256", base=tmp_path, passphrase=no_secret)
    documents = {
        "ca/root.yaml": authority("root", key=away),
        "ca/issuing.yaml": authority("issuing", key=here, pathLength=0),
        "policies/server.yaml": policy(),
        "requests/api.yaml": request("api", "api.example.internal"),
    }
    clone = Clone.create(tmp_path / "clone", key_ring, documents)
    with pytest.raises(KeyAbsentError, match="token is out of reach"):
        opener(away)
    report = clone.reconcile(opener=opener)
    assert (report.exit_code, report.unreachable, list(report.absent)) == (0, {}, ["root"])
    assert clone.state.authority("root").certificate is None
    assert clone.state.requests["api"].current is not None
    assert clone.verify().contradictions == []
