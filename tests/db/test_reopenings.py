"""A case whose refund was taken back waits for another word, whichever is recorded first."""

import pytest

from db.cases import CaseStore
from db.engine import Database
from db.reads import OrderReads
from db.refunds import RefundStore
from domain.cases import Case, CaseOutcome, CaseStatus, CaseVerdict, Decision, Remedy
from domain.orders import OrderStatus
from domain.refunds import Refund, RefundStatus
from tests.support.orders import NOON, PROOF, a_payment
from tests.support.refunds import LATER, a_refund_wish, place_ended, refund_news, refunded


@pytest.fixture
def cases(database: Database) -> CaseStore:
    return CaseStore(database)


async def decided(database: Database, cases: CaseStore) -> tuple[str, Refund]:
    """A late payment's case with an operator's word, and the refund that carried it out."""
    order_id = await place_ended(database, OrderStatus.EXPIRED)
    await cases.open_case(
        Case(order_id, CaseVerdict.LATE_CAPTURE, a_payment(order_id), PROOF), NOON
    )
    (record,) = await cases.open_cases(order_id)
    await cases.await_word(record.case_id, "why", NOON)
    assert await cases.decide(Decision(record.case_id, Remedy.REFUND, "ops", "so"), NOON)
    return record.case_id, await refunded(database, a_refund_wish(order_id))


async def taken_back(database: Database, refund: Refund) -> None:
    await RefundStore(database).record_refund(refund_news(refund, RefundStatus.FAILED), LATER)


@pytest.mark.parametrize("settled_first", [True, False])
async def test_it_waits_again(database: Database, cases: CaseStore, settled_first: bool) -> None:
    case_id, refund = await decided(database, cases)
    if not settled_first:
        await taken_back(database, refund)
    await cases.settle(case_id, CaseOutcome.REFUNDED, refund.refund_id, LATER)
    if settled_first:
        await taken_back(database, refund)
    view = await OrderReads(database).case_view(case_id)
    assert (view.status, view.outcome, view.settled_at) == (CaseStatus.WAITING, None, None)
    assert view.why == f"the refund {refund.refund_id} was taken back by the gateway"
    record = await cases.case(case_id)
    assert (record.decision, record.words) == (None, 1), "the next refund has another id"
    assert await cases.decide(Decision(case_id, Remedy.DISMISS, "ops", "kept"), LATER)
    await cases.settle(case_id, CaseOutcome.DISMISSED, None, LATER)
    assert (await cases.case(case_id)).status is CaseStatus.SETTLED


async def test_a_case_that_was_settled_otherwise_stays_so(
    database: Database, cases: CaseStore
) -> None:
    case_id, refund = await decided(database, cases)
    await cases.settle(case_id, CaseOutcome.DISMISSED, None, LATER)
    await taken_back(database, refund)
    assert (await cases.case(case_id)).status is CaseStatus.SETTLED
