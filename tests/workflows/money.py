"""Refunds and repairs on a real Temporal server, with real database stores behind them."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.sweeps import SweepTimes
from activities.world import World as Touched
from db.cases import CaseStore
from db.engine import Database
from db.orders import OrderStore
from db.reads import OrderReads
from db.refunds import RefundStore
from db.statements import update_where
from db.tables import OrderRow
from db.views import CaseView
from domain.cases import Case, CaseStatus, Decision, Remedy
from domain.money import Money
from domain.orders import LatePolicy, OrderStatus
from domain.payments import Payment
from domain.policies import Patience, Policies, RepairPolicy
from domain.refunds import Refund, RefundNews, RefundStatus, RefundWish
from tests.support.fake_books import FakeBooks, FakeFiles
from tests.support.fakes import FakeDelivery, FakeGateway, FakeInbox, FakeLetters, news_of
from tests.support.orders import a_payment, an_end, place_awaiting
from worker import build_worker
from workflows.delivery import WorkflowDelivery, repair_id
from workflows.refund import RefundWorkflow
from workflows.repair import RepairWorkflow

QUICK = Patience(first=timedelta(milliseconds=50), slowest=timedelta(milliseconds=100))


@dataclass
class MoneyWorld:
    """Everything around one order's money; `policies` are those of workflows yet to start."""

    env: WorkflowEnvironment
    database: Database
    policies: Policies = field(
        default_factory=lambda: Policies(repair=RepairPolicy(patience=QUICK), refund_patience=QUICK)
    )
    gateway: FakeGateway = field(default_factory=FakeGateway)
    letters: FakeLetters = field(default_factory=FakeLetters)
    inbox: FakeInbox = field(default_factory=FakeInbox)
    books: FakeBooks = field(default_factory=FakeBooks)
    files: FakeFiles = field(default_factory=FakeFiles)
    task_queue: str = field(default_factory=lambda: f"queue-{uuid4()}")

    def __post_init__(self) -> None:
        self.orders, self.refunds = OrderStore(self.database), RefundStore(self.database)
        self.cases, self.reads = CaseStore(self.database), OrderReads(self.database)

    @property
    def delivery(self) -> WorkflowDelivery:
        return WorkflowDelivery(
            self.env.client,
            self.task_queue,
            orders=self.orders,
            refunds=self.refunds,
            inbox=self.inbox,
            policies=self.policies,
        )

    def worker(self) -> Worker:
        touched = Touched(
            orders=self.orders,
            refunds=self.refunds,
            cases=self.cases,
            inbox=self.inbox,
            books=self.books,
            files=self.files,
            gateways={"acme": self.gateway},
            letters=self.letters,
            delivery=FakeDelivery(through=self.delivery),
            public_url="https://paidonce.example",
            times=SweepTimes(self.policies.timetable.window),
        )
        return build_worker(self.env.client, self.task_queue, touched.activities())

    async def ended(self, status: OrderStatus, late: LatePolicy = LatePolicy.REFUND) -> str:
        """An order that has ended just now."""
        order_id = await place_awaiting(self.database)
        await self.orders.conclude(replace(an_end(order_id, status), concluded_at=now()))
        async with self.database.write() as session:
            await update_where(session, OrderRow, OrderRow.order_id == order_id, late_policy=late)
        return order_id

    async def status(self, order_id: str) -> OrderStatus:
        return (await self.orders.order(order_id)).status

    async def reserved(
        self, order_id: str, minor: int | None = None, refund_id: str | None = None
    ) -> Refund:
        wish = RefundWish(
            refund_id or f"rfd_{uuid4().hex}",
            order_id,
            "acme",
            a_payment(order_id).reference,
            None if minor is None else Money(minor, "INR"),
            "returned",
            "olga",
        )
        refund = await self.refunds.reserve(wish, None, now())
        assert refund
        return refund

    async def begin(self, refund: Refund) -> WorkflowHandle[RefundWorkflow, RefundStatus]:
        await self.delivery.mind_refund(refund)
        return self.refund_run(refund)

    def refund_run(self, refund: Refund) -> WorkflowHandle[RefundWorkflow, RefundStatus]:
        return self.env.client.get_workflow_handle_for(RefundWorkflow.run, refund.refund_id)

    async def hear(self, news: RefundNews) -> None:
        """What a webhook does."""
        self.inbox.rows = {1: news}
        await self.delivery.forward(1, now())

    async def tell(self, order_id: str, *payments: Payment) -> WorkflowHandle[RepairWorkflow, None]:
        """News of payments, also known at the gateway."""
        for payment in payments:
            self.gateway.knows(order_id, payment)
        await self.delivery.deliver(news_of(order_id, *payments))
        return self.repair(order_id)

    async def open_case(self, case: Case) -> WorkflowHandle[RepairWorkflow, None]:
        await self.cases.open_case(case, now())
        await self.delivery.mind_cases(case.subject)
        return self.repair(case.subject)

    def repair(self, subject: str) -> WorkflowHandle[RepairWorkflow, None]:
        return self.env.client.get_workflow_handle_for(RepairWorkflow.run, repair_id(subject))

    async def views(self) -> list[CaseView]:
        return list(reversed(await self.reads.case_list(None, 100)))

    async def case(self) -> CaseView:
        (case,) = await self.views()
        return case

    async def say(self, case_id: str, remedy: Remedy, reason: str = "I looked") -> None:
        subject = (await self.reads.case_view(case_id)).subject
        word = Decision(case_id, remedy, "olga", reason)
        await self.repair(subject).execute_update(RepairWorkflow.decide, word)

    async def until_waiting(self, number: int = 1) -> list[CaseView]:
        """The repair itself says when a case waits: its first refusal is over by then."""
        while True:
            waiting = [c for c in await self.views() if c.status is CaseStatus.WAITING]
            if len(waiting) >= number:
                return waiting


def now() -> datetime:
    return datetime.now(UTC)
