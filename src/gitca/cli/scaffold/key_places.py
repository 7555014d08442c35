"""Where the keys of a new repository's CAs lie: their URIs, and what its files say of them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote

# The root signs a few CAs in ten years and may be the stronger for it; the issuing CA signs all day
# and is verified everywhere.
ROOT_SPEC, ISSUING_SPEC = "P-384", "P-256"


@dataclass(frozen=True, slots=True)
class KeyPlaces:
    """The signer URIs of the root's and the issuing CA's key.

    `comment` is what ca/root.yaml says above the root's, a line of it each; `care` what the
    README says of how to look after them.
    """

    root: str
    issuing: str
    comment: tuple[str, ...]
    care: str


FILES = KeyPlaces(
    root="file:.gitca/keys/root.pem",
    issuing="file:.gitca/keys/issuing.pem",
    comment=(
        "A signer URI. file: is an encrypted private key, relative to the repository; .gitca/ is"
        " ignored",
        "by Git. The key is never committed, so keep a copy of it, and of its passphrase,"
        " elsewhere.",
    ),
    care="The keys lie in `.gitca/keys/`, encrypted, and in no commit. Keep a copy of them"
    " elsewhere: without\n  the keys nothing can be issued or revoked.",
)


def kms_keys(name: str, region: str) -> KeyPlaces:
    """Return the places of keys in AWS KMS, by aliases that begin with a name."""
    return KeyPlaces(
        root=f"awskms:///alias/{name}-root?region={region}",
        issuing=f"awskms:///alias/{name}-issuing?region={region}",
        comment=(
            "A signer URI: a key in AWS KMS, which it never leaves, by its alias. Who may sign"
            " with it is in",
            "the key's policy. An alias that is moved to another key stops every run: the CA's"
            " certificate",
            "pins the key.",
        ),
        care="The keys lie in AWS KMS and never leave it. Guard the roles that their policies"
        " name, and the\n  deletion of keys: without the keys nothing can be issued or revoked.",
    )


def token_keys(name: str, token: str, module: str) -> KeyPlaces:
    """Return the places of keys in a PKCS #11 token, by labels that begin with a name.

    `module` is the absolute path of the token's library.
    """
    query = f"module-path={quote(module, safe='/')}"
    head = f"pkcs11:token={quote(token, safe='')};object={name}"
    return KeyPlaces(
        root=f"{head}-root?{query}",
        issuing=f"{head}-issuing?{query}",
        comment=(
            "A signer URI (RFC 7512): a key in a PKCS #11 token, by its label. The PIN is asked"
            " for, or given",
            "in GITCA_PKCS11_PIN; no document has it. The module is loaded where"
            " GITCA_PKCS11_MODULES lists it.",
        ),
        care="The keys lie in a PKCS #11 token and never leave it. Keep the token's own backup,"
        " and its PIN,\n  elsewhere: without the keys nothing can be issued or revoked.",
    )


def slug(organization: str, domain: str) -> str:
    """Return the organisation's name in lower-case ASCII letters, digits and hyphens.

    The domain's, where nothing is left of it.
    """
    plain = unicodedata.normalize("NFKD", organization).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return name or domain.replace(".", "-")
