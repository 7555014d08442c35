"""The outside programs that judge gitca's output: what they are, and how a test asks for one.

The same table serves two readers. A test calls `require("gnutls")` and skips with the reason where
the program is missing; with GITCA_REQUIRE_ALL=1, as in CI, it fails instead, so that no judge goes
missing unnoticed. `make test` runs this file first: it installs what is missing with apt-get where
it may, fetches other projects' test data (`corpora.py`), and says what it could not.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import corpora

# nginx lies in /usr/sbin, which is not on every user's PATH.
SEARCH_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
APT_LISTS = Path("/var/lib/apt/lists")


@dataclass(frozen=True)
class Component:
    """Programs that one Debian package brings, and what they judge."""

    package: str
    programs: tuple[str, ...]
    judges: str

    def missing(self) -> tuple[str, ...]:
        """The programs that this machine does not have."""
        return tuple(name for name in self.programs if shutil.which(name, path=SEARCH_PATH) is None)


COMPONENTS = {
    "openssl": Component("openssl", ("openssl",), "CSRs, chains, CRLs and signatures"),
    "gnutls": Component("gnutls-bin", ("certtool",), "CSRs and chains"),
    "nss": Component("libnss3-tools", ("certutil", "vfychain"), "CSRs and chains"),
    "java": Component("default-jdk-headless", ("java", "javac", "keytool"), "CSRs and PKIX paths"),
    "nginx": Component("nginx-light", ("nginx",), "TLS with client certificates, static files"),
    "curl": Component("curl", ("curl",), "buckets, of the AWS demo: what is put there, by HTTP"),
    "softhsm": Component("softhsm2", ("softhsm2-util",), "the PKCS #11 signer, as its token"),
}


def require(name: str) -> Path:
    """Return the first program of a component; skip the test, or fail it in CI, without it."""
    component = COMPONENTS[name]
    missing = component.missing()
    if not missing:
        return program(component.programs[0])
    reason = f"{name} is not here ({', '.join(missing)}); install {component.package}"
    if os.environ.get("GITCA_REQUIRE_ALL") == "1":
        pytest.fail(f"{reason} (GITCA_REQUIRE_ALL=1 forbids the skip)")
    pytest.skip(reason)


def program(name: str) -> Path:
    """Return the path of a program that is known to be here."""
    found = shutil.which(name, path=SEARCH_PATH)
    if found is None:
        raise FileNotFoundError(name)
    return Path(found)


def softhsm_module() -> Path:
    """Return the PKCS #11 module that comes with softhsm2-util."""
    # Debian has it in both folders, one a link; others in one of them.
    places = (
        "/usr/lib/softhsm",
        "/usr/lib64/softhsm",
        "/usr/local/lib/softhsm",
        "/usr/lib64/pkcs11",
    )
    for place in places:
        if (module := Path(place, "libsofthsm2.so")).exists():
            return module
    raise FileNotFoundError("libsofthsm2.so")


def as_root() -> tuple[str, ...] | None:
    """Return the prefix that makes a command run as root without a question; None without one."""
    if os.geteuid() == 0:
        return ()
    sudo = shutil.which("sudo")
    if sudo is None:
        return None
    asked = subprocess.run([sudo, "-n", "true"], stdin=subprocess.DEVNULL, capture_output=True)
    return (sudo, "-n") if asked.returncode == 0 else None


def apt_get(prefix: tuple[str, ...], *arguments: str) -> bool:
    """Run apt-get without a question, printing only what went wrong; return whether it worked."""
    command = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", *arguments]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        print(done.stdout.rstrip(), file=sys.stderr)
    return done.returncode == 0


def install(packages: list[str]) -> None:
    """Install Debian packages where this machine and user allow it."""
    prefix = as_root()
    if shutil.which("apt-get") is None or prefix is None:
        return
    print(f"components: installing {' '.join(packages)}", flush=True)
    wanted = ("install", "--yes", "--no-install-recommends", *packages)
    fresh = not any(APT_LISTS.glob("*_Packages*"))
    if fresh:
        apt_get(prefix, "update")
    # Lists that are old name versions which the archive no longer has.
    if not apt_get(prefix, *wanted) and not fresh and apt_get(prefix, "update"):
        apt_get(prefix, *wanted)


def main(names: list[str]) -> int:
    """Install what is missing of the named components, or of all, and report what still is."""
    wanted = {name: COMPONENTS[name] for name in names or COMPONENTS}
    packages = [component.package for component in wanted.values() if component.missing()]
    if packages:
        install(packages)
    absent = {name: component for name, component in wanted.items() if component.missing()}
    for name, component in absent.items():
        print(
            f"components: no {name}, which judges {component.judges}; tests that ask it are"
            f" skipped; install the package {component.package} or its like"
        )
    if packages and not absent:
        print(f"components: all here ({', '.join(wanted)})")
    code = 0 if names else corpora.main()
    return 1 if absent and os.environ.get("GITCA_REQUIRE_ALL") == "1" else code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
