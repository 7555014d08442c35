"""The NSS judge: `vfychain` with libpkix, as Firefox's library validates."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from components import require
from judges.chain import Chain, Purpose, Verdict
from judges.process import ask, must

_USAGES: dict[Purpose, str] = {"client": "0", "server": "1"}

# The end-entity certificate and those above it are configured apart; leave one out and NSS looks
# at no CRL for it. Fetching is forbidden, so that no CRL but ours can speak.
_METHOD = ("-m", "crl", "-s", "requireInfo,forbidFetching")
_REVOCATION = ("-g", "leaf", *_METHOD, "-g", "chain", *_METHOD)


def verify(chain: Chain) -> Verdict:
    """Judge a path in a new database that trusts its anchor and holds its CRLs.

    vfychain takes a missing CRL for good news; its flag failIfNoInfo refuses every certificate with
    CRLDistributionPoints unless it may fetch. So the database is asked whether each CA has a CRL.
    """
    require("nss")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _add_certificates(folder, chain)
        refusals = [*_add_crls(folder, chain), *_missing_crls(folder, chain)]
        answer = ask(
            *("vfychain", "-d", "sql:.", "-u", _USAGES[chain.purpose], "-pp", *_REVOCATION),
            *("leaf.der", *(f"{index}.cer" for index in range(len(chain.intermediates)))),
            cwd=folder,
        )
    is_good = answer.status == 0 and "Chain is good!" in answer.words
    return Verdict(is_good and not refusals, "\n".join([answer.words, *refusals]))


def _add_certificates(folder: Path, chain: Chain) -> None:
    """Write the path's files and a database that trusts the anchor and knows the other CAs."""
    must("certutil", "-N", "-d", "sql:.", "--empty-password", cwd=folder)
    (folder / "leaf.der").write_bytes(chain.leaf)
    (folder / "anchor.der").write_bytes(chain.anchor)
    add = ("certutil", "-A", "-d", "sql:.")
    must(*add, "-n", "anchor", "-t", "CT,C,C", "-i", "anchor.der", cwd=folder)
    for index, intermediate in enumerate(chain.intermediates):
        (folder / f"{index}.cer").write_bytes(intermediate)
        must(*add, "-n", f"issuer {index}", "-t", ",,", "-i", f"{index}.cer", cwd=folder)


def _add_crls(folder: Path, chain: Chain) -> Iterator[str]:
    """Import the CRLs, each judged under its issuer; yield what NSS says of one that it refuses."""
    for index, crl in enumerate(chain.crls):
        (folder / f"{index}.crl").write_bytes(crl)
        answer = ask("crlutil", "-I", "-t", "1", "-d", "sql:.", "-i", f"{index}.crl", cwd=folder)
        if answer.status != 0:
            yield answer.words


def _missing_crls(folder: Path, chain: Chain) -> Iterator[str]:
    """Yield each CA of the path for which the database has no CRL."""
    listed = ask("crlutil", "-L", "-d", "sql:.", cwd=folder).words
    issuers = ("anchor", *(f"issuer {index}" for index in range(len(chain.intermediates))))
    for issuer in issuers:
        if not re.search(rf"^{issuer} +CRL", listed, re.MULTILINE):
            yield f"no CRL of {issuer}"
