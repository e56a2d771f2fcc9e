"""PayPal's JSON, as its reference pages show it, about the order `ord_tests` and its first link."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.keys import link_key, wire_key
from gateways.bodies import Json
from simulator.paypal.signing import new_identity, transmission

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CLIENT_ID, CLIENT_SECRET = "paypal-app-of-the-tests", "paypal-s3cret-of-the-tests"
TOKEN = "A21AA-token-of-the-tests"
WEBHOOK_ID, OLD_WEBHOOK_ID = "7WH00000000000001", "7WH00000000000000"
ORDER, CAPTURE, REFUND = "5O190127TN364715T", "3C679366HH908993F", "1JU08902781691411"
EMAIL, PAYER = "payer@example.com", "Asha Payer"
OURS, KEY = "ord_tests", wire_key(link_key("ord_tests", 1))
REFUND_ID = "rfd_abcdefghijklmnopqrstuvwxyz"
API = "https://api-m.paypal.com"
CERT = "/v1/notifications/certs/CERT-360caa42"
SIGNER = new_identity(since=NOW - timedelta(days=30))
MONEY = {"currency_code": "USD", "value": "499.00"}


def order(**changes: Any) -> Json:
    """Completed, with one capture and one refund."""
    unit = {
        "reference_id": "default",
        "amount": MONEY,
        "custom_id": OURS,
        "invoice_id": KEY,
        "payments": {"captures": [capture()], "refunds": [refund()]},
    }
    return {
        "id": ORDER,
        "intent": "CAPTURE",
        "status": "COMPLETED",
        "payer": {"email_address": EMAIL, "name": {"given_name": PAYER}},
        "purchase_units": [unit],
        "create_time": "2026-06-01T11:55:00Z",
        "links": [{"rel": "payer-action", "href": f"https://www.paypal.com/pay?token={ORDER}"}],
    } | changes


def unpaid(status: str) -> Json:
    """An order nobody has captured."""
    made = order(status=status)
    del made["purchase_units"][0]["payments"]
    return made


def capture(**changes: Any) -> Json:
    return {
        "id": CAPTURE,
        "status": "COMPLETED",
        "amount": MONEY,
        "final_capture": True,
        "custom_id": OURS,
        "invoice_id": KEY,
        "supplementary_data": {"related_ids": {"order_id": ORDER}},
        "links": [{"rel": "up", "href": f"{API}/v2/checkout/orders/{ORDER}"}],
    } | changes


def refund(**changes: Any) -> Json:
    return {
        "id": REFUND,
        "status": "COMPLETED",
        "amount": {"currency_code": "USD", "value": "100.00"},
        "custom_id": REFUND_ID,
        "invoice_id": REFUND_ID,
        "note_to_payer": PAYER,
        "links": [{"rel": "up", "href": f"{API}/v2/payments/captures/{CAPTURE}"}],
    } | changes


def dispute(**changes: Any) -> Json:
    return {
        "dispute_id": "PP-D-4012",
        "disputed_transactions": [{"seller_transaction_id": CAPTURE, "buyer": {"name": PAYER}}],
        "reason": "UNAUTHORISED",
        "status": "UNDER_REVIEW",
        "dispute_amount": MONEY,
    } | changes


def resolved(outcome: str) -> Json:
    return dispute(status="RESOLVED", dispute_outcome={"outcome_code": outcome})


def event(kind: str, resource: Json) -> Json:
    return {
        "id": f"WH-{kind}",
        "create_time": "2026-06-01T12:00:00Z",
        "event_type": kind,
        "event_version": "1.0",
        "resource": resource,
        "summary": f"for {EMAIL}",
    }


def signed(body: bytes, webhook_id: str, at: datetime) -> dict[str, str]:
    url = f"https://api.paypal.com{CERT}"
    return transmission(SIGNER, body, webhook_id, url, "transmission-1", at.timestamp())
