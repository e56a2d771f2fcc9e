"""Any news in any order: the checkout concludes as a model does that only looks at the whole."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from domain.checkouts import Checkout, CheckoutPlan, Conclusion
from domain.money import Money
from domain.news import EvidenceKind, PaymentNews
from domain.payments import LinkStatus, Payment, PaymentStatus
from domain.policies import Timetable
from tests.support.fakes import PRICE, a_payment, an_order, hint_for, news_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PLAN = CheckoutPlan.of(an_order("ord_1"), Timetable())
RANKS = ["unknown", "pending", "failed", "authorized", "captured"]
AMOUNTS = {"pay_1": PRICE, "pay_2": PRICE, "pay_wrong": Money(1, "INR")}

payments = st.builds(
    lambda reference, status: a_payment(PaymentStatus(status), reference, AMOUNTS[reference]),
    st.sampled_from(sorted(AMOUNTS)),
    st.sampled_from(RANKS),
)
webhooks = st.builds(lambda payment: news_of("ord_1", payment), payments)
answers = st.builds(
    lambda known, link: news_of("ord_1", *known, kind=EvidenceKind.STATUS_QUERY, link=link),
    st.lists(payments, max_size=2, unique_by=lambda payment: payment.reference),
    st.sampled_from(LinkStatus),
)
hints = st.just(hint_for("ord_1", "pay_1"))
histories = st.lists(webhooks | answers | hints, max_size=6)
delays = st.timedeltas(min_value=timedelta(), max_value=timedelta(hours=2))


@dataclass
class Model:
    """What follows from a set of news, with no regard to when any of it came."""

    news: list[PaymentNews]
    canceled: bool

    def conclusion(self) -> str | None:
        best = {reference: self._furthest(reference) for reference in AMOUNTS}
        if "captured" in (best["pay_1"], best["pay_2"]):
            return "paid"
        if not any(self._ends_it(news) for news in self.news):
            return None
        if best["pay_wrong"] == "captured":
            return "needs_review"
        if {"unknown", "pending", "authorized"} & set(best.values()):
            return None
        if self.canceled:
            return "canceled"
        return "failed" if "failed" in best.values() else "expired"

    def _furthest(self, reference: str) -> str | None:
        said = [p.status for n in self.news for p in n.payments if p.reference == reference]
        return str(max(said, key=RANKS.index)) if said else None

    def _ends_it(self, news: PaymentNews) -> bool:
        settled = all(p.status in ("failed", "captured") for p in news.payments)
        return news.evidence.kind == "status_query" and news.link != "open" and settled


def conclude(news: Iterable[PaymentNews], canceled: bool) -> Conclusion | None:
    checkout = Checkout(PLAN, NOON)
    checkout.cancel_requested = canceled
    for each in news:
        checkout.learn(each, NOON)
    return checkout.conclusion(NOON)


@given(histories, st.booleans(), st.randoms(use_true_random=False))
def test_every_order_with_duplicates_ends_as_the_model_says(
    news: list[PaymentNews], canceled: bool, random: Random
) -> None:
    expected = Model(news, canceled).conclusion()
    for _ in range(5):
        arrival = [*news, *news[:2]]
        random.shuffle(arrival)
        conclusion = conclude(arrival, canceled)
        assert (conclusion and conclusion.status) == expected


@given(histories, st.booleans())
def test_every_conclusion_cites_what_was_really_said(
    news: list[PaymentNews], canceled: bool
) -> None:
    news = [replace(n, evidence=replace(n.evidence, reference=str(i))) for i, n in enumerate(news)]
    conclusion = conclude(news, canceled)
    if conclusion is None:
        return
    sources = [n for n in news if not n.is_hint and n.evidence == conclusion.evidence]
    assert sources, "no conclusion without proof"
    if conclusion.status == "paid":
        assert any(conclusion.payment in source.payments for source in sources)
    elif conclusion.status != "needs_review":
        assert any(source.is_final_answer for source in sources)


@given(histories)
def test_every_rupee_taken_is_the_order_s_or_a_case(news: list[PaymentNews]) -> None:
    conclusion = conclude(news, canceled=False)
    if conclusion is None:
        return
    taken = {p.reference for n in news for p in n.payments if p.status == "captured"}
    cases = {case.payment.reference for case in conclusion.cases if _is_captured(case.payment)}
    fulfils = {conclusion.payment.reference} if conclusion.payment else set()
    assert fulfils | cases == taken
    assert not fulfils & cases


@given(st.lists(delays, max_size=40))
def test_questions_in_the_window_are_few_however_many_hints_come(
    hinted: list[timedelta],
) -> None:
    checkout, now = Checkout(PLAN, NOON), NOON
    waiting = sorted(NOON + delay for delay in hinted)
    while now < checkout.window_ends:
        due = checkout.next_ask(now)
        assert due >= now, "the next question never lies in the past"
        if waiting and waiting[0] <= due:
            now = waiting.pop(0)
            checkout.learn(hint_for("ord_1"), now)
        elif due < checkout.window_ends:
            now = due
            checkout.asked(now, closing=False)
        else:
            now = due
    assert checkout.queries <= PLAN.timetable.queries_in_window


@given(histories, st.lists(delays, min_size=6, max_size=6), st.booleans())
def test_the_next_question_is_never_past_and_always_comes(
    news: list[PaymentNews], pauses: list[timedelta], canceled: bool
) -> None:
    checkout, now = Checkout(PLAN, NOON), NOON
    checkout.cancel_requested = canceled
    for each, pause in zip(news, pauses, strict=False):
        now += pause
        checkout.learn(each, now)
        due = checkout.next_ask(now)
        assert now <= due <= max(now, checkout.window_ends) + PLAN.timetable.slowest
        checkout.asked(due, closing=checkout.is_closing(due))
        assert checkout.next_ask(due) > due, "it never asks in a loop"
        now = due


def _is_captured(payment: Payment) -> bool:
    return payment.status is PaymentStatus.CAPTURED
