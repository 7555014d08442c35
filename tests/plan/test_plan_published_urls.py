"""URLs of CRLs and CA certificates, held against what the targets of publishing serve."""

from __future__ import annotations

import pytest

from ca_documents import CRL, authority
from ca_world import Clone
from publish_world import FOLDER, issuer_of, repository

BASE = "http://pki.example.internal"
TARGET = {"to": FOLDER, "url": BASE}


def found(clone: Clone, *urls: str, ca_issuers: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """What the plan says of the issuing CA's URLs: rules and severities."""
    document = authority(
        "issuing", "root", crl=CRL | {"urls": list(urls)}, caIssuersUrls=list(ca_issuers)
    )
    clone.save({"ca/issuing.yaml": document})
    return [
        (finding.rule, finding.severity.value)
        for finding in clone.plan().findings
        if finding.rule.startswith("authority.urls") and finding.location.file == "ca/issuing.yaml"
    ]


@pytest.fixture
def served(made: Clone) -> Clone:
    made.save(repository(TARGET))
    return made


UNSERVED = ("authority.urls.unserved", "warning")
MISMATCH = ("authority.urls.mismatch", "error")


@pytest.mark.parametrize(
    "url",
    [
        f"{BASE}/{{ca.name}}.crl",
        f"{BASE}/issuing-{{ca.keyIdentifier}}.crl",
        "http://PKI.example.internal:80/issuing.crl",
    ],
)
def test_a_url_of_what_is_published_is_right(served: Clone, url: str) -> None:
    assert found(served, url) == []


@pytest.mark.parametrize(
    ("url", "finding"),
    [
        (f"{BASE}/issuing-1.crl", UNSERVED),
        (f"{BASE}/crl/issuing.crl", UNSERVED),
        ("http://other.example.internal/issuing.crl", UNSERVED),
        ("http://pki.example.internal.evil/issuing.crl", UNSERVED),
        (f"{BASE}:8080/issuing.crl", UNSERVED),
        (f"{BASE}/root.crl", MISMATCH),
        (f"{BASE}/issuing.cer", MISMATCH),
        (f"{BASE}/issuing.p7c", MISMATCH),
        (f"{BASE}/issuing.crl.pem", MISMATCH),
    ],
)
def test_a_url_of_something_else_is_told_of(
    served: Clone, url: str, finding: tuple[str, str]
) -> None:
    assert found(served, url) == [finding]


def test_urls_of_ca_certificates_are_held_against_certificates(served: Clone) -> None:
    key = issuer_of(served).subject_key_identifier
    assert key is not None
    right = (f"{BASE}/issuing.cer", f"{BASE}/issuing-{key.hex()}.cer", f"{BASE}/issuing.p7c")
    assert found(served, ca_issuers=right) == []
    wrong = (f"{BASE}/root.cer", f"{BASE}/issuing.pem", f"{BASE}/ca.der")
    assert found(served, ca_issuers=wrong) == [MISMATCH, MISMATCH, UNSERVED]


def test_a_ca_that_is_still_to_be_made_is_judged_too(served: Clone) -> None:
    crl = CRL | {"urls": [f"{BASE}/{{ca.name}}-{{ca.keyIdentifier}}.crl", f"{BASE}/root.crl"]}
    subject = {"commonName": "Another CA"}
    served.save({"ca/other.yaml": authority("other", "root", crl=crl, subject=subject)})
    rules = [f.rule for f in served.plan().findings if f.location.file == "ca/other.yaml"]
    assert rules == ["authority.urls.mismatch"]


def test_nothing_is_said_while_no_target_has_a_url(made: Clone) -> None:
    made.save(repository(FOLDER))
    assert found(made, "http://other.example.internal/x") == []


def test_nothing_is_said_of_a_retired_ca(served: Clone) -> None:
    crl = CRL | {"urls": [f"{BASE}/root.crl"]}
    served.save({"ca/issuing.yaml": authority("issuing", "root", crl=crl, state="retired")})
    rules = [finding.rule for finding in served.plan().findings]
    assert not any(rule.startswith("authority.urls") for rule in rules)


KEY = "0123456789abcdef" * 2 + "01234567"


def published_names(clone: Clone) -> list[tuple[str, bool]]:
    found = [f for f in clone.plan().findings if f.rule == "authority.name.published"]
    return [(finding.location.file, finding.is_error) for finding in found]


@pytest.mark.parametrize(
    "name", ["root.chain", "root.crl", "root.CRL", f"root-{KEY}", f"ROOT-{KEY.upper()}"]
)
def test_two_cas_are_not_published_at_one_place(served: Clone, name: str) -> None:
    """A key identifier need not be the other CA's of today: who has the key may come later."""
    served.save({f"ca/{name}.yaml": authority("other", subject={"commonName": "Another CA"})})
    assert published_names(served) == [(f"ca/{name}.yaml", True)]


@pytest.mark.parametrize(
    "name", ["root-2", "root.cer", f"none-{KEY}", f"root-{KEY}0", f"root{KEY}"]
)
def test_a_name_with_places_of_its_own_is_right(served: Clone, name: str) -> None:
    served.save({f"ca/{name}.yaml": authority("other", subject={"commonName": "Another CA"})})
    assert published_names(served) == []


@pytest.mark.parametrize("content", [None, "spec: ["])
def test_a_ca_without_a_document_keeps_its_places(served: Clone, content: str | None) -> None:
    other = authority("other", subject={"commonName": "Another CA"})
    served.save({"ca/issuing.yaml": content, f"ca/issuing-{KEY}.yaml": other})
    assert published_names(served) == [(f"ca/issuing-{KEY}.yaml", True)]
