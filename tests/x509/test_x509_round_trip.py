"""For all templates: the bytes say the template, the whole template, and nothing else."""

from __future__ import annotations

import ipaddress
import string
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from x509_material import root, spki

from gitca.x509.attributes import ATTRIBUTE_TYPES, check_attribute
from gitca.x509.certificate import Issuer, parse_certificate, rehearse, template_of
from gitca.x509.extensions import KEY_USAGES
from gitca.x509.lint import lint_certificate
from gitca.x509.template import (
    BasicConstraints,
    CertificateTemplate,
    GeneralName,
    NameAttribute,
    NameConstraints,
)

LABELS = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12)
HOSTS = st.lists(LABELS, min_size=1, max_size=4).map(lambda labels: ".".join([*labels, "internal"]))
ADDRESSES = (st.ip_addresses(v=4) | st.ip_addresses(v=6)).filter(
    lambda address: not (address.version == 6 and address.ipv4_mapped)
)
NAMES = (
    HOSTS.map(lambda host: GeneralName("dns", host))
    | HOSTS.map(lambda host: GeneralName("dns", f"*.{host}"))
    | ADDRESSES.map(lambda address: GeneralName("ip", str(address)))
    | HOSTS.map(lambda host: GeneralName("uri", f"spiffe://{host}/a"))
    | HOSTS.map(lambda host: GeneralName("email", f"a.b@{host}"))
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
ATTRIBUTES = st.builds(
    NameAttribute,
    oid=st.sampled_from(sorted(ATTRIBUTE_TYPES)),
    value=st.text(min_size=1, max_size=64) | st.text(string.ascii_letters, min_size=1, max_size=2),
).filter(lambda attribute: check_attribute(attribute.oid, attribute.value) is None)
OIDS = st.lists(st.integers(0, 2**32), min_size=1, max_size=5).map(
    lambda arcs: ".".join(["1", "3", *map(str, arcs)])
)
USAGES = st.sets(st.sampled_from([name for name in KEY_USAGES if not name.endswith("Only")])).map(
    lambda chosen: tuple(name for name in KEY_USAGES if name in chosen)
)
URLS = st.lists(HOSTS.map(lambda host: f"http://{host}/x"), max_size=3).map(tuple)
TEMPLATES = st.builds(
    CertificateTemplate,
    subject=st.lists(ATTRIBUTES, max_size=4).map(tuple),
    spki_der=st.sampled_from([spki("P-256"), spki("RSA-2048"), spki("Ed25519")]),
    sans=st.lists(NAMES, max_size=5).map(tuple),
    key_usage=USAGES,
    extended_key_usage=st.lists(OIDS, max_size=3).map(tuple),
    basic_constraints=st.none() | st.builds(BasicConstraints, st.none() | st.integers(0, 9)),
    name_constraints=CONSTRAINTS,
    certificate_policies=st.lists(OIDS, max_size=3, unique=True).map(tuple),
    crl_urls=URLS,
    ca_issuers_urls=URLS,
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
