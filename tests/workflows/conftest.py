"""Checkouts on a real Temporal server, one with the clock of the world and one that skips."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.sweeps import SweepTimes
from activities.world import World as Touched
from db.engine import Database
from domain.checkouts import CheckoutPlan, LinkOpened
from domain.keys import link_key
from domain.orders import Order, OrderStatus
from domain.payments import PaymentLink
from domain.policies import Notices, Policies, Timetable
from domain.ports import LinkDraft
from tests.support.fake_books import FakeBooks, FakeFiles
from tests.support.fakes import (
    FakeCases,
    FakeDelivery,
    FakeGateway,
    FakeInbox,
    FakeLetters,
    FakeOrders,
    FakeRefunds,
    an_order,
)
from tests.support.temporal import PROMPT, TEMPORAL
from tests.workflows.money import MoneyWorld
from worker import WORKFLOWS, build_worker
from workflows.checkout import CheckoutResult, CheckoutWorkflow
from workflows.delivery import WorkflowDelivery
from workflows.options import SEARCH_ATTRIBUTES
from workflows.payloads import DATA_CONVERTER

CheckoutHandle = WorkflowHandle[CheckoutWorkflow, CheckoutResult]

SKIPPING = ["--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true"]
AT_ONCE = timedelta()


@pytest.fixture(scope="session")
async def skipping_time() -> AsyncIterator[WorkflowEnvironment]:
    """A server on which every workflow has a clock of its own that skips what is waited for.

    A workflow started through `env.client` skips at once whenever nothing but timers and retries
    is pending, so that a signal sent a moment later finds it past its window. To act at a certain
    moment, start it within `env.with_time_skipping_disabled()`; its clock then runs as the world's
    does, and `env.fast_forward(handle, duration)` moves it, `env.fast_forward(handle)` to its end.

    Activities see the workflow's clock in `activity.info()`, never in `datetime.now()`. The server
    has to be told to allow all this, and to fire timers promptly: else each skip takes a second.
    """
    env = await WorkflowEnvironment.start_time_skipping_v2(
        data_converter=DATA_CONVERTER,
        search_attributes=SEARCH_ATTRIBUTES,
        dev_server_existing_path=str(TEMPORAL),
        dev_server_log_level="error",
        dev_server_extra_args=SKIPPING + PROMPT,
    )
    async with env:
        yield env


@dataclass
class World:
    """Everything around one checkout: what it acts on, and the handle to it."""

    env: WorkflowEnvironment
    task_queue: str = field(default_factory=lambda: f"queue-{uuid4()}")
    orders: FakeOrders = field(default_factory=FakeOrders)
    inbox: FakeInbox = field(default_factory=FakeInbox)
    books: FakeBooks = field(default_factory=FakeBooks)
    files: FakeFiles = field(default_factory=FakeFiles)
    gateway: FakeGateway = field(default_factory=FakeGateway)
    second: FakeGateway = field(default_factory=lambda: FakeGateway("zenith"))
    letters: FakeLetters = field(default_factory=FakeLetters)
    delivery: FakeDelivery = field(default_factory=FakeDelivery)
    timetable: Timetable = field(default_factory=Timetable)
    notices: Notices = field(default_factory=Notices)

    def __post_init__(self) -> None:
        self.cases = FakeCases(self.orders)

    @property
    def client(self) -> Client:
        return self.env.client

    def worker(self, workflows: Sequence[type] = WORKFLOWS) -> Worker:
        touched = Touched(
            orders=self.orders,
            refunds=FakeRefunds(),
            cases=self.cases,
            inbox=self.inbox,
            books=self.books,
            files=self.files,
            gateways={"acme": self.gateway, "zenith": self.second},
            letters=self.letters,
            delivery=self.delivery,
            public_url="https://paidonce.example",
            times=SweepTimes(self.timetable.window),
        )
        return build_worker(self.client, self.task_queue, touched.activities(), workflows)

    def hurry(self, window: float = 0.8) -> None:
        """Let everything that takes minutes take fractions of a second."""
        unit = timedelta(seconds=window) / 8
        self.timetable = Timetable(
            window=8 * unit, hint_delays=(AT_ONCE, unit), quiet_delays=(2 * unit,), slowest=4 * unit
        )

    def order(self) -> Order:
        order = an_order(f"ord_{uuid4().hex}")
        self.orders.add(order)
        return order

    async def start(self, order: Order | None = None) -> CheckoutHandle:
        order = order or self.order()
        return await self.client.start_workflow(
            CheckoutWorkflow.run,
            CheckoutPlan.of(order, self.timetable, self.notices),
            id=order.order_id,
            task_queue=self.task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )

    async def open(self) -> CheckoutHandle:
        """A checkout whose customer has the link."""
        handle = await self.start()
        await handle.execute_update(CheckoutWorkflow.payment_link)
        return handle

    async def late_link(self) -> PaymentLink:
        """The live link of an order that ended, since nobody had found one."""
        order_id = self.order().order_id
        self.orders.end(order_id, OrderStatus.EXPIRED)
        key = link_key(order_id, 1)
        self.orders.given_up.append(key)
        return await self.gateway.create_payment_link(LinkDraft(key, "wire", order_id))

    async def click_pay(self, order: Order) -> LinkOpened:
        """What the API does for every click on Pay."""
        start = WithStartWorkflowOperation(
            CheckoutWorkflow.run,
            CheckoutPlan.of(order, self.timetable, self.notices),
            id=order.order_id,
            task_queue=self.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )
        return await self.client.execute_update_with_start_workflow(
            CheckoutWorkflow.payment_link, start_workflow_operation=start, id="payment-link"
        )

    def deliver_for_real(self) -> WorkflowDelivery:
        """News that a checkout cannot take goes to repairs from now on."""
        self.delivery.through = WorkflowDelivery(
            self.client,
            self.task_queue,
            orders=self.orders,
            refunds=FakeRefunds(),
            inbox=self.inbox,
            policies=Policies(self.timetable),
        )
        return self.delivery.through


@pytest.fixture(autouse=True)
def nothing_is_left_behind(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No task of a workflow may die unheard."""
    yield
    heard = [*caplog.get_records("call"), *caplog.get_records("teardown")]
    assert not [each for each in heard if "never retrieved" in each.getMessage()]


@pytest.fixture
async def world(real_time: WorkflowEnvironment) -> AsyncIterator[World]:
    world = World(real_time)
    async with world.worker():
        yield world


@pytest.fixture
async def skipping(skipping_time: WorkflowEnvironment) -> AsyncIterator[World]:
    world = World(skipping_time)
    async with world.worker():
        yield world


@pytest.fixture
async def money(
    real_time: WorkflowEnvironment, sqlite_database: Database
) -> AsyncIterator[MoneyWorld]:
    money = MoneyWorld(real_time, sqlite_database)
    async with money.worker():
        yield money


@pytest.fixture
async def money_on_both(
    real_time: WorkflowEnvironment, database: Database
) -> AsyncIterator[MoneyWorld]:
    """On SQLite, and on PostgreSQL."""
    money = MoneyWorld(real_time, database)
    async with money.worker():
        yield money


@pytest.fixture
async def skipping_money(
    skipping_time: WorkflowEnvironment, sqlite_database: Database
) -> AsyncIterator[MoneyWorld]:
    """Days pass at once; the patience is that of production."""
    money = MoneyWorld(skipping_time, sqlite_database, Policies())
    async with money.worker():
        yield money
