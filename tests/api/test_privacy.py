"""Nothing personal and no secret leaves the database and the mail, whatever goes wrong."""

import json
import re
import sqlite3
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.support.mail_server import MailCatcher, mail_catcher
from tests.support.neighbours import KEYS, Neighbours
from tests.support.programs import Program, environment, running_program
from tests.support.service import Json, an_order, caller, new_key, statuses_of

EMAIL = "marker-person@example.com"
CARD = "4111111111111111"
BUSY = f"451 4.2.0 <{EMAIL}> mailbox busy"
UNKNOWN = f"550 5.1.1 <{EMAIL}> unknown"


@dataclass
class Watched:
    """API and worker as processes that say all they can, and every problem they answered."""

    neighbours: Neighbours
    database: str
    mails: MailCatcher
    shop: httpx.AsyncClient
    programs: tuple[Program, Program]
    problems: str = ""

    async def call(self, method: str, path: str, status: int, **more: Any) -> Json:
        response = await self.shop.request(method, path, **more)
        assert response.status_code == status, response.text
        if status >= 400:
            self.problems += response.text + str(response.headers)
        answer: Json = response.json()
        return answer

    async def place(self) -> str:
        body = an_order(email=EMAIL)
        order = await self.call("POST", "/orders", 201, json=body, headers=new_key())
        return str(order["order_id"])

    async def pay(self, order_id: str) -> None:
        checkout = await self.call("POST", f"/orders/{order_id}/checkout", 200)
        back = await self.neighbours.simulator.pay(checkout["payment_url"])
        await self.shop.get(back.headers["Location"])
        assert [s async for s in statuses_of(self.shop, order_id)][-1] == "paid"

    async def story(self, order_id: str) -> str:
        """All that Temporal knows of the order, in clear."""
        handle = self.neighbours.temporal.client.get_workflow_handle(order_id)
        await handle.result()
        history = json.loads((await handle.fetch_history()).to_json())
        return "\n".join([*clear(history), str((await handle.describe()).raw_description)])

    def tokens(self) -> list[str]:
        with closing(sqlite3.connect(self.database)) as database:
            results = database.execute("SELECT result_token FROM orders").fetchall()
            callbacks = database.execute("SELECT callback_token FROM payment_links").fetchall()
        return [token for (token,) in results + callbacks]

    @contextmanager
    def rows_refused(self, table: str) -> Iterator[None]:
        """The database refuses new rows, and its error quotes what it was given."""
        trigger = (
            f"CREATE TRIGGER refuse BEFORE INSERT ON {table}"
            f" BEGIN SELECT RAISE(ABORT, 'refused {EMAIL}'); END"
        )
        with closing(sqlite3.connect(self.database)) as database:
            database.execute(trigger)
            try:
                yield
            finally:
                database.execute("DROP TRIGGER refuse")


def clear(value: object) -> Iterator[str]:
    """Every text in it, payloads decoded."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from clear(each)
    elif isinstance(value, list):
        for each in value:
            yield from clear(each)
    else:
        text = str(value)
        yield text
        if re.fullmatch(r"[A-Za-z0-9+/]{4,}={0,2}", text) and len(text) % 4 == 0:
            yield b64decode(text).decode(errors="replace")


@pytest.fixture
async def watched(neighbours: Neighbours, sqlite_database_url: str) -> AsyncIterator[Watched]:
    async with AsyncExitStack() as life:
        mails = await life.enter_async_context(mail_catcher())
        settings = neighbours.settings(sqlite_database_url, smtp_port=mails.port, log_level="DEBUG")
        env = environment(settings)
        worker = await life.enter_async_context(running_program("worker.py", env=env))
        api = await life.enter_async_context(running_program("-m", "api", env=env))
        await worker.says("worker ready")
        await api.says("Uvicorn running on")
        shop = await life.enter_async_context(caller(settings, KEYS["shop"]))
        database = sqlite_database_url.partition("///")[2]
        yield Watched(neighbours, database, mails, shop, (api, worker))
        await neighbours.temporal.client.get_schedule_handle("sweep").delete()


async def test_nothing_personal_and_no_secret_gets_out(watched: Watched) -> None:
    bad = an_order(email=EMAIL, user_id=f"card {CARD}")
    await watched.call("POST", "/orders", 422, json=bad, headers=new_key())
    with watched.rows_refused("orders"):
        body = an_order(email=EMAIL)
        # The server hangs up after such an answer: nobody else may take this connection.
        alone = new_key() | {"Connection": "close"}
        await watched.call("POST", "/orders", 500, json=body, headers=alone)

    busy, unknown, troubled = [await watched.place() for _ in range(3)]
    watched.mails.to_data = [BUSY]
    await watched.pay(busy)
    assert (await watched.mails.about(busy))[0]["To"] == EMAIL
    watched.mails.to_recipient = [UNKNOWN]
    await watched.pay(unknown)
    await watched.mails.refused(2)
    with watched.rows_refused("letters"):
        await watched.pay(troubled)
        await watched.programs[1].says("IntegrityError")
    assert await watched.mails.about(troubled)

    stories = [await watched.story(order_id) for order_id in (busy, unknown, troubled)]
    assert "MailRefused" in stories[1]
    assert all("mailbox" not in story and "settled" not in story for story in stories)
    for program in watched.programs:
        assert await program.stop() == 0
    said = [watched.problems, *stories, *(program.said for program in watched.programs)]
    account = watched.neighbours.simulator
    secrets = [*KEYS.values(), account.key_secret, account.webhook_secret, *watched.tokens()]
    for text in said:
        assert len(text) > 500
        leaked = [m for m in (EMAIL, "marker-person", CARD, *secrets) if m in text]
        assert leaked == []
