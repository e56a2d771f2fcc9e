"""What is recorded of an order, and which news it makes old."""

from itertools import product

import pytest

from domain.checkouts import Standing
from domain.money import Money
from domain.orders import OrderStatus
from domain.payments import Payment, PaymentStatus
from tests.support.fakes import a_payment, hint_for, news_of

PAID = Standing(OrderStatus.PAID, (a_payment(),))
FAILED = Standing(OrderStatus.FAILED, (a_payment(PaymentStatus.FAILED),))
ENDED = [status for status in OrderStatus if not status.is_open]
HARMLESS = [status for status in PaymentStatus if not status.moves_money]


def explained(standing: Standing, *payments: Payment) -> bool:
    return standing.explains(news_of("ord_1", *payments))


@pytest.mark.parametrize("status", ["created", "awaiting_payment"])
def test_an_open_order_wants_all_news(status: str) -> None:
    standing = Standing(OrderStatus(status), (a_payment(),))
    assert not explained(standing, a_payment())
    assert not standing.explains(hint_for("ord_1", "pay_1"))


@pytest.mark.parametrize(("ended", "status"), list(product(ENDED, HARMLESS)))
def test_no_money_moved_is_old_to_whatever_has_ended(
    ended: OrderStatus, status: PaymentStatus
) -> None:
    assert explained(Standing(ended), a_payment(status, "pay_9"))


@pytest.mark.parametrize("status", PaymentStatus)
def test_no_step_on_the_way_to_a_recorded_capture_is_news(status: PaymentStatus) -> None:
    assert explained(PAID, a_payment(status))


def test_a_sibling_that_lacks_the_method_is_old() -> None:
    assert explained(PAID, Payment("acme", "pay_1", PaymentStatus.CAPTURED, a_payment().amount))


@pytest.mark.parametrize(
    "payment",
    [
        a_payment(reference="pay_2"),
        a_payment(PaymentStatus.AUTHORIZED, "pay_2"),
        a_payment(amount=Money(1, "INR")),
        a_payment(amount=Money(99900, "INR")),
        a_payment(amount=Money(49900, "USD")),
    ],
)
def test_other_money_is_news_to_a_paid_order(payment: Payment) -> None:
    assert not explained(PAID, payment)
    assert not explained(PAID, a_payment(), payment)


@pytest.mark.parametrize("status", ["authorized", "captured"])
def test_a_failed_payment_that_comes_back_is_news(status: str) -> None:
    assert not explained(FAILED, a_payment(PaymentStatus(status)))


def test_hints() -> None:
    assert PAID.explains(hint_for("ord_1"))
    assert PAID.explains(hint_for("ord_1", "pay_1"))
    assert not PAID.explains(hint_for("ord_1", "pay_2"))
    assert not FAILED.explains(hint_for("ord_1"))
    assert not FAILED.explains(hint_for("ord_1", "pay_1")), "a callback may know of its capture"
