"""One link for an order: the first draft is the one that is sent, the first answer is kept."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import col, select

from db.engine import Database
from db.links import LOOKED_FOR_AGAIN_AFTER
from db.orders import OrderStore
from db.reads import OrderReads
from db.tables import PaymentLinkRow, TimelineEvent
from domain.checkouts import LinkQuery
from domain.errors import IllegalTransition, OrderNotFound
from domain.keys import link_key, new_token
from domain.orders import OrderStatus
from domain.payments import LinkStatus
from domain.ports import LinkAttempt
from tests.support.orders import (
    NOON,
    a_draft,
    a_link,
    a_wish,
    an_end,
    place,
    place_awaiting,
)

SECOND = timedelta(seconds=1)


async def begin(database: Database, order_id: str, body: str = "{}") -> LinkAttempt:
    draft = a_draft(order_id, body=body)
    return await OrderStore(database).begin_link(a_wish(order_id), draft, new_token())


async def test_the_first_draft_starts_the_checkout(database: Database) -> None:
    order_id = await place(database)
    attempt = await begin(database, order_id)
    assert attempt == LinkAttempt(OrderStatus.AWAITING_PAYMENT, a_draft(order_id, body="{}"))
    view = await OrderReads(database).order_view(order_id)
    assert view.order.status is OrderStatus.AWAITING_PAYMENT
    assert [line.event for line in view.timeline] == [
        TimelineEvent.PLACED,
        TimelineEvent.CHECKOUT_STARTED,
    ]


async def test_every_later_draft_is_answered_with_the_first(database: Database) -> None:
    order_id = await place(database)
    await begin(database, order_id, body="first")
    again = await begin(database, order_id, body="second")
    assert again.repeated
    assert again.draft == a_draft(order_id, body="first")
    assert again.link is None


async def test_a_link_that_is_known_comes_with_the_draft(database: Database) -> None:
    order_id = await place_awaiting(database)
    assert (await begin(database, order_id)).link == a_link(order_id)


async def test_twenty_at_once_agree(database: Database) -> None:
    order_id = await place(database)
    attempts = await asyncio.gather(
        *(begin(database, order_id, body=f"draft {n}") for n in range(20))
    )
    assert len({attempt.draft for attempt in attempts}) == 1
    assert [attempt.repeated for attempt in attempts].count(False) == 1
    view = await OrderReads(database).order_view(order_id)
    assert len(view.timeline) == 2


@pytest.mark.parametrize("status", [OrderStatus.EXPIRED, OrderStatus.CANCELED])
async def test_an_order_that_has_ended_gets_no_link(
    database: Database, status: OrderStatus
) -> None:
    order_id = await place(database)
    await OrderStore(database).conclude(an_end(order_id, status))
    assert await begin(database, order_id) == LinkAttempt(status)
    async with database.read() as session:
        assert (await session.exec(select(PaymentLinkRow))).all() == []


async def test_a_draft_is_not_lent_out_once_the_order_has_ended(database: Database) -> None:
    order_id = await place_awaiting(database)
    await OrderStore(database).conclude(an_end(order_id))
    attempt = await begin(database, order_id)
    assert attempt == LinkAttempt(OrderStatus.PAID, None, a_link(order_id), repeated=True)


async def test_there_are_never_two_live_links(database: Database) -> None:
    order_id = await place_awaiting(database)
    store, second = OrderStore(database), a_draft(order_id, attempt=2)
    with pytest.raises(IllegalTransition):
        await store.begin_link(a_wish(order_id, attempt=2), second, new_token())
    await store.end_link(link_key(order_id, 1), LinkStatus.CLOSED, NOON)
    attempt = await store.begin_link(a_wish(order_id, attempt=2), second, new_token())
    assert attempt.draft == second


async def test_no_order_no_link(database: Database) -> None:
    with pytest.raises(OrderNotFound):
        await begin(database, "ord_unknown")


async def test_an_answer_is_kept_once(database: Database) -> None:
    order_id = await place_awaiting(database)
    store = OrderStore(database)
    await store.keep_link(a_link(order_id))
    with pytest.raises(IllegalTransition):
        await store.keep_link(replace(a_link(order_id), reference="plink_other"))
    with pytest.raises(IllegalTransition):
        await store.keep_link(replace(a_link(order_id), key="ord_unknown:link:1"))
    assert (await begin(database, order_id)).link == a_link(order_id)


async def test_a_link_that_was_given_up_is_wanted_by_nobody(database: Database) -> None:
    order_id = await place(database)
    await begin(database, order_id)
    store, key = OrderStore(database), link_key(order_id, 1)
    assert await store.end_link(key, LinkStatus.MISSING, NOON)
    assert not await store.keep_link(a_link(order_id))
    assert not await store.keep_link(a_link(order_id)), "whoever repeats it has to close it, too"
    async with database.read() as session:
        link = await session.get_one(PaymentLinkRow, key)
    assert (link.status, link.gateway_reference) == (LinkStatus.MISSING, f"plink_{order_id}")


async def test_a_link_that_was_given_up_is_looked_for_once_more(database: Database) -> None:
    order_id, store = await place(database), OrderStore(database)
    await begin(database, order_id)
    key = link_key(order_id, 1)
    await store.end_link(key, LinkStatus.MISSING, NOON)
    due = NOON + LOOKED_FOR_AGAIN_AFTER
    mine = LinkQuery(order_id, "acme", key)
    assert mine not in await store.late_links(due - SECOND, 1000)
    assert mine in await store.late_links(due, 1000)
    assert mine not in await store.late_links(due, 1000), "it was put off"
    await store.keep_link(a_link(order_id))
    again = await store.late_links(due + LOOKED_FOR_AGAIN_AFTER, 1000)
    assert replace(mine, reference=f"plink_{order_id}") in again
    await store.looked_for(key)
    assert await store.late_links(due + timedelta(days=1), 1000) == []


async def test_one_that_somebody_has_closed_is_not_looked_for(database: Database) -> None:
    order_id, store = await place_awaiting(database), OrderStore(database)
    await store.keep_link(a_link(order_id))
    await store.end_link(link_key(order_id, 1), LinkStatus.CLOSED, NOON)
    late = await store.late_links(NOON + timedelta(days=1), 1000)
    assert order_id not in [query.order_id for query in late]


async def test_a_link_that_is_known_is_not_missing(database: Database) -> None:
    order_id = await place_awaiting(database)
    store, key = OrderStore(database), link_key(order_id, 1)
    assert await store.keep_link(a_link(order_id))
    assert not await store.end_link(key, LinkStatus.MISSING, NOON)
    assert await store.end_link(key, LinkStatus.CLOSED, NOON)
    assert await store.end_link(key, LinkStatus.MISSING, NOON), "it has ended already"


async def test_a_link_ends_once(database: Database) -> None:
    order_id = await place_awaiting(database)
    store = OrderStore(database)
    await store.end_link(link_key(order_id, 1), LinkStatus.PAID, NOON)
    await store.end_link(link_key(order_id, 1), LinkStatus.CLOSED, NOON)
    link = (await OrderReads(database).checkout_view(order_id)).link
    assert link is not None
    assert link.status is LinkStatus.PAID


async def test_the_token_of_the_first_draft_counts(database: Database) -> None:
    order_id = await place(database)
    store = OrderStore(database)
    for token in ("first", "second"):
        await store.begin_link(a_wish(order_id), a_draft(order_id), token)
    async with database.read() as session:
        tokens = await session.exec(select(col(PaymentLinkRow.callback_token)))
        assert tokens.all() == ["first"]


async def test_another_gateway_s_link_waits_for_the_end_of_the_first(database: Database) -> None:
    """Then the order is that gateway's, and the second link is the one that counts."""
    orders, order_id = OrderStore(database), await place(database)
    assert await orders.latest_link(order_id) is None
    await begin(database, order_id)
    first, second = link_key(order_id, 1), link_key(order_id, 2)
    wish = replace(a_wish(order_id), key=second, asked_at=NOON + SECOND, gateway="zenith")
    draft = replace(a_draft(order_id), key=second, wire_key="second")
    with pytest.raises(IllegalTransition, match="must end before"):
        await orders.begin_link(wish, draft, new_token())
    assert (await orders.order(order_id)).gateway == "acme"
    assert await orders.latest_link(order_id) == first
    await orders.end_link(first, LinkStatus.MISSING, NOON)
    assert (await orders.begin_link(wish, draft, new_token())).draft == draft
    assert (await orders.order(order_id)).gateway == "zenith"
    assert await orders.latest_link(order_id) == second


async def test_what_is_stored_of_a_link_can_be_read_by_its_key(database: Database) -> None:
    orders, order_id = OrderStore(database), await place(database)
    key = link_key(order_id, 1)
    assert await orders.stored_link(key) is None
    await begin(database, order_id)
    unanswered = await orders.stored_link(key)
    assert unanswered
    assert (unanswered.draft, unanswered.link) == (a_draft(order_id, body="{}"), None)
    await orders.keep_link(a_link(order_id))
    answered = await orders.stored_link(key)
    assert answered
    assert answered.link == a_link(order_id)
    await orders.conclude(an_end(order_id, OrderStatus.EXPIRED))
    ended = await orders.stored_link(key)
    assert ended
    assert (ended.draft, ended.link) == (None, a_link(order_id)), "nobody may send it any more"
