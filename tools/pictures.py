"""Make the pictures of README.md: `make pictures`; run by hand, since it needs Chromium.

Both show what gitca prints about one pull request in a repository that is made for it: the comment
(docs/images/pull-request.png) and `gitca plan` in a terminal (docs/images/plan.svg).
"""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
LINKS = "https://github.com/example/pki/blob/4c1f0d2"
COLUMNS = 112
WIDTH, SCALE = 860, 2
SETTINGS = {"GITCA_KEY_PASSPHRASE": "of a demonstration", "NO_COLOR": "", "TERM": "xterm-256color"}
NAMES = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com",
         "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com"}  # fmt: skip


@dataclass(frozen=True)
class Story:
    """A repository with a pull request checked out; its base is the branch main."""

    folder: Path

    def gitca(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        """Run gitca and return what it prints."""
        return self.run(sys.executable, "-m", "gitca", *arguments, codes=codes)

    def run(self, *command: str, codes: tuple[int, ...] = (0,)) -> str:
        """Run a program in the repository."""
        done = subprocess.run(
            command, cwd=self.folder, env=os.environ | SETTINGS | NAMES | {"NO_COLOR": "1"},
            capture_output=True, check=False, encoding="utf-8", stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode not in codes:
            raise SystemExit(f"{' '.join(command)}: {done.returncode}\n{done.stderr}{done.stdout}")
        return done.stdout

    def commit(self, message: str) -> None:
        """Commit the documents."""
        self.run("git", "add", "--all", "requests")
        self.run("git", "commit", "--quiet", "-m", message)

    def comment(self) -> str:
        """Return the Markdown of the pull request's comment."""
        options = ("--base", "main", "--format", "markdown", "--links", LINKS)
        return self.gitca("plan", *options, codes=(1,))

    def plan(self) -> str:
        """Return `gitca plan --base main` as a terminal gets it, in colours."""
        told, terminal = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "gitca", "plan", "--base", "main"],
            cwd=self.folder, env=os.environ | SETTINGS | {"COLUMNS": str(COLUMNS)},
            stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal,
        )  # fmt: skip
        os.close(terminal)
        output = b""
        try:
            while piece := os.read(told, 65536):
                output += piece
        except OSError:  # Linux says so at the end
            pass
        os.close(told)
        process.wait()
        return output.decode().replace("\r\n", "\n")


def make_story(folder: Path) -> Story:
    """Make the repository: two certificates stand; a pull request changes one and revokes one.

    It asks for a third, and for one that the policy denies.
    """
    story = Story(folder / "pki")
    outside = Story(folder)
    outside.gitca("init", "pki", "--domain", "example.internal", "--organization", "Example")
    _request(story, "payments/api", "internal-server", "api.example.internal")
    _request(story, "jobs/backup", "internal-client", "backup.example.internal")
    story.commit("two requests")
    story.gitca("reconcile")
    story.run("git", "switch", "--quiet", "-c", "till")
    api = story.folder / "requests/payments/api.yaml"
    text = api.read_text(encoding="utf-8")
    name = next(line for line in text.splitlines() if line.strip().strip('-" ') == _API)
    api.write_text(text.replace(name, f"{name}\n{name.replace(_API, 'pay.example.internal')}", 1))
    _request(story, "shop/web", "internal-server", "web.example.internal")
    _request(story, "shop/old", "internal-server", "old.example.internal")
    with (story.folder / "requests/shop/old.yaml").open("a", encoding="utf-8") as document:
        document.write("  validity: 400d\n")
    story.gitca("revoke", "jobs/backup", "--reason", "superseded")
    story.commit("a till")
    return story


_API = "api.example.internal"


def _request(story: Story, name: str, policy: str, host: str) -> None:
    story.gitca(
        *("request", "new", name, "--policy", policy, "--new-key", f"../{host}.key"),
        *("--dns", host, "--common-name", host),
    )


PAGE = """<!doctype html><meta charset="utf-8"><style>
body { margin: 0; padding: 16px; background: #fff; color: #1f2328;
  font: 14px/1.5 "Noto Sans", "Liberation Sans", sans-serif; width: %(width)dpx; }
.comment { border: 1px solid #d1d9e0; border-radius: 6px; overflow: hidden; }
.head { background: #f6f8fa; border-bottom: 1px solid #d1d9e0; padding: 8px 16px; color: #59636e; }
.head b { color: #1f2328; } .head i { font-style: normal; border: 1px solid #d1d9e0;
  border-radius: 2em; padding: 0 7px; font-size: 12px; margin-left: 4px; }
.body { padding: 8px 16px 16px; }
h2 { font-size: 21px; border-bottom: 1px solid #d1d9e0; padding-bottom: 4px; margin: 8px 0 12px; }
h3 { font-size: 17px; margin: 20px 0 10px; }
p { margin: 0 0 10px; } ul { padding-left: 28px; margin: 0 0 10px; }
a { color: #0969da; text-decoration: none; }
code { font: 12px "DejaVu Sans Mono", monospace; background: #818b981f; border-radius: 6px;
  padding: 2px 5px; white-space: break-spaces; }
a code { color: inherit; }
table { border-collapse: collapse; margin: 0 0 12px; }
th, td { border: 1px solid #d1d9e0; padding: 5px 11px; text-align: left; vertical-align: top; }
tr:nth-child(2n) td { background: #f6f8fa; }
details { margin: 0 0 8px; } summary { cursor: pointer; } summary + * { margin-top: 8px; }
</style><div class="comment"><div class="head"><b>pki-bot</b> <i>bot</i> commented now</div>
<div class="body">%(body)s</div></div>"""


def draw_comment(markdown: str, picture: Path) -> None:
    """Draw the comment as a forge shows it, with the changed certificate unfolded."""
    start = "<details><summary><b>issue</b> <code>payments/api</code>"
    shown = markdown.replace(start, start.replace("<details>", "<details open>", 1), 1)
    body = MarkdownIt("gfm-like").render(shown)
    with tempfile.TemporaryDirectory() as scratch:
        page, raw = Path(scratch) / "page.html", Path(scratch) / "raw.png"
        page.write_text(PAGE % {"width": WIDTH - 32, "body": body}, encoding="utf-8")
        height = _height(page)
        _chromium(
            f"--screenshot={raw}", f"--window-size={WIDTH},{height}",
            f"--force-device-scale-factor={SCALE}", page.as_uri(),
        )  # fmt: skip
        # A page has few colours: a palette makes the file a fifth as large.
        _program("pngquant", "--force", "--strip", "--output", str(picture), "64", str(raw))


def _height(page: Path) -> int:
    """Return how high the page is, as its own script measures it."""
    measure = "<script>document.title=document.documentElement.scrollHeight</script>"
    page.write_text(page.read_text(encoding="utf-8") + measure, encoding="utf-8")
    dom = _chromium("--dump-dom", f"--window-size={WIDTH},400", page.as_uri())
    return int(dom.partition("<title>")[2].partition("</title>")[0])


def _chromium(*arguments: str) -> str:
    with tempfile.TemporaryDirectory() as profile:
        options = ("--headless", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={profile}")
        return _program("chromium", *options, *arguments)


def _program(name: str, *arguments: str) -> str:
    if shutil.which(name) is None:
        raise SystemExit(f"this needs {name}: apt-get install {name}")
    done = subprocess.run([name, *arguments], capture_output=True, check=True, encoding="utf-8")
    return done.stdout


THEME = TerminalTheme(
    (13, 17, 23), (230, 237, 243),
    [(72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34),
     (88, 166, 255), (188, 140, 255), (57, 197, 207), (177, 186, 196)],
)  # fmt: skip
SVG = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>
{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g></g>
</svg>
"""


def draw_terminal(output: str, picture: Path) -> None:
    """Draw what a terminal shows, as an SVG that fetches no font."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print(Text("$ gitca plan --base main", style="bold"))
        console.print(Text.from_ansi(output.rstrip("\n")))
    svg = console.export_svg(title="", theme=THEME, code_format=SVG, unique_id="plan")
    picture.write_text(svg, encoding="utf-8")


def main() -> None:
    """Make both pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        story = make_story(Path(scratch))
        draw_comment(story.comment(), IMAGES / "pull-request.png")
        draw_terminal(story.plan(), IMAGES / "plan.svg")


if __name__ == "__main__":
    main()
