from __future__ import annotations

import contextlib
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitca.documents.pkcs11_uri import Pkcs11Uri, Pkcs11UriError, parse_pkcs11_uri


def refused(uri: str) -> str:
    with pytest.raises(Pkcs11UriError) as caught:
        parse_pkcs11_uri(uri)
    assert caught.value.remedy
    return caught.value.message


def test_every_attribute_is_read_and_its_percent_encoding_undone() -> None:
    uri = (
        "pkcs11:token=The%20Software%20PKCS%2311%20Softtok;manufacturer=Snake%20Oil;model=1.0;"
        "serial=4a;slot-id=327;object=m%C3%BCller;id=%69%95%00%ff;type=private"
        "?module-path=/usr/lib/x%20y.so&pin-source=file:/etc/pin"
    )
    assert parse_pkcs11_uri(uri) == Pkcs11Uri(
        token="The Software PKCS#11 Softtok",
        manufacturer="Snake Oil",
        model="1.0",
        serial="4a",
        slot_id=327,
        object="müller",
        id=b"\x69\x95\x00\xff",
        module_path="/usr/lib/x y.so",
        pin_source="/etc/pin",
    )


@pytest.mark.parametrize("source", ["/etc/pin", "file:/etc/pin", "file:///etc/pin", "%2Fetc%2Fpin"])
def test_the_file_of_a_pin_is_a_path_or_a_file_uri(source) -> None:
    assert parse_pkcs11_uri(f"pkcs11:token=t;id=%01?pin-source={source}").pin_source == "/etc/pin"


@pytest.mark.parametrize("value", ["1234", "12%334", ""])
@pytest.mark.parametrize("place", ["pkcs11:token=t;object=k?", "pkcs11:token=t;object=k;"])
def test_a_pin_in_a_uri_is_refused_and_not_repeated(place, value) -> None:
    message = refused(f"{place}pin-value={value}")
    assert "carries a PIN" in message
    assert not value or value not in message


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("pkcs11:", "names no token"),
        ("pkcs11:object=k", "names no token"),
        ("pkcs11:token=t", "names no key"),
        ("pkcs11:token=t;object=k;object=l", "object= twice"),
        ("pkcs11:token=t;object=k?module-name=a&module-name=b", "module-name= twice"),
        ("pkcs11:token=t;object=k;colour=blue", "'colour' that is unknown"),
        ("pkcs11:token=t;object=k;x-vendor=1", "'x-vendor' that is unknown"),
        ("pkcs11:token=t;object=k;library-version=3", "'library-version' that is unknown"),
        ("pkcs11:token=t;object=k;", "a part that is unknown"),
        ("pkcs11:token=t;object=k;private", "a part that is unknown"),
        ("pkcs11:token=t;object=k;module-name=a", "module-name= on the wrong side"),
        ("pkcs11:token=t?object=k", "object= on the wrong side"),
        ("pkcs11:token=t;object=k;type=cert", "another type than private"),
        ("pkcs11:token=t;object=", "empty"),
        ("pkcs11:token=t;object=a/b", "as %XX alone"),
        ("pkcs11:token=t;object=a%2", "as %XX alone"),
        ("pkcs11:token=t;object=a%zz", "as %XX alone"),
        ("pkcs11:token=t;object=%ff", "not UTF-8"),
        ("pkcs11:token=t;object=a%0ab", "control characters"),
        ("pkcs11:token=t;object=a%00", "control characters"),
        ("pkcs11:slot-id=one;object=k", "no number"),
        ("pkcs11:slot-id=01;object=k", "no number"),
        ("pkcs11:serial=0123456789abcdef0;object=k", "17 octets"),
        (f"pkcs11:token={'t' * 33};object=k", "33 octets"),
        (f"pkcs11:token=t;id={'%01' * 256}", "256 octets"),
        ("pkcs11:token=t;object=k?module-path=lib.so", "not an absolute path"),
        ("pkcs11:token=t;object=k?module-path=/usr/../x.so", "not an absolute path"),
        ("pkcs11:token=t;object=k?module-path=/", "not an absolute path"),
        ("pkcs11:token=t;object=k?module-path=/a.so&module-name=a", "both"),
        ("pkcs11:token=t;object=k?module-name=/a.so", "no name of a module"),
        ("pkcs11:token=t;object=k?pin-source=|cat%20/etc/passwd", "a command"),
        ("pkcs11:token=t;object=k?pin-source=%7Ccat", "a command"),
        ("pkcs11:token=t;object=k?pin-source=file://host/pin", "not an absolute path"),
        ("pkcs11:token=t;object=k?pin-source=https://host/pin", "not an absolute path"),
        ("pkcs11:token=t;object=k\n", "printable"),
        ("PKCS11:token=t;object=k", "begins with pkcs11:"),
    ],
)
def test_what_is_no_uri_of_a_private_key_is_refused(uri, said) -> None:
    assert said in refused(uri)


@given(st.text(st.characters(codec="ascii"), max_size=80))
def test_whatever_the_text_it_is_a_uri_or_refused(text) -> None:
    for uri in (text, f"pkcs11:{text}", f"pkcs11:token=t;object=k?{text}"):
        with contextlib.suppress(Pkcs11UriError):
            assert parse_pkcs11_uri(uri)


def test_documents_need_no_library_to_judge_a_uri() -> None:
    program = (
        "import sys, gitca.documents.certificate_authority as c\n"
        "from pydantic import TypeAdapter, ValidationError\n"
        "adapter = TypeAdapter(c.SignerUri)\n"
        "adapter.validate_python('pkcs11:token=t;object=k?module-path=/usr/lib/x.so')\n"
        "try: adapter.validate_python('pkcs11:token=t;object=k;colour=blue')\n"
        "except ValidationError as error: print(error.errors()[0]['ctx'])\n"
        "print(any(name.split('.')[0] == 'pkcs11' for name in sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "'colour' that is unknown" in done.stdout
    assert done.stdout.splitlines()[-1] == "False"
