"""What is paid out to the merchant, and what a bank takes back afterwards."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.simulator.helpers import called, made_link, made_payment, only, order_of, sdk_for
from tests.support.simulator import Simulator, running_simulator
from tests.support.webhook_receiver import webhook_receiver

FEE, TAX = 998, 179


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def one_bank() -> AsyncIterator[Simulator]:
    async with running_simulator() as simulator:
        yield simulator


@pytest_asyncio.fixture
async def bank(one_bank: Simulator) -> Simulator:
    """A gateway of this module's own that owes nothing to anybody."""
    await one_bank.pay_out()
    return one_bank


async def paid_out(simulator: Simulator) -> tuple[int, int, int]:
    """Amount, fees and tax of the one settlement that was due."""
    (made,) = await simulator.pay_out()
    return made["amount"], made["fees"], made["tax"]


async def test_a_settlement_is_credits_less_debits(bank: Simulator) -> None:
    payment, other = await made_payment(bank), await made_payment(bank)
    await made_payment(bank, "failure")
    await made_payment(bank, "authorized")
    await called(sdk_for(bank).payment.refund, other["id"], {"amount": 900})
    net = 2 * (payment["amount"] - FEE - TAX) - 900
    assert await paid_out(bank) == (net, 2 * FEE, 2 * TAX)
    assert await bank.pay_out() == []


async def test_a_pending_refund_waits(bank: Simulator) -> None:
    payment = await made_payment(bank)
    await bank.faults(payment["order_id"], refund_pending=True)
    await bank.pay_out()
    refund = await called(sdk_for(bank).payment.refund, payment["id"], {"amount": 900})
    assert await bank.pay_out() == []
    await bank.settle_refund(refund["id"])
    assert await paid_out(bank) == (-900, 0, 0)


async def test_a_refund_that_fails_after_all_comes_back(bank: Simulator) -> None:
    payment = await made_payment(bank)
    refund = await called(sdk_for(bank).payment.refund, payment["id"], {"amount": 900})
    await bank.pay_out()
    await bank.settle_refund(refund["id"], "failed")
    assert await paid_out(bank) == (900, 0, 0)
    assert await bank.pay_out() == []


async def test_a_lost_dispute_is_paid_for(bank: Simulator) -> None:
    payment = await made_payment(bank)
    await bank.pay_out()
    won, lost = [await bank.dispute(payment["id"], amount=700) for _ in range(2)]
    await bank.settle_dispute(won["id"], "won")
    assert await bank.pay_out() == []
    await bank.settle_dispute(lost["id"], "lost")
    assert await paid_out(bank) == (-700, 0, 0)
    assert await bank.pay_out() == []


async def test_each_currency_is_settled_for_itself(bank: Simulator) -> None:
    await made_payment(bank, amount=1800, currency="JPY")
    await made_payment(bank)
    made = {each["currency"]: each["amount"] for each in await bank.pay_out()}
    assert made == {"INR": 49900 - FEE - TAX, "JPY": 1800 - 36 - 6}


async def test_the_fee_is_a_setting() -> None:
    async with running_simulator(fee="2.36") as simulator:
        payment = await made_payment(simulator, amount=100_000)
        assert await paid_out(simulator) == (100_000 - 2360 - 424, 2360, 424)
        told = await called(sdk_for(simulator).payment.fetch, payment["id"])
        assert (told["fee"], told["tax"]) == (2784, 424)


async def test_money_is_settled_by_itself_if_told_so() -> None:
    async with running_simulator(settle_after=0.05) as simulator:
        await made_payment(simulator)
        sdk = sdk_for(simulator)
        while not (settlements := await called(sdk.settlement.all))["count"]:
            pass
        assert settlements["items"][0]["amount"] == 49900 - FEE - TAX


async def test_settlements_survive_a_kill() -> None:
    async with running_simulator() as simulator:
        await made_payment(simulator)
        await simulator.pay_out()
        before = await simulator.csv()
        await simulator.restart()
        assert await simulator.pay_out() == []
        assert await simulator.csv() == before


async def test_a_revoked_payment_has_failed_and_nobody_is_told() -> None:
    async with webhook_receiver() as receiver, running_simulator(receiver.url) as simulator:
        sdk, link = sdk_for(simulator), await made_link(simulator)
        await simulator.pay(link["short_url"])
        told = await receiver.about(order_of(link), 4)
        payment = await only(simulator, "payments", link["id"])
        assert (await simulator.revoke(payment["id"]))["status"] == "failed"
        entity = await called(sdk.payment.fetch, payment["id"])
        assert (entity["status"], entity["captured"], entity["fee"]) == ("failed", False, None)
        assert entity["error_reason"] == "payment_failed"
        assert (await called(sdk.payment.all))["items"] == [entity]
        closed = await called(sdk.payment_link.fetch, link["id"])
        assert (closed["status"], closed["amount_paid"]) == ("cancelled", 0)
        assert await simulator.pay_out() == []
        assert payment["id"] not in await simulator.csv()
        assert len((await simulator.ledger(link["id"]))["events"]) == len(told)


async def test_a_payment_revoked_after_its_settlement_is_taken_back_whole(bank: Simulator) -> None:
    payment = await made_payment(bank)
    (settled,) = await bank.pay_out()
    await bank.revoke(payment["id"])
    assert await paid_out(bank) == (-settled["amount"], 0, 0)
    assert await bank.pay_out() == []


async def test_a_link_that_was_paid_twice_stays_paid(simulator: Simulator) -> None:
    payment = await made_payment(simulator)
    second = await simulator.pay_late(payment["order_id"])
    await simulator.revoke(second["id"])
    assert (await only(simulator, "links", payment["order_id"]))["status"] == "paid"


@pytest.mark.parametrize("outcome", ["failure", "pending", "authorized"])
async def test_only_captured_money_can_be_revoked(simulator: Simulator, outcome: str) -> None:
    payment = await made_payment(simulator, outcome)
    with pytest.raises(httpx.HTTPStatusError, match="409"):
        await simulator.revoke(payment["id"])


async def test_refunded_money_is_not_revoked_as_well(simulator: Simulator) -> None:
    payment = await made_payment(simulator)
    await called(sdk_for(simulator).payment.refund, payment["id"], {"amount": 900})
    with pytest.raises(httpx.HTTPStatusError, match="409"):
        await simulator.revoke(payment["id"])
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        await simulator.revoke("pay_unknown")
