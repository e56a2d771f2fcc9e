"""A mail server for each test."""

from collections.abc import AsyncIterator

import pytest

from letters.mail import MailServer
from tests.support.mail_server import MailCatcher, mail_catcher


@pytest.fixture
async def catcher() -> AsyncIterator[MailCatcher]:
    async with mail_catcher() as catcher:
        yield catcher


@pytest.fixture
async def mail_server(catcher: MailCatcher) -> AsyncIterator[MailServer]:
    async with MailServer("127.0.0.1", catcher.port) as server:
        yield server
