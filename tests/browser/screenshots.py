"""Pictures of every page state, for people to look at: `python -m tests.browser.screenshots DIR`.

Each state as a phone and as a desktop shows it, by day and by night. More words choose scenes.
"""

import asyncio
import sys
import tempfile
from itertools import product
from pathlib import Path
from typing import Literal

from playwright.async_api import Page, ViewportSize, async_playwright

from tests.browser.scenes import SCENES
from tests.browser.town import running_town
from tests.support.chromium import installed

Light = Literal["light", "dark"]
SIZES = {
    "phone": ViewportSize(width=390, height=844),
    "desktop": ViewportSize(width=1280, height=800),
}
LIGHTS: tuple[Light, ...] = ("light", "dark")


async def main(folder: Path, wanted: list[str]) -> None:
    """Bring up a stack of its own, and take the pictures of it."""
    with tempfile.TemporaryDirectory() as state:
        async with running_town(Path(state) / "stack") as town, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=installed())
            for name in wanted or SCENES:
                page = await browser.new_page(viewport=SIZES["phone"])
                await SCENES[name](page, town)
                await take(page, folder, name)
                await page.close()
            await browser.close()


async def take(page: Page, folder: Path, name: str) -> None:
    for (size, viewport), light in product(SIZES.items(), LIGHTS):
        await page.set_viewport_size(viewport)
        await page.emulate_media(color_scheme=light)
        path = folder / f"{name}-{size}-{light}.png"
        await page.screenshot(path=path, full_page=True, animations="disabled")
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python -m tests.browser.screenshots DIR [SCENE ...]")
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2:]))
