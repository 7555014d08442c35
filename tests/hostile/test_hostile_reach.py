"""How a remote is reached is the user's to say, and not the repository's."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from hostile_world import Hostile

from http_service import served

READ_OFFLINE = (("verify",), ("list",), ("plan",), ("status",), ("show", "payments/api"))


class Refusing(BaseHTTPRequestHandler):
    """A remote that wants a password, and tells which it was given."""

    given: list[str]

    def do_GET(self) -> None:
        self.given.append(self.headers.get("Authorization", ""))
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="ca"')
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def refusing() -> Iterator[tuple[str, list[str]]]:
    """The address of a remote that wants a password, and what it was sent."""
    given: list[str] = []
    handler = type("Handler", (Refusing,), {"given": given})
    with served(handler) as url:
        yield f"{url}/ca.git", given


def helper(folder: Path, name: str) -> tuple[str, Path]:
    """A credential helper, which leaves a file, and that file."""
    mark = folder / f"{name}-ran"
    return f"!f() {{ touch {mark}; echo username={name}; echo password=x; }}; f", mark


@pytest.mark.parametrize("scoped", [False, True])
def test_a_credential_helper_of_the_repository_does_not_run_and_the_users_own_does(
    world: Hostile, refusing: tuple[str, list[str]], scoped: bool, tmp_path: Path
) -> None:
    url, given = refusing
    planted, planted_mark = helper(tmp_path, "planted")
    own, own_mark = helper(tmp_path, "own")
    askpass = tmp_path / "askpass"
    askpass.write_text(f"#!/bin/sh\ntouch {tmp_path}/askpass-ran\necho x\n")
    askpass.chmod(0o755)
    world.git("remote", "set-url", "origin", url)
    world.git("config", f"credential.{url}.helper" if scoped else "credential.helper", planted)
    world.git("config", "core.askPass", str(askpass))
    configuration = tmp_path / "gitconfig"
    configuration.write_text("[user]\n\tname = x\n\temail = x@y\n")
    user = {"GIT_CONFIG_GLOBAL": str(configuration)}
    assert world.gitca("reconcile", **user).code == 4
    assert given
    assert set(given) == {""}
    world.git("config", "--file", str(configuration), "credential.helper", own)
    assert world.gitca("reconcile", **user).code == 4
    assert own_mark.exists()
    assert any(word.startswith("Basic ") for word in given)
    assert not planted_mark.exists()
    assert not (tmp_path / "askpass-ran").exists()
    world.git("ls-remote", "origin", check=False)
    assert planted_mark.exists()  # the trap works


def test_a_missing_object_is_fetched_by_no_program_that_the_repository_names(
    world: Hostile, tmp_path: Path
) -> None:
    mark = tmp_path / "upload-pack-ran"
    world.git("config", "uploadpack.allowFilter", "true", where=world.origin)
    world.git("clone", "-q", "--no-checkout", "--filter=blob:none", f"file://{world.origin}",
              str(world.top / "partial"), where=world.top)  # fmt: skip
    partial = world.top / "partial"
    world.git("config", "remote.origin.uploadpack", f"touch {mark};git-upload-pack", where=partial)
    for command in READ_OFFLINE:
        one = world.gitca_in(partial, *command)
        assert one.code in {0, 1, 4}, one.words
        assert not mark.exists(), command
    world.git("cat-file", "-p", "HEAD:ca/root.yaml", where=partial)
    assert mark.exists()  # the trap works


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("remote.origin.url", "ext::sh -c touch% {mark}"),
        ("remote.origin.pushurl", "ext::sh -c touch% {mark}"),
        ("url.ext::sh -c touch% {mark}% .insteadOf", "/"),
        ("remote.origin.vcs", "ext"),
        ("remote.origin.url", "fd::17"),
        ("remote.origin.url", "--upload-pack=touch {mark}"),
    ],
)
def test_an_address_that_is_a_program_is_refused(
    world: Hostile, tmp_path: Path, key: str, value: str
) -> None:
    mark = tmp_path / "ran"
    for name in ("ext", "fd"):
        world.git("config", f"protocol.{name}.allow", "always")
    world.git("config", "protocol.allow", "always")
    world.git("config", key.format(mark=mark), value.format(mark=mark))
    one = world.gitca("reconcile", GIT_ALLOW_PROTOCOL="ext:fd:file:https")
    assert one.code in {1, 4}
    assert not mark.exists()
    assert world.gitca("verify").code == 0


@pytest.mark.parametrize("switch", ["configuration", "environment"])
def test_who_forbids_remotes_on_the_disk_is_obeyed(
    world: Hostile, tmp_path: Path, switch: str
) -> None:
    world.git("remote", "set-url", "origin", f"file://{world.origin}")
    world.git("config", "protocol.file.allow", "always")
    configuration = tmp_path / "gitconfig"
    configuration.write_text("[user]\n\tname = x\n\temail = x@y\n")
    if switch == "environment":
        one = world.gitca("reconcile", GIT_ALLOW_PROTOCOL="https:ssh")
        assert one.code == 4
        assert "not allowed" in one.words
    else:
        counted = {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "protocol.file.allow",
            "GIT_CONFIG_VALUE_0": "never",
        }
        one = world.gitca("reconcile", **counted)
        assert one.code == 4
        assert "not allowed" in one.words


def test_a_callers_environment_runs_nothing_and_leads_nowhere(
    world: Hostile, tmp_path: Path, usual: dict[str, object]
) -> None:
    mark = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {mark}\n")
    program.chmod(0o755)
    names = ("EXTERNAL_DIFF", "PAGER", "EDITOR", "SEQUENCE_EDITOR", "TEMPLATE_DIR", "TRACE2_EVENT")
    variables = {f"GIT_{name}": str(program) for name in names} | {
        "GIT_DIR": str(world.origin),
        "GIT_INDEX_FILE": str(tmp_path / "index"),
        "GIT_OBJECT_DIRECTORY": str(tmp_path),
        "GIT_WORK_TREE": str(tmp_path),
        "GIT_NAMESPACE": "x",
        "GIT_REPLACE_REF_BASE": "refs/heads/",
        "GIT_CONFIG": str(program),
        "GIT_CONFIG_PARAMETERS": "'core.fsmonitor'='touch x'",
        "PAGER": str(program),
        "EDITOR": str(program),
    }
    for command in (*READ_OFFLINE, ("reconcile",)):
        one = world.gitca(*command, **variables)
        assert one == usual[" ".join(command)], command
    assert not mark.exists()


SETTINGS = (
    *("log.follow=true", "log.showSignature=true", "log.date=relative", "diff.renames=copies"),
    *("core.quotePath=true", "core.abbrev=4", "color.ui=always", "format.pretty=oneline"),
    *("log.diffMerges=combined", "i18n.logOutputEncoding=UTF-16", "status.short=true"),
    *("status.relativePaths=true", "status.showUntrackedFiles=no", "core.ignoreCase=true"),
    *("core.precomposeUnicode=true", "diff.noprefix=true", "diff.submodule=log"),
    *("diff.ignoreSubmodules=all", "fetch.prune=true", "remote.origin.prune=true"),
    *("remote.origin.fetch=+refs/heads/*:refs/heads/*", "remote.origin.mirror=true"),
    *("push.default=nothing", "push.followTags=true", "push.gpgSign=if-asked"),
    *("feature.experimental=true", "core.splitIndex=true", "core.untrackedCache=true"),
    *("core.commentChar=c", "core.logAllRefUpdates=false", "core.autocrlf=true"),
    *("core.safecrlf=true", "core.eol=crlf", "log.decorate=full", "log.mailmap=true"),
    *("column.ui=always", "advice.detachedHead=true", "core.warnAmbiguousRefs=false"),
    *("submodule.recurse=true", "gc.auto=1", "maintenance.auto=true", "notes.displayRef=*"),
)


def test_settings_that_change_what_git_says_change_nothing(
    world: Hostile, usual: dict[str, object]
) -> None:
    for setting in SETTINGS:
        key, _, value = setting.partition("=")
        world.git("config", "--add", key, value)
    world.git("replace", "HEAD", "HEAD~1")
    (world.clone / ".git" / "info").mkdir(exist_ok=True)
    (world.clone / ".git" / "info" / "grafts").write_text(f"{world.git('rev-parse', 'HEAD')}\n")
    (world.clone / ".git" / "info" / "attributes").write_text("* text eol=crlf ident\n")
    for command in (*READ_OFFLINE, ("plan", "--base", "HEAD~1"), ("reconcile",)):
        assert world.gitca(*command) == usual[" ".join(command)], command


def test_a_bare_repository_is_read_like_any_other(world: Hostile, usual: dict[str, object]) -> None:
    for name in ("post-receive", "reference-transaction", "pre-auto-gc"):
        hook = world.origin / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {world.top}/hook-ran\n")
        hook.chmod(0o755)
    world.git("config", "core.fsmonitor", f"touch {world.top}/hook-ran", where=world.origin)
    for command in READ_OFFLINE:
        assert world.gitca_in(world.origin, *command) == usual[" ".join(command)], command
    assert not (world.top / "hook-ran").exists()
