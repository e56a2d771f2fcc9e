"""What is only Stripe's: forms, units, sessions, intents, its signature and its lists."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import pytest
import stripe as official
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import BadSignature, GatewayUnavailable, OutcomeUnknown, RequestRefused
from domain.keys import link_key
from domain.money import Money
from domain.news import EvidenceKind
from domain.payments import LinkStatus, Payment, PaymentStatus
from domain.refunds import Refund, RefundQuery, RefundStatus
from gateways.base import LinkRequest
from gateways.bodies import Json
from gateways.stripe import SHORTEST_LIFE, Stripe
from tests.gateways import stripe_samples as sample
from tests.gateways.stripe_samples import INTENT, KEY, NOW, ORDER, REFERENCE, SESSION
from tests.gateways.wire import Wire, reply

PRICE = Money(49900, "INR")
REQUEST = LinkRequest(
    order_id=ORDER,
    key=KEY,
    amount=PRICE,
    description="Order ord_tests",
    callback_url="https://pay.test/callbacks/stripe/t0ken",
    expires_at=NOW + SHORTEST_LIFE,
)
SESSIONS, OUR_SESSION = "/v1/checkout/sessions", f"/v1/checkout/sessions/{SESSION}"


@pytest.fixture
def stripe(wire: Wire) -> Stripe:
    secrets = [sample.WEBHOOK_SECRET]
    return Stripe(
        http=wire.client,
        secret_key=sample.SECRET_KEY,
        webhook_secrets=secrets,
        clock=lambda: NOW,
    )


def asked(wire: Wire, session: Json, intent: Json | None = None, *charges: Json) -> None:
    """What the three questions of a query are answered with."""
    wire.on(f"GET {OUR_SESSION}", reply(session))
    wire.on(f"GET /v1/payment_intents/{INTENT}", reply(intent or {}))
    wire.on("GET /v1/charges", reply(sample.listed(*charges)))


# Links ------------------------------------------------------------------------------------------


def test_the_draft_is_a_form_that_names_the_order_three_times(stripe: Stripe) -> None:
    draft = stripe.draft_link(REQUEST)
    form = dict(parse_qsl(draft.body))
    assert (draft.key, draft.wire_key) == (KEY, REFERENCE)
    assert form["client_reference_id"] == form["metadata[order_id]"] == ORDER
    assert form["payment_intent_data[metadata][order_id]"] == ORDER
    assert (
        form["metadata[wire_key]"] == form["payment_intent_data[metadata][wire_key]"] == REFERENCE
    )
    assert form["line_items[0][price_data][unit_amount]"] == "49900"
    assert form["line_items[0][price_data][currency]"] == "inr"
    assert form["expires_at"] == str(int((NOW + SHORTEST_LIFE).timestamp()))
    assert form["success_url"] == (
        f"{REQUEST.callback_url}?reference={REFERENCE}&session={{CHECKOUT_SESSION_ID}}"
    )
    assert not {"payment_method_types[0]", "customer_email"} & form.keys()


async def test_a_session_is_asked_for_under_our_key_and_a_pinned_version(
    stripe: Stripe, wire: Wire
) -> None:
    wire.on(f"POST {SESSIONS}", reply(sample.session()))
    draft = stripe.draft_link(REQUEST)
    link = await stripe.create_payment_link(draft)
    sent = wire.last
    assert sent.content.decode() == draft.body
    assert sent.headers["content-type"] == "application/x-www-form-urlencoded"
    assert sent.headers["idempotency-key"] == REFERENCE
    assert sent.headers["authorization"] == f"Bearer {sample.SECRET_KEY}"
    assert sent.headers["stripe-version"] == "2026-10-28.endive"
    assert (link.reference, link.status) == (SESSION, LinkStatus.OPEN)
    assert link.expires_at == datetime.fromtimestamp(1790002700, UTC)


@pytest.mark.parametrize(
    ("amount", "units"),
    [
        (Money(1800, "JPY"), "1800"),
        (Money(1250, "USD"), "1250"),
        (Money(295_990, "KWD"), "295990"),
        (Money(7, "ISK"), "700"),
        (Money(7, "UGX"), "700"),
    ],
)
def test_units_are_those_of_stripe(stripe: Stripe, amount: Money, units: str) -> None:
    form = dict(parse_qsl(stripe.draft_link(replace(REQUEST, amount=amount)).body))
    assert form["line_items[0][price_data][unit_amount]"] == units


@pytest.mark.parametrize("amount", [Money(295_995, "KWD"), Money(0, "INR"), Money(100, "MGA")])
def test_what_stripe_does_not_take_is_refused_before_it_is_sent(
    stripe: Stripe, amount: Money
) -> None:
    with pytest.raises(RequestRefused):
        stripe.draft_link(replace(REQUEST, amount=amount))
    refund = Refund("rfd_1", ORDER, "stripe", INTENT, amount)
    with pytest.raises(RequestRefused):
        stripe.draft_refund(refund)


async def test_hundredths_of_what_has_none_are_not_understood(stripe: Stripe, wire: Wire) -> None:
    asked(wire, sample.paid_session(), sample.intent(currency="isk", amount_received=750))
    with pytest.raises(OutcomeUnknown):
        await stripe.ask(sample.BY_ID)
    asked(wire, sample.paid_session(), sample.intent(currency="isk", amount_received=700))
    (payment,) = (await stripe.ask(sample.BY_ID)).payments
    assert payment.amount == Money(7, "ISK")


async def test_the_same_request_twice_at_once_did_nothing(stripe: Stripe, wire: Wire) -> None:
    busy = sample.error("idempotency_key_in_use", "idempotency_error")
    wire.always(reply(busy, 409))
    with pytest.raises(GatewayUnavailable, match="idempotency_key_in_use") as raised:
        await stripe.create_payment_link(stripe.draft_link(REQUEST))
    assert sample.EMAIL not in str(raised.value)


async def test_without_a_reference_the_list_is_read_to_the_key(stripe: Stripe, wire: Wire) -> None:
    other = sample.session(id="cs_other", metadata={})
    pages = [sample.listed(other, more=True), sample.listed(sample.session())]
    wire.on(f"GET {SESSIONS}", *map(reply, pages))
    link = await stripe.find_payment_link(KEY)
    assert link
    assert link.reference == SESSION
    assert wire.last_query == {"limit": ["100"], "starting_after": ["cs_other"]}
    assert (await stripe.ask(sample.BY_KEY)).link is LinkStatus.OPEN


async def test_a_key_that_no_session_bears_is_missing(stripe: Stripe, wire: Wire) -> None:
    wire.on(f"GET {SESSIONS}", reply(sample.listed()))
    await stripe.close_payment_link(sample.BY_KEY)
    news = await stripe.ask(sample.BY_KEY)
    assert (news.link, news.is_final_answer) == (LinkStatus.MISSING, True)


async def test_a_list_without_an_end_is_no_answer(stripe: Stripe, wire: Wire) -> None:
    other = sample.session(id="cs_other", metadata={})
    wire.on(f"GET {SESSIONS}", reply(sample.listed(other, more=True)))
    with pytest.raises(OutcomeUnknown, match="without an end"):
        await stripe.find_payment_link(KEY)
    assert len(wire.requests) == 100


async def test_a_session_that_is_not_open_is_left_as_it_is(stripe: Stripe, wire: Wire) -> None:
    wire.on(f"POST {OUR_SESSION}/expire", reply(sample.error("x"), 400))
    for ended in (sample.paid_session(), sample.session(status="expired", url=None)):
        wire.on(f"GET {OUR_SESSION}", reply(ended))
        await stripe.close_payment_link(sample.BY_ID)
    wire.on(f"GET {OUR_SESSION}", reply(sample.session()))
    with pytest.raises(RequestRefused):
        await stripe.close_payment_link(sample.BY_ID)


# Payments ---------------------------------------------------------------------------------------


async def test_an_open_session_without_an_attempt(stripe: Stripe, wire: Wire) -> None:
    asked(wire, sample.session())
    news = await stripe.ask(sample.BY_ID)
    assert (news.link, news.payments) == (LinkStatus.OPEN, ())
    assert wire.calls == [f"GET {OUR_SESSION}"]


async def test_every_attempt_is_seen(stripe: Stripe, wire: Wire) -> None:
    asked(wire, sample.paid_session(), sample.intent(), sample.charge(), sample.failed_charge())
    news = await stripe.ask(sample.BY_ID)
    failed, captured = news.payments
    assert (failed.reference, failed.status, failed.failure) == (
        "ch_Dd4",
        PaymentStatus.FAILED,
        "card_declined",
    )
    assert captured == Payment("stripe", INTENT, PaymentStatus.CAPTURED, PRICE, "upi")
    assert (news.link, news.evidence.kind) == (LinkStatus.PAID, EvidenceKind.STATUS_QUERY)
    assert news.evidence.reference.count("GET /v1/") == 3


DECLINED = sample.idle()
NO_CHARGE = sample.idle(last_payment_error={"code": "authentication_failure"})


@pytest.mark.parametrize(
    ("intent", "charges", "statuses"),
    [
        (DECLINED, [sample.failed_charge()], [PaymentStatus.FAILED]),
        (NO_CHARGE, [], [PaymentStatus.FAILED]),
        (sample.idle(last_payment_error=None), [], []),
        (sample.intent(status="requires_action"), [], [PaymentStatus.PENDING]),
        (sample.intent(status="processing"), [], [PaymentStatus.PENDING]),
        (sample.intent(status="requires_capture"), [], [PaymentStatus.AUTHORIZED]),
        (sample.intent(status="canceled"), [], [PaymentStatus.CANCELED]),
    ],
)
async def test_what_an_intent_has_come_to(
    stripe: Stripe, wire: Wire, intent: Json, charges: list[Json], statuses: list[PaymentStatus]
) -> None:
    expired = sample.session(status="expired", url=None, payment_intent=INTENT)
    asked(wire, expired, intent, *charges)
    news = await stripe.ask(sample.BY_ID)
    assert [payment.status for payment in news.payments] == statuses
    in_doubt = any(status.may_still_capture for status in statuses)
    assert news.is_final_answer is not in_doubt


async def test_a_session_is_not_over_before_its_money_is_seen(stripe: Stripe, wire: Wire) -> None:
    unpaid = sample.paid_session(payment_status="unpaid")
    for session in (sample.paid_session(), unpaid):
        asked(wire, session, sample.idle(last_payment_error=None))
        assert (await stripe.ask(sample.BY_ID)).link is LinkStatus.OPEN
    asked(wire, unpaid, sample.intent(status="processing"))
    news = await stripe.ask(sample.BY_ID)
    assert (news.link, news.is_final_answer) == (LinkStatus.CLOSED, False)


async def test_more_charges_than_a_page_are_no_answer(stripe: Stripe, wire: Wire) -> None:
    asked(wire, sample.paid_session(), sample.intent())
    wire.on("GET /v1/charges", reply(sample.listed(sample.charge(), more=True)))
    with pytest.raises(OutcomeUnknown):
        await stripe.ask(sample.BY_ID)


async def test_a_capture_that_is_refused_is_looked_into(stripe: Stripe, wire: Wire) -> None:
    held = Payment("stripe", INTENT, PaymentStatus.AUTHORIZED, PRICE)
    refusal = reply(sample.error("payment_intent_unexpected_state"), 400)
    wire.on(f"POST /v1/payment_intents/{INTENT}/capture", refusal)
    wire.on(f"GET /v1/payment_intents/{INTENT}", reply(sample.intent()))
    assert (await stripe.capture(held)).status is PaymentStatus.CAPTURED
    waiting = sample.intent(status="requires_capture")
    wire.on(f"GET /v1/payment_intents/{INTENT}", reply(waiting))
    with pytest.raises(RequestRefused, match="payment_intent_unexpected_state"):
        await stripe.capture(held)


async def test_one_payment_is_asked_about_by_either_name(stripe: Stripe, wire: Wire) -> None:
    wire.on(f"GET /v1/payment_intents/{INTENT}", reply(sample.intent()))
    wire.on("GET /v1/charges/ch_Dd4", reply(sample.failed_charge()))
    for reference, status in ((INTENT, PaymentStatus.CAPTURED), ("ch_Dd4", PaymentStatus.FAILED)):
        (payment,) = (await stripe.ask_payment(ORDER, reference)).payments
        assert (payment.reference, payment.status) == (reference, status)
    wire.always(reply(sample.error("resource_missing"), 404))
    assert (await stripe.ask_payment(ORDER, "pi_unknown")).payments == ()


# Refunds ----------------------------------------------------------------------------------------

REFUND = Refund(sample.REFUND_ID, ORDER, "stripe", INTENT, Money(10000, "INR"))
REFUND_QUERY = RefundQuery(sample.REFUND_ID, "stripe", INTENT)


async def test_a_refund_is_sent_under_a_key_and_bears_our_id(stripe: Stripe, wire: Wire) -> None:
    wire.on("POST /v1/refunds", reply(sample.refund()))
    draft = stripe.draft_refund(REFUND)
    news = await stripe.refund(draft)
    form = parse_qs(wire.last.content.decode())
    assert wire.last.headers["idempotency-key"] == draft.wire_key
    assert form["metadata[refund_id]"] == [sample.REFUND_ID]
    assert (form["payment_intent"], form["amount"]) == ([INTENT], ["10000"])
    assert (news.status, news.reference) == (RefundStatus.SUCCEEDED, sample.REFUND)


@pytest.mark.parametrize(
    ("said", "status", "failure"),
    [
        ({"status": "pending"}, RefundStatus.PENDING, None),
        ({"status": "requires_action"}, RefundStatus.PENDING, None),
        ({"status": "canceled"}, RefundStatus.FAILED, "canceled"),
        (
            {"status": "failed", "failure_reason": "expired_or_canceled_card"},
            RefundStatus.FAILED,
            "expired_or_canceled_card",
        ),
    ],
)
async def test_what_becomes_of_a_refund(
    stripe: Stripe, wire: Wire, said: Json, status: RefundStatus, failure: str | None
) -> None:
    wire.on(f"GET /v1/refunds/{sample.REFUND}", reply(sample.refund(**said)))
    news = await stripe.ask_refund(replace(REFUND_QUERY, reference=sample.REFUND))
    assert news
    assert (news.status, news.failure) == (status, failure)


async def test_a_refused_refund_may_have_been_made_before(stripe: Stripe, wire: Wire) -> None:
    wire.on("POST /v1/refunds", reply(sample.error("charge_already_refunded"), 400))
    wire.on("GET /v1/refunds", reply(sample.listed(sample.refund())))
    assert (await stripe.refund(stripe.draft_refund(REFUND))).reference == sample.REFUND
    wire.on("GET /v1/refunds", reply(sample.listed()))
    with pytest.raises(RequestRefused, match="charge_already_refunded"):
        await stripe.refund(stripe.draft_refund(REFUND))


async def test_a_key_that_stands_for_something_else_needs_a_person(
    stripe: Stripe, wire: Wire
) -> None:
    reused = {"error": {"type": "idempotency_error", "message": "x"}}
    wire.on("POST /v1/refunds", reply(reused, 400))
    wire.on("GET /v1/refunds", reply(sample.listed()))
    wire.on(f"GET /v1/payment_intents/{INTENT}", reply(sample.intent()))
    news = await stripe.refund(stripe.draft_refund(REFUND))
    assert (news.status, news.amount) == (RefundStatus.NEEDS_REVIEW, REFUND.amount)


# Messages ---------------------------------------------------------------------------------------

VECTORS = [
    (
        "whsec_test_secret",
        1700000000,
        b'{"id":"evt_1","object":"event"}',
        "0c8670ed117751cc551a20e35839447075c42800ea3cf3e8a2fbda99cd1e6edd",
    ),
    (
        "whsec_test_secret",
        12345,
        b'{\n  "id": "evt_test_webhook",\n  "object": "event",\n  "data": { "object": '
        b'{ "id": "rdr_123", "object": "terminal.reader" } }\n}',
        "07b1ede164afb7b5de91267ffa656f568c65d6e0783ce0ac55ee094643578eda",
    ),
]
BODY = b'{"id":"evt_1","object":"event","type":"x","data":{"object":{}}}'
SECOND = int(NOW.timestamp())


@pytest.mark.parametrize(("secret", "second", "body", "digest"), VECTORS)
def test_the_official_vectors_are_accepted(
    wire: Wire, secret: str, second: int, body: bytes, digest: str
) -> None:
    at = datetime.fromtimestamp(second, UTC)
    adapter = Stripe(http=wire.client, secret_key="sk", webhook_secrets=[secret], clock=lambda: at)
    adapter._check_signature(body, f"t={second},v1={digest}")


@settings(max_examples=300, deadline=None)
@given(
    body=st.binary(max_size=200), secret=st.text("abc_é123", min_size=1), ago=st.integers(-400, 400)
)
def test_we_accept_what_the_official_library_signs(body: bytes, secret: str, ago: int) -> None:
    text = body.decode("latin-1")
    header = official.WebhookSignature.generate_signature_header(
        payload=text, secret=secret, timestamp=SECOND + ago
    )
    adapter = Stripe(
        http=Wire().client, secret_key="sk", webhook_secrets=[secret], clock=lambda: NOW
    )
    if abs(ago) <= 300:
        adapter._check_signature(text.encode(), header)
        return
    with pytest.raises(BadSignature):
        adapter._check_signature(text.encode(), header)


async def test_the_official_library_verifies_what_we_accept(stripe: Stripe) -> None:
    body, headers = sample.signed(sample.event("x", {}), at=datetime.fromtimestamp(SECOND, UTC))
    await stripe.read_webhook(body, headers)
    signature = headers["Stripe-Signature"]
    assert official.WebhookSignature.verify_header(
        body.decode(), signature, sample.WEBHOOK_SECRET, None
    )


def good(secret: str = sample.WEBHOOK_SECRET) -> str:
    return sample.signed(BODY, secret)[1]["Stripe-Signature"].partition("v1=")[2]


@pytest.mark.parametrize(
    "header",
    [
        f"t={SECOND},v1={'0' * 64},v1={good()}",
        f"t={SECOND},v1={good()},v0=anything",
        f"v1={good()},t={SECOND}",
        f"t={SECOND},v1={good('whsec_other')},v1={good()}",
    ],
)
async def test_one_good_signature_is_enough(stripe: Stripe, header: str) -> None:
    await stripe.read_webhook(BODY, {"stripe-signature": header})


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"t={SECOND}",
        f"v1={good()}",
        f"t={SECOND},v0={good()}",
        f"t={SECOND},v2={good()}",
        f"t={SECOND}, v1={good()}",
        f"t={SECOND + 1},v1={good()}",
        f"t={SECOND},t={SECOND + 1},v1={good()}",
        f"t=0{SECOND},v1={good()}",
        f"t={SECOND}.0,v1={good()}",
        f"t=-{SECOND},v1={good()}",
        f"t={'9' * 5000},v1={good()}",
        f"t=²,v1={good()}",
        f"t={SECOND},v1={good().upper()}",
        f"t={SECOND},v1={good()}é",
        f"t={SECOND},v1={good()[:-1]}",
        f"t={SECOND},v1={good('')}",
        f"t={SECOND};v1={good()}",
    ],
)
async def test_no_other_header_is_good(stripe: Stripe, header: str) -> None:
    with pytest.raises(BadSignature):
        await stripe.read_webhook(BODY, {"stripe-signature": header})


async def test_without_a_secret_nothing_is_heard(wire: Wire) -> None:
    deaf = Stripe(http=wire.client, secret_key="sk", webhook_secrets=[], clock=lambda: NOW)
    assert not deaf.hears_webhooks
    with pytest.raises(BadSignature):
        await deaf.read_webhook(*sample.signed(BODY, ""))


async def read(stripe: Stripe, kind: str, entity: Json) -> Any:
    return await stripe.read_webhook(*sample.signed(sample.event(kind, entity)))


async def test_an_event_names_order_link_and_payment(stripe: Stripe) -> None:
    event = await read(stripe, "checkout.session.completed", sample.paid_session())
    assert (event.event_id, event.order_id, event.reference) == ("evt_Ee5", ORDER, REFERENCE)
    assert event.link_reference == SESSION
    assert event.payment == Payment("stripe", INTENT, PaymentStatus.CAPTURED, PRICE)


async def test_siblings_say_the_same(stripe: Stripe) -> None:
    events = [
        await read(stripe, "charge.succeeded", sample.charge()),
        await read(stripe, "payment_intent.succeeded", sample.intent()),
        await read(stripe, "checkout.session.completed", sample.paid_session()),
    ]
    assert {event.outcome for event in events} == {f"{INTENT}:captured:49900INR"}


async def test_a_failure_goes_by_the_name_that_a_query_gives_it(stripe: Stripe, wire: Wire) -> None:
    event = await read(stripe, "payment_intent.payment_failed", sample.idle())
    asked(wire, sample.session(payment_intent=INTENT), sample.idle(), sample.failed_charge())
    (failed,) = (await stripe.ask(sample.BY_ID)).payments
    assert event.payment
    assert (event.payment.identity, event.payment.failure) == (failed.identity, failed.failure)


async def test_money_for_nobody_is_heard_once_and_a_charge_without_our_words_is_not(
    stripe: Stripe,
) -> None:
    stray = await read(stripe, "payment_intent.succeeded", sample.intent(metadata={}))
    assert stray.payment
    assert (stray.order_id, stray.reference) == (None, None)
    assert (await read(stripe, "charge.succeeded", sample.charge(metadata={}))).outcome is None


async def test_a_refund_from_the_dashboard_is_nobodys(stripe: Stripe) -> None:
    event = await read(stripe, "refund.created", sample.refund(metadata={"refund_id": "theirs"}))
    assert event.refund
    assert (event.refund.refund_id, event.refund.payment_reference) == (None, INTENT)


def test_the_way_back_names_key_and_session(stripe: Stripe) -> None:
    callback = stripe.read_callback({"reference": REFERENCE, "session": SESSION, "more": "x"})
    assert (callback.wire_key, callback.link_reference) == (REFERENCE, SESSION)
    for lacking in (
        {"reference": REFERENCE},
        {"session": SESSION},
        {"reference": "", "session": ""},
    ):
        with pytest.raises(BadSignature):
            stripe.read_callback(lacking)


def test_the_clock_is_the_worlds_unless_told_otherwise(wire: Wire) -> None:
    adapter = Stripe(http=wire.client, secret_key="sk", webhook_secrets=[])
    assert abs(adapter._clock().timestamp() - time.time()) < 5
    assert link_key(ORDER, 1) == KEY
