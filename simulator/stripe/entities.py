"""The ledger in Stripe's JSON. Times are whole Unix seconds, amounts its smallest units."""

from collections.abc import Sequence

from simulator.records import (
    Dispute,
    DisputeStatus,
    Json,
    Link,
    LinkStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
)

SESSION_STATUSES = {
    LinkStatus.CREATED: "open",
    LinkStatus.COMPLETED: "complete",
    LinkStatus.PAID: "complete",
    LinkStatus.CANCELED: "expired",
    LinkStatus.EXPIRED: "expired",
}
DISPUTE_STATUSES = {
    DisputeStatus.OPEN: "needs_response",
    DisputeStatus.UNDER_REVIEW: "under_review",
    DisputeStatus.WON: "won",
    DisputeStatus.LOST: "lost",
    DisputeStatus.CLOSED: "warning_closed",
}
REFUND_STATUSES = {
    RefundStatus.PENDING: "pending",
    RefundStatus.PROCESSED: "succeeded",
    RefundStatus.FAILED: "failed",
}
DECLINED = {
    "code": "card_declined",
    "decline_code": "generic_decline",
    "message": "Your card was declined.",
    "type": "card_error",
}


def session_entity(link: Link, payments: Sequence[Payment], url: str, *, livemode: bool) -> Json:
    sent = link.details
    paid = next((payment for payment in payments if payment.captured), None)
    total = paid.amount if paid else link.amount
    return {
        "id": link.id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "amount_subtotal": link.amount,
        "amount_total": total,
        "cancel_url": sent.get("cancel_url"),
        "client_reference_id": sent.get("client_reference_id"),
        "created": int(link.created_at),
        "currency": link.currency.lower(),
        "customer": None,
        "customer_details": customer() if payments else None,
        "customer_email": sent.get("customer_email"),
        "expires_at": int(link.expires_at),
        "livemode": livemode,
        "metadata": sent.get("metadata") or {},
        "mode": "payment",
        "payment_intent": link.gateway_order_id,
        "payment_method_types": ["card", "upi", "netbanking", "wallet"],
        "payment_status": "paid" if paid else "unpaid",
        "status": SESSION_STATUSES[link.status],
        "success_url": link.return_url,
        "ui_mode": "hosted_page",
        "url": url if link.is_open else None,
    }


def intent_entity(link: Link, payments: Sequence[Payment], *, livemode: bool) -> Json:
    """All attempts on a session are one intent: the furthest of them says how it stands."""
    intent_data = link.details.get("payment_intent_data") or {}
    status, latest = intent_status(link, payments), payments[-1]
    taken = sum(payment.amount for payment in payments if payment.captured)
    held = [payment for payment in payments if payment.status is PaymentStatus.AUTHORIZED]
    failed = status == "requires_payment_method" and latest.status is PaymentStatus.FAILED
    return {
        "id": intent_id(link, latest),
        "object": "payment_intent",
        "amount": taken or (held[0].amount if held else link.amount),
        "amount_capturable": sum(payment.amount for payment in held),
        "amount_received": taken,
        "canceled_at": int(link.closed_at or 0) if status == "canceled" else None,
        "capture_method": "automatic_async",
        "created": int(payments[0].created_at),
        "currency": link.currency.lower(),
        "description": intent_data.get("description"),
        "last_payment_error": payment_error(latest) if failed else None,
        "latest_charge": latest.id,
        "livemode": livemode,
        "metadata": intent_data.get("metadata") or {},
        "next_action": None,
        "payment_method": f"pm_{serial(latest)}",
        "payment_method_types": ["card", "upi", "netbanking", "wallet"],
        "status": status,
    }


def intent_status(link: Link, payments: Sequence[Payment]) -> str:
    if any(payment.captured for payment in payments):
        return "succeeded"
    statuses = {payment.status for payment in payments}
    if PaymentStatus.AUTHORIZED in statuses:
        return "requires_capture"
    if PaymentStatus.CREATED in statuses:
        return "processing"
    gone = link.status in (LinkStatus.CANCELED, LinkStatus.EXPIRED)
    return "canceled" if gone or PaymentStatus.REFUNDED in statuses else "requires_payment_method"


def charge_entity(payment: Payment, link: Link, *, fee_known: bool = True, livemode: bool) -> Json:
    """Its fee is a balance transaction, which comes a moment after the charge."""
    failed = payment.status is PaymentStatus.FAILED
    intent_data = link.details.get("payment_intent_data") or {}
    refunded = payment.amount_refunded
    return {
        "id": payment.id,
        "object": "charge",
        "amount": payment.amount,
        "amount_captured": payment.amount if payment.captured else 0,
        "amount_refunded": refunded,
        "balance_transaction": balance_id(payment) if payment.captured and fee_known else None,
        "billing_details": customer() | {"address": None},
        "captured": payment.captured,
        "created": int(payment.created_at),
        "currency": payment.currency.lower(),
        "description": intent_data.get("description"),
        "failure_code": DECLINED["code"] if failed else None,
        "failure_message": DECLINED["message"] if failed else None,
        "livemode": livemode,
        "metadata": intent_data.get("metadata") or {},
        "paid": not failed,
        "payment_intent": intent_id(link, payment),
        "payment_method": f"pm_{serial(payment)}",
        "payment_method_details": {"type": payment.method, payment.method: {}},
        "refunded": refunded == payment.amount,
        "status": charge_status(payment),
    }


def refund_entity(refund: Refund, payment: Payment, link: Link) -> Json:
    failed = refund.status is RefundStatus.FAILED
    pending = refund.status is RefundStatus.PENDING
    return {
        "id": refund.id,
        "object": "refund",
        "amount": refund.amount,
        "balance_transaction": None if pending else f"txn_{refund.id.removeprefix('re_')}",
        "charge": payment.id,
        "created": int(refund.created_at),
        "currency": refund.currency.lower(),
        "metadata": refund.details.get("metadata") or {},
        "payment_intent": intent_id(link, payment),
        "reason": refund.details.get("reason"),
        "status": REFUND_STATUSES[refund.status],
        **({"failure_reason": "lost_or_stolen_card"} if failed else {}),
        **({"pending_reason": "processing"} if pending else {}),
    }


def dispute_entity(dispute: Dispute, payment: Payment, link: Link, *, livemode: bool) -> Json:
    return {
        "id": dispute.id,
        "object": "dispute",
        "amount": dispute.amount,
        "balance_transactions": [],
        "charge": payment.id,
        "created": int(dispute.created_at),
        "currency": dispute.currency.lower(),
        "evidence_details": {"due_by": int(dispute.respond_by), "has_evidence": False},
        "is_charge_refundable": False,
        "livemode": livemode,
        "metadata": {},
        "payment_intent": intent_id(link, payment),
        "reason": dispute.reason,
        "status": DISPUTE_STATUSES[dispute.status],
    }


def intent_id(link: Link, payment: Payment) -> str:
    """The session's intent; what was paid elsewhere has one of its own."""
    return link.gateway_order_id or f"pi_{serial(payment)}"


def serial(payment: Payment) -> str:
    return payment.id.removeprefix("ch_")


def balance_id(payment: Payment) -> str:
    return f"txn_{serial(payment)}"


def charge_status(payment: Payment) -> str:
    if payment.status is PaymentStatus.FAILED:
        return "failed"
    return "pending" if payment.status is PaymentStatus.CREATED else "succeeded"


def payment_error(payment: Payment) -> Json:
    return DECLINED | {
        "charge": payment.id,
        "payment_method": {"id": f"pm_{serial(payment)}", "type": payment.method},
    }


def customer() -> Json:
    """What a customer types into the page; the merchant has no use for it."""
    return {"email": "customer@example.com", "name": "A Customer", "phone": None}
