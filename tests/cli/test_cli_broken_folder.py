"""A folder of one hundred broken requests: each is found, each finding says all that it should."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_command import Command

OPENING = "apiVersion: gitca/v1\nkind: CertificateRequest\nspec:\n"
CSR = "  csrFile: sound.csr\n"
SANS = "  sans: {dns: [api.example.internal]}\n"
POLICY = "  policy: internal-server\n"
USUAL = OPENING + POLICY + SANS + CSR
REVOCATION = "apiVersion: gitca/v1\nkind: RevocationRequest\nspec:\n"


def _asking(*lines: str, sans: str = SANS, policy: str = POLICY, csr: str = CSR) -> str:
    return OPENING + policy + sans + csr + "".join(f"  {line}\n" for line in lines)


def _names(text: str) -> str:
    return _asking(sans=f"  sans: {{{text}}}\n")


# Twenty-five ways to be wrong; each is written four times, so that the copies are findings too.
BROKEN: dict[str, tuple[str, str]] = {
    "no-yaml": ("spec: [", "yaml.syntax"),
    "tab": ("spec:\n\tpolicy: x\n", "yaml.tab"),
    "anchor": (USUAL.replace("[api", "&a [api"), "yaml.anchor"),
    "duplicate-key": (USUAL + POLICY, "yaml.duplicate-key"),
    "kind": (USUAL.replace("CertificateRequest", "Certificate"), "document.kind"),
    "version": (USUAL.replace("gitca/v1", "gitca/v0"), "document.value"),
    "unknown-key": (_asking("keyUsages: [digitalSignature]"), "document.unknown-key"),
    "mistyped-usage": (_asking("extendedKeyUsage: [serverauth]"), "document.extended-key-usage"),
    "unknown-policy": (_asking(policy="  policy: nowhere\n"), "request.policy.unknown"),
    "missing-policy": (_asking(policy=""), "document.missing-key"),
    "no-csr": (_asking(csr=""), "request.csr.missing"),
    "csr-elsewhere": (_asking(csr="  csrFile: ../../ca/root.yaml\n"), "request.csr-file.path"),
    "csr-not-there": (_asking(csr="  csrFile: gone.csr\n"), "request.csr-file.missing"),
    "csr-is-none": (_asking(csr="  csrFile: none.csr\n"), "csr.format"),
    "duration": (_asking("validity: 90"), "document.type"),
    "too-long": (_asking("validity: 10y"), "validity.max"),
    "usage": (_asking("extendedKeyUsage: [clientAuth]"), "extendedKeyUsage.allow"),
    "ca": (_asking("ca: {pathLength: 0}"), "ca"),
    "organisation": (_asking("subject: {organization: system:masters}"), "subject.organization"),
    "another-domain": (_names("dns: [api.example.com]"), "sans.dns.allow"),
    "wildcard": (_names('dns: ["*.example.internal"]'), "sans.dns.wildcards"),
    "address": (_names("ip: [192.0.2.1]"), "sans.ip.allow"),
    "mail": (_names("email: [root@example.internal]"), "sans.email"),
    "trailing-dot": (_names("dns: [api.example.internal.]"), "dns.trailing-dot"),
    "serial": (
        REVOCATION + '  serial: "3F"\n  ca: issuing\n  reason: superseded\n',
        "document.serial",
    ),
}
COPIES = 4
FINDING = re.compile(
    r"(?P<file>\S+):(?P<line>[1-9]\d*):(?P<column>[1-9]\d*): (?P<message>\S.*)"
    r" \((?:policy \S+, )?(?P<rule>[\w.-]+)\); (?P<remedy>\S.*)"
)


@pytest.fixture
def broken(pki: Command, make_csr: Callable[..., Path]) -> Command:
    """The repository of `init` with one hundred requests that are all wrong."""
    sound = make_csr("sound").read_bytes()
    for name, (text, _) in BROKEN.items():
        for copy in range(COPIES):
            folder = pki.folder / "requests" / f"team{copy}"
            folder.mkdir(exist_ok=True)
            (folder / f"{name}.yaml").write_text(text)
            (folder / "sound.csr").write_bytes(sound)
            (folder / "none.csr").write_text("nothing of the sort\n")
    return pki


def test_a_hundred_broken_requests_give_a_hundred_whole_findings(broken: Command) -> None:
    files = [f"requests/team{copy}/{name}.yaml" for copy in range(COPIES) for name in BROKEN]
    assert len(files) == 100
    answer = broken("validate")
    assert (answer.code, answer.err) == (1, "")
    *told, summary = answer.out.splitlines()
    errors = [line for line in told if line.startswith("requests/")]
    assert len(errors) >= 100
    found: dict[str, set[str]] = {}
    for line in errors:
        finding = FINDING.fullmatch(line)
        assert finding is not None, line
        found.setdefault(finding["file"], set()).add(finding["rule"])
    assert [file for file in files if file not in found] == []
    for file in files:
        _, rule = BROKEN[Path(file).stem]
        assert rule in found[file], file
    assert re.fullmatch(r"\d+ documents: \d{3,} errors.*", summary)


def test_the_places_of_the_findings_are_in_their_files(broken: Command) -> None:
    answer = broken("validate", "--format", "json")
    assert answer.code == 1
    findings = json.loads(answer.out)["findings"]
    assert len(findings) >= 100
    for finding in findings:
        lines = (broken.folder / finding["file"]).read_text().split("\n")
        assert 1 <= finding["line"] <= len(lines), finding
        assert 1 <= finding["column"] <= len(lines[finding["line"] - 1]) + 1, finding
        assert finding["remedy"], finding
        assert finding["rule"], finding
