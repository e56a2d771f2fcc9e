"""The catalogue: the only place where prices come from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from sqlmodel import col, select

from db.engine import Database
from db.rows import product_from
from db.tables import ProductRow
from db.unbroken import unbroken_calls
from domain.money import Money
from domain.orders import LatePolicy, Product

OUR_PRODUCTS = Path(__file__).with_name("catalogue.json")


class CatalogueEntry(BaseModel):
    """A product as a catalogue file has it: minor units, and hundredths of a percent of tax."""

    model_config = ConfigDict(strict=True, extra="forbid")

    sku: str = Field(pattern="^[a-z0-9-]{1,64}$")
    name: str = Field(min_length=1, max_length=200)
    amount: int = Field(gt=0, le=10**12)
    currency: str = Field(pattern="^[A-Z]{3}$")
    tax_rate: int = Field(ge=0, lt=10_000)
    late_policy: Annotated[LatePolicy, Field(strict=False)]

    def product(self) -> Product:
        price = Money(self.amount, self.currency)
        return Product(self.sku, self.name, price, self.tax_rate, self.late_policy)


def read_catalogue(path: Path = OUR_PRODUCTS) -> list[Product]:
    """The products of a file; raises `OSError`, or `ValueError` for anything odd in it."""
    entries = TypeAdapter(list[CatalogueEntry]).validate_json(path.read_bytes())
    if len({entry.sku for entry in entries}) < len(entries):
        raise ValueError("a sku stands in the file twice")
    return [entry.product() for entry in entries]


@unbroken_calls
class CatalogueStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def products(self) -> list[Product]:
        async with self._database.read() as session:
            rows = await session.exec(select(ProductRow).order_by(col(ProductRow.sku)))
            return [product_from(row) for row in rows]

    async def seed(self, products: Sequence[Product]) -> None:
        """Add or replace these products; orders that were placed keep what they were sold at."""
        async with self._database.write() as session:
            for product in products:
                await session.merge(_row(product))


def _row(product: Product) -> ProductRow:
    return ProductRow(
        sku=product.sku,
        name=product.name,
        amount_minor=product.unit_price.minor,
        currency=product.unit_price.currency,
        tax_rate=product.tax_rate,
        late_policy=product.late_policy,
    )
