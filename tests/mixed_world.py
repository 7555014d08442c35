"""Three CAs, one above the other, each with another algorithm at another signer."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from cryptography import x509

from aws.aws_server import AwsServer
from ca_documents import authority, policy, request
from ca_world import PASSPHRASE, Clone, KeyRing
from gitca.ledger.image import certificate_der, standing_certificate
from gitca.reconcile.report import Report
from gitca.x509.certificate import Issuer, rehearse
from gitca.x509.signed import assemble
from gitca.x509.template import CertificateTemplate
from judges.chain import Chain, from_pem
from kms_world import signers_of_a_run
from token_world import PIN, Token

LEVELS = ("root", "middle", "issuing")
_numbers = count()


@dataclass(frozen=True)
class Level:
    """A CA's key and the algorithm that it signs with."""

    signer: str
    spec: str
    algorithm: str


Mix = tuple[Level, Level, Level]
MIXES: dict[str, Mix] = {
    "ML-DSA-65 file, P-384 token, P-256 KMS": (
        Level("file", "ML-DSA-65", "ml-dsa-65"),
        Level("pkcs11", "P-384", "ecdsa-sha384"),
        Level("awskms", "P-256", "ecdsa-sha256"),
    ),
    "RSA-PSS KMS, Ed25519 file, P-521 token": (
        Level("awskms", "RSA-3072", "rsa-pss-sha384"),
        Level("file", "Ed25519", "ed25519"),
        Level("pkcs11", "P-521", "ecdsa-sha512"),
    ),
}
DOCUMENTS = {"policies/server.yaml": policy()}


@dataclass
class MixedWorld:
    """A repository with a bare origin, made by the real command; no key is there yet."""

    clone: Clone
    aws: AwsServer
    uris: Mapping[str, str]
    mix: Mix

    @classmethod
    def create(
        cls, folder: Path, keys: KeyRing, aws: AwsServer, hsm: Token, mix: Mix
    ) -> MixedWorld:
        """Write the documents; the clock stands three weeks ago."""
        number = next(_numbers)
        uris = {
            name: {
                "file": f"file:.gitca/keys/{name}.pem",
                "pkcs11": hsm.uri(f"{name}-{number}", "module-name=softhsm2"),
                "awskms": aws.uri(f"alias/mixed/{number}/{name}"),
            }[level.signer]
            for name, level in zip(LEVELS, mix, strict=True)
        }
        clone = Clone.create(folder / "clone", keys, _documents(uris, mix))
        clone.with_origin(folder / "origin.git")
        clone.clock.now = datetime.now(UTC).replace(microsecond=0) - timedelta(days=21)
        return cls(clone, aws, uris, mix)

    def gitca(self, *arguments: str, status: int = 0) -> str:
        """Run the command in a process of its own, secrets in its environment alone."""
        done = subprocess.run(
            [sys.executable, "-m", "gitca", *arguments],
            cwd=self.clone.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        words = done.stdout + done.stderr
        assert done.returncode == status, words
        assert "Traceback" not in words
        assert PIN not in words
        assert PASSPHRASE.decode() not in words
        return words

    def environment(self) -> dict[str, str]:
        secret = {"GITCA_KEY_PASSPHRASE": PASSPHRASE.decode(), "GITCA_PKCS11_PIN": PIN}
        return {**os.environ, **self.aws.environment(), **secret, "NO_COLOR": "1"}

    def make_keys(self) -> None:
        """Make the three keys with `gitca keys create`."""
        role = ("--sign-role", "arn:aws:iam::123456789012:role/gitca")
        for uri, level in zip(self.uris.values(), self.mix, strict=True):
            more = role if level.signer == "awskms" else ()
            self.gitca("keys", "create", uri, "--spec", level.spec, *more)

    def run(self) -> Report:
        """Reconcile in this process, with the clone's clock."""
        with signers_of_a_run(self.clone.folder) as signers:
            return self.clone.reconcile(opener=signers)

    def ask(self, name: str, dns: str | None = None) -> None:
        """Save a request for a name; by default below what the issuing CA may issue for."""
        text = request(name, dns or f"{name}.pay.example.internal")
        self.clone.save({f"requests/{name}.yaml": text})

    def authority(self, name: str) -> bytes:
        """Return a CA's certificate (DER)."""
        return from_pem(self.clone.read(f"issued/{name}/ca.pem").decode())[0]

    def crl(self, name: str) -> bytes:
        return self.clone.read(f"issued/{name}/crl.der")

    def file(self, path: str) -> tuple[bytes, ...]:
        """Return the certificates in a PEM file of the branch."""
        return from_pem(self.clone.read(path).decode())

    def leaf(self, name: str) -> bytes:
        return certificate_der(self.clone.current(name))

    def chain(self, leaf: bytes, anchor: str = "root") -> Chain:
        """Return the path from a leaf to a CA that is trusted, with the CRLs on it."""
        above = LEVELS[LEVELS.index(anchor) :][::-1]
        intermediates = tuple(self.authority(name) for name in above[:-1])
        crls = tuple(self.crl(name) for name in above)
        return Chain(leaf, intermediates, self.authority(anchor), crls)

    def forge(self, template: CertificateTemplate) -> bytes:
        """Sign what gitca would not, with the issuing CA's own key."""
        record = self.clone.state.authority("issuing").certificate
        assert record is not None
        algorithm = self.mix[2].algorithm
        now = self.clone.clock.now
        tbs = rehearse(
            template,
            Issuer(standing_certificate(record).der, algorithm),
            serial=x509.random_serial_number(),
            not_before=now - timedelta(hours=1),
            not_after=now + timedelta(days=5),
        ).tbs
        with signers_of_a_run(self.clone.folder) as signers:
            return assemble(
                tbs, algorithm, signers(self.uris["issuing"]).sign(tbs, algorithm).value
            )


def _documents(uris: Mapping[str, str], mix: Mix) -> dict[str, str]:
    specs: dict[str, dict[str, object]] = {
        "root": {"pathLength": 2},
        "middle": {"pathLength": 1, "nameConstraints": _permitted("example.internal")},
        "issuing": {
            "pathLength": 0,
            "validity": "1y",
            "nameConstraints": _permitted("pay.example.internal"),
        },
    }
    parents = dict(zip(LEVELS, ("self", *LEVELS), strict=False))
    return DOCUMENTS | {
        f"ca/{name}.yaml": authority(
            name, parents[name], key=uris[name], signatureAlgorithm=level.algorithm, **specs[name]
        )
        for name, level in zip(LEVELS, mix, strict=True)
    }


def _permitted(dns: str) -> dict[str, object]:
    return {"permitted": {"dns": [dns]}}
