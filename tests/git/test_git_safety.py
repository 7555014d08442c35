"""What a repository or a caller plants is not executed and not followed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from git_workshop import Workshop, add, plain_git
from hypothesis import given
from hypothesis import strategies as st

from gitca.errors import BackendUnavailableError
from gitca.git.process import environment, printable, redact
from gitca.git.repository import GitRepository

HOOKS = (
    "applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "prepare-commit-msg",
    "commit-msg", "post-commit", "pre-rebase", "post-checkout", "post-merge", "pre-push",
    "pre-auto-gc", "post-rewrite", "reference-transaction", "post-index-change",
)  # fmt: skip


def whole_run(repository: GitRepository) -> str:
    """Everything that gitca does with a clone, once; return the new tip."""
    tip = repository.fetch("main")
    first = add(repository, tip, {"issued/new": b"new\n", "issued/a": None})
    second = add(repository, first, {"issued/newer": b"newer\n"})
    repository.push(first, "main")
    assert repository.bring_forward("main", tip, first).tree
    repository.advance("main", second, first)
    assert repository.bring_forward("main", first, second).tree
    assert [entry.path for entry in repository.tree(second, "issued")] == [
        "issued/new",
        "issued/newer",
    ]
    assert repository.read(repository.tree(second, "issued/new")[0].blob) == b"new\n"
    return second


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """A file that every planted command would make."""
    return tmp_path / "planted-command-ran"


def test_a_hook_in_the_repository_does_not_run(workshop: Workshop, mark: Path) -> None:
    _, path = workshop.pair()
    for name in HOOKS:
        workshop.script(path / ".git" / "hooks" / name, f"echo {name} >>{mark}; exit 1")
    whole_run(workshop.open(path))
    assert not mark.exists()
    plain_git(path, "commit", "-q", "--allow-empty", "-m", "x", check=False)
    assert mark.exists()  # the trap works


def test_a_hook_in_core_hookspath_does_not_run(workshop: Workshop, mark: Path) -> None:
    _, path = workshop.pair()
    for name in HOOKS:
        workshop.script(path / "tracked-hooks" / name, f"echo {name} >>{mark}; exit 1")
    plain_git(path, "config", "core.hooksPath", "tracked-hooks")
    repository = workshop.open(path)
    second = whole_run(repository)
    assert not mark.exists()
    plain_git(path, "config", "--unset", "core.hooksPath")
    plain_git(path, "config", "--global", "core.hooksPath", str(path / "tracked-hooks"))
    third = add(repository, second, {"issued/third": b"x"})
    repository.advance("main", third, second)
    assert repository.bring_forward("main", second, third).tree
    assert not mark.exists()


@pytest.mark.parametrize("name", ["planted", "a=b", "a.b", "sp ace", "UPPER"])
def test_a_filter_does_not_run(workshop: Workshop, mark: Path, name: str) -> None:
    _, path = workshop.pair()
    attribute = name if name.isalnum() else "planted"
    workshop.write(path, {".gitattributes": f"* filter={attribute} diff={attribute} text eol=lf\n"})
    plain_git(path, "add", "-A")
    plain_git(path, "commit", "-q", "-m", "attributes")
    plain_git(path, "push", "-q", "origin", "main")
    command = f"sh -c 'echo ran >>{mark}; cat'"
    for filter_name in {name, "planted"}:
        for key in ("clean", "smudge", "process"):
            plain_git(path, "config", f"filter.{filter_name}.{key}", command)
        plain_git(path, "config", f"filter.{filter_name}.required", "true")
    plain_git(path, "config", "diff.external", command)
    plain_git(path, "config", f"diff.{attribute}.command", command)
    plain_git(path, "config", f"diff.{attribute}.textconv", command)
    second = whole_run(workshop.open(path))
    assert not mark.exists()
    assert (path / "issued/newer").read_text() == "newer\n"
    assert plain_git(path, "rev-parse", "HEAD") == second
    (path / "README").write_text("touched\n")
    plain_git(path, "add", "README", check=False)
    assert mark.exists()  # the trap works


def test_a_filter_of_the_users_own_configuration_does_not_run_either(
    workshop: Workshop, mark: Path
) -> None:
    _, path = workshop.pair()
    plain_git(path, "config", "--global", "filter.lfs.process", f"touch {mark}")
    plain_git(path, "config", "--global", "filter.lfs.smudge", f"touch {mark}")
    plain_git(path, "config", "--global", "filter.lfs.required", "true")
    (path / ".git" / "info" / "attributes").write_text("* filter=lfs\n")
    whole_run(workshop.open(path))
    assert not mark.exists()


def test_a_file_system_monitor_does_not_run(workshop: Workshop, mark: Path) -> None:
    _, path = workshop.pair()
    plain_git(path, "config", "core.fsmonitor", f"touch {mark}; false")
    whole_run(workshop.open(path))
    assert not mark.exists()
    plain_git(path, "status")
    assert mark.exists()  # the trap works


def test_a_command_for_alternates_does_not_run(workshop: Workshop, mark: Path) -> None:
    origin, _ = workshop.pair()
    path = workshop.clone(origin, "shared", "--shared")
    plain_git(path, "config", "core.alternateRefsCommand", f"touch {mark};:")
    whole_run(workshop.open(path))
    assert not mark.exists()


@pytest.mark.parametrize("allow", ["config", "environment", "instead-of", "vcs"])
def test_an_ext_remote_is_refused(
    workshop: Workshop, mark: Path, allow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, path = workshop.pair()
    plain_git(path, "config", "remote.origin.url", f"ext::sh -c touch% {mark}")
    plain_git(path, "config", "protocol.ext.allow", "always")
    if allow == "environment":
        monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "ext:file")
    if allow == "instead-of":
        plain_git(path, "config", "remote.origin.url", "https://example.org/x")
        plain_git(path, "config", f"url.ext::sh -c touch% {mark}% .insteadOf", "https://")
    if allow == "vcs":
        plain_git(path, "config", "remote.origin.url", f"sh -c touch% {mark}")
        plain_git(path, "config", "remote.origin.vcs", "ext")
    repository = workshop.open(path)
    head = repository.resolve("HEAD") or ""
    with pytest.raises(BackendUnavailableError, match="not allowed"):
        repository.fetch("main")
    with pytest.raises(BackendUnavailableError):
        repository.push(add(repository, head, {"x": b"x"}), "main")
    assert not mark.exists()


def test_a_run_inside_a_hook_of_another_repository_is_not_confused(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, path = workshop.pair()
    other = workshop.new("other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other / ".git" / "objects"))
    monkeypatch.setenv("GIT_COMMON_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_ALTERNATE_OBJECT_DIRECTORIES", str(other / ".git" / "objects"))
    monkeypatch.setenv("GIT_NAMESPACE", "space")
    monkeypatch.setenv("GIT_PREFIX", "issued/")
    monkeypatch.setenv("GIT_QUARANTINE_PATH", str(other))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'core.hooksPath'='/tmp'")
    repository = workshop.open(path)
    assert repository.root == path
    second = whole_run(repository)
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    assert plain_git(path, "rev-parse", "HEAD") == second
    assert plain_git(path, "status", "--porcelain") == ""
    assert plain_git(other, "status", "--porcelain") == ""
    assert plain_git(other, "rev-list", "--all", "--count") == "1"


def test_replacements_and_grafts_are_not_followed(workshop: Workshop) -> None:
    path = workshop.new()
    repository = workshop.open(path)
    head = repository.resolve("HEAD") or ""
    child = add(repository, head, {"issued/a": b"true\n"})
    lie = add(repository, None, {"issued/a": b"lie\n"})
    plain_git(path, "replace", child, lie)
    blob = repository.tree(child, "issued/a")[0].blob
    plain_git(path, "replace", blob, repository.tree(lie, "issued/a")[0].blob)
    (path / ".git" / "info" / "grafts").write_text(f"{child}\n{lie} {head}\n")
    assert repository.read(repository.tree(child, "issued/a")[0].blob) == b"true\n"
    assert repository.is_ancestor(head, child)
    assert not repository.is_ancestor(head, lie)


def test_nothing_is_collected_or_maintained_behind_our_back(workshop: Workshop) -> None:
    _, path = workshop.pair()
    for key in ("gc.auto", "gc.autoPackLimit"):
        plain_git(path, "config", key, "1")
    repository = workshop.open(path)
    tip = repository.fetch("main")
    orphan = add(repository, tip, {f"{n}": b"x%d" % n for n in range(50)})
    whole_run(repository)
    assert repository.resolve(orphan) == orphan
    assert not (path / ".git" / "gc.pid").exists()


def test_credentials_that_the_user_set_up_reach_git(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, mark: Path
) -> None:
    path = workshop.new()
    helper = workshop.script(workshop.top / "ssh", f'echo "$@" >{mark}; exit 255')
    plain_git(path, "remote", "add", "origin", "ssh://git@ca.example.internal/ca.git")
    repository = workshop.open(path)
    for variable, value in (("GIT_SSH_COMMAND", str(helper)), ("", "")):
        mark.unlink(missing_ok=True)
        if variable:
            monkeypatch.setenv(variable, value)
        else:
            monkeypatch.delenv("GIT_SSH_COMMAND")
            plain_git(path, "config", "--global", "core.sshCommand", str(helper))
        with pytest.raises(BackendUnavailableError):
            repository.fetch("main")
        assert "git@ca.example.internal" in mark.read_text()


def test_a_program_that_the_repository_names_to_reach_its_remote_does_not_run(
    workshop: Workshop, mark: Path
) -> None:
    path = workshop.new()
    named, own = (workshop.script(workshop.top / name, f"touch {mark}-{name}; exit 255")
                  for name in ("named", "own"))  # fmt: skip
    plain_git(path, "remote", "add", "origin", "ssh://git@ca.example.internal/ca.git")
    plain_git(path, "config", "core.sshCommand", str(named))
    plain_git(path, "config", "--global", "core.sshCommand", str(own))
    with pytest.raises(BackendUnavailableError):
        workshop.open(path).fetch("main")
    assert not Path(f"{mark}-named").exists()
    assert Path(f"{mark}-own").exists()


def test_settings_handed_over_in_the_environment_stay_and_ours_win() -> None:
    ci = {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "http.extraHeader", "GIT_CONFIG_VALUE_0": "Authorization: x",
        "GIT_CONFIG_KEY_1": "core.hooksPath", "GIT_CONFIG_VALUE_1": "hooks",
    }  # fmt: skip
    made = environment(ci, [("a.b", "c")])
    count = int(made["GIT_CONFIG_COUNT"])
    pairs = [(made[f"GIT_CONFIG_KEY_{n}"], made[f"GIT_CONFIG_VALUE_{n}"]) for n in range(count)]
    assert pairs[0] == ("http.extraHeader", "Authorization: x")
    assert pairs[-1] == ("a.b", "c")
    assert [value for key, value in pairs if key == "core.hooksPath"] == ["hooks", "/dev/null"]


@pytest.mark.parametrize("count", ["-1", "x", "", "²", "9" * 50])
def test_a_broken_count_of_settings_is_none(count: str) -> None:
    made = environment({"GIT_CONFIG_COUNT": count, "GIT_CONFIG_KEY_0": "core.pager"})
    assert made["GIT_CONFIG_KEY_0"] == "core.hooksPath"


def test_the_passphrase_is_handed_to_nothing_that_git_starts() -> None:
    """I12."""
    assert "GITCA_KEY_PASSPHRASE" not in environment({"GITCA_KEY_PASSPHRASE": "secret"})


def test_narrowed_protocols_stay_narrow() -> None:
    assert "GIT_ALLOW_PROTOCOL" not in environment({})
    assert environment({"GIT_ALLOW_PROTOCOL": "https:ext"})["GIT_ALLOW_PROTOCOL"] == "https"
    assert environment({"GIT_ALLOW_PROTOCOL": ""})["GIT_ALLOW_PROTOCOL"] == ""


def test_urls_lose_their_credentials() -> None:
    assert redact("https://user:p@ss@host/x.git") == "https://***@host/x.git"
    assert redact("at 'https://ghp_token@host/x' and") == "at 'https://***@host/x' and"
    assert redact("https://host/x?private_token=abc 'y'") == "https://host/x?*** 'y'"
    assert redact("ssh://git@host/x") == "ssh://***@host/x"
    assert redact("git@host:x and https://host/a@b") == "git@host:x and https://host/a@b"


def test_a_remotes_words_cannot_steer_a_terminal() -> None:
    words = b"remote: \x1b[31mred\x1b[0m \x1b]0;title\x07\r\nhint: do this\nremote: \xff\x00ok\n"
    assert printable(words) == "remote: red 0;title�; remote: ��ok"


@given(st.binary(max_size=200))
def test_any_words_come_out_printable(words: bytes) -> None:
    assert printable(words).isprintable()


def test_long_words_are_cut() -> None:
    assert len(printable(b"x" * 1_000_000)) < 2100
