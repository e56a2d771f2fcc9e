"""What a comparison with the orders finds, and what becomes of it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from domain.money import Money
from domain.news import Evidence
from domain.payments import Payment, PaymentStatus
from domain.refunds import RefundNews, RefundStatus


class Match(StrEnum):
    """Every row on either side lands in exactly one of these.

    The first four are the scenarios, order first: `fail` is an order, or an attempt to pay it,
    that we do not count as paid. `expected` is one-sided or undecided, and still too young to be
    missing. `repeated` is a row that says again what another row of the file has said, `other` is
    no payment and no refund.
    """

    OK_PAID = "ok_paid"
    FAIL_FAIL = "fail_fail"
    FAIL_PAID = "fail_paid"
    OK_UNPAID = "ok_unpaid"
    MISSING_IN_ORDERS = "missing_in_orders"
    MISSING_AT_GATEWAY = "missing_at_gateway"
    AMOUNT_MISMATCH = "amount_mismatch"
    CURRENCY_MISMATCH = "currency_mismatch"
    DUPLICATE_PAYMENT = "duplicate_payment"
    REFUND_MISMATCH = "refund_mismatch"
    REFUND_OK = "refund_ok"
    EXPECTED = "expected"
    REPEATED = "repeated"
    OTHER = "other"

    @property
    def is_finding(self) -> bool:
        """Whether its rows are kept one by one, since somebody has to do something about them."""
        return self in FINDINGS


FINDINGS = frozenset(
    {
        Match.FAIL_PAID,
        Match.OK_UNPAID,
        Match.MISSING_IN_ORDERS,
        Match.MISSING_AT_GATEWAY,
        Match.AMOUNT_MISMATCH,
        Match.CURRENCY_MISMATCH,
        Match.DUPLICATE_PAYMENT,
        Match.REFUND_MISMATCH,
    }
)


class Plan(StrEnum):
    """What is to be done about a finding.

    `tell` brings the row to a running checkout or refund; `honour` and `refund` to the repair of
    an order that has ended, which decides; `ask` has the gateway asked before anything is
    changed; `case` waits for an operator; `none` was dealt with before.
    """

    TELL = "tell"
    HONOUR = "honour"
    REFUND = "refund"
    ASK = "ask"
    CASE = "case"
    NONE = "none"


class RepairState(StrEnum):
    """`planned` is yet to be done, or is not done because the run is dry.

    `known` was dealt with before; `left` cannot be dealt with by itself, the note says why.
    """

    PLANNED = "planned"
    HANDED_OVER = "handed_over"
    KNOWN = "known"
    LEFT = "left"


class Answer(StrEnum):
    """What the gateway said when it was asked about a finding."""

    CONFIRMED = "confirmed"
    RETRACTED = "retracted"
    CASE = "case"


@dataclass(frozen=True)
class Finding:
    """One disagreement of a run: at most one per gateway, reference and match.

    `reference` names the payment or refund; `file_amount` is None where the file has no such row,
    `our_amount` where we have none.
    """

    finding_id: str
    run_id: str
    match: Match
    plan: Plan
    gateway: str
    reference: str
    evidence: Evidence
    occurred_at: datetime
    order_id: str | None = None
    payment_reference: str | None = None
    refund_id: str | None = None
    file_status: str | None = None
    file_amount: Money | None = None
    our_amount: Money | None = None
    method: str | None = None
    is_refund: bool = False

    @property
    def payment(self) -> Payment:
        """The payment as the file tells it. Raises `ValueError` for a row that tells of none."""
        if self.is_refund or self.file_status is None or self.file_amount is None:
            raise ValueError(f"{self.finding_id} is not about a payment of the file")
        status = PaymentStatus(self.file_status)
        return Payment(self.gateway, self.reference, status, self.file_amount, self.method)

    @property
    def refund(self) -> RefundNews:
        """The refund as the file tells it. Raises `ValueError` for a row that tells of none."""
        if not (self.is_refund and self.file_status and self.file_amount):
            raise ValueError(f"{self.finding_id} is not about a refund of the file")
        return RefundNews(
            self.gateway,
            self.refund_id,
            RefundStatus(self.file_status),
            self.evidence,
            self.payment_reference or "",
            self.file_amount,
            self.reference,
        )


@dataclass(frozen=True)
class Doubt:
    """A file that contradicts a recorded capture; only the gateway's own answer can decide."""

    finding_id: str
    gateway: str
    order_id: str
    payment_reference: str
    evidence: Evidence


@dataclass(frozen=True)
class Tally:
    """How many rows of one class there are, and their money by currency in minor units."""

    match: Match
    rows: int
    minor_by_currency: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """Findings that are handed over next, in the order of their ids, up to `last`.

    `refunds` and `minor_by_currency` are what they may move back. `is_held` says that the budget
    ended the page before the findings did; a page without a `last` is empty.
    """

    last: str | None = None
    findings: int = 0
    refunds: int = 0
    minor_by_currency: dict[str, int] = field(default_factory=dict)
    is_held: bool = False
