"""The GnuTLS judge: `certtool --verify` and `--verify-crl`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from components import require
from judges.chain import PURPOSE_OIDS, Chain, Verdict, bundle, to_pem
from judges.process import ask


def verify(chain: Chain) -> Verdict:
    """Judge a path, and its CRLs too, as strictly as `openssl verify -crl_check_all`.

    GnuTLS takes a missing CRL for good news, and `certtool --verify` takes every CRL that it is
    given for authentic. So each CRL is judged under a CA of the path first, and each certificate
    has to have met a CRL, which certtool reports.
    """
    require("gnutls")
    for crl in chain.crls:
        verdicts = [verify_crl(crl, ca) for ca in (*chain.intermediates, chain.anchor)]
        if not any(verdict.accepted for verdict in verdicts):
            return Verdict(False, "\n".join(verdict.words for verdict in verdicts))
    return _verify_path(chain)


def _verify_path(chain: Chain) -> Verdict:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "path.pem").write_text(bundle((chain.leaf, *chain.intermediates)))
        (folder / "anchor.pem").write_text(to_pem(chain.anchor))
        (folder / "crls.pem").write_text(bundle(chain.crls, "X509 CRL"))
        crls = ("--load-crl", "crls.pem") if chain.crls else ()
        answer = ask(
            *("certtool", "--verify", "--verify-profile", "medium"),
            *("--verify-purpose", PURPOSE_OIDS[chain.purpose]),
            *("--load-ca-certificate", "anchor.pem", *crls, "--infile", "path.pem"),
            cwd=folder,
        )
    if answer.status != 0:
        return Verdict(False, answer.words)
    looked_at = answer.words.count("Checked against CRL[")
    if looked_at < 1 + len(chain.intermediates):
        return Verdict(False, f"only {looked_at} certificates met a CRL: {answer.words}")
    return Verdict(True, answer.words)


def verify_crl(crl: bytes, issuer: bytes) -> Verdict:
    """Judge the signature and the dates of one CRL under its issuer's certificate."""
    require("gnutls")
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "issuer.pem"
        path.write_text(to_pem(issuer))
        command = ("certtool", "--verify-crl", "--load-ca-certificate", path)
        answer = ask(*command, stdin=to_pem(crl, "X509 CRL").encode())
    # `certtool --verify-crl` exits 0 whatever it found; its words are the verdict.
    return Verdict("Verification output: Verified." in answer.words, answer.words)
