"""What a customer is told: every state of an order, and of money beside it."""

from typing import Any

import pytest

from api.outcomes import Note, Outcome, State, outcome_of
from api.texts import ENGLISH, TEXTS, language_of
from db.views import CaseView, LinkView, OrderView, RefundView
from domain.cases import CaseOutcome, CaseStatus, CaseVerdict
from domain.orders import LatePolicy, Order, OrderStatus
from domain.payments import LinkStatus
from domain.refunds import Refund, RefundStatus
from tests.support.orders import NOON, PRICE, PROOF

URL = "https://pay.example/plink_1"
OPEN = LinkView(URL, LinkStatus.OPEN, NOON)
CLOSED = LinkView(URL, LinkStatus.CLOSED, NOON)
COMING = LinkView(None, None, NOON)
WAITING = OrderStatus.AWAITING_PAYMENT
UNPAID = (OrderStatus.FAILED, OrderStatus.EXPIRED, OrderStatus.CANCELED)
OF_CASES = {
    CaseVerdict.DUPLICATE_PAYMENT: "twice",
    CaseVerdict.LATE_CAPTURE: "late",
    CaseVerdict.AMOUNT_MISMATCH: "wrong",
    CaseVerdict.CURRENCY_MISMATCH: "wrong",
}


def told(status: OrderStatus, *, cancel: bool = False, **changes: Any) -> Outcome:
    """What is told of an order that stands so."""
    policy = LatePolicy.REFUND
    order = Order("ord_1", "shop", PRICE, "acme", status, policy, "token", NOON, cancel)
    nothing = dict.fromkeys(("payments", "refunds", "disputes", "cases", "timeline", "letters"), ())
    view: dict[str, Any] = {
        "order": order,
        "user_id": "u",
        "client_timestamp": None,
        "concluded_at": None,
        "items": (),
        "link": None,
        "late_capture": False,
        "came_back": False,
        "invoice": None,
        "credit_notes": (),
    }
    return outcome_of(OrderView(**view | nothing | changes))


def a_case(verdict: CaseVerdict, outcome: CaseOutcome | None = None) -> CaseView:
    """About the payment pay_2; settled if there is an outcome."""
    status = CaseStatus.SETTLED if outcome else CaseStatus.OPEN
    unsaid = dict.fromkeys(("why", "decision", "decided_at", "refund_id", "settled_at"))
    return CaseView(
        case_id="case_1",
        subject="ord_1",
        order_id="ord_1",
        verdict=verdict,
        status=status,
        gateway="acme",
        payment_reference="pay_2",
        amount=PRICE,
        evidence=PROOF,
        opened_at=NOON,
        outcome=outcome,
        **unsaid,
    )


def a_refund(status: RefundStatus, payment: str = "pay_2") -> RefundView:
    refund = Refund("rfd_1", "ord_1", "acme", payment, PRICE, status)
    return RefundView(refund, "shop", "", "ops", False, None, NOON, None, None)


@pytest.mark.parametrize(
    ("changes", "state", "url"),
    [
        ({"link": OPEN}, State.WAITING, URL),
        ({"link": COMING}, State.WAITING, None),
        ({"link": OPEN, "came_back": True}, State.CONFIRMING, URL),
        ({"link": CLOSED}, State.CONFIRMING, None),
        ({"link": OPEN, "cancel": True}, State.CANCELING, None),
    ],
)
def test_an_open_order_is_never_called_unpaid(
    changes: dict[str, Any], state: State, url: str | None
) -> None:
    assert told(WAITING, **changes) == Outcome(state, (), url)
    assert state.is_open
    assert "fail" not in ENGLISH[f"{state}.title"] + ENGLISH[f"{state}.lead"]
    assert "again in" not in ENGLISH[f"{state}.lead"]


@pytest.mark.parametrize("status", [each for each in OrderStatus if not each.is_open])
def test_an_order_that_has_ended_leads_to_no_link(status: OrderStatus) -> None:
    outcome = told(status, link=OPEN)
    assert outcome.payment_url is None
    assert outcome.state.is_unpaid is (status in UNPAID)


@pytest.mark.parametrize("verdict", [*OF_CASES, CaseVerdict.LATE_AUTHORIZATION])
@pytest.mark.parametrize("status", UNPAID)
def test_money_that_may_yet_be_kept_is_no_end(status: OrderStatus, verdict: CaseVerdict) -> None:
    assert told(status, cases=(a_case(verdict),)).state is State.REVIEW


@pytest.mark.parametrize("status", UNPAID)
def test_money_on_its_way_back_is_an_end(status: OrderStatus) -> None:
    cases, refunds = (a_case(CaseVerdict.LATE_CAPTURE),), (a_refund(RefundStatus.REQUESTED),)
    outcome = told(status, cases=cases, refunds=refunds)
    assert outcome == Outcome(State(status), (Note("late.sent", PRICE),), None)


@pytest.mark.parametrize(
    ("refund", "way"),
    [
        (None, "open"),
        (RefundStatus.FAILED, "open"),
        (RefundStatus.REQUESTED, "sent"),
        (RefundStatus.PENDING, "sent"),
        (RefundStatus.NEEDS_REVIEW, "sent"),
        (RefundStatus.SUCCEEDED, "back"),
    ],
)
@pytest.mark.parametrize(("verdict", "subject"), OF_CASES.items())
def test_surplus_money_is_told_of_until_it_is_back(
    verdict: CaseVerdict, subject: str, refund: RefundStatus | None, way: str
) -> None:
    refunds = (a_refund(refund),) if refund else ()
    outcome = told(OrderStatus.PAID, cases=(a_case(verdict),), refunds=refunds)
    assert outcome == Outcome(State.PAID, (Note(f"{subject}.{way}", PRICE),), None)


@pytest.mark.parametrize("settled", [CaseOutcome.HONOURED, CaseOutcome.DISMISSED])
def test_money_that_was_honoured_is_the_orders_own(settled: CaseOutcome) -> None:
    cases = (a_case(CaseVerdict.LATE_CAPTURE, settled),)
    assert told(OrderStatus.PAID, cases=cases).notes == ()
    back = told(OrderStatus.REFUNDED, cases=cases, refunds=(a_refund(RefundStatus.SUCCEEDED),))
    assert back == Outcome(State.REFUNDED, (Note("refund.back", PRICE),), None)


def test_refunds_of_the_order_are_told_of_beside_others() -> None:
    refunds = (a_refund(RefundStatus.SUCCEEDED), a_refund(RefundStatus.PENDING, "pay_1"))
    cases = (a_case(CaseVerdict.DUPLICATE_PAYMENT, CaseOutcome.REFUNDED),)
    notes = told(OrderStatus.PAID, cases=cases, refunds=refunds).notes
    assert notes == (Note("twice.back", PRICE), Note("refund.sent", PRICE))


def test_every_state_has_words_in_every_language() -> None:
    for texts in TEXTS.values():
        assert set(texts) == set(ENGLISH)
        for state in State:
            assert texts[f"{state}.title"]
            assert texts[f"{state}.lead"]
        for subject in ("twice", "late", "wrong"):
            assert all("{amount}" in texts[f"{subject}.{way}"] for way in ("open", "sent", "back"))


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("de-AT;q=1,en", "de"),
        ("fr, DE;q=0.2", "de"),
        ("x", "en"),
    ],
)
def test_the_language_is_the_first_that_is_known(
    accepted: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TEXTS, "de", ENGLISH)
    assert language_of(accepted) == language
