"""Keys that another machine is meant to use: whoever cannot, goes on with what is left."""

from __future__ import annotations

import pytest

from ca_documents import authority, request
from ca_world import PASSPHRASE, Clone
from gitca.signers import Signer, open_signer

VARIABLES = (
    "GITCA_PKCS11_MODULE",
    "GITCA_PKCS11_MODULES",
    "GITCA_AWS_PROFILES",
    "AWS_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
)
MODULE = "module-path=/usr/lib/softhsm/libsofthsm2.so"
KMS = "awskms:///alias/root?region=eu-west-1"


@pytest.mark.parametrize(
    ("uri", "code", "words"),
    [
        (f"pkcs11:token=safe;object=root?{MODULE}", 0, "not listed in GITCA_PKCS11_MODULES"),
        ("pkcs11:token=safe;object=root", 0, "GITCA_PKCS11_MODULE is not set"),
        (f"{KMS}&profile=ceremony", 0, "GITCA_AWS_PROFILES"),
        (KMS, 4, "no usable AWS credentials here"),
    ],
    ids=["module not listed", "no module", "profile not allowed", "no credentials"],
)
def test_a_key_that_is_another_machines_stops_nothing(
    made: Clone, monkeypatch: pytest.MonkeyPatch, uri: str, code: int, words: str
) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(made.folder / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(made.folder / "none"))
    here = made.keys.but()

    def opener(asked: str) -> Signer:
        if asked.startswith("file:"):
            return here(asked)
        return open_signer(asked, base=made.folder, passphrase=lambda _: PASSPHRASE)

    made.save(
        {
            "ca/other.yaml": authority("other", key=uri),
            "requests/b.yaml": request("b", "b.example.internal"),
        }
    )
    report = made.reconcile(opener=opener)
    assert report.exit_code == code
    assert words in (report.absent if code == 0 else report.unreachable)["other"]
    assert made.openssl_verify("b") == "OK"
    assert made.state.authority("other").certificate is None
