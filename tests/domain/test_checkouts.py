"""The rules of a checkout, one by one: when it asks, and on what proof it ends."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.checkouts import Checkout, CheckoutPlan, Conclusion
from domain.money import Money
from domain.news import EvidenceKind, PaymentNews
from domain.orders import OrderStatus
from domain.payments import LinkStatus, Payment, PaymentStatus
from domain.policies import Timetable
from tests.support.fakes import PRICE, a_payment, an_order, hint_for, news_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
FAILED, PENDING = a_payment(PaymentStatus.FAILED), a_payment(PaymentStatus.PENDING)
AUTHORIZED = a_payment(PaymentStatus.AUTHORIZED)
WRONG = a_payment(reference="pay_wrong", amount=Money(PRICE.minor + 1, "INR"))


def a_checkout(**timetable: object) -> Checkout:
    plan = CheckoutPlan.of(an_order("ord_1"), replace(Timetable(), **timetable))  # type: ignore[arg-type]
    return Checkout(plan, NOON)


def seconds(count: float) -> datetime:
    return NOON + timedelta(seconds=count)


def answer(*payments: Payment, link: LinkStatus = LinkStatus.CLOSED) -> PaymentNews:
    return news_of("ord_1", *payments, kind=EvidenceKind.STATUS_QUERY, link=link)


def webhook(*payments: Payment, link: LinkStatus | None = None) -> PaymentNews:
    return news_of("ord_1", *payments, link=link)


def after(*news: PaymentNews, canceled: bool = False, now: datetime = LATER) -> Conclusion | None:
    checkout = a_checkout()
    checkout.cancel_requested = canceled
    for each in news:
        checkout.learn(each, now)
    return checkout.conclusion(now)


def status_after(*news: PaymentNews, canceled: bool = False) -> OrderStatus | None:
    conclusion = after(*news, canceled=canceled)
    return conclusion.status if conclusion else None


def test_the_plan_is_made_of_the_order() -> None:
    plan = CheckoutPlan.of(an_order("ord_1"), Timetable())
    assert (plan.order_id, plan.gateway, plan.price) == ("ord_1", "acme", PRICE)
    assert plan.link_key == "ord_1:link:1"


def test_silence_concludes_nothing_however_long_it_lasts() -> None:
    assert a_checkout().conclusion(NOON + timedelta(days=365)) is None


@pytest.mark.parametrize(
    "news",
    [
        hint_for("ord_1", "pay_1"),
        news_of("ord_1", a_payment(), kind=EvidenceKind.CALLBACK),
        news_of("ord_1", kind=EvidenceKind.CALLBACK, link=LinkStatus.CLOSED),
    ],
)
def test_hints_alone_never_conclude(news: PaymentNews) -> None:
    assert after(*[news] * 100) is None
    assert after(*[news] * 100, canceled=True) is None


def test_a_capture_of_the_exact_price_pays_at_once() -> None:
    conclusion = after(webhook(a_payment()), now=NOON)
    assert conclusion
    assert (conclusion.status, conclusion.payment) == (OrderStatus.PAID, a_payment())
    assert conclusion.evidence.kind is EvidenceKind.WEBHOOK
    assert not conclusion.cases


def test_the_proof_is_the_news_that_said_it_first() -> None:
    conclusion = after(webhook(FAILED), answer(a_payment()), webhook(a_payment(), FAILED))
    assert conclusion
    assert conclusion.evidence.kind is EvidenceKind.STATUS_QUERY


@pytest.mark.parametrize("news", [webhook(FAILED), webhook(FAILED, link=LinkStatus.CLOSED)])
def test_a_webhook_proves_no_failure(news: PaymentNews) -> None:
    assert after(news) is None


@pytest.mark.parametrize("link", [each for each in LinkStatus if not each.is_live])
def test_without_money_it_ends_on_a_query_after_the_link(link: LinkStatus) -> None:
    conclusion = after(answer(link=link))
    assert conclusion
    assert conclusion.status is OrderStatus.EXPIRED
    assert conclusion.evidence.kind is EvidenceKind.STATUS_QUERY


def test_an_open_link_ends_nothing() -> None:
    assert after(answer(FAILED, link=LinkStatus.OPEN)) is None


def test_how_it_ends_without_money() -> None:
    assert status_after(answer()) == "expired"
    assert status_after(answer(FAILED)) == "failed"
    assert status_after(webhook(FAILED), answer()) == "failed"
    assert status_after(answer(), canceled=True) == "canceled"
    assert status_after(answer(FAILED), canceled=True) == "canceled"


@pytest.mark.parametrize("doubtful", [PENDING, AUTHORIZED, a_payment(PaymentStatus.UNKNOWN)])
def test_while_the_gateway_is_busy_nothing_is_certain(doubtful: Payment) -> None:
    assert after(answer(doubtful)) is None
    assert after(answer(), webhook(doubtful)) is None
    assert after(answer(doubtful), canceled=True) is None
    assert status_after(answer(doubtful), answer(a_payment())) == "paid"


def test_what_the_gateway_gave_back_is_no_longer_in_doubt() -> None:
    given_back = answer(a_payment(PaymentStatus.CANCELED))
    assert status_after(answer(AUTHORIZED), given_back) is OrderStatus.EXPIRED
    assert status_after(answer(AUTHORIZED), given_back, canceled=True) is OrderStatus.CANCELED


def test_the_end_never_cites_an_answer_that_was_in_doubt() -> None:
    in_doubt, settled = answer(PENDING), webhook(FAILED)
    assert after(in_doubt, settled) is None
    assert status_after(in_doubt, settled, answer(FAILED)) == "failed"


def test_captured_never_goes_back() -> None:
    assert status_after(webhook(a_payment()), webhook(FAILED), answer(FAILED)) == "paid"
    assert status_after(webhook(FAILED), webhook(a_payment())) == "paid"


def test_a_payment_beats_the_cancellation() -> None:
    assert status_after(webhook(a_payment()), canceled=True) == "paid"
    assert status_after(answer(a_payment()), canceled=True) == "paid"


@pytest.mark.parametrize(
    ("amount", "verdict"),
    [
        (Money(PRICE.minor - 1, "INR"), "amount_mismatch"),
        (Money(PRICE.minor + 1, "INR"), "amount_mismatch"),
        (Money(PRICE.minor, "USD"), "currency_mismatch"),
    ],
)
def test_wrong_money_is_for_a_person_to_judge(amount: Money, verdict: str) -> None:
    wrong = webhook(a_payment(amount=amount))
    assert after(wrong) is None, "the link must be closed first"
    conclusion = after(wrong, answer(a_payment(amount=amount)))
    assert conclusion
    assert (conclusion.status, conclusion.payment) == (OrderStatus.NEEDS_REVIEW, None)
    assert [case.verdict for case in conclusion.cases] == [verdict]
    assert conclusion.evidence.kind is EvidenceKind.WEBHOOK


def test_wrong_money_beside_the_right_is_paid_with_a_case() -> None:
    conclusion = after(webhook(WRONG), webhook(a_payment()))
    assert conclusion
    assert conclusion.payment == a_payment()
    assert [case.payment for case in conclusion.cases] == [WRONG]


def test_paid_twice_is_paid_once_with_a_case() -> None:
    first, second = a_payment(), a_payment(reference="pay_2")
    conclusion = after(webhook(first), webhook(second))
    assert conclusion
    assert (conclusion.payment, conclusion.others) == (first, (second,))
    (case,) = conclusion.cases
    assert (case.verdict, case.payment) == ("duplicate_payment", second)
    assert conclusion.standing.payments == (first, second)


def test_a_refused_link_is_a_failure_with_its_own_proof() -> None:
    checkout = a_checkout()
    checkout.refuse("the amount is too small")
    conclusion = checkout.conclusion(NOON)
    assert conclusion
    assert conclusion.status is OrderStatus.FAILED
    assert conclusion.evidence.kind is EvidenceKind.LINK_REFUSED
    assert conclusion.evidence.reference == "the amount is too small"


def test_all_that_was_known_can_be_handed_over() -> None:
    conclusion = after(webhook(FAILED), webhook(a_payment(reference="pay_2")))
    assert conclusion
    news = conclusion.as_news("acme")
    assert set(news.payments) == {FAILED, a_payment(reference="pay_2")}
    assert (news.order_id, news.evidence) == ("ord_1", conclusion.evidence)
    assert conclusion.standing.explains(news)


def test_it_asks_at_the_quiet_times_then_at_the_end_of_the_window() -> None:
    checkout, now, asks = a_checkout(), NOON, []
    while now < checkout.window_ends:
        now = checkout.next_ask(now)
        asks.append((now - NOON).total_seconds())
        checkout.asked(now, closing=False)
    assert asks == [120, 300, 600, 900]


def test_a_hint_brings_questions_forward() -> None:
    checkout = a_checkout()
    checkout.learn(hint_for("ord_1"), seconds(30))
    asks = []
    for _ in range(6):
        asks.append((checkout.next_ask(seconds(30)) - NOON).total_seconds())
        checkout.asked(checkout.next_ask(seconds(30)), closing=False)
    assert asks == [30, 32, 35, 40, 50, 120]


def test_past_its_allowance_it_waits_for_the_end_of_the_window() -> None:
    checkout = a_checkout(queries_in_window=1)
    checkout.learn(hint_for("ord_1"), NOON)
    checkout.asked(NOON, closing=False)
    assert checkout.next_ask(NOON) == checkout.window_ends


def test_an_ended_link_is_asked_about_at_once() -> None:
    checkout = a_checkout()
    checkout.learn(webhook(link=LinkStatus.EXPIRED), NOON)
    assert checkout.is_closing(NOON)
    assert checkout.next_ask(NOON) == NOON


@pytest.mark.parametrize("why", ["canceled", "wrong money", "the window"])
def test_closing_begins_at_once_whatever_was_asked_before(why: str) -> None:
    checkout, now = a_checkout(), seconds(120)
    checkout.asked(now, closing=False)
    if why == "canceled":
        checkout.cancel_requested = True
    elif why == "wrong money":
        checkout.learn(webhook(WRONG), now)
    else:
        now = checkout.window_ends
    assert checkout.next_ask(now) == now


def test_while_closing_it_asks_slower_and_slower() -> None:
    checkout = a_checkout(slowest=timedelta(hours=2))
    now, asks = checkout.window_ends, []
    for _ in range(20):
        checkout.asked(now, closing=True)
        asks.append(checkout.next_ask(now) - now)
        now = checkout.next_ask(now)
    assert asks == sorted(asks)
    assert (asks[0], asks[-1]) == (timedelta(seconds=30), timedelta(hours=2))


def test_a_hint_while_closing_does_not_slow_the_rest_down() -> None:
    checkout = a_checkout()
    now = checkout.window_ends
    checkout.asked(now, closing=True)
    for _ in range(100):
        checkout.learn(hint_for("ord_1"), now)
    for _ in range(5):
        now = checkout.next_ask(now)
        checkout.asked(now, closing=True)
    assert now - checkout.window_ends == timedelta(seconds=20)
    assert checkout.next_ask(now) - now == timedelta(seconds=30)


def test_a_webhook_that_may_settle_the_doubt_makes_it_ask_again() -> None:
    checkout = a_checkout()
    now = checkout.window_ends
    checkout.learn(answer(PENDING), now)
    checkout.asked(now, closing=True)
    checkout.learn(webhook(PENDING), seconds(901))
    assert checkout.next_ask(seconds(901)) == seconds(930), "that was known"
    checkout.learn(webhook(FAILED), seconds(902))
    assert checkout.next_ask(seconds(902)) == seconds(902)


def approval() -> PaymentNews:
    return news_of("ord_1", link=LinkStatus.OPEN, approved=True)


def test_an_approved_link_is_captured_at_once() -> None:
    checkout = a_checkout()
    checkout.learn(approval(), seconds(5))
    assert checkout.wants_link_captured(seconds(5))
    assert checkout.next_ask(seconds(5)) == seconds(5)
    assert checkout.capture_key == "ord_1:link:1:capture:1"


def test_an_answered_capture_is_over_and_a_second_approval_has_another_key() -> None:
    checkout = a_checkout()
    checkout.learn(approval(), seconds(5))
    checkout.captured_link(seconds(6), answered=True)
    assert not checkout.wants_link_captured(seconds(6))
    checkout.learn(approval(), seconds(7))
    assert checkout.capture_key == "ord_1:link:1:capture:2"


def test_a_capture_without_an_answer_is_repeated_slower_and_slower() -> None:
    checkout, pauses, now = a_checkout(), [], seconds(5)
    checkout.learn(approval(), now)
    for _ in range(4):
        checkout.captured_link(now, answered=False)
        pauses.append(checkout.next_ask(now) - now)
        now = checkout.next_ask(now)
    assert [pause.total_seconds() for pause in pauses] == [30, 30, 60, 120]
    assert checkout.capture_key == "ord_1:link:1:capture:1"


def test_a_capture_in_doubt_lets_nothing_end_but_in_payment() -> None:
    checkout = a_checkout()
    checkout.learn(approval(), seconds(5))
    checkout.captured_link(seconds(6), answered=False)
    checkout.learn(answer(), LATER)
    assert checkout.conclusion(LATER) is None
    assert checkout.wants_link_captured(LATER)
    checkout.learn(answer(a_payment()), LATER)
    conclusion = checkout.conclusion(LATER)
    assert conclusion
    assert conclusion.status is OrderStatus.PAID


def test_nothing_is_captured_after_the_window_or_for_a_canceled_order() -> None:
    late, canceled = a_checkout(), a_checkout()
    canceled.cancel_requested = True
    late.learn(approval(), LATER)
    canceled.learn(approval(), seconds(5))
    assert not late.wants_link_captured(LATER)
    assert not canceled.wants_link_captured(seconds(5))
