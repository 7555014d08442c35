"""The pictures of README.md show what gitca prints; `make pictures` draws them anew."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
LARGEST = 200_000
MASKS = (
    (r"\x1b\[[0-9;]*m", ""),
    (r"sha256:[0-9a-f]{32}(`<br>`)[0-9a-f]{32}", r"sha256:DIGEST\1DIGEST"),
    (r"sha256:[0-9a-f]{64}", "sha256:DIGEST"),
    (r"(?<=SKI `)[0-9a-f]{40}", "SKI"),
    (r"(?<=Now: `)[0-9a-f]+|(?<=Serial number\*\* \| `)[0-9a-f]+", "SERIAL"),
    (r"\b20\d\d-\d\d-\d\d(?:T| )\d\d:\d\d:\d\dZ", "2026-11-24 12:00:00Z"),
)


def pictures() -> ModuleType:
    specification = importlib.util.spec_from_file_location("pictures", ROOT / "tools/pictures.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["pictures"] = module
    specification.loader.exec_module(module)
    return module


def test_what_the_pictures_show_is_what_gitca_prints(
    tmp_path: Path, golden: Callable[[str, str], None]
) -> None:
    # Where this fails, `make pictures` is due as well as --update-golden.
    story = pictures().make_story(tmp_path)
    for name, text in (("pull-request.md", story.comment()), ("plan.txt", story.plan())):
        for pattern, replacement in MASKS:
            text = re.sub(pattern, replacement, text)
        golden(f"pictures/{name}", text)


def test_the_pictures_are_small_and_fetch_nothing() -> None:
    assert {path.name for path in IMAGES.iterdir()} >= {"plan.svg", "pull-request.png"}
    assert all(path.stat().st_size < LARGEST for path in IMAGES.iterdir())
    svg = (IMAGES / "plan.svg").read_text(encoding="utf-8")
    assert re.findall(r"https?://[^\"']+", svg) == ["http://www.w3.org/2000/svg"]
    assert "validity&#160;400d" in svg
