"""What the tests of Stripe's dialect share: its official SDK, pointed at the simulator."""

import asyncio
import itertools
import time
from collections.abc import Callable
from typing import Any

import stripe

from tests.support.simulator import Simulator

Json = dict[str, Any]
RETURN_URL = "http://127.0.0.1:9/callbacks/stripe/t0ken?session={CHECKOUT_SESSION_ID}"
FOUR = [
    "charge.succeeded",
    "payment_intent.succeeded",
    "charge.updated",
    "checkout.session.completed",
]
numbers = itertools.count(1)


def sdk_for(simulator: Simulator, key: str | None = None) -> stripe.StripeClient:
    """No retries of its own: the tests look at each answer."""
    return stripe.StripeClient(
        key or simulator.stripe_key,
        base_addresses={"api": simulator.stripe_url},
        http_client=stripe.RequestsClient(),
        max_network_retries=0,
    )


async def called(call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """The SDK blocks, so it gets a thread."""
    return await asyncio.to_thread(call, *arguments, **options)


def session_params(**changes: Any) -> Json:
    """What a merchant sends, for a new order each time."""
    notes = {"order_id": f"ord_stripe{next(numbers)}"}
    price = {"currency": "inr", "unit_amount": 49900, "product_data": {"name": "Coffee"}}
    params = {
        "mode": "payment",
        "client_reference_id": notes["order_id"],
        "metadata": notes,
        "payment_intent_data": {"metadata": notes},
        "line_items": [{"quantity": 1, "price_data": price}],
        "success_url": RETURN_URL,
        "expires_at": int(time.time()) + 2400,
    }
    return params | changes


async def made_session(simulator: Simulator, **changes: Any) -> stripe.checkout.Session:
    sessions = sdk_for(simulator).v1.checkout.sessions
    made: stripe.checkout.Session = await called(sessions.create, session_params(**changes))
    return made


def order_of(session: stripe.checkout.Session) -> str:
    return str(session.client_reference_id)
