"""Invoices, credit notes, and letters about doubt and expiry

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OLD_LETTERS = ("confirmation", "refund")
LETTERS = (*OLD_LETTERS, "unconfirmed", "expiry")


def upgrade() -> None:
    op.create_table(
        "series",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_series")),
    )
    op.create_table(
        "invoices",
        sa.Column("number", sa.String(40), nullable=False),
        sa.Column("order_id", sa.String(64), sa.ForeignKey("orders.order_id"), nullable=False),
        moment("issued_at"),
        document(),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_invoices")),
        sa.UniqueConstraint("order_id", name=op.f("uq_invoices_order_id")),
    )
    op.create_table(
        "credit_notes",
        sa.Column("number", sa.String(40), nullable=False),
        sa.Column(
            "invoice_number", sa.String(40), sa.ForeignKey("invoices.number"), nullable=False
        ),
        sa.Column("refund_id", sa.String(64), sa.ForeignKey("refunds.refund_id"), nullable=True),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        moment("issued_at"),
        moment("voided_at", nullable=True),
        document(),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_credit_notes")),
        sa.UniqueConstraint("refund_id", name=op.f("uq_credit_notes_refund_id")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_credit_notes_amount_is_positive")),
    )
    op.create_index(op.f("ix_credit_notes_invoice_number"), "credit_notes", ["invoice_number"])
    allow_letters(LETTERS)


def downgrade() -> None:
    op.execute(f"DELETE FROM letters WHERE kind NOT IN {OLD_LETTERS}")
    allow_letters(OLD_LETTERS)
    for table in ("credit_notes", "invoices", "series"):
        op.drop_table(table)


def allow_letters(kinds: tuple[str, ...]) -> None:
    """Let these kinds of letters be written and no others."""
    with op.batch_alter_table("letters") as batch:
        batch.drop_constraint(op.f("ck_letters_kind"), type_="check")
        batch.create_check_constraint(op.f("ck_letters_kind"), f"kind IN {kinds}")


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def document() -> sa.Column[object]:
    kind = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    return sa.Column("document", kind, nullable=False)
