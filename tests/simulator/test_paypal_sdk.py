"""The official SDK drives the simulator as it would drive PayPal: every call that we make too."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from paypalserversdk.configuration import Configuration, Environment, Server
from paypalserversdk.exceptions.api_exception import ApiException
from paypalserversdk.http.auth.o_auth_2 import ClientCredentialsAuthCredentials
from paypalserversdk.models.amount_with_breakdown import AmountWithBreakdown
from paypalserversdk.models.checkout_payment_intent import CheckoutPaymentIntent
from paypalserversdk.models.money import Money
from paypalserversdk.models.order_request import OrderRequest
from paypalserversdk.models.payment_source import PaymentSource
from paypalserversdk.models.paypal_experience_user_action import PaypalExperienceUserAction
from paypalserversdk.models.paypal_wallet import PaypalWallet
from paypalserversdk.models.paypal_wallet_experience_context import PaypalWalletExperienceContext
from paypalserversdk.models.purchase_unit_request import PurchaseUnitRequest
from paypalserversdk.models.refund_request import RefundRequest
from paypalserversdk.paypal_serversdk_client import PaypalServersdkClient

from tests.support.simulator import Simulator, running_simulator

Call = Callable[[dict[str, Any]], Any]
MOMENT = "%Y-%m-%dT%H:%M:%SZ"


@pytest_asyncio.fixture(scope="module")
async def simulator() -> AsyncIterator[Simulator]:
    async with running_simulator() as running:
        yield running


@pytest.fixture
def sdk(simulator: Simulator) -> Iterator[PaypalServersdkClient]:
    """The SDK knows no address but PayPal's: its table of them is changed for the test."""
    servers = Configuration.environments[Environment.SANDBOX]
    before = servers[Server.DEFAULT]
    servers[Server.DEFAULT] = simulator.paypal_url
    credentials = ClientCredentialsAuthCredentials(
        o_auth_client_id=simulator.paypal_client_id,
        o_auth_client_secret=simulator.paypal_client_secret,
    )
    yield PaypalServersdkClient(client_credentials_auth_credentials=credentials)
    servers[Server.DEFAULT] = before


async def called(call: Call, **options: Any) -> Any:
    """The SDK blocks, so it gets a thread; it wants everything in one dictionary."""
    return await asyncio.to_thread(call, options)


def order_request(order_id: str, value: str = "12.50", currency: str = "USD") -> OrderRequest:
    context = PaypalWalletExperienceContext(
        return_url="http://127.0.0.1:9/back",
        cancel_url="http://127.0.0.1:9/back",
        user_action=PaypalExperienceUserAction.PAY_NOW,
    )
    return OrderRequest(
        intent=CheckoutPaymentIntent.CAPTURE,
        purchase_units=[
            PurchaseUnitRequest(
                amount=AmountWithBreakdown(currency_code=currency, value=value),
                custom_id=order_id,
                invoice_id=f"inv-{order_id}",
                description="Tea",
            )
        ],
        payment_source=PaymentSource(paypal=PaypalWallet(experience_context=context)),
    )


async def created(sdk: PaypalServersdkClient, order_id: str, key: str | None = None) -> Any:
    return await called(
        sdk.orders.create_order,
        body=order_request(order_id),
        paypal_request_id=key or uuid4().hex,
        prefer="return=representation",
    )


async def captured(sdk: PaypalServersdkClient, simulator: Simulator, order_id: str) -> Any:
    order = (await created(sdk, order_id)).body
    await simulator.pay(page_of(order))
    return await called(
        sdk.orders.capture_order,
        id=order.id,
        paypal_request_id=uuid4().hex,
        prefer="return=representation",
    )


def page_of(order: Any) -> str:
    return next(str(link.href) for link in order.links if link.rel in ("approve", "payer-action"))


@pytest.fixture
def order_id() -> str:
    return f"ord_{uuid4().hex}"


async def test_an_order_is_created_and_looked_up(sdk: PaypalServersdkClient, order_id: str) -> None:
    answer = await created(sdk, order_id)
    order = answer.body
    assert (answer.status_code, order.status, len(order.id)) == (201, "PAYER_ACTION_REQUIRED", 17)
    assert order.purchase_units[0].custom_id == order_id
    assert order.purchase_units[0].amount.value == "12.50"
    found = (await called(sdk.orders.get_order, id=order.id)).body
    assert (found.id, found.status, found.intent) == (order.id, order.status, "CAPTURE")


async def test_little_is_answered_to_who_does_not_ask_for_more(
    sdk: PaypalServersdkClient, order_id: str
) -> None:
    answer = await called(
        sdk.orders.create_order, body=order_request(order_id), paypal_request_id=uuid4().hex
    )
    assert answer.body.id
    assert not hasattr(answer.body, "purchase_units")


async def test_the_same_request_id_gets_the_same_order(
    sdk: PaypalServersdkClient, order_id: str
) -> None:
    key = uuid4().hex
    first, second = await created(sdk, order_id, key), await created(sdk, order_id, key)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.body.id == second.body.id
    with pytest.raises(ApiException) as caught:
        await created(sdk, f"{order_id}x", key)
    assert caught.value.response_code == 422


async def test_an_order_nobody_approved_is_not_captured(
    sdk: PaypalServersdkClient, order_id: str
) -> None:
    order = (await created(sdk, order_id)).body
    assert await issue_of(sdk.orders.capture_order, id=order.id) == "ORDER_NOT_APPROVED"


async def test_an_approved_order_is_captured_once(
    sdk: PaypalServersdkClient, simulator: Simulator, order_id: str
) -> None:
    order = (await captured(sdk, simulator, order_id)).body
    assert order.status == "COMPLETED"
    (capture,) = order.purchase_units[0].payments.captures
    assert (capture.status, capture.amount.value) == ("COMPLETED", "12.50")
    assert (capture.custom_id, capture.final_capture) == (order_id, True)
    assert await issue_of(sdk.orders.capture_order, id=order.id) == "ORDER_ALREADY_CAPTURED"
    found = (await called(sdk.payments.get_captured_payment, capture_id=capture.id)).body
    assert (found.id, found.status, found.custom_id) == (capture.id, "COMPLETED", order_id)
    assert found.supplementary_data.related_ids.order_id == order.id


async def test_a_declined_instrument_leaves_the_order_to_be_approved_again(
    sdk: PaypalServersdkClient, simulator: Simulator, order_id: str
) -> None:
    order = (await created(sdk, order_id)).body
    await simulator.pay(page_of(order), outcome="failure")
    assert (await called(sdk.orders.get_order, id=order.id)).body.status == "APPROVED"
    assert await issue_of(sdk.orders.capture_order, id=order.id) == "INSTRUMENT_DECLINED"
    again = (await called(sdk.orders.get_order, id=order.id)).body
    assert again.status == "PAYER_ACTION_REQUIRED"
    assert not hasattr(again.purchase_units[0], "payments")


async def test_money_goes_back_in_parts_and_never_too_much(
    sdk: PaypalServersdkClient, simulator: Simulator, order_id: str
) -> None:
    order = (await captured(sdk, simulator, order_id)).body
    capture = order.purchase_units[0].payments.captures[0].id
    body = RefundRequest(
        amount=Money(currency_code="USD", value="2.50"), custom_id="rfd_1", invoice_id="rfd_1"
    )
    key, answers = uuid4().hex, []
    for _ in range(2):
        answers.append(
            await called(
                sdk.payments.refund_captured_payment,
                capture_id=capture,
                body=body,
                paypal_request_id=key,
                prefer="return=representation",
            )
        )
    first, second = answers
    assert (first.status_code, second.status_code) == (201, 200)
    assert (first.body.id, first.body.status) == (second.body.id, "COMPLETED")
    refund = (await called(sdk.payments.get_refund, refund_id=first.body.id)).body
    assert (refund.amount.value, refund.custom_id) == ("2.50", "rfd_1")
    assert any(link.rel == "up" and link.href.endswith(capture) for link in refund.links)
    repeated = {"capture_id": capture, "body": body, "paypal_request_id": uuid4().hex}
    assert await issue_of(sdk.payments.refund_captured_payment, **repeated) == (
        "DUPLICATE_INVOICE_ID"
    )
    too_much = RefundRequest(amount=Money(currency_code="USD", value="10.01"))
    assert (
        await issue_of(sdk.payments.refund_captured_payment, capture_id=capture, body=too_much)
        == "REFUND_AMOUNT_EXCEEDED"
    )
    found = (await called(sdk.orders.get_order, id=order.id)).body
    assert [each.id for each in found.purchase_units[0].payments.refunds] == [refund.id]


@pytest.mark.parametrize(
    ("value", "currency", "issue"),
    [
        ("12.505", "USD", "DECIMAL_PRECISION"),
        ("1800.0", "JPY", "DECIMALS_NOT_SUPPORTED"),
        ("1200.50", "HUF", "DECIMALS_NOT_SUPPORTED"),
        ("499.00", "INR", "CURRENCY_NOT_SUPPORTED"),
        ("0.00", "USD", "CANNOT_BE_ZERO_OR_NEGATIVE"),
    ],
)
async def test_amounts_have_the_decimals_of_their_currency(
    sdk: PaypalServersdkClient, order_id: str, value: str, currency: str, issue: str
) -> None:
    body = order_request(order_id, value, currency)
    assert await issue_of(sdk.orders.create_order, body=body) == issue


async def test_what_does_not_exist_is_not_found(sdk: PaypalServersdkClient) -> None:
    calls: dict[Call, str] = {
        sdk.orders.get_order: "id",
        sdk.payments.get_captured_payment: "capture_id",
        sdk.payments.get_refund: "refund_id",
    }
    for call, name in calls.items():
        with pytest.raises(ApiException) as caught:
            await called(call, **{name: "0" * 17})
        assert caught.value.response_code == 404


async def test_wrong_keys_get_no_token(sdk: PaypalServersdkClient, simulator: Simulator) -> None:
    answer = await simulator.http.post(
        "/paypal/v1/oauth2/token", auth=("x", "y"), data={"grant_type": "client_credentials"}
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def issue_of(call: Call, **options: Any) -> str:
    """What PayPal has against it."""
    with pytest.raises(ApiException) as caught:
        await called(call, **options)
    return str(caught.value.details[0].issue)


async def test_transactions_are_listed_by_when_they_began(
    sdk: PaypalServersdkClient, simulator: Simulator, order_id: str
) -> None:
    order = (await captured(sdk, simulator, order_id)).body
    capture = order.purchase_units[0].payments.captures[0].id
    await called(sdk.payments.refund_captured_payment, capture_id=capture, body=RefundRequest())
    today = datetime.now(UTC)
    start, end = today - timedelta(days=1), today + timedelta(hours=1)
    answer = await called(
        sdk.transaction_search.search_transactions,
        start_date=start.strftime(MOMENT),
        end_date=end.strftime(MOMENT),
        page_size=500,
    )
    rows = [each.transaction_info for each in answer.body.transaction_details]
    paid = next(each for each in rows if each.transaction_id == capture)
    assert (paid.transaction_event_code, paid.transaction_status) == ("T0006", "S")
    assert (paid.custom_field, paid.transaction_amount.value) == (order_id, "12.50")
    assert paid.fee_amount.value.startswith("-")
    back = next(each for each in rows if getattr(each, "paypal_reference_id", "") == capture)
    assert (back.transaction_event_code, back.transaction_amount.value) == ("T1107", "-12.50")
    assert answer.body.total_items == len(rows)


async def test_a_window_is_31_days_at_most(sdk: PaypalServersdkClient) -> None:
    with pytest.raises(ApiException) as caught:
        await called(
            sdk.transaction_search.search_transactions,
            start_date="2026-01-01T00:00:00Z",
            end_date="2026-02-01T00:00:01Z",
        )
    assert caught.value.response_code == 400
