"""What a checkout knows, and what follows from it: the rules, without the waiting."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from domain.cases import Case, late_verdict
from domain.keys import attempt_of, capture_key, link_key
from domain.money import Money
from domain.news import Evidence, EvidenceKind, PaymentNews, fold
from domain.orders import Order, OrderStatus
from domain.payments import Payment, PaymentLink, PaymentStatus
from domain.policies import Notices, Timetable

FIRST_LINK = 1


@dataclass(frozen=True)
class CheckoutPlan:
    """All that a checkout takes from the order and the settings, fixed when it starts.

    If its gateway cannot make a link, the `fallbacks` are asked, one after the other. A link of a
    gateway that is in `powerless` takes no money unless we take it.
    """

    order_id: str
    gateway: str
    price: Money
    link_key: str
    timetable: Timetable = field(default_factory=Timetable)
    notices: Notices = field(default_factory=Notices)
    fallbacks: tuple[str, ...] = ()
    powerless: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, order: Order, timetable: Timetable, notices: Notices | None = None, key: str = ""
    ) -> Self:
        """The plan for the order's first link, or for the one of that key."""
        key, notices = key or link_key(order.order_id, FIRST_LINK), notices or Notices()
        return cls(order.order_id, order.gateway, order.amount, key, timetable, notices)

    def by_the_next(self) -> Self:
        """The same with the next gateway, and a link of its own."""
        gateway, *others = self.fallbacks
        key = link_key(self.order_id, attempt_of(self.link_key) + 1)
        return replace(self, gateway=gateway, link_key=key, fallbacks=tuple(others))


@dataclass(frozen=True)
class LinkOrder:
    """The wish for a link; the customer may pay through it until `closes_at`.

    `gateway` is None where it is the order's own.
    """

    order_id: str
    key: str
    asked_at: datetime
    closes_at: datetime
    gateway: str | None = None


@dataclass(frozen=True)
class LinkOpened:
    """The link; or none, when the order had ended before one was asked for."""

    order_status: OrderStatus
    link: PaymentLink | None = None


@dataclass(frozen=True)
class LinkQuery:
    """What a gateway is asked about: our key always, its own reference once that is known."""

    order_id: str
    gateway: str
    key: str
    reference: str | None = None


@dataclass(frozen=True)
class CaptureOrder:
    """The wish to take a payment that was only authorized."""

    query: LinkQuery
    payment: Payment


@dataclass(frozen=True)
class LinkCapture:
    """The wish to take the money of a link that its customer has approved, under a key of ours."""

    query: LinkQuery
    key: str


@dataclass(frozen=True)
class Standing:
    """What is recorded of an order."""

    status: OrderStatus
    payments: tuple[Payment, ...] = ()
    cancel_requested: bool = False

    def explains(self, news: PaymentNews) -> bool:
        """Whether the news is old: nothing in it could change or add to what is recorded."""
        if self.status.is_open:
            return False
        if news.is_hint:
            paid = self.status.is_fulfilled and news.mentions is None
            return paid or f"{news.gateway}:{news.mentions}" in self._captured
        return all(self.knows(p) or not p.status.moves_money for p in news.payments)

    def knows(self, payment: Payment) -> bool:
        """Whether that much, or more, is recorded of the payment."""
        return any(p.identity == payment.identity and p.covers(payment) for p in self.payments)

    @property
    def _captured(self) -> set[str]:
        return {p.identity for p in self.payments if p.status is PaymentStatus.CAPTURED}


@dataclass(frozen=True)
class Conclusion:
    """How an order ended, and the proof of it; `payment` is the one that fulfils the order."""

    order_id: str
    status: OrderStatus
    evidence: Evidence
    concluded_at: datetime
    payment: Payment | None = None
    others: tuple[Payment, ...] = ()
    cases: tuple[Case, ...] = ()

    @property
    def standing(self) -> Standing:
        fulfilling = (self.payment,) if self.payment else ()
        return Standing(self.status, fulfilling + self.others)

    def as_news(self, gateway: str) -> PaymentNews:
        """All that was known at the end, for whoever must deal with it if the order cannot."""
        return PaymentNews(gateway, self.order_id, self.evidence, self.standing.payments)


@dataclass
class Checkout:
    """The knowledge of one checkout. It learns in any order, and concludes only on proof."""

    plan: CheckoutPlan
    started_at: datetime
    link: PaymentLink | None = None
    cancel_requested: bool = False
    payments: dict[str, Payment] = field(default_factory=dict)
    last_evidence: Evidence | None = None
    queries: int = 0
    _refusal: Evidence | None = None
    _link_ended: bool = False
    _final_answer: Evidence | None = None
    _seen_by_query: set[str] = field(default_factory=set)
    _proofs: dict[str, Evidence] = field(default_factory=dict)
    _asks: list[datetime] = field(default_factory=list)
    _closing_since: datetime | None = None
    _retry_at: datetime | None = None
    _approved: bool = False
    _captures: int = 1
    _capture_in_doubt_since: datetime | None = None
    _capture_at: datetime | None = None

    def __post_init__(self) -> None:
        self._asks = self.plan.timetable.quiet_asks(self.started_at)

    @property
    def to_capture(self) -> Payment | None:
        """What the order still wants and the gateway has not taken, though a query has shown it."""
        if self.cancel_requested or self._captured(matching=True):
            return None
        return next((p for p in self.payments.values() if self._is_capturable(p)), None)

    @property
    def capture_key(self) -> str:
        """For the money of an approved link: the same until that capture has been answered."""
        return capture_key(self.plan.link_key, self._captures)

    @property
    def window_ends(self) -> datetime:
        return self.started_at + self.plan.timetable.window

    def fall_back(self) -> None:
        """Go on with the next gateway: what was heard of one link says nothing of another."""
        self.plan = self.plan.by_the_next()
        self.link, self._final_answer = None, None
        self._link_ended = self._approved = False

    def learn(self, news: PaymentNews, now: datetime) -> None:
        """Join news into what is known; a hint only brings the next query forward."""
        if news.gateway != self.plan.gateway:
            # Of a gateway that we left, only its money counts.
            news = replace(news, link=None, awaits_capture=False)
        if news.is_hint:
            self._asks = sorted({*self._asks, *self.plan.timetable.hinted_asks(now)})
            return
        before = self.payments
        self.payments = fold(before.values(), news.payments)
        changed = [key for key, payment in self.payments.items() if before.get(key) != payment]
        self._proofs |= dict.fromkeys(changed, news.evidence)
        self.last_evidence = news.evidence
        self._approved |= news.awaits_capture
        if news.evidence.kind is EvidenceKind.STATUS_QUERY:
            self._seen_by_query |= {payment.identity for payment in news.payments}
        self._link_ended |= news.link is not None and not news.link.is_live
        if news.is_final_answer:
            self._final_answer = news.evidence
        elif changed and self._retry_at and news.evidence.kind is not EvidenceKind.STATUS_QUERY:
            # It may have settled what the last query left in doubt; only a query can tell.
            self._retry_at = now

    def refuse(self, reason: str) -> None:
        """The gateway makes no link for this order, so that nothing can be paid."""
        self._refusal = Evidence(EvidenceKind.LINK_REFUSED, reason)

    def asked(self, now: datetime, *, closing: bool) -> None:
        """A query was made, answered or not; the one after it is due later."""
        self.queries += 1
        self._asks = [ask for ask in self._asks if ask > now]
        if closing:
            self._closing_since = self._closing_since or now
            self._retry_at = now + self.plan.timetable.pause(now - self._closing_since)

    def captured_link(self, now: datetime, *, answered: bool) -> None:
        """An approved link was captured; without an answer the same call is due once more."""
        if answered:
            self._approved, self._capture_in_doubt_since, self._capture_at = False, None, None
            self._captures += 1
            return
        self._capture_in_doubt_since = self._capture_in_doubt_since or now
        self._capture_at = now + self.plan.timetable.pause(now - self._capture_in_doubt_since)

    def wants_link_captured(self, now: datetime) -> bool:
        """Within the window; and after it if an answer was lost, since money may have moved."""
        in_doubt = self._capture_in_doubt_since is not None
        return in_doubt or (self._approved and not self.is_closing(now))

    def is_closing(self, now: datetime) -> bool:
        """Whether it is time to end: the window is over, somebody canceled, or money is wrong."""
        over = now >= self.window_ends or self.cancel_requested
        return over or self._link_ended or bool(self._captured(matching=False))

    def is_in_long_doubt(self, now: datetime) -> bool:
        """Whether it has been closing for so long that the customer is told of the doubt."""
        after = self.plan.notices.doubt_after
        since = self._closing_since
        return after is not None and since is not None and now - since >= after

    def next_ask(self, now: datetime) -> datetime:
        """When the gateway is asked next, if no news settles it before; `now` if it is due."""
        if self.wants_link_captured(now):
            return max(self._capture_at or now, now)
        if self.is_closing(now):
            return max(min([*self._asks, self._retry_at]), now) if self._retry_at else now
        if self._asks and self.queries < self.plan.timetable.queries_in_window:
            return min(max(self._asks[0], now), self.window_ends)
        return self.window_ends

    def conclusion(self, now: datetime) -> Conclusion | None:
        """How the order ends, or None while that is not certain."""
        if good := self._captured(matching=True):
            return self._ended(OrderStatus.PAID, self._proofs[good[0].identity], now, good[0])
        if self._refusal:
            return self._ended(OrderStatus.FAILED, self._refusal, now)
        if not self._final_answer or self._capture_in_doubt_since:
            return None
        if wrong := self._captured(matching=False):
            return self._ended(OrderStatus.NEEDS_REVIEW, self._proofs[wrong[0].identity], now)
        if any(payment.status.may_still_capture for payment in self.payments.values()):
            return None
        return self._ended(self._end_without_money(), self._final_answer, now)

    def _is_capturable(self, payment: Payment) -> bool:
        authorized = payment.status is PaymentStatus.AUTHORIZED
        asked = payment.identity in self._seen_by_query
        return authorized and asked and payment.matches(self.plan.price)

    def _captured(self, *, matching: bool) -> list[Payment]:
        return [
            payment
            for payment in self.payments.values()
            if payment.status is PaymentStatus.CAPTURED
            and payment.matches(self.plan.price) is matching
        ]

    def _end_without_money(self) -> OrderStatus:
        if self.cancel_requested:
            return OrderStatus.CANCELED
        attempted = any(p.status is PaymentStatus.FAILED for p in self.payments.values())
        return OrderStatus.FAILED if attempted else OrderStatus.EXPIRED

    def _ended(
        self, status: OrderStatus, proof: Evidence, now: datetime, payment: Payment | None = None
    ) -> Conclusion:
        others = tuple(other for other in self.payments.values() if other != payment)
        cases = tuple(case for other in others if (case := self._case(other, payment is not None)))
        return Conclusion(self.plan.order_id, status, proof, now, payment, others, cases)

    def _case(self, payment: Payment, order_is_paid: bool) -> Case | None:
        verdict = late_verdict(payment, self.plan.price, order_is_paid=order_is_paid)
        proof = self._proofs[payment.identity]
        return Case(self.plan.order_id, verdict, payment, proof) if verdict else None
