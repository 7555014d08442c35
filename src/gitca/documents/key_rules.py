"""What an issuance policy says of keys and of what they may be used for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from gitca.documents.document import CheckedModel, Model
from gitca.documents.fields import Contradiction, Items
from gitca.documents.usages import ExtendedKeyUsage, KeyUsage, extended_key_usage_oid

_RsaBits = Annotated[int, Field(ge=2048, le=16384)]


class RsaKeys(CheckedModel):
    """RSA keys by size."""

    type: Literal["rsa"] = Field(
        description="The algorithm: RSA with a modulus between the bounds.", examples=["rsa"]
    )
    min_bits: _RsaBits = Field(
        2048, description="The shortest modulus in bits; never below 2048.", examples=[3072]
    )
    max_bits: _RsaBits | None = Field(
        None, description="The longest modulus in bits.", examples=[4096]
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield what is wrong where no size lies between the bounds."""
        if self.max_bits is not None and self.max_bits < self.min_bits:
            message = f"maxBits {self.max_bits} is below minBits {self.min_bits}"
            remedy = "raise maxBits or lower minBits"
            yield Contradiction("policy.key.bits", message, remedy, ("maxBits",))


class EcdsaKeys(Model):
    """Elliptic curve keys by curve."""

    type: Literal["ecdsa"] = Field(
        description="The algorithm: ECDSA on one of the curves listed.", examples=["ecdsa"]
    )
    curves: Items[Literal["P-256", "P-384", "P-521"]] = Field(
        description="The allowed curves.", examples=[["P-256", "P-384"]]
    )


class Ed25519Keys(Model):
    """Ed25519 keys."""

    type: Literal["ed25519"] = Field(
        description="The algorithm: Ed25519 (RFC 8410), which has one size.", examples=["ed25519"]
    )


class MlDsaKeys(Model):
    """ML-DSA keys (FIPS 204) by parameter set."""

    type: Literal["ml-dsa"] = Field(
        description="The algorithm: ML-DSA (FIPS 204) with one of the parameter sets listed.",
        examples=["ml-dsa"],
    )
    parameter_sets: Items[Literal["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"]] = Field(
        description="The allowed parameter sets.", examples=[["ML-DSA-65"]]
    )


KeyAlgorithm = Annotated[RsaKeys | EcdsaKeys | Ed25519Keys | MlDsaKeys, Field(discriminator="type")]


class KeyRules(Model):
    """Which keys a certificate may be issued on."""

    algorithms: Items[KeyAlgorithm] = Field(
        description="The allowed algorithms with their sizes. An empty list allows nothing.",
        examples=[[{"type": "ecdsa", "curves": ["P-256"]}, {"type": "rsa", "minBits": 3072}]],
    )


def _defaults_not_allowed(
    default: tuple[str, ...], allow: tuple[str, ...] | None
) -> Iterator[Contradiction]:
    """Yield a contradiction for each default that a given allow-list leaves out."""
    if allow is None:
        return
    oids = {extended_key_usage_oid(usage) for usage in allow}
    for index, usage in enumerate(default):
        if extended_key_usage_oid(usage) not in oids:
            message = f"default {usage} is not in allow ({', '.join(allow) or 'empty'})"
            remedy = "add it to allow or remove it from default"
            yield Contradiction("policy.usage.default", message, remedy, ("default", index))


class KeyUsageRules(CheckedModel):
    """Key usages (RFC 5280 section 4.2.1.3)."""

    default: Items[KeyUsage] = Field(
        (),
        description="The usages for requests that ask for none.",
        examples=[["digitalSignature"]],
    )
    allow: Items[KeyUsage] | None = Field(
        None,
        description="The usages that a request may ask for. Without it, those of default.",
        examples=[["digitalSignature", "keyEncipherment"]],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield the defaults that allow leaves out."""
        yield from _defaults_not_allowed(self.default, self.allow)


class ExtendedKeyUsageRules(CheckedModel):
    """Extended key usages (RFC 5280 section 4.2.1.12)."""

    default: Items[ExtendedKeyUsage] = Field(
        (), description="The usages for requests that ask for none.", examples=[["serverAuth"]]
    )
    allow: Items[ExtendedKeyUsage] | None = Field(
        None,
        description="The usages that a request may ask for. Without it, those of default.",
        examples=[["serverAuth", "clientAuth"]],
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Yield the defaults that allow leaves out."""
        yield from _defaults_not_allowed(self.default, self.allow)
