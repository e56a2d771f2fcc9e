"""Whatever a repair is told, in any order: its cases end as a model says, and every run replays."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.client import WorkflowHandle, WorkflowHistory, WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from db.engine import Database
from domain.cases import CaseOutcome, CaseStatus, CaseVerdict, Remedy
from domain.findings import Doubt
from domain.money import Money
from domain.news import Evidence, EvidenceKind
from domain.orders import LatePolicy, OrderStatus
from domain.payments import Payment, PaymentStatus
from domain.policies import Budget, Policies
from domain.ports import RefundDraft
from domain.refunds import RefundNews, RefundStatus
from domain.repairs import may_remedy
from tests.support.fakes import FakeGateway, hint_for
from tests.support.orders import PRICE, a_payment
from tests.workflows.money import MoneyWorld
from tests.workflows.plays import batches, in_time, is_at_rest, play_all, runs, skip, some
from workflows.delivery import repair_id
from workflows.repair import RepairWorkflow

pytestmark = pytest.mark.slow

FIRST, ODD = 1, 3
AMOUNTS = {ODD: Money(100, "INR")}
AUTHORIZED, CAPTURED = PaymentStatus.AUTHORIZED, PaymentStatus.CAPTURED
FAILED, CANCELED = PaymentStatus.FAILED, PaymentStatus.CANCELED
WATCHED, WAITING = "watched", "waiting"
HALF_A_DAY = timedelta(hours=12)

Step = tuple[str, int | Remedy | None]
End = tuple[OrderStatus, list[tuple[CaseVerdict, str]], int]

numbers = st.integers(2, 4)
steps = st.one_of(
    st.tuples(st.sampled_from(["captured", "authorized", "failed"]), numbers),
    st.tuples(st.sampled_from(["taken", "given_back"]), numbers),
    st.tuples(st.sampled_from(["callback", "half_a_day", "doubt", "lost"]), st.none()),
    st.tuples(st.just("word"), st.sampled_from(Remedy)),
)
# By chance alone it would seldom come to this.
held_for_a_while = st.builds(
    lambda number, what: (("authorized", number), (what, number), ("half_a_day", None)),
    numbers,
    st.sampled_from(["taken", "given_back"]),
)
scenes = steps.map(lambda step: (step,)) | held_for_a_while


@dataclass(frozen=True)
class Play:
    """An order that has ended, what its products and its gateway are like, and what happens.

    Of a paid order the gateway may deny the payment, if it is asked. The first refund may fail.
    """

    is_paid: bool
    is_denied: bool
    policy: LatePolicy
    fails_once: bool
    steps: tuple[Step, ...]


plays = st.builds(
    Play,
    st.booleans(),
    st.booleans(),
    st.sampled_from(LatePolicy),
    st.booleans(),
    st.lists(scenes, min_size=2, max_size=6).map(lambda several: tuple(chain(*several))),
)


@dataclass
class Model:
    """An order that has ended by the rules alone: what is recorded, what is true, and its cases."""

    play: Play
    status: OrderStatus = OrderStatus.EXPIRED
    fulfilling: int | None = None
    truth: dict[int, PaymentStatus] = field(default_factory=dict)
    recorded: dict[int, PaymentStatus] = field(default_factory=dict)
    cases: dict[tuple[CaseVerdict, int], str] = field(default_factory=dict)
    tries = sent_back = 0

    def __post_init__(self) -> None:
        if self.play.is_paid:
            self.status, self.fulfilling = OrderStatus.PAID, FIRST
            self.recorded[FIRST] = CAPTURED
            if not self.play.is_denied:
                self.truth[FIRST] = CAPTURED

    @property
    def is_paid(self) -> bool:
        return self.status is OrderStatus.PAID

    @property
    def end(self) -> End:
        cases = [(verdict, state) for (verdict, _), state in self.cases.items()]
        return self.status, sorted(cases), self.sent_back

    def captured(self, number: int) -> None:
        self._told(number, CAPTURED)

    def authorized(self, number: int) -> None:
        self._told(number, AUTHORIZED)

    def failed(self, number: int) -> None:
        self._told(number, FAILED)

    def taken(self, number: int) -> None:
        if self.truth.get(number) is AUTHORIZED:
            self.truth[number] = CAPTURED

    def given_back(self, number: int) -> None:
        if self.truth.get(number) is AUTHORIZED:
            self.truth[number] = CANCELED

    def callback(self) -> None:
        if not self.is_paid:
            self._hear(self.truth)

    def half_a_day(self) -> None:
        for (verdict, number), state in list(self.cases.items()):
            if state == WATCHED:
                self._look(verdict, number)

    def lost(self) -> None:
        for (verdict, number), state in list(self.cases.items()):
            if state == WATCHED:
                self._deal(verdict, number)

    def word(self, remedy: Remedy) -> None:
        waiting = sorted(case for case, state in self.cases.items() if state == WAITING)
        if not waiting or not may_remedy(waiting[0][0], remedy):
            return
        verdict, number = waiting[0]
        if remedy is Remedy.DISMISS:
            self.cases[verdict, number] = CaseOutcome.DISMISSED
        elif remedy is Remedy.REFUND:
            self._refund(verdict, number)
        elif not self.is_paid:
            self._honour(verdict, number)

    def doubt(self) -> None:
        if not self.play.is_paid or not self.play.is_denied:
            return
        if self.fulfilling == FIRST:
            self.status, self.fulfilling = OrderStatus.CANCELED, None
            self.recorded[FIRST] = FAILED
        if self.is_paid:
            self.cases.setdefault((CaseVerdict.OK_UNPAID, FIRST), WAITING)
        else:
            self._hear(self.truth)

    def _told(self, number: int, status: PaymentStatus) -> None:
        known = self.truth.get(number, status)
        self.truth[number] = max(known, status, key=lambda one: one.rank)
        self._hear({number: status})

    def _hear(self, news: dict[int, PaymentStatus]) -> None:
        new = [
            (self._verdict(number, status), number)
            for number, status in news.items()
            if status.moves_money
            and status.rank > self.recorded.get(number, PaymentStatus.UNKNOWN).rank
        ]
        self.recorded |= {number: news[number] for _, number in new}
        for verdict, number in new:
            if (verdict, number) not in self.cases:
                self._deal(verdict, number)

    def _verdict(self, number: int, status: PaymentStatus) -> CaseVerdict:
        if status is AUTHORIZED:
            return CaseVerdict.LATE_AUTHORIZATION
        if number == ODD:
            return CaseVerdict.AMOUNT_MISMATCH
        return CaseVerdict.DUPLICATE_PAYMENT if self.is_paid else CaseVerdict.LATE_CAPTURE

    def _deal(self, verdict: CaseVerdict, number: int) -> None:
        wanted = self.play.policy is LatePolicy.HONOUR and not self.is_paid
        if verdict is CaseVerdict.AMOUNT_MISMATCH:
            self.cases[verdict, number] = WAITING
        elif verdict is CaseVerdict.LATE_AUTHORIZATION:
            if wanted:
                self.truth[number] = CAPTURED
            self._look(verdict, number)
        elif verdict is CaseVerdict.LATE_CAPTURE and wanted:
            self._honour(verdict, number)
        else:
            self._refund(verdict, number)

    def _look(self, verdict: CaseVerdict, number: int) -> None:
        states = {CAPTURED: CaseOutcome.CAPTURED, CANCELED: CaseOutcome.GIVEN_BACK}
        self.cases[verdict, number] = states.get(self.truth[number], WATCHED)
        if self.truth[number] is CAPTURED:
            self._hear(self.truth)

    def _honour(self, verdict: CaseVerdict, number: int) -> None:
        self.cases[verdict, number] = CaseOutcome.HONOURED
        self.status, self.fulfilling = OrderStatus.PAID, number

    def _refund(self, verdict: CaseVerdict, number: int) -> None:
        self.tries += 1
        fails = self.play.fails_once and self.tries == 1
        self.cases[verdict, number] = WAITING if fails else CaseOutcome.REFUNDED
        self.sent_back += not fails


def story(play: Play) -> list[Step]:
    """With a payment that is denied, of two others only one can be in time to take its place."""
    alone = play.is_paid and play.is_denied
    return [(name, 2 if alone and what == 4 else what) for name, what in play.steps]


def model(play: Play) -> End:
    order = Model(play)
    for name, what in story(play):
        getattr(order, name)(*[what] * (what is not None))
    return order.end


class Gateway(FakeGateway):
    """Fails the first refund of the orders that are named."""

    def __init__(self) -> None:
        super().__init__()
        self.fails_once: set[str] = set()

    async def refund(self, draft: RefundDraft) -> RefundNews:
        news = await super().refund(draft)
        order_id = draft.payment_reference.split("_", 2)[2]
        if order_id in self.fails_once:
            self.fails_once.remove(order_id)
            news = self.refunds[draft.refund_id] = replace(news, status=RefundStatus.FAILED)
        return news


class Stage:
    """The same steps for a real order, its gateway, its operator and Delivery."""

    def __init__(self, money: MoneyWorld, gateway: Gateway) -> None:
        self._money, self._gateway = money, gateway

    async def play(self, play: Play) -> tuple[End, list[WorkflowHistory]]:
        status = OrderStatus.PAID if play.is_paid else OrderStatus.EXPIRED
        order_id = await self._money.ended(status, play.policy)
        if play.is_paid and not play.is_denied:
            self._gateway.knows(order_id, a_payment(order_id))
        if play.fails_once:
            self._gateway.fails_once.add(order_id)
        for name, what in story(play):
            if name != "doubt" or play.is_paid:
                await getattr(self, f"_{name}")(order_id, *[what] * (what is not None))
            await is_at_rest(self._repair(order_id))
        end = await self._end(order_id)
        await self._terminate(order_id)
        return end, await self._kept(order_id)

    def _repair(self, order_id: str) -> WorkflowHandle[RepairWorkflow, None]:
        return self._money.repair(order_id)

    async def _captured(self, order_id: str, number: int) -> None:
        await self._money.tell(order_id, payment_of(order_id, number, CAPTURED))

    async def _authorized(self, order_id: str, number: int) -> None:
        await self._money.tell(order_id, payment_of(order_id, number, AUTHORIZED))

    async def _failed(self, order_id: str, number: int) -> None:
        await self._money.tell(order_id, payment_of(order_id, number, FAILED))

    async def _taken(self, order_id: str, number: int) -> None:
        self._becomes(order_id, payment_of(order_id, number, CAPTURED))

    async def _given_back(self, order_id: str, number: int) -> None:
        self._becomes(order_id, payment_of(order_id, number, CANCELED))

    def _becomes(self, order_id: str, payment: Payment) -> None:
        known = self._gateway.payments.get(order_id, [])
        if replace(payment, status=AUTHORIZED) in known:
            self._gateway.knows(order_id, payment)

    async def _callback(self, order_id: str) -> None:
        await self._money.delivery.deliver(hint_for(order_id))

    async def _half_a_day(self, order_id: str) -> None:
        await skip(self._money.env, self._repair(order_id), HALF_A_DAY)

    async def _doubt(self, order_id: str) -> None:
        line = Evidence(EvidenceKind.SETTLEMENT_FILE, "settlements.csv, line 7")
        reference = a_payment(order_id).reference
        await self._money.delivery.doubt(Doubt("fnd_1", "acme", order_id, reference, line))

    async def _lost(self, order_id: str) -> None:
        """Its state is lost, and the sweep takes up what is open."""
        if await self._terminate(order_id):
            await self._money.delivery.mind_cases(order_id)

    async def _word(self, order_id: str, remedy: Remedy) -> None:
        cases = (await self._money.reads.order_view(order_id)).cases
        waiting = [case for case in cases if case.status is CaseStatus.WAITING]
        for case in sorted(waiting, key=lambda one: (one.verdict, one.payment_reference))[:1]:
            if may_remedy(case.verdict, remedy):
                await self._money.say(case.case_id, remedy)
                return
            with pytest.raises(WorkflowUpdateFailedError):
                await self._money.say(case.case_id, remedy)

    async def _terminate(self, order_id: str) -> bool:
        runs_on = await is_at_rest(self._repair(order_id))
        if runs_on:
            await self._repair(order_id).terminate("lost")
        return runs_on

    async def _end(self, order_id: str) -> End:
        view = await self._money.reads.order_view(order_id)
        states = {CaseStatus.OPEN: WATCHED, CaseStatus.WAITING: WAITING}
        cases = [(c.verdict, states.get(c.status, str(c.outcome))) for c in view.cases]
        back = [r for r in view.refunds if r.refund.status is RefundStatus.SUCCEEDED]
        return view.order.status, sorted(cases), len(back)

    async def _kept(self, order_id: str) -> list[WorkflowHistory]:
        client = self._money.env.client
        refunds = (await self._money.reads.order_view(order_id)).refunds
        of = [repair_id(order_id), *(one.refund.refund_id for one in refunds)]
        return [history for each in of for history in await runs(client, each)]


def payment_of(order_id: str, number: int, status: PaymentStatus) -> Payment:
    return a_payment(order_id, status, number=number, amount=AMOUNTS.get(number, PRICE))


@pytest.fixture
async def stage(
    skipping_time: WorkflowEnvironment, sqlite_database: Database
) -> AsyncIterator[Stage]:
    gateway, policies = Gateway(), Policies(budget=Budget(10**6))
    money = MoneyWorld(skipping_time, sqlite_database, policies, gateway)
    async with money.worker():
        with skipping_time.with_time_skipping_disabled():
            yield Stage(money, gateway)


@in_time
@some
@given(batches(plays))
async def test_a_repair_ends_as_the_model_says(stage: Stage, every: list[Play]) -> None:
    await play_all(every, stage.play, model)
