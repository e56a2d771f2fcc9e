"""Links that were given up are looked for once more

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

IS_DUE = sa.text("look_again_at IS NOT NULL")


def upgrade() -> None:
    op.add_column("payment_links", sa.Column("look_again_at", sa.DateTime(timezone=True)))
    op.create_index(
        op.f("ix_payment_links_look_again_at"),
        "payment_links",
        ["look_again_at"],
        sqlite_where=IS_DUE,
        postgresql_where=IS_DUE,
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_payment_links_look_again_at"), "payment_links")
    with op.batch_alter_table("payment_links") as batch:
        batch.drop_column("look_again_at")
