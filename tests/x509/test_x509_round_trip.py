"""For all templates: the bytes say the template, the whole template, and nothing else."""

from __future__ import annotations

import ipaddress
import string
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from x509_material import root, spki

from gitca.x509 import der
from gitca.x509.attributes import ATTRIBUTE_TYPES, check_attribute
from gitca.x509.certificate import Issuer, parse_certificate, rehearse, template_of
from gitca.x509.extensions import KEY_USAGES
from gitca.x509.general_names import (
    UPN_OID,
    check_other_name,
    read_general_name,
    write_general_names,
)
from gitca.x509.lint import lint_certificate
from gitca.x509.template import (
    BasicConstraints,
    CertificateTemplate,
    Extension,
    GeneralName,
    NameAttribute,
    NameConstraints,
    PolicyInformation,
)

LABELS = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12)
HOSTS = st.lists(LABELS, min_size=1, max_size=4).map(lambda labels: ".".join([*labels, "internal"]))
ADDRESSES = (st.ip_addresses(v=4) | st.ip_addresses(v=6)).filter(
    lambda address: not (address.version == 6 and address.ipv4_mapped)
)
ATTRIBUTES = st.builds(
    NameAttribute,
    oid=st.sampled_from([*sorted(ATTRIBUTE_TYPES), "1.2.840.99999.7"]),
    value=st.text(min_size=1, max_size=64) | st.text(string.ascii_letters, min_size=1, max_size=2),
).filter(lambda attribute: check_attribute(attribute.oid, attribute.value) is None)
OIDS = st.lists(st.integers(0, 2**32), min_size=1, max_size=5).map(
    lambda arcs: ".".join(["1", "3", *map(str, arcs)])
)
# pkilint's parser refuses object identifiers of two octets, and some numbers of 29 bits and more.
LINTABLE_OIDS = st.lists(st.integers(0, 2**28), min_size=2, max_size=5).map(
    lambda arcs: ".".join(["1", "3", *map(str, arcs), "99999"])
)
OTHER_NAMES = st.builds(
    lambda oid, text: GeneralName("otherName", text, oid),
    LINTABLE_OIDS,
    st.text(min_size=1, max_size=20),
).filter(lambda name: check_other_name(name.type_id, name.value) is None)
NAMES = (
    HOSTS.map(lambda host: GeneralName("dns", host))
    | HOSTS.map(lambda host: GeneralName("dns", f"*.{host}"))
    | ADDRESSES.map(lambda address: GeneralName("ip", str(address)))
    | HOSTS.map(lambda host: GeneralName("uri", f"spiffe://{host}/a"))
    | HOSTS.map(lambda host: GeneralName("email", f"a.b@{host}"))
    | LINTABLE_OIDS.map(lambda oid: GeneralName("registeredID", oid))
    | OTHER_NAMES
    | HOSTS.map(lambda host: GeneralName("otherName", f"a@{host}", UPN_OID))
    | st.lists(ATTRIBUTES, min_size=1, max_size=3).map(
        lambda attributes: GeneralName("directoryName", attributes=tuple(attributes))
    )
)
NETWORKS = st.tuples(ADDRESSES, st.integers(0, 32)).map(
    lambda pair: str(ipaddress.ip_network(f"{pair[0]}/{pair[1]}", strict=False))
)
SUBTREES = (
    HOSTS.map(lambda host: GeneralName("dns", host))
    | NETWORKS.map(lambda network: GeneralName("ip", network))
    | HOSTS.map(lambda host: GeneralName("uri", f".{host}"))
    | HOSTS.map(lambda host: GeneralName("email", f".{host}"))
)
CONSTRAINTS = st.tuples(
    st.lists(SUBTREES, max_size=3).map(tuple), st.lists(SUBTREES, max_size=3).map(tuple)
).map(lambda both: NameConstraints(*both) if any(both) else None)
USAGES = st.sets(st.sampled_from([name for name in KEY_USAGES if not name.endswith("Only")])).map(
    lambda chosen: tuple(name for name in KEY_USAGES if name in chosen)
)
URLS = st.lists(HOSTS.map(lambda host: f"http://{host}/x"), max_size=3).map(tuple)
NOTICES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200)
POLICIES = st.builds(PolicyInformation, OIDS, URLS, st.none() | NOTICES)
EXTENSIONS = st.builds(
    Extension,
    oid=st.integers(1, 10**6).map(lambda arc: f"1.3.6.1.4.1.99999.{arc}"),
    critical=st.booleans(),
    value_der=st.binary(max_size=100),
)
TEMPLATES = st.builds(
    CertificateTemplate,
    subject=st.lists(ATTRIBUTES, max_size=4).map(tuple),
    spki_der=st.sampled_from([spki("P-256"), spki("RSA-2048"), spki("Ed25519")]),
    sans=st.lists(NAMES, max_size=5).map(tuple),
    key_usage=USAGES,
    extended_key_usage=st.lists(OIDS, max_size=3).map(tuple),
    basic_constraints=st.none() | st.builds(BasicConstraints, st.none() | st.integers(0, 9)),
    name_constraints=CONSTRAINTS,
    certificate_policies=st.lists(POLICIES, max_size=3, unique_by=lambda policy: policy.oid).map(
        tuple
    ),
    crl_urls=URLS,
    ca_issuers_urls=URLS,
    extensions=st.lists(EXTENSIONS, max_size=3, unique_by=lambda item: item.oid).map(tuple),
    key_usage_critical=st.booleans(),
    extended_key_usage_critical=st.booleans(),
).map(
    # Of an extension that is not there a certificate says nothing.
    lambda template: replace(
        template,
        key_usage_critical=template.key_usage_critical or not template.key_usage,
        extended_key_usage_critical=template.extended_key_usage_critical
        and bool(template.extended_key_usage),
    )
)
MOMENTS = st.datetimes(datetime(1950, 1, 1), datetime(9999, 12, 31)).map(  # noqa: DTZ001 - made aware
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)


@given(
    TEMPLATES, st.integers(1, 2**159 - 1), st.tuples(MOMENTS, MOMENTS).map(sorted), st.booleans()
)
def test_a_certificate_says_its_template_serial_and_dates(template, serial, dates, self_signed):
    issuer = Issuer(None if self_signed else root(), "ecdsa-sha256")
    rehearsal = rehearse(template, issuer, serial=serial, not_before=dates[0], not_after=dates[1])
    certificate = parse_certificate(rehearsal.der)
    assert template_of(rehearsal.tbs) == template_of(rehearsal.der) == template
    assert certificate.template.digest == template.digest
    assert certificate.serial == serial
    assert [certificate.not_before, certificate.not_after] == dates


@given(st.lists(NAMES, min_size=1, max_size=5, unique=True).map(tuple), CONSTRAINTS)
def test_the_linter_agrees_with_every_name_that_the_checks_accept(sans, constraints):
    template = CertificateTemplate(
        subject=(),
        spki_der=spki("P-256"),
        sans=sans,
        key_usage=("keyCertSign", "cRLSign"),
        basic_constraints=BasicConstraints(None),
        name_constraints=constraints,
    )
    rehearsal = rehearse(
        template,
        Issuer(root(), "ecdsa-sha256"),
        serial=2**100,
        not_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_after=datetime(2027, 1, 1, tzinfo=UTC),
    )
    # An empty subject is a CA's defect (RFC 5280 section 4.1.2.6), and not the names'.
    codes = {result.code for result in lint_certificate(rehearsal.der) if result.is_error}
    assert not {code for code in codes if "syntax" in code or "length" in code}


@given(st.lists(NAMES, max_size=5).map(tuple))
def test_the_strict_reader_of_csrs_reads_what_the_writer_of_certificates_wrote(names):
    read = [read_general_name(name_der) for name_der in der.parts(write_general_names(names))]
    assert tuple(read) == names


@given(st.lists(NAMES, max_size=2, min_size=2))
def test_two_names_have_the_same_text_only_if_they_are_the_same(names):
    one, other = names
    assert (str(one) == str(other)) == (one == other)
