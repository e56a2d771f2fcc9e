"""The tables of staged rows: in the orders' PostgreSQL, or in an SQLite file of their own.

They have only numbers and text, so that rows go in as they are: moments are Unix seconds.
"""

from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import SQLModel

from db.columns import RowId, one_of
from domain.settlements import Report

STAGED = sa.MetaData(naming_convention=SQLModel.metadata.naming_convention)


class LoadState(StrEnum):
    """Only a complete load is compared with; of a refused one no row is left."""

    STAGING = "staging"
    COMPLETE = "complete"
    REFUSED = "refused"


def amount(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


loads = sa.Table(
    "loads",
    STAGED,
    sa.Column("load", RowId, primary_key=True),
    sa.Column("load_id", sa.String(128), nullable=False, unique=True),
    sa.Column("gateway", sa.String(32), nullable=False),
    sa.Column("kind", one_of(Report, "kind"), nullable=False),
    sa.Column("state", one_of(LoadState, "state"), nullable=False),
    sa.Column("cursor", sa.Text, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("last_position", sa.BigInteger, nullable=False),
    sa.Column("first_at", sa.BigInteger),
    sa.Column("last_at", sa.BigInteger),
)


def of_load() -> sa.Column[int]:
    return sa.Column("load", RowId, sa.ForeignKey("loads.load"), primary_key=True)


# Without a row id, SQLite keeps the rows themselves in the order of the key.
transactions = sa.Table(
    "transactions",
    STAGED,
    sa.Column("load", RowId, primary_key=True),
    sa.Column("position", sa.BigInteger, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("payment_reference", sa.Text),
    sa.Column("order_reference", sa.Text),
    sa.Column("our_id", sa.Text),
    sa.Column("status", sa.Text, nullable=False),
    amount("amount_minor"),
    sa.Column("currency", sa.Text, nullable=False),
    amount("fee_minor", nullable=True),
    amount("tax_minor", nullable=True),
    sa.Column("method", sa.Text),
    sa.Column("settlement_id", sa.Text),
    sa.Column("occurred_at", sa.BigInteger, nullable=False),
    sa.Column("settled_at", sa.BigInteger),
    sqlite_with_rowid=False,
)

# What the rows of a load come to, added up as they arrive. No settlement is an empty text.
load_sums = sa.Table(
    "load_sums",
    STAGED,
    of_load(),
    sa.Column("settlement_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("status", sa.Text, primary_key=True),
    sa.Column("currency", sa.Text, primary_key=True),
    sa.Column("rows", sa.BigInteger, nullable=False),
    amount("amount_minor"),
    amount("fee_minor"),
    amount("tax_minor"),
    sa.Column("first_at", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.BigInteger, nullable=False),
    sa.Column("settled_at", sa.BigInteger),
)

settlement_totals = sa.Table(
    "settlement_totals",
    STAGED,
    of_load(),
    sa.Column("settlement_id", sa.Text, primary_key=True),
    sa.Column("currency", sa.Text, primary_key=True),
    amount("net_minor"),
    amount("fee_minor"),
    amount("tax_minor"),
    sa.Column("settled_at", sa.BigInteger, nullable=False),
    sa.Column("bank_reference", sa.Text),
)
