"""URLs of CRLs and CA certificates: templates, and the repository's defaults."""

from __future__ import annotations

import pytest
from document_samples import (
    ISSUING,
    REPOSITORY,
    ROOT,
    TREE,
    governing,
    marked,
    only_finding,
    parsed,
    with_line,
)

DEFAULTS = """\
  urls:
    crl: ["http://pki.example.internal/{ca.name}.crl"]
    caIssuers: ["http://pki.example.internal/{ca.keyIdentifier}.cer"]
"""
CRL = ("http://pki.example.internal/{ca.name}.crl",)
CER = ("http://pki.example.internal/{ca.keyIdentifier}.cer",)


@pytest.mark.parametrize(
    "url",
    [
        "http://pki.example.internal/{ca.name}.crl",
        "http://pki.example.internal/{ca.name}/{ca.keyIdentifier}.crl",
        "http://pki.example.internal/crl?of={ca.keyIdentifier}",
        "http://pki.example.internal:8080/plain.crl",
    ],
)
def test_a_url_may_have_templates_in_its_path(url):
    document, findings = parsed(with_line(ISSUING, 14, f"  caIssuersUrls: ['{url}']"))
    assert findings == ()
    assert document is not None
    assert document.spec.ca_issuers_urls == (url,)


REFUSED = {
    "another word": ("http://pki/{ca.key}.crl", "document.url.template", "{ca.name}"),
    "another case": ("http://pki/{CA.name}.crl", "document.url.template", "{ca.name}"),
    "blanks": ("http://pki/{ ca.name }.crl", "document.url.template", "{ca.name}"),
    "of a policy": ("http://pki/{request.name}.crl", "document.url.template", "{ca.name}"),
    "open": ("http://pki/{ca.name.crl", "document.url.template", "%7B"),
    "closed": ("http://pki/ca.name}.crl", "document.url.template", "%7B"),
    "twofold": ("http://pki/{{ca.name}}.crl", "document.url.template", "%7B"),
    "in the host": ("http://{ca.name}.pki/crl", "document.url.template", "host"),
    "in the port": ("http://pki:{ca.name}/crl", "document.url.template", "host"),
    "https": ("https://pki/{ca.name}.crl", "document.url", "http"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize(
    ("number", "line"),
    [
        (13, "  crl: {{lifetime: 7d, refreshBefore: 3d, urls: [http://a/b, ‸'{}']}}"),
        (14, "  caIssuersUrls: [‸'{}']"),
    ],
    ids=["crl", "caIssuers"],
)
def test_anything_else_in_braces_is_a_finding_at_its_place(name, number, line):
    url, rule, said = REFUSED[name]
    text, place = marked(with_line(ISSUING, number, line.format(url)))
    finding = only_finding(text)
    assert finding.startswith(f"x.yaml:{place}: "), finding
    assert f"({rule})" in finding
    assert said in finding


def test_a_cas_document_without_urls_gets_those_of_the_repository():
    known = governing({"ca/repository.yaml": REPOSITORY + DEFAULTS, "ca/root.yaml": ROOT})
    assert known.findings == ()
    spec = known.authorities["root"].spec
    assert (spec.crl.urls, spec.ca_issuers_urls) == (CRL, CER)


def test_each_default_is_for_itself_and_the_documents_own_url_comes_first():
    text = ROOT + "  crl: {lifetime: 5d, refreshBefore: 1d, urls: [http://own/crl]}\n"
    known = governing({"ca/repository.yaml": REPOSITORY + DEFAULTS, "ca/root.yaml": text})
    spec = known.authorities["root"].spec
    assert (spec.crl.urls, spec.ca_issuers_urls) == (("http://own/crl",), CER)
    assert spec.crl.lifetime.days == 5


def test_a_crl_with_other_settings_alone_gets_the_default_url():
    text = ROOT + "  crl: {lifetime: 5d, refreshBefore: 1d}\n"
    known = governing({"ca/repository.yaml": REPOSITORY + DEFAULTS, "ca/root.yaml": text})
    crl = known.authorities["root"].spec.crl
    assert (crl.urls, crl.lifetime.days) == (CRL, 5)


def test_an_empty_list_means_none():
    text = ROOT + "  crl: {lifetime: 5d, refreshBefore: 1d, urls: []}\n  caIssuersUrls: []\n"
    known = governing({"ca/repository.yaml": REPOSITORY + DEFAULTS, "ca/root.yaml": text})
    spec = known.authorities["root"].spec
    assert (spec.crl.urls, spec.ca_issuers_urls) == ((), ())


def test_a_default_crl_url_that_all_cas_would_share_is_refused():
    line = "  urls: {crl: [‸'http://pki.example.internal/ca.crl']}"
    text, place = marked(REPOSITORY + line)
    finding = only_finding(text)
    assert finding.startswith(f"x.yaml:{place}: ")
    assert "(repository.urls.shared)" in finding


def test_a_default_template_that_is_none_is_a_finding_in_the_repositorys_document():
    text, place = marked(REPOSITORY + "  urls: {caIssuers: [‸'http://pki/{ca}.cer']}")
    finding = only_finding(text)
    assert finding.startswith(f"x.yaml:{place}: ")
    assert "(document.url.template)" in finding


def test_a_broken_repository_document_holds_up_the_cas_that_may_need_its_urls():
    """Issued now, certificates would lack the URLs that the document meant them to have."""
    broken = {"ca/repository.yaml": REPOSITORY + "  urls: {crl: ['http://pki/{ca}.crl']}\n"}
    stated = ROOT + "  crl: {lifetime: 5d, refreshBefore: 1d, urls: []}\n  caIssuersUrls: []\n"
    known = governing(TREE | broken | {"ca/root.yaml": stated})
    assert set(known.authorities) == {"root", "issuing"}
    unsaid = governing(TREE | broken)
    assert set(unsaid.authorities) == set()
    assert [f.rule for f in unsaid.findings if f.location.file == "ca/root.yaml"] == [
        "authority.urls.broken"
    ]
