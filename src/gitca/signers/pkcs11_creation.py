"""Making a key inside a token: it signs, and neither leaves the token nor does anything else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gitca.documents.pkcs11_uri import Pkcs11Uri
from gitca.errors import BackendUnavailableError, UsageError
from gitca.signers.pkcs11_mechanisms import GENERATIONS, Generation
from gitca.signers.pkcs11_objects import private_objects, public_objects, spki_of
from gitca.signers.pkcs11_token import Token

if TYPE_CHECKING:
    import pkcs11

PRIVATE: Mapping[str, bool] = {
    "TOKEN": True,
    "PRIVATE": True,
    "SENSITIVE": True,
    "EXTRACTABLE": False,
    "SIGN": True,
    "SIGN_RECOVER": False,
    "DECRYPT": False,
    "UNWRAP": False,
    "DERIVE": False,
}
"""The attributes of the private key (PKCS #11 v3.1 section 4.9)."""

_ID_OCTETS = 16


def check_spec(spec: str) -> Generation:
    """Return how a key is made. Raises: UsageError for one that gitca makes in no token."""
    if spec not in GENERATIONS:
        raise UsageError(
            f"key spec {spec!r} is none that gitca makes in a token; "
            f"allowed are {', '.join(GENERATIONS)}",
            remedy="choose one of them, or another signer",
        )
    return GENERATIONS[spec]


def make_key(token: Token, uri: Pkcs11Uri, spec: str, where: str) -> bytes:
    """Make a key pair and return its SPKI (DER); the id is random where the URI has none.

    Raises: UsageError when the name is taken or the token makes no such keys; pkcs11.PKCS11Error.
    """
    import pkcs11

    generation = check_spec(spec)
    if int(pkcs11.Mechanism[generation.mechanism]) not in token.mechanisms():
        raise UsageError(
            f"{token.name} makes no {spec} keys (CKM_{generation.mechanism})",
            remedy="choose another spec or token",
        )
    with token.writing_session() as session:
        _check_free(session, uri, where)
        public = _generate(session, uri, generation)
        found = tuple(spki_of(public))
    if len(found) != 1:
        raise BackendUnavailableError(
            f"{where} was made, but {token.name} does not tell its public key",
            remedy="look at it with the token's own tool",
        )
    return found[0]


def _check_free(session: pkcs11.Session, uri: Pkcs11Uri, where: str) -> None:
    named = (
        ("object label", uri.object, None),
        ("id", None, uri.id),
    )
    for what, *name in named:
        if name == [None, None]:
            continue
        if private_objects(session, *name) or public_objects(session, *name):
            raise UsageError(
                f"{where} exists already: the token has a key of this {what}; "
                "a key is never replaced",
                remedy="choose another label and id",
            )


def _generate(session: pkcs11.Session, uri: Pkcs11Uri, generation: Generation) -> Any:
    from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag

    how = {
        "id": uri.id or os.urandom(_ID_OCTETS),
        "label": uri.object,
        "store": True,
        "capabilities": MechanismFlag.SIGN | MechanismFlag.VERIFY,
        "mechanism": Mechanism[generation.mechanism],
        "private_template": {Attribute[name]: value for name, value in PRIVATE.items()},
    }
    kind = KeyType[generation.key_type]
    if generation.ec_params_der is None:
        public, _ = session.generate_keypair(kind, generation.bits, **how)
        return public
    parameters = {Attribute.EC_PARAMS: generation.ec_params_der}
    domain = session.create_domain_parameters(kind, parameters, local=True)
    public, _ = domain.generate_keypair(**how)
    return public
