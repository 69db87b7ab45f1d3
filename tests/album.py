"""The pictures of the guide: taken of the real pages, or, in an ordinary run, only looked at.

`HAECHI_GUIDE_PICTURES=1 python -m pytest tests/e2e/test_guide.py` writes them anew.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.people import Language
from tests.requirements import ROOT, need_program

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

GUIDE = ROOT / "docs" / "guide"
MAX_BYTES = 250_000
WRITES = os.environ.get("HAECHI_GUIDE_PICTURES") == "1"
# Fewer colours until the file is small enough; pages without video need no such thing.
_COLOURS = (256, 128, 64, 32)


def folder_of(language: Language) -> Path:
    """English pages lie in the guide's folder itself, Korean ones below it."""
    return GUIDE if language == "en" else GUIDE / language


@dataclass(slots=True)
class Album:
    """`taken` are the names of the pictures, in their order."""

    language: Language
    taken: list[str] = field(default_factory=list)

    async def take(self, page: Page, name: str, *shown: str, part: str | None = None) -> None:
        """Asserts that `shown` (selectors) can be seen; then the picture is `name`.png, of the page or of `part`."""
        for selector in shown:
            await page.locator(selector).first.wait_for()
        self.taken.append(name)
        if not WRITES:
            return
        of: Page | Locator = page.locator(part).first if part else page
        file = folder_of(self.language) / f"{name}.png"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(_small(await of.screenshot(animations="disabled")))


def _small(png: bytes) -> bytes:
    """The picture with a palette, so that the guide stays light in the repository."""
    small = png
    for colours in _COLOURS:
        palette = f"split[a][b];[a]palettegen=max_colors={colours}:stats_mode=full[p];[b][p]paletteuse=dither=none"
        command = [need_program("ffmpeg"), "-v", "error", "-f", "png_pipe", "-i", "-", "-vf", palette]
        command += ["-f", "image2pipe", "-c:v", "png", "-compression_level", "9", "-"]
        small = subprocess.run(command, input=png, capture_output=True, check=True, timeout=60).stdout
        if len(small) <= MAX_BYTES:
            break
    return small
