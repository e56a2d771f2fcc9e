"""Rows of a gateway are compared with orders: every row on either side lands in one class."""

import pytest

from db.books import BookStore
from db.engine import Database
from db.orders import OrderStore
from domain.findings import Match
from tests.support.orders import NOON, an_end, place_awaiting
from tests.support.transactions import a_chunk, a_plan, a_row


@pytest.fixture
def books(database: Database) -> BookStore:
    return BookStore(database)


async def test_a_paid_order_and_its_row_agree(database: Database, books: BookStore) -> None:
    order_id = await place_awaiting(database)
    await OrderStore(database).conclude(an_end(order_id))
    plan = a_plan()
    await books.begin(plan, NOON)
    assert await books.cursor(plan) == ("", 0)
    assert await books.stage(plan, a_chunk(a_row(1, order_id))) == 1
    tallies = await books.match(plan, NOON)
    assert [(tally.match, tally.rows) for tally in tallies] == [(Match.OK_PAID, 1)]
