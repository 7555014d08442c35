"""Whatever request and policy: an independent reader of the DER finds nothing that is not allowed.

Documents are YAML for the real loader, the CA is one that cryptography made, and what is read are
the bytes that would be signed. See der_reader for the reader and policy_grammar for the grammar.
"""

from __future__ import annotations

import functools
import ipaddress
from datetime import timedelta
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from der_certificate import Situation
from der_reader import Reader
from hypothesis import event, given, settings
from hypothesis import strategies as st
from naive_names import Identity
from policy_grammar import TEAM, Data, labels, situations
from policy_material import ISSUING, NOW, ROOT, csr, private_key

from gitca.documents.load import TreeEntry, load_governing, load_requests
from gitca.policy.case import Case, IssuerFacts, Verdict
from gitca.policy.evaluate import evaluate
from gitca.x509.certificate import Issuer, parse_certificate, rehearse
from gitca.x509.csr import parse_csr

NAME = "payments/api"
CONSTRAINTS: list[tuple[Data, Data]] = [
    ({"dns": ["x.internal"]}, {}),
    ({"dns": ["b.x.internal"]}, {"ip": ["10.9.0.0/16"]}),
    ({}, {"dns": ["a.x.internal"], "email": ["y.internal"]}),
]


def _csr_with(critical: bool, value: bytes, *more: tuple[x509.ExtensionType, bool]) -> bytes:
    """Return a CSR that asks for an extension, and for what a CA must never take from a CSR."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    asked = x509.UnrecognizedExtension(x509.ObjectIdentifier(TEAM), value)
    for extension, is_critical in ((asked, critical), *more):
        builder = builder.add_extension(extension, is_critical)
    signed = builder.sign(private_key("P-256"), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


CSRS = [
    *(csr(key=key) for key in ("RSA-2048", "RSA-1024", "RSA-2048-e3", "P-384", "Ed25519")),
    csr(key="ML-DSA-65"),
    csr((("commonName", "a.x.internal"),)),
    csr((("commonName", "a.x.internal"), ("organization", "system:masters"))),
    csr((("commonName", "a.x.internal"),), ("dns:a.x.internal", "ip:10.1.2.3")),
    csr((), ("dns:*.x.internal",)),
    csr((), ("dns:a.x.internal", "upn:a@x.internal")),
    csr((), ("directory:organization=Example,commonName=A", "id:1.3.6.1.4.1.99999.1")),
    csr((), ("uri:spiffe://x.internal/a", "email:a@x.internal")),
    csr((), ("ia5:a@x.internal",)),
    csr((("2.5.4.13", "Team A"), ("commonName", "A")), ("dns:a.x.internal",), multi_valued=True),
    _csr_with(False, b"\x0c\x01A"),
    _csr_with(True, b"\x0c\x01A"),
    _csr_with(False, b"\x0c\x02A"),
    _csr_with(
        False,
        b"\x05\x00",
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CODE_SIGNING]), False),
    ),
]


@functools.cache
def _issuer(path_length: int, constraints: str, days: int) -> bytes:
    """Return a CA certificate in DER; `constraints` are YAML of what the CA's document says."""
    names = x509.Name([
        x509.NameAttribute(x509.NameOID.COMMON_NAME, "Example Issuing CA"),
        x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Example"),
    ])  # fmt: skip
    key = private_key("P-384")
    usage = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
         "key_agreement", "encipher_only", "decipher_only"), False,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder(names, names, key.public_key(), 1)
        .not_valid_before(NOW - timedelta(days=30))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.BasicConstraints(True, path_length), True)
        .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    )
    permitted, excluded = (_general_names(side) for side in yaml.safe_load(constraints))
    if permitted or excluded:
        stated = x509.NameConstraints(permitted or None, excluded or None)
        builder = builder.add_extension(stated, True)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return builder.sign(key, hashes.SHA384()).public_bytes(serialization.Encoding.DER)


def _general_names(subtrees: Data) -> list[x509.GeneralName]:

    makers: dict[str, Any] = {
        "dns": x509.DNSName,
        "ip": lambda text: x509.IPAddress(ipaddress.ip_network(text)),
        "email": x509.RFC822Name,
    }
    return [makers[kind](text) for kind, texts in subtrees.items() for text in texts]


def _document(kind: str, spec: Data, metadata: Data | None = None) -> bytes:
    head: Data = {"apiVersion": "gitca/v1", "kind": kind}
    head |= {"metadata": metadata} if metadata else {}
    return yaml.dump(head | {"spec": spec}, Dumper=_Dumper, sort_keys=False).encode()


class _Dumper(yaml.CSafeDumper):
    """Writes no anchors, which documents may not have."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _load(files: dict[str, bytes]) -> tuple[Any, Any] | None:
    """Return governing documents and requests; None where the loader refuses one."""
    entries = [TreeEntry(path, "100644", path) for path in files]
    governing = load_governing(entries, files.__getitem__)
    requests = load_requests(entries, files.__getitem__, governing=governing)
    if governing.findings or requests.findings:
        finding = (*governing.findings, *requests.findings)[0]
        event(f"refused when read: {finding.rule}")
        return None
    return governing, requests


@settings(max_examples=1000)
@given(
    situation=situations,
    csr_bytes=st.one_of(st.just(csr()), st.just(csr()), st.sampled_from(CSRS)),
    constraints=st.one_of(st.just(({}, {})), st.just(({}, {})), st.sampled_from(CONSTRAINTS)),
    said=labels,
    path_length=st.sampled_from([2, 2, 0]),
    days=st.sampled_from([1000, 1000, 20]),
    truncates=st.booleans(),
)
def test_the_bytes_say_nothing_that_the_policy_does_not_allow(
    situation: tuple[Data, Data],
    csr_bytes: bytes,
    constraints: tuple[Data, Data],
    said: dict[str, str],
    path_length: int,
    days: int,
    truncates: bool,
) -> None:
    policy = {"issuer": "issuing", **situation[0]}
    request = {"policy": "internal-server", "csrFile": "api.csr", **situation[1]}
    if policy.get("namesFrom") == "csr" and situation[1] == {"sans": {"dns": ["a.x.internal"]}}:
        del request["sans"]
    issuing = yaml.safe_load(ISSUING)
    issuing["spec"]["pathLength"] = path_length
    issuing["spec"]["leafBeyondIssuer"] = "truncate" if truncates else "reject"
    if any(constraints):
        sides = zip(("permitted", "excluded"), constraints, strict=True)
        issuing["spec"]["nameConstraints"] = {side: names for side, names in sides if names}
    loaded = _load(
        {
            "ca/root.yaml": ROOT.encode(),
            "ca/issuing.yaml": yaml.safe_dump(issuing).encode(),
            "policies/internal-server.yaml": _document("IssuancePolicy", policy),
            f"requests/{NAME}.yaml": _document(
                "CertificateRequest", request, {"labels": said} if said else None
            ),
            "requests/payments/api.csr": csr_bytes,
        }
    )
    if loaded is None:
        return
    issuer_der = _issuer(path_length, yaml.safe_dump(list(constraints)), days)
    verdict = _judge(*loaded, issuer_der)
    if verdict is None:
        return
    issued = _built(verdict, issuer_der)
    event("issued")
    at = Situation(
        policy=policy,
        request=request,
        identity=Identity(NAME, said),
        csr_pem=csr_bytes,
        issuer_der=issuer_der,
        constraints=constraints,
        truncates=truncates,
        now=NOW,
    )
    assert list(Reader(issued, at).objections()) == []


def _judge(governing: Any, requests: Any, issuer_der: bytes) -> Verdict | None:
    """Return the verdict; None where nothing is issued now."""
    certificate = parse_certificate(issuer_der)
    issuer = IssuerFacts(
        "issuing", certificate.not_before, certificate.not_after, certificate.template
    )
    verdict = evaluate(
        Case(
            request=requests.requests[NAME],
            csr=parse_csr(requests.csrs[NAME].data),
            csr_at=requests.csrs[NAME].location,
            policy=governing.policies["internal-server"],
            authority=governing.authorities["issuing"],
            issuer=issuer,
            now=NOW,
            refused_keys={},
        )
    )
    if verdict.is_denied:
        event("denied")
        for finding in verdict.findings:
            if finding.is_error:
                event(f"denied: {finding.rule}")
        return None
    if verdict.hold is not None:
        event("held")
        return None
    return verdict


def _built(verdict: Verdict, issuer_der: bytes) -> bytes:
    """Return the certificate that a reconcile would have signed, under a placeholder signature."""
    template, issuer = verdict.template, parse_certificate(issuer_der)
    assert template is not None
    begin, end = verdict.period.dates(NOW, issuer.not_before, issuer.not_after)
    issued = rehearse(
        template,
        Issuer(issuer_der, "ecdsa-sha384"),
        serial=1 << 158,
        not_before=begin,
        not_after=end,
    )
    return issued.der
