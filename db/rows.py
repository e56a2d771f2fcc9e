"""Rows as the values of the domain."""

from db.repair_tables import CaseRow, DisputeRow, RefundRow
from db.tables import (
    EvidenceRow,
    OrderItemRow,
    OrderRow,
    PaymentLinkRow,
    PaymentRow,
    ProductRow,
)
from domain.cases import Case, CaseRecord, Decision
from domain.disputes import Dispute
from domain.money import Money
from domain.news import Evidence
from domain.orders import Order, OrderItem, Product
from domain.payments import Payment, PaymentLink
from domain.ports import LinkDraft, RefundDraft
from domain.refunds import Refund


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


def refund_from(row: RefundRow) -> Refund:
    return Refund(
        refund_id=row.refund_id,
        order_id=row.order_id,
        gateway=row.gateway,
        payment_reference=row.payment_reference,
        amount=Money(row.amount_minor, row.currency),
        status=row.status,
        reference=row.gateway_reference,
        failure=row.failure,
    )


def refund_draft_from(row: RefundRow) -> RefundDraft | None:
    if row.wire_key is None or row.draft is None:
        return None
    return RefundDraft(row.refund_id, row.payment_reference, row.wire_key, row.draft)


def dispute_from(row: DisputeRow, proof: EvidenceRow) -> Dispute:
    return Dispute(
        gateway=row.gateway,
        reference=row.reference,
        payment_reference=row.payment_reference,
        status=row.status,
        amount=Money(row.amount_minor, row.currency),
        reason=row.reason,
        evidence=evidence_from(proof),
    )


def case_from(row: CaseRow, payment: PaymentRow, proof: EvidenceRow) -> CaseRecord:
    about = (row.order_id, row.verdict, payment_from(payment), evidence_from(proof))
    case = Case(*about, row.approved_by)
    return CaseRecord(row.case_id, case, row.status, row.decision, row.decided_by, row.words)


def decision_from(row: CaseRow) -> Decision | None:
    if row.decision is None:
        return None
    return Decision(row.case_id, row.decision, row.decided_by or "", row.decision_reason or "")
