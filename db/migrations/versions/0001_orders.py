"""Orders, their links and payments, the inbox, and letters

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ORDER_STATUS = (
    *("created", "awaiting_payment", "paid", "failed", "expired", "canceled"),
    *("needs_review", "partially_refunded", "refunded"),
)
LINK_STATUS = ("open", "paid", "closed", "expired", "missing")
PAYMENT_STATUS = ("unknown", "pending", "failed", "canceled", "authorized", "captured")
EVIDENCE = (
    *("webhook", "callback", "status_query", "settlement_file", "operator"),
    *("no_link", "link_refused"),
)
VERDICTS = (
    *("amount_mismatch", "currency_mismatch", "duplicate_payment"),
    *("late_capture", "late_authorization"),
)
EVENTS = ("placed", "checkout_started", "cancel_requested", "concluded")
LATE_POLICY = ("refund", "honour")


def upgrade() -> None:
    create_catalogue()
    create_orders()
    create_order_items()
    create_idempotency_keys()
    create_payment_links()
    create_evidence()
    create_payments()
    create_timeline()
    create_cases()
    create_inbox()
    create_letters()


def downgrade() -> None:
    for table in ("letters", "inbox", "cases", "timeline", "payments", "evidence"):
        op.drop_table(table)
    for table in ("payment_links", "idempotency_keys", "order_items", "orders", "products"):
        op.drop_table(table)


def create_catalogue() -> None:
    op.create_table(
        "products",
        sa.Column("sku", sa.String(64), primary_key=True),
        text("name", 200),
        amount("amount_minor"),
        text("currency", 3),
        sa.Column("tax_rate", sa.Integer, nullable=False),
        one_of(LATE_POLICY, "late_policy"),
    )


def create_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("order_id", sa.String(64), primary_key=True),
        text("client", 64),
        text("user_id", 200),
        text("email", 320),
        amount("amount_minor"),
        text("currency", 3),
        text("gateway", 32),
        one_of(ORDER_STATUS, "status"),
        one_of(LATE_POLICY, "late_policy"),
        sa.Column("result_token", sa.String(64), nullable=False, unique=True),
        moment("created_at"),
        moment("client_timestamp", nullable=True),
        moment("checkout_started_at", nullable=True),
        moment("cancel_requested_at", nullable=True),
        moment("minded_at", nullable=True),
        moment("concluded_at", nullable=True),
        amount("paid_after_ms", nullable=True),
        text("fulfilling_gateway", 32, nullable=True),
        text("fulfilling_reference", nullable=True),
        sa.CheckConstraint("amount_minor > 0", "amount_is_positive"),
    )
    index("orders", "status", "created_at")
    index("orders", "status", "minded_at")


def create_order_items() -> None:
    op.create_table(
        "order_items",
        order_id(primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        text("sku", 64),
        text("name", 200),
        sa.Column("quantity", sa.Integer, nullable=False),
        amount("unit_amount_minor"),
        text("currency", 3),
        sa.Column("tax_rate", sa.Integer, nullable=False),
        one_of(LATE_POLICY, "late_policy"),
    )


def create_idempotency_keys() -> None:
    deferred = sa.ForeignKey("orders.order_id", deferrable=True, initially="DEFERRED")
    op.create_table(
        "idempotency_keys",
        sa.Column("client", sa.String(64), primary_key=True),
        sa.Column("key", sa.String(255), primary_key=True),
        text("fingerprint", 64),
        sa.Column("order_id", sa.String(64), deferred, nullable=False),
    )


def create_payment_links() -> None:
    op.create_table(
        "payment_links",
        sa.Column("key", sa.String(100), primary_key=True),
        text("wire_key", 64),
        order_id(),
        text("gateway", 32),
        sa.Column("draft", sa.Text, nullable=False),
        sa.Column("callback_token", sa.String(64), nullable=False, unique=True),
        text("gateway_reference", nullable=True),
        sa.Column("url", sa.Text),
        one_of(LINK_STATUS, "status", nullable=True),
        moment("asked_at"),
        moment("closes_at"),
        moment("expires_at", nullable=True),
        moment("opened_at", nullable=True),
        moment("ended_at", nullable=True),
        sa.UniqueConstraint("gateway", "wire_key"),
        sa.UniqueConstraint("gateway", "gateway_reference"),
    )
    index("payment_links", "order_id")
    live = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_payment_links_live",
        "payment_links",
        ["order_id"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )


def create_evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("id", row_id(), primary_key=True),
        order_id(),
        one_of(EVIDENCE, "kind"),
        sa.Column("reference", sa.Text, nullable=False),
        text("digest", 64),
        moment("at"),
    )
    index("evidence", "order_id")


def create_payments() -> None:
    op.create_table(
        "payments",
        sa.Column("gateway", sa.String(32), primary_key=True),
        sa.Column("reference", sa.String, primary_key=True),
        order_id(),
        one_of(PAYMENT_STATUS, "status"),
        amount("amount_minor"),
        text("currency", 3),
        text("method", nullable=True),
        sa.Column("failure", sa.Text),
        evidence_id(nullable=True),
        moment("first_seen_at"),
        moment("updated_at"),
    )
    index("payments", "order_id")


def create_timeline() -> None:
    op.create_table(
        "timeline",
        sa.Column("id", row_id(), primary_key=True),
        order_id(),
        moment("at"),
        one_of(EVENTS, "event"),
        one_of(ORDER_STATUS, "from_status", nullable=True),
        one_of(ORDER_STATUS, "to_status"),
        text("actor", 64),
        evidence_id(nullable=True),
    )
    index("timeline", "order_id")


def create_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("case_id", sa.String(64), primary_key=True),
        order_id(),
        text("gateway", 32),
        text("payment_reference"),
        one_of(VERDICTS, "verdict"),
        one_of(("open",), "status"),
        evidence_id(),
        moment("opened_at"),
        sa.UniqueConstraint("gateway", "payment_reference", "verdict"),
        sa.ForeignKeyConstraint(
            ["gateway", "payment_reference"], ["payments.gateway", "payments.reference"]
        ),
    )
    index("cases", "order_id")


def create_inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", row_id(), primary_key=True),
        text("gateway", 32),
        text("event_id"),
        text("kind"),
        text("outcome", nullable=True),
        order_id(nullable=True),
        text("reference", nullable=True),
        text("link_reference", nullable=True),
        sa.Column(
            "event", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("body", sa.LargeBinary, nullable=False),
        one_of(("new", "absorbed", "forwarded", "ignored"), "state"),
        moment("received_at"),
        moment("forwarded_at", nullable=True),
        sa.Column("tries", sa.Integer, nullable=False),
        moment("next_try_at"),
        sa.UniqueConstraint("gateway", "event_id"),
        sa.UniqueConstraint("gateway", "outcome"),
    )
    index("inbox", "order_id")
    index("inbox", "state", "next_try_at")


def create_letters() -> None:
    op.create_table(
        "letters",
        order_id(primary_key=True),
        one_of(("confirmation",), "kind", primary_key=True),
        sa.Column("message_id", sa.String(255), nullable=False, unique=True),
        moment("written_at"),
        moment("sent_at", nullable=True),
        sa.Column("refused", sa.Text),
    )


def row_id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def order_id(*, nullable: bool = False, primary_key: bool = False) -> sa.Column[str]:
    order = sa.ForeignKey("orders.order_id")
    return sa.Column("order_id", sa.String(64), order, nullable=nullable, primary_key=primary_key)


def evidence_id(*, nullable: bool = False) -> sa.Column[int]:
    return sa.Column("evidence_id", row_id(), sa.ForeignKey("evidence.id"), nullable=nullable)


def text(name: str, length: int | None = None, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def amount(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def one_of(
    words: tuple[str, ...], name: str, *, nullable: bool = False, primary_key: bool = False
) -> sa.Column[str]:
    kind = sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=32)
    return sa.Column(name, kind, nullable=nullable, primary_key=primary_key)


def index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns)
