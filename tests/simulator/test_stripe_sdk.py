"""Stripe's official SDK drives the simulator as it would drive Stripe."""

import json
import time
from typing import Any

import httpx
import pytest
import stripe

from simulator.stripe.signing import signature_header
from tests.simulator.stripe_helpers import (
    FOUR,
    called,
    made_session,
    order_of,
    sdk_for,
    session_params,
)
from tests.support.simulator import Simulator
from tests.support.webhook_receiver import Received, WebhookReceiver


@pytest.fixture
def sdk(simulator: Simulator) -> stripe.StripeClient:
    return sdk_for(simulator)


async def fetched(sdk: stripe.StripeClient, session: stripe.checkout.Session) -> Any:
    return await called(sdk.v1.checkout.sessions.retrieve, session.id)


async def events(
    receiver: WebhookReceiver, session: stripe.checkout.Session, number: int
) -> list[Received]:
    return await receiver.about(order_of(session), number)


def names(deliveries: list[Received]) -> list[str]:
    return [delivery.json["type"] for delivery in deliveries]


async def test_a_fresh_session(simulator: Simulator, sdk: stripe.StripeClient) -> None:
    session = await made_session(simulator)
    assert session.id.startswith("cs_test_")
    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert session.url == f"{simulator.base_url}/pay/{session.id}"
    assert (session.amount_total, session.currency) == (49900, "inr")
    assert session.payment_intent is None
    assert await fetched(sdk, session) == session


async def test_a_paid_session_and_what_is_behind_it(
    simulator: Simulator, sdk: stripe.StripeClient, receiver: WebhookReceiver
) -> None:
    session = await made_session(simulator)
    way_back = await simulator.pay(str(session.url), method="upi")
    assert way_back.headers["location"].endswith(f"?session={session.id}")
    paid = await fetched(sdk, session)
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    intent = await called(sdk.v1.payment_intents.retrieve, paid.payment_intent)
    assert (intent.status, intent.amount_received) == ("succeeded", 49900)
    assert intent.metadata["order_id"] == order_of(session)
    charges = await called(sdk.v1.charges.list, {"payment_intent": intent.id})
    (charge,) = charges.data
    assert (charge.id, charge.captured) == (intent.latest_charge, True)
    assert charge.payment_method_details.type == "upi"
    assert names(await events(receiver, session, 4)) == FOUR


async def test_a_failed_attempt_leaves_the_session_open(
    simulator: Simulator, sdk: stripe.StripeClient, receiver: WebhookReceiver
) -> None:
    session = await made_session(simulator)
    await simulator.pay(str(session.url), outcome="failure")
    attempted = await fetched(sdk, session)
    assert attempted.status == "open"
    intent = await called(sdk.v1.payment_intents.retrieve, attempted.payment_intent)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error.code == "card_declined"
    await simulator.pay(str(session.url))
    again = await fetched(sdk, session)
    assert (again.payment_intent, again.payment_status) == (intent.id, "paid")
    charges = await called(sdk.v1.charges.list, {"payment_intent": intent.id})
    assert [charge.status for charge in charges.data] == ["succeeded", "failed"]
    failed = ["charge.failed", "payment_intent.payment_failed"]
    assert names(await events(receiver, session, 6)) == [*failed, *FOUR]


@pytest.mark.parametrize(
    ("outcome", "last", "number", "status"),
    [
        ("success", "checkout.session.async_payment_succeeded", 5, "succeeded"),
        ("failure", "checkout.session.async_payment_failed", 4, "requires_payment_method"),
    ],
)
async def test_a_slow_payment_uses_the_session_up(
    simulator: Simulator,
    sdk: stripe.StripeClient,
    receiver: WebhookReceiver,
    outcome: str,
    last: str,
    number: int,
    status: str,
) -> None:
    session = await made_session(simulator)
    await simulator.pay(str(session.url), outcome="pending", method="netbanking")
    waiting = await fetched(sdk, session)
    assert (waiting.status, waiting.payment_status) == ("complete", "unpaid")
    with pytest.raises(stripe.InvalidRequestError, match="a status of `complete`"):
        await called(sdk.v1.checkout.sessions.expire, session.id)
    assert (await simulator.pay(str(session.url))).status_code == 409
    (payment,) = (await simulator.ledger(order_of(session)))["payments"]
    assert payment["reference"] == waiting.payment_intent
    await simulator.settle(payment["id"], outcome)
    intent = await called(sdk.v1.payment_intents.retrieve, waiting.payment_intent)
    assert intent.status == status
    told = names(await events(receiver, session, number))
    assert (told[0], told[-1]) == ("checkout.session.completed", last)


async def test_expiring_is_final(
    simulator: Simulator, sdk: stripe.StripeClient, receiver: WebhookReceiver
) -> None:
    session = await made_session(simulator)
    expired = await called(sdk.v1.checkout.sessions.expire, session.id)
    assert (expired.status, expired.url) == ("expired", None)
    with pytest.raises(stripe.InvalidRequestError, match="a status of `expired`"):
        await called(sdk.v1.checkout.sessions.expire, session.id)
    assert names(await events(receiver, session, 1)) == ["checkout.session.expired"]


async def test_what_was_authorized_is_captured_once(
    simulator: Simulator, sdk: stripe.StripeClient
) -> None:
    session = await made_session(simulator)
    await simulator.pay(str(session.url), outcome="authorized")
    held = await fetched(sdk, session)
    intents = sdk.v1.payment_intents
    assert (await called(intents.retrieve, held.payment_intent)).status == "requires_capture"
    captured = await called(intents.capture, held.payment_intent)
    assert (captured.status, captured.amount_received) == ("succeeded", 49900)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await called(intents.capture, held.payment_intent)
    assert refused.value.code == "payment_intent_unexpected_state"


async def test_refunds_in_parts_up_to_what_was_taken(
    simulator: Simulator, sdk: stripe.StripeClient
) -> None:
    session = await made_session(simulator)
    await simulator.pay(str(session.url))
    intent = (await fetched(sdk, session)).payment_intent
    refunds = sdk.v1.refunds
    part = await called(refunds.create, {"payment_intent": intent, "amount": 10000})
    assert (part.status, part.amount, part.payment_intent) == ("succeeded", 10000, intent)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        await called(refunds.create, {"payment_intent": intent, "amount": 49900})
    rest = await called(refunds.create, {"payment_intent": intent})
    assert rest.amount == 39900
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await called(refunds.create, {"payment_intent": intent})
    assert refused.value.code == "charge_already_refunded"
    listed = await called(refunds.list, {"payment_intent": intent, "limit": 1})
    assert ([each.id for each in listed.data], listed.has_more) == ([rest.id], True)
    everything = [each.id for each in listed.auto_paging_iter()]
    assert everything == [rest.id, part.id]
    assert (await called(refunds.retrieve, part.id)).id == part.id


async def test_one_key_is_one_deed(simulator: Simulator, sdk: stripe.StripeClient) -> None:
    sessions, params = sdk.v1.checkout.sessions, session_params()
    options = {"idempotency_key": f"key-{time.time_ns()}"}
    first = await called(sessions.create, params, options)
    assert (await called(sessions.create, params, options)) == first
    with pytest.raises(stripe.IdempotencyError):
        await called(sessions.create, params | {"client_reference_id": "another"}, options)
    other = {"idempotency_key": f"key-{time.time_ns()}"}
    assert (await called(sessions.create, params, other)).id != first.id


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"payment_method_types": ["card"]}, "payment_method_types"),
        ({"expires_at": int(time.time()) + 60}, "expires_at"),
        ({"expires_at": int(time.time()) + 90_000}, "expires_at"),
        ({"success_url": ""}, "success_url"),
        ({"line_items": []}, "line_items"),
        ({"metadata": {"a": "x" * 501}}, "metadata"),
    ],
)
async def test_what_is_wrong_is_named(
    simulator: Simulator, changes: dict[str, Any], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await made_session(simulator, **changes)
    assert (refused.value.http_status, refused.value.param) == (400, param)


async def test_who_has_no_key_is_sent_away(simulator: Simulator) -> None:
    with pytest.raises(stripe.AuthenticationError):
        await called(sdk_for(simulator, "sk_test_wrong").v1.checkout.sessions.list)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await called(sdk_for(simulator).v1.payment_intents.retrieve, "pi_none")
    assert refused.value.code == "resource_missing"


async def test_a_body_of_json_is_not_taken(simulator: Simulator) -> None:
    headers = {"Authorization": f"Bearer {simulator.stripe_key}"}
    url = f"{simulator.stripe_url}/v1/checkout/sessions"
    answer = await simulator.http.post(url, json=session_params(), headers=headers)
    assert answer.status_code == 400


async def test_sessions_are_listed_a_page_at_a_time(
    simulator: Simulator, sdk: stripe.StripeClient
) -> None:
    made = [(await made_session(simulator)).id for _ in range(3)]
    pages = await called(sdk.v1.checkout.sessions.list, {"limit": 2})
    assert [session.id for session in pages.data] == made[:0:-1]
    assert made[0] in [session.id for session in pages.auto_paging_iter()]


async def test_the_sdk_verifies_our_webhooks_by_every_secret(
    simulator: Simulator, receiver: WebhookReceiver
) -> None:
    session = await made_session(simulator)
    await simulator.pay(str(session.url))
    for delivery in await events(receiver, session, 4):
        signature = delivery.headers["stripe-signature"]
        for secret in simulator.stripe_webhook_secrets:
            event = stripe.Webhook.construct_event(delivery.body, signature, secret)
            assert event.id == json.loads(delivery.body)["id"]
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(delivery.body, signature, "whsec_other")


def test_the_sdk_signs_as_we_do() -> None:
    body, secret, at = b'{"id":"evt_1","object":"event"}', "whsec_test_secret", 1700000000
    theirs = stripe.WebhookSignature.generate_signature_header(
        payload=body.decode(), secret=secret, timestamp=at
    )
    assert signature_header(body, [secret], at) == theirs
    digest = "0c8670ed117751cc551a20e35839447075c42800ea3cf3e8a2fbda99cd1e6edd"
    assert theirs == f"t={at},v1={digest}"


async def test_every_delivery_is_signed_anew(
    simulator: Simulator, receiver: WebhookReceiver
) -> None:
    receiver.statuses.append(500)
    session = await made_session(simulator)
    await called(sdk_for(simulator).v1.checkout.sessions.expire, session.id)
    first, again = await events(receiver, session, 2)
    assert first.body == again.body
    for delivery in (first, again):
        signature = delivery.headers["stripe-signature"]
        secret = simulator.stripe_webhook_secrets[0]
        stripe.Webhook.construct_event(delivery.body, signature, secret)


async def test_late_money_names_the_order_by_an_intent_of_its_own(
    simulator: Simulator, sdk: stripe.StripeClient, receiver: WebhookReceiver
) -> None:
    session = await made_session(simulator)
    await called(sdk.v1.checkout.sessions.expire, session.id)
    late = await simulator.pay_late(order_of(session))
    assert late["reference"].startswith("pi_")
    intent = await called(sdk.v1.payment_intents.retrieve, late["reference"])
    assert (intent.status, intent.metadata["order_id"]) == ("succeeded", order_of(session))
    refund = await called(sdk.v1.refunds.create, {"payment_intent": intent.id})
    assert refund.status == "succeeded"
    with pytest.raises(httpx.HTTPStatusError, match="409"):
        await simulator.pay_late(order_of(session), status="authorized")


async def test_a_dispute_is_told_and_fetched(
    simulator: Simulator, sdk: stripe.StripeClient, receiver: WebhookReceiver
) -> None:
    session = await made_session(simulator)
    await simulator.pay(str(session.url))
    (payment,) = (await simulator.ledger(order_of(session)))["payments"]
    opened = await simulator.dispute(payment["id"], reason="fraudulent", amount=39000)
    dispute = await called(sdk.v1.disputes.retrieve, opened["id"])
    assert (dispute.status, dispute.amount) == ("needs_response", 39000)
    assert dispute.payment_intent == payment["reference"]
    await simulator.settle_dispute(opened["id"], "lost")
    await receiver.until(
        lambda got: any(
            opened["id"].encode() in each.body and b"closed" in each.body for each in got
        )
    )
    assert (await called(sdk.v1.disputes.retrieve, opened["id"])).status == "lost"
