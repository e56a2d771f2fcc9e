"""The tables. Amounts are whole minor units; times are UTC.

`evidence` and `timeline` are only ever added to.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from db.columns import Json, RowId, UtcDateTime, one_of
from domain.news import EvidenceKind
from domain.orders import LatePolicy, OrderStatus
from domain.payments import LinkStatus, PaymentStatus


class TimelineEvent(StrEnum):
    """What happened to an order."""

    PLACED = "placed"
    CHECKOUT_STARTED = "checkout_started"
    CANCEL_REQUESTED = "cancel_requested"
    CONCLUDED = "concluded"
    REFUND_REQUESTED = "refund_requested"
    REFUND_SUCCEEDED = "refund_succeeded"
    REFUND_FAILED = "refund_failed"
    REFUND_NEEDS_REVIEW = "refund_needs_review"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    CASE_DECIDED = "case_decided"
    HONOURED = "honoured"
    RETRACTED = "retracted"


class InboxState(StrEnum):
    """`absorbed` says what another event has said; `ignored` says nothing that we follow."""

    NEW = "new"
    ABSORBED = "absorbed"
    FORWARDED = "forwarded"
    IGNORED = "ignored"


class LetterKind(StrEnum):
    CONFIRMATION = "confirmation"
    REFUND = "refund"
    UNCONFIRMED = "unconfirmed"
    EXPIRY = "expiry"


class ProductRow(SQLModel, table=True):
    __tablename__: ClassVar[Any] = "products"

    sku: str = Field(primary_key=True, max_length=64)
    name: str = Field(max_length=200)
    amount_minor: int = Field(sa_type=sa.BigInteger)
    currency: str = Field(max_length=3)
    tax_rate: int
    late_policy: LatePolicy = Field(sa_type=one_of(LatePolicy, "late_policy"))


class OrderRow(SQLModel, table=True):
    """`minded_at` is when the sweep last looked; `paid_after_ms` counts from the click on Pay.

    `late_capture` marks an order that had ended unpaid before its payment was honoured.
    """

    __tablename__: ClassVar[Any] = "orders"
    __table_args__: ClassVar[Any] = (
        sa.Index(None, "status", "created_at"),
        sa.Index(None, "status", "minded_at"),
        sa.Index(None, "fulfilling_gateway", "fulfilling_reference"),
        sa.CheckConstraint("amount_minor > 0", "amount_is_positive"),
    )

    order_id: str = Field(primary_key=True, max_length=64)
    client: str = Field(max_length=64)
    user_id: str = Field(max_length=200)
    email: str = Field(max_length=320)
    amount_minor: int = Field(sa_type=sa.BigInteger)
    currency: str = Field(max_length=3)
    gateway: str = Field(max_length=32)
    status: OrderStatus = Field(sa_type=one_of(OrderStatus))
    late_policy: LatePolicy = Field(sa_type=one_of(LatePolicy, "late_policy"))
    result_token: str = Field(max_length=64, unique=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    client_timestamp: datetime | None = Field(default=None, sa_type=UtcDateTime)
    checkout_started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    cancel_requested_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    minded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    concluded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    paid_after_ms: int | None = Field(default=None, sa_type=sa.BigInteger)
    fulfilling_gateway: str | None = Field(default=None, max_length=32)
    fulfilling_reference: str | None = None
    late_capture: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})


class OrderItemRow(SQLModel, table=True):
    """A line as it was sold: the catalogue may change, the order does not."""

    __tablename__: ClassVar[Any] = "order_items"

    order_id: str = Field(primary_key=True, foreign_key="orders.order_id", max_length=64)
    position: int = Field(primary_key=True)
    sku: str = Field(max_length=64)
    name: str = Field(max_length=200)
    quantity: int
    unit_amount_minor: int = Field(sa_type=sa.BigInteger)
    currency: str = Field(max_length=3)
    tax_rate: int
    late_policy: LatePolicy = Field(sa_type=one_of(LatePolicy, "late_policy"))


class IdempotencyKeyRow(SQLModel, table=True):
    """The key is claimed before its order exists, in the same transaction: hence deferred."""

    __tablename__: ClassVar[Any] = "idempotency_keys"

    client: str = Field(primary_key=True, max_length=64)
    key: str = Field(primary_key=True, max_length=255)
    fingerprint: str = Field(max_length=64)
    order_id: str = Field(
        max_length=64,
        sa_column_args=[sa.ForeignKey("orders.order_id", deferrable=True, initially="DEFERRED")],
    )


class PaymentLinkRow(SQLModel, table=True):
    """`draft` is the request word for word; `closes_at` our deadline, `expires_at` the gateway's.

    The status is unknown until the gateway's answer is kept. One order has one live link at most.
    One that was given up as missing is looked for once more, at `look_again_at`.
    """

    __tablename__: ClassVar[Any] = "payment_links"
    __table_args__: ClassVar[Any] = (
        sa.UniqueConstraint("gateway", "wire_key"),
        sa.UniqueConstraint("gateway", "gateway_reference"),
        sa.Index(
            "uq_payment_links_live",
            "order_id",
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
        sa.Index(
            None,
            "look_again_at",
            sqlite_where=sa.text("look_again_at IS NOT NULL"),
            postgresql_where=sa.text("look_again_at IS NOT NULL"),
        ),
    )

    key: str = Field(primary_key=True, max_length=100)
    wire_key: str = Field(max_length=64)
    order_id: str = Field(foreign_key="orders.order_id", max_length=64, index=True)
    gateway: str = Field(max_length=32)
    draft: str = Field(sa_type=sa.Text)
    callback_token: str = Field(max_length=64, unique=True)
    gateway_reference: str | None = None
    url: str | None = Field(default=None, sa_type=sa.Text)
    status: LinkStatus | None = Field(default=None, sa_type=one_of(LinkStatus), nullable=True)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    closes_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    opened_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    look_again_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class EvidenceRow(SQLModel, table=True):
    """What was received of money for an unknown order has no order either."""

    __tablename__: ClassVar[Any] = "evidence"

    id: int = Field(default=None, primary_key=True, sa_type=RowId)
    order_id: str | None = Field(
        default=None, foreign_key="orders.order_id", max_length=64, index=True
    )
    kind: EvidenceKind = Field(sa_type=one_of(EvidenceKind, "kind"))
    reference: str = Field(sa_type=sa.Text)
    digest: str = Field(max_length=64)
    at: datetime = Field(sa_type=UtcDateTime)


class PaymentRow(SQLModel, table=True):
    """A payment belongs to one order; to none until its order is known."""

    __tablename__: ClassVar[Any] = "payments"
    __table_args__: ClassVar[Any] = (sa.Index(None, "gateway", "first_seen_at"),)

    gateway: str = Field(primary_key=True, max_length=32)
    reference: str = Field(primary_key=True)
    order_id: str | None = Field(
        default=None, foreign_key="orders.order_id", max_length=64, index=True
    )
    status: PaymentStatus = Field(sa_type=one_of(PaymentStatus))
    amount_minor: int = Field(sa_type=sa.BigInteger)
    currency: str = Field(max_length=3)
    method: str | None = None
    failure: str | None = Field(default=None, sa_type=sa.Text)
    evidence_id: int | None = Field(
        default=None, foreign_key="evidence.id", sa_type=RowId, nullable=True
    )
    first_seen_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class TimelineRow(SQLModel, table=True):
    """`from_status` is empty where the order did not come from another status."""

    __tablename__: ClassVar[Any] = "timeline"

    id: int = Field(default=None, primary_key=True, sa_type=RowId)
    order_id: str = Field(foreign_key="orders.order_id", max_length=64, index=True)
    at: datetime = Field(sa_type=UtcDateTime)
    event: TimelineEvent = Field(sa_type=one_of(TimelineEvent, "event"))
    from_status: OrderStatus | None = Field(
        default=None, sa_type=one_of(OrderStatus, "from_status"), nullable=True
    )
    to_status: OrderStatus = Field(sa_type=one_of(OrderStatus, "to_status"))
    actor: str = Field(max_length=64)
    evidence_id: int | None = Field(
        default=None, foreign_key="evidence.id", sa_type=RowId, nullable=True
    )


class InboxRow(SQLModel, table=True):
    """A verified webhook. `outcome` is set only on the row that is forwarded for its siblings."""

    __tablename__: ClassVar[Any] = "inbox"
    __table_args__: ClassVar[Any] = (
        sa.UniqueConstraint("gateway", "event_id"),
        sa.UniqueConstraint("gateway", "outcome"),
        sa.Index(None, "state", "next_try_at"),
    )

    id: int = Field(default=None, primary_key=True, sa_type=RowId)
    gateway: str = Field(max_length=32)
    event_id: str
    kind: str
    outcome: str | None = None
    order_id: str | None = Field(
        default=None, foreign_key="orders.order_id", max_length=64, index=True
    )
    reference: str | None = None
    link_reference: str | None = None
    event: dict[str, Any] = Field(sa_type=Json)
    body: bytes = Field(sa_type=sa.LargeBinary)
    state: InboxState = Field(sa_type=one_of(InboxState, "state"))
    received_at: datetime = Field(sa_type=UtcDateTime)
    forwarded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    tries: int = 0
    next_try_at: datetime = Field(sa_type=UtcDateTime)


class LetterRow(SQLModel, table=True):
    """Written before it is sent, so that a repeat is the same letter to the byte.

    `letter_id` is the id of what it tells of: the order that was paid, or the refund; a word
    about doubt or expiry is added to the order's.
    """

    __tablename__: ClassVar[Any] = "letters"

    letter_id: str = Field(primary_key=True, max_length=64)
    order_id: str = Field(foreign_key="orders.order_id", max_length=64, index=True)
    kind: LetterKind = Field(sa_type=one_of(LetterKind, "kind"))
    message_id: str = Field(max_length=255, unique=True)
    written_at: datetime = Field(sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    refused: str | None = Field(default=None, sa_type=sa.Text)
