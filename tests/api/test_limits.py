"""How much may be sent, and how often: by those with a key and by those without."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.neighbours import KEYS, Neighbours
from tests.support.programs import environment, running_program
from tests.support.razorpay_webhooks import deliver, paid
from tests.support.service import Service, caller, new_key, running_service

MEBIBYTE = 1024 * 1024
PIECE = 64 * 1024
MOST = 5


@pytest.fixture
async def strict(neighbours: Neighbours, sqlite_database_url: str) -> AsyncIterator[Service]:
    """An API that takes five calls a minute from each."""
    limits = {"rate_limit_per_minute": MOST, "stranger_limit_per_minute": MOST}
    async with running_service(neighbours, sqlite_database_url, worker=False, **limits) as service:
        yield service


async def test_a_key_that_calls_too_often_is_told_when_to_come_again(strict: Service) -> None:
    for _ in range(MOST):
        assert (await strict.shop.get("/products")).status_code == 200
    refused = await strict.shop.post("/orders", content=b"{", headers=new_key())
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "/problems/too-many-requests"
    assert 1 <= int(refused.headers["Retry-After"]) <= 120
    for other in (strict.other, strict.ops, strict.stranger):
        assert (await other.get("/products")).status_code != 429


async def test_whoever_guesses_keys_is_slowed_down(strict: Service) -> None:
    answers = [
        (await strict.stranger.get("/products", headers={"Authorization": f"Bearer {n}"}))
        for n in range(MOST + 1)
    ]
    assert [answer.status_code for answer in answers] == [401] * MOST + [429]
    assert (await strict.shop.get("/products")).status_code == 200


@pytest.mark.parametrize("path", ["/callbacks/razorpay/guess", "/orders/ord_x/result?token=guess"])
async def test_a_customer_who_comes_too_often_sees_a_page(strict: Service, path: str) -> None:
    answers = [await strict.stranger.get(path) for _ in range(MOST + 1)]
    assert [answer.status_code for answer in answers] == [404] * MOST + [429]
    page = answers[-1]
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["cache-control"] == "no-store"
    assert f'content="{page.headers["Retry-After"]}"' in page.text
    assert (await strict.stranger.get("/orders/ord_x/events?token=guess")).status_code == 429


async def test_only_webhooks_that_nobody_signed_are_counted(strict: Service) -> None:
    for number in range(3 * MOST):
        signed = await deliver(strict, paid(f"ord_{number}"), event_id=f"event-{number}")
        assert signed.status_code == 200
    forged = [
        await strict.stranger.post("/webhooks/razorpay", content=b"{}") for _ in range(MOST + 1)
    ]
    assert [answer.status_code for answer in forged] == [401] * MOST + [429]
    assert forged[-1].json()["type"] == "/problems/too-many-requests"
    assert int(forged[-1].headers["Retry-After"]) >= 1
    signed = await deliver(strict, paid("ord_last"), event_id="event-last")
    assert signed.status_code == 200


async def test_whoever_watches_us_always_sees_us(strict: Service) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/static/result.css"):
        answers = {(await strict.stranger.get(path)).status_code for _ in range(2 * MOST)}
        assert answers == {200}


def memory_of(pid: int, what: str) -> int:
    """Bytes that the process holds (VmRSS), or held at most (VmHWM)."""
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith(f"{what}:")]
    return int(line.split()[1]) * 1024


async def pieces(size: int) -> AsyncIterator[bytes]:
    """A body that does not say how large it will be."""
    for _ in range(size // PIECE):
        yield b"x" * PIECE


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
async def test_a_hundred_bodies_that_are_too_large_fill_no_memory(
    neighbours: Neighbours, sqlite_database_url: str
) -> None:
    """As a process of its own, so that its memory is its own too."""
    settings = neighbours.settings(sqlite_database_url)
    async with (
        running_program("-m", "api", env=environment(settings)) as api,
        caller(settings, KEYS["shop"]) as shop,
    ):
        await api.says("Uvicorn running on")

        async def send(path: str, body: bytes | AsyncIterator[bytes]) -> int:
            return (await shop.post(path, content=body, headers=new_key())).status_code

        assert await send("/orders", b" " * (MEBIBYTE + 1)) == 413
        before = memory_of(api.process.pid, "VmRSS")
        large = b"x" * 5 * MEBIBYTE
        announced = await asyncio.gather(*(send("/orders", large) for _ in range(100)))
        assert set(announced) == {413}
        assert memory_of(api.process.pid, "VmHWM") - before < 10 * MEBIBYTE
        unsaid = (send("/webhooks/razorpay", pieces(2 * MEBIBYTE)) for _ in range(100))
        assert set(await asyncio.gather(*unsaid)) == {413}
        # At worst each of the hundred had sent just what is allowed.
        assert memory_of(api.process.pid, "VmHWM") - before < 120 * MEBIBYTE
        assert (await shop.get("/products")).status_code == 200
        assert await api.stop() == 0
