"""Rows as the values of the domain."""

from db.tables import (
    EvidenceRow,
    OrderItemRow,
    OrderRow,
    PaymentLinkRow,
    PaymentRow,
    ProductRow,
)
from domain.money import Money
from domain.news import Evidence
from domain.orders import Order, OrderItem, Product
from domain.payments import Payment, PaymentLink
from domain.ports import LinkDraft


def order_from(row: OrderRow) -> Order:
    return Order(
        order_id=row.order_id,
        client=row.client,
        amount=Money(row.amount_minor, row.currency),
        gateway=row.gateway,
        status=row.status,
        late_policy=row.late_policy,
        result_token=row.result_token,
        created_at=row.created_at,
        cancel_requested=row.cancel_requested_at is not None,
    )


def product_from(row: ProductRow) -> Product:
    price = Money(row.amount_minor, row.currency)
    return Product(row.sku, row.name, price, row.tax_rate, row.late_policy)


def item_from(row: OrderItemRow) -> OrderItem:
    price = Money(row.unit_amount_minor, row.currency)
    product = Product(row.sku, row.name, price, row.tax_rate, row.late_policy)
    return OrderItem(product, row.quantity)


def evidence_from(row: EvidenceRow) -> Evidence:
    return Evidence(row.kind, row.reference, row.digest)


def payment_from(row: PaymentRow) -> Payment:
    amount = Money(row.amount_minor, row.currency)
    return Payment(row.gateway, row.reference, row.status, amount, row.method, row.failure)


def draft_from(row: PaymentLinkRow) -> LinkDraft:
    return LinkDraft(row.key, row.wire_key, row.draft)


def link_from(row: PaymentLinkRow) -> PaymentLink | None:
    """The link, or None while the gateway's answer is not known."""
    if not (row.gateway_reference and row.url and row.expires_at and row.status):
        return None
    return PaymentLink(
        row.gateway, row.key, row.gateway_reference, row.url, row.expires_at, row.status
    )
