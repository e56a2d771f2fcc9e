"""Every page in every state: readable by day and by night, on a phone, and by ear."""

import asyncio
from contextlib import suppress
from typing import Literal

import pytest
from playwright.async_api import Page

from tests.browser.conftest import NewCustomer
from tests.browser.scenes import SCENES
from tests.browser.town import Town
from tests.support.money import until

pytestmark = pytest.mark.slow

AT_ONCE = 4
COLOURS_ARRIVE_WITHIN = 3.0
# Of WCAG 2.2, AA: for text of any size, and for what is not text.
LEAST_CONTRAST = 4.5
# Each text with the contrast between it and what lies under it, colours blended as they are drawn.
CONTRASTS = """() => {
  const pixel = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const drawn = (layers) => {
    pixel.fillStyle = "white";
    pixel.fillRect(0, 0, 1, 1);
    for (const colour of layers) {
      pixel.fillStyle = colour;
      pixel.fillRect(0, 0, 1, 1);
    }
    return [...pixel.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((byte) => byte / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const style = (element) => getComputedStyle(element);
  const grounds = (element) =>
    element ? [...grounds(element.parentElement), style(element).backgroundColor] : [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    if (!data.trim() || !parentElement.checkVisibility()) continue;
    const under = grounds(parentElement);
    const [a, b] = [under, [...under, style(parentElement).color]].map(drawn).map(light);
    found.push([data.trim(), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]);
  }
  return found;
}"""
CONTROLS = "a, button, input:not([type=hidden]), select, iframe"
UNNAMED = """(controls) => [...document.querySelectorAll(controls)]
  .filter((each) => !each.textContent.trim() && !each.labels?.length)
  .filter((each) => !each.title && !each.ariaLabel)
  .map((each) => each.outerHTML)"""


async def test_every_page_can_be_read(town: Town, new_customer: NewCustomer) -> None:
    customer, gate = await new_customer(), asyncio.Semaphore(AT_ONCE)
    customer.foreseen = "the server responded with a status of 4"
    await town.paid()  # so that there is a mail

    async def look_at(name: str) -> list[str]:
        async with gate:
            page = await customer.new_page()
            await SCENES[name](page, town)
            faults = [f"{name}: {fault}" for fault in await all_faults(page)]
            await page.close()
            return faults

    faults = await asyncio.gather(*map(look_at, SCENES))
    assert [fault for some in faults for fault in some] == []


async def all_faults(page: Page) -> list[str]:
    return [
        *await contrast_faults(page, "light"),
        *await contrast_faults(page, "dark"),
        *(f"no name: {each}" for each in await page.evaluate(UNNAMED, CONTROLS)),
        *await structure_faults(page),
    ]


async def contrast_faults(page: Page, scheme: Literal["light", "dark"]) -> list[str]:
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    seen = f"matchMedia('(prefers-color-scheme: {scheme})').matches"
    await page.wait_for_function(seen, polling=50)

    async def pale() -> list[str]:
        texts = await page.evaluate(CONTRASTS)
        assert texts
        return [
            f"{text!r} has contrast {contrast:.2f} in {scheme}"
            for text, contrast in texts
            if contrast < LEAST_CONTRAST
        ]

    # Colours take a while to change; what stays pale is.
    with suppress(AssertionError):
        await until(pale, lambda texts: not texts, COLOURS_ARRIVE_WITHIN)
    return await pale()


async def structure_faults(page: Page) -> list[str]:
    """One heading of the first rank, one main part, a title, a language, nothing off the side."""
    faults = [
        f"{count} {what}"
        for what in ("h1", "main", "title:not(:empty)", "html[lang]", "meta[name=viewport]")
        if (count := await page.locator(what).count()) != 1
    ]
    width = await page.evaluate("document.documentElement.scrollWidth")
    return faults if width <= 390 else [*faults, f"{width} wide"]
