"""The catalogue: read strictly, seeded as often as one likes."""

import json
from pathlib import Path
from typing import Any

import pytest

from db.catalogue import CatalogueStore, read_catalogue
from db.engine import Database
from domain.money import Money
from domain.orders import LatePolicy, Product

MUG = {
    "sku": "mug",
    "name": "Mug",
    "amount": 29900,
    "currency": "INR",
    "tax_rate": 1800,
    "late_policy": "refund",
}


async def test_our_own_is_seeded(database: Database) -> None:
    products = await CatalogueStore(database).products()
    assert {product.sku: str(product.unit_price) for product in products} == {
        "coffee-beans": "₹499.00",
        "mug": "₹299.00",
        "tote": "₹199.00",
        "electricity-bill": "₹1250.00",
        "notebook-usd": "$12.50",
        "tea-jpy": "¥1800",
        "espresso-machine-usd": "$499.00",
        "grinder-usd": "$299.00",
        "insurance-usd": "$1250.00",
    }
    honoured = [p.sku for p in products if p.late_policy is LatePolicy.HONOUR]
    assert honoured == ["electricity-bill", "insurance-usd"]


async def test_seeding_twice_changes_nothing(database: Database) -> None:
    store = CatalogueStore(database)
    before = await store.products()
    await store.seed(read_catalogue())
    assert await store.products() == before


async def test_a_product_can_change(database: Database) -> None:
    store = CatalogueStore(database)
    dearer = Product("mug", "Mug", Money(39900, "INR"), 1800, LatePolicy.REFUND)
    await store.seed([dearer])
    assert dearer in await store.products()
    assert len(await store.products()) == 9


@pytest.mark.parametrize(
    "entries",
    [
        [MUG | {"amount": 299.0}],
        [MUG | {"amount": "29900"}],
        [MUG | {"amount": 0}],
        [MUG | {"amount": True}],
        [MUG | {"currency": "inr"}],
        [MUG | {"late_policy": "keep"}],
        [MUG | {"colour": "red"}],
        [MUG, MUG],
        {"mug": MUG},
        [{"sku": "mug"}],
    ],
)
def test_an_odd_file_is_refused(tmp_path: Path, entries: Any) -> None:
    file = tmp_path / "catalogue.json"
    file.write_text(json.dumps(entries))
    with pytest.raises(ValueError, match=r".+"):
        read_catalogue(file)
