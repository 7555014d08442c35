"""The OpenSSL judge: `openssl verify`, strict, every certificate of the path held against a CRL."""

from __future__ import annotations

import tempfile
from pathlib import Path

from components import require
from judges.chain import Chain, Purpose, Verdict, bundle, to_pem
from judges.process import ask, must

_PURPOSES: dict[Purpose, str] = {"server": "sslserver", "client": "sslclient"}


def verify(chain: Chain) -> Verdict:
    """Judge a path with `-x509_strict -crl_check_all`, trusting its anchor and nothing else."""
    return _verify(chain, "-crl_check_all")


def verify_partial(chain: Chain) -> Verdict:
    """Judge a path whose anchor is no root; its leaf alone is held against a CRL.

    With -crl_check_all the anchor would need a CRL of the CA above it.
    """
    return _verify(chain, "-partial_chain", "-crl_check")


def _verify(chain: Chain, *options: str) -> Verdict:
    require("openssl")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "leaf.pem").write_text(to_pem(chain.leaf))
        (folder / "anchor.pem").write_text(to_pem(chain.anchor))
        (folder / "crls.pem").write_text(bundle(chain.crls, "X509 CRL"))
        (folder / "intermediates.pem").write_text(bundle(chain.intermediates))
        intermediates = ("-untrusted", "intermediates.pem") if chain.intermediates else ()
        crls = ("-CRLfile", "crls.pem") if chain.crls else ()
        answer = ask(
            *("openssl", "verify", "-x509_strict", *options),
            *("-no-CApath", "-no-CAstore", "-CAfile", "anchor.pem", *intermediates, *crls),
            *("-purpose", _PURPOSES[chain.purpose], "leaf.pem"),
            cwd=folder,
        )
    return Verdict(answer.status == 0, answer.words)


def certificate_text(der: bytes) -> str:
    """Return what `openssl x509 -text` reads in a certificate.

    Raises: RuntimeError when openssl cannot read it.
    """
    require("openssl")
    return must("openssl", "x509", "-inform", "DER", "-noout", "-text", stdin=der).decode()


def crl_text(der: bytes) -> str:
    """Return what `openssl crl -text` reads in a CRL.

    Raises: RuntimeError when openssl cannot read it.
    """
    require("openssl")
    return must("openssl", "crl", "-inform", "DER", "-noout", "-text", stdin=der).decode()


def request_text(der: bytes) -> str:
    """Return what `openssl req -text -verify` reads in a CSR whose signature is good.

    Raises: RuntimeError when openssl cannot read it or the signature is bad.
    """
    require("openssl")
    answer = ask("openssl", "req", "-inform", "DER", "-noout", "-text", "-verify", stdin=der)
    # `openssl req -verify` exits 0 whatever it found; its words are the verdict.
    if "verify OK" not in answer.words:
        raise RuntimeError(f"openssl req: exit {answer.status}: {answer.words}")
    return answer.output.decode()


def verify_crl(crl: bytes, issuer: bytes) -> Verdict:
    """Judge the signature of one CRL under its issuer's certificate."""
    require("openssl")
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "issuer.pem"
        path.write_text(to_pem(issuer))
        command = ("openssl", "crl", "-inform", "DER", "-noout", "-no-CApath", "-no-CAstore")
        answer = ask(*command, "-CAfile", path, stdin=crl)
    # `openssl crl` exits 0 whatever it found; its words are the verdict.
    return Verdict(answer.status == 0 and answer.words == "verify OK", answer.words)
