"""What a target holds, as openssl reads it, with its media types and cache lifetimes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ca_documents import CRL, authority
from ca_world import Clone
from gitca.documents.load import load_governing
from gitca.publishers import Item
from gitca.publishers.layout import authority_items, crl_renditions, leaves, misnamed
from gitca.x509.certs_only import certs_only
from judges.process import must


def items_of(clone: Clone) -> dict[str, Item]:
    """The objects of a repository by path."""
    with clone.store() as store:
        snapshot = store.load()
        governing = load_governing(snapshot.entries, store.read)
    state = snapshot.state
    crls = {ca: clone.read(f"issued/{ca}/crl.der") for ca in state.authorities}
    found = [
        item for one in crl_renditions(state, crls, governing.authorities) for item in one.items
    ]
    found += authority_items(state, governing, clone.clock.now)
    found += [leaf.build() for leaf in leaves(state)]
    return {item.path: item for item in found}


@pytest.fixture(scope="module")
def laid_out(issued_once: Clone) -> dict[str, Item]:
    return items_of(issued_once)


def key_of(clone: Clone, ca: str) -> str:
    words = must(
        *("openssl", "x509", "-noout", "-ext", "subjectKeyIdentifier"),
        stdin=clone.read(f"issued/{ca}/ca.pem"),
    )
    return words.decode().splitlines()[-1].strip().replace(":", "").lower()


def test_a_target_holds_these_objects_and_no_others(
    issued_once: Clone, laid_out: dict[str, Item]
) -> None:
    root, issuing = key_of(issued_once, "root"), key_of(issued_once, "issuing")
    serial = issued_once.current("payments/api").certificate.serial
    assert sorted(laid_out) == sorted(
        [
            *("root.cer", "root.pem", f"root-{root}.cer", "root.p7c"),
            *("root.crl", "root.crl.pem", f"root-{root}.crl"),
            *("issuing.cer", "issuing.pem", f"issuing-{issuing}.cer", "issuing.p7c"),
            *("issuing.crl", "issuing.crl.pem", f"issuing-{issuing}.crl", "issuing.chain.pem"),
            "bundles/roots.pem",
            "certificates/issuing/payments/api.pem",
            f"serials/issuing/{serial}.cer",
        ]
    )


HEADERS = {
    "issuing.crl": ("application/pkix-crl", "public, max-age=3600"),
    "issuing.crl.pem": ("application/x-pem-file", "public, max-age=3600"),
    "issuing.cer": ("application/pkix-cert", "public, max-age=86400"),
    "issuing.pem": ("application/x-pem-file", "public, max-age=86400"),
    "issuing.chain.pem": ("application/pem-certificate-chain", "public, max-age=86400"),
    "issuing.p7c": ("application/pkcs7-mime", "public, max-age=86400"),
    "bundles/roots.pem": ("application/x-pem-file", "public, max-age=3600"),
    "certificates/issuing/payments/api.pem": ("application/pem-certificate-chain", "no-cache"),
}


@pytest.mark.parametrize("path", HEADERS)
def test_an_object_has_its_media_type_and_lifetime(laid_out: dict[str, Item], path: str) -> None:
    assert (laid_out[path].media_type, laid_out[path].cache_control) == HEADERS[path]


def test_what_lies_under_a_serial_number_may_be_kept_for_a_year(
    laid_out: dict[str, Item],
) -> None:
    (item,) = (item for path, item in laid_out.items() if path.startswith("serials/"))
    assert item.cache_control == "public, max-age=31536000, immutable"


def test_a_crl_expires_at_its_next_update(issued_once: Clone, laid_out: dict[str, Item]) -> None:
    expires = laid_out["issuing.crl"].expires
    assert expires == issued_once.crl().next_update_utc


def test_no_cache_keeps_a_crl_beyond_the_next_ones_nextupdate(issued: Clone) -> None:
    """One that is taken right before the next is made is gone when its own nextUpdate comes."""
    crl = CRL | {"refreshBefore": "20m", "urls": ["http://pki.example.internal/issuing.crl"]}
    issued.save({"ca/issuing.yaml": authority("issuing", "root", crl=crl)})
    assert items_of(issued)["issuing.crl"].cache_control == "public, max-age=1200"


def test_openssl_reads_every_object(laid_out: dict[str, Item], tmp_path: Path) -> None:
    for path, item in laid_out.items():
        file = tmp_path / path.replace("/", "-")
        file.write_bytes(item.content)
        match path.rsplit(".", 1)[1], path:
            case "crl", _:
                must("openssl", "crl", "-inform", "DER", "-noout", "-in", file)
            case "cer", _:
                must("openssl", "x509", "-inform", "DER", "-noout", "-in", file)
            case "p7c", _:
                words = must(
                    *("openssl", "pkcs7", "-inform", "DER", "-print_certs", "-noout", "-in", file)
                )
                assert b"subject=" in words
            case "pem", name if name.endswith(".crl.pem"):
                must("openssl", "crl", "-noout", "-in", file)
            case _:
                must("openssl", "x509", "-noout", "-in", file)


def test_a_relying_party_gets_from_the_root_to_the_certificate_with_what_is_published(
    issued_once: Clone, laid_out: dict[str, Item], tmp_path: Path
) -> None:
    for name, path in {
        "roots": "bundles/roots.pem",
        "leaf": "certificates/issuing/payments/api.pem",
        "chain": "issuing.chain.pem",
        "crl": "issuing.crl.pem",
    }.items():
        (tmp_path / name).write_bytes(laid_out[path].content)
    moment = str(int(issued_once.clock.now.timestamp()))
    must(
        *("openssl", "verify", "-x509_strict", "-crl_check", "-attime", moment),
        *("-no-CApath", "-no-CAstore", "-CAfile", "roots", "-untrusted", "chain"),
        *("-CRLfile", "crl", "leaf"),
        cwd=tmp_path,
    )


def test_a_retired_root_is_no_longer_in_the_bundle(issued: Clone) -> None:
    assert b"BEGIN CERTIFICATE" in items_of(issued)["bundles/roots.pem"].content
    issued.save({"ca/root.yaml": authority("root", state="retired")})
    assert items_of(issued)["bundles/roots.pem"].content == b""


@pytest.mark.parametrize(
    "typo",
    [
        {"ca/root.yaml": authority("root", validity="10yy")},
        {"ca/root.yaml": "spec: ["},
        {"ca/root.yaml": None, "ca/root.yml": authority("root")},
        {"ca/root.yaml": None, "ca/rot.yaml": authority("root")},
        {"ca/root.yaml": None, "ca/ROOT/root.yaml": authority("root")},
    ],
)
def test_a_slip_in_a_document_takes_no_root_out_of_the_bundle(
    issued: Clone, laid_out: dict[str, Item], typo: dict[str, str | None]
) -> None:
    issued.save(typo)
    assert items_of(issued)["bundles/roots.pem"] == laid_out["bundles/roots.pem"]


def test_a_root_whose_document_is_deleted_is_no_longer_in_the_bundle(issued: Clone) -> None:
    issued.save({"ca/root.yaml": None, "ca/issuing.yaml": None, "policies/server.yaml": None})
    assert items_of(issued)["bundles/roots.pem"].content == b""


def test_a_root_that_ended_is_no_longer_in_the_bundle(issued: Clone) -> None:
    issued.clock.forward(days=3700)
    assert items_of(issued)["bundles/roots.pem"].content == b""


def test_the_moment_changes_nothing_else(issued: Clone, laid_out: dict[str, Item]) -> None:
    issued.clock.forward(days=300)
    assert items_of(issued) == laid_out


def other_ca(clone: Clone, name: str) -> Clone:
    """Make a root of this name, on a key of its own."""
    clone.save({f"ca/{name}.yaml": authority("other", subject={"commonName": "Another CA"})})
    assert clone.reconcile().exit_code == 0
    return clone


@pytest.mark.parametrize("ending", ["chain", "crl", "key", "KEY"])
def test_a_ca_takes_no_place_of_an_older_one(
    issued: Clone, laid_out: dict[str, Item], ending: str
) -> None:
    """Relying parties fetch the older one's there, by URLs in its certificates."""
    key = key_of(issued, "issuing")
    suffixes = {"chain": ".chain", "crl": ".crl", "key": f"-{key}", "KEY": f"-{key.upper()}"}
    name = f"issuing{suffixes[ending]}"
    taken = {
        "chain": {"issuing.chain.pem"},
        "crl": {"issuing.crl.pem"},
        "key": {f"{name}.crl", f"{name}.cer"},
        "KEY": {f"{name}.crl", f"{name}.cer"},
    }[ending]
    there = items_of(other_ca(issued, name))
    same = {path for path in laid_out if path != "bundles/roots.pem"}
    assert {path: there[path] for path in same} == {path: laid_out[path] for path in same}
    own = key_of(issued, name)
    wanted = {f"{name}.{kind}" for kind in ("cer", "pem", "p7c", "crl", "crl.pem")}
    wanted |= {f"{name}-{own}.cer", f"{name}-{own}.crl"}
    assert there.keys() - laid_out.keys() == wanted - taken
    assert set(misnamed(issued.state)) == {(path, name, "issuing") for path in taken}


@pytest.mark.parametrize(("since", "owner"), [(1, "root.chain"), (2, "root"), (9, "root")])
def test_of_two_cas_the_older_keeps_its_place_and_of_two_made_at_once_the_shorter_name(
    issued: Clone, since: int, owner: str
) -> None:
    state = issued.state
    record = state.authorities.pop("issuing")
    assert record.certificate is not None
    assert state.authorities["root"].certificates[0][0] == 2
    state.authorities["root.chain"] = replace(record, certificates=[(since, record.certificate)])
    ((path, _, has),) = misnamed(state)
    assert (path, has) == ("root.chain.pem", owner)


def test_a_bundle_of_certificates_is_a_set_in_der(issued_once: Clone) -> None:
    ders = [
        must("openssl", "x509", "-outform", "DER", stdin=issued_once.read(f"issued/{ca}/ca.pem"))
        for ca in ("root", "issuing")
    ]
    assert certs_only(ders) == certs_only([*reversed(ders), ders[0]])
    words = must(
        "openssl", "pkcs7", "-inform", "DER", "-print_certs", "-noout", stdin=certs_only(ders)
    )
    assert words.count(b"subject=") == len(ders)
