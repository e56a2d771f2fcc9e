"""How Alembic reaches the database: on the connection that db/schema.py lends it."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

import db.invoice_tables
import db.reconciliation_tables
import db.repair_tables
import db.tables  # noqa: F401 - they fill the metadata
from db.columns import Json, RowId, UtcDateTime
from db.staged_tables import STAGED

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
    on_sqlite = connection.dialect.name == "sqlite"
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata if on_sqlite else _with_staged(),
        render_as_batch=on_sqlite,
        compare_type=True,
        render_item=spelled,
    )
    with context.begin_transaction():
        context.run_migrations()


def _with_staged() -> sa.MetaData:
    """Rows are staged in the same PostgreSQL, but never in the orders' SQLite file."""
    # Alembic takes no naming convention from a list of two.
    both = sa.MetaData(naming_convention=SQLModel.metadata.naming_convention)
    for table in (*SQLModel.metadata.tables.values(), *STAGED.tables.values()):
        table.to_metadata(both)
    return both


run(context.config.attributes["connection"])
