"""Documents that gitca writes say what they were told to say, whatever that is."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gitca.cli.scaffold import Names, render
from gitca.cli.yaml_text import document_text, quoted, scalar
from gitca.documents.source import parse_source

# Surrogates have no UTF-8, so no file can hold them.
_TEXT = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=40)
_LINE = _TEXT.filter(lambda text: "\n" not in text)


@given(_LINE)
def test_a_scalar_reads_back_as_the_same_string(text: str) -> None:
    assert yaml.safe_load(f"key: {scalar(text)}") == {"key": text}


@given(_LINE)
def test_quoted_text_stays_within_its_quotes(text: str) -> None:
    assert yaml.safe_load(f'key: "{quoted(text)}" # no comment') == {"key": text}


@pytest.mark.parametrize(
    "text", ["NO", "0123", "12:34:56", "1e3", "0x1F", "null", "~", "*.example", "true", "y", "30d"]
)
def test_what_yaml_could_take_for_something_else_reads_back_as_text(text: str) -> None:
    source, findings = parse_source("x.yaml", document_text("K", {"key": text}).encode())
    assert findings == ()
    assert source is not None
    assert source.value["spec"]["key"] == text


def test_names_and_blocks_are_laid_out_for_a_reader() -> None:
    spec = {"policy": "p", "sans": {"dns": ["a.b", "*.c"]}, "csr": "-----BEGIN\nx\n-----END\n"}
    assert document_text("CertificateRequest", spec) == (
        "apiVersion: gitca/v1\nkind: CertificateRequest\nspec:\n  policy: p\n  sans:\n    dns:\n"
        '      - a.b\n      - "*.c"\n  csr: |\n    -----BEGIN\n    x\n    -----END\n'
    )


@given(_LINE.filter(bool))
def test_an_organization_of_any_name_leaves_the_scaffold_sound_yaml(organization: str) -> None:
    files = render(Names("example.internal", organization, "GB"))
    root = yaml.safe_load(files["ca/root.yaml"])
    assert root["spec"]["subject"]["organization"] == organization
    assert root["spec"]["subject"]["commonName"] == f"{organization} Root CA"
    assert list(root["spec"]) == list(
        yaml.safe_load(render(Names("a.b", "C", "GB"))["ca/root.yaml"])["spec"]
    )


def test_without_a_country_none_is_stated() -> None:
    root = yaml.safe_load(render(Names("example.internal", "Example"))["ca/root.yaml"])
    assert "country" not in root["spec"]["subject"]


def test_no_placeholder_is_left() -> None:
    for path, content in render(Names("example.internal", "Example", "GB")).items():
        assert b"__" not in content, path
