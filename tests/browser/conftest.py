"""A real browser before the real stack."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from local_stack import Stack, running
from tests.support.chromium import chromium

# Chromium's own errands: there is nobody to answer them on a closed network.
STAY_AT_HOME = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@dataclass
class Visit:
    """One customer's page, and every complaint of the browser."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def listen(self) -> None:
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("stack"), settings={"HINT_DELAYS": "[0, 0.5, 1, 2]"})
    async with running(stack):
        yield stack


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(), args=list(STAY_AT_HOME)
        )
        yield browser
        await browser.close()


@pytest.fixture(params=[1200, 390], ids=["desktop", "phone"])
async def visit(request: pytest.FixtureRequest, browser: Browser) -> AsyncIterator[Visit]:
    context = await browser.new_context(viewport={"width": request.param, "height": 800})
    visit = Visit(await context.new_page())
    visit.listen()
    yield visit
    await context.close()
