"""docs/intermediates.md: its documents and commands are run, and each product is played.

gitca signs the four intermediates of the page in a real reconcile. Then openssl takes the place of
cert-manager, SPIRE, Istio and step-ca: it signs below the intermediate, inside of what the page
says of it and outside, and every judge is asked.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ca_documents import revocation
from ca_world import Clock, Clone, KeyRing
from components import require
from judges.chain import Chain, Verdict, from_pem
from judges.openssl import certificate_text
from judges.openssl_authority import AUTHORITY_EXTENSIONS, OpensslAuthority, leaf_extensions
from judges.process import must

Judge = Callable[[Chain], Verdict]

PAGE = (Path(__file__).parents[2] / "docs/intermediates.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(?P<kind>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_PATH = re.compile(r"# (\S+\.yaml)\n")
PRODUCTS = ("cert-manager", "spire", "istio", "step-ca")

SPIRE_EXTENSIONS = (
    "basicConstraints=critical,CA:TRUE",
    *AUTHORITY_EXTENSIONS[1:],
    "subjectAltName=URI:spiffe://prod.example.internal",
)
"""What SPIRE's server asks its upstream authority to sign: a CA that is a SPIFFE ID itself."""

INSIDE = {
    "cert-manager": [
        "DNS:api.berlin.k8s.example.internal",
        "DNS:payments.shop.svc.cluster.local",
    ],
    "spire": [
        "URI:spiffe://prod.example.internal/payments/api",
        "URI:spiffe://prod.example.internal/db,DNS:db.prod.example.internal",
    ],
    "istio": [
        "URI:spiffe://mesh.example.internal/ns/payments/sa/api",
        "DNS:istiod.istio-system.svc,DNS:istiod-remote.istio-system.svc",
    ],
    "step-ca": [
        "DNS:laptop.dev.example.internal",
        "DNS:ca.dev.example.internal,IP:10.20.0.1",
        "IP:fd20::1",
    ],
}
OUTSIDE = {
    "cert-manager": ["DNS:api.paris.k8s.example.internal", "DNS:api.example.com", "IP:10.1.2.3"],
    "spire": ["DNS:db.example.internal", "IP:10.1.2.3"],
    "istio": ["DNS:api.example.internal", "DNS:kubernetes.default.svc", "IP:10.1.2.3"],
    "step-ca": ["DNS:localhost", "IP:127.0.0.1", "DNS:api.example.internal", "IP:fd00::1"],
}
OTHER_TRUST_DOMAINS = {
    "cert-manager": ["URI:spiffe://example.com/api"],
    "spire": ["URI:spiffe://example.internal/api", "URI:spiffe://a.prod.example.internal/api"],
    "istio": ["URI:spiffe://cluster.local/ns/a/sa/b", "URI:spiffe://prod.example.internal/api"],
    "step-ca": ["URI:spiffe://prod.example.internal/api"],
}
DEPTHS = {"cert-manager": 0, "spire": 1, "istio": 0, "step-ca": 0}


def blocks(kind: str) -> list[str]:
    """The blocks of the page that are marked with a kind."""
    return [found["text"] for found in _BLOCK.finditer(PAGE) if found["kind"] == kind]


def run_as_written(commands: str, folder: Path) -> None:
    """Run a block of the page's commands."""
    done = subprocess.run(
        ["sh", "-eu", "-c", commands], cwd=folder, capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr


@dataclass(frozen=True, slots=True)
class Product:
    """One product with its intermediate; what signs for it is the last of `authorities`."""

    clone: Clone
    authorities: tuple[OpensslAuthority, ...]
    folder: Path

    def chain(self, sans: str, *below: OpensslAuthority) -> Chain:
        """Return what a relying party has of a certificate with any names whatever."""
        path = (*self.authorities, *below)
        key = path[0].folder / "key.pem"
        leaf = path[-1].issue("/O=Example", leaf_extensions(sans=sans), key=key)
        leaf_side_first = path[::-1]
        return Chain(
            leaf,
            tuple(one.certificate for one in leaf_side_first),
            from_pem((self.folder / "root.pem").read_text())[0],
            (*(one.crl() for one in leaf_side_first), self.clone.read("issued/root/crl.der")),
        )

    def below(self) -> OpensslAuthority:
        """Return a CA below those that the product has."""
        folder = self.folder / "below"
        if folder.exists():
            return OpensslAuthority(folder)
        return self.authorities[-1].subordinate(folder, "Below CA")


@pytest.fixture(scope="session")
def handed(tmp_path_factory: pytest.TempPathFactory, key_ring: KeyRing) -> Clone:
    """The page's repository, after its commands, a reconcile, and its commands again."""
    require("openssl")
    folder = tmp_path_factory.mktemp("intermediates") / "clone"
    files = {_PATH.match(text)[1]: text for text in blocks("yaml document")}
    clone = Clone.create(folder, key_ring, {})
    clone.clock = Clock(datetime.now(UTC).replace(microsecond=0))
    run_as_written("".join(blocks("sh")), folder)
    csrs = {f"requests/intermediates/{name}.csr": "" for name in PRODUCTS}
    clone.save({path: (folder / path).read_bytes() for path in csrs} | files)
    report = clone.reconcile()
    assert report.findings == (), "\n".join(map(str, report.findings))
    run_as_written("".join(blocks("sh after")), folder)
    return clone


@pytest.fixture(scope="session")
def products(tmp_path_factory: pytest.TempPathFactory, handed: Clone) -> dict[str, Product]:
    """Each product with the key and the certificate that it was handed."""
    made = {}
    for name in PRODUCTS:
        folder = tmp_path_factory.mktemp(name)
        (folder / "root.pem").write_bytes(handed.read("issued/root/ca.pem"))
        text = handed.read(f"issued/root/certificates/intermediates/{name}.pem").decode()
        key = (handed.folder.parent / name / "ca.key").read_bytes()
        upstream = OpensslAuthority.adopt(
            folder / "upstream", certificate=from_pem(text)[0], key_pem=key
        )
        authorities = (upstream,)
        if name == "spire":
            server = upstream.subordinate(folder / "server", "SPIRE server", SPIRE_EXTENSIONS)
            authorities = (upstream, server)
        made[name] = Product(handed, authorities, folder)
    return made


def cases(names: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(product, sans) for product, listed in names.items() for sans in listed]


@pytest.mark.parametrize(("name", "sans"), cases(INSIDE))
def test_what_the_page_promises_is_accepted(
    judge: Judge, products: dict[str, Product], name: str, sans: str
) -> None:
    verdict = judge(products[name].chain(sans))
    assert verdict.accepted, verdict.words


@pytest.mark.parametrize(("name", "sans"), cases(OUTSIDE))
def test_what_is_outside_of_the_constraints_is_refused(
    judge: Judge, products: dict[str, Product], name: str, sans: str
) -> None:
    verdict = judge(products[name].chain(sans))
    assert not verdict.accepted, verdict.words


@pytest.mark.parametrize(("name", "sans"), cases(OTHER_TRUST_DOMAINS))
@pytest.mark.parametrize("judge_name", ["openssl", "nss", "java"])
def test_an_identity_of_another_trust_domain_is_refused(
    judge_of: Callable[[str], Judge],
    products: dict[str, Product],
    judge_name: str,
    name: str,
    sans: str,
) -> None:
    # GnuTLS 3.7 does not look at permitted URI subtrees, as the page says.
    verdict = judge_of(judge_name)(products[name].chain(sans))
    assert not verdict.accepted, verdict.words


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_ca_more_than_the_path_length_allows_is_refused(
    judge: Judge, products: dict[str, Product], name: str
) -> None:
    product = products[name]
    verdict = judge(product.chain(INSIDE[name][0], product.below()))
    assert not verdict.accepted, verdict.words


@pytest.mark.parametrize("name", PRODUCTS)
def test_openssl_reads_what_each_product_needs(products: dict[str, Product], name: str) -> None:
    text = certificate_text(products[name].authorities[0].certificate)
    constraints = f"X509v3 Basic Constraints: critical\n{' ' * 16}CA:TRUE, pathlen:{DEPTHS[name]}"
    assert constraints in text
    assert "X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign\n" in text
    assert "X509v3 Name Constraints: critical" in text
    assert "TLS Web Server Authentication, TLS Web Client Authentication" in text
    assert re.search(r"URI:http://pki\.example\.internal/root-[0-9a-f]{40}\.crl\n", text)


def test_the_files_of_cert_manager_are_its_chain_up_to_the_root(handed: Clone) -> None:
    folder = handed.folder.parent / "cert-manager"
    intermediate, root = from_pem((folder / "tls.crt").read_text())
    assert (intermediate, root) == certificates_of(handed, "cert-manager")
    assert is_pair(folder / "tls.crt", folder / "ca.key")


def test_the_files_of_spire_are_a_chain_and_a_bundle(handed: Clone) -> None:
    folder = handed.folder.parent / "spire"
    chain, bundle = (
        from_pem((folder / f"{name}.pem").read_text()) for name in ("upstream", "bundle")
    )
    assert (*chain, *bundle) == certificates_of(handed, "spire")
    assert is_pair(folder / "upstream.pem", folder / "ca.key")


def test_the_files_of_istio_are_the_four_that_it_looks_for(handed: Clone) -> None:
    folder = handed.folder.parent / "istio"
    names = ("ca-cert.pem", "root-cert.pem", "cert-chain.pem")
    own, root, chain = (from_pem((folder / name).read_text()) for name in names)
    assert (*own, *root) == chain == certificates_of(handed, "istio")
    assert is_pair(folder / "ca-cert.pem", folder / "ca-key.pem")


def test_the_files_of_step_ca_are_its_root_and_its_intermediate(handed: Clone) -> None:
    folder = handed.folder.parent / "step-ca"
    root, own = (from_pem((folder / f"{n}_ca.crt").read_text()) for n in ("root", "intermediate"))
    assert (*own, *root) == certificates_of(handed, "step-ca")
    assert is_pair(folder / "intermediate_ca.crt", folder / "ca.key")


def certificates_of(handed: Clone, name: str) -> tuple[bytes, bytes]:
    """The intermediate and the root, as issued/ has them."""
    paths = (f"issued/root/certificates/intermediates/{name}.pem", "issued/root/ca.pem")
    intermediate, root = (from_pem(handed.read(path).decode()) for path in paths)
    return intermediate[0], root[0]


def is_pair(certificate: Path, key: Path) -> bool:
    """Whether openssl finds one public key in both."""
    of_certificate = must("openssl", "x509", "-in", certificate, "-noout", "-pubkey")
    return of_certificate == must("openssl", "pkey", "-in", key, "-pubout")


def test_the_repository_proves_itself(handed: Clone) -> None:
    assert handed.verify().contradictions == []
    assert handed.plan().actions == ()


def test_a_new_key_is_a_second_certificate_and_the_first_stays_good(
    tmp_path: Path, judge_of: Callable[[str], Judge], handed: Clone, products: dict[str, Product]
) -> None:
    clone = handed.copy(tmp_path / "clone")
    before = clone.current("intermediates/istio").certificate
    run_as_written("".join(blocks("sh")), clone.folder)
    csr = "requests/intermediates/istio.csr"
    clone.save({csr: (clone.folder / csr).read_bytes()})
    assert [action.action for action in clone.plan().actions] == ["rekey"]
    assert clone.reconcile().exit_code == 0
    after = clone.current("intermediates/istio").certificate
    assert before.key != after.key
    old = products["istio"].chain(INSIDE["istio"][0])
    assert judge_of("openssl")(old).accepted


def test_a_revoked_intermediate_ends_what_is_below_it(
    tmp_path: Path, judge: Judge, handed: Clone, products: dict[str, Product]
) -> None:
    clone = handed.copy(tmp_path / "clone")
    stop = revocation("cACompromise", certificate="intermediates/spire")
    clone.save({"requests/stop.yaml": stop})
    assert clone.reconcile().exit_code == 0
    spire = products["spire"]
    revoked = Product(clone, spire.authorities, spire.folder)
    verdict = judge(revoked.chain(INSIDE["spire"][0]))
    assert not verdict.accepted, verdict.words


def test_the_page_marks_what_is_run() -> None:
    kinds = {found["kind"] for found in _BLOCK.finditer(PAGE)}
    assert kinds == {"yaml document", "yaml kubernetes", "sh", "sh after", "console", "hcl", "json"}
    assert len(blocks("yaml document")) == 2 + 2 * len(PRODUCTS)
