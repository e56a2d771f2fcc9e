"""Bodies of requests and answers. Requests are strict: no field too many, no type bent."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    EmailStr,
    Field,
)

from db.tables import LetterKind
from domain.cases import CaseOutcome, CaseStatus, CaseVerdict, Remedy
from domain.disputes import DisputeStatus
from domain.invoices import CreditReason
from domain.news import EvidenceKind
from domain.orders import OrderStatus
from domain.payments import PaymentStatus
from domain.privacy import holds_address, holds_card
from domain.refunds import RefundStatus

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def plain_text(text: str) -> str:
    """Refuse control characters and whatever could be a card number."""
    if CONTROL.search(text):
        raise ValueError("must not contain control characters")
    if holds_card(text):
        raise ValueError("looks like a card number; never send card data here")
    return text


def impersonal(text: str) -> str:
    """Refuse mail addresses: what goes on to Temporal names nobody."""
    if holds_address(text):
        raise ValueError("must not contain a mail address; this text is kept in histories")
    return text


def _written(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("must be ISO 8601 text with a time zone")
    return value


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is out of range") from error


Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(plain_text)]
Word = Annotated[Text, AfterValidator(impersonal)]
Sku = Annotated[
    str,
    Field(pattern="^[a-z0-9-]{1,64}$", examples=["coffee-beans"]),
    AfterValidator(plain_text),
]
Moment = Annotated[
    AwareDatetime, Field(strict=False), BeforeValidator(_written), AfterValidator(_in_utc)
]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["INR"])]


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class ItemIn(Request):
    sku: Sku
    quantity: int = Field(ge=1, le=10_000)


class OrderIn(Request):
    """What is bought, never what it costs: the server prices it from its own catalogue."""

    user_id: Text
    email: Annotated[EmailStr, Field(max_length=254), AfterValidator(plain_text)]
    items: list[ItemIn] = Field(min_length=1, max_length=100)
    timestamp: Moment | None = None
    gateway: Annotated[str, Field(pattern="^[a-z]{1,32}$")] | None = None
    currency: Currency | None = None


class RefundIn(Request):
    """Whole minor units; without an amount, all that is left."""

    reason: Text
    amount: int | None = Field(default=None, ge=1, le=10**12)
    currency: Currency | None = None


class DecisionIn(Request):
    """An operator's word on a case, and the reason that is kept."""

    verdict: Annotated[Remedy, Field(strict=False)]
    reason: Word


class MoneyOut(BaseModel):
    """Whole minor units: 49900 INR is ₹499.00, 1800 JPY is ¥1800."""

    amount: int
    currency: str


class ProductOut(BaseModel):
    """`tax_rate` in hundredths of a percent, contained in the price."""

    sku: str
    name: str
    unit_price: MoneyOut
    tax_rate: int


class EvidenceOut(BaseModel):
    kind: EvidenceKind
    reference: str
    digest: str


class ItemOut(BaseModel):
    sku: str
    name: str
    quantity: int
    unit_price: int
    amount: int


class PaymentOut(MoneyOut):
    gateway: str
    gateway_reference: str
    status: PaymentStatus
    method: str | None
    failure: str | None
    evidence: EvidenceOut | None


class CaseOut(MoneyOut):
    """`why` says what it waits for; `decision` is an operator's word, `outcome` what was done."""

    case_id: str
    order_id: str | None
    verdict: CaseVerdict
    status: CaseStatus
    why: str | None
    decision: Remedy | None
    decided_by: str | None
    reason: str | None
    outcome: CaseOutcome | None
    refund_id: str | None
    gateway: str
    gateway_reference: str
    opened_at: datetime
    evidence: EvidenceOut | None


class EntryOut(BaseModel):
    """One line of an order's timeline."""

    at: datetime
    event: str
    status: OrderStatus
    actor: str
    evidence: EvidenceOut | None


class RefundOut(MoneyOut):
    """`reference` is the gateway's, once it is known."""

    refund_id: str
    order_id: str | None
    status: RefundStatus
    gateway: str
    gateway_reference: str
    reference: str | None
    reason: str
    actor: str
    failure: str | None
    requested_at: datetime
    evidence: EvidenceOut | None


class DisputeOut(MoneyOut):
    reference: str
    gateway_reference: str
    status: DisputeStatus
    reason: str | None
    opened_at: datetime


class InvoiceOut(BaseModel):
    """`url` takes a key, or the token of the result page."""

    number: str
    issued_at: datetime
    url: str


class CreditNoteOut(MoneyOut):
    """Void if the gateway took its refund back; no refund if the payment proved to be none."""

    number: str
    reason: CreditReason
    refund_id: str | None
    issued_at: datetime
    voided_at: datetime | None
    url: str


class LetterOut(BaseModel):
    """`refused` is what the mail server said for good: nobody has told the customer."""

    kind: LetterKind
    about: str
    written_at: datetime
    sent_at: datetime | None
    refused: str | None


class OrderOut(MoneyOut):
    order_id: str
    status: OrderStatus
    gateway: str
    items: list[ItemOut]
    payments: list[PaymentOut]
    refunds: list[RefundOut]
    disputes: list[DisputeOut]
    late_capture: bool
    cases: list[CaseOut]
    timeline: list[EntryOut]
    invoice: InvoiceOut | None
    credit_notes: list[CreditNoteOut]
    letters: list[LetterOut]
    result_url: str
    created_at: datetime


class CheckoutOut(BaseModel):
    """Where to pay, and until when; null once there is nothing to pay any more."""

    order_id: str
    status: OrderStatus
    payment_url: str | None
    expires_at: datetime | None


class StatusOut(BaseModel):
    order_id: str
    status: OrderStatus


class WebhookOut(BaseModel):
    status: str
