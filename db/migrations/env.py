"""How Alembic reaches the database: on the connection that db/schema.py lends it."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

import db.invoice_tables
import db.repair_tables
import db.tables  # noqa: F401 - they fill the metadata
from db.columns import Json, RowId, UtcDateTime

SPELLINGS = {
    id(Json): "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')",
    id(RowId): "sa.BigInteger().with_variant(sa.Integer(), 'sqlite')",
}


def spelled(kind: str, item: Any, autogenerate: AutogenContext) -> str | Literal[False]:
    """Our types in the words of SQLAlchemy: a migration does not change when our code does."""
    if kind != "type":
        return False
    if id(item) == id(Json):
        autogenerate.imports.add("from sqlalchemy.dialects import postgresql")
    if isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    return SPELLINGS.get(id(item), False)


def run(connection: sa.Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        render_item=spelled,
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
