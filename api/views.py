"""From what is recorded to what is answered."""

from api.models import (
    CaseOut,
    CreditNoteOut,
    DisputeOut,
    EntryOut,
    EvidenceOut,
    InvoiceOut,
    ItemOut,
    LetterOut,
    MoneyOut,
    OrderOut,
    PaymentOut,
    ProductOut,
    RefundOut,
)
from db.views import (
    CaseView,
    CreditNoteView,
    DisputeView,
    InvoiceView,
    LetterView,
    OrderView,
    PaymentView,
    RefundView,
    TimelineEntry,
)
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
        refunds=[refund_out(refund) for refund in view.refunds],
        disputes=[_dispute(dispute) for dispute in view.disputes],
        late_capture=view.late_capture,
        cases=[case_out(case) for case in view.cases],
        timeline=[_entry(entry) for entry in view.timeline],
        invoice=_invoice(order.order_id, view.invoice, public_url),
        credit_notes=[
            credit_note_out(order.order_id, note, public_url) for note in view.credit_notes
        ],
        letters=[_letter(letter) for letter in view.letters],
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


def refund_out(view: RefundView) -> RefundOut:
    refund = view.refund
    return RefundOut(
        refund_id=refund.refund_id,
        order_id=refund.order_id,
        status=refund.status,
        amount=refund.amount.minor,
        currency=refund.amount.currency,
        gateway=refund.gateway,
        gateway_reference=refund.payment_reference,
        reference=refund.reference,
        reason=view.reason,
        actor=view.actor,
        failure=refund.failure,
        requested_at=view.requested_at,
        evidence=_evidence(view.evidence),
    )


def _dispute(view: DisputeView) -> DisputeOut:
    dispute = view.dispute
    return DisputeOut(
        reference=dispute.reference,
        gateway_reference=dispute.payment_reference,
        status=dispute.status,
        amount=dispute.amount.minor,
        currency=dispute.amount.currency,
        reason=dispute.reason,
        opened_at=view.opened_at,
    )


def case_out(view: CaseView) -> CaseOut:
    word = view.decision
    return CaseOut(
        case_id=view.case_id,
        order_id=view.order_id,
        verdict=view.verdict,
        status=view.status,
        why=view.why,
        decision=word.remedy if word else None,
        decided_by=word.actor if word else None,
        reason=word.reason if word else None,
        outcome=view.outcome,
        refund_id=view.refund_id,
        gateway=view.gateway,
        gateway_reference=view.payment_reference,
        amount=view.amount.minor,
        currency=view.amount.currency,
        opened_at=view.opened_at,
        evidence=_evidence(view.evidence),
    )


def credit_note_out(order_id: str, note: CreditNoteView, public_url: str) -> CreditNoteOut:
    return CreditNoteOut(
        number=note.number,
        amount=note.amount.minor,
        currency=note.amount.currency,
        reason=note.reason,
        refund_id=note.refund_id,
        issued_at=note.issued_at,
        voided_at=note.voided_at,
        url=f"{public_url}/orders/{order_id}/credit-notes/{note.number}.pdf",
    )


def _invoice(order_id: str, invoice: InvoiceView | None, public_url: str) -> InvoiceOut | None:
    if invoice is None:
        return None
    url = f"{public_url}/orders/{order_id}/invoice.pdf"
    return InvoiceOut(number=invoice.number, issued_at=invoice.issued_at, url=url)


def _letter(letter: LetterView) -> LetterOut:
    return LetterOut(
        kind=letter.kind,
        about=letter.letter_id.partition(".")[0],
        written_at=letter.written_at,
        sent_at=letter.sent_at,
        refused=letter.refused,
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
