"""What nobody is told of: no webhook, no callback, no answer; only the gateway's file shows it."""

from functools import partial

from demo.aftermath import PRICE, becomes, is_paid
from demo.cases import QUIET, Case, looks
from demo.client import Json
from demo.customer import Customer
from demo.gateways import CAPTURE_TAKEN_BACK, PAID_WITHOUT_US

FILE = frozenset({"settlement_file"})
SILENCE: Json = {**QUIET, "unavailable_for": 3600}


async def pays_and_nobody_hears(customer: Customer) -> None:
    """Pays; from then on the gateway says nothing of it, and answers no question."""
    await customer.click_pay()
    await customer.simulator.set_faults(customer.order_id, SILENCE)
    await customer.pay()


async def pays_late_and_unheard(customer: Customer) -> None:
    """The order has ended and nobody asks any more, when the money comes without a word."""
    await looks(customer)
    await becomes(customer, "expired")
    await customer.simulator.set_faults(customer.order_id, QUIET)
    await customer.simulator.control(f"links/{customer.order_id}/late-payment")


async def pays_twice_and_unheard(customer: Customer) -> None:
    """A second payment of an order that is paid, of which nobody is told."""
    await is_paid(customer)
    await customer.simulator.set_faults(customer.order_id, QUIET)
    await customer.simulator.control(f"links/{customer.order_id}/late-payment")


async def bank_takes_it_back(customer: Customer) -> None:
    """The order is paid and confirmed, and in truth the gateway never got the money."""
    await is_paid(customer)
    (payment,) = await customer.payments()
    await customer.simulator.revoke(payment["id"])


# What must become of it, once the file was read ------------------------------------------------

untold = partial(Case, only_file=True)

UNHEARD = (
    untold(
        "only the file tells: paid",
        pays_and_nobody_hears,
        "paid",
        "all",
        evidence=FILE,
        needs=frozenset({PAID_WITHOUT_US}),
    ),
    untold(
        "only the file tells: paid late, sent back",
        pays_late_and_unheard,
        "expired",
        "all",
        refunded=PRICE,
        notices=1,
    ),
    untold(
        "only the file tells: a bill paid late",
        pays_late_and_unheard,
        "paid",
        "all",
        evidence=FILE,
        sku="electricity-bill",
    ),
    untold(
        "only the file tells: paid twice",
        pays_twice_and_unheard,
        "paid",
        "twice",
        refunded=PRICE,
        notices=1,
    ),
    untold(
        "only the file tells: not paid after all",
        bank_takes_it_back,
        "canceled",
        confirmed=True,
        needs=frozenset({CAPTURE_TAKEN_BACK}),
    ),
)
