"""DER: what is written, and what the reader refuses of what others wrote."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from x509_material import openssl

from gitca.x509 import der
from gitca.x509.algorithms import algorithm_identifier_der
from gitca.x509.signed import verify_signature


@given(st.integers(min_value=-(2**200), max_value=2**200))
def test_an_integer_is_read_as_it_was_written(value):
    assert der.read_integer(der.integer(value)) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "020100"), (127, "02017f"), (128, "02020080"), (256, "02020100"), (-1, "0201ff")],
)
def test_an_integer_has_the_fewest_octets(value, expected):
    assert der.integer(value).hex() == expected


@pytest.mark.parametrize("encoded", ["0200", "02020001", "0202ff80", "0203000080"])
def test_an_integer_that_is_not_minimal_is_refused(encoded):
    with pytest.raises(der.DerError):
        der.read_integer(bytes.fromhex(encoded))


@given(
    st.sampled_from([0, 1]).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, 39)))
    | st.tuples(st.just(2), st.integers(0, 2**70)),
    st.lists(st.integers(0, 2**70), max_size=5),
)
def test_an_object_identifier_is_read_as_it_was_written(first, rest):
    dotted = ".".join(str(arc) for arc in (*first, *rest))
    encoded = der.object_identifier(dotted)
    if len(encoded) <= 64:
        assert der.read_object_identifier(encoded) == dotted


def test_openssl_reads_the_object_identifier_that_was_written():
    encoded = der.object_identifier("2.16.840.1.101.3.4.3.999999999")
    printed = openssl("asn1parse", "-inform", "DER", data=encoded)
    assert printed.rstrip().endswith(":2.16.840.1.101.3.4.3.999999999")


@pytest.mark.parametrize("dotted", ["", "1", "3.1", "1.40", "1.2.-3", "1.2.x", "0.-1"])
def test_what_is_no_object_identifier_is_refused(dotted):
    with pytest.raises(der.DerError):
        der.object_identifier(dotted)


@pytest.mark.parametrize("encoded", ["0600", "060180", "06028001", "06032a8001", "06028081"])
def test_an_object_identifier_that_is_unfinished_or_padded_is_refused(encoded):
    with pytest.raises(der.DerError):
        der.read_object_identifier(bytes.fromhex(encoded))


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_a_sequence_comes_apart_into_what_was_put_in(contents):
    values = [der.tlv(der.OCTET_STRING, content) for content in contents]
    assert der.parts(der.sequence(*values)) == values


@pytest.mark.parametrize("size", [0, 127, 128, 255, 256, 65535, 65536])
def test_lengths_take_their_shortest_form(size):
    encoded = der.tlv(der.OCTET_STRING, bytes(size))
    assert der.content(encoded, der.OCTET_STRING) == bytes(size)
    assert openssl("asn1parse", "-inform", "DER", data=encoded).count("OCTET STRING") == 1


@pytest.mark.parametrize(
    ("encoded", "defect"),
    [
        ("", "truncated"),
        ("30", "truncated"),
        ("3002", "truncated"),
        ("308105", "shortest"),
        ("30820005" + "00" * 5, "shortest"),
        ("3080" + "0000", "indefinite"),
        ("3085" + "00" * 9, "indefinite"),
        ("1f8100", "long-form"),
        ("3003020100" + "00", "trailing"),
        ("3103020100", "expected"),
        ("3003020500", "truncated"),
    ],
)
def test_malformed_values_are_refused_in_words(encoded, defect):
    with pytest.raises(der.DerError, match=defect):
        der.parts(bytes.fromhex(encoded))


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_der_error(data):
    for read in (der.parts, der.read_integer, der.read_object_identifier, der.read_bit_string):
        try:
            read(data)
        except der.DerError:
            continue


def test_a_hostile_nesting_costs_one_level():
    data = b""
    for _ in range(5000):
        data = der.sequence(data)
    assert len(der.parts(data)) == 1


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), b"\x17\x0d491231235959Z"),
        (datetime(2050, 1, 1, tzinfo=UTC), b"\x18\x0f20500101000000Z"),
        (datetime(1950, 1, 1, tzinfo=UTC), b"\x17\x0d500101000000Z"),
        (datetime(1949, 12, 31, 23, 59, 59, tzinfo=UTC), b"\x18\x0f19491231235959Z"),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), b"\x18\x0f99991231235959Z"),
        (
            datetime(2050, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))),
            b"\x17\x0d491231233000Z",
        ),
    ],
)
def test_times_are_utc_time_through_2049_and_generalized_time_from_2050(moment, expected):
    assert der.time(moment) == expected


@pytest.mark.parametrize(
    "moment",
    [datetime(2026, 1, 1), datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)],  # noqa: DTZ001 - the defect
)
def test_a_time_without_zone_or_with_a_fraction_is_refused(moment):
    for write in (der.time, der.generalized_time):
        with pytest.raises(der.DerError):
            write(moment)


def test_an_object_of_many_values_is_refused_before_they_are_taken_apart() -> None:
    null = b"\x05\x00"
    assert len(der.parts(der.sequence(*[null] * 16), most=16)) == 16
    with pytest.raises(der.DerError, match="more than 16 values"):
        der.parts(der.sequence(*[null] * 17), most=16)
    tbs = der.sequence(*[null] * 500_000)
    identifier = algorithm_identifier_der("ecdsa-sha256")
    signed_der = der.sequence(tbs, identifier, der.bit_string(b""))
    with pytest.raises(ValueError, match="more than 16 values"):
        verify_signature(signed_der, b"")
