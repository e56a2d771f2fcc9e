"""The ledger in PayPal's JSON. Times are RFC 3339, amounts decimal text."""

from collections.abc import Sequence
from datetime import UTC, datetime

from simulator.paypal.amounts import amount_of
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

ORDERS, CAPTURES, REFUNDS = "v2/checkout/orders", "v2/payments/captures", "v2/payments/refunds"
CAPTURE_STATUSES = {
    PaymentStatus.CREATED: "PENDING",
    PaymentStatus.CAPTURED: "COMPLETED",
    PaymentStatus.REFUNDED: "REFUNDED",
    PaymentStatus.FAILED: "DECLINED",
}
REFUND_STATUSES = {
    RefundStatus.PENDING: "PENDING",
    RefundStatus.PROCESSED: "COMPLETED",
    RefundStatus.FAILED: "FAILED",
}
DISPUTE_STATUSES = {
    DisputeStatus.OPEN: "WAITING_FOR_SELLER_RESPONSE",
    DisputeStatus.UNDER_REVIEW: "UNDER_REVIEW",
}
DISPUTE_OUTCOMES = {
    DisputeStatus.WON: "RESOLVED_SELLER_FAVOUR",
    DisputeStatus.LOST: "RESOLVED_BUYER_FAVOUR",
    DisputeStatus.CLOSED: "CANCELED_BY_BUYER",
}


class Entities:
    """`api` is where the resources live, `page_url` where the customer approves."""

    def __init__(self, api: str) -> None:
        self._api = api

    def order(
        self,
        link: Link,
        payments: Sequence[Payment],
        page_url: str,
        refunds: Sequence[Refund] = (),
    ) -> Json:
        taken = [payment for payment in payments if is_capture(link, payment)]
        unit = self._unit(link) | ({"payments": self._paid(link, taken, refunds)} if taken else {})
        status = order_status(link, payments)
        links = [self._link(f"{ORDERS}/{link.id}", "self", "GET")]
        if status in ("CREATED", "PAYER_ACTION_REQUIRED"):
            rel = "approve" if status == "CREATED" else "payer-action"
            links.append({"href": page_url, "rel": rel, "method": "GET"})
        if status == "APPROVED":
            links.append(self._link(f"{ORDERS}/{link.id}/capture", "capture", "POST"))
        return {
            "id": link.id,
            "intent": "CAPTURE",
            "status": status,
            "payment_source": {"paypal": {}},
            "purchase_units": [unit],
            "create_time": moment(link.created_at),
            "update_time": moment(link.updated_at),
            "links": links,
        }

    def capture(self, payment: Payment, link: Link) -> Json:
        given_back = payment.amount_refunded
        status = CAPTURE_STATUSES[payment.status]
        if status == "COMPLETED" and given_back:
            status = "PARTIALLY_REFUNDED"
        order = [] if link.elsewhere else [self._link(f"{ORDERS}/{link.id}", "up", "GET")]
        related = {} if link.elsewhere else {"related_ids": {"order_id": link.id}}
        return {
            "id": payment.id,
            "status": status,
            **({"status_details": {"reason": "PENDING_REVIEW"}} if status == "PENDING" else {}),
            "amount": amount_of(payment.amount, payment.currency),
            "final_capture": True,
            **names_of(link),
            **({"supplementary_data": related} if related else {}),
            "create_time": moment(payment.created_at),
            "update_time": moment(payment.updated_at),
            "links": [
                self._link(f"{CAPTURES}/{payment.id}", "self", "GET"),
                self._link(f"{CAPTURES}/{payment.id}/refund", "refund", "POST"),
                *order,
            ],
        }

    def refund(self, refund: Refund) -> Json:
        sent = refund.details
        return {
            "id": refund.id,
            "status": REFUND_STATUSES[refund.status],
            "amount": amount_of(refund.amount, refund.currency),
            **{name: sent[name] for name in ("invoice_id", "custom_id") if name in sent},
            "create_time": moment(refund.created_at),
            "update_time": moment(refund.updated_at),
            "links": [
                self._link(f"{REFUNDS}/{refund.id}", "self", "GET"),
                self._link(f"{CAPTURES}/{refund.payment_id}", "up", "GET"),
            ],
        }

    def dispute(self, dispute: Dispute, link: Link) -> Json:
        outcome = DISPUTE_OUTCOMES.get(dispute.status)
        return {
            "dispute_id": dispute.id,
            "create_time": moment(dispute.created_at),
            "update_time": moment(dispute.updated_at),
            "disputed_transactions": [
                {"seller_transaction_id": dispute.payment_id, "custom": link.order_id}
            ],
            "reason": dispute.reason.upper(),
            "status": DISPUTE_STATUSES.get(dispute.status, "RESOLVED"),
            "dispute_amount": amount_of(dispute.amount, dispute.currency),
            **({"dispute_outcome": {"outcome_code": outcome}} if outcome else {}),
            "seller_response_due_date": moment(dispute.respond_by),
        }

    def _unit(self, link: Link) -> Json:
        return {
            "reference_id": "default",
            "amount": amount_of(link.amount, link.currency),
            "description": link.description,
            **names_of(link),
        }

    def _paid(self, link: Link, taken: Sequence[Payment], refunds: Sequence[Refund]) -> Json:
        paid: Json = {"captures": [self.capture(payment, link) for payment in taken]}
        if refunds:
            paid["refunds"] = [self.refund(refund) for refund in refunds]
        return paid

    def _link(self, path: str, rel: str, method: str) -> Json:
        return {"href": f"{self._api}/{path}", "rel": rel, "method": method}


def is_capture(link: Link, payment: Payment) -> bool:
    """An approval is none yet, and one that was declined at once has never become one."""
    if payment.status is PaymentStatus.FAILED:
        return link.status in (LinkStatus.COMPLETED, LinkStatus.CANCELED)
    return payment.status is not PaymentStatus.AUTHORIZED


def order_status(link: Link, payments: Sequence[Payment]) -> str:
    if link.status in (LinkStatus.PAID, LinkStatus.COMPLETED):
        return "COMPLETED"
    if link.status is LinkStatus.CANCELED:
        return "VOIDED"
    if any(payment.status is PaymentStatus.AUTHORIZED for payment in payments):
        return "APPROVED"
    return "PAYER_ACTION_REQUIRED" if "payment_source" in link.details else "CREATED"


def names_of(link: Link) -> Json:
    """What the merchant calls it, on the order as on its captures."""
    unit = link.details.get("purchase_units", [{}])[0]
    return {name: unit[name] for name in ("invoice_id", "custom_id") if name in unit}


def moment(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
