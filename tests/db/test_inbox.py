"""Webhooks: stored once, forwarded once, and kept until their order is known."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from db.engine import Database
from db.inbox import FIRST_PAUSE, LONGEST_PAUSE, Accepted, InboxStore, Receipt
from db.orders import OrderStore
from db.tables import InboxRow, InboxState
from domain.events import GatewayEvent
from domain.keys import link_key, wire_key
from domain.news import Evidence, EvidenceKind, PaymentNews
from domain.orders import OrderStatus
from domain.payments import LinkStatus, PaymentStatus
from tests.support.orders import (
    NOON,
    PRICE,
    a_draft,
    a_payment,
    a_wish,
    an_end,
    place,
    place_awaiting,
)

SOON = timedelta(seconds=30)
UNKNOWN = "ord_from_elsewhere"


@pytest.fixture
def inbox(database: Database) -> InboxStore:
    return InboxStore(database)


def an_event(of: str, /, event_id: str = "evt_1", **changes: Any) -> GatewayEvent:
    """A payment of the order was captured; the order is named by our own reference."""
    fields: dict[str, Any] = {
        "gateway": "acme",
        "event_id": event_id,
        "kind": "payment.captured",
        "evidence": Evidence(EvidenceKind.WEBHOOK, event_id, "ab" * 32),
        "reference": wire_key(link_key(of, 1)),
        "payment": a_payment(of),
    }
    return GatewayEvent(**{**fields, **changes})


async def accept(inbox: InboxStore, event: GatewayEvent) -> Accepted:
    return await inbox.accept(event, b'{"event": "payment.captured"}', NOON)


async def rows(database: Database) -> list[InboxRow]:
    async with database.read() as session:
        return list(await session.exec(select(InboxRow).order_by("id")))


async def test_a_webhook_becomes_news_of_its_order(database: Database, inbox: InboxStore) -> None:
    order_id = await place_awaiting(database)
    event = an_event(order_id)
    accepted = await accept(inbox, event)
    assert accepted.state is Receipt.NEW
    assert await inbox.news(accepted.row) == PaymentNews(
        "acme", order_id, event.evidence, (a_payment(order_id),)
    )
    (row,) = await rows(database)
    assert row.body == b'{"event": "payment.captured"}'
    assert (row.order_id, row.received_at) == (order_id, NOON)


async def test_a_hundred_copies_twenty_at_once_are_one_row(
    database: Database, database_url: str
) -> None:
    order_id = await place_awaiting(database)
    gate, states = asyncio.Semaphore(20), []
    # Two pools, as two processes would have.
    async with Database(database_url) as other:
        stores = [InboxStore(database), InboxStore(other)]

        async def send(number: int) -> None:
            async with gate:
                states.append((await accept(stores[number % 2], an_event(order_id))).state)

        await asyncio.gather(*(send(number) for number in range(100)))
    assert sorted(states) == [Receipt.DUPLICATE] * 99 + [Receipt.NEW]
    assert len(await rows(database)) == 1


async def test_a_duplicate_is_answered_with_the_first_row(
    database: Database, inbox: InboxStore
) -> None:
    order_id = await place_awaiting(database)
    first = await accept(inbox, an_event(order_id))
    assert await accept(inbox, an_event(order_id)) == Accepted(first.row, Receipt.DUPLICATE)


async def test_gateways_do_not_share_event_ids(database: Database, inbox: InboxStore) -> None:
    order_id = await place_awaiting(database)
    await accept(inbox, an_event(order_id))
    other = an_event(order_id, gateway="other", order_id=order_id, reference=None)
    assert (await accept(inbox, other)).state is Receipt.NEW


async def test_siblings_that_say_the_same_are_absorbed(
    database: Database, inbox: InboxStore
) -> None:
    order_id = await place_awaiting(database)
    events = [an_event(order_id, f"evt_{number}") for number in range(8)]
    accepted = await asyncio.gather(*(accept(inbox, event) for event in events))
    states = [one.state for one in accepted]
    assert sorted(states) == [Receipt.ABSORBED] * 7 + [Receipt.NEW]
    assert await inbox.due(timedelta(0), NOON, 99) == [
        one.row for one in accepted if one.state is Receipt.NEW
    ]
    absorbed = [one.row for one in accepted if one.state is Receipt.ABSORBED]
    assert [await inbox.news(row) for row in absorbed] == [None] * 7
    assert len(await rows(database)) == 8


async def test_an_authorization_waits_for_its_capture(
    database: Database, inbox: InboxStore
) -> None:
    order_id = await place_awaiting(database)
    only_authorized = a_payment(order_id, PaymentStatus.AUTHORIZED)
    waiting = await accept(inbox, an_event(order_id, "evt_1", payment=only_authorized))
    assert waiting.state is Receipt.WAITING
    later = NOON + SOON
    assert await inbox.due(SOON, later, 10) == [waiting.row], "the sweep's"
    captured = await accept(inbox, an_event(order_id, "evt_2"))
    assert captured.state is Receipt.NEW
    assert await inbox.due(SOON, later, 10) == [captured.row]
    assert await inbox.news(waiting.row) is None


async def test_an_authorization_that_is_news_does_not_wait(
    database: Database, inbox: InboxStore
) -> None:
    ended, open_one = await place_awaiting(database), await place_awaiting(database)
    await OrderStore(database).conclude(an_end(ended, OrderStatus.EXPIRED))
    for number, (order_id, ours) in enumerate([(ended, False), (open_one, True)]):
        payment = a_payment(order_id, PaymentStatus.AUTHORIZED)
        event = an_event(order_id, f"evt_{number}", payment=payment, awaits_capture=ours)
        assert (await accept(inbox, event)).state is Receipt.NEW


async def test_news_is_not_absorbed(database: Database, inbox: InboxStore) -> None:
    order_id = await place_awaiting(database)
    said: list[dict[str, Any]] = [
        {"payment": a_payment(order_id)},
        {"payment": a_payment(order_id, amount=PRICE * 2)},
        {"payment": a_payment(order_id, number=2)},
        {"payment": a_payment(order_id, PaymentStatus.FAILED, number=3)},
        {"payment": None, "link": LinkStatus.EXPIRED, "link_reference": f"plink_{order_id}"},
    ]
    for number, changes in enumerate(said):
        event = an_event(order_id, f"evt_{number}", **changes)
        assert (await accept(inbox, event)).state is Receipt.NEW


async def test_what_says_nothing_is_kept_and_ignored(database: Database, inbox: InboxStore) -> None:
    order_id = await place_awaiting(database)
    for number in range(2):
        event = an_event(order_id, f"evt_{number}", payment=None)
        assert (await accept(inbox, event)).state is Receipt.IGNORED
    assert await inbox.due(timedelta(0), NOON + timedelta(days=1), 99) == []
    assert [row.state for row in await rows(database)] == [InboxState.IGNORED] * 2


async def test_a_forwarded_row_has_nothing_more_to_say(
    database: Database, inbox: InboxStore
) -> None:
    order_id = await place_awaiting(database)
    accepted = await accept(inbox, an_event(order_id))
    await inbox.forwarded(accepted.row, NOON + SOON)
    await inbox.forwarded(accepted.row, NOON + 2 * SOON)
    await inbox.postponed(accepted.row, NOON + 3 * SOON)
    (row,) = await rows(database)
    assert (row.state, row.forwarded_at) == (InboxState.FORWARDED, NOON + SOON)
    assert await inbox.news(accepted.row) is None
    assert await inbox.due(timedelta(0), NOON + timedelta(days=1), 99) == []


async def test_rows_are_due_once_they_have_settled(database: Database, inbox: InboxStore) -> None:
    order_id = await place_awaiting(database)
    row = (await accept(inbox, an_event(order_id))).row
    assert await inbox.due(SOON, NOON + timedelta(seconds=29), 99) == []
    assert await inbox.due(SOON, NOON + SOON, 99) == [row]
    assert await inbox.due(SOON, NOON + SOON, 0) == []


async def test_a_row_that_fails_is_due_later_each_time(
    database: Database, inbox: InboxStore
) -> None:
    order_id = await place_awaiting(database)
    row = (await accept(inbox, an_event(order_id))).row
    at, pauses = NOON, []
    for _ in range(9):
        await inbox.postponed(row, at)
        (stored,) = await rows(database)
        pauses.append(stored.next_try_at - at)
        assert await inbox.due(timedelta(0), stored.next_try_at - timedelta(seconds=1), 9) == []
        assert await inbox.due(timedelta(0), stored.next_try_at, 9) == [row]
        at = stored.next_try_at
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[-2:] == [LONGEST_PAUSE, LONGEST_PAUSE]


async def test_no_try_is_forgotten(database: Database, inbox: InboxStore) -> None:
    row = (await accept(inbox, an_event(await place_awaiting(database)))).row
    await asyncio.gather(*(inbox.postponed(row, NOON) for _ in range(50)))
    assert [stored.tries for stored in await rows(database)] == [50]


@pytest.mark.parametrize(
    "names",
    [
        {},
        {"order_id": "ORDER"},
        {"order_id": "OTHER"},
        {"order_id": "ORDER", "reference": None},
        {"reference": None, "link_reference": "plink_ORDER"},
        {"reference": None, "link_reference": "plink_ORDER", "order_id": UNKNOWN},
        {"reference": "somebody-elses", "link_reference": "plink_ORDER"},
    ],
)
async def test_the_order_is_found_by_any_name_we_gave_it(
    database: Database, inbox: InboxStore, names: dict[str, str | None]
) -> None:
    order_id, other = [await place_awaiting(database) for _ in range(2)]
    accepted = await accept(inbox, an_event(order_id, **filled_in(names, order_id, other)))
    news = await inbox.news(accepted.row)
    assert isinstance(news, PaymentNews)
    assert news.order_id == order_id


@pytest.mark.parametrize(
    "names",
    [
        {"reference": None},
        {"reference": "somebody-elses"},
        {"reference": "somebody-elses", "order_id": "ORDER"},
        {"reference": None, "order_id": UNKNOWN},
        {"reference": None, "link_reference": "plink_elsewhere"},
    ],
)
async def test_an_order_is_not_guessed(
    database: Database, inbox: InboxStore, names: dict[str, str | None]
) -> None:
    order_id = await place(database)
    await OrderStore(database).begin_link(a_wish(order_id), a_draft(order_id), "token")
    accepted = await accept(inbox, an_event(order_id, **filled_in(names, order_id)))
    assert accepted.state is Receipt.UNKNOWN_ORDER
    assert await inbox.news(accepted.row) is None


def filled_in(names: dict[str, str | None], order_id: str, other: str = "") -> dict[str, Any]:
    return {
        name: value and value.replace("ORDER", order_id).replace("OTHER", other)
        for name, value in names.items()
    }


async def test_a_row_without_an_order_absorbs_nothing(
    database: Database, inbox: InboxStore
) -> None:
    order_id = await place_awaiting(database)
    lost = await accept(inbox, an_event(order_id, "evt_1", reference=None))
    found = await accept(inbox, an_event(order_id, "evt_2"))
    assert (lost.state, found.state) == (Receipt.UNKNOWN_ORDER, Receipt.NEW)


async def test_a_row_waits_for_its_order(database: Database, inbox: InboxStore) -> None:
    order_id = await place(database)
    event = an_event(order_id, reference=None, link_reference="plink_late")
    row = (await accept(inbox, event)).row
    assert await inbox.due(timedelta(0), NOON + FIRST_PAUSE, 9) == [row]
    assert await inbox.news(row) is None
    await inbox.postponed(row, NOON + FIRST_PAUSE)
    awaited = await place_awaiting(database, reference="plink_late")
    news = await inbox.news(row)
    assert isinstance(news, PaymentNews)
    assert news.order_id == awaited
    assert await inbox.news(row) == news


async def test_of_rows_that_waited_one_speaks(database: Database, inbox: InboxStore) -> None:
    order_id = await place(database)
    events = [
        an_event(order_id, f"evt_{number}", reference=None, link_reference="plink_late")
        for number in range(5)
    ]
    accepted = [await accept(inbox, event) for event in events]
    assert {one.state for one in accepted} == {Receipt.UNKNOWN_ORDER}
    await place_awaiting(database, reference="plink_late")
    news = await asyncio.gather(*(inbox.news(one.row) for one in accepted))
    assert [said is None for said in news].count(False) == 1
    assert sorted(row.state for row in await rows(database)) == [InboxState.ABSORBED] * 4 + [
        InboxState.NEW
    ]


async def test_a_row_that_waited_is_absorbed_by_one_that_did_not(
    database: Database, inbox: InboxStore
) -> None:
    order_id = await place(database)
    event = an_event(order_id, "evt_1", reference=None, link_reference="plink_late")
    waited = (await accept(inbox, event)).row
    awaited = await place_awaiting(database, reference="plink_late")
    direct = an_event(awaited, "evt_2", payment=a_payment(order_id))
    assert (await accept(inbox, direct)).state is Receipt.NEW
    assert await inbox.news(waited) is None
    assert [row.state for row in await rows(database)] == [InboxState.ABSORBED, InboxState.NEW]
