"""PKCS #11 modules: which shared library may be loaded, and loading it once, safe for threads.

A module is code that runs inside gitca, and a CA's document names it. A document is not enough:
only a library is loaded that the machine's own environment lists, so that whoever writes
`ca/*.yaml` chooses among modules that the operator trusts, and brings none.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import re
import stat
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitca.documents.pkcs11_uri import Pkcs11Uri
from gitca.errors import BackendUnavailableError, UsageError
from gitca.signers import KeyAbsentError

if TYPE_CHECKING:
    import pkcs11

MODULE_VARIABLE = "GITCA_PKCS11_MODULE"
MODULES_VARIABLE = "GITCA_PKCS11_MODULES"

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_SUFFIX = re.compile(r"\.(?:so(?:\.[0-9]+)*|dylib)$")
_OS_LOCKING_OK = 2  # CKF_OS_LOCKING_OK
_CANT_LOCK = 0x0A  # CKR_CANT_LOCK
_ALREADY_INITIALISED = 0x191  # CKR_CRYPTOKI_ALREADY_INITIALIZED

_LOADING = threading.Lock()
_LOADED: dict[Path, Module] = {}


class Module:
    """A loaded and initialised module. `lock` is set where it cannot be called from two threads."""

    def __init__(self, path: Path, library: pkcs11.lib, lock: threading.Lock | None) -> None:
        self.path = path
        self.library = library
        self.lock = lock


def find_module(uri: Pkcs11Uri, environ: Mapping[str, str], base: Path) -> Path:
    """Return the module that a URI means, links resolved: one that the environment lists.

    GITCA_PKCS11_MODULE is the module of URIs that name none; GITCA_PKCS11_MODULES lists others,
    parted by colons. `base` is the root of the CA repository, out of which no module is loaded.
    Raises: KeyAbsentError when there is none at this machine, or none that is listed: the token is
    another machine's, as an offline root's is; UsageError for one that another user could have put
    there.
    """
    listed = _listed(environ)
    wanted = _wanted(uri, environ, listed)
    path = Path(os.path.realpath(wanted))
    if path not in {Path(os.path.realpath(each)) for each in listed}:
        raise KeyAbsentError(
            f"PKCS #11 module {wanted} is not listed in {MODULES_VARIABLE}; a module is code that "
            "gitca would run, and a document alone cannot have one loaded",
            remedy=f"if this machine trusts it, add it: {MODULES_VARIABLE}={wanted}",
        )
    _check_file(path, wanted, base)
    return path


def _listed(environ: Mapping[str, str]) -> tuple[str, ...]:
    named = (
        environ.get(MODULE_VARIABLE, ""),
        *environ.get(MODULES_VARIABLE, "").split(":"),
    )
    for path in filter(None, named):
        if not path.startswith("/"):
            raise UsageError(
                f"{MODULE_VARIABLE} or {MODULES_VARIABLE} names a module by a relative path; "
                "allowed are absolute ones",
                remedy="write the module's whole path",
            )
    return tuple(filter(None, named))


def _wanted(uri: Pkcs11Uri, environ: Mapping[str, str], listed: tuple[str, ...]) -> str:
    if uri.module_path is not None:
        return uri.module_path
    if uri.module_name is not None:
        named = {path for path in listed if _name_of(path) == uri.module_name}
        if len(named) == 1:
            return named.pop()
        raise _no_module(
            f"{'several modules' if named else 'no module'} called {uri.module_name} in "
            f"{MODULES_VARIABLE}"
        )
    if environ.get(MODULE_VARIABLE):
        return environ[MODULE_VARIABLE]
    raise _no_module(f"the URI names no module and {MODULE_VARIABLE} is not set")


def _name_of(path: str) -> str:
    """Return the name of RFC 7512 section 2.3: `libsofthsm2.so` is `softhsm2`."""
    return _SUFFIX.sub("", Path(path).name).removeprefix("lib")


def _no_module(seen: str) -> KeyAbsentError:
    return KeyAbsentError(
        f"{seen}: the token is out of reach",
        remedy=f"where the token is, name the module's path in {MODULES_VARIABLE}",
    )


def _check_file(path: Path, wanted: str, base: Path) -> None:
    if path.is_relative_to(os.path.realpath(base)):
        raise UsageError(
            f"PKCS #11 module {wanted} lies in the CA repository, which others write to",
            remedy="install the module outside of it",
        )
    try:
        status = path.stat()
    except OSError as error:
        raise KeyAbsentError(
            f"PKCS #11 module {wanted} is out of reach: {os.strerror(error.errno or 0)}",
            remedy="run where the token is, or install its module",
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(
            f"PKCS #11 module {wanted} is not a regular file", remedy="name the library itself"
        )
    _check_owner(status, f"PKCS #11 module {wanted}")
    for folder in path.parents:
        _check_owner(folder.stat(), f"the folder {folder} of PKCS #11 module {wanted}")


def _check_owner(status: os.stat_result, name: str) -> None:
    if status.st_uid not in (os.geteuid(), 0):
        raise UsageError(
            f"{name} belongs to user {status.st_uid}; allowed are this user ({os.geteuid()}) and 0",
            remedy="install the module as root, or as this user",
        )
    # In a folder with the sticky bit others can add files and replace none.
    is_sticky_folder = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
    if status.st_mode & _OTHERS_WRITE and not is_sticky_folder:
        raise UsageError(
            f"{name} has mode {stat.S_IMODE(status.st_mode):04o}; others could replace the code",
            remedy="run chmod go-w on it, and install the module afresh if others may have",
        )


def load_module(path: Path) -> Module:
    """Return the module of a path that `find_module` gave; loaded once in a process.

    It is finalised when the process ends. A process that forks without exec must not use it.
    Raises: UsageError without the library python-pkcs11; BackendUnavailableError.
    """
    with _LOADING:
        if path not in _LOADED:
            _LOADED[path] = _load(path)
        return _LOADED[path]


def _load(path: Path) -> Module:
    try:
        from pkcs11 import PKCS11Error, _pkcs11
    except ImportError as error:
        raise UsageError(
            "the library python-pkcs11, which PKCS #11 tokens need, is not installed",
            remedy="run pip install 'gitca[pkcs11]'",
        ) from error
    initialiser = _Initialiser(path)

    class _Library(_pkcs11.lib):
        def initialize(self) -> None:
            initialiser.initialise()

    try:
        library = _Library(str(path))
    except PKCS11Error as error:
        raise _not_loaded(path, str(error)) from error
    atexit.register(initialiser.finalise)
    return Module(path, library, threading.Lock() if initialiser.is_single_threaded else None)


def _not_loaded(path: Path, seen: str) -> BackendUnavailableError:
    return BackendUnavailableError(
        f"PKCS #11 module {path} cannot be loaded: {seen or 'it has no reason to give'}",
        remedy="check that it is a PKCS #11 library for this machine and that its configuration"
        " can be read",
    )


class _InitializeArgs(ctypes.Structure):
    """CK_C_INITIALIZE_ARGS (PKCS #11 v3.1 section 3.7)."""

    _fields_ = (
        ("mutex_functions", ctypes.c_void_p * 4),
        ("flags", ctypes.c_ulong),
        ("reserved", ctypes.c_void_p),
    )


class _FunctionList(ctypes.Structure):
    """The beginning of CK_FUNCTION_LIST (PKCS #11 v3.1 section 3.6)."""

    _fields_ = (
        ("version", ctypes.c_ubyte * 2),
        ("initialize", ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)),
        ("finalize", ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)),
    )


class _Initialiser:
    """Initialises a module for use by many threads.

    python-pkcs11 calls C_Initialize without arguments, which promises that one thread alone will
    call (PKCS #11 v3.1 section 5.4.1). A module that takes the promise, as SoftHSM does, drops its
    locks; signatures from many threads would race inside it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._functions: Any = None
        self._is_ours = True
        self.is_single_threaded = False

    def initialise(self) -> None:
        """Initialise the module. Raises: BackendUnavailableError."""
        pointer = ctypes.POINTER(_FunctionList)()
        self._call(ctypes.CDLL(str(self._path)).C_GetFunctionList(ctypes.byref(pointer)))
        self._functions = pointer.contents
        arguments = _InitializeArgs(flags=_OS_LOCKING_OK)
        code = self._functions.initialize(ctypes.byref(arguments))
        if code == _CANT_LOCK:
            self.is_single_threaded = True
            code = self._functions.initialize(None)
        if code == _ALREADY_INITIALISED:
            # By something else in this process, which may have promised the module one thread, and
            # which is who finalises it.
            self.is_single_threaded, self._is_ours = True, False
            return
        self._call(code)

    def finalise(self) -> None:
        """Let the module close its connections; what it says of that matters to nobody."""
        if self._is_ours:
            self._functions.finalize(None)

    def _call(self, code: int) -> None:
        if code:
            raise _not_loaded(self._path, f"it cannot be initialised (CKR 0x{code:08x})")
