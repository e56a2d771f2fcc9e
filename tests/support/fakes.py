"""Stand-ins that implement our Protocols in memory, for tests that are about workflows."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from domain.cases import Case, CaseOutcome, CaseRecord, Decision, OrderPolicy
from domain.checkouts import Conclusion, LinkOrder, LinkQuery, Standing
from domain.disputes import Dispute
from domain.errors import (
    CaseNotFound,
    GatewayUnavailable,
    OrderNotFound,
    RefundNotFound,
    RefundRefused,
)
from domain.events import GatewayEvent
from domain.findings import Doubt
from domain.keys import wire_key
from domain.money import Money
from domain.news import Evidence, EvidenceKind, PaymentNews, fold
from domain.orders import LatePolicy, Order, OrderStatus
from domain.payments import LinkStatus, Payment, PaymentLink, PaymentStatus
from domain.policies import Budget
from domain.ports import (
    Delivery,
    Destination,
    LinkAttempt,
    LinkDraft,
    News,
    RefundAttempt,
    RefundDraft,
)
from domain.reconciliations import Period
from domain.refunds import Refund, RefundNews, RefundQuery, RefundStatus, RefundWish
from domain.repairs import Retraction
from domain.settlements import Chunk, Report
from gateways.base import Callback, Capabilities, LinkRequest

PRICE = Money(49900, "INR")


def an_order(order_id: str) -> Order:
    return Order(
        order_id=order_id,
        client="shop",
        amount=PRICE,
        gateway="acme",
        status=OrderStatus.CREATED,
        late_policy=LatePolicy.REFUND,
        result_token="token",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def a_payment(
    status: PaymentStatus = PaymentStatus.CAPTURED,
    reference: str = "pay_1",
    amount: Money = PRICE,
) -> Payment:
    return Payment("acme", reference, status, amount, method="upi")


def news_of(
    order_id: str,
    *payments: Payment,
    kind: EvidenceKind = EvidenceKind.WEBHOOK,
    link: LinkStatus | None = None,
    approved: bool = False,
) -> PaymentNews:
    evidence = Evidence(kind, "evt_1")
    return PaymentNews("acme", order_id, evidence, payments, link, awaits_capture=approved)


def hint_for(order_id: str, mentions: str | None = None) -> PaymentNews:
    evidence = Evidence(EvidenceKind.CALLBACK, "callback")
    return PaymentNews("acme", order_id, evidence, mentions=mentions)


def refund_news(
    refund_id: str,
    status: RefundStatus = RefundStatus.SUCCEEDED,
    payment_reference: str = "pay_1",
    minor: int = PRICE.minor,
    kind: EvidenceKind = EvidenceKind.STATUS_QUERY,
) -> RefundNews:
    return RefundNews(
        gateway="acme",
        refund_id=refund_id,
        status=status,
        evidence=Evidence(kind, f"{refund_id} {status}"),
        payment_reference=payment_reference,
        amount=Money(minor, PRICE.currency),
        reference=f"rfnd_{refund_id}",
        failure="bank" if status is RefundStatus.FAILED else None,
    )


class FakeOrders:
    """Orders in memory."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.drafts: dict[str, LinkDraft] = {}
        self.ended: set[str] = set()
        self.links: dict[str, PaymentLink] = {}
        self.conclusions: dict[str, Conclusion] = {}
        self.cases: list[Case] = []
        self.failures: list[Exception] = []
        self.given_up: list[str] = []
        self.untouched = 0

    def add(self, order: Order) -> None:
        self.orders[order.order_id] = order

    async def order(self, order_id: str) -> Order:
        if order_id not in self.orders:
            raise OrderNotFound(order_id)
        return self.orders[order_id]

    async def standing(self, order_id: str) -> Standing:
        order = await self.order(order_id)
        concluded = self.conclusions.get(order_id)
        payments = concluded.standing.payments if concluded else ()
        late = tuple(case.payment for case in self.cases_of(order_id))
        return Standing(order.status, payments + late, order.cancel_requested)

    def cases_of(self, order_id: str) -> list[Case]:
        return [case for case in self.cases if case.order_id == order_id]

    def end(self, order_id: str, status: OrderStatus) -> None:
        """End the order behind everybody's back."""
        self._set_status(order_id, status)

    def request_cancel(self, order_id: str) -> None:
        self.orders[order_id] = replace(self.orders[order_id], cancel_requested=True)

    async def begin_link(self, wish: LinkOrder, draft: LinkDraft, token: str) -> LinkAttempt:
        order = await self.order(wish.order_id)
        if not order.status.is_open:
            return LinkAttempt(order.status)
        self._set_status(wish.order_id, OrderStatus.AWAITING_PAYMENT)
        live = [key for key in self.drafts if key not in self.ended and key != wish.key]
        assert not [key for key in live if key.startswith(f"{wish.order_id}:")], "two live links"
        if wish.gateway:
            self.orders[wish.order_id] = replace(self.orders[wish.order_id], gateway=wish.gateway)
        repeated = wish.key in self.drafts
        stored = self.drafts.setdefault(wish.key, draft)
        link = self.links.get(wish.key)
        return LinkAttempt(OrderStatus.AWAITING_PAYMENT, stored, link, repeated)

    async def latest_link(self, order_id: str) -> str | None:
        return next((key for key in reversed(self.drafts) if key.startswith(f"{order_id}:")), None)

    async def stored_link(self, key: str) -> LinkAttempt | None:
        if key not in self.drafts:
            return None
        order_id = self.drafts[key].body
        return LinkAttempt(self.orders[order_id].status, self.drafts[key], self.links.get(key))

    async def keep_link(self, link: PaymentLink) -> bool:
        self.links.setdefault(link.key, link)
        return link.key not in self.ended

    async def end_link(self, key: str, status: LinkStatus, at: datetime) -> bool:
        if status is LinkStatus.MISSING and key in self.links:
            return key in self.ended
        self.ended.add(key)
        if status is LinkStatus.MISSING:
            self.given_up.append(key)
        if key in self.links:
            self.links[key] = replace(self.links[key], status=status)
        return True

    async def late_links(self, at: datetime, limit: int) -> list[LinkQuery]:
        return [LinkQuery(key.partition(":")[0], "acme", key) for key in self.given_up]

    async def looked_for(self, key: str) -> None:
        self.given_up.remove(key)

    async def conclude(self, conclusion: Conclusion) -> OrderStatus:
        if self.failures:
            raise self.failures.pop(0)
        order = await self.order(conclusion.order_id)
        if order.status.is_open:
            self.conclusions[conclusion.order_id] = conclusion
            self.cases += conclusion.cases
            self._set_status(conclusion.order_id, conclusion.status)
        return self.orders[conclusion.order_id].status

    async def retract(self, retraction: Retraction, at: datetime) -> OrderStatus:
        self._set_status(retraction.order_id, OrderStatus.CANCELED)
        return OrderStatus.CANCELED

    async def expire_untouched(self, older_than: timedelta, at: datetime) -> int:
        some = min(self.untouched, 2)
        self.untouched -= some
        return some

    async def awaiting(self, older_than: timedelta, at: datetime, limit: int) -> list[Order]:
        return [o for o in self.orders.values() if o.status is OrderStatus.AWAITING_PAYMENT]

    def _set_status(self, order_id: str, status: OrderStatus) -> None:
        self.orders[order_id] = replace(self.orders[order_id], status=status)


class FakeCases:
    """Cases are opened beside the orders, and left to whoever wants to look at them."""

    def __init__(self, orders: FakeOrders) -> None:
        self._orders = orders
        self.unclaimed: list[Case] = []

    async def open_case(self, case: Case, at: datetime) -> bool:
        if case.order_id is None:
            self.unclaimed.append(case)
            return True
        known = [(c.verdict, c.payment.identity) for c in self._orders.cases_of(case.order_id)]
        if (case.verdict, case.payment.identity) in known:
            return False
        self._orders.cases.append(case)
        return True

    async def open_cases(self, subject: str) -> tuple[CaseRecord, ...]:
        return ()

    async def case(self, case_id: str) -> CaseRecord:
        raise CaseNotFound(case_id)

    async def order_policy(self, order_id: str) -> OrderPolicy:
        raise OrderNotFound(order_id)

    async def await_word(self, case_id: str, why: str, at: datetime) -> None: ...

    async def decide(self, decision: Decision, at: datetime) -> bool:
        return False

    async def honour(self, case_id: str, at: datetime) -> str | None:
        raise CaseNotFound(case_id)

    async def settle(
        self, case_id: str, outcome: CaseOutcome, refund_id: str | None, at: datetime
    ) -> None: ...

    async def subjects_unattended(
        self, older_than: timedelta, at: datetime, limit: int
    ) -> list[str]:
        return []


class FakeRefunds:
    """There are no refunds."""

    async def reserve(self, wish: RefundWish, budget: Budget | None, at: datetime) -> Refund | None:
        raise RefundRefused("there are no refunds here")

    async def refund(self, refund_id: str) -> Refund:
        raise RefundNotFound(refund_id)

    async def begin_refund(self, draft: RefundDraft, at: datetime) -> RefundAttempt:
        raise RefundNotFound(draft.refund_id)

    async def record_refund(self, news: RefundNews, at: datetime) -> Refund:
        raise RefundNotFound(news.payment_reference)

    async def unattended_refunds(
        self, older_than: timedelta, at: datetime, limit: int
    ) -> list[Refund]:
        return []


@dataclass
class FakeInbox:
    """Stored webhooks by row; None is one whose order is not known."""

    rows: dict[int, News | None] = field(default_factory=dict)
    done: list[int] = field(default_factory=list)
    put_off: list[int] = field(default_factory=list)

    async def due(self, older_than: timedelta, at: datetime, limit: int) -> list[int]:
        return [row for row in self.rows if row not in self.done]

    async def news(self, row: int) -> News | None:
        return self.rows[row]

    async def forwarded(self, row: int, at: datetime) -> None:
        self.done.append(row)

    async def postponed(self, row: int, at: datetime) -> None:
        self.put_off.append(row)

    async def record_dispute(self, dispute: Dispute, at: datetime) -> None: ...

    async def unresolved(self, older_than: timedelta, at: datetime, limit: int) -> list[int]:
        return []

    async def unclaimed(self, row: int) -> Case:
        raise OrderNotFound(f"inbox row {row}")


@dataclass
class FakeLetters:
    """Letters that wait until they are `allowed`, fail as often as lined up, then go out."""

    confirmed: list[str] = field(default_factory=list)
    refunds_told: list[str] = field(default_factory=list)
    doubts_told: list[str] = field(default_factory=list)
    expiries_told: list[str] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    allowed: asyncio.Event | None = None

    async def confirm(self, order_id: str) -> None:
        self.begun.set()
        if self.allowed:
            await self.allowed.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.confirmed.append(order_id)

    async def tell_refund(self, refund_id: str) -> None:
        self.refunds_told.append(refund_id)

    async def tell_doubt(self, order_id: str) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.doubts_told.append(order_id)

    async def tell_expiry(self, order_id: str) -> None:
        self.expiries_told.append(order_id)


@dataclass
class FakeDelivery:
    """Notes what is delivered, and passes it on if somebody is there to take it."""

    delivered: list[PaymentNews] = field(default_factory=list)
    refunds: list[RefundNews] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    through: Delivery | None = None

    async def deliver(self, news: PaymentNews) -> Destination:
        self.delivered.append(news)
        self.arrived.set()
        return await self.through.deliver(news) if self.through else Destination.REPAIR

    async def deliver_refund(self, news: RefundNews, at: datetime) -> Destination:
        self.refunds.append(news)
        if self.through:
            return await self.through.deliver_refund(news, at)
        return Destination.REFUND

    async def doubt(self, doubt: Doubt) -> None:
        self.doubts.append(doubt)
        if self.through:
            await self.through.doubt(doubt)

    async def forward(self, row: int, at: datetime) -> Destination | None:
        return await self.through.forward(row, at) if self.through else None

    async def adopt(self, order: Order) -> bool:
        return await self.through.adopt(order) if self.through else False

    async def mind_refund(self, refund: Refund) -> bool:
        return await self.through.mind_refund(refund) if self.through else False

    async def mind_cases(self, subject: str) -> bool:
        return await self.through.mind_cases(subject) if self.through else False

    async def call_repair(self, subject: str) -> None:
        if self.through:
            await self.through.call_repair(subject)


class FakeGateway:
    """A gateway whose truth a test sets, and whose failures it lines up."""

    hears_webhooks = False
    capabilities = Capabilities(
        currencies=frozenset({"INR"}),
        lookup_by_order_id=True,
        can_cancel_link=True,
        shortest_link_life=timedelta(minutes=16),
        longest_link_life=timedelta(days=180),
    )

    def __init__(self, name: str = "acme") -> None:
        self.name = name
        self.links: dict[str, PaymentLink] = {}
        self.payments: dict[str, list[Payment]] = {}
        self.calls: list[str] = []
        self.create_errors: list[Exception] = []
        self.ask_errors: list[Exception] = []
        self.created_although_failed = False
        self.capture_errors: list[Exception] = []
        self.approved: set[str] = set()
        self.approval = a_payment()
        self.captured_although_failed = False
        self.stays_open = False
        self.capture_keys: list[str] = []
        self.refunds: dict[str, RefundNews] = {}
        self.refund_errors: list[Exception] = []
        self.refunded_although_failed = False
        self.refund_status = RefundStatus.SUCCEEDED
        self.is_down: Callable[[], bool] = lambda: False
        self.retry_after: timedelta | None = timedelta(milliseconds=20)
        self.allowed: asyncio.Event | None = None
        self.chunks: list[Chunk] = []
        self._called = asyncio.Event()

    async def until_called(self, call: str, times: int = 1) -> None:
        while self.calls.count(call) < times:
            self._called.clear()
            await self._called.wait()

    def pay(self, order_id: str, payment: Payment) -> None:
        self.payments.setdefault(order_id, []).append(payment)

    def knows(self, order_id: str, payment: Payment) -> None:
        """From now on it knows this much, or more, of the payment."""
        self.payments[order_id] = list(fold(self.payments.get(order_id, []), [payment]).values())

    def draft_link(self, request: LinkRequest) -> LinkDraft:
        return LinkDraft(request.key, wire_key(request.key), request.order_id)

    async def create_payment_link(self, draft: LinkDraft) -> PaymentLink:
        await self._begin("create")
        if self.create_errors and not self.created_although_failed:
            raise self.create_errors.pop(0)
        if self.capabilities.lookup_by_order_id:
            assert draft.key not in self.links, "a second link for one key"
        expires = datetime(2030, 1, 1, tzinfo=UTC)
        url = f"https://{self.name}.example/{draft.wire_key}"
        link = PaymentLink(self.name, draft.key, "plink_1", url, expires)
        link = self.links.setdefault(draft.key, link)
        if self.create_errors:
            raise self.create_errors.pop(0)
        return link

    async def find_payment_link(self, key: str) -> PaymentLink | None:
        await self._begin("find")
        return self.links.get(key)

    async def ask(self, query: LinkQuery) -> PaymentNews:
        await self._begin("ask")
        if self.ask_errors:
            raise self.ask_errors.pop(0)
        link = self.links.get(query.key)
        payments = self.payments.get(query.order_id, [])
        news = news_of(
            query.order_id,
            *payments,
            kind=EvidenceKind.STATUS_QUERY,
            link=link.status if link else LinkStatus.MISSING,
            approved=query.order_id in self.approved,
        )
        return replace(news, gateway=self.name)

    async def ask_payment(self, order_id: str, reference: str) -> PaymentNews:
        await self._begin("ask_payment")
        if self.ask_errors:
            raise self.ask_errors.pop(0)
        found = [p for p in self.payments.get(order_id, []) if p.reference == reference]
        return news_of(order_id, *found, kind=EvidenceKind.STATUS_QUERY)

    def read_file(self, file: BinaryIO, cursor: str) -> Iterator[Chunk]:
        yield from self.chunks[int(cursor or 0) :]

    async def read_report(
        self, report: Report, period: Period, cursor: str
    ) -> AsyncIterator[Chunk]:
        await self._begin(f"report {report}")
        for chunk in self.chunks[int(cursor or 0) :]:
            yield chunk

    async def close_payment_link(self, query: LinkQuery) -> None:
        await self._begin("close")
        link = self.links.get(query.key)
        if link and link.status is LinkStatus.OPEN and not self.stays_open:
            self.links[query.key] = replace(link, status=LinkStatus.CLOSED)

    async def capture(self, payment: Payment) -> Payment:
        await self._begin("capture")
        if self.capture_errors:
            raise self.capture_errors.pop(0)
        captured = replace(payment, status=PaymentStatus.CAPTURED)
        for known in self.payments.values():
            known[:] = [captured if p.identity == payment.identity else p for p in known]
        return captured

    async def capture_link(self, query: LinkQuery, key: str) -> PaymentNews:
        """An approved link is captured once; the answer to that may be lost, or be a decline."""
        await self._begin("capture_link")
        self.capture_keys.append(key)
        if self.capture_errors and not self.captured_although_failed:
            raise self.capture_errors.pop(0)
        if query.order_id in self.approved:
            self.approved.remove(query.order_id)
            self.pay(query.order_id, replace(self.approval, amount=PRICE))
            if self.approval.status is PaymentStatus.CAPTURED:
                self.links[query.key] = replace(self.links[query.key], status=LinkStatus.PAID)
        if self.capture_errors:
            raise self.capture_errors.pop(0)
        return await self.ask(query)

    def draft_refund(self, refund: Refund) -> RefundDraft:
        key = wire_key(refund.refund_id)
        return RefundDraft(
            refund.refund_id, refund.payment_reference, key, str(refund.amount.minor)
        )

    async def refund(self, draft: RefundDraft) -> RefundNews:
        await self._begin("refund")
        if self.refund_errors and not self.refunded_although_failed:
            raise self.refund_errors.pop(0)
        assert draft.refund_id not in self.refunds, "a second refund for one key"
        self.refunds[draft.refund_id] = refund_news(
            draft.refund_id, self.refund_status, draft.payment_reference, int(draft.body)
        )
        if self.refund_errors:
            raise self.refund_errors.pop(0)
        return self.refunds[draft.refund_id]

    async def ask_refund(self, query: RefundQuery) -> RefundNews | None:
        await self._begin("ask_refund")
        if self.ask_errors:
            raise self.ask_errors.pop(0)
        return self.refunds.get(query.refund_id)

    def read_callback(self, parameters: Mapping[str, str]) -> Callback:
        raise NotImplementedError

    async def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> GatewayEvent:
        raise NotImplementedError

    async def _begin(self, call: str) -> None:
        self.calls.append(call)
        self._called.set()
        if self.allowed:
            await self.allowed.wait()
        if self.is_down():
            raise GatewayUnavailable("not connected", self.retry_after)
