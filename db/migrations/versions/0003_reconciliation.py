"""Reconciliations and their findings, and captures that a gateway takes back

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OLD_EVENTS = (
    *("placed", "checkout_started", "cancel_requested", "concluded"),
    *("refund_requested", "refund_succeeded", "refund_failed", "refund_needs_review"),
    *("dispute_opened", "dispute_won", "dispute_lost", "case_decided", "honoured"),
)
EVENTS = (*OLD_EVENTS, "retracted")
OLD_VERDICTS = (
    *("amount_mismatch", "currency_mismatch", "duplicate_payment"),
    *("late_capture", "late_authorization", "unknown_order"),
)
VERDICTS = (*OLD_VERDICTS, "ok_unpaid")
REPORTS = ("transactions", "settlements")
RUN_STATES = ("staging", "matching", "repairing", "waiting", "done", "refused")
MATCHES = (
    *("ok_paid", "fail_fail", "fail_paid", "ok_unpaid", "missing_in_orders", "missing_at_gateway"),
    *("amount_mismatch", "currency_mismatch", "duplicate_payment", "refund_mismatch"),
    *("refund_ok", "expected", "repeated", "other"),
)
PLANS = ("tell", "honour", "refund", "ask", "case", "none")
REPAIR_STATES = ("planned", "handed_over", "known", "left")
ANSWERS = ("confirmed", "retracted", "case")
LOAD_STATES = ("staging", "complete", "refused")


def upgrade() -> None:
    allow("timeline", "event", EVENTS)
    allow("cases", "verdict", VERDICTS)
    op.add_column("cases", text("approved_by", 64, nullable=True))
    index("orders", "fulfilling_gateway", "fulfilling_reference")
    index("payments", "gateway", "first_seen_at")
    index("refunds", "gateway", "concluded_at")
    create_runs()
    create_approvals()
    create_tallies()
    create_findings()
    create_settlements()
    if op.get_bind().dialect.name == "postgresql":
        create_staged()


def downgrade() -> None:
    """What the older schema has no place for is dropped."""
    if op.get_bind().dialect.name == "postgresql":
        for table in ("settlement_totals", "load_sums", "transactions", "loads"):
            op.drop_table(table)
    for table in ("settlements", "findings", "tallies", "approvals", "reconciliations"):
        op.drop_table(table)
    op.drop_index(op.f("ix_refunds_gateway_concluded_at"), "refunds")
    op.drop_index(op.f("ix_payments_gateway_first_seen_at"), "payments")
    op.drop_index(op.f("ix_orders_fulfilling_gateway_fulfilling_reference"), "orders")
    with op.batch_alter_table("cases") as batch:
        batch.drop_column("approved_by")
    op.execute(f"DELETE FROM cases WHERE verdict NOT IN {quoted(OLD_VERDICTS)}")
    op.execute(f"DELETE FROM timeline WHERE event NOT IN {quoted(OLD_EVENTS)}")
    allow("cases", "verdict", OLD_VERDICTS)
    allow("timeline", "event", OLD_EVENTS)


def create_runs() -> None:
    op.create_table(
        "reconciliations",
        sa.Column("run_id", sa.String(128), primary_key=True),
        text("load_id", 128),
        text("gateway", 32),
        one_of(REPORTS, "report", nullable=True),
        text("file_sha256", 64, nullable=True),
        text("file_name", 255, nullable=True),
        number("file_size", nullable=True),
        moment("period_start", nullable=True),
        moment("period_end", nullable=True),
        moment("as_of"),
        number("ageing_seconds"),
        sa.Column("dry_run", sa.Boolean, nullable=False),
        one_of(RUN_STATES, "state"),
        sa.Column("why", sa.Text),
        number("rows"),
        moment("began_at"),
        moment("changed_at"),
        moment("matched_at", nullable=True),
        moment("ended_at", nullable=True),
    )
    index("reconciliations", "began_at", "run_id")
    index("reconciliations", "gateway", "began_at")


def create_approvals() -> None:
    op.create_table(
        "approvals",
        run_id(primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
        text("actor", 64),
        sa.Column("reason", sa.Text, nullable=False),
    )


def create_tallies() -> None:
    op.create_table(
        "tallies",
        run_id(primary_key=True),
        one_of(MATCHES, "match", primary_key=True),
        number("rows"),
        sa.Column(
            "minor_by_currency",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            nullable=False,
        ),
    )


def create_findings() -> None:
    op.create_table(
        "findings",
        sa.Column("finding_id", sa.String(64), primary_key=True),
        run_id(),
        one_of(MATCHES, "match"),
        one_of(PLANS, "plan"),
        sa.Column("moves_money", sa.Boolean, nullable=False),
        text("gateway", 32),
        text("reference"),
        text("payment_reference", nullable=True),
        text("refund_id", 64, nullable=True),
        sa.Column("is_refund", sa.Boolean, nullable=False),
        sa.Column("order_id", sa.String(64), sa.ForeignKey("orders.order_id"), nullable=True),
        number("position", nullable=True),
        moment("occurred_at"),
        text("file_status", 32, nullable=True),
        number("file_minor", nullable=True),
        text("file_currency", 3, nullable=True),
        number("our_minor", nullable=True),
        text("our_currency", 3, nullable=True),
        text("method", nullable=True),
        one_of(REPAIR_STATES, "state"),
        sa.Column("note", sa.Text),
        moment("handed_over_at", nullable=True),
        one_of(ANSWERS, "answer", nullable=True),
        moment("answered_at", nullable=True),
    )
    index("findings", "run_id", "moves_money", "finding_id")
    index("findings", "gateway", "payment_reference")


def create_settlements() -> None:
    op.create_table(
        "settlements",
        sa.Column("gateway", sa.String(32), primary_key=True),
        sa.Column("settlement_id", sa.String, primary_key=True),
        sa.Column("currency", sa.String(3), primary_key=True),
        text("load_id", 128),
        number("rows"),
        number("gross_minor"),
        number("fee_minor"),
        number("tax_minor"),
        number("net_minor"),
        number("total_minor", nullable=True),
        moment("settled_at", nullable=True),
        text("bank_reference", nullable=True),
    )
    index("settlements", "load_id")


def create_staged() -> None:
    """SQLite has these in a file of their own, which is made when it is needed."""
    op.create_table(
        "loads",
        sa.Column("load", sa.BigInteger, primary_key=True),
        sa.Column("load_id", sa.String(128), nullable=False, unique=True),
        text("gateway", 32),
        one_of(REPORTS, "kind"),
        one_of(LOAD_STATES, "state"),
        sa.Column("cursor", sa.Text, nullable=False),
        *(number(name) for name in ("rows", "last_position")),
        *(number(name, nullable=True) for name in ("first_at", "last_at")),
    )
    op.create_table(
        "transactions",
        *(key(name, sa.BigInteger) for name in ("load", "position")),
        *(words(name) for name in ("kind", "reference")),
        *(words(name, nullable=True) for name in ("payment_reference", "order_reference")),
        words("our_id", nullable=True),
        words("status"),
        number("amount_minor"),
        words("currency"),
        *(number(name, nullable=True) for name in ("fee_minor", "tax_minor")),
        *(words(name, nullable=True) for name in ("method", "settlement_id")),
        number("occurred_at"),
        number("settled_at", nullable=True),
    )
    op.create_table(
        "load_sums",
        of_load(),
        *(key(name, sa.Text) for name in ("settlement_id", "kind", "status", "currency")),
        *(number(name) for name in ("rows", "amount_minor", "fee_minor", "tax_minor")),
        *(number(name) for name in ("first_at", "last_at")),
        number("settled_at", nullable=True),
    )
    op.create_table(
        "settlement_totals",
        of_load(),
        *(key(name, sa.Text) for name in ("settlement_id", "currency")),
        *(number(name) for name in ("net_minor", "fee_minor", "tax_minor", "settled_at")),
        words("bank_reference", nullable=True),
    )


def allow(table: str, column: str, those: tuple[str, ...]) -> None:
    """Let the column take these words and no others."""
    with op.batch_alter_table(table) as batch:
        batch.drop_constraint(op.f(f"ck_{table}_{column}"), type_="check")
        batch.create_check_constraint(op.f(f"ck_{table}_{column}"), f"{column} IN {quoted(those)}")


def quoted(those: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{word}'" for word in those) + ")"


def run_id(*, primary_key: bool = False) -> sa.Column[str]:
    run = sa.ForeignKey("reconciliations.run_id")
    return sa.Column("run_id", sa.String(128), run, primary_key=primary_key, nullable=False)


def of_load() -> sa.Column[int]:
    return sa.Column("load", sa.BigInteger, sa.ForeignKey("loads.load"), primary_key=True)


def key(name: str, kind: type[sa.BigInteger] | type[sa.Text]) -> sa.Column[object]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def text(name: str, length: int | None = None, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def words(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def one_of(
    those: tuple[str, ...], name: str, *, nullable: bool = False, primary_key: bool = False
) -> sa.Column[str]:
    kind = sa.Enum(*those, name=name, native_enum=False, create_constraint=True, length=32)
    return sa.Column(name, kind, nullable=nullable, primary_key=primary_key)


def index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns)
