"""From what is recorded to what is answered."""

from api.models import (
    CaseOut,
    EntryOut,
    EvidenceOut,
    ItemOut,
    MoneyOut,
    OrderOut,
    PaymentOut,
    ProductOut,
)
from db.views import CaseView, OrderView, PaymentView, TimelineEntry
from domain.news import Evidence
from domain.orders import OrderItem, Product


def result_url(public_url: str, order_id: str, token: str) -> str:
    """Where the customer sees how the order ended; the token lets nobody else see it."""
    return f"{public_url}/orders/{order_id}/result?token={token}"


def product_out(product: Product) -> ProductOut:
    price = MoneyOut(amount=product.unit_price.minor, currency=product.unit_price.currency)
    return ProductOut(
        sku=product.sku, name=product.name, unit_price=price, tax_rate=product.tax_rate
    )


def order_out(view: OrderView, public_url: str) -> OrderOut:
    order = view.order
    return OrderOut(
        order_id=order.order_id,
        status=order.status,
        amount=order.amount.minor,
        currency=order.amount.currency,
        gateway=order.gateway,
        items=[_item(item) for item in view.items],
        payments=[_payment(payment) for payment in view.payments],
        refunds=[],
        cases=[_case(case) for case in view.cases],
        timeline=[_entry(entry) for entry in view.timeline],
        result_url=result_url(public_url, order.order_id, order.result_token),
        created_at=order.created_at,
    )


def _item(item: OrderItem) -> ItemOut:
    return ItemOut(
        sku=item.product.sku,
        name=item.product.name,
        quantity=item.quantity,
        unit_price=item.product.unit_price.minor,
        amount=item.amount.minor,
    )


def _payment(view: PaymentView) -> PaymentOut:
    payment = view.payment
    return PaymentOut(
        gateway=payment.gateway,
        gateway_reference=payment.reference,
        status=payment.status,
        amount=payment.amount.minor,
        currency=payment.amount.currency,
        method=payment.method,
        failure=payment.failure,
        evidence=_evidence(view.evidence),
    )


def _case(view: CaseView) -> CaseOut:
    return CaseOut(
        case_id=view.case_id,
        verdict=view.verdict,
        status=view.status,
        gateway_reference=view.payment_reference,
        opened_at=view.opened_at,
        evidence=_evidence(view.evidence),
    )


def _entry(entry: TimelineEntry) -> EntryOut:
    return EntryOut(
        at=entry.at,
        event=entry.event,
        status=entry.status,
        actor=entry.actor,
        evidence=_evidence(entry.evidence),
    )


def _evidence(evidence: Evidence | None) -> EvidenceOut | None:
    if evidence is None:
        return None
    return EvidenceOut(kind=evidence.kind, reference=evidence.reference, digest=evidence.digest)
