"""What a PKCS #11 module says went wrong, as errors of gitca's: wrapped here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gitca.errors import BackendUnavailableError, GitcaError, UsageError
from gitca.signers import KeyUnsuitableError, UnansweredError, Use

_AGAIN = "check the token and its connection, and run again"
_UNSUITABLE = {
    "MechanismInvalid": "it does not make this kind of signature",
    "MechanismParamInvalid": "it does not make this kind of signature with these parameters",
    "KeyFunctionNotPermitted": "the key may not be used to sign",
    "KeyTypeInconsistent": "the key is of another type than its algorithm",
    "KeySizeRange": "the key's size is outside of what it takes",
    "DomainParamsInvalid": "it does not know the curve",
    "AttributeValueInvalid": "it refuses how the key is to be kept",
    "TemplateInconsistent": "it refuses how the key is to be kept",
    "TemplateIncomplete": "it wants to be told more of the key",
    "DataLenRange": "the message is longer than it signs",
    "TokenWriteProtected": "it is write-protected",
    "SessionReadOnly": "it is write-protected",
    "FunctionNotSupported": "it does not offer this",
}
_UNREACHABLE = {
    "DeviceError": "it reports an error of the device",
    "DeviceMemory": "it has no memory left",
    "DeviceRemoved": "it was removed",
    "TokenNotPresent": "it is no longer in its slot",
    "SlotIDInvalid": "its slot is gone",
    "SessionCount": "it opens no more sessions, others hold them all",
    "SessionClosed": "it closed the session",
    "SessionHandleInvalid": "it no longer knows the session",
    "UserNotLoggedIn": "it no longer counts this user as logged in",
    "KeyHandleInvalid": "the key was removed or the session was lost",
    "ObjectHandleInvalid": "the key was removed or the session was lost",
    "HostMemory": "there is no memory left",
    "FunctionFailed": "the function failed",
    "GeneralError": "the module is in trouble",
}
# With these C_Sign ends before the key is used, whatever the token (PKCS #11 v3.1 section 5.1).
_NEVER_SIGNED = frozenset(
    {*_UNSUITABLE, "UserNotLoggedIn", "KeyHandleInvalid", "SessionHandleInvalid", "SessionCount"}
)


@contextmanager
def told(where: str) -> Iterator[None]:
    """Raise what a module says as errors of gitca's; `where` begins their sentence.

    Raises: KeyUnsuitableError for what another try would not change, BackendUnavailableError.
    """
    from pkcs11 import PKCS11Error

    try:
        yield
    except PKCS11Error as error:
        raise translated(error, where) from error


@contextmanager
def told_of_signing(where: str, key: str) -> Iterator[None]:
    """Do the same for a use of the key, which may have been made although its answer is lost.

    Raises: UnansweredError as well.
    """
    from pkcs11 import PKCS11Error

    try:
        yield
    except PKCS11Error as error:
        said = translated(error, where)
        if type(error).__name__ in _NEVER_SIGNED:
            raise said from error
        raise UnansweredError(said.message, remedy=said.remedy, uses=(Use(key),)) from error


def translated(error: Exception, where: str) -> GitcaError:
    """Return the error that says what a module's own says."""
    name = type(error).__name__
    if name in _UNSUITABLE:
        return KeyUnsuitableError(
            f"{where}: {_UNSUITABLE[name]} (PKCS #11: {name})",
            remedy="choose a key or token that does, or another signatureAlgorithm",
        )
    # Text of the module or library is left out: nobody knows what it repeats.
    seen = _UNREACHABLE.get(name, "the module reports an error")
    return BackendUnavailableError(f"{where}: {seen} (PKCS #11: {name})", remedy=_AGAIN)


PIN_REFUSED = frozenset({"PinIncorrect", "PinInvalid", "PinLenRange"})


def login_error(error: Exception, token: str) -> GitcaError:
    """Return what to say of a login that failed."""
    name = type(error).__name__
    if name in PIN_REFUSED:
        return UsageError(
            f"{token} refuses the PIN; it is not tried again, for a token locks after a few tries",
            remedy="check the PIN and where it comes from, then run again",
        )
    if name == "PinLocked":
        return locked(token)
    if name == "PinExpired":
        return UsageError(
            f"{token} wants its PIN changed first (PKCS #11: {name})",
            remedy="change the PIN with the token's own tool",
        )
    if name == "UserPinNotInitialized":
        return no_pin_yet(token)
    return translated(error, f"{token} cannot be logged in to")


def locked(token: str) -> UsageError:
    """Return what to say of a token that takes no PIN any more."""
    return UsageError(
        f"{token} is locked: the PIN was wrong too many times",
        remedy="its security officer can set a new PIN with the token's own tool",
    )


def no_pin_yet(token: str) -> UsageError:
    """Return what to say of a token without a user."""
    return UsageError(
        f"{token} has no PIN yet",
        remedy="its security officer sets one with the token's own tool",
    )
