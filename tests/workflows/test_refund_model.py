"""Whatever a refund is told, in any order: it ends as a model does, and every run replays."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.client import WorkflowHandle, WorkflowHistory
from temporalio.testing import WorkflowEnvironment

from db.engine import Database
from domain.errors import OutcomeUnknown, RequestRefused
from domain.news import EvidenceKind
from domain.orders import OrderStatus
from domain.policies import Patience, Policies
from domain.ports import RefundDraft
from domain.refunds import Refund, RefundNews, RefundStatus
from tests.support.fakes import FakeGateway, refund_news
from tests.workflows.money import MoneyWorld, now
from tests.workflows.plays import batches, in_time, is_at_rest, play_all, runs, skip, some
from workflows.refund import RefundWorkflow

pytestmark = pytest.mark.slow

REQUESTED, PENDING = RefundStatus.REQUESTED, RefundStatus.PENDING
REVIEW, SUCCEEDED, FAILED = (
    RefundStatus.NEEDS_REVIEW,
    RefundStatus.SUCCEEDED,
    RefundStatus.FAILED,
)
# Whatever was answered before, a day is long enough for one more question.
A_DAY = timedelta(days=1)
PATIENCE = Patience(slowest=timedelta(hours=18))

Step = tuple[str, RefundStatus | None]
End = tuple[RefundStatus, OrderStatus, int, int]

said = st.sampled_from([PENDING, SUCCEEDED, FAILED])
steps = st.one_of(
    st.tuples(st.sampled_from(["told", "becomes"]), said),
    st.tuples(st.sampled_from(["begun", "a_day", "odd", "lost"]), st.none()),
)


@dataclass(frozen=True)
class Play:
    """What the gateway answers first, if it takes it at all; then what happens."""

    answer: RefundStatus | None
    answer_is_lost: bool
    steps: tuple[Step, ...]


plays = st.builds(
    Play,
    st.none() | said,
    st.integers(0, 3).map(lambda number: number == 0),
    st.lists(steps, max_size=6).map(tuple),
)


@dataclass
class Model:
    """A refund by the rules alone; the highest rank wins, and silence is for a person."""

    answer: RefundStatus | None
    status: RefundStatus = REQUESTED
    truth: RefundStatus | None = None
    is_running: bool = False
    sent = letters = 0

    @property
    def end(self) -> End:
        order = OrderStatus.REFUNDED if self.status is SUCCEEDED else OrderStatus.PAID
        return self.status, order, self.letters, self.sent

    def begun(self) -> None:
        if self.is_running or self.status.is_final:
            return
        if self.status is REQUESTED:
            self.truth, self.sent = self.answer, int(self.answer is not None)
            self._hears(self.answer or FAILED)
        else:
            self._hears(self.status)

    def told(self, status: RefundStatus) -> None:
        if status.rank > self.status.rank:
            self._hears(status)

    def odd(self) -> None:
        self.told(REVIEW)

    def becomes(self, status: RefundStatus) -> None:
        self.truth = self.truth and status

    def a_day(self) -> None:
        if self.is_running and self.truth:
            self._hears(self.truth)

    def lost(self) -> None:
        self.is_running = False

    def ten_days(self) -> None:
        self.a_day()
        if self.is_running:
            self._hears(REVIEW)

    def _hears(self, status: RefundStatus) -> None:
        self.status = max(self.status, status, key=lambda one: one.rank)
        self.is_running = not self.status.is_final
        self.letters += self.status is SUCCEEDED


def model(play: Play) -> End:
    refund = Model(play.answer)
    for name, status in play.steps:
        getattr(refund, name)(*[status] * bool(status))
    refund.begun()
    refund.ten_days()
    return refund.end


class Gateway(FakeGateway):
    """Answers each refund as its play says."""

    def __init__(self) -> None:
        super().__init__()
        self.plays: dict[str, Play] = {}

    async def refund(self, draft: RefundDraft) -> RefundNews:
        play = self.plays[draft.refund_id]
        if play.answer is None:
            raise RequestRefused("the balance is too low")
        news = await super().refund(draft)
        self.refunds[draft.refund_id] = replace(news, status=play.answer)
        if play.answer_is_lost:
            raise OutcomeUnknown("lost")
        return self.refunds[draft.refund_id]


class Stage:
    """The same steps for a real refund, its gateway and Delivery."""

    def __init__(self, money: MoneyWorld, gateway: Gateway) -> None:
        self._money, self._gateway = money, gateway

    async def play(self, play: Play) -> tuple[End, list[WorkflowHistory]]:
        order_id = await self._money.ended(OrderStatus.PAID)
        refund = await self._money.reserved(order_id)
        self._gateway.plays[refund.refund_id] = play
        for name, status in [*play.steps, ("begun", None), ("ten_days", None)]:
            await getattr(self, f"_{name}")(refund, *[status] * bool(status))
            await is_at_rest(self._run(refund))
        return await self._end(refund), await runs(self._money.env.client, refund.refund_id)

    def _run(self, refund: Refund) -> WorkflowHandle[RefundWorkflow, RefundStatus]:
        return self._money.refund_run(refund)

    async def _begun(self, refund: Refund) -> None:
        """What the sweep does with a refund that is not finished."""
        known = await self._money.refunds.refund(refund.refund_id)
        if not known.status.is_final:
            await self._money.delivery.mind_refund(known)

    async def _told(self, refund: Refund, status: RefundStatus) -> None:
        await self._hear(refund, status, refund.amount.minor)

    async def _odd(self, refund: Refund) -> None:
        await self._hear(refund, SUCCEEDED, 1)

    async def _hear(self, refund: Refund, status: RefundStatus, minor: int) -> None:
        kind, payment = EvidenceKind.WEBHOOK, refund.payment_reference
        news = refund_news(refund.refund_id, status, payment, minor, kind)
        await self._money.delivery.deliver_refund(news, now())

    async def _becomes(self, refund: Refund, status: RefundStatus) -> None:
        if known := self._gateway.refunds.get(refund.refund_id):
            self._gateway.refunds[refund.refund_id] = replace(known, status=status)

    async def _a_day(self, refund: Refund) -> None:
        await skip(self._money.env, self._run(refund), A_DAY)

    async def _ten_days(self, refund: Refund) -> None:
        await skip(self._money.env, self._run(refund))

    async def _lost(self, refund: Refund) -> None:
        if await is_at_rest(self._run(refund)):
            await self._run(refund).terminate("lost")

    async def _end(self, refund: Refund) -> End:
        known = await self._money.refunds.refund(refund.refund_id)
        assert known.order_id
        letters = Counter(self._money.letters.refunds_told)[refund.refund_id]
        sent = int(refund.refund_id in self._gateway.refunds)
        return known.status, await self._money.status(known.order_id), letters, sent


@pytest.fixture
async def stage(
    skipping_time: WorkflowEnvironment, sqlite_database: Database
) -> AsyncIterator[Stage]:
    gateway = Gateway()
    money = MoneyWorld(skipping_time, sqlite_database, Policies(refund_patience=PATIENCE), gateway)
    async with money.worker():
        with skipping_time.with_time_skipping_disabled():
            yield Stage(money, gateway)


@in_time
@some
@given(batches(plays))
async def test_a_refund_ends_as_the_model_says(stage: Stage, every: list[Play]) -> None:
    await play_all(every, stage.play, model)
