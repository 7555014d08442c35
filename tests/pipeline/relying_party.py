"""A TLS server and a client of OpenSSL's, who know the roots and what certificates point to."""

from __future__ import annotations

import re
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from components import require
from judges.chain import Verdict
from judges.process import ask, must

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Answer:
    """What a web server gave."""

    content: bytes
    media_type: str
    cache_control: str


def fetch(url: str) -> Answer:
    """Return what lies at a URL, as anybody gets it."""
    with _DIRECT.open(url, timeout=30) as answer:
        headers = answer.headers
        return Answer(
            answer.read(), headers.get("Content-Type", ""), headers.get("Cache-Control", "")
        )


@contextmanager
def tls_server(folder: Path, chain: bytes, key: Path) -> Iterator[int]:
    """Serve TLS with a certificate and its chain; give the port."""
    require("openssl")
    leaf, end, above = chain.partition(b"-----END CERTIFICATE-----\n")
    (folder / "server.pem").write_bytes(leaf + end)
    (folder / "above.pem").write_bytes(above)
    command = [
        *("openssl", "s_server", "-accept", "127.0.0.1:0", "-www"),
        *("-cert", "server.pem", "-cert_chain", "above.pem", "-key", str(key)),
    ]
    with subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield _port(process)
        finally:
            process.terminate()


def _port(process: subprocess.Popen[str]) -> int:
    """Return the port that a server has chosen, which it says when it listens."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("ACCEPT"):
            return int(line.rpartition(":")[2])
    raise RuntimeError(f"openssl s_server does not listen: exit {process.wait()}")


def connect(folder: Path, port: int, host: str, roots: bytes) -> tuple[Verdict, Verdict]:
    """Handshake as two clients who trust the roots.

    One lets OpenSSL fetch the CRL from the URL in the server's certificate; the other holds the
    whole chain against the CRLs that its certificates point to.
    """
    crls = [fetch(crl_url(each)).content for each in _chain(folder)]
    pems = [must("openssl", "crl", "-inform", "DER", stdin=crl) for crl in crls]
    (folder / "roots.pem").write_bytes(roots)
    (folder / "roots-and-crls.pem").write_bytes(b"".join([roots, *pems]))
    return (
        _handshake(folder, port, host, "roots.pem", "-crl_check", "-crl_download"),
        _handshake(folder, port, host, "roots-and-crls.pem", "-crl_check_all"),
    )


def _handshake(folder: Path, port: int, host: str, trusted: str, *options: str) -> Verdict:
    answer = ask(
        *("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", host),
        *("-verify_hostname", host, "-verify_return_error", "-x509_strict"),
        *("-purpose", "sslserver", "-no-CApath", "-no-CAstore", "-CAfile", trusted, *options),
        cwd=folder,
    )
    is_good = answer.status == 0 and "Verify return code: 0 (ok)" in answer.words
    return Verdict(is_good, answer.words)


def _chain(folder: Path) -> list[bytes]:
    """Return what the server in a folder presents: its certificate and those above it."""
    above = (folder / "above.pem").read_bytes()
    parts = re.findall(rb"-----BEGIN .*?-----END CERTIFICATE-----\n", above, re.DOTALL)
    return [(folder / "server.pem").read_bytes(), *parts]


def crl_url(certificate: bytes) -> str:
    """Return the URL of the CRL that a certificate points to, as OpenSSL reads it."""
    text = must("openssl", "x509", "-noout", "-ext", "crlDistributionPoints", stdin=certificate)
    [url] = re.findall(r"URI:(\S+)", text.decode())
    return str(url)
