"""The real API beside a benchmark, and the webhooks that it must accept meanwhile."""

import asyncio
import hmac
import json
import os
import sys
import time
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from hashlib import sha256

import httpx

from benchmarks.generate import Month, amount, order_id, payment_id, wire_key
from tests.support.ports import free_port

SECRET = b"bench"
EVERY_SECOND = 1.0
UP_WITHIN = 120.0


@asynccontextmanager
async def api_over(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """`python -m api` over the database, which no Temporal is needed for as long as it stores."""
    port = free_port()
    keys = [{"name": "ops", "role": "operator", "sha256": sha256(b"bench").hexdigest()}]
    env = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": url,
        "TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}",
        "API_PORT": f"{port}",
        "API_KEYS": json.dumps(keys),
        "RAZORPAY_KEY_ID": "bench",
        "RAZORPAY_KEY_SECRET": "bench",
        "RAZORPAY_WEBHOOK_SECRETS": json.dumps([SECRET.decode()]),
        "LOG_LEVEL": "ERROR",
    }
    argv = (sys.executable, "-m", "api")
    process = await asyncio.create_subprocess_exec(*argv, env=env, stdout=DEVNULL)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
            await _answers(http)
            yield http
    finally:
        process.terminate()
        await process.wait()


async def _answers(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(UP_WITHIN):
        while True:
            with suppress(httpx.ConnectError):
                if (await http.get("/healthz")).is_success:
                    return
            await asyncio.sleep(0.05)


@asynccontextmanager
async def webhooks_over(url: str, month: Month) -> AsyncIterator[list[float]]:
    """How many seconds each webhook took, one every second."""
    waits: list[float] = []
    async with api_over(url) as http:
        await _post(http, 0)  # what only the first one pays for, a real service has behind it
        posting = asyncio.create_task(_keep_posting(http, month, waits))
        try:
            yield waits
        finally:
            posting.cancel()
            with suppress(asyncio.CancelledError):
                await posting


async def _keep_posting(http: httpx.AsyncClient, month: Month, waits: list[float]) -> None:
    for number in range(1, month.orders):
        began = time.perf_counter()
        await _post(http, number)
        waits.append(time.perf_counter() - began)
        await asyncio.sleep(max(0.0, EVERY_SECOND - waits[-1]))


async def _post(http: httpx.AsyncClient, number: int) -> None:
    """`payment_link.paid`, of a payment that is known."""
    body = json.dumps(_event(number * 50 + 1)).encode()
    headers = {
        "X-Razorpay-Signature": hmac.new(SECRET, body, "sha256").hexdigest(),
        "X-Razorpay-Event-Id": f"evt_{number}",
    }
    response = await http.post("/webhooks/razorpay", content=body, headers=headers)
    response.raise_for_status()


def _event(i: int) -> dict[str, object]:
    notes = {"order_id": order_id(i)}
    money = {"amount": amount(i), "currency": "INR", "notes": notes}
    payment = {"id": payment_id(i), "entity": "payment", **money}
    payment |= {"status": "captured", "method": "upi"}
    link = {"id": f"plink_{i:014}", "reference_id": wire_key(i), **money}
    link |= {"amount_paid": amount(i), "status": "paid"}
    payload = {"payment_link": {"entity": link}, "payment": {"entity": payment}}
    return {"entity": "event", "event": "payment_link.paid", "payload": payload, "created_at": 0}
