"""The errors of AWS KMS: a name, an HTTP status, a sentence."""

from __future__ import annotations

from collections.abc import Mapping

# AWS KMS API Reference, "Sign", section Errors, and "Common Errors": what is not here is a 400.
_STATUS: Mapping[str, int] = {
    "DryRunOperationException": 412,
    "KMSInternalException": 500,
    "KeyUnavailableException": 500,
    "DependencyTimeoutException": 503,
    "ServiceUnavailableException": 503,
}


class KmsError(Exception):
    """A refusal of KMS, as the client gets it."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message

    @property
    def status(self) -> int:
        return _STATUS.get(self.name, 400)


def invalid(message: str) -> KmsError:
    """Return the ValidationException with a message (API Reference, "Common Errors")."""
    return KmsError("ValidationException", message)


def not_in(value: object, member: str, allowed: list[str]) -> KmsError:
    """Return the ValidationException of a value that is not in an enumeration."""
    return invalid(
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: "
        f"Member must satisfy enum value set: [{', '.join(allowed)}]"
    )
