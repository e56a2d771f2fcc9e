"""The ledger as the control API shows it: ISO 8601 times in UTC, amounts in minor units."""

from datetime import UTC, datetime

from simulator.records import Dispute, Event, Json, Link, Payment, Refund, Settlement

LINK = "id order_id reference_id gateway_order_id status amount currency"
PAYMENT = "id status amount currency method captured amount_refunded"
REFUND = "id payment_id receipt amount currency status"
DISPUTE = "id payment_id reason amount currency status"
SETTLEMENT = "id dialect amount currency fees tax utr"


def link_view(link: Link, short_url: str) -> Json:
    times = {name: iso(getattr(link, name)) for name in ("created_at", "expires_at", "closed_at")}
    return chosen(link, LINK) | {"short_url": short_url} | times


def payment_view(payment: Payment, link: Link, reference: str) -> Json:
    """`reference` is the merchant's name for it."""
    more = {"reference": reference, "link_id": shown_id(link), "order_id": link.order_id}
    times = {"created_at": iso(payment.created_at), "settle_at": iso(payment.settle_at)}
    return chosen(payment, PAYMENT) | more | times


def refund_view(refund: Refund, link: Link) -> Json:
    more = {"order_id": link.order_id, "created_at": iso(refund.created_at)}
    return chosen(refund, REFUND) | more


def dispute_view(dispute: Dispute, link: Link) -> Json:
    more = {"order_id": link.order_id, "created_at": iso(dispute.created_at)}
    return chosen(dispute, DISPUTE) | more


def settlement_view(settlement: Settlement) -> Json:
    return chosen(settlement, SETTLEMENT) | {"created_at": iso(settlement.created_at)}


def event_view(event: Event, link: Link) -> Json:
    values = {"id": event.id, "event": event.name, "payment_id": event.payment_id}
    return values | {"link_id": shown_id(link), "created_at": iso(event.created_at)}


def shown_id(link: Link) -> str | None:
    return None if link.elsewhere else link.id


def timed(row: Json) -> Json:
    return row | {"at": iso(row["at"])}


def chosen(record: object, names: str) -> Json:
    return {name: getattr(record, name) for name in names.split()}


def iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()
