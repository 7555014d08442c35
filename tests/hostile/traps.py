"""What a repository can plant so that Git runs a program; each leaves a file when it ran.

A trap is what is planted (settings of .git/config, files) and the plain Git command that springs
it: a trap that nothing springs would prove nothing.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from hostile_world import Hostile

HOOKS = (
    *("applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit"),
    *("prepare-commit-msg", "commit-msg", "post-commit", "pre-rebase", "post-checkout"),
    *("post-merge", "pre-push", "pre-auto-gc", "post-rewrite", "reference-transaction"),
    *("post-index-change", "sendemail-validate", "fsmonitor-watchman"),
)
PROGRAMS = ("gpg-gpg", "gpg-log-gpg", "git-proxy-proxy")
BUILTINS = (
    *("cat-file", "config", "diff-tree", "fast-import", "fetch", "log", "ls-files", "ls-remote"),
    *("ls-tree", "merge-base", "push", "read-tree", "remote", "rev-list", "rev-parse", "status"),
    *("symbolic-ref", "update-index", "update-ref", "worktree", "init", "clone"),
)
"""What gitca calls: an alias of these names is ignored by Git, and has to stay so."""

Spring = Callable[[Hostile], object]


@dataclass(frozen=True)
class Trap:
    """Settings with `{run}` where the planted command goes, and what springs the trap."""

    name: str
    settings: tuple[tuple[str, str], ...]
    spring: Spring

    def plant(self, world: Hostile, mark: Path, *, where: Path | None = None) -> None:
        """Write the settings to a repository's own configuration."""
        included = world.top / "hooks.gitconfig"
        included.write_text(f"[core]\n\thooksPath = {world.clone}/hooks\n")
        for key, value in self.settings:
            value = value.format(run=f"touch {mark / self.name}", mark=mark / self.name,
                                 origin=world.origin, included=included)  # fmt: skip
            world.git("config", "--add", key, value, where=where)


def plain(*arguments: str) -> Spring:
    """Run Git as a person does; whether it goes well does not matter."""
    return lambda world: world.git(*arguments, check=False)


def on_a_terminal(*arguments: str) -> Spring:
    """Run Git with a terminal as its output, as a pager needs it."""

    def run(world: Hostile) -> None:
        ours, theirs = os.openpty()
        variables = {k: v for k, v in os.environ.items() if k not in {"GIT_PAGER", "PAGER"}}
        subprocess.run(
            ["git", *arguments],
            cwd=world.clone,
            stdout=theirs,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            env=variables | {"TERM": "xterm"},
            check=False,
        )
        os.close(theirs)
        os.close(ours)

    return run


def touched(*arguments: str) -> Spring:
    """Change a file that is tracked, and run Git: only then it asks the filters."""

    def run(world: Hostile) -> None:
        file = world.clone / "issued/root/ca.pem"
        file.write_bytes(file.read_bytes() + b"\n")
        world.git(*arguments, check=False)
        world.git("checkout", "-q", "--", ".", check=False)

    return run


def edited(world: Hostile) -> None:
    """Commit without a message, where nothing stands for an editor but the configuration."""
    unset = ("env", "-u", "GIT_EDITOR", "-u", "VISUAL", "-u", "EDITOR", "TERM=xterm")
    subprocess.run(
        [*unset, "git", "commit", "--allow-empty"],
        cwd=world.clone,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )


def merged(world: Hostile) -> None:
    """Merge two branches that changed one file."""
    for branch, word in (("one", "a"), ("two", "b")):
        world.git("checkout", "-q", "-f", "-b", branch, "origin/main", check=False)
        (world.clone / "README.md").write_text(word)
        world.git("add", "README.md", check=False)
        world.git("commit", "-q", "-m", branch, check=False)
    world.git("merge", "-q", "-m", "x", "one", check=False)


TRAPS = (
    Trap("fsmonitor", (("core.fsmonitor", "{run}; false"),), plain("status")),
    Trap("hooks-path", (("include.path", "{included}"),),
         plain("commit", "-q", "--allow-empty", "-m", "x")),
    Trap("alias", (("alias.boom", "!{run}"),), plain("boom")),
    Trap("pager", (("core.pager", "{run}"),), on_a_terminal("log", "-1")),
    Trap("pager-of-log", (("pager.rev-list", "{run}"),), on_a_terminal("rev-list", "-1", "HEAD")),
    Trap("editor", (("core.editor", "{run};:"),), edited),
    Trap(
        "gpg",
        (("gpg.program", "{mark}-gpg"), ("commit.gpgSign", "true"), ("push.gpgSign", "if-asked")),
        plain("commit", "-q", "--allow-empty", "-m", "x"),
    ),
    Trap("gpg-log", (("gpg.program", "{mark}-gpg"), ("log.showSignature", "true")),
         plain("log", "-1", "signed")),
    Trap("external-diff", (("diff.external", "{run};:"),), plain("diff", "HEAD~2")),
    Trap("textconv", (("diff.evil.textconv", "{run};:"),), plain("log", "-p", "-2")),
    Trap("diff-driver", (("diff.evil.command", "{run};:"),), plain("diff", "HEAD~2", "HEAD")),
    Trap("clean", (("filter.evil.clean", "{run};cat"),), touched("status")),
    Trap("smudge", (("filter.evil.smudge", "{run};cat"),), touched("checkout", "-f", ".")),
    Trap("process", (("filter.other.process", "{run};false"),), touched("status")),
    Trap("merge", (("merge.evil.driver", "{run};false"),), merged),
    Trap("alternates", (("core.alternateRefsCommand", "{run};:"),), plain("fetch", "origin")),
    Trap("upload-pack", (("remote.origin.uploadpack", "{run};git-upload-pack"),),
         plain("fetch", "origin")),
    Trap("receive-pack", (("remote.origin.receivepack", "{run};git-receive-pack"),),
         plain("push", "origin", "HEAD:refs/heads/x")),
    Trap("ssh", (("core.sshCommand", "{run};false"),), plain("ls-remote", "ssh://ca.invalid/x")),
    Trap("git-proxy", (("core.gitProxy", "{mark}-proxy"),), plain("ls-remote", "git://ca.invalid/x")),
    Trap("submodule", (("submodule.sub.update", "!{run}"), ("submodule.sub.active", "true"),
                       ("submodule.sub.url", "{origin}")),
         plain("-c", "protocol.file.allow=always", "submodule", "update")),
)  # fmt: skip


def plant_everything(world: Hostile, mark: Path) -> None:
    """Plant every trap in the clone, and settings that lead to more of them.

    What is tracked is in the branch already: `cloned_attributes` put it there.
    """
    plant(world, mark, TRAPS)
    with (world.clone / ".git" / "config").open("a") as file:
        file.write("[alias]\n")
        file.writelines(f'\t{name} = "!touch {mark}/alias-of-builtin"\n' for name in BUILTINS)
    _hooks(world.clone / ".git" / "hooks", mark / "hooks")
    world.git("config", "extensions.worktreeConfig", "true")
    (world.clone / ".git" / "config.worktree").write_text(
        f'[core]\n\tfsmonitor = "touch {mark}/worktree;false"\n'
    )
    included = world.top / "included.gitconfig"
    included.write_text(f'[core]\n\tsshCommand = "touch {mark}/included;false"\n')
    world.git("config", f"includeIf.gitdir:{world.clone}/.path", str(included))


def plant(world: Hostile, mark: Path, traps: Iterable[Trap]) -> None:
    """Plant traps, and the programs and the file that they need."""
    mark.mkdir()
    for name in PROGRAMS:
        program = mark / name
        program.write_text(f"#!/bin/sh\ntouch {mark / name.rpartition('-')[0]}\nexit 1\n")
        program.chmod(0o755)
    _hooks(world.clone / "hooks", mark / "hooks-path")
    for trap in traps:
        trap.plant(world, mark)
    alternates = world.clone / ".git" / "objects" / "info" / "alternates"
    alternates.write_text(f"{world.origin}/objects\n")


def _hooks(folder: Path, mark: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name in HOOKS:
        hook = folder / name
        hook.write_text(f"#!/bin/sh\ntouch {mark}\nexit 1\n")
        hook.chmod(0o755)


def cloned_attributes(world: Hostile) -> None:
    """Put into the branch what a clone brings: attributes, modules, a mailmap, hooks, a signature.

    The signature is a header in a commit of a branch `signed`, which asks for a program to check.
    """
    (world.clone / ".gitattributes").write_text(
        "*.pem filter=evil diff=evil merge=evil text eol=crlf ident working-tree-encoding=UTF-16\n"
        "*.yaml filter=evil diff=evil merge=evil ident\n*.jsonl filter=other export-subst -text\n"
        "README.md merge=evil\n"
    )
    (world.clone / ".gitmodules").write_text(
        '[submodule "sub"]\n\tpath = sub\n\turl = ext::sh -c touch% planted\n\tupdate = rebase\n'
    )
    (world.clone / ".mailmap").write_text("Boss <boss@example.internal> <test@example.com>\n")
    (world.clone / ".gitconfig").write_text("[core]\n\tfsmonitor = false-name\n")
    world.git("add", ".gitattributes", ".gitmodules", ".mailmap", ".gitconfig")
    tip = world.git("rev-parse", "HEAD")
    world.git("update-index", "--add", "--cacheinfo", f"160000,{tip},sub")
    world.git("commit", "-q", "-m", "what a clone brings")
    world.git("push", "-q", "origin", "main")
    _signed(world)


def _signed(world: Hostile) -> None:
    head = world.git("cat-file", "commit", "HEAD")
    top, _, message = head.partition("\n\n")
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----"
    done = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin"],
        cwd=world.clone,
        input=f"{top}\n{signature}\n\n{message}\n".encode(),
        capture_output=True,
        check=True,
    )
    world.git("branch", "signed", done.stdout.decode().strip())
