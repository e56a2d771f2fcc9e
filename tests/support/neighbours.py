"""What surrounds every service of a test run: Temporal, the simulator, a port for the API."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from temporalio.testing import WorkflowEnvironment

from setting_types import ApiKey
from settings import Settings
from tests.support.ports import free_port
from tests.support.simulator import Simulator, running_simulator

KEYS = {"shop": "key-of-the-shop", "other": "key-of-another", "ops": "key-of-the-operator"}


@dataclass(frozen=True)
class Neighbours:
    """What every service of the test run shares. The simulator's webhooks go to `api_port`."""

    temporal: WorkflowEnvironment
    simulator: Simulator
    api_port: int

    @property
    def temporal_address(self) -> str:
        return self.temporal.client.service_client.config.target_host

    def settings(self, database_url: str, **changes: Any) -> Settings:
        """Settings as in production, but with keys of the tests and with little patience."""
        account = self.simulator
        usual: dict[str, Any] = {
            "database_url": database_url,
            "temporal_address": self.temporal_address,
            "task_queue": f"queue-{uuid4()}",
            "public_url": f"http://127.0.0.1:{self.api_port}",
            "api_port": self.api_port,
            "api_keys": api_keys(),
            "razorpay_key_id": account.key_id,
            "razorpay_key_secret": account.key_secret,
            "razorpay_webhook_secrets": [account.webhook_secret],
            "razorpay_base_url": account.base_url,
            "stripe_secret_key": account.stripe_key,
            "stripe_webhook_secrets": account.stripe_webhook_secrets,
            "stripe_base_url": account.stripe_url,
            "checkout_window": 60,
            "link_patience": 30,
            "hint_delays": (0, 0.1, 0.3, 1, 2),
            "quiet_delays": (30,),
        }
        return Settings(**usual | changes)

    @property
    def paypal(self) -> dict[str, Any]:
        """Settings with which PayPal is there as well."""
        account = self.simulator
        return {
            "paypal_client_id": account.paypal_client_id,
            "paypal_client_secret": account.paypal_client_secret,
            "paypal_webhook_ids": [account.paypal_webhook_id],
            "paypal_base_url": account.paypal_url,
            "paypal_certificates_at": account.paypal_url,
            "paypal_ca_file": account.state.parent / "paypal-ca.pem",
        }


def api_keys() -> tuple[ApiKey, ...]:
    hashes = {name: sha256(key.encode()).hexdigest() for name, key in KEYS.items()}
    return tuple(
        ApiKey(name=name, role="operator" if name == "ops" else "client", sha256=digest)
        for name, digest in hashes.items()
    )


@pytest.fixture(scope="session")
async def neighbours(real_time: WorkflowEnvironment) -> AsyncIterator[Neighbours]:
    port = free_port()
    webhooks = [f"http://127.0.0.1:{port}/webhooks/{name}" for name in ("razorpay", "stripe")]
    async with running_simulator(*webhooks, retry_base=0.2, retry_limit=2) as simulator:
        yield Neighbours(real_time, simulator, port)
