"""What guards money, each with the change that takes it out and the test that must go red."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Mutation:
    """`old` occurs in `file` exactly once; with `new` instead, the test `node` must fail."""

    name: str
    file: str
    old: str
    new: str
    node: str

    def occurrences(self, tree: Path = ROOT) -> int:
        return (tree / self.file).read_text().count(self.old)

    @contextmanager
    def applied(self, tree: Path) -> Iterator[None]:
        path = tree / self.file
        whole = path.read_text()
        path.write_text(whole.replace(self.old, self.new))
        try:
            yield
        finally:
            path.write_text(whole)


MUTATIONS = (
    Mutation(
        "the dedupe: an event that comes twice is one",
        "db/inbox.py",
        "        event_id=event.event_id,\n        kind=event.kind,\n",
        '        event_id=__import__("secrets").token_hex(),\n        kind=event.kind,\n',
        "tests/db/test_inbox.py::test_a_duplicate_is_answered_with_the_first_row[sqlite]",
    ),
    Mutation(
        "siblings: other events that say the same are absorbed",
        "db/inbox.py",
        "            row.outcome, row.state = None, InboxState.ABSORBED\n",
        "            row.outcome = None\n",
        "tests/db/test_inbox.py::test_siblings_that_say_the_same_are_absorbed[sqlite]",
    ),
    Mutation(
        "the echo check: what the gateway took is what the order costs",
        "domain/payments.py",
        "        return self.amount == price\n",
        "        return True\n",
        "tests/workflows/test_checkout.py::test_wrong_money_is_never_paid",
    ),
    Mutation(
        "the final query: no end without money but on an answer to it",
        "domain/news.py",
        "is EvidenceKind.STATUS_QUERY and ended and not in_doubt\n",
        "and ended and not in_doubt\n",
        "tests/domain/test_checkouts.py::test_a_webhook_proves_no_failure",
    ),
    Mutation(
        "the final query comes after the link was closed",
        "activities/asking.py",
        "    await gateway.close_payment_link(query)\n    news = ",
        "    news = ",
        "tests/workflows/test_cancel.py::test_while_waiting_for_the_customer",
    ),
    Mutation(
        "doubt: while a payment may still be captured, nothing ends",
        "domain/news.py",
        "        in_doubt = any(payment.status.may_still_capture for payment in self.payments)\n",
        "        in_doubt = False\n",
        "tests/domain/test_checkouts.py::test_the_end_never_cites_an_answer_that_was_in_doubt",
    ),
    Mutation(
        "the joined rank: captured never goes back, whatever comes later",
        "domain/payments.py",
        "        return max(self, news, key=Payment._certainty)\n",
        "        return news\n",
        "tests/domain/test_checkouts.py::test_captured_never_goes_back",
    ),
    Mutation(
        "unknown words of a gateway mean pending, never failed",
        "gateways/razorpay/payments.py",
        "        return STATUSES.get(said, PaymentStatus.PENDING)\n",
        "        return STATUSES.get(said, PaymentStatus.FAILED)\n",
        "tests/gateways/test_razorpay_links.py::test_every_word_for_a_payment_has_a_status",
    ),
    Mutation(
        "the refund guard: never more than is left of what was captured",
        "db/reservations.py",
        "    if left < amount:\n",
        "    if left.minor < 0:\n",
        "tests/db/test_reservations.py::test_an_impossible_amount_is_refused",
    ),
    Mutation(
        "the refund guard holds against many operators at once",
        "db/reservations.py",
        "    return captured - taken - await sum_of_refunds(session, payment, HOLDING)\n",
        "    return captured - taken\n",
        "tests/db/test_reservations.py"
        "::test_many_operators_at_once_cannot_pass_what_was_captured[sqlite]",
    ),
    Mutation(
        "the brake: automatic refunds stay within their budget",
        "db/reservations.py",
        "    if wish.automatic and budget and not await _within(session, budget, amount, at):\n",
        "    if wish.automatic and budget and budget.count < 0:\n",
        "tests/db/test_reservations.py::test_the_budget_counts[sqlite]",
    ),
    Mutation(
        "the inbox sweep: what was stored and not forwarded is forwarded",
        "activities/sweeps.py",
        "        rows = await self._inbox.due(SETTLING_TIME, at, BATCH)\n",
        "        rows: list[int] = []\n",
        "tests/api/test_deaths.py::test_a_webhook_that_was_stored_and_not_forwarded_is_swept[sqlite]",
    ),
    Mutation(
        "orphans: an order whose checkout is gone is adopted",
        "activities/sweeps.py",
        "        orders = await self._orders.awaiting(SETTLING_TIME, at, BATCH)\n",
        "        orders: list[Order] = []\n",
        "tests/workflows/test_sweep.py::test_what_is_stuck_is_set_going",
    ),
    Mutation(
        "the signature: a forged webhook is refused",
        "gateways/signing.py",
        "not any([compare_digest(mine, theirs) for mine in expected for theirs in given]):\n",
        "not expected:\n",
        "tests/api/test_webhooks.py::test_a_forged_webhook_pays_nothing",
    ),
    Mutation(
        "a callback proves nothing: it only makes somebody ask",
        "domain/news.py",
        "        return self.evidence.kind is EvidenceKind.CALLBACK or"
        " not (self.payments or self.link)\n",
        "        return not (self.payments or self.link)\n",
        "tests/domain/test_checkouts.py::test_hints_alone_never_conclude",
    ),
    Mutation(
        "created, then timed out: the link is looked up before another is made",
        "activities/checkouts.py",
        "        if attempt.repeated and gateway.capabilities.lookup_by_order_id:\n",
        "        if not attempt.repeated:\n",
        "tests/workflows/test_link.py::test_an_answer_that_was_lost_is_looked_up",
    ),
    Mutation(
        "a refund whose answer was lost is looked up before it is sent again",
        "activities/refunds.py",
        "            if attempt.repeated and (found := await _looked_up(gateway, refund)):\n",
        "            if not attempt.repeated and (found := await _looked_up(gateway, refund)):\n",
        "tests/workflows/test_refund.py::test_a_lost_answer_is_looked_up",
    ),
    Mutation(
        "no answer: sent and not heard of is unknown, and not refused",
        "gateways/http.py",
        '            raise OutcomeUnknown(f"{what}: sent, {type(error).__name__}") from None\n',
        '            raise RequestRefused(f"{what}: sent, {type(error).__name__}") from None\n',
        "tests/gateways/test_http.py::test_every_failure_of_httpx_has_a_meaning",
    ),
    Mutation(
        "storms: 429 and 503 mean that nothing happened",
        "gateways/http.py",
        "    if status in TURNED_AWAY:\n",
        "    if status == 503:\n",
        "tests/gateways/test_http.py::test_every_status_has_a_meaning",
    ),
    Mutation(
        "paid twice: the second payment becomes a case",
        "domain/checkouts.py",
        "        return Case(self.plan.order_id, verdict, payment, proof) if verdict else None\n",
        "        return None\n",
        "tests/workflows/test_checkout.py::test_paid_twice",
    ),
    Mutation(
        "paid after the end: late money goes to the repair",
        "workflows/delivery.py",
        "        await self._start_repair(news.order_id, RepairWorkflow.learn.__name__, [news])\n",
        "",
        "tests/workflows/test_delivery.py::test_money_for_a_closed_checkout_goes_to_repair",
    ),
    Mutation(
        "cancels that race: a payment beats the cancellation",
        "domain/checkouts.py",
        "        if good := self._captured(matching=True):\n            return self._ended(",
        "        if (good := self._captured(matching=True)) and not self.cancel_requested:\n"
        "            return self._ended(",
        "tests/domain/test_checkouts.py::test_a_payment_beats_the_cancellation",
    ),
    Mutation(
        "an end is recorded once: the first that is written stands",
        "db/orders.py",
        "            order = await lock_order(session, conclusion.order_id)\n"
        "            if not order.status.is_open:\n"
        "                return conclusion.status if _is_paid_by(order, conclusion)"
        " else order.status\n",
        "            order = await lock_order(session, conclusion.order_id)\n",
        "tests/db/test_orders.py::test_an_order_that_has_ended_keeps_its_status[sqlite]",
    ),
    Mutation(
        "the map of states: an order takes no step that is not on it",
        "domain/orders.py",
        "    if after not in TRANSITIONS[before]:\n",
        "    if after not in TRANSITIONS:\n",
        "tests/db/test_orders.py::test_no_step_off_the_map_is_taken[sqlite]",
    ),
    Mutation(
        "one draft: what was stored is what is sent, however often",
        "db/links.py",
        "    if known or not order.status.is_open:\n        return _attempt(order, known)\n",
        "    if not order.status.is_open:\n        return _attempt(order, known)\n",
        "tests/db/test_links.py::test_every_later_draft_is_answered_with_the_first[sqlite]",
    ),
    Mutation(
        "one letter: what was sent is not sent again",
        "db/letters.py",
        "    return None if first.sent_at else first\n",
        "    return first\n",
        "tests/db/test_letters.py::test_a_sent_letter_is_not_sent_again[sqlite]",
    ),
    Mutation(
        "kill -9 of a worker: its silence is noticed within seconds",
        "workflows/options.py",
        "HEARTBEAT = timedelta(seconds=5)\n",
        "HEARTBEAT = timedelta(minutes=5)\n",
        "tests/workflows/test_worker_death.py::test_killed_while_it_asks_for_the_link",
    ),
    Mutation(
        "kill -9 of a worker: what it had begun to decide is decided elsewhere",
        "worker.py",
        "        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),\n",
        "        sticky_queue_schedule_to_start_timeout=timedelta(seconds=40),\n",
        "tests/workflows/test_worker_death.py::test_killed_while_it_waits_for_the_customer",
    ),
    Mutation(
        "two writers: what one has read, no other changes before it has written",
        "db/engine.py",
        '"BEGIN" if read_only else "BEGIN IMMEDIATE"',
        '"BEGIN"',
        "tests/db/test_engine.py::test_fifty_writers_lose_no_update[sqlite]",
    ),
    Mutation(
        "a link that comes after it was given up is closed",
        "activities/checkouts.py",
        "            await gateway.close_payment_link(query)\n            return",
        "            return",
        "tests/workflows/test_link.py::test_a_link_that_comes_after_it_was_given_up_is_closed",
    ),
    Mutation(
        "a link that is known by now is not taken for missing",
        "db/links.py",
        "        live.append(col(PaymentLinkRow.gateway_reference).is_(None))\n",
        "        pass\n",
        "tests/db/test_links.py::test_a_link_that_is_known_is_not_missing[sqlite]",
    ),
    Mutation(
        "a gateway that is away for a moment costs no capture",
        "workflows/settlement.py",
        '                **named(QUERY_UNTIL_ANSWERED, f"Capture',
        '                **named(QUERY, f"Capture',
        "tests/workflows/test_settlement.py"
        "::test_a_capture_at_a_gateway_that_is_away_is_tried_again",
    ),
    Mutation(
        "an end that is recorded twice is answered as it was the first time",
        "db/orders.py",
        "return conclusion.status if _is_paid_by(order, conclusion) else order.status",
        "return order.status",
        "tests/db/test_orders.py::test_a_repeat_is_answered_as_the_first_was[sqlite]",
    ),
    Mutation(
        "a link that was given up is looked for once more",
        "db/links.py",
        '        again = {"look_again_at": at + LOOKED_FOR_AGAIN_AFTER}\n',
        "        pass\n",
        "tests/db/test_links.py::test_a_link_that_was_given_up_is_looked_for_once_more[sqlite]",
    ),
    Mutation(
        "a link that came too late is closed by the sweep",
        "activities/sweeps.py",
        "            news = await closed(gateway, known) if known else None\n",
        "            news = await gateway.ask(known) if known else None\n",
        "tests/workflows/test_sweep.py::test_a_link_that_came_too_late_is_closed",
    ),
    Mutation(
        "a mail server that is down means later, and not never",
        "letters/mail.py",
        'raise MailDelayed(f"no use',
        'raise MailRefused(f"no use',
        "tests/letters/test_mail.py::test_nobody_listens",
    ),
    Mutation(
        "kill -9 of the API: stored first, acknowledged then",
        "api/webhooks.py",
        """\
    accepted = await services.inbox.accept(event, body, datetime.now(UTC))
    if accepted.state is Receipt.NEW:
        later.add_task(_forward, accepted.row, services)
    duplicate = accepted.state is Receipt.DUPLICATE
""",
        """\
    later.add_task(services.inbox.accept, event, body, datetime.now(UTC))
    duplicate = False
""",
        "tests/api/test_webhooks.py::test_a_database_that_is_away_is_said_so",
    ),
)
