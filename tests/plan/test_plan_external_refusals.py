"""What an external CA gave and is refused, each answer with one defect; `openssl ca` is that CA."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta

import pytest

from ca_world import NOW, kinds
from external_parent import ANSWER, GIVEN, MIDDLE, ExternalParent, ExternalWorld, given
from gitca.x509.der import bit_string, parts, sequence
from gitca.x509.signed import tbs_of
from judges.chain import from_pem
from judges.process import must

Bad = Callable[[ExternalWorld], str]


def signed(*extensions: str) -> Bad:
    return lambda world: world.root.sign(world.csr, extensions) + world.root.chain


def dated(begin: int, end: int) -> Bad:
    def make(world: ExternalWorld) -> str:
        dates = {"begin": NOW + timedelta(days=begin), "end": NOW + timedelta(days=end)}
        return world.root.sign(world.csr, **dates) + world.root.chain

    return make


def with_subject(subject: str) -> Bad:
    return lambda world: world.root.sign(world.csr, subject=subject) + world.root.chain


def of_another_key(world: ExternalWorld) -> str:
    own = (world.root.folder / "own.csr").read_bytes()
    subject = "/CN=Example issuing CA/O=Example"
    return world.root.sign(own, subject=subject) + world.root.chain


def of_a_short_lived_root(world: ExternalWorld) -> str:
    other = ExternalParent.root(world.clone.folder.parent / "short", "Short Root", days=1)
    world.clone.clock.forward(days=2)
    return other.sign(world.csr) + other.chain


def below(**changes: str | None) -> Bad:
    """Return an answer by a CA below the root that has other extensions."""

    def make(world: ExternalWorld) -> str:
        folder = world.clone.folder.parent / "below"
        lower = world.root.subordinate(folder, "Lower", given(**changes))
        return lower.sign(world.csr) + lower.chain

    return make


def under_another_middle(world: ExternalWorld) -> str:
    folder = world.clone.folder.parent / "impostor"
    impostor = world.root.subordinate(folder, "Corporate Middle", MIDDLE)
    return world.middle.sign(world.csr) + impostor.chain


def with_key_identifier(world: ExternalWorld) -> str:
    root = world.root
    text = root.sign(world.csr, given(authorityKeyIdentifier="keyid:always"))
    again = root.sign((root.folder / "own.csr").read_bytes(), given(
        basicConstraints="critical,CA:TRUE", subjectKeyIdentifier="00:11:22",
        authorityKeyIdentifier=None,
    ))  # fmt: skip
    return text + again


def with_serial(octets: bytes) -> Bad:
    """Return an answer whose serial number has this content, whether it is one of RFC 5280 or not.

    `openssl ca` writes no such number, so the certificate is taken apart and signed again.
    """

    def make(world: ExternalWorld) -> str:
        (own,) = from_pem(world.root.sign(world.csr))
        version, _, *rest = parts(tbs_of(own))
        tbs = sequence(version, bytes((2, len(octets))) + octets, *rest)
        (folder := world.clone.folder.parent / "serial").mkdir()
        (folder / "tbs").write_bytes(tbs)
        key = world.root.folder / "key.pem"
        signature = must("openssl", "dgst", "-sha256", "-sign", key, folder / "tbs")
        _, algorithm, _ = parts(own)
        encoded = base64.encodebytes(sequence(tbs, algorithm, bit_string(signature))).decode()
        label = "CERTIFICATE-----"
        return f"-----BEGIN {label}\n{encoded}-----END {label}\n" + world.root.chain

    return make


def named_as_its_issuer(name: str) -> Bad:
    """Return an answer by a root that calls itself what the CA is called."""

    def make(world: ExternalWorld) -> str:
        folder = world.clone.folder.parent / "namesake"
        namesake = ExternalParent.root(folder, subject=name)
        return namesake.sign(world.csr)

    return make


CA = {"basicConstraints": "critical,CA:TRUE"}
BAD: dict[str, tuple[Bad, str, str]] = {
    "text": (lambda _: "later", "format", "the file holds no PEM"),
    "cut off": (lambda world: world.root.chain[:300], "pem", "no whole PEM"),
    "the CSR": (lambda world: world.csr.decode(), "pem-type", "CERTIFICATE REQUEST"),
    "another key": (of_another_key, "key", "no certificate of the file is on the key of CA"),
    "the root alone": (lambda world: world.root.chain, "key", "Corporate Root"),
    "twice": (
        lambda world: world.root.sign(world.csr) + world.root.sign(world.csr),
        "several",
        "2 certificates of the file are on the key of CA issuing, one is allowed",
    ),
    "SHA-1": (
        lambda world: world.root.sign(world.csr, digest="sha1"),
        "algorithm",
        "is signed with an algorithm that is not used here",
    ),
    "another name": (with_subject("/CN=Other/O=Example"), "subject", "“commonName=Other, org"),
    "another order": (
        with_subject("/O=Example/CN=Example issuing CA"),
        "subject",
        "allowed is “commonName=Example issuing CA, organization=Example”",
    ),
    "multi-valued": (
        with_subject("/CN=Example issuing CA+O=Example"),
        "subject",
        "in relative names of several attributes",
    ),
    "no CA": (
        signed(*given(basicConstraints="critical,CA:FALSE")),
        "pathLength",
        "the certificate is none of a CA",
    ),
    "no path length": (
        signed(*given(basicConstraints="critical,CA:TRUE")),
        "pathLength",
        "pathLength is not stated; allowed is 0",
    ),
    "longer path": (
        signed(*given(basicConstraints="critical,CA:TRUE,pathlen:3")),
        "pathLength",
        "pathLength is 3; allowed is 0",
    ),
    "constrained": (
        signed(*given(nameConstraints="critical,permitted;DNS:corp.example")),
        "nameConstraints",
        "nameConstraints are {permitted: {dns: [corp.example]}}; allowed are none",
    ),
    "constrained in directory names": (
        signed("nameConstraints=critical,permitted;dirName:here", *GIVEN, "[here]", "O=Example"),
        "nameConstraints",
        "of a type or form that documents cannot state",
    ),
    "constrained not critically": (
        signed(*given(nameConstraints="permitted;DNS:corp.example")),
        "critical",
        "NameConstraints is not critical",
    ),
    "CA not critically": (
        signed(*given(basicConstraints="CA:TRUE,pathlen:0")),
        "critical",
        "BasicConstraints is not critical",
    ),
    "policies": (
        signed(*given(certificatePolicies="1.2.3.4")),
        "certificatePolicies",
        "certificatePolicies are 1.2.3.4; allowed are none",
    ),
    "policy constraints": (
        signed(*given(policyConstraints="critical,requireExplicitPolicy:0")),
        "critical",
        "the extension 2.5.29.36 is critical",
    ),
    "policy constraints, not critically": (
        signed(*given(policyConstraints="requireExplicitPolicy:0")),
        "critical",
        "the extension 2.5.29.36 may bind",
    ),
    "any policy inhibited": (
        signed(*given(inhibitAnyPolicy="0")),
        "critical",
        "the extension 2.5.29.54 may bind",
    ),
    "a negative serial number": (with_serial(b"\x91" + bytes(7)), "serial", "is not positive"),
    "serial number 0": (with_serial(b"\0"), "serial", "is not positive"),
    "a serial number of 21 octets": (with_serial(b"\x01" * 21), "serial", "of 161 bits"),
    "its own name as its issuer's, in other letters": (
        named_as_its_issuer("/CN=EXAMPLE  issuing CA/O=example"),
        "issuer",
        "its issuer has the name of its subject",
    ),
    "usage of nothing": (
        signed(*given(keyUsage=None)),
        "keyUsage",
        "keyUsage is not there; keyCertSign and cRLSign must be",
    ),
    "no CRLs": (
        signed(*given(keyUsage="critical,keyCertSign")),
        "keyUsage",
        "keyUsage is keyCertSign; cRLSign must be",
    ),
    "extended usage": (
        signed(*given(extendedKeyUsage="serverAuth")),
        "extendedKeyUsage",
        "extendedKeyUsage 1.3.6.1.5.5.7.3.1 would bind all that the CA issues",
    ),
    "no key identifier": (
        signed(*given(subjectKeyIdentifier="none")),
        "subjectKeyIdentifier",
        "there is no subjectKeyIdentifier",
    ),
    "not yet valid": (dated(1, 100), "validity", "valid from 2026-11-25T12:00:00Z"),
    "expired": (dated(-10, -1), "validity", "to 2026-11-23T12:00:00Z"),
    "expired root": (of_a_short_lived_root, "validity", "“Corporate, Short Root” is valid from"),
    "signed by another": (
        under_another_middle,
        "signature",
        "is not by the key of “Corporate, Corporate Middle”",
    ),
    "something else beside": (
        lambda world: world.root.sign(world.csr) + world.middle.chain,
        "stray",
        "“Corporate, Corporate Middle” is no part of the path",
    ),
    "another identifier above": (with_key_identifier, "issuer", "names the key"),
    "below no CA": (
        below(basicConstraints="critical,CA:FALSE"),
        "above",
        "is in the path and may sign no certificates",
    ),
    "below a CA that signs no certificates": (
        below(basicConstraints="critical,CA:TRUE", keyUsage="critical,cRLSign"),
        "above",
        "is in the path and may sign no certificates",
    ),
    "no CA may be below": (
        below(basicConstraints="critical,CA:TRUE,pathlen:0"),
        "above",
        "has pathLength 0; 1 is needed above CA issuing",
    ),
    "policy constraints above": (
        below(**CA, policyConstraints="critical,requireExplicitPolicy:0"),
        "above",
        "“Corporate, Lower”: the extension 2.5.29.36 is critical",
    ),
    "any policy inhibited above": (
        below(**CA, inhibitAnyPolicy="0"),
        "above",
        "the extension 2.5.29.54 may bind",
    ),
    "something unknown and critical above": (
        below(**CA, **{"1.2.3.4": "critical,DER:0500"}),
        "above",
        "the extension 1.2.3.4 is critical",
    ),
    "an extended usage above": (
        below(**CA, extendedKeyUsage="clientAuth"),
        "above",
        "has extendedKeyUsage 1.3.6.1.5.5.7.3.2",
    ),
    "constrained above": (
        below(
            basicConstraints="critical,CA:TRUE",
            nameConstraints="critical,permitted;DNS:corp.example",
        ),
        "constraintsAbove",
        "“Corporate, Lower” permits only",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_is_refused_with_what_was_seen_and_a_remedy(
    world: ExternalWorld, name: str
) -> None:
    make, rule, words = BAD[name]
    plan = world.plan(make(world))
    assert kinds(plan.actions) == []
    errors = [finding for finding in plan.findings if finding.is_error]
    told = [finding for finding in errors if finding.rule == f"authority.certificate.{rule}"]
    assert told, plan.findings
    assert any(words in finding.message for finding in told), told
    assert all(finding.location.file == ANSWER for finding in errors)
    assert all(finding.remedy for finding in errors)
