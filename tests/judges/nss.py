"""The NSS judge: `vfychain` with libpkix, as Firefox's library validates."""

from __future__ import annotations

import tempfile
from pathlib import Path

from components import require
from judges.chain import Chain, Purpose, Verdict
from judges.process import ask, must

_USAGES: dict[Purpose, str] = {"client": "0", "server": "1"}

# The end-entity certificate and those above it are configured apart; leave one out and NSS looks
# at no CRL for it. Fetching is forbidden, so that no CRL but ours can speak.
_METHOD = ("-m", "crl", "-s", "failIfNoInfo,forbidFetching")
_REVOCATION = ("-g", "leaf", *_METHOD, "-g", "chain", *_METHOD)


def verify(chain: Chain) -> Verdict:
    """Judge a path in a new database that trusts its anchor; a missing CRL is a refusal.

    A CRL's signature is looked at when the path is judged, not when it is imported (`-B`).
    """
    require("nss")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _fill(folder, chain)
        answer = ask(
            *("vfychain", "-d", "sql:.", "-u", _USAGES[chain.purpose], "-pp", *_REVOCATION),
            *("leaf.der", *(f"{index}.cer" for index in range(len(chain.intermediates)))),
            cwd=folder,
        )
    return Verdict(answer.status == 0 and "Chain is good!" in answer.words, answer.words)


def _fill(folder: Path, chain: Chain) -> None:
    """Write the path's files and a database that holds the anchor, the issuers and the CRLs."""
    must("certutil", "-N", "-d", "sql:.", "--empty-password", cwd=folder)
    (folder / "leaf.der").write_bytes(chain.leaf)
    (folder / "anchor.der").write_bytes(chain.anchor)
    add = ("certutil", "-A", "-d", "sql:.")
    must(*add, "-n", "anchor", "-t", "CT,C,C", "-i", "anchor.der", cwd=folder)
    for index, intermediate in enumerate(chain.intermediates):
        (folder / f"{index}.cer").write_bytes(intermediate)
        must(*add, "-n", f"issuer {index}", "-t", ",,", "-i", f"{index}.cer", cwd=folder)
    for index, crl in enumerate(chain.crls):
        (folder / f"{index}.crl").write_bytes(crl)
        must("crlutil", "-I", "-B", "-t", "1", "-d", "sql:.", "-i", f"{index}.crl", cwd=folder)
