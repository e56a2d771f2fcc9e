"""Razorpay's API: every call, and every answer it may bring."""

import json
import logging
import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx
import pytest

from domain.checkouts import Checkout, CheckoutPlan
from domain.errors import GatewayUnavailable, OutcomeUnknown, RequestRefused
from domain.money import Money
from domain.news import EvidenceKind, PaymentNews
from domain.orders import OrderStatus
from domain.payments import LinkStatus, PaymentStatus
from gateways.base import LinkRequest
from gateways.razorpay import Razorpay
from tests.gateways import razorpay_samples as sample
from tests.gateways.razorpay_samples import BY_ID, BY_KEY, GATEWAY_ORDER, KEY, LINK, REFERENCE
from tests.gateways.wire import Wire, failures, reply

LINKS = "/v1/payment_links"
CREATE, LIST = f"POST {LINKS}", f"GET {LINKS}"
FETCH, CANCEL = f"GET {LINKS}/{LINK}", f"POST {LINKS}/{LINK}/cancel"
PAYMENTS = f"GET /v1/orders/{GATEWAY_ORDER}/payments"

WISH = LinkRequest(
    order_id=sample.ORDER,
    key=KEY,
    amount=Money(49900, "INR"),
    description="Order ord_tests",
    callback_url="https://shop.test/callbacks/razorpay/t0ken",
    expires_at=datetime(2026, 9, 21, 14, 58, 20, 900_000, tzinfo=UTC),
)

DUPLICATES = [
    "payment link creation with reference ID already attempted",
    f"Payment link with given reference_id: {REFERENCE} already exists. Choose another.",
]


def test_a_draft_asks_for_exactly_the_price_and_wakes_nobody(razorpay: Razorpay) -> None:
    draft = razorpay.draft_link(WISH)
    assert (draft.key, draft.wire_key) == (KEY, REFERENCE)
    assert json.loads(draft.body) == {
        "amount": 49900,
        "currency": "INR",
        "accept_partial": False,
        "reference_id": REFERENCE,
        "description": "Order ord_tests",
        "expire_by": 1790002700,
        "callback_url": "https://shop.test/callbacks/razorpay/t0ken",
        "callback_method": "get",
        "notify": {"sms": False, "email": False},
        "reminder_enable": False,
        "notes": {"order_id": "ord_tests", "key": KEY},
    }
    assert len(REFERENCE) <= 40


@pytest.mark.parametrize(
    "amount", [Money(100, "INR"), Money(1, "JPY"), Money(1250, "USD"), Money(295_990, "KWD")]
)
def test_amounts_travel_in_minor_units(razorpay: Razorpay, amount: Money) -> None:
    body = json.loads(razorpay.draft_link(replace(WISH, amount=amount)).body)
    assert (body["amount"], body["currency"]) == (amount.minor, amount.currency)


@pytest.mark.parametrize(
    "amount",
    [Money(99, "INR"), Money(0, "USD"), Money(-1, "JPY"), Money(295_991, "KWD"), Money(9, "XAU")],
)
def test_an_amount_that_it_does_not_take_is_refused(razorpay: Razorpay, amount: Money) -> None:
    with pytest.raises(RequestRefused, match=amount.currency):
        razorpay.draft_link(replace(WISH, amount=amount))


async def test_creating_sends_the_draft_word_for_word(wire: Wire, razorpay: Razorpay) -> None:
    wire.on(CREATE, reply(sample.link()))
    draft = razorpay.draft_link(WISH)
    link = await razorpay.create_payment_link(draft)
    assert wire.last.content == draft.body.encode()
    assert wire.last.headers["authorization"].startswith("Basic ")
    assert (link.gateway, link.key, link.reference) == ("razorpay", KEY, LINK)
    assert (link.url, link.status) == ("https://rzp.test/i/Aa1", LinkStatus.OPEN)
    assert link.expires_at == WISH.expires_at.replace(microsecond=0)


@pytest.mark.parametrize("description", DUPLICATES)
async def test_a_used_reference_leads_to_the_link_made_before(
    wire: Wire, razorpay: Razorpay, description: str
) -> None:
    wire.on(CREATE, reply(sample.error(description), 400))
    wire.on(LIST, reply(sample.links(sample.link(reference_id="other"), sample.link())))
    link = await razorpay.create_payment_link(razorpay.draft_link(WISH))
    assert link.reference == LINK
    assert wire.last_query == {"reference_id": [REFERENCE]}


@pytest.mark.parametrize("description", DUPLICATES)
async def test_a_used_reference_without_a_link_is_of_unknown_outcome(
    wire: Wire, razorpay: Razorpay, description: str
) -> None:
    wire.on(CREATE, reply(sample.error(description), 400))
    wire.on(LIST, reply(sample.links()))
    with pytest.raises(OutcomeUnknown, match="no link"):
        await razorpay.create_payment_link(razorpay.draft_link(WISH))


async def test_a_request_that_is_wrong_is_refused(wire: Wire, razorpay: Razorpay) -> None:
    wire.on(CREATE, reply(sample.error("timestamp must be atleast 15 minutes in future"), 400))
    with pytest.raises(RequestRefused, match="BAD_REQUEST_ERROR: timestamp must"):
        await razorpay.create_payment_link(razorpay.draft_link(WISH))


async def test_too_many_requests_is_not_yet(wire: Wire, razorpay: Razorpay) -> None:
    wire.on(CREATE, reply(sample.error("Too many requests"), 429, retry_after="40"))
    with pytest.raises(GatewayUnavailable) as raised:
        await razorpay.create_payment_link(razorpay.draft_link(WISH))
    assert raised.value.retry_after == timedelta(seconds=40)


async def test_the_quota_of_a_test_account_is_never(wire: Wire, razorpay: Razorpay) -> None:
    said = "test mode limit of 30 reached for payment_link"
    wire.on(CREATE, reply(sample.error(said, "RATE_LIMIT_EXCEEDED"), 429))
    with pytest.raises(RequestRefused, match="limit of 30"):
        await razorpay.create_payment_link(razorpay.draft_link(WISH))


async def test_a_rate_limit_of_another_kind_is_not_yet(wire: Wire, razorpay: Razorpay) -> None:
    wire.on(CREATE, reply(sample.error("slow down", "RATE_LIMIT_EXCEEDED"), 429))
    with pytest.raises(GatewayUnavailable):
        await razorpay.create_payment_link(razorpay.draft_link(WISH))


@pytest.mark.parametrize(
    "change",
    [
        {"reference_id": "somebody-elses"},
        {"id": None},
        {"id": 7},
        {"short_url": ""},
        {"expire_by": None},
        {"expire_by": "soon"},
        {"expire_by": 10**30},
        {"reference_id": []},
    ],
)
async def test_an_answer_that_is_no_link_of_ours_is_of_unknown_outcome(
    wire: Wire, razorpay: Razorpay, change: dict[str, Any]
) -> None:
    wire.on(CREATE, reply(sample.link(**change)))
    with pytest.raises(OutcomeUnknown, match="not understood"):
        await razorpay.create_payment_link(razorpay.draft_link(WISH))


async def test_a_link_is_found_by_our_key(wire: Wire, razorpay: Razorpay) -> None:
    wire.on(LIST, reply(sample.links(sample.link(status="paid"))))
    found = await razorpay.find_payment_link(KEY)
    assert found
    assert (found.reference, found.status) == (LINK, LinkStatus.PAID)


@pytest.mark.parametrize(
    "others", [[], [sample.link(reference_id="other")], [sample.link(reference_id=None)]]
)
async def test_a_link_of_another_key_is_not_ours(
    wire: Wire, razorpay: Razorpay, others: list[dict[str, Any]]
) -> None:
    wire.on(LIST, reply(sample.links(*others)))
    assert await razorpay.find_payment_link(KEY) is None
    assert (await razorpay.ask(BY_KEY)).link is LinkStatus.MISSING


@pytest.mark.parametrize("body", [{}, {"payment_links": None}, {"payment_links": [None]}])
async def test_a_list_that_is_none_does_not_mean_that_there_is_no_link(
    wire: Wire, razorpay: Razorpay, body: dict[str, Any]
) -> None:
    wire.on(LIST, reply(body))
    with pytest.raises(OutcomeUnknown):
        await razorpay.find_payment_link(KEY)
    with pytest.raises(OutcomeUnknown):
        await razorpay.ask(BY_KEY)


STATUSES = {
    "created": LinkStatus.OPEN,
    "partially_paid": LinkStatus.OPEN,
    "cancelled": LinkStatus.CLOSED,
    "expired": LinkStatus.EXPIRED,
    "under_review": LinkStatus.OPEN,
    "": LinkStatus.OPEN,
}


@pytest.mark.parametrize(("word", "status"), STATUSES.items())
async def test_a_link_that_nobody_opened_has_no_payments(
    wire: Wire, razorpay: Razorpay, word: str, status: LinkStatus
) -> None:
    wire.on(FETCH, reply(sample.link(status=word)))
    news = await razorpay.ask(BY_ID)
    assert (news.link, news.payments, news.is_hint) == (status, (), False)
    assert (news.gateway, news.order_id) == ("razorpay", sample.ORDER)
    assert news.evidence.kind is EvidenceKind.STATUS_QUERY
    assert news.evidence.reference == f"GET /v1/payment_links/{LINK}"


async def test_the_link_is_read_before_its_payments(wire: Wire, razorpay: Razorpay) -> None:
    link = reply(sample.link(status="paid", amount_paid=49900, order_id=GATEWAY_ORDER))
    payments = reply(sample.collection(sample.payment()))
    wire.on(FETCH, link)
    wire.on(PAYMENTS, payments)
    news = await razorpay.ask(BY_ID)
    assert wire.calls == [FETCH, PAYMENTS]
    assert news.link is LinkStatus.PAID
    assert news.evidence.reference == f"{FETCH}, {PAYMENTS}"
    assert news.evidence.digest == sha256(link.content + payments.content).hexdigest()


async def test_without_its_id_the_link_is_asked_for_by_key(wire: Wire, razorpay: Razorpay) -> None:
    wire.on(LIST, reply(sample.links(sample.link(order_id=GATEWAY_ORDER))))
    wire.on(PAYMENTS, reply(sample.collection(sample.failed())))
    news = await razorpay.ask(BY_KEY)
    assert (news.link, len(news.payments)) == (LinkStatus.OPEN, 1)
    assert news.evidence.reference == f"{LIST}?reference_id={REFERENCE}, {PAYMENTS}"


async def asked(wire: Wire, razorpay: Razorpay, *payments: Any, **link: Any) -> PaymentNews:
    wire.on(FETCH, reply(sample.link(order_id=GATEWAY_ORDER, **link)))
    wire.on(PAYMENTS, reply(sample.collection(*payments)))
    return await razorpay.ask(BY_ID)


PAYMENT_STATUSES = {
    "created": PaymentStatus.PENDING,
    "authorized": PaymentStatus.AUTHORIZED,
    "captured": PaymentStatus.CAPTURED,
    "refunded": PaymentStatus.CAPTURED,
    "failed": PaymentStatus.FAILED,
    "under_review": PaymentStatus.PENDING,
    "FAILED": PaymentStatus.PENDING,
}


@pytest.mark.parametrize(("word", "status"), PAYMENT_STATUSES.items())
async def test_every_word_for_a_payment_has_a_status(
    wire: Wire, razorpay: Razorpay, word: str, status: PaymentStatus
) -> None:
    news = await asked(wire, razorpay, sample.payment(status=word))
    (payment,) = news.payments
    assert (payment.gateway, payment.reference) == ("razorpay", sample.PAYMENT)
    assert (payment.status, payment.amount) == (status, Money(49900, "INR"))
    assert (payment.method, payment.failure) == ("upi", None)


@pytest.mark.parametrize(
    ("errors", "failure"),
    [
        ({}, "payment_timed_out"),
        ({"error_reason": "NA"}, "GATEWAY_ERROR"),
        ({"error_reason": None}, "GATEWAY_ERROR"),
        ({"error_reason": f"{sample.EMAIL} has no money"}, "GATEWAY_ERROR"),
        ({"error_reason": "NA", "error_code": None}, None),
        ({"error_reason": [], "error_code": {}}, None),
    ],
)
async def test_a_failure_is_a_word_and_never_a_sentence(
    wire: Wire, razorpay: Razorpay, errors: dict[str, Any], failure: str | None
) -> None:
    news = await asked(wire, razorpay, sample.failed(**errors))
    assert news.payments[0].failure == failure


async def test_a_payment_that_came_through_has_no_failure(wire: Wire, razorpay: Razorpay) -> None:
    """It may have failed first, and be authorized late."""
    news = await asked(wire, razorpay, sample.failed(status="captured"))
    assert news.payments[0].failure is None


@pytest.mark.parametrize("counts", [{"status": "paid"}, {"status": "expired", "amount_paid": 100}])
@pytest.mark.parametrize("seen", [[], [sample.failed()], [sample.payment(status="authorized")]])
async def test_a_link_that_counts_money_is_open_until_the_payment_is_seen(
    wire: Wire, razorpay: Razorpay, counts: dict[str, Any], seen: list[dict[str, Any]]
) -> None:
    assert (await asked(wire, razorpay, *seen, **counts)).link is LinkStatus.OPEN


async def test_a_paid_link_is_never_concluded_to_be_without_money(
    wire: Wire, razorpay: Razorpay
) -> None:
    began = datetime(2026, 9, 21, tzinfo=UTC)
    checkout = Checkout(CheckoutPlan(sample.ORDER, "razorpay", WISH.amount, KEY), began)
    late = began + timedelta(hours=1)
    checkout.learn(await asked(wire, razorpay, status="paid", amount_paid=49900), late)
    assert checkout.conclusion(late) is None
    checkout.learn(await asked(wire, razorpay, sample.payment(), status="paid"), late)
    concluded = checkout.conclusion(late)
    assert concluded
    assert concluded.status is OrderStatus.PAID


async def test_a_paid_link_without_an_order_is_still_open(wire: Wire, razorpay: Razorpay) -> None:
    wire.on(FETCH, reply(sample.link(status="paid", order_id=None)))
    assert (await razorpay.ask(BY_ID)).link is LinkStatus.OPEN


async def test_every_attempt_counts_however_many(wire: Wire, razorpay: Razorpay) -> None:
    attempts = [sample.failed(id=f"pay_{number}") for number in range(11)]
    news = await asked(wire, razorpay, *attempts, sample.payment(), status="cancelled")
    assert len(news.payments) == 12
    assert (news.payments[-1].status, news.link) == (PaymentStatus.CAPTURED, LinkStatus.CLOSED)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"items": None},
        {"count": 11, "items": [sample.failed()]},
        sample.collection(sample.payment(amount="499.00")),
        sample.collection(sample.payment(amount=499.5)),
        sample.collection(sample.payment(amount=True)),
        sample.collection(sample.payment(currency="rupees")),
        sample.collection(sample.payment(id=None)),
    ],
)
async def test_payments_that_cannot_be_read_prove_nothing(
    wire: Wire, razorpay: Razorpay, body: dict[str, Any]
) -> None:
    wire.on(FETCH, reply(sample.link(status="cancelled", order_id=GATEWAY_ORDER)))
    wire.on(PAYMENTS, reply(body))
    with pytest.raises(OutcomeUnknown):
        await razorpay.ask(BY_ID)


@pytest.mark.parametrize("change", [{"reference_id": "other"}, {"order_id": 7}])
async def test_a_link_that_cannot_be_ours_proves_nothing(
    wire: Wire, razorpay: Razorpay, change: dict[str, Any]
) -> None:
    wire.on(FETCH, reply(sample.link(status="cancelled", **change)))
    with pytest.raises(OutcomeUnknown):
        await razorpay.ask(BY_ID)


async def test_a_link_that_is_suddenly_unknown_is_not_missing(
    wire: Wire, razorpay: Razorpay
) -> None:
    """Somebody changed the keys: the customer can still pay through it."""
    wire.on(FETCH, reply(sample.error("The id provided does not exist"), 400))
    with pytest.raises(RequestRefused):
        await razorpay.ask(BY_ID)


async def test_a_link_is_closed_by_its_id(wire: Wire, razorpay: Razorpay) -> None:
    wire.on(CANCEL, reply(sample.link(status="cancelled")))
    await razorpay.close_payment_link(BY_ID)
    assert wire.calls == [CANCEL]
    assert wire.last_body == {}


async def test_a_link_is_closed_by_its_key(wire: Wire, razorpay: Razorpay) -> None:
    wire.on(LIST, reply(sample.links(sample.link())))
    wire.on(CANCEL, reply(sample.link(status="cancelled")))
    await razorpay.close_payment_link(BY_KEY)
    assert wire.calls == [LIST, CANCEL]


@pytest.mark.parametrize("listed", [[], [sample.link(status="expired")]])
async def test_where_no_link_is_open_there_is_nothing_to_close(
    wire: Wire, razorpay: Razorpay, listed: list[dict[str, Any]]
) -> None:
    wire.on(LIST, reply(sample.links(*listed)))
    await razorpay.close_payment_link(BY_KEY)
    assert wire.calls == [LIST]


@pytest.mark.parametrize("status", ["paid", "cancelled", "expired"])
async def test_a_link_that_has_ended_is_left_as_it_is(
    wire: Wire, razorpay: Razorpay, status: str
) -> None:
    wire.on(CANCEL, reply(sample.error("cannot cancel or expire it"), 400))
    wire.on(FETCH, reply(sample.link(status=status)))
    await razorpay.close_payment_link(BY_ID)
    assert wire.calls == [CANCEL, FETCH]


async def test_a_link_that_stays_open_is_not_called_closed(wire: Wire, razorpay: Razorpay) -> None:
    wire.on(CANCEL, reply(sample.error("cannot cancel a partially paid link"), 400))
    wire.on(FETCH, reply(sample.link(status="partially_paid")))
    with pytest.raises(RequestRefused, match="partially"):
        await razorpay.close_payment_link(BY_ID)


async def test_an_unknown_link_cannot_be_closed(wire: Wire, razorpay: Razorpay) -> None:
    unknown = reply(sample.error("The id provided does not exist"), 400)
    wire.on(CANCEL, unknown)
    wire.on(FETCH, unknown)
    with pytest.raises(RequestRefused):
        await razorpay.close_payment_link(BY_ID)


@pytest.mark.parametrize("trouble", [*(kind("x") for kind in failures()), httpx.Response(502)])
async def test_no_trouble_tells_a_secret_or_who_paid(
    wire: Wire, razorpay: Razorpay, trouble: Any, caplog: pytest.LogCaptureFixture
) -> None:
    wire.on(FETCH, reply(sample.link(customer={"email": sample.EMAIL}, order_id=GATEWAY_ORDER)))
    wire.on(PAYMENTS, reply({"email": sample.EMAIL, "contact": sample.PHONE}), trouble)
    told = ""
    with caplog.at_level(logging.DEBUG):
        for _ in range(2):
            with pytest.raises((GatewayUnavailable, OutcomeUnknown)) as raised:
                await razorpay.ask(BY_ID)
            told += "".join(traceback.format_exception(raised.value))
    told += caplog.text + repr(razorpay)
    private = [sample.KEY_SECRET, sample.WEBHOOK_SECRET, sample.EMAIL, sample.PHONE]
    assert not [word for word in private if word in told]
