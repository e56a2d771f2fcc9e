"""`python -m api` as a process: how it stops."""

from time import monotonic

from tests.support.neighbours import KEYS, Neighbours
from tests.support.programs import environment, running_program
from tests.support.service import an_order, caller, new_key, statuses_of


async def test_it_stops_in_order_with_a_stream_open(
    neighbours: Neighbours, sqlite_database_url: str
) -> None:
    settings = neighbours.settings(sqlite_database_url)
    async with (
        running_program("-m", "api", env=environment(settings)) as api,
        caller(settings, KEYS["shop"]) as shop,
    ):
        await api.says("Uvicorn running on")
        placed = await shop.post("/orders", json=an_order(), headers=new_key())
        statuses = statuses_of(shop, placed.json()["order_id"])
        assert await anext(statuses) == "created"
        asked = monotonic()
        assert await api.stop() == 0
        assert monotonic() - asked < 5
        assert [status async for status in statuses] == []
