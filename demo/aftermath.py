"""What happens to money after the payment or after the end: it goes back, comes late or twice."""

import asyncio
from functools import partial

from demo.cases import Case, looks, paid, pays_and_returns
from demo.client import Json, Problem
from demo.customer import Customer
from demo.gateways import LATE_AUTHORIZATION, currency_at

REASON: Json = {"reason": "the customer sent it back"}
PRICE = 49900


# What customers, operators and banks do --------------------------------------------------------


async def becomes(customer: Customer, *statuses: str) -> None:
    """Wait until the order has one of these statuses."""
    wanted = " or ".join(statuses)
    await customer.until(partial(customer.has_status, *statuses), f"did not become {wanted}")


async def is_paid(customer: Customer) -> None:
    await pays_and_returns(customer)
    await becomes(customer, "paid")


async def settled(customer: Customer) -> None:
    """Wait until there is a case, and all is settled."""
    await customer.until(partial(_cases_are, customer, "settled"), "the case was not settled")


async def refund(customer: Customer, key: str = "1", **body: object) -> Json:
    """An operator sends money back."""
    name = f"{customer.order_id}-{key}"
    return await customer.operator.refund(customer.order_id, REASON | body, name)


async def refunds_all(customer: Customer) -> None:
    await is_paid(customer)
    await refund(customer)
    await becomes(customer, "refunded")


async def refunds_twice_the_same(customer: Customer) -> None:
    """Two refunds of one amount on purpose, each with its own key."""
    await is_paid(customer)
    await asyncio.gather(refund(customer, "1", amount=10000), refund(customer, "2", amount=10000))
    await customer.until(partial(_went_back, customer, 20000), "two refunds did not become two")


async def asks_ten_times_for_one_refund(customer: Customer) -> None:
    await is_paid(customer)
    asked = [refund(customer, "1", amount=10000) for _ in range(10)]
    ids = {answer["refund_id"] for answer in await asyncio.gather(*asked)}
    customer.expect(len(ids) == 1, f"{len(ids)} refunds for one key")
    await becomes(customer, "partially_refunded")


async def refunds_while_the_bank_thinks(customer: Customer) -> None:
    await is_paid(customer)
    await refund(customer)
    await customer.until(partial(_gateway_has_refund, customer), "no refund at the gateway")
    await _settle_refund(customer, "processed")
    await becomes(customer, "refunded")


async def refund_fails(customer: Customer) -> None:
    await is_paid(customer)
    await refund(customer)
    await customer.until(partial(_refund_is, customer, "failed"), "the refund did not fail")


async def refund_is_taken_back(customer: Customer) -> None:
    """The gateway says that it succeeded, and later that it did not."""
    await refunds_all(customer)
    await _settle_refund(customer, "failed")
    await becomes(customer, "paid")


async def pays_after_the_end(customer: Customer) -> None:
    """Looks at the page, lets the time pass, and then the money comes."""
    await looks(customer)
    await becomes(customer, "expired")
    await customer.simulator.control(f"links/{customer.order_id}/late-payment")
    await settled(customer)


async def pays_after_canceling(customer: Customer) -> None:
    await looks(customer)
    await customer.cancel()
    await becomes(customer, "canceled")
    await customer.simulator.control(f"links/{customer.order_id}/late-payment")
    await settled(customer)


async def pays_twice(customer: Customer) -> None:
    """The page is open in two tabs, and both are paid."""
    await is_paid(customer)
    await customer.simulator.control(f"links/{customer.order_id}/late-payment")
    await settled(customer)


async def authorizes_only(customer: Customer) -> None:
    """The bank holds the money, and nobody but us takes it."""
    await customer.click_pay()
    await customer.pay("authorized")


async def authorizes_too_late(customer: Customer) -> None:
    """The bank holds the money of an order that has ended, and gives it back."""
    await looks(customer)
    await becomes(customer, "expired")
    late = await customer.simulator.control(
        f"links/{customer.order_id}/late-payment", status="authorized"
    )
    await customer.until(partial(_cases_are, customer, "open"), "no case was opened")
    await customer.simulator.control(f"payments/{late['id']}/release")
    await settled(customer)


async def operator_says(customer: Customer, verdict: str) -> None:
    """Another amount was paid; an operator decides, and a second word comes too late."""
    await pays_and_returns(customer)
    await customer.until(partial(_cases_are, customer, "waiting"), "no case waits for a word")
    (case,) = (await customer.service.order(customer.order_id))["cases"]
    await customer.operator.decide(case["case_id"], verdict, "agreed with the customer")
    try:
        await customer.operator.decide(case["case_id"], "dismiss", "too late")
        customer.expect(False, "a case was decided twice")
    except Problem as problem:
        customer.expect(problem.status == 409, f"a second word was answered {problem.status}")
    await settled(customer)


async def disputes(customer: Customer) -> None:
    """The customer's bank objects: no refund meanwhile, and the order stays as it is."""
    await is_paid(customer)
    (payment,) = await customer.payments()
    dispute = await customer.simulator.control(f"payments/{payment['id']}/dispute")
    await customer.until(partial(_dispute_is, customer, "open"), "the dispute is not shown")
    try:
        await refund(customer)
        customer.expect(False, "a disputed payment was refunded")
    except Problem as problem:
        customer.expect(problem.status == 409, f"the refund was answered {problem.status}")
    await customer.simulator.control(f"disputes/{dispute['id']}/settle", outcome="won")
    await customer.until(partial(_dispute_is, customer, "won"), "the dispute was not won")


async def money_for_nobody(customer: Customer) -> None:
    """A payment that names an order which does not exist; an operator sends it back."""
    await is_paid(customer)
    nobody = f"ord_{'z' * 26}"
    stray = await customer.simulator.control(
        "payments/stray",
        amount=7700,
        currency=currency_at(customer.gateway),
        order_id=nobody,
        dialect=customer.gateway,
    )
    name = stray["reference"]
    await customer.until(partial(_stray_is, customer, name, "waiting"), "no case for it")
    cases = await customer.operator.cases()
    (case,) = [one for one in cases if one["gateway_reference"] == name]
    await customer.operator.decide(case["case_id"], "refund", "nobody's order")
    await customer.until(partial(_stray_is, customer, name, "settled"), "not sent back")


async def _cases_are(customer: Customer, status: str) -> bool:
    cases = (await customer.service.order(customer.order_id))["cases"]
    return bool(cases) and all(case["status"] == status for case in cases)


async def _stray_is(customer: Customer, reference: str, status: str) -> bool:
    cases = await customer.operator.cases()
    return [c["status"] for c in cases if c["gateway_reference"] == reference] == [status]


async def _went_back(customer: Customer, minor: int) -> bool:
    refunds = (await customer.service.order(customer.order_id))["refunds"]
    done = [int(one["amount"]) for one in refunds if one["status"] == "succeeded"]
    return sum(done) == minor


async def _refund_is(customer: Customer, status: str) -> bool:
    refunds = (await customer.service.order(customer.order_id))["refunds"]
    return [one["status"] for one in refunds] == [status]


async def _dispute_is(customer: Customer, status: str) -> bool:
    disputes = (await customer.service.order(customer.order_id))["disputes"]
    return [one["status"] for one in disputes] == [status]


async def _gateway_has_refund(customer: Customer) -> bool:
    return bool((await customer.simulator.ledger(customer.order_id))["refunds"])


async def _settle_refund(customer: Customer, outcome: str) -> None:
    (made,) = (await customer.simulator.ledger(customer.order_id))["refunds"]
    await customer.simulator.control(f"refunds/{made['id']}/settle", outcome=outcome)


# What must become of it ------------------------------------------------------------------------

refunded = partial(
    Case, status="refunded", captured="all", refunded=PRICE, notices=1, act=refunds_all
)
given_back = partial(Case, captured="all", refunded=PRICE, notices=1)
partly = partial(Case, status="partially_refunded", captured="all")

AFTERMATH = (
    refunded("refunded in full"),
    partly(
        "the same refund asked for ten times",
        asks_ten_times_for_one_refund,
        refunded=10000,
        notices=1,
    ),
    partly("two refunds of one amount", refunds_twice_the_same, refunded=20000, notices=2),
    refunded("answer lost as it was refunded", faults={"lost_refund_answer": 1}),
    refunded(
        "refund pending, then done",
        act=refunds_while_the_bank_thinks,
        faults={"refund_pending": True},
    ),
    paid("refund that fails", refund_fails, faults={"refund_fails": True}),
    paid("refund refused by the gateway", refund_fails, faults={"refund_refused": "balance"}),
    paid("refund taken back", refund_is_taken_back, notices=1),
    given_back("paid after the end, sent back", pays_after_the_end, "expired"),
    paid("a bill paid after the end", pays_after_the_end, sku="electricity-bill"),
    given_back("paid after canceling, sent back", pays_after_canceling, "canceled"),
    Case("paid twice, one sent back", pays_twice, "paid", "twice", refunded=PRICE, notices=1),
    paid("authorized, captured by us", authorizes_only),
    Case(
        "authorized too late, given back",
        authorizes_too_late,
        "expired",
        needs=frozenset({LATE_AUTHORIZATION}),
    ),
    Case(
        "another amount, honoured",
        partial(operator_says, verdict="honour"),
        "paid",
        "other",
        faults={"wrong_amount": 100},
    ),
    Case(
        "another amount, sent back",
        partial(operator_says, verdict="refund"),
        "canceled",
        "other",
        faults={"wrong_amount": 100},
        refunded=100,
        notices=1,
    ),
    paid("disputed, and won", disputes),
    paid("money for nobody", money_for_nobody),
)
