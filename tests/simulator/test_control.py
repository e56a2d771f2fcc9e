"""The control API's edges; what it is for is shown by every other test."""

import pytest
from fastapi import HTTPException, Request

from simulator.control import loopback_only
from tests.simulator.helpers import NewLink, order_of
from tests.support.simulator import Simulator


async def test_healthz(simulator: Simulator) -> None:
    response = await simulator.http.get("/simulator/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_the_ledger_can_be_asked_by_any_name(new_link: NewLink, simulator: Simulator) -> None:
    link = await new_link()
    by_order = await simulator.ledger(order_of(link))
    assert by_order == await simulator.ledger(link["id"])
    assert by_order == await simulator.ledger(link["reference_id"])
    assert [entry["path"] for entry in by_order["calls"]] == ["/v1/payment_links"]
    assert by_order["links"][0] in (await simulator.ledger())["links"]


async def test_the_ledger_of_nobody_is_empty(simulator: Simulator) -> None:
    assert not any((await simulator.ledger("ord_nobody")).values())


@pytest.mark.parametrize("outcome", ["pending", "maybe", None])
async def test_a_settlement_is_success_or_failure(
    simulator: Simulator, outcome: str | None
) -> None:
    body = {"outcome": outcome}
    response = await simulator.http.post("/simulator/payments/pay_x/settle", json=body)
    assert response.status_code == 422


async def test_settling_an_unknown_payment(simulator: Simulator) -> None:
    body = {"outcome": "success"}
    response = await simulator.http.post("/simulator/payments/pay_x/settle", json=body)
    assert response.status_code == 404


@pytest.mark.parametrize(
    ("address", "allowed"), [("127.0.0.1", True), ("::1", True), ("10.0.0.7", False)]
)
def test_only_this_machine_may_control_it(address: str, allowed: bool) -> None:
    request = Request({"type": "http", "client": (address, 1)})
    if allowed:
        loopback_only(request)
        return
    with pytest.raises(HTTPException, match="this machine only"):
        loopback_only(request)
