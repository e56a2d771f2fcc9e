"""The ledger in Razorpay's JSON. Times are whole Unix seconds, amounts subunits."""

from collections.abc import Sequence

from simulator.money import decimals
from simulator.records import (
    Dispute,
    DisputeStatus,
    Json,
    Link,
    LinkStatus,
    Method,
    Payment,
    PaymentStatus,
    Refund,
)

LINK_STATUSES = {
    LinkStatus.CREATED: "created",
    LinkStatus.PAID: "paid",
    LinkStatus.CANCELED: "cancelled",
    LinkStatus.EXPIRED: "expired",
}
# Real rates move; all that matters here is that the base amount differs from the amount.
RUPEES_PER_UNIT = 80


def link_entity(link: Link, payments: Sequence[Payment], short_url: str) -> Json:
    sent = link.details
    captured = [payment for payment in payments if payment.captured]
    return {
        "accept_partial": False,
        "amount": link.amount,
        "amount_paid": sum(payment.amount for payment in captured),
        "callback_method": "get" if link.return_url else "",
        "callback_url": link.return_url or "",
        "cancelled_at": closed_at(link, LinkStatus.CANCELED),
        "created_at": int(link.created_at),
        "currency": link.currency,
        "customer": or_list(sent.get("customer")),
        "description": link.description,
        "expire_by": sent.get("expire_by") or 0,
        "expired_at": closed_at(link, LinkStatus.EXPIRED),
        "first_min_partial_amount": 0,
        "id": link.id,
        "notes": or_list(sent.get("notes")),
        "notify": {"email": False, "sms": False, "whatsapp": False} | (sent.get("notify") or {}),
        "order_id": link.gateway_order_id,
        "payments": [link_payment(payment) for payment in captured] or None,
        "reference_id": link.reference_id or "",
        "reminder_enable": bool(sent.get("reminder_enable")),
        "reminders": [],
        "short_url": short_url,
        "status": LINK_STATUSES[link.status],
        "updated_at": int(link.updated_at),
        "upi_link": bool(sent.get("upi_link")),
        "user_id": "",
        "whatsapp_link": False,
    }


def link_payment(payment: Payment) -> Json:
    return {
        "amount": payment.amount,
        "created_at": int(payment.created_at),
        "method": payment.method,
        "payment_id": payment.id,
        "plink_id": payment.link_id,
        "status": "captured",
        "updated_at": int(payment.updated_at),
    }


def order_entity(link: Link, payments: Sequence[Payment]) -> Json:
    paid = sum(payment.amount for payment in payments if payment.captured)
    attempted = "attempted" if payments else "created"
    return {
        "id": link.gateway_order_id,
        "entity": "order",
        "amount": link.amount,
        "amount_paid": paid,
        "amount_due": max(link.amount - paid, 0),
        "currency": link.currency,
        "receipt": link.reference_id,
        "offer_id": None,
        "status": "paid" if any(payment.captured for payment in payments) else attempted,
        "attempts": len(payments),
        "notes": or_list(link.details.get("notes")),
        "created_at": int(min((p.created_at for p in payments), default=link.created_at)),
    }


def payment_entity(payment: Payment, link: Link) -> Json:
    customer = link.details.get("customer") or {}
    return {
        "id": payment.id,
        "entity": "payment",
        "amount": payment.amount,
        "currency": payment.currency,
        "status": payment.status,
        "order_id": link.gateway_order_id,
        "invoice_id": None,
        "international": payment.currency != "INR",
        "method": payment.method,
        "amount_refunded": payment.amount_refunded,
        "amount_transferred": 0,
        "refund_status": refund_status(payment),
        "captured": payment.captured,
        "description": link.description or None,
        "email": customer.get("email") or "void@razorpay.com",
        "contact": customer.get("contact") or "+919999999999",
        "notes": or_list(link.details.get("notes")),
        "created_at": int(payment.created_at),
        **base_amount(payment),
        **method_fields(payment),
        **fees(payment),
        **error_fields(payment),
    }


def refund_entity(refund: Refund) -> Json:
    speed = refund.details.get("speed") or "normal"
    return {
        "id": refund.id,
        "entity": "refund",
        "amount": refund.amount,
        "currency": refund.currency,
        "payment_id": refund.payment_id,
        "notes": or_list(refund.details.get("notes")),
        "receipt": refund.receipt,
        "acquirer_data": {"arn": None},
        "created_at": int(refund.created_at),
        "batch_id": None,
        "status": refund.status,
        "speed_processed": "instant" if speed == "optimum" else "normal",
        "speed_requested": speed,
    }


def dispute_entity(dispute: Dispute) -> Json:
    lost = dispute.status is DisputeStatus.LOST
    return {
        "id": dispute.id,
        "entity": "dispute",
        "payment_id": dispute.payment_id,
        "amount": dispute.amount,
        "currency": dispute.currency,
        "amount_deducted": dispute.amount if lost else 0,
        "reason_code": dispute.reason,
        "respond_by": int(dispute.respond_by),
        "status": dispute.status,
        "phase": "chargeback",
        "created_at": int(dispute.created_at),
        "evidence": {"amount": dispute.amount, "summary": None, "submitted_at": None},
    }


def collection(items: Sequence[Json]) -> Json:
    return {"entity": "collection", "count": len(items), "items": list(items)}


def refund_status(payment: Payment) -> str | None:
    if not payment.amount_refunded:
        return None
    return "partial" if payment.amount_left else "full"


def base_amount(payment: Payment) -> Json:
    if payment.currency == "INR":
        return {}
    paise = payment.amount * RUPEES_PER_UNIT * 100 // 10 ** decimals(payment.currency)
    return {"base_amount": paise, "base_currency": "INR"}


def method_fields(payment: Payment) -> Json:
    none = {"card_id": None, "bank": None, "wallet": None, "vpa": None}
    serial = payment.id.removeprefix("pay_")
    match payment.method:
        case Method.CARD:
            card_id = f"card_{serial}"
            card = {"id": card_id, "entity": "card", "last4": "1007", "network": "Visa"}
            fields: Json = {"card_id": card_id, "card": card | {"type": "debit"}}
            acquirer = {"auth_code": "828553", "rrn": None}
        case Method.UPI:
            vpa = f"{'failure' if payment.status is PaymentStatus.FAILED else 'success'}@razorpay"
            fields = {"vpa": vpa, "upi": {"vpa": vpa}}
            acquirer = {"rrn": None}
        case Method.NETBANKING:
            fields, acquirer = {"bank": "HDFC"}, {"bank_transaction_id": None}
        case Method.WALLET:
            fields, acquirer = {"wallet": "payzapp"}, {"transaction_id": None}
    return none | fields | {"acquirer_data": acquirer}


def fees(payment: Payment) -> Json:
    """Known once captured; `fee` includes `tax`."""
    if not payment.captured:
        return {"fee": None, "tax": None}
    return {"fee": payment.fee + payment.tax, "tax": payment.tax}


def error_fields(payment: Payment) -> Json:
    names = ("error_code", "error_description", "error_source", "error_step", "error_reason")
    if payment.status is not PaymentStatus.FAILED:
        return dict.fromkeys(names)
    text = (
        "Payment was unsuccessful due to a temporary issue."
        " If amount got deducted, it will be refunded within 5-7 working days."
    )
    values = ("BAD_REQUEST_ERROR", text, "gateway", "payment_response", "payment_failed")
    return dict(zip(names, values, strict=True))


def closed_at(link: Link, status: LinkStatus) -> int:
    return int(link.closed_at or 0) if link.status is status else 0


def or_list(value: Json | None) -> Json | list[None]:
    """An empty map comes out as `[]`: Razorpay's own server cannot tell the two apart."""
    return value or []
