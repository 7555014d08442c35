"""Three levels, three algorithms, three signers: issued, renewed, revoked, and judged by others.

OpenSSL 3.0 (Debian's), GnuTLS 3.7, NSS and Java 17 know no ML-DSA. Signatures of the ML-DSA root
are judged by `cryptography` and by dilithium-py; the path below it by all four judges, which trust
the intermediate then. OpenSSL does so with -partial_chain, and holds the leaf alone against a CRL.
NSS 3.87 verifies no Ed25519.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from aws.aws_server import AwsServer
from ca_documents import authority, private_key, request, revocation
from ca_world import KeyRing, kinds
from gitca.x509.certificate import Issuer, parse_certificate, rehearse
from gitca.x509.key_usage import CA_KEY_USAGE
from gitca.x509.signed import assemble
from gitca.x509.template import BasicConstraints, CertificateTemplate, GeneralName
from judges import fips204, gnutls, java, nss, openssl
from judges.chain import Chain, Verdict
from mixed_world import LEVELS, MIXES, MixedWorld
from token_world import token

SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
Judge = Callable[[Chain], Verdict]


@pytest.fixture(scope="module")
def java_judge() -> Iterator[java.JavaJudge]:
    with java.open_judge() as judge:
        yield judge


@pytest.fixture(scope="module", params=MIXES)
def world(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    key_ring: KeyRing,
    aws_once: AwsServer,
) -> Iterator[MixedWorld]:
    """Made three weeks ago with two certificates; since then one was renewed and one revoked."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws_once.environment().items():
            patch.setenv(name, value)
        folder = tmp_path_factory.mktemp("mixed")
        made = MixedWorld.create(folder, key_ring, aws_once, token("mixed"), MIXES[request.param])
        made.make_keys()
        made.ask("api")
        made.ask("gone")
        report = made.run()
        assert (report.exit_code, report.findings) == (0, ())
        first = made.leaf("api")
        made.clone.clock.now = datetime.now(UTC).replace(microsecond=0)
        made.clone.save({"requests/gone-revoked.yaml": revocation(certificate="gone")})
        report = made.run()
        assert (report.exit_code, report.findings) == (0, ())
        assert made.leaf("api") != first
        yield made


def anchor_of(world: MixedWorld) -> str:
    """Return the highest CA that the judges can trust."""
    return "middle" if world.mix[0].spec.startswith("ML-DSA") else "root"


def judges_of(world: MixedWorld, java_judge: java.JavaJudge) -> dict[str, Judge]:
    judges: dict[str, Judge] = {"gnutls": gnutls.verify, "java": java_judge.verify}
    if not any(level.spec == "Ed25519" for level in world.mix):
        judges["nss"] = nss.verify
    judges["openssl"] = openssl.verify if anchor_of(world) == "root" else openssl.verify_partial
    return judges


def check_refused(world: MixedWorld, java_judge: java.JavaJudge, chain: Chain) -> None:
    for name, judge in judges_of(world, java_judge).items():
        assert not judge(chain).accepted, name


def test_every_signature_is_the_algorithms_that_its_ca_says(world: MixedWorld) -> None:
    parents = {"root": "root", "middle": "root", "issuing": "middle"}
    for name, parent in parents.items():
        certificate = x509.load_der_x509_certificate(world.authority(name))
        above = x509.load_der_x509_certificate(world.authority(parent))
        certificate.verify_directly_issued_by(above)
        crl = x509.load_der_x509_crl(world.crl(name))
        assert crl.is_signature_valid(certificate.public_key())
    leaf = x509.load_der_x509_certificate(world.leaf("api"))
    leaf.verify_directly_issued_by(x509.load_der_x509_certificate(world.authority("issuing")))


def test_what_the_root_signed_is_accepted_by_a_judge_of_its_own(world: MixedWorld) -> None:
    root = world.authority("root")
    if anchor_of(world) == "root":
        assert openssl.verify_crl(world.crl("root"), root).accepted
        return
    assert fips204.verify_certificate(root, root).accepted
    assert fips204.verify_certificate(world.authority("middle"), root).accepted
    assert fips204.verify_crl(world.crl("root"), root).accepted
    for name in LEVELS[1:]:
        assert openssl.verify_crl(world.crl(name), world.authority(name)).accepted


def test_the_judges_accept_the_renewed_certificate_and_refuse_the_revoked_one(
    world: MixedWorld, java_judge: java.JavaJudge
) -> None:
    chain = world.chain(world.leaf("api"), anchor_of(world))
    for name, judge in judges_of(world, java_judge).items():
        verdict = judge(chain)
        assert verdict.accepted, f"{name}: {verdict.words}"
    revoked = world.clone.state.requests["gone"].current
    assert revoked is not None
    assert set(world.clone.revoked()) == {revoked.certificate.serial}
    check_refused(world, java_judge, world.chain(world.leaf("gone"), anchor_of(world)))


def test_files_hold_the_chain_leaf_side_first_and_without_the_root(world: MixedWorld) -> None:
    above = (world.authority("issuing"), world.authority("middle"))
    file = "issued/issuing/certificates/api.pem"
    assert world.file(file) == (world.leaf("api"), *above)
    assert world.file("issued/issuing/chain.pem") == above
    assert world.file("issued/middle/chain.pem") == above[1:]


def test_a_name_beyond_the_constraints_of_the_issuing_ca_is_a_finding_and_refused_by_judges(
    world: MixedWorld, java_judge: java.JavaJudge
) -> None:
    """The policy would let it be issued, and the intermediate's constraints too."""
    name = "web.example.internal"
    world.ask("outside", name)
    report = world.run()
    world.clone.save({"requests/outside.yaml": None})
    assert report.exit_code == 1
    assert report.signed == []
    assert {finding.location.file for finding in report.findings} == {"requests/outside.yaml"}
    template = leaf_template("outside", name)
    check_refused(world, java_judge, world.chain(world.forge(template), anchor_of(world)))
    inside = world.forge(leaf_template("outside", "web.pay.example.internal"))
    for judge in judges_of(world, java_judge).values():
        assert judge(world.chain(inside, anchor_of(world))).accepted, "refused for its name alone"


def test_a_ca_below_the_last_level_is_a_finding_and_refused_by_judges(
    world: MixedWorld, java_judge: java.JavaJudge
) -> None:
    clone = world.clone
    clone.save({"ca/fourth.yaml": authority("fourth", "issuing", validity="30d")})
    report = world.run()
    clone.save({"ca/fourth.yaml": None})
    assert report.exit_code == 1
    assert "authority.pathLength" in {finding.rule for finding in report.findings}
    spki_der = clone.keys.named("spare").public_key()
    fourth = parse_certificate(world.authority("issuing")).template.subject
    forged = world.forge(
        CertificateTemplate(
            tuple(replace(item, value="Fourth") for item in fourth[:1]),
            spki_der,
            key_usage=CA_KEY_USAGE,
            basic_constraints=BasicConstraints(0),
        )
    )
    now = clone.clock.now
    issuer = Issuer(forged, "ecdsa-sha256")
    template = leaf_template("below", "below.pay.example.internal")
    built = rehearse(
        template, issuer, serial=1 << 70, not_before=now, not_after=now + timedelta(days=5)
    )
    value = clone.keys.named("spare").sign(built.tbs, "ecdsa-sha256").value
    leaf = assemble(built.tbs, "ecdsa-sha256", value)
    chain = world.chain(leaf, anchor_of(world))
    check_refused(world, java_judge, replace(chain, intermediates=(forged, *chain.intermediates)))


def test_the_real_command_goes_on_with_what_was_made_and_verify_proves_it(
    world: MixedWorld,
) -> None:
    """Passphrase and PIN come from the environment, credentials of AWS from its own chain."""
    world.clone.save({"requests/late.yaml": request("late", "late.pay.example.internal")})
    assert "late, by issuing" in world.gitca("reconcile")
    world.clone.pull()
    assert "Nothing to do" in world.gitca("reconcile")
    world.gitca("verify")
    assert kinds(world.clone.plan().actions) == []
    assert world.clone.verify().contradictions == []
    for name, level in zip(LEVELS, world.mix, strict=True):
        words = world.gitca("keys", "show", name)
        assert level.spec.replace("RSA-", "RSA ") in words


def leaf_template(label: str, dns: str) -> CertificateTemplate:
    """Return a server's certificate on the key with this label."""
    encoding = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    return CertificateTemplate(
        (),
        private_key(label).public_key().public_bytes(*encoding),
        sans=(GeneralName("dns", dns),),
        key_usage=("digitalSignature",),
        extended_key_usage=(SERVER_AUTH,),
    )
