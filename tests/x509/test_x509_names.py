"""Subject alternative names: one defect each, the rule that it breaks, and the canonical form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitca.x509.names import check_dns, check_email, check_ip, check_uri, general_name, is_wildcard
from gitca.x509.refusal import RefusedError, quoted
from gitca.x509.template import GeneralName

LONGEST = ".".join(["a" * 63] * 3 + ["a" * 61])


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "api.example.internal",
        "API.Example.Internal",
        "xn--bcher-kva.example",
        "*.example.internal",
        "1.2.3.4.in-addr.arpa",
        "a--b.example",
        LONGEST,
    ],
)
def test_a_dns_name_is_accepted(name):
    assert check_dns(name) is None


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("", "dns.empty"),
        ("api.example.internal.", "dns.trailing-dot"),
        ("api..example", "dns.empty-label"),
        (".example", "dns.empty-label"),
        ("my_host.example", "dns.underscore"),
        ("a" * 64 + ".example", "dns.label-length"),
        (LONGEST + "a", "dns.length"),
        ("10.1.2.3", "dns.ip-address"),
        ("fd00::1", "dns.ip-address"),
        ("[fd00::1]", "dns.ip-address"),
        ("10.1.2", "dns.numeric"),
        ("bücher.example", "dns.not-ascii"),
        ("xn--0.example", "dns.a-label"),
        ("xn--Bcher-KVA8445.example", "dns.a-label"),
        ("*", "dns.wildcard"),
        ("a*.example", "dns.wildcard"),
        ("a.*.example", "dns.wildcard"),
        ("*.*.example", "dns.wildcard"),
        ("*a.example", "dns.wildcard"),
        ("api.example\0.evil.example", "dns.control"),
        ("api.example\n", "dns.control"),
        ("-a.example", "dns.characters"),
        ("a-.example", "dns.characters"),
        ("https://a.example", "dns.characters"),
        ("a.example:443", "dns.characters"),
        ("a example", "dns.characters"),
    ],
)
def test_a_dns_name_is_refused_by_its_rule(name, rule):
    problem = check_dns(name)
    assert problem is not None
    assert problem.rule == rule
    assert problem.remedy


def test_the_remedy_for_a_name_that_is_not_ascii_is_its_a_label():
    problem = check_dns("Bücher.example")
    assert problem is not None
    assert "xn--bcher-kva.example" in problem.remedy


def test_the_remedy_says_so_when_there_is_no_a_label():
    problem = check_dns("büch er.example")
    assert problem is not None
    assert "no A-label" in problem.remedy


def test_a_message_says_what_was_seen_and_what_is_allowed():
    problem = check_dns("a" * 64 + ".example")
    assert problem is not None
    assert "64 characters" in problem.message
    assert "63 are allowed" in problem.message


def test_a_wildcard_is_known_as_one():
    assert is_wildcard("*.example")
    assert not is_wildcard("a.example")


@pytest.mark.parametrize("text", ["10.1.2.3", "0.0.0.0", "fd00::1", "::1", "FD00:0:0::1"])  # noqa: S104 - a name, nothing binds
def test_an_ip_address_is_accepted(text):
    assert check_ip(text) is None


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("010.1.2.3", "ip.leading-zero"),
        ("10.1.2.03", "ip.leading-zero"),
        ("fe80::1%eth0", "ip.zone"),
        ("::ffff:10.1.2.3", "ip.mapped"),
        ("10.1.2.0/24", "ip.syntax"),
        ("10.1.2", "ip.syntax"),
        ("256.1.1.1", "ip.syntax"),
        ("host", "ip.syntax"),
        ("", "ip.syntax"),
        ("10.1.2.3 ", "ip.syntax"),
        ("\u0661.1.2.3", "ip.syntax"),
    ],
)
def test_an_ip_address_is_refused_by_its_rule(text, rule):
    problem = check_ip(text)
    assert problem is not None
    assert problem.rule == rule


@pytest.mark.parametrize(
    "text",
    [
        "spiffe://example.internal/ns/prod/sa/api",
        "spiffe://trust_domain.example",
        "https://api.example.internal:8443/path?q=1#f",
        "http://[fd00::1]:80/",
        "http://10.1.2.3/",
        "ldap://directory.example/dc=example",
        "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "tag:example.internal,2026:a",
    ],
)
def test_a_uri_is_accepted(text):
    assert check_uri(text) is None


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("/path", "uri.syntax"),
        ("api.example.internal", "uri.syntax"),
        ("", "uri.syntax"),
        ("http://a/[b]", "uri.syntax"),
        ("https:a", "uri.authority"),
        ("urn:", "uri.authority"),
        ("https:///path", "uri.host"),
        ("https://my_host/", "uri.host"),
        ("https://*.example/", "uri.host"),
        ("https://[10.1.2.3]/", "uri.host"),
        ("https://[fd00::zz]/", "uri.host"),
        ("https://a:port/", "uri.host"),
        ("https://user:password@a.example/", "uri.userinfo"),
        ("https://good.example@evil.example/", "uri.userinfo"),
        ("https://bücher.example/", "uri.characters"),
        ("https://a.example/%zz", "uri.characters"),
        ("https://a.example/a b", "uri.characters"),
        ("https://a.example/\0", "uri.control"),
        ("https://a.example/" + "a" * 2048, "uri.length"),
        ("spiffe://Example/a", "uri.spiffe"),
        ("spiffe://example/a/", "uri.spiffe"),
        ("spiffe://example//a", "uri.spiffe"),
        ("spiffe://example/../a", "uri.spiffe"),
        ("spiffe://example/%61", "uri.spiffe"),
        ("spiffe://example:8080/a", "uri.spiffe"),
        ("spiffe://example/a?q", "uri.spiffe"),
        ("spiffe:///a", "uri.spiffe"),
    ],
)
def test_a_uri_is_refused_by_its_rule(text, rule):
    problem = check_uri(text)
    assert problem is not None
    assert problem.rule == rule


def test_the_password_of_a_uri_is_not_repeated():
    problem = check_uri("https://user:hunter2@a.example/")
    assert problem is not None
    assert "hunter2" not in problem.message + problem.remedy


@pytest.mark.parametrize("text", ["pki@example.internal", "o'brien+x@example.internal", "root@db1"])
def test_an_email_address_is_accepted(text):
    assert check_email(text) is None


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "email.syntax"),
        ("example.internal", "email.syntax"),
        ("@example.internal", "email.syntax"),
        ("a@", "email.syntax"),
        ("a@b@example.internal", "email.syntax"),
        ('"a b"@example.internal', "email.syntax"),
        ("a..b@example.internal", "email.syntax"),
        ("a@[10.1.2.3]", "email.syntax"),
        ("a@*.example", "email.syntax"),
        ("ü@example.internal", "email.syntax"),
        ("a" * 65 + "@example.internal", "email.length"),
        ("a@" + LONGEST, "email.length"),
        ("a\0@example.internal", "email.control"),
    ],
)
def test_an_email_address_is_refused_by_its_rule(text, rule):
    problem = check_email(text)
    assert problem is not None
    assert problem.rule == rule


@pytest.mark.parametrize(
    ("kind", "text", "canonical"),
    [
        ("dns", "API.Example.Internal", "api.example.internal"),
        ("ip", "FD00:0:0:0::0001", "fd00::1"),
        ("uri", "spiffe://example.internal/Api", "spiffe://example.internal/Api"),
        ("email", "PKI@Example.Internal", "PKI@Example.Internal"),
    ],
)
def test_names_have_one_canonical_form(kind, text, canonical):
    assert general_name(kind, text) == GeneralName(kind, canonical)


def test_no_general_name_is_made_of_text_that_a_check_refuses():
    with pytest.raises(RefusedError) as caught:
        general_name("dns", "my_host")
    assert caught.value.rule == "dns.underscore"


@given(st.text(max_size=400))
def test_the_checks_answer_for_any_text(text):
    for check in (check_dns, check_ip, check_uri, check_email):
        problem = check(text)
        assert problem is None or (text.isprintable() or "\x1b" not in str(problem))


@pytest.mark.parametrize("text", ["a\x1b[31mb", "a\u202eb", "a\nb", "a\u200bb"])
def test_text_is_quoted_with_its_invisible_characters_escaped(text):
    assert quoted(text).isprintable()
    assert "\\" in quoted(text)


def test_long_text_is_cut_when_quoted():
    assert len(quoted("a" * 100_000)) < 100


def test_a_hostile_name_takes_no_time():
    for check in (check_dns, check_ip, check_uri, check_email):
        assert check("a." * 500_000) is not None
        assert check("0" * 1_000_000) is not None
