"""Certificates of external CAs beside the documents: which are loaded, and which are odd."""

from __future__ import annotations

import pytest
from document_samples import ISSUING, TREE, entries, governing, only_finding, reader, with_line

from gitca.documents.load import load_governing

EXTERNAL = with_line(ISSUING, 5, "  issuer: external")
FILES = {**TREE, "ca/issuing.yaml": EXTERNAL}


def found(**files: str) -> list[tuple[str, str, str]]:
    known = governing(FILES | files)
    assert set(known.authorities) == {"root", "issuing"}
    return [(str(one.location), one.rule, one.severity.value) for one in known.findings]


def test_the_file_beside_the_document_of_an_external_ca_is_loaded_as_it_is():
    known = governing(FILES | {"ca/issuing.pem": "anything"})
    assert known.findings == ()
    (file,) = known.authority_certificates.values()
    assert (file.path, file.data) == ("ca/issuing.pem", b"anything")
    assert known.authority_certificates["issuing"] is file


def test_an_external_ca_without_a_file_is_sound():
    known = governing(FILES)
    assert known.findings == ()
    assert known.authority_certificates == {}


UNUSED = {
    "of a root": ("ca/root.pem", "remove it"),
    "of no CA": ("ca/gone.pem", "remove it"),
    "misspelt": ("ca/isuing.pem", "rename it to ca/issuing.pem"),
    "in another case": ("ca/Issuing.pem", "rename it to ca/issuing.pem"),
    "ending in another case": ("ca/issuing.PEM", "rename it to ca/issuing.pem"),
    "of another ending": ("ca/issuing.crt", "rename it to ca/issuing.pem"),
    "of another encoding": ("ca/issuing.der", "rename it to ca/issuing.pem"),
    "a bundle": ("ca/issuing.p7b", "rename it to ca/issuing.pem"),
    "deeper": ("ca/sub/issuing.pem", "rename it to ca/issuing.pem"),
    "of the settings": ("ca/repository.pem", "remove it"),
}


@pytest.mark.parametrize("name", UNUSED)
def test_a_certificate_that_nothing_uses_is_an_error(name):
    path, remedy = UNUSED[name]
    known = governing(FILES | {path: "x"})
    (finding,) = known.findings
    assert finding.rule == "authority.certificate.unused"
    assert finding.is_error
    assert finding.location.file == path
    assert finding.remedy.startswith(remedy)
    assert known.authority_certificates == {}
    assert known.broken == frozenset()


def test_of_a_ca_whose_document_is_broken_nothing_is_said_beside_that():
    known = governing({**TREE, "ca/issuing.yaml": "{", "ca/issuing.pem": "x"})
    assert [one.location.file for one in known.findings if "certificate" in one.rule] == []
    assert known.authority_certificates == {}


def test_a_file_of_64_kibibytes_is_loaded_and_a_longer_one_is_not():
    assert found(**{"ca/issuing.pem": "x" * 65536}) == []
    assert found(**{"ca/issuing.pem": "x" * 65537}) == [
        ("ca/issuing.pem:1:1", "authority.certificate.size", "error")
    ]


def test_a_private_key_is_found_and_not_repeated():
    secret = "-----BEGIN EC PRIVATE KEY-----\nc2VjcmV0\n-----END EC PRIVATE KEY-----\n"
    known = governing(FILES | {"ca/issuing.pem": secret})
    (finding,) = known.findings
    assert finding.rule == "authority.certificate.private-key"
    assert "c2VjcmV0" not in str(finding)
    assert known.authority_certificates == {}


def test_a_symbolic_link_is_one_finding_and_is_not_read():
    files = FILES | {"ca/issuing.pem": "root.pem"}
    listing = entries(files, ca_issuing_pem="120000")
    known = load_governing(listing, reader(files))
    assert [one.rule for one in known.findings] == ["path.symlink"]
    assert known.authority_certificates == {}


def test_a_ca_below_an_external_one_is_sound():
    text = with_line(ISSUING, 5, "  issuer: issuing").replace("Issuing CA", "Lower CA")
    text = text.replace("alias/example-issuing", "alias/example-lower")
    known = governing(FILES | {"ca/lower.yaml": text})
    assert known.findings == ()
    assert "lower" in known.authorities


def test_an_external_ca_renews_its_certificates_itself():
    text = with_line(EXTERNAL, 8, "  validity: 5y\n  renewBefore: 1y")
    finding = only_finding(text)
    assert "(authority.renew-before.external)" in finding
    assert finding.startswith("x.yaml:9:")
