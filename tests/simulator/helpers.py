"""What the simulator's tests share: a merchant's requests, and the SDK called from asyncio."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import razorpay

from tests.support.simulator import Simulator

Json = dict[str, Any]
NewLink = Callable[..., Awaitable[Json]]
NewPayment = Callable[..., Awaitable[Json]]
CALLBACK = "http://127.0.0.1:9/callbacks/razorpay"
FOUR = ["payment.authorized", "payment.captured", "order.paid", "payment_link.paid"]
numbers = itertools.count(1)


def sdk_for(simulator: Simulator) -> razorpay.Client:
    auth = (simulator.key_id, simulator.key_secret)
    return razorpay.Client(auth=auth, base_url=simulator.base_url)


async def called(call: Callable[..., Json], *arguments: Any, **options: Any) -> Json:
    """The SDK blocks, so it gets a thread."""
    return await asyncio.to_thread(call, *arguments, **options)


async def made_link(simulator: Simulator, **fields: Any) -> Json:
    return await called(sdk_for(simulator).payment_link.create, link_body(**fields))


async def made_payment(simulator: Simulator, outcome: str = "success", **fields: Any) -> Json:
    """One payment of a link of its own, as the ledger shows it."""
    link = await made_link(simulator, **fields)
    await simulator.pay(link["short_url"], outcome=outcome)
    return await only(simulator, "payments", link["id"])


async def only(simulator: Simulator, kind: str, order_id: str) -> Json:
    """The one entry of its kind that an order's ledger has."""
    (entry,) = (await simulator.ledger(order_id))[kind]
    found: Json = entry
    return found


def link_body(**fields: Any) -> Json:
    """What a merchant sends, with a new order and reference each time."""
    number = next(numbers)
    body = {
        "amount": 49900,
        "currency": "INR",
        "reference_id": f"reference-{number}",
        "description": "One bag of coffee",
        "expire_by": int(time.time()) + 1000,
        "callback_url": CALLBACK,
        "callback_method": "get",
        "notify": {"sms": False, "email": False},
        "reminder_enable": False,
        "notes": {"order_id": f"ord_{number}"},
    }
    return body | fields


def order_of(link: Json) -> str:
    return str(link["notes"]["order_id"])


def callback_parameters(response: httpx.Response) -> dict[str, str]:
    """The callback's query under the names that the SDK wants, three of them without prefix."""
    query = parse_qs(urlsplit(response.headers["location"]).query, keep_blank_values=True)
    names = ("razorpay_payment_id", "razorpay_signature")
    plain = {name: query[name][0] for name in names}
    links = ("payment_link_id", "payment_link_reference_id", "payment_link_status")
    return plain | {name: query[f"razorpay_{name}"][0] for name in links}
