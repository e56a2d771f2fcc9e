"""Real browsers before the real stack; whatever a browser complains of fails its test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, WebError, async_playwright
from playwright.async_api import ConsoleMessage as Message

from tests.browser.town import Town, running_town
from tests.support.chromium import chromium

# Chromium's own errands: there is nobody to answer them on a closed network.
STAY_AT_HOME = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}


@dataclass
class Customer:
    """One person's browser, with every complaint of it: of scripts, of policies, of the network.

    `foreseen` is what its complaints may speak of, because the test itself brings that about.
    """

    context: BrowserContext
    email: str
    foreseen: str | None = None
    complaints: list[str] = field(default_factory=list)

    def listen(self) -> None:
        self.context.on("console", self._hear)
        self.context.on("weberror", self._note)

    def _hear(self, message: Message) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _note(self, error: WebError) -> None:
        self.complaints.append(str(error.error))

    async def new_page(self) -> Page:
        return await self.context.new_page()

    @property
    def unforeseen(self) -> list[str]:
        return [text for text in self.complaints if not self.foreseen or self.foreseen not in text]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test waits for the whole stack to come up, on a machine that is busy with tests."""
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.timeout(150))


NewCustomer = Callable[..., Awaitable[Customer]]


@pytest.fixture(scope="session")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with running_town(tmp_path_factory.mktemp("town") / "stack") as town:
        yield town


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(), args=list(STAY_AT_HOME)
        )
        yield browser
        await browser.close()


@pytest.fixture
async def new_customer(
    browser: Browser, request: pytest.FixtureRequest
) -> AsyncIterator[NewCustomer]:
    """Opens a browser for one more person; the options are those of Playwright's contexts."""
    async with AsyncExitStack() as life:
        name = request.node.name.split("[")[0].removeprefix("test_")

        async def open_one(**options: Any) -> Customer:
            opened = _customer(browser, f"{name[:60]}@example.com", **options)
            return await life.enter_async_context(opened)

        yield open_one


@pytest.fixture
async def customer(new_customer: NewCustomer) -> Customer:
    """Somebody on a phone."""
    return await new_customer()


@asynccontextmanager
async def _customer(browser: Browser, email: str, **options: Any) -> AsyncIterator[Customer]:
    context = await browser.new_context(**{"viewport": PHONE} | options)
    customer = Customer(context, email)
    customer.listen()
    yield customer
    await context.close()
    assert customer.unforeseen == []
