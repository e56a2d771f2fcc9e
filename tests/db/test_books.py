"""Loads and runs: what is begun, broken off, repeated, refused, and handed over."""

from datetime import timedelta

import pytest

from db.books import BookStore
from db.engine import Database
from db.findings import FORGOTTEN_AT_ONCE, forget_undone
from db.reconciliation_reads import ReconciliationReads
from domain.errors import AlreadyLoaded, FileRefused, RunNotFound
from domain.findings import Answer, Match, Plan, RepairState
from domain.money import Money
from domain.orders import OrderStatus
from domain.policies import Budget
from domain.reconciliations import Approval, Period, ReconciliationPlan, RunState
from domain.settlements import Report, SettlementTotal, TransactionFile
from tests.support.orders import NOON, place_awaiting
from tests.support.refunds import place_ended
from tests.support.transactions import DAY, LATER, a_chunk, a_plan, a_row, seconds

FILE = TransactionFile("acme", "ab" * 32, "march.csv", 999)


@pytest.fixture
def books(database: Database) -> BookStore:
    return BookStore(database)


@pytest.fixture
def reads(database: Database) -> ReconciliationReads:
    return ReconciliationReads(database)


async def loaded(books: BookStore, plan: ReconciliationPlan, *rows: object) -> None:
    await books.begin(plan, LATER)
    await books.stage(plan, a_chunk(*rows))  # type: ignore[arg-type]


async def tallies_of(books: BookStore, plan: ReconciliationPlan) -> dict[Match, int]:
    return {tally.match: tally.rows for tally in await books.match(plan, LATER)}


async def test_a_load_goes_on_where_it_stopped(database: Database, books: BookStore) -> None:
    plan = a_plan()
    orders = [await place_ended(database) for _ in range(3)]
    rows = [a_row(number, order) for number, order in enumerate(orders)]
    await books.begin(plan, LATER)
    assert await books.cursor(plan) == ("", 0)
    first, second = a_chunk(*rows[:2], is_last=False), a_chunk(*rows[2:])
    assert await books.stage(plan, first) == 2
    assert await books.cursor(plan) == ("after 1", 2)
    assert await books.stage(plan, first) == 2
    assert await books.stage(plan, a_chunk(*rows[1:], is_last=False)) == 3
    assert await books.stage(plan, second) == 3
    assert await books.stage(plan, a_chunk()) == 3
    with pytest.raises(AlreadyLoaded) as caught:
        await books.cursor(plan)
    assert caught.value.args == (3,)
    assert await tallies_of(books, plan) == {Match.OK_PAID: 3}


async def test_nothing_is_compared_before_all_is_there(books: BookStore) -> None:
    plan = a_plan()
    await books.begin(plan, LATER)
    await books.stage(plan, a_chunk(a_row(1, "x"), is_last=False))
    with pytest.raises(FileRefused):
        await books.match(plan, LATER)


async def test_a_refused_load_leaves_no_row(
    database: Database, books: BookStore, reads: ReconciliationReads
) -> None:
    plan = a_plan()
    row = a_row(1, await place_ended(database))
    await loaded(books, plan, row)
    await books.refuse(plan, "line 7: cut off", LATER)
    run = await reads.run(plan.run_id)
    assert (run.state, run.why, run.rows) == (RunState.REFUSED, "line 7: cut off", 0)
    assert await books.cursor(plan) == ("", 0)
    assert await books.stage(plan, a_chunk(row)) == 1
    assert await tallies_of(books, plan) == {Match.OK_PAID: 1}


async def test_the_same_run_again_finds_the_same(
    database: Database, books: BookStore, reads: ReconciliationReads
) -> None:
    plan = a_plan()
    for status in (OrderStatus.PAID, OrderStatus.EXPIRED):
        await place_ended(database, status)
    late = await place_ended(database, OrderStatus.EXPIRED)
    await loaded(books, plan, a_row(1, late))
    first = await books.match(plan, LATER)
    before = await reads.findings(plan.run_id)
    await books.handed_over(before[0].finding.finding_id, RepairState.HANDED_OVER, "done", LATER)
    await books.begin(plan, LATER + timedelta(hours=1))
    assert await books.match(plan, LATER + timedelta(hours=1)) == first
    after = await reads.findings(plan.run_id)
    assert [view.finding for view in after] == [view.finding for view in before]
    assert [view.state for view in after] == [RepairState.HANDED_OVER, RepairState.PLANNED]
    assert (after[0].note, after[0].handed_over_at) == ("done", LATER)


async def test_what_another_load_has_is_not_missing(database: Database, books: BookStore) -> None:
    order_id = await place_ended(database)
    hour = timedelta(hours=1)
    earlier = a_plan(period=Period(NOON - 6 * hour, NOON))
    later = a_plan(period=Period(NOON - hour, NOON + 3 * hour))
    await loaded(books, later)
    assert await tallies_of(books, later) == {Match.MISSING_AT_GATEWAY: 1}
    await loaded(books, earlier, a_row(1, order_id, occurred_at=seconds(NOON) - 60))
    assert await tallies_of(books, later) == {}
    settled = a_plan(report=Report.SETTLEMENTS, ageing=hour)
    await loaded(books, settled)
    assert await tallies_of(books, settled) == {Match.MISSING_AT_GATEWAY: 1}


async def test_a_dry_run_shares_the_rows(database: Database, books: BookStore) -> None:
    plan, dry = a_plan(), a_plan(dry_run=True)
    await loaded(books, plan, a_row(1, await place_ended(database, OrderStatus.EXPIRED)))
    await books.begin(dry, LATER)
    with pytest.raises(AlreadyLoaded):
        await books.cursor(dry)
    assert await tallies_of(books, dry) == {Match.FAIL_PAID: 1}
    assert (await books.next_page(plan.run_id, None)).findings == 0


async def test_a_file_speaks_for_the_time_of_its_rows(
    database: Database, books: BookStore, reads: ReconciliationReads
) -> None:
    order_id = await place_ended(database)
    plan = a_plan(file=FILE, period=None)
    first, last = seconds(NOON) - 3600, seconds(NOON)
    rows = [a_row(1, None, reference="pay_x", occurred_at=first, status="failed")]
    rows += [a_row(2, order_id, occurred_at=last)]
    await place_ended(database)
    await loaded(books, plan, *rows)
    assert await tallies_of(books, plan) == {Match.OK_PAID: 1, Match.FAIL_FAIL: 1}
    run = await reads.run(plan.run_id)
    assert run.period == Period(NOON - timedelta(hours=1), NOON + timedelta(seconds=1))
    assert (run.file, run.report, run.rows) == (FILE, None, 2)


async def test_an_empty_file_is_a_file(books: BookStore) -> None:
    plan = a_plan(file=FILE, period=None)
    await loaded(books, plan)
    assert await books.match(plan, LATER) == []


async def test_pages_stop_at_the_budget(database: Database, books: BookStore) -> None:
    plan = a_plan()
    late = [await place_ended(database, OrderStatus.EXPIRED) for _ in range(3)]
    asked = await place_awaiting(database)
    await loaded(books, plan, *(a_row(n, order) for n, order in enumerate([*late, asked])))
    await books.match(plan, LATER)
    unlimited = await books.next_page(plan.run_id, None)
    assert (unlimited.findings, unlimited.refunds) == (4, 3)
    assert (unlimited.minor_by_currency, unlimited.is_held) == ({"INR": 3 * 49900}, False)
    by_count = await books.next_page(plan.run_id, Budget(2))
    by_money = await books.next_page(plan.run_id, Budget(9, {"INR": 2 * 49900}))
    assert by_count == by_money
    assert (by_count.findings, by_count.refunds, by_count.is_held) == (3, 2, True)
    assert by_count.last
    page = await books.page(plan.run_id, by_count.last)
    assert [finding.plan for finding in page] == [Plan.TELL, Plan.REFUND, Plan.REFUND]
    for finding in page:
        await books.handed_over(finding.finding_id, RepairState.HANDED_OVER, "told", LATER)
    assert await books.page(plan.run_id, by_count.last) == []
    held = await books.next_page(plan.run_id, Budget(0))
    assert (held.last, held.findings, held.is_held) == (None, 0, True)
    rest = await books.next_page(plan.run_id, Budget(1, {"USD": 0}))
    assert (rest.findings, rest.refunds, rest.is_held) == (1, 1, False)


async def test_what_was_dealt_with_before_is_on_no_page(
    database: Database, books: BookStore, reads: ReconciliationReads
) -> None:
    plan = a_plan()
    await loaded(books, plan, a_row(1, await place_ended(database, OrderStatus.EXPIRED)))
    await books.match(plan, LATER)
    (view,) = await reads.findings(plan.run_id)
    await books.handed_over(view.finding.finding_id, RepairState.LEFT, "cannot be", LATER)
    assert (await books.next_page(plan.run_id, None)).last is None
    await books.match(plan, LATER)
    assert (await books.next_page(plan.run_id, None)).findings == 1


async def test_more_than_a_page(database: Database, books: BookStore) -> None:
    plan = a_plan()
    await loaded(books, plan, *(a_row(n, f"nobody_{n}") for n in range(150)))
    await books.match(plan, LATER)
    seen = []
    while (page := await books.next_page(plan.run_id, None)).last:
        for finding in await books.page(plan.run_id, page.last):
            seen.append(finding.finding_id)
            await books.handed_over(finding.finding_id, RepairState.KNOWN, "known", LATER)
    assert len(seen) == len(set(seen)) == 150


async def test_what_was_found_before_is_dropped_few_at_a_time(
    database: Database, books: BookStore, reads: ReconciliationReads
) -> None:
    plan, number = a_plan(), 2 * FORGOTTEN_AT_ONCE + 2
    await loaded(books, plan, *(a_row(n, f"nobody_{n}") for n in range(number)))
    await books.match(plan, LATER)
    kept = (await reads.findings(plan.run_id))[0].finding.finding_id
    await books.handed_over(kept, RepairState.HANDED_OVER, "done", LATER)
    transactions = 0
    is_left = True
    while is_left:
        async with database.write() as session:
            is_left = await forget_undone(session, plan.run_id)
        transactions += is_left
    assert transactions == 3
    assert [view.finding.finding_id for view in await reads.findings(plan.run_id)] == [kept]
    assert await tallies_of(books, plan) == {Match.MISSING_IN_ORDERS: number}


async def test_settlements_are_added_up(
    database: Database, books: BookStore, reads: ReconciliationReads
) -> None:
    plan, order_id = a_plan(), await place_ended(database)
    rows = [a_row(1, order_id), a_row(2, order_id), a_row(3, None, reference="pay_x")]
    fee = a_row(4, None, kind="other", reference="adj", amount_minor=-500, status="unknown")
    rows.append(fee._replace(fee_minor=0, tax_minor=0))
    net = Money(2 * (49900 - 998 - 180) - 500, "INR")
    total = SettlementTotal("setl_1", net, Money(0, "INR"), Money(0, "INR"), LATER, "utr_1")
    await books.begin(plan, LATER)
    await books.stage(plan, a_chunk(*rows, totals=(total,)))
    await books.match(plan, LATER)
    (settled,) = await reads.settlements(plan.run_id)
    assert (settled.rows, settled.net, settled.total) == (3, net, net)
    assert (settled.fee, settled.tax) == (Money(1996, "INR"), Money(360, "INR"))
    assert (settled.bank_reference, settled.settled_at) == ("utr_1", LATER)


async def test_a_total_that_is_not_that_of_the_rows_refuses_all(
    database: Database, books: BookStore, reads: ReconciliationReads
) -> None:
    plan, order_id = a_plan(), await place_ended(database)
    nothing = Money(0, "INR")
    total = SettlementTotal("setl_1", Money(48721, "INR"), nothing, nothing, LATER)
    await books.begin(plan, LATER)
    await books.stage(plan, a_chunk(a_row(1, order_id), totals=(total,)))
    with pytest.raises(FileRefused, match="setl_1"):
        await books.match(plan, LATER)
    assert await reads.settlements(plan.run_id) == ()
    assert (await reads.run(plan.run_id)).tallies == ()


@pytest.mark.parametrize(
    ("settlement_id", "currency"), [("setl_without_rows", "INR"), ("setl_1", "USD")]
)
async def test_a_total_without_rows_is_no_contradiction(
    database: Database,
    books: BookStore,
    reads: ReconciliationReads,
    settlement_id: str,
    currency: str,
) -> None:
    plan, order_id = a_plan(), await place_ended(database)
    net, nothing = Money(100, currency), Money(0, currency)
    total = SettlementTotal(settlement_id, net, nothing, nothing, LATER)
    await books.begin(plan, LATER)
    await books.stage(plan, a_chunk(a_row(1, order_id), totals=(total,)))
    await books.match(plan, LATER)
    named = [one for one in await reads.settlements(plan.run_id) if one.total is not None]
    assert [(one.settlement_id, one.rows, one.total) for one in named] == [(settlement_id, 0, net)]


async def test_fewer_rows_of_a_settlement_do_not_replace_more(
    database: Database, books: BookStore, reads: ReconciliationReads
) -> None:
    whole, part = a_plan(), a_plan(period=Period(DAY.start, NOON))
    rows = [a_row(1, None, reference="pay_x"), a_row(2, None, reference="pay_y")]
    await loaded(books, whole, *rows)
    await books.match(whole, LATER)
    await loaded(books, part, rows[0])
    await books.match(part, LATER)
    assert [it.rows for it in await reads.settlements(whole.run_id)] == [2]
    assert await reads.settlements(part.run_id) == ()


async def test_money_is_at_risk_until_it_is_dealt_with(
    database: Database, books: BookStore, reads: ReconciliationReads
) -> None:
    plan, order_id = a_plan(), await place_ended(database)
    await loaded(books, plan, a_row(1, order_id, status="failed"))
    await books.match(plan, LATER)
    run = await reads.run(plan.run_id)
    assert (run.findings, run.settled, run.at_risk) == (1, 0, {"INR": 49900})
    (view,) = await reads.findings(plan.run_id)
    assert (view.finding.match, view.order_status) == (Match.OK_UNPAID, OrderStatus.PAID)
    await books.answered(view.finding.finding_id, Answer.CONFIRMED, LATER)
    run = await reads.run(plan.run_id)
    assert (run.findings, run.settled, run.at_risk) == (1, 1, {})


async def test_runs_are_listed(
    database: Database, books: BookStore, reads: ReconciliationReads
) -> None:
    hour = timedelta(hours=1)
    plans = [a_plan(period=Period(NOON, NOON + n * hour)) for n in (1, 2, 3)]
    for number, plan in enumerate(plans):
        await books.begin(plan, LATER + number * hour)
    newest = [plan.run_id for plan in plans[::-1]]
    assert [run.run_id for run in await reads.runs()] == newest
    assert [run.run_id for run in await reads.runs(limit=1)] == newest[:1]
    assert [run.run_id for run in await reads.runs("acme", after=newest[0])] == newest[1:]
    assert await reads.runs("other") == ()
    assert await reads.history("acme") == ()
    await books.stage(plans[1], a_chunk())
    await books.match(plans[1], LATER)
    assert [run.run_id for run in await reads.history("acme")] == [plans[1].run_id]
    with pytest.raises(RunNotFound):
        await reads.run("nothing")


async def test_a_run_says_how_far_it_is(books: BookStore, reads: ReconciliationReads) -> None:
    plan = a_plan()
    await books.begin(plan, NOON)
    await books.stage(plan, a_chunk(a_row(1, "x"), is_last=False))
    run = await reads.run(plan.run_id)
    assert (run.state, run.rows, run.matched_at) == (RunState.STAGING, 1, None)
    await books.proceed(plan.run_id, RunState.WAITING, LATER)
    for _ in range(2):
        await books.approve(plan.run_id, Approval("ops", "seen"), LATER)
    run = await reads.run(plan.run_id)
    assert (run.state, run.changed_at, run.ended_at) == (RunState.WAITING, LATER, None)
    assert [(it.approval, it.at) for it in run.approvals] == [(Approval("ops", "seen"), LATER)]
    await books.proceed(plan.run_id, RunState.DONE, LATER)
    assert (await reads.run(plan.run_id)).ended_at == LATER
