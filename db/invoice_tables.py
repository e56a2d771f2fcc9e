"""The tables of invoices and credit notes. What each of them says is kept word for word."""

from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from db.columns import Json, UtcDateTime


class SeriesRow(SQLModel, table=True):
    """The last number given: a counter that rolls back with its taker, so that no gap is left."""

    __tablename__: ClassVar[Any] = "series"

    name: str = Field(primary_key=True, max_length=32)
    last: int = Field(sa_type=sa.BigInteger)


class InvoiceRow(SQLModel, table=True):
    __tablename__: ClassVar[Any] = "invoices"

    number: str = Field(primary_key=True, max_length=40)
    order_id: str = Field(foreign_key="orders.order_id", max_length=64, unique=True)
    issued_at: datetime = Field(sa_type=UtcDateTime)
    document: dict[str, Any] = Field(sa_type=Json)


class CreditNoteRow(SQLModel, table=True):
    """Never deleted: one whose refund the gateway took back is void from then on."""

    __tablename__: ClassVar[Any] = "credit_notes"
    __table_args__: ClassVar[Any] = (sa.CheckConstraint("amount_minor > 0", "amount_is_positive"),)

    number: str = Field(primary_key=True, max_length=40)
    invoice_number: str = Field(foreign_key="invoices.number", max_length=40, index=True)
    refund_id: str | None = Field(
        default=None, foreign_key="refunds.refund_id", max_length=64, unique=True
    )
    amount_minor: int = Field(sa_type=sa.BigInteger)
    currency: str = Field(max_length=3)
    issued_at: datetime = Field(sa_type=UtcDateTime)
    voided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    document: dict[str, Any] = Field(sa_type=Json)
