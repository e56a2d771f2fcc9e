"""What can happen to a checkout: each case says what the customer does and what must become of it.

`faults` are the simulator's words; they are set before the customer clicks on Pay.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from demo.client import Json
from demo.customer import Customer
from demo.gateways import CAPTURE_OF_OURS, METHODS, PAID_WITHOUT_US, webhooks_of

Act = Callable[[Customer], Awaitable[None]]

WEBHOOK = frozenset({"webhook"})
QUERY = frozenset({"status_query"})
NO_LINK = frozenset({"no_link"})
QUIET: Json = {"no_callback": True, "no_webhook": True}


@dataclass(frozen=True)
class Case:
    """One way a checkout can go.

    `status` is what the order must become; `captured` what the gateway must have taken:
    `"all"`, `"twice"`, `"other"` (not the order's amount) or `"nothing"`; `refunded` how much of
    it must have gone back, in minor units; `evidence` the kinds of proof that may be cited (empty:
    any); `links` how many links the gateway may have made; `notices` how many mails there are
    beside the confirmation; `waits` whether a case must be left for an operator; `needs` what the
    gateway must be able to do, or else the case cannot be played; `only_file` whether it takes a
    reconciliation to get there.
    """

    name: str
    act: Act
    status: str
    captured: str = "nothing"
    faults: Json = field(default_factory=dict)
    evidence: frozenset[str] = frozenset()
    method: str = "card"
    sku: str = "coffee-beans"
    quantity: int = 1
    links: int = 1
    refunded: int = 0
    notices: int = 0
    confirmed: bool | None = None
    waits: bool = False
    needs: frozenset[str] = frozenset()
    only_file: bool = False

    @property
    def confirmations(self) -> int:
        """How many confirmations the customer must get."""
        fulfilled = self.status in ("paid", "partially_refunded", "refunded")
        return int(fulfilled if self.confirmed is None else self.confirmed)


# What customers do -----------------------------------------------------------------------------


async def pays(customer: Customer, method: str = "card", delay: float = 0) -> None:
    """Pays, and closes the browser."""
    await customer.click_pay()
    await customer.pay(method=method, delay=delay)


async def pays_and_returns(customer: Customer, method: str = "card") -> None:
    """Pays, and is led back to the shop."""
    await pays(customer, method)
    await customer.return_to_shop()


async def pays_and_nobody_can_ask(customer: Customer) -> None:
    """Pays while the gateway answers no query: all there is to know is in the webhook."""
    await customer.click_pay()
    alone: Json = {"no_callback": True, "unavailable_for": 60}
    await customer.simulator.set_faults(customer.order_id, alone)
    await customer.pay()


async def fails_then_pays(customer: Customer) -> None:
    """A first attempt is declined, a second one on the same page goes through."""
    await customer.click_pay()
    await customer.pay("failure")
    await customer.pay()
    await customer.return_to_shop()


async def fails(customer: Customer) -> None:
    """One declined attempt, and gives up."""
    await customer.click_pay()
    await customer.pay("failure")


async def looks(customer: Customer) -> None:
    """Opens the gateway's page, and goes away."""
    await customer.click_pay()


async def orders_only(customer: Customer) -> None:
    """Never clicks on Pay."""


async def cancels(customer: Customer) -> None:
    """Opens the gateway's page, then cancels."""
    await customer.click_pay()
    await customer.cancel()


async def cancels_while_paying(customer: Customer) -> None:
    """Cancels while the bank is thinking; the bank says yes."""
    await customer.click_pay()
    await customer.pay("pending", "upi")
    await customer.cancel()
    await asyncio.sleep(2)
    await customer.settle()


async def cancels_when_paid(customer: Customer) -> None:
    """Cancels too late: the payment stands."""
    await pays_and_returns(customer)
    await customer.until(partial(customer.has_status, "paid"), "not paid before the cancellation")
    await customer.cancel()


async def waits_for_the_bank(customer: Customer, outcome: str = "success") -> None:
    """The payment stays pending for a while before the bank answers."""
    await customer.click_pay()
    await customer.pay("pending", "netbanking")
    await asyncio.sleep(4)
    await customer.settle(outcome)


async def pays_while_webhooks_pile_up(customer: Customer, times: int = 1) -> None:
    """Pays; all the webhooks of it have arrived before anyone judges."""
    await pays(customer)
    await customer.deliveries(times * webhooks_of(customer.gateway))


async def is_forged(customer: Customer) -> None:
    """Somebody says it was paid, with a signature of their own."""
    await customer.click_pay()
    status = await customer.simulator.forge_webhook(customer.order_id)
    customer.expect(status == 401, f"the forged webhook was answered {status}, not 401")


async def pays_as_the_gateway_goes_down(customer: Customer) -> None:
    """The gateway takes the money, then answers nobody for a while."""
    await customer.click_pay()
    outage: Json = {"unavailable_for": 8, "no_webhook": True}
    await customer.simulator.set_faults(customer.order_id, outage)
    await customer.pay()
    await customer.return_to_shop()


async def clicks_fifty_times(customer: Customer) -> None:
    """Fifty clicks on Pay at once, and one more after: the same link every time."""
    links = await asyncio.gather(*[customer.click_pay() for _ in range(50)])
    different = {*links, await customer.click_pay()}
    customer.expect(len(different) == 1, f"{len(different)} different links")
    await customer.pay()
    await customer.return_to_shop()


async def orders_ten_times(customer: Customer) -> None:
    """The same order with the same key, ten times more at once: the same order."""
    again = (customer.service.create_order(customer.body, customer.key) for _ in range(10))
    orders = {order["order_id"] for order in await asyncio.gather(*again)}
    customer.expect(orders == {customer.order_id}, f"{len(orders)} orders for one key")
    await pays_and_returns(customer)


# What must become of it ------------------------------------------------------------------------

paid = partial(Case, status="paid", captured="all")

CHECKOUTS = (
    paid("webhook and callback", pays_and_returns),
    paid(
        "webhook only",
        pays_and_nobody_can_ask,
        evidence=WEBHOOK,
        needs=frozenset({PAID_WITHOUT_US}),
    ),
    paid("callback only", pays_and_returns, faults={"no_webhook": True}, evidence=QUERY),
    paid("neither: a query finds it", pays, faults=QUIET, evidence=QUERY),
    paid("failed, then paid", fails_then_pays),
    Case("failed, and gave up", fails, "failed"),
    Case("abandoned", looks, "expired"),
    Case("never clicked on Pay", orders_only, "expired", evidence=NO_LINK, links=0),
    Case("canceled", cancels, "canceled"),
    Case("canceled before the link", Customer.cancel, "canceled", evidence=NO_LINK, links=0),
    paid(
        "canceled, but the bank said yes",
        cancels_while_paying,
        method="upi",
        needs=frozenset({PAID_WITHOUT_US}),
    ),
    paid(
        "every webhook four times",
        partial(pays_while_webhooks_pile_up, times=4),
        faults={"no_callback": True, "duplicate_webhooks": 3},
    ),
    paid(
        "webhooks in the wrong order",
        pays_while_webhooks_pile_up,
        faults={"no_callback": True, "shuffled_webhooks": True},
    ),
    paid(
        "webhooks after the query",
        pays_while_webhooks_pile_up,
        faults={"no_callback": True, "late_webhook": 10},
        evidence=QUERY,
    ),
    Case("forged webhook, nothing paid", is_forged, "expired"),
    paid(
        "webhooks with a bad signature",
        pays,
        faults={"no_callback": True, "wrong_webhook_signature": True},
        evidence=QUERY,
    ),
    paid(
        "callback with a bad signature",
        pays_and_returns,
        faults={"no_webhook": True, "wrong_callback_signature": True},
        evidence=QUERY,
    ),
    Case(
        "another amount was paid",
        pays_and_returns,
        "needs_review",
        captured="other",
        faults={"wrong_amount": 100},
        waits=True,
    ),
    paid("answer lost as the link was made", pays_and_returns, faults={"lost_create_answer": 1}),
    paid(
        "answer lost as the money was taken",
        pays_and_returns,
        faults={"lost_capture_answer": 1},
        needs=frozenset({CAPTURE_OF_OURS}),
    ),
    paid("gateway errors", pays_and_returns, faults={"server_errors": 2}),
    paid(
        "gateway too busy",
        pays_and_returns,
        faults={"rate_limited": {"times": 2, "retry_after": 1}},
    ),
    paid("gateway slow", pays_and_returns, faults={"slow": 1}),
    paid("gateway down before the link", pays_and_returns, faults={"unavailable_for": 4}),
    paid(
        "gateway down after the payment",
        pays_as_the_gateway_goes_down,
        evidence=QUERY,
        needs=frozenset({PAID_WITHOUT_US}),
    ),
    paid("canceled too late", cancels_when_paid),
    paid("fifty clicks on Pay", clicks_fifty_times),
    paid("ordered eleven times with one key", orders_ten_times),
    paid("a bill, honoured whenever paid", pays_and_returns, sku="electricity-bill"),
    paid("several items", pays_and_returns, sku="mug", quantity=3),
    paid(
        "by UPI",
        partial(pays_and_returns, method="upi"),
        method="upi",
        needs=frozenset({METHODS}),
    ),
    paid(
        "by netbanking",
        partial(pays_and_returns, method="netbanking"),
        method="netbanking",
        needs=frozenset({METHODS}),
    ),
    paid("paid after a while", partial(pays, delay=3)),
    paid("pending, then paid", waits_for_the_bank, method="netbanking"),
    Case("pending, then failed", partial(waits_for_the_bank, outcome="failure"), "failed"),
)
