"""The nginx judge: a TLS handshake with client certificate, under a CRL.

nginx listens on a Unix socket in a temporary folder: no port to race for, and nothing that another
user of the machine could connect to.
"""

from __future__ import annotations

import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from components import program, require
from judges.chain import Verdict, bundle, to_pem

# 495 is nginx's own status for a client certificate that did not verify, 496 for none at all.
_CONFIGURATION = """
daemon off;
master_process off;
pid nginx.pid;
error_log error.log info;
events { worker_connections 16; }
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    scgi_temp_path scgi;
    uwsgi_temp_path uwsgi;
    server {
        listen unix:socket ssl;
        ssl_certificate server.pem;
        ssl_certificate_key server.key;
        ssl_client_certificate anchors.pem;
        ssl_crl crls.pem;
        ssl_verify_client on;
        ssl_verify_depth 4;
        ssl_session_cache off;
        ssl_session_tickets off;
        error_page 495 496 = @refused;
        default_type text/plain;
        location / { return 200 "$ssl_client_verify $ssl_client_s_dn"; }
        location @refused { return 403 "$ssl_client_verify"; }
    }
}
"""
_START_SECONDS = 30.0
_ANSWER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate, its intermediates leaf side first, all in DER, and its private key in PEM."""

    certificate: bytes
    intermediates: tuple[bytes, ...]
    key_pem: bytes

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write `name`.pem, the chain, and `name`.key; return both paths."""
        chain, key = folder / f"{name}.pem", folder / f"{name}.key"
        chain.write_text(bundle((self.certificate, *self.intermediates)))
        key.touch(mode=0o600)
        key.write_bytes(self.key_pem)
        return chain, key


@dataclass(frozen=True, slots=True)
class Server:
    """An nginx that runs; made by `serve`."""

    folder: Path
    hostname: str

    def greet(self, client: Credential | None) -> Verdict:
        """Handshake as a client that verifies the server too, and say what nginx answered."""
        context = self._context(client)
        with socket.socket(socket.AF_UNIX) as plain:
            plain.settimeout(_ANSWER_SECONDS)
            plain.connect(str(self.folder / "socket"))
            try:
                with context.wrap_socket(plain, server_hostname=self.hostname) as tls:
                    return _ask_for_page(tls, self.hostname)
            except ssl.SSLError as refusal:
                return Verdict(False, str(refusal))

    def _context(self, client: Credential | None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.folder / "anchors.pem")
        context.load_verify_locations(self.folder / "crls.pem")
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN | ssl.VERIFY_X509_STRICT
        if client is not None:
            with tempfile.TemporaryDirectory() as name:
                context.load_cert_chain(*client.write(Path(name), "client"))
        return context


@contextmanager
def serve(
    server: Credential, *, hostname: str, anchor: bytes, crls: tuple[bytes, ...]
) -> Iterator[Server]:
    """Run an nginx that presents `server` and demands a client certificate; stop it on leaving.

    Raises: RuntimeError with nginx's own words when it does not start.
    """
    require("nginx")
    with tempfile.TemporaryDirectory(prefix="nginx") as name:
        folder = Path(name)
        server.write(folder, "server")
        (folder / "anchors.pem").write_text(to_pem(anchor))
        (folder / "crls.pem").write_text(bundle(crls, "X509 CRL"))
        # nginx takes a listening socket's path from its own folder only when it is absolute.
        text = _CONFIGURATION.replace("unix:socket", f"unix:{folder / 'socket'}")
        with running(folder, text):
            yield Server(folder, hostname)


@contextmanager
def running(folder: Path, configuration: str) -> Iterator[None]:
    """Run an nginx in a folder, which listens at the Unix socket `socket` there; stop it then.

    Raises: RuntimeError with nginx's own words when it does not start.
    """
    (folder / "nginx.conf").write_text(configuration)
    command = [str(program("nginx")), "-p", str(folder), "-c", "nginx.conf", "-e", "error.log"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=folder) as process:
        try:
            _wait_until_it_listens(process, folder)
            yield
        finally:
            process.terminate()


def _wait_until_it_listens(process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(folder / "socket")) == 0:
                return
        time.sleep(0.01)
    raise RuntimeError(f"nginx did not start: {(folder / 'error.log').read_text()}")


def _ask_for_page(tls: ssl.SSLSocket, hostname: str) -> Verdict:
    tls.sendall(f"GET / HTTP/1.0\r\nHost: {hostname}\r\n\r\n".encode())
    with tls.makefile("rb") as stream:
        head, _, body = stream.read().decode().partition("\r\n\r\n")
    status = head.splitlines()[0] if head else "no answer"
    return Verdict(" 200 " in status, f"{status}: {body}")
