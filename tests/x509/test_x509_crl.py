"""CRLs: what openssl and cryptography say of the bytes, and what is read back from them."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from hypothesis import given
from hypothesis import strategies as st
from x509_material import (
    KEY_OF_ALGORITHM,
    NOT_BEFORE,
    SERIAL,
    issue,
    leaf_template,
    openssl,
    private_key,
    root,
    root_certificate,
    sign,
    spki,
)

from gitca.x509 import der
from gitca.x509.algorithms import SIGNATURE_ALGORITHMS
from gitca.x509.crl import REASONS, CrlEntry, CrlError, build_crl_tbs, parse_crl, rehearse_crl
from gitca.x509.extensions import extension
from gitca.x509.pem import to_pem
from gitca.x509.signed import assemble, tbs_of, verify_signature

NEXT_UPDATE = NOT_BEFORE + timedelta(days=7)
REVOKED = NOT_BEFORE - timedelta(days=1)
ENTRIES = (
    CrlEntry(SERIAL, REVOKED, "keyCompromise", REVOKED - timedelta(days=30)),
    CrlEntry(1, REVOKED, None, None),
    CrlEntry(2**159 - 1, REVOKED, "superseded", None),
    CrlEntry(300, REVOKED, None, datetime(2020, 1, 1, tzinfo=UTC)),
)


def tbs(*entries: CrlEntry, algorithm: str = "ecdsa-sha256", **changes: Any) -> bytes:
    frame = {"crl_number": 7, "this_update": NOT_BEFORE, "next_update": NEXT_UPDATE} | changes
    return build_crl_tbs(
        root_certificate(algorithm), signature_algorithm=algorithm, entries=entries, **frame
    )


def signed(tbs_der: bytes, algorithm: str = "ecdsa-sha256") -> bytes:
    signature = sign(private_key(KEY_OF_ALGORITHM[algorithm]), algorithm, tbs_der)
    return assemble(tbs_der, algorithm, signature)


def shown(crl_der: bytes) -> str:
    return openssl("crl", "-inform", "DER", "-noout", "-text", data=crl_der)


def test_openssl_prints_what_was_entered():
    text = shown(signed(tbs(*ENTRIES)))
    assert "Version 2 (0x1)" in text
    assert "Last Update: Nov 24 12:00:00 2026 GMT" in text
    assert "Next Update: Dec  1 12:00:00 2026 GMT" in text
    assert f"Serial Number: {SERIAL:X}" in text
    assert "Key Compromise" in text
    assert "Invalidity Date: \n                Oct 24 12:00:00 2026 GMT" in text
    assert text.count("CRL Reason Code") == 2
    assert "X509v3 CRL Number: \n                7" in text
    ski = root_certificate().subject_key_identifier or b""
    assert ski.hex(":").upper() in text


@pytest.mark.parametrize(
    ("reason", "printed"),
    [
        ("keyCompromise", "Key Compromise"),
        ("cACompromise", "CA Compromise"),
        ("affiliationChanged", "Affiliation Changed"),
        ("superseded", "Superseded"),
        ("cessationOfOperation", "Cessation Of Operation"),
        ("certificateHold", "Certificate Hold"),
        ("privilegeWithdrawn", "Privilege Withdrawn"),
        ("aACompromise", "AA Compromise"),
    ],
)
def test_openssl_and_cryptography_know_each_reason(reason, printed):
    crl_der = signed(tbs(CrlEntry(5, REVOKED, reason)))
    assert f"X509v3 CRL Reason Code: \n                {printed}\n" in shown(crl_der)
    (entry,) = x509.load_der_x509_crl(crl_der)
    value = entry.extensions.get_extension_for_class(x509.CRLReason).value
    assert value.reason.value == reason
    assert parse_crl(crl_der).entries == (CrlEntry(5, REVOKED, reason),)


@pytest.mark.parametrize("reason", ["unspecified", "removeFromCRL", "compromised"])
def test_a_reason_that_no_complete_crl_states_is_refused(reason):
    with pytest.raises(CrlError) as caught:
        tbs(CrlEntry(5, REVOKED, reason))
    assert caught.value.rule == "crl.reason"


@pytest.mark.parametrize("algorithm", SIGNATURE_ALGORITHMS)
def test_a_crl_verifies_under_its_issuers_key_alone(algorithm):
    crl_der, spec = (
        signed(tbs(*ENTRIES, algorithm=algorithm), algorithm),
        KEY_OF_ALGORITHM[algorithm],
    )
    assert verify_signature(crl_der, spki(spec))
    assert not verify_signature(crl_der, spki(spec, 2))
    rehearsal = rehearse_crl(tbs_of(crl_der), algorithm)
    assert not verify_signature(rehearsal, spki(spec))
    assert parse_crl(rehearsal).entries == ENTRIES
    theirs = x509.load_der_x509_crl(crl_der)
    assert theirs.is_signature_valid(private_key(spec).public_key())


@pytest.mark.parametrize(
    "algorithm", [name for name in SIGNATURE_ALGORITHMS if not name.startswith("ml-dsa")]
)
def test_openssl_verifies_the_signature(tmp_path, algorithm):
    ca = tmp_path / "ca.pem"
    ca.write_text(to_pem(root(algorithm), "CERTIFICATE"))
    crl_der = signed(tbs(*ENTRIES, algorithm=algorithm), algorithm)
    assert "verify OK" in openssl("crl", "-inform", "DER", "-noout", "-CAfile", ca, data=crl_der)


def test_openssl_rejects_the_revoked_certificate_and_no_other(tmp_path):
    ca, crl, leaf = (tmp_path / name for name in ("ca.pem", "crl.pem", "leaf.pem"))
    ca.write_text(to_pem(root(), "CERTIFICATE"))
    crl.write_text(to_pem(signed(tbs(*ENTRIES)), "X509 CRL"))
    moment = str(int((NOT_BEFORE + timedelta(hours=1)).timestamp()))
    arguments = ("verify", "-x509_strict", "-crl_check", "-attime", moment)
    arguments += ("-CAfile", ca, "-CRLfile", crl, leaf)
    leaf.write_text(to_pem(issue(leaf_template(), "ecdsa-sha256", root(), serial=2), "CERTIFICATE"))
    assert "OK" in openssl(*arguments)
    leaf.write_text(to_pem(issue(leaf_template(), "ecdsa-sha256", root()), "CERTIFICATE"))
    with pytest.raises(AssertionError, match="certificate revoked"):
        openssl(*arguments)


def test_an_empty_crl_has_no_list_of_revoked_certificates():
    crl_der = signed(tbs())
    assert "No Revoked Certificates" in shown(crl_der)
    assert len(der.parts(tbs_of(crl_der))) == 6
    assert parse_crl(crl_der).entries == ()


def test_the_bytes_are_those_that_cryptographys_own_builder_writes():
    issuer = x509.load_der_x509_certificate(root())
    ski = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    aki = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ski)
    builder = x509.CertificateRevocationListBuilder(issuer.subject, NOT_BEFORE, NEXT_UPDATE)
    builder = builder.add_extension(aki, False).add_extension(x509.CRLNumber(7), False)
    for entry in ENTRIES:
        revoked = x509.RevokedCertificateBuilder(entry.serial, entry.revocation_date)
        if entry.reason:
            revoked = revoked.add_extension(x509.CRLReason(x509.ReasonFlags(entry.reason)), False)
        if entry.invalidity_date:
            revoked = revoked.add_extension(x509.InvalidityDate(entry.invalidity_date), False)
        builder = builder.add_revoked_certificate(revoked.build())
    theirs = builder.sign(private_key("P-256"), hashes.SHA256())
    assert tbs(*ENTRIES) == theirs.tbs_certlist_bytes
    assembled = assemble(tbs(*ENTRIES), "ecdsa-sha256", theirs.signature)
    assert assembled == theirs.public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize(
    ("next_update", "tag", "text"),
    [
        (datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), der.UTC_TIME, "Dec 31 23:59:59 2049"),
        (datetime(2050, 1, 1, tzinfo=UTC), der.GENERALIZED_TIME, "Jan  1 00:00:00 2050"),
    ],
)
def test_dates_change_their_encoding_between_2049_and_2050(next_update, tag, text):
    entry = CrlEntry(5, next_update, None, next_update)
    crl_der = signed(tbs(entry, next_update=next_update))
    fields = der.parts(tbs_of(crl_der))
    assert fields[4][0] == tag
    assert der.parts(der.parts(fields[5])[0])[1][0] == tag
    assert shown(crl_der).count(text) == 3
    assert parse_crl(crl_der).entries == (entry,)


MOMENTS = st.datetimes(datetime(1950, 1, 1), datetime(9999, 12, 31)).map(  # noqa: DTZ001 - made aware
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)


@given(
    st.lists(
        st.builds(
            CrlEntry,
            serial=st.integers(1, 2**159 - 1),
            revocation_date=MOMENTS,
            reason=st.none() | st.sampled_from(sorted(REASONS)),
            invalidity_date=st.none() | MOMENTS,
        ),
        max_size=20,
    ),
    st.integers(0, 2**159 - 1),
    MOMENTS,
)
def test_a_crl_says_its_entries_in_their_order(entries, number, moment):
    crl_der = rehearse_crl(tbs(*entries, crl_number=number, this_update=moment), "ecdsa-sha256")
    crl = parse_crl(crl_der)
    assert crl.entries == tuple(entries)
    assert (crl.number, crl.this_update, crl.next_update) == (number, moment, NEXT_UPDATE)
    assert crl.issuer_der == root_certificate().subject_der
    assert crl.authority_key_identifier == root_certificate().subject_key_identifier


@pytest.mark.parametrize("serial", [0, -5, 2**159])
def test_a_serial_number_out_of_range_is_refused(serial):
    with pytest.raises(CrlError) as caught:
        tbs(CrlEntry(serial, REVOKED))
    assert caught.value.rule == "crl.serial"


@pytest.mark.parametrize("number", [-1, 2**159])
def test_a_crl_number_out_of_range_is_refused(number):
    with pytest.raises(CrlError) as caught:
        tbs(crl_number=number)
    assert caught.value.rule == "crl.number"


@pytest.mark.parametrize(
    "changes",
    [
        {"this_update": datetime(2026, 1, 1)},  # noqa: DTZ001 - the defect
        {"next_update": NEXT_UPDATE.replace(microsecond=5)},
    ],
)
def test_a_time_that_a_crl_cannot_state_is_refused(changes):
    with pytest.raises(CrlError) as caught:
        tbs(**changes)
    assert caught.value.rule == "crl.encoding"


def test_an_issuer_without_key_identifier_is_refused():
    issuer = replace(root_certificate(), subject_key_identifier=None)
    with pytest.raises(CrlError) as caught:
        build_crl_tbs(
            issuer,
            signature_algorithm="ecdsa-sha256",
            crl_number=1,
            this_update=NOT_BEFORE,
            next_update=NEXT_UPDATE,
            entries=(),
        )
    assert caught.value.rule == "crl.issuer-key-identifier"


def with_extensions(*extensions: bytes, drop: int = 0) -> bytes:
    fields = der.parts(tbs())
    fields[-1] = der.explicit(0, der.sequence(*extensions))
    return signed(
        der.sequence(*(field for index, field in enumerate(fields) if index != drop or not drop))
    )


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "crl.malformed"),
        (root(), "crl.malformed"),
        (signed(tbs())[:-1], "crl.malformed"),
        (with_extensions(extension("1.2.3", False, b"\5\0")), "crl.number"),
        (with_extensions(extension("2.5.29.20", False, der.integer(1)), drop=4), "crl.number"),
        (with_extensions(extension("2.5.29.27", True, der.integer(1))), "crl.critical-extension"),
    ],
)
def test_a_crl_that_is_none_or_says_something_else_is_refused(data, rule):
    with pytest.raises(CrlError) as caught:
        parse_crl(data)
    assert caught.value.rule == rule


def test_a_crl_of_version_1_verifies_and_is_refused():
    # Without version and extensions (RFC 5280 section 5.1.2.1).
    fields = der.parts(tbs())[1:5]
    crl_der = signed(der.sequence(*fields))
    assert verify_signature(crl_der, spki("P-256"))
    with pytest.raises(CrlError) as caught:
        parse_crl(crl_der)
    assert caught.value.rule == "crl.number"


def test_the_cost_of_a_crl_is_linear_in_its_entries():
    def seconds(count: int) -> float:
        entries = [
            CrlEntry(2**150 + n, REVOKED + timedelta(seconds=n), "superseded") for n in range(count)
        ]
        begin = time.process_time()
        assert len(parse_crl(rehearse_crl(tbs(*entries), "ecdsa-sha256")).entries) == count
        return time.process_time() - begin

    small, large = min(seconds(2_000) for _ in range(3)), seconds(40_000)
    # 20 times the entries: 20 times the time where it is linear, 400 times where it is not.
    assert large < 80 * small
