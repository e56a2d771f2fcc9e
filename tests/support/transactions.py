"""Rows of transaction files, as an adapter would have read them, and runs over them."""

from datetime import datetime, timedelta
from typing import Any

from domain.keys import link_key, wire_key
from domain.payments import PaymentStatus
from domain.policies import Budget
from domain.reconciliations import Period, ReconciliationPlan
from domain.settlements import Chunk, Entry, EntryKind, Report, SettlementTotal
from tests.support.orders import NOON

DAY = Period(NOON - timedelta(hours=12), NOON + timedelta(hours=12))
LATER = NOON + timedelta(days=7)


def a_plan(**changes: Any) -> ReconciliationPlan:
    """A run over the transactions of the day, a week later: nothing in it is young any more."""
    usual: dict[str, Any] = {
        "gateway": "acme",
        "as_of": LATER,
        "ageing": timedelta(days=2),
        "budget": Budget(),
        "period": DAY,
        "report": Report.TRANSACTIONS,
    }
    return ReconciliationPlan(**usual | changes)


def a_row(position: int, order_id: str | None = None, **changes: Any) -> Entry:
    """A captured payment of the order's price, named as `a_payment` names it."""
    entry = Entry(
        position=position,
        kind=EntryKind.PAYMENT,
        reference=f"pay_1_{order_id}",
        payment_reference=None,
        order_reference=wire_key(link_key(order_id, 1)) if order_id else None,
        our_id=None,
        status=PaymentStatus.CAPTURED.value,
        amount_minor=49900,
        currency="INR",
        fee_minor=998,
        tax_minor=180,
        method="upi",
        settlement_id="setl_1",
        occurred_at=seconds(NOON),
        settled_at=seconds(NOON + timedelta(days=2)),
    )
    return entry._replace(**changes)


def a_chunk(
    *entries: Entry, totals: tuple[SettlementTotal, ...] = (), is_last: bool = True
) -> Chunk:
    cursor = f"after {entries[-1].position}" if entries else "after nothing"
    return Chunk(list(entries), cursor, totals, is_last)


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())
