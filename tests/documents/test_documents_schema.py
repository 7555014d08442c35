"""The JSON Schemas say what the models say, and the files under schemas/ are what they say now."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.x509.oid import ExtendedKeyUsageOID
from document_samples import REQUEST, REVOCATION, SAMPLES, parsed
from jsonschema import Draft202012Validator

from gitca.documents.attribute_types import AttributeName
from gitca.documents.schema import KINDS, keys_at, schema_of, schema_text
from gitca.documents.source import parse_source
from gitca.documents.usages import EXTENDED_KEY_USAGES
from gitca.x509.algorithms import SIGNATURE_ALGORITHMS
from gitca.x509.attributes import ATTRIBUTE_OIDS

PROJECT = Path(__file__).parents[2]
SCHEMAS = PROJECT / "schemas"


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_under_schemas_are_current(kind):
    file = SCHEMAS / f"{kind}.schema.json"
    assert file.read_text(encoding="utf-8") == schema_text(kind), "make schemas rewrites it"


def test_there_is_a_file_for_each_kind_and_no_other():
    names = {f"{kind}.schema.json" for kind in KINDS}
    assert {file.name for file in SCHEMAS.glob("*.json")} == names


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_one_of_the_dialect_that_it_names(kind):
    schema = schema_of(kind)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)
    assert schema["properties"]["kind"]["const"] == kind
    assert schema["properties"]["apiVersion"]["const"] == "gitca/v1"


@pytest.mark.parametrize("kind", KINDS)
def test_the_documents_of_the_design_satisfy_their_schemas(kind):
    value = parse_source("x.yaml", SAMPLES[kind].encode())[0].value
    Draft202012Validator(schema_of(kind)).validate(value)


def documents_of_the_project() -> list[Path]:
    folders = ("ca", "policies", "requests")
    found = (file for folder in folders for file in (PROJECT / folder).rglob("*.yaml"))
    return sorted(file for file in found if not file.name.endswith(".tests.yaml"))


@pytest.mark.parametrize(
    "file", documents_of_the_project(), ids=lambda file: str(file.relative_to(PROJECT))
)
def test_the_projects_own_documents_satisfy_model_and_schema(file):
    text = file.read_text(encoding="utf-8")
    document, findings = parsed(text)
    assert findings == ()
    value = parse_source(file.name, text.encode())[0].value
    Draft202012Validator(schema_of(document.kind)).validate(value)


def properties(schema: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property of a schema and of its definitions, with its name."""
    if isinstance(schema, dict):
        for name, inner in schema.get("properties", {}).items():
            yield f"{where}.{name}", inner
        for name, inner in schema.get("$defs", {}).items():
            yield from properties(inner, name)


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_has_a_description_and_examples_that_satisfy_it(kind):
    schema = schema_of(kind)
    for name, field in properties(schema, kind):
        assert field.get("description", "").endswith("."), name
        assert len(field["description"]) > 10, name
        assert field["examples"], name
        for example in field["examples"]:
            # As YAML would bring it: a tuple is a list there.
            value = json.loads(json.dumps(example))
            Draft202012Validator(field | {"$defs": schema["$defs"]}).validate(value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_without_a_value_satisfies_no_schema(kind):
    assert '"null"' not in schema_text(kind)


@pytest.mark.parametrize(
    ("text", "change"),
    [
        (REQUEST, {"csrFile": "a.csr"}),
        (REQUEST, {"csr": None}),
        (REQUEST, {"subject": {"CN": "a"}}),
        (REQUEST, {"validity": "30"}),
        (REQUEST, {"unknown": 1}),
        (REVOCATION, {"key": "sha256:" + "0" * 64}),
        (REVOCATION, {"certificate": None}),
        (REVOCATION, {"reason": "removeFromCRL"}),
    ],
)
def test_schema_and_model_refuse_the_same(text, change):
    value = yaml.safe_load(text)
    value["spec"] = {k: v for k, v in (value["spec"] | change).items() if v is not None}
    value["spec"].pop("invalidityDate", None)
    assert not Draft202012Validator(schema_of(value["kind"])).is_valid(value)
    assert parsed(json.dumps(value))[1] != ()


def test_the_keys_that_a_kind_knows_are_found_through_unions():
    assert keys_at("IssuancePolicy", ("spec", "key", "algorithms", 0, "rsa")) == (
        "type",
        "minBits",
        "maxBits",
        "exponents",
    )
    assert "dns" in keys_at("CertificateRequest", ("spec", "sans"))
    assert "commonName" in keys_at("CertificateAuthority", ("spec", "subject"))
    assert keys_at("Repository", ("spec", "nothing", "there")) == ()


def literals(annotation: Any) -> set[str]:
    return set(annotation.__args__)


def test_the_attributes_of_documents_are_those_that_can_be_encoded():
    assert literals(AttributeName) == set(ATTRIBUTE_OIDS)


def test_the_algorithms_of_documents_are_those_that_can_sign():
    field = schema_of("CertificateAuthority")["$defs"]["CertificateAuthoritySpec"]["properties"]
    assert set(field["signatureAlgorithm"]["enum"]) == set(SIGNATURE_ALGORITHMS)


def test_the_extended_key_usages_are_those_of_rfc_5280():
    assert {
        "serverAuth": ExtendedKeyUsageOID.SERVER_AUTH.dotted_string,
        "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string,
        "codeSigning": ExtendedKeyUsageOID.CODE_SIGNING.dotted_string,
        "emailProtection": ExtendedKeyUsageOID.EMAIL_PROTECTION.dotted_string,
        "timeStamping": ExtendedKeyUsageOID.TIME_STAMPING.dotted_string,
        "OCSPSigning": ExtendedKeyUsageOID.OCSP_SIGNING.dotted_string,
    } == EXTENDED_KEY_USAGES
