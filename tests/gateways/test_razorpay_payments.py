"""Razorpay's payments: what was captured, what was given back, and taking what is authorized."""

from typing import Any

import httpx
import pytest

from domain.errors import GatewayUnavailable, OutcomeUnknown, RequestRefused
from domain.money import Money
from domain.payments import LinkStatus, Payment, PaymentStatus
from gateways.bodies import Json
from gateways.razorpay import Razorpay
from tests.gateways import razorpay_samples as sample
from tests.gateways.razorpay_samples import BY_ID, GATEWAY_ORDER, LINK, PAYMENT
from tests.gateways.wire import Wire, reply

CAPTURE, FETCH = f"POST /v1/payments/{PAYMENT}/capture", f"GET /v1/payments/{PAYMENT}"
HELD = Payment("razorpay", PAYMENT, PaymentStatus.AUTHORIZED, Money(49900, "INR"), "upi")

CAPTURED_BEFORE = [
    "This payment has already been captured",
    "Your payment has been declined as the order is already paid. Please initiate the payment"
    " with a new order.",
    "Only payments which have been authorized and not yet captured can be captured",
]

GIVEN_BACK: list[tuple[dict[str, Any], PaymentStatus]] = [
    ({}, PaymentStatus.CANCELED),
    ({"captured": True}, PaymentStatus.CAPTURED),
    ({"captured": None}, PaymentStatus.CAPTURED),
    ({"captured": 0}, PaymentStatus.CAPTURED),
    ({"amount_refunded": 49899}, PaymentStatus.AUTHORIZED),
    ({"amount_refunded": None}, PaymentStatus.AUTHORIZED),
    ({"status": "authorized"}, PaymentStatus.AUTHORIZED),
    ({"status": "captured"}, PaymentStatus.CAPTURED),
    ({"status": "failed"}, PaymentStatus.FAILED),
]


@pytest.mark.parametrize(("changes", "status"), GIVEN_BACK)
async def test_money_that_was_never_captured_may_be_given_back(
    wire: Wire, razorpay: Razorpay, changes: dict[str, Any], status: PaymentStatus
) -> None:
    payment = sample.given_back(**changes)
    wire.on(f"GET /v1/payment_links/{LINK}", reply(sample.link(order_id=GATEWAY_ORDER)))
    wire.on(f"GET /v1/orders/{GATEWAY_ORDER}/payments", reply(sample.collection(payment)))
    news = await razorpay.ask(BY_ID)
    assert [(each.reference, each.status) for each in news.payments] == [(PAYMENT, status)]


async def test_what_was_given_back_no_longer_holds_up_the_end(
    wire: Wire, razorpay: Razorpay
) -> None:
    link = sample.link(order_id=GATEWAY_ORDER, status="cancelled")
    given_back = sample.collection(sample.given_back())
    wire.on(f"GET /v1/payment_links/{LINK}", reply(link))
    wire.on(f"GET /v1/orders/{GATEWAY_ORDER}/payments", reply(given_back))
    news = await razorpay.ask(BY_ID)
    assert (news.link, news.is_final_answer) == (LinkStatus.CLOSED, True)


@pytest.mark.parametrize("amount", [Money(49900, "INR"), Money(1800, "JPY"), Money(99_990, "KWD")])
async def test_all_that_was_authorized_is_captured(
    wire: Wire, razorpay: Razorpay, amount: Money
) -> None:
    wire.on(CAPTURE, reply(sample.payment(amount=amount.minor, currency=amount.currency)))
    held = Payment("razorpay", PAYMENT, PaymentStatus.AUTHORIZED, amount, "upi")
    taken = await razorpay.capture(held)
    assert wire.calls == [CAPTURE]
    assert wire.last_body == {"amount": amount.minor, "currency": amount.currency}
    assert wire.last.headers["content-type"] == "application/json"
    assert taken == Payment("razorpay", PAYMENT, PaymentStatus.CAPTURED, amount, "upi")


@pytest.mark.parametrize("description", CAPTURED_BEFORE)
@pytest.mark.parametrize(
    ("now", "status"),
    [
        (sample.payment(), PaymentStatus.CAPTURED),
        (sample.payment(status="refunded", amount_refunded=49900), PaymentStatus.CAPTURED),
        (sample.given_back(), PaymentStatus.CANCELED),
        (sample.failed(), PaymentStatus.FAILED),
    ],
)
async def test_what_was_settled_before_is_left_as_it_stands(
    wire: Wire, razorpay: Razorpay, description: str, now: Json, status: PaymentStatus
) -> None:
    wire.on(CAPTURE, reply(sample.error(description), 400))
    wire.on(FETCH, reply(now))
    assert (await razorpay.capture(HELD)).status is status
    assert wire.calls == [CAPTURE, FETCH]


@pytest.mark.parametrize(
    "description", ["Capture amount must be equal to the amount authorized.", *CAPTURED_BEFORE]
)
@pytest.mark.parametrize("status", ["authorized", "created", "under_review"])
async def test_a_payment_that_stays_uncaptured_is_refused(
    wire: Wire, razorpay: Razorpay, description: str, status: str
) -> None:
    wire.on(CAPTURE, reply(sample.error(description), 400))
    wire.on(FETCH, reply(sample.payment(status=status, captured=False)))
    with pytest.raises(RequestRefused, match=f"capture: 400 BAD_REQUEST_ERROR: {description[:30]}"):
        await razorpay.capture(HELD)


async def test_an_unknown_payment_is_refused(wire: Wire, razorpay: Razorpay) -> None:
    unknown = reply(sample.error("The id provided does not exist"), 400)
    wire.on(CAPTURE, unknown)
    wire.on(FETCH, unknown)
    with pytest.raises(RequestRefused, match="does not exist"):
        await razorpay.capture(HELD)


@pytest.mark.parametrize(
    "body", [{}, sample.payment(id="pay_other"), sample.payment(amount="499"), {"id": PAYMENT}]
)
async def test_an_answer_about_something_else_leaves_it_unknown(
    wire: Wire, razorpay: Razorpay, body: Json
) -> None:
    wire.on(CAPTURE, reply(body), reply(sample.error(CAPTURED_BEFORE[0]), 400))
    wire.on(FETCH, reply(body))
    for _ in range(2):
        with pytest.raises(OutcomeUnknown, match="not understood"):
            await razorpay.capture(HELD)
    assert wire.calls == [CAPTURE, CAPTURE, FETCH]


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (httpx.ReadTimeout("x"), OutcomeUnknown),
        (httpx.ConnectError("x"), GatewayUnavailable),
        (httpx.Response(500), OutcomeUnknown),
        (httpx.Response(503), GatewayUnavailable),
        (httpx.Response(401), GatewayUnavailable),
        (httpx.Response(409), RequestRefused),
    ],
)
async def test_trouble_is_never_taken_for_a_capture(
    wire: Wire, razorpay: Razorpay, trouble: Any, error: type[Exception]
) -> None:
    wire.on(CAPTURE, trouble)
    with pytest.raises(error):
        await razorpay.capture(HELD)
    assert wire.calls == [CAPTURE]


@pytest.mark.parametrize(
    ("now", "status"),
    [
        (sample.payment(), PaymentStatus.CAPTURED),
        (sample.payment(status="refunded", amount_refunded=49900), PaymentStatus.CAPTURED),
        (sample.given_back(), PaymentStatus.CANCELED),
        (sample.failed(), PaymentStatus.FAILED),
        (sample.payment(status="something new"), PaymentStatus.PENDING),
    ],
)
async def test_a_payment_is_told_as_it_stands(
    wire: Wire, razorpay: Razorpay, now: Json, status: PaymentStatus
) -> None:
    wire.on(FETCH, reply(now))
    news = await razorpay.ask_payment(sample.ORDER, PAYMENT)
    assert (news.gateway, news.order_id, news.link) == ("razorpay", sample.ORDER, None)
    assert [(each.reference, each.status) for each in news.payments] == [(PAYMENT, status)]
    assert news.evidence.reference == FETCH


async def test_of_a_payment_that_is_not_there_nothing_is_told(
    wire: Wire, razorpay: Razorpay
) -> None:
    wire.on(FETCH, reply(sample.error("The id provided does not exist"), 400))
    assert (await razorpay.ask_payment(sample.ORDER, PAYMENT)).payments == ()


@pytest.mark.parametrize(
    "answer",
    [
        reply(sample.error("Not found"), 404),
        reply(sample.error("Something else"), 400),
        reply(sample.payment(id="pay_other")),
        reply({}),
        httpx.Response(500),
    ],
)
async def test_a_question_that_is_not_answered_tells_nothing(
    wire: Wire, razorpay: Razorpay, answer: httpx.Response
) -> None:
    wire.on(FETCH, answer)
    with pytest.raises(OutcomeUnknown):
        await razorpay.ask_payment(sample.ORDER, PAYMENT)
