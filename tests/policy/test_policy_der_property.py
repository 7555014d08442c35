"""Whatever request and policy: an independent reader of the DER finds nothing that is not allowed.

Documents are YAML for the real loader, the CA is one that cryptography made, and what is read are
the bytes that would be signed. See der_reader for the reader, policy_grammar and
policy_situations for the documents.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from der_certificate import Situation
from der_reader import Reader
from hypothesis import event, given, settings
from naive_names import Identity, flattened
from policy_grammar import TEAM, UPN, Data
from policy_material import ISSUING, NOW, ROOT, csr, private_key
from policy_situations import CSRS as CSR_NAMES
from policy_situations import Drawn, situations

from gitca.documents.load import TreeEntry, load_governing, load_requests
from gitca.policy.case import Case, IssuerFacts, Verdict
from gitca.policy.evaluate import evaluate
from gitca.x509.certificate import Issuer, parse_certificate, rehearse
from gitca.x509.csr import parse_csr

NAME = "payments/api"


def _csr_with(critical: bool, value: bytes, *more: tuple[x509.ExtensionType, bool]) -> bytes:
    """Return a CSR that asks for an extension, and for what a CA must never take from a CSR."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    asked = x509.UnrecognizedExtension(x509.ObjectIdentifier(TEAM), value)
    for extension, is_critical in ((asked, critical), *more):
        builder = builder.add_extension(extension, is_critical)
    signed = builder.sign(private_key("P-256"), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


_CN = ("commonName", "a.x.internal")
CSRS: dict[str, bytes] = {
    "plain": csr(),
    **{key: csr(key=key) for key in CSR_NAMES if key.startswith(("RSA", "P-", "Ed", "ML"))},
    "named": csr((_CN,), ("dns:a.x.internal", "ip:10.1.2.3")),
    "masters": csr((_CN, ("organization", "system:masters"))),
    "wildcard": csr((), ("dns:*.x.internal",)),
    "other": csr((), ("dns:a.x.internal", "upn:a@x.internal")),
    "foreign": csr((), ("ia5:a@x.internal",)),
    "multi-valued": csr((("2.5.4.13", "A"), _CN), ("dns:a.x.internal",), multi_valued=True),
    "extension": _csr_with(False, b"\x0c\x01A"),
    "critical": _csr_with(True, b"\x0c\x01A"),
    "broken": _csr_with(False, b"\x0c\x02A"),
    "leaky": _csr_with(
        False,
        b"\x05\x00",
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CODE_SIGNING]), False),
    ),
}


def _csr_that_states(request: Data) -> bytes | None:
    """Return a CSR with a request's names; None where cryptography would not write them."""
    if any(len(country) != 2 for country in request.get("subject", {}).get("country", [])):
        return None
    subject = [
        (name, value) for name, values in request.get("subject", {}).items() for value in values
    ]
    try:
        return csr(tuple(subject), tuple(_words(request.get("sans", {}))))
    except ValueError:
        return None


def _words(sans: Data) -> Iterator[str]:
    for kind, values in sans.items():
        for value in values:
            if kind == "otherName":
                yield f"{'upn' if value['oid'] == UPN else value['oid']}:{value['utf8']}"
            elif kind == "directoryName":
                yield "directory:" + ",".join(f"{name}={text}" for name, text in flattened(value))
            else:
                yield f"{'id' if kind == 'registeredID' else kind}:{value}"


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


def _document(kind: str, spec: Data, labels: dict[str, str] | None = None) -> bytes:
    head: Data = {"apiVersion": "gitca/v1", "kind": kind}
    head |= {"metadata": {"labels": labels}} if labels else {}
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


@settings(max_examples=2000)
@given(drawn=situations)
def test_the_bytes_say_nothing_that_the_policy_does_not_allow(drawn: Drawn) -> None:
    policy = {"issuer": "issuing", **drawn.policy}
    request = {"policy": "internal-server", "csrFile": "api.csr", **drawn.request}
    csr_bytes: bytes | None = CSRS[drawn.csr]
    if drawn.names_in_csr:
        csr_bytes = _csr_that_states(request)
        request = {key: value for key, value in request.items() if key not in {"subject", "sans"}}
    if csr_bytes is None:
        return
    loaded = _load(
        {
            "ca/root.yaml": ROOT.encode(),
            "ca/issuing.yaml": _issuing(drawn),
            "policies/internal-server.yaml": _document("IssuancePolicy", policy),
            f"requests/{NAME}.yaml": _document("CertificateRequest", request, drawn.labels),
            "requests/payments/api.csr": csr_bytes,
        }
    )
    if loaded is None:
        return
    constraints = yaml.safe_dump(list(drawn.constraints))
    issuer_der = _issuer(drawn.path_length, constraints, drawn.days)
    verdict = _judge(*loaded, issuer_der)
    if verdict is None:
        return
    event("issued")
    at = Situation(
        policy=policy,
        request=request,
        identity=Identity(NAME, drawn.labels),
        csr_pem=csr_bytes,
        issuer_der=issuer_der,
        constraints=drawn.constraints,
        truncates=drawn.truncates,
        now=NOW,
    )
    assert list(Reader(_built(verdict, issuer_der), at).objections()) == []


def _issuing(drawn: Drawn) -> bytes:
    document = yaml.safe_load(ISSUING)
    document["spec"]["pathLength"] = drawn.path_length
    document["spec"]["leafBeyondIssuer"] = "truncate" if drawn.truncates else "reject"
    sides = zip(("permitted", "excluded"), drawn.constraints, strict=True)
    constraints = {side: names for side, names in sides if names}
    document["spec"] |= {"nameConstraints": constraints} if constraints else {}
    return yaml.safe_dump(document).encode()


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
