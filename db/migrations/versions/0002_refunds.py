"""Refunds, disputes, operators' words on cases, and money for unknown orders

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OLD_EVIDENCE = (
    *("webhook", "callback", "status_query", "settlement_file", "operator"),
    *("no_link", "link_refused"),
)
EVIDENCE = (*OLD_EVIDENCE, "refund_refused", "no_answer")
OLD_VERDICTS = (
    *("amount_mismatch", "currency_mismatch", "duplicate_payment"),
    *("late_capture", "late_authorization"),
)
VERDICTS = (*OLD_VERDICTS, "unknown_order")
OLD_EVENTS = ("placed", "checkout_started", "cancel_requested", "concluded")
EVENTS = (
    *OLD_EVENTS,
    *("refund_requested", "refund_succeeded", "refund_failed", "refund_needs_review"),
    *("dispute_opened", "dispute_won", "dispute_lost", "case_decided", "honoured"),
)
REFUND_STATUS = ("requested", "pending", "needs_review", "succeeded", "failed")
DISPUTE_STATUS = ("open", "won", "lost")
OLD_CASE_STATUS = ("open",)
CASE_STATUS = ("open", "waiting", "settled")
REMEDIES = ("honour", "refund", "dismiss")
OUTCOMES = ("honoured", "refunded", "dismissed", "given_back", "captured")
OLD_LETTERS = ("confirmation",)
LETTERS = ("confirmation", "refund")


def upgrade() -> None:
    late = sa.Column("late_capture", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("orders", late)
    allow("timeline", "event", EVENTS)
    allow("evidence", "kind", EVIDENCE)
    for table in ("evidence", "payments", "cases"):
        let_order_be_unknown(table)
    create_refunds()
    create_brakes()
    create_disputes()
    extend_cases()
    name_letters()


def downgrade() -> None:
    """What the older schema has no place for is dropped."""
    unname_letters()
    shorten_cases()
    for table in ("disputes", "brakes", "refunds"):
        op.drop_table(table)
    delete_where("timeline", f"event NOT IN {quoted(OLD_EVENTS)}")
    delete_where("payments", "order_id IS NULL")
    forget_evidence("order_id IS NULL")
    forget_evidence(f"kind NOT IN {quoted(OLD_EVIDENCE)}")
    for table in ("evidence", "payments", "cases"):
        let_order_be_unknown(table, False)
    allow("evidence", "kind", OLD_EVIDENCE)
    allow("timeline", "event", OLD_EVENTS)
    with op.batch_alter_table("orders") as batch:
        batch.drop_column("late_capture")


def create_refunds() -> None:
    op.create_table(
        "refunds",
        sa.Column("refund_id", sa.String(64), primary_key=True),
        order_id(),
        text("gateway", 32),
        text("payment_reference"),
        amount("amount_minor"),
        text("currency", 3),
        one_of(REFUND_STATUS, "status"),
        sa.Column("reason", sa.Text, nullable=False),
        text("actor", 64),
        sa.Column("automatic", sa.Boolean, nullable=False),
        text("fingerprint", 64),
        text("wire_key", 64, nullable=True),
        sa.Column("draft", sa.Text),
        text("gateway_reference", nullable=True),
        sa.Column("failure", sa.Text),
        evidence_id(nullable=True),
        moment("requested_at"),
        moment("sent_at", nullable=True),
        moment("concluded_at", nullable=True),
        moment("minded_at"),
        sa.UniqueConstraint("gateway", "wire_key"),
        sa.UniqueConstraint("gateway", "gateway_reference"),
        of_payment(),
        sa.CheckConstraint("amount_minor > 0", "amount_is_positive"),
    )
    index("refunds", "order_id")
    index("refunds", "gateway", "payment_reference")
    index("refunds", "automatic", "requested_at")
    index("refunds", "status", "minded_at")


def create_brakes() -> None:
    brakes = op.create_table("brakes", sa.Column("name", sa.String(32), primary_key=True))
    op.bulk_insert(brakes, [{"name": "automatic_refunds"}])


def create_disputes() -> None:
    op.create_table(
        "disputes",
        sa.Column("gateway", sa.String(32), primary_key=True),
        sa.Column("reference", sa.String, primary_key=True),
        text("payment_reference"),
        order_id(),
        one_of(DISPUTE_STATUS, "status"),
        amount("amount_minor"),
        text("currency", 3),
        sa.Column("reason", sa.Text),
        evidence_id(),
        moment("opened_at"),
        moment("updated_at"),
        of_payment(),
    )
    index("disputes", "order_id")
    index("disputes", "gateway", "payment_reference")


def extend_cases() -> None:
    allow("cases", "verdict", VERDICTS)
    allow("cases", "status", CASE_STATUS)
    with op.batch_alter_table("cases") as batch:
        batch.add_column(text("subject", nullable=True))
        batch.add_column(sa.Column("why", sa.Text))
        batch.add_column(one_of(REMEDIES, "decision", nullable=True))
        batch.add_column(text("decided_by", 64, nullable=True))
        batch.add_column(sa.Column("decision_reason", sa.Text))
        batch.add_column(moment("decided_at", nullable=True))
        batch.add_column(sa.Column("words", sa.Integer, nullable=False, server_default="0"))
        batch.add_column(one_of(OUTCOMES, "outcome", nullable=True))
        batch.add_column(text("refund_id", 64, nullable=True))
        batch.add_column(moment("settled_at", nullable=True))
        batch.add_column(moment("minded_at", nullable=True))
    op.execute("UPDATE cases SET subject = order_id, minded_at = opened_at")
    with op.batch_alter_table("cases") as batch:
        batch.alter_column("subject", existing_type=sa.String(), nullable=False)
        batch.alter_column("minded_at", existing_type=sa.DateTime(timezone=True), nullable=False)
        batch.create_foreign_key(
            op.f("fk_cases_refund_id"), "refunds", ["refund_id"], ["refund_id"]
        )
    index("cases", "subject")
    index("cases", "status", "minded_at")
    index("cases", "opened_at", "case_id")


def shorten_cases() -> None:
    delete_where("cases", "order_id IS NULL")
    delete_where("cases", f"status NOT IN {quoted(OLD_CASE_STATUS)}")
    delete_where("cases", f"verdict NOT IN {quoted(OLD_VERDICTS)}")
    for columns in ("subject", "status_minded_at", "opened_at_case_id"):
        op.drop_index(op.f(f"ix_cases_{columns}"), "cases")
    with op.batch_alter_table("cases") as batch:
        batch.drop_constraint(op.f("fk_cases_refund_id"), type_="foreignkey")
        for column in ("decision", "outcome"):
            batch.drop_constraint(op.f(f"ck_cases_{column}"), type_="check")
        for column in ("subject", "why", "decision", "decided_by", "decision_reason"):
            batch.drop_column(column)
        for column in ("decided_at", "words", "outcome", "refund_id", "settled_at", "minded_at"):
            batch.drop_column(column)
    allow("cases", "status", OLD_CASE_STATUS)
    allow("cases", "verdict", OLD_VERDICTS)


def name_letters() -> None:
    with op.batch_alter_table("letters") as batch:
        batch.add_column(text("letter_id", 64, nullable=True))
    op.execute("UPDATE letters SET letter_id = order_id")
    with op.batch_alter_table("letters") as batch:
        batch.drop_constraint(op.f("pk_letters"), type_="primary")
        batch.alter_column("letter_id", existing_type=sa.String(64), nullable=False)
        batch.create_primary_key(op.f("pk_letters"), ["letter_id"])
    allow("letters", "kind", LETTERS)
    index("letters", "order_id")


def unname_letters() -> None:
    delete_where("letters", f"kind NOT IN {quoted(OLD_LETTERS)}")
    allow("letters", "kind", OLD_LETTERS)
    op.drop_index(op.f("ix_letters_order_id"), "letters")
    with op.batch_alter_table("letters") as batch:
        batch.drop_constraint(op.f("pk_letters"), type_="primary")
        batch.create_primary_key(op.f("pk_letters"), ["order_id", "kind"])
        batch.drop_column("letter_id")


def allow(table: str, column: str, words: tuple[str, ...]) -> None:
    """Let the column take these words and no others."""
    with op.batch_alter_table(table) as batch:
        batch.drop_constraint(op.f(f"ck_{table}_{column}"), type_="check")
        batch.create_check_constraint(op.f(f"ck_{table}_{column}"), f"{column} IN {quoted(words)}")


def let_order_be_unknown(table: str, nullable: bool = True) -> None:
    with op.batch_alter_table(table) as batch:
        batch.alter_column("order_id", existing_type=sa.String(64), nullable=nullable)


def forget_evidence(which: str) -> None:
    """Delete evidence that the older schema cannot hold, and whatever rests on it alone."""
    those = f"(SELECT id FROM evidence WHERE {which})"
    op.execute(f"UPDATE payments SET evidence_id = NULL WHERE evidence_id IN {those}")
    op.execute(f"UPDATE timeline SET evidence_id = NULL WHERE evidence_id IN {those}")
    delete_where("cases", f"evidence_id IN {those}")
    delete_where("evidence", which)


def delete_where(table: str, which: str) -> None:
    op.execute(f"DELETE FROM {table} WHERE {which}")


def quoted(words: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{word}'" for word in words) + ")"


def order_id() -> sa.Column[str]:
    return sa.Column("order_id", sa.String(64), sa.ForeignKey("orders.order_id"), nullable=True)


def of_payment() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["gateway", "payment_reference"], ["payments.gateway", "payments.reference"]
    )


def evidence_id(*, nullable: bool = False) -> sa.Column[int]:
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("evidence_id", row_id, sa.ForeignKey("evidence.id"), nullable=nullable)


def text(name: str, length: int | None = None, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def amount(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def one_of(words: tuple[str, ...], name: str, *, nullable: bool = False) -> sa.Column[str]:
    kind = sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=32)
    return sa.Column(name, kind, nullable=nullable)


def index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns)
