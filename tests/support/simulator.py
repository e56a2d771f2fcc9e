"""The gateway simulator as a real process, for every test that needs a gateway."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import httpx

ROOT = Path(__file__).parents[2]
Json = dict[str, Any]


class Simulator:
    """Times in seconds, amounts in minor units. `restart` keeps port and state file."""

    key_id = "rzp_test_simulator"
    key_secret = "key-secret-of-the-tests"
    webhook_secret = "webhook-secret-of-the-tests"
    stripe_key = "sk_test_of_the_tests"
    paypal_client_id = "paypal-client-of-the-tests"
    paypal_client_secret = "paypal-secret-of-the-tests"
    paypal_webhook_id = "9WEBHOOKOFTHETEST"
    stripe_webhook_secrets = ("whsec_of_the_tests", "whsec_before_that")

    def __init__(
        self,
        state: Path,
        webhook_url: str | None,
        stripe_webhook_url: str | None,
        paypal_webhook_url: str | None,
        options: dict[str, Any],
    ) -> None:
        self.state, self._options = state, options
        self._webhook_url, self._stripe_webhook_url = webhook_url, stripe_webhook_url
        self._paypal_webhook_url = paypal_webhook_url
        self.base_url = ""

    async def start(self) -> Self:
        """Return once it listens; a port chosen by the first start is kept by later ones."""
        port = httpx.URL(self.base_url).port or self._options.get("port", 0)
        flags = {**self._options, "port": port, "state": self.state}
        words = [word for name, value in flags.items() for word in (flag(name), str(value))]
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "simulator", *words),
            cwd=ROOT,
            env=os.environ | self._environment(),
            stdout=asyncio.subprocess.PIPE,
        )
        self.base_url = await self._read_ready_line()
        self._output = asyncio.create_task(self._drain())
        # It closes what was idle for five seconds, and must not do so under a call.
        limits = httpx.Limits(keepalive_expiry=2)
        self.http = httpx.AsyncClient(
            base_url=self.base_url, trust_env=False, timeout=30, limits=limits
        )
        return self

    @property
    def stripe_url(self) -> str:
        """Where Stripe's API is."""
        return f"{self.base_url}/stripe"

    @property
    def paypal_url(self) -> str:
        """Where PayPal's API is, and the certificates of its events."""
        return f"{self.base_url}/paypal"

    @property
    def paypal_ca(self) -> str:
        """The root that vouches for them."""
        return (self.state.parent / "paypal-ca.pem").read_text()

    async def kill(self) -> None:
        """Kill -9, at once."""
        await self._stop(signal.SIGKILL)

    async def stop(self) -> None:
        await self._stop(signal.SIGTERM)

    async def restart(self) -> None:
        """Kill -9 and come back with the same state at the same address."""
        await self.kill()
        await self.start()

    async def faults(self, order_id: str, **faults: Any) -> Json:
        """Replace the faults of a link, known by any of its names, also before it exists."""
        return await self._ask("PUT", f"/simulator/faults/{order_id}", json=faults)

    async def ledger(self, order_id: str | None = None) -> Json:
        query = {"order_id": order_id} if order_id else {}
        return await self._ask("GET", "/simulator/ledger", params=query)

    async def settle(self, payment_id: str, outcome: str = "success") -> Json:
        """Let the bank decide a pending payment."""
        path = f"/simulator/payments/{payment_id}/settle"
        return await self._ask("POST", path, json={"outcome": outcome})

    async def release(self, payment_id: str) -> Json:
        """Let the gateway give back what was authorized and never captured."""
        return await self._ask("POST", f"/simulator/payments/{payment_id}/release")

    async def pay_late(self, order_id: str, **late: Any) -> Json:
        """Let a payment (method, amount, status) succeed, whatever became of its link."""
        path = f"/simulator/links/{order_id}/late-payment"
        return await self._ask("POST", path, json=late)

    async def pay_elsewhere(self, amount: int, **stray: Any) -> Json:
        """Let money (currency, order_id for the notes) arrive through no link of ours."""
        body = {"amount": amount} | stray
        return await self._ask("POST", "/simulator/payments/stray", json=body)

    async def settle_refund(self, refund_id: str, outcome: str = "processed") -> Json:
        """End a pending refund; `failed` also takes a processed one back."""
        path = f"/simulator/refunds/{refund_id}/settle"
        return await self._ask("POST", path, json={"outcome": outcome})

    async def dispute(self, payment_id: str, **objection: Any) -> Json:
        """Let the customer's bank object (reason, amount) to a captured payment."""
        path = f"/simulator/payments/{payment_id}/dispute"
        return await self._ask("POST", path, json=objection)

    async def settle_dispute(self, dispute_id: str, outcome: str) -> Json:
        """Make it under_review, won, lost or closed."""
        path = f"/simulator/disputes/{dispute_id}/settle"
        return await self._ask("POST", path, json={"outcome": outcome})

    async def pay_out(self) -> list[Json]:
        """Settle all that was captured, refunded or lost; one settlement per currency."""
        made: list[Json] = (await self._ask("POST", "/simulator/settlements"))["settlements"]
        return made

    async def revoke(self, payment_id: str) -> Json:
        """Let the bank take back a captured payment, and tell nobody."""
        return await self._ask("POST", f"/simulator/payments/{payment_id}/revoke")

    async def csv(self, name: str = "settlement-recon.csv", **query: Any) -> str:
        """Razorpay's file; `since` and `to` are Unix seconds, the rest is to go wrong with it."""
        query = {"from" if key == "since" else key: value for key, value in query.items()}
        response = await self.http.get(f"/simulator/files/razorpay/{name}", params=query)
        response.raise_for_status()
        return response.text

    async def forge(self, order_id: str, event: str | None = None) -> Json:
        body = {"order_id": order_id, "event": event}
        return await self._ask("POST", "/simulator/webhooks/forge", json=body)

    async def pay(self, short_url: str, **form: Any) -> httpx.Response:
        """Submit the customer's form (outcome, method, delay); redirects are not followed."""
        return await self.http.post(f"{short_url}/attempts", data={"outcome": "success"} | form)

    async def _ask(self, method: str, path: str, **more: Any) -> Json:
        response = await self.http.request(method, path, **more)
        response.raise_for_status()
        answer: Json = response.json()
        return answer

    def _environment(self) -> dict[str, str]:
        names = {"KEY_ID": self.key_id, "KEY_SECRET": self.key_secret}
        more = {"WEBHOOK_SECRET": self.webhook_secret, "WEBHOOK_URL": self._webhook_url or ""}
        stripe = {
            "STRIPE_SECRET_KEY": self.stripe_key,
            "STRIPE_WEBHOOK_SECRETS": ",".join(self.stripe_webhook_secrets),
            "STRIPE_WEBHOOK_URL": self._stripe_webhook_url or "",
        }
        paypal = {
            "PAYPAL_CLIENT_ID": self.paypal_client_id,
            "PAYPAL_CLIENT_SECRET": self.paypal_client_secret,
            "PAYPAL_WEBHOOK_ID": self.paypal_webhook_id,
            "PAYPAL_WEBHOOK_URL": self._paypal_webhook_url or "",
        }
        razorpay = {f"RAZORPAY_{name}": value for name, value in (names | more).items()}
        return razorpay | stripe | paypal

    async def _read_ready_line(self) -> str:
        assert self.process.stdout
        async for line in self.process.stdout:
            _, found, rest = line.decode().partition("simulator ready on ")
            if found:
                return rest.split(",")[0]
        raise RuntimeError(f"the simulator ended with {await self.process.wait()}")

    async def _drain(self) -> None:
        assert self.process.stdout
        async for line in self.process.stdout:
            sys.stdout.write(line.decode())

    async def _stop(self, how: signal.Signals) -> None:
        await self.http.aclose()
        if self.process.returncode is None:
            self.process.send_signal(how)
        await self.process.wait()
        await self._output


def flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


@asynccontextmanager
async def running_simulator(
    webhook_url: str | None = None,
    stripe_webhook_url: str | None = None,
    paypal_webhook_url: str | None = None,
    **options: Any,
) -> AsyncIterator[Simulator]:
    """Run `python -m simulator` on a free port with a state file of its own.

    `options` are its flags: `retry_base=0.1` becomes `--retry-base 0.1`.
    """
    with tempfile.TemporaryDirectory() as folder:
        simulator = Simulator(
            Path(folder) / "simulator.db",
            webhook_url,
            stripe_webhook_url,
            paypal_webhook_url,
            options,
        )
        await simulator.start()
        try:
            yield simulator
        finally:
            await simulator.stop()
