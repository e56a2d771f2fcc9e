"""The timetable: early questions from a list, late ones slower and slower."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money
from domain.policies import FIRST_PAUSE, GatewayRule, Timetable, gateways_for

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DOUBTS = st.timedeltas(min_value=timedelta(), max_value=timedelta(days=30))


def seconds(*counts: float) -> list[timedelta]:
    return [timedelta(seconds=count) for count in counts]


def test_the_numbers_of_the_design() -> None:
    table = Timetable()
    assert table.window == timedelta(minutes=15)
    assert table.queries_in_window == 6
    assert [ask - NOON for ask in table.hinted_asks(NOON)] == seconds(0, 2, 5, 10, 20)
    assert [ask - NOON for ask in table.quiet_asks(NOON)] == seconds(120, 300, 600)


@given(DOUBTS, DOUBTS)
def test_pauses_never_shrink_and_never_pass_the_slowest(a: timedelta, b: timedelta) -> None:
    table = Timetable()
    shorter, longer = sorted([a, b])
    assert FIRST_PAUSE <= table.pause(shorter) <= table.pause(longer) <= table.slowest


def test_a_doubt_of_days_is_asked_about_a_bounded_number_of_times() -> None:
    table, asked, in_doubt = Timetable(), 0, timedelta()
    while in_doubt < timedelta(days=3):
        in_doubt += table.pause(in_doubt)
        asked += 1
    assert asked <= 22


@given(st.timedeltas(min_value=timedelta(milliseconds=1), max_value=timedelta(days=1)))
def test_a_short_window_pauses_shortly(window: timedelta) -> None:
    pause = Timetable(window=window).pause(timedelta())
    assert timedelta() < pause <= max(window / 4, timedelta(microseconds=250))


TAKES = {
    "razorpay": frozenset({"INR", "USD"}),
    "stripe": frozenset({"INR", "USD"}),
    "paypal": frozenset({"USD"}),
}
RULES = (
    GatewayRule(("paypal", "stripe"), currency="USD", below=10_000),
    GatewayRule(("stripe", "paypal", "stripe", "gone"), at_least=50_000),
    GatewayRule(("razorpay",), currency="INR", at_least=100),
)


@pytest.mark.parametrize(
    ("minor", "currency", "expected"),
    [
        (9_999, "USD", ("paypal", "stripe")),
        (10_000, "USD", ()),
        (50_000, "USD", ("stripe", "paypal")),
        (50_000, "INR", ("stripe",)),
        (49_999, "INR", ("razorpay",)),
        (99, "INR", ()),
    ],
)
def test_the_first_rule_for_an_amount_names_its_gateways(
    minor: int, currency: str, expected: tuple[str, ...]
) -> None:
    """Those that do not exist, or do not take the currency, are left out; none is named twice."""
    assert gateways_for(Money(minor, currency), RULES, TAKES) == expected
