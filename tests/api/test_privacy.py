"""Nothing personal and no secret leaves the database and the mail, whatever goes wrong."""

import hmac
import json
import re
import sqlite3
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pypdf import PdfReader

from tests.gateways.razorpay_rows import csv_of, payment
from tests.support.mail_server import MailCatcher, mail_catcher
from tests.support.money import until
from tests.support.neighbours import KEYS, Neighbours
from tests.support.programs import Program, environment, running_program
from tests.support.razorpay_webhooks import paid
from tests.support.service import Json, an_order, caller, new_key, statuses_of
from tests.support.temporal import temporal_server

EMAIL = "marker-person@example.com"
CARD = "4111111111111111"
MARKERS = (EMAIL, "marker-person", CARD)
# Of a transaction file: texts that are free, and cells that a text makes wrong.
NOTES = ("payment_notes", "refund_notes", "order_notes", "entity_description")
WRONG = ("amount", "currency", "fee (exclusive tax)", "tax", "debit", "credit", "settled_at")
BUSY = f"451 4.2.0 <{EMAIL}> mailbox busy"
UNKNOWN = f"550 5.1.1 <{EMAIL}> unknown"


@dataclass
class Watched:
    """API and worker as processes that say all they can, and every problem they answered."""

    neighbours: Neighbours
    database: str
    temporal_file: Path
    mails: MailCatcher
    shop: httpx.AsyncClient
    ops: httpx.AsyncClient
    stranger: httpx.AsyncClient
    programs: tuple[Program, Program]
    problems: str = ""

    async def answer(
        self, method: str, path: str, status: int, who: str = "shop", **more: Any
    ) -> httpx.Response:
        caller: httpx.AsyncClient = getattr(self, who)
        response = await caller.request(method, path, **more)
        assert response.status_code == status, response.text
        if status >= 400:
            self.problems += response.text + str(response.headers)
        return response

    async def call(self, *call: Any, **more: Any) -> Json:
        answer: Json = (await self.answer(*call, **more)).json()
        return answer

    async def place(self) -> str:
        body = an_order(email=EMAIL, user_id=f"of {EMAIL}")
        key = {"Idempotency-Key": f"{EMAIL}-{uuid4().hex}"}
        order = await self.call("POST", "/orders", 201, json=body, headers=key)
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

    async def leaves_nothing(self, *said: str) -> None:
        """Stop all, and look for every marker and secret wherever it does not belong."""
        for program in self.programs:
            assert await program.stop() == 0
        history = "".join(
            file.read_bytes().decode(errors="replace")
            for file in self.temporal_file.parent.glob(f"{self.temporal_file.name}*")
        )
        assert "CheckoutWorkflow" in history
        account = self.neighbours.simulator
        secrets = [*KEYS.values(), account.key_secret, account.webhook_secret, *self.tokens()]
        logs = [program.said for program in self.programs]
        for text in (self.problems, history, *logs, *said):
            assert len(text) > 500
            for mark in (*MARKERS, *secrets):
                assert mark not in text, text[max(text.index(mark) - 200, 0) :][:400]

    def tokens(self) -> list[str]:
        results = self.look_up("SELECT result_token FROM orders")
        callbacks = self.look_up("SELECT callback_token FROM payment_links")
        return [token for (token,) in results + callbacks]

    def look_up(self, query: str, *values: str) -> list[Any]:
        with closing(sqlite3.connect(self.database)) as database:
            return database.execute(query, values).fetchall()

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
async def watched(
    neighbours: Neighbours, sqlite_database_url: str, tmp_path: Path
) -> AsyncIterator[Watched]:
    """With a Temporal of its own, whose file is looked into in the end."""
    async with AsyncExitStack() as life:
        file = tmp_path / "temporal.db"
        temporal = await life.enter_async_context(await temporal_server(file))
        neighbours = replace(neighbours, temporal=temporal)
        mails = await life.enter_async_context(mail_catcher())
        settings = neighbours.settings(
            sqlite_database_url,
            smtp_port=mails.port,
            log_level="DEBUG",
            transaction_files=str(tmp_path / "transactions"),
            sweep_interval=1,
            unknown_order_after=1,
        )
        env = environment(settings)
        worker = await life.enter_async_context(running_program("worker.py", env=env))
        api = await life.enter_async_context(running_program("-m", "api", env=env))
        await worker.says("worker ready")
        await api.says("Uvicorn running on")
        shop, ops, stranger = [
            await life.enter_async_context(caller(settings, key))
            for key in (KEYS["shop"], KEYS["ops"], None)
        ]
        database = sqlite_database_url.partition("///")[2]
        programs = (api, worker)
        yield Watched(neighbours, database, file, mails, shop, ops, stranger, programs)


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
    await watched.leaves_nothing(*stories)


async def give_back(watched: Watched, order_id: str) -> None:
    """A refund whose reason names a person, and ones that name a card."""
    path = f"/orders/{order_id}/refunds"
    for reason in (CARD, f"card {CARD}, {EMAIL}"):
        body = {"reason": reason}
        await watched.call("POST", path, 422, "ops", json=body, headers=new_key())
    wish = {"reason": f"{EMAIL} asked for it", "amount": 100}
    await watched.call("POST", path, 202, "ops", json=wish, headers=new_key())
    await watched.call("POST", path, 409, "ops", json=wish | {"amount": 10**9}, headers=new_key())
    await until(
        lambda: watched.call("GET", f"/orders/{order_id}", 200),
        lambda order: bool(order["credit_notes"]) and len(order["letters"]) == 2,
    )


async def say_of_a_stray(watched: Watched) -> None:
    """A case is decided by a word that names nobody; others are not taken."""
    await watched.neighbours.simulator.pay_elsewhere(7700, order_id="ord_marker")

    async def waiting() -> list[Json]:
        cases = await watched.answer("GET", "/cases", 200, "ops", params={"status": "waiting"})
        return list(cases.json())

    [case] = await until(waiting, bool)
    path = f"/cases/{case['case_id']}"
    for reason in (f"{EMAIL} said so", f"of card {CARD}"):
        word = {"verdict": "dismiss", "reason": reason}
        await watched.call("POST", path, 422, "ops", json=word)
    word = {"verdict": "dismiss", "reason": "agreed on the phone"}
    await watched.call("POST", path, 200, "ops", json=word)
    await watched.call("POST", path, 409, "ops", json=word)


async def call_with_markers(watched: Watched, order_id: str) -> None:
    """Webhooks, callbacks and addresses that bring what nobody asked for."""
    body = paid(order_id)
    person = {"email": EMAIL, "contact": CARD, "card": {"last4": "1111", "number": CARD}}
    for entity in body["payload"].values():
        entity["entity"] |= person
    raw, secret = json.dumps(body).encode(), watched.neighbours.simulator.webhook_secret
    signed = {"X-Razorpay-Signature": hmac.new(secret.encode(), raw, "sha256").hexdigest()}
    await watched.call("POST", "/webhooks/razorpay", 200, "stranger", content=raw, headers=signed)
    forged = {"X-Razorpay-Signature": EMAIL}
    await watched.call("POST", "/webhooks/razorpay", 401, "stranger", content=raw, headers=forged)
    link = "SELECT callback_token FROM payment_links WHERE order_id = ?"
    [(token,)] = watched.look_up(link, order_id)
    query = {"razorpay_payment_id": EMAIL, "razorpay_signature": CARD, "email": EMAIL}
    callback = f"/callbacks/razorpay/{token}"
    for method, more in (("GET", {"params": query}), ("POST", {"data": query})):
        await watched.answer(method, callback, 303, "stranger", **more)
    for path in (f"/orders/{EMAIL}", f"/orders/{CARD}/events", f"/nothing/{EMAIL}?card={CARD}"):
        await watched.call("GET", path, 404)
    bearer = {"Authorization": f"Bearer {EMAIL}", "User-Agent": EMAIL}
    await watched.call("GET", "/products", 401, "stranger", headers=bearer)


async def bring_files(watched: Watched) -> None:
    """A file with a person in its notes, and one for each cell in which a person is wrong."""
    row = payment(**{name: f"{EMAIL} {CARD}" for name in NOTES})
    name = f"of {EMAIL} {CARD}.csv"
    ids = [await bring(watched, name, csv_of([row]))]
    for column in WRONG:
        ids.append(await bring(watched, name, csv_of([row | {column: f"{EMAIL} {CARD}"}])))
    ids.append(await bring(watched, name, csv_of([row], [EMAIL, CARD])))

    async def states() -> list[str]:
        answers = [await watched.call("GET", f"/reconciliations/{i}", 200, "ops") for i in ids]
        return [answer["state"] for answer in answers]

    seen = await until(states, lambda seen: set(seen) <= {"done", "refused", "waiting"})
    assert seen[0] != "refused"
    assert set(seen[1:]) == {"refused"}
    approval = {"reason": f"{EMAIL} said so"}
    await watched.call("POST", f"/reconciliations/{ids[0]}/approve", 422, "ops", json=approval)


async def bring(watched: Watched, name: str, content: bytes) -> str:
    path, query = "/transaction-files/razorpay", {"name": name}
    answer = await watched.call("POST", path, 202, "ops", content=content, params=query)
    return str(answer["run_id"])


async def papers_of(watched: Watched, order_id: str) -> str:
    """What its PDFs say of themselves; whom they were made out to stands on them, not in that."""
    notes = (await watched.call("GET", f"/orders/{order_id}", 200))["credit_notes"]
    paths = ["invoice.pdf", *(f"credit-notes/{note['number']}.pdf" for note in notes)]
    said = ""
    for path in paths:
        content = (await watched.answer("GET", f"/orders/{order_id}/{path}", 200)).content
        pdf = PdfReader(BytesIO(content))
        said += f"{pdf.metadata} {pdf.xmp_metadata and pdf.xmp_metadata.stream.get_data()!r}"
        assert EMAIL in "".join(page.extract_text() for page in pdf.pages)
    assert len(paths) == 2
    return said


async def test_nothing_that_people_write_gets_out(watched: Watched) -> None:
    order_id = await watched.place()
    await watched.pay(order_id)
    await give_back(watched, order_id)
    await say_of_a_stray(watched)
    await call_with_markers(watched, order_id)
    await bring_files(watched)
    papers = await papers_of(watched, order_id)
    await watched.leaves_nothing(await watched.story(order_id), papers)
