"""Cases: what money means that an order did not end by."""

import pytest

from domain.cases import CaseVerdict, late_verdict, mismatch
from domain.money import Money
from domain.payments import Payment, PaymentStatus
from tests.support.fakes import PRICE, a_payment

LESS = Money(PRICE.minor - 1, PRICE.currency)
DOLLARS = Money(PRICE.minor, "USD")


@pytest.mark.parametrize(
    ("amount", "verdict"),
    [(PRICE, None), (LESS, "amount_mismatch"), (DOLLARS, "currency_mismatch")],
)
def test_the_echo_must_be_exact(amount: Money, verdict: str | None) -> None:
    assert mismatch(a_payment(amount=amount), PRICE) == verdict


@pytest.mark.parametrize("order_is_paid", [True, False])
@pytest.mark.parametrize("status", ["unknown", "pending", "failed", "canceled"])
def test_what_moved_no_money_is_no_case(status: str, order_is_paid: bool) -> None:
    payment = a_payment(PaymentStatus(status), amount=LESS)
    assert late_verdict(payment, PRICE, order_is_paid=order_is_paid) is None


@pytest.mark.parametrize(
    ("payment", "order_is_paid", "verdict"),
    [
        (a_payment(), True, CaseVerdict.DUPLICATE_PAYMENT),
        (a_payment(), False, CaseVerdict.LATE_CAPTURE),
        (a_payment(PaymentStatus.AUTHORIZED), True, CaseVerdict.LATE_AUTHORIZATION),
        (a_payment(PaymentStatus.AUTHORIZED), False, CaseVerdict.LATE_AUTHORIZATION),
        (a_payment(amount=LESS), True, CaseVerdict.AMOUNT_MISMATCH),
        (a_payment(amount=DOLLARS), False, CaseVerdict.CURRENCY_MISMATCH),
    ],
)
def test_late_money_is_always_a_case(
    payment: Payment, order_is_paid: bool, verdict: CaseVerdict
) -> None:
    assert late_verdict(payment, PRICE, order_is_paid=order_is_paid) is verdict
