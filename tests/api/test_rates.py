"""How often somebody may call: the count, and who is counted as one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.rates import SlidingMinute, place_of


class Clock:
    """Seconds that pass only when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_one_more_than_allowed_has_to_wait() -> None:
    rates = SlidingMinute(Clock())
    assert [rates.take("a", 3) for _ in range(4)][:3] == [0, 0, 0]
    assert rates.take("a", 3) > 0
    assert rates.take("b", 3) == 0


def test_nobody_waits_without_a_limit() -> None:
    rates = SlidingMinute(Clock())
    assert {rates.take("a", 0) for _ in range(1000)} == {0}


def test_the_turn_of_the_minute_is_no_fresh_start() -> None:
    clock = Clock()
    rates = SlidingMinute(clock)
    clock.now += 59.9
    assert {rates.take("a", 10) for _ in range(10)} == {0}
    clock.now += 0.2
    assert rates.take("a", 10) > 0
    clock.now += 30
    assert [rates.take("a", 10) for _ in range(6)].count(0) == 5


def test_who_was_refused_is_not_punished_for_asking() -> None:
    clock = Clock()
    rates = SlidingMinute(clock)
    for _ in range(500):
        rates.take("a", 2)
    clock.now += 120
    assert [rates.take("a", 2) for _ in range(2)] == [0, 0]


def test_what_is_past_is_forgotten() -> None:
    clock = Clock()
    rates = SlidingMinute(clock)
    for number in range(1000):
        rates.take(f"{number}", 5)
    clock.now += 121
    rates.take("a", 5)
    assert set(rates._before) | set(rates._now) == {"a"}


@given(st.integers(1, 50), st.lists(st.floats(0, 90), max_size=120))
def test_the_wait_that_is_told_is_enough(most: int, pauses: list[float]) -> None:
    clock = Clock()
    rates = SlidingMinute(clock)
    for pause in pauses:
        clock.now += pause / 10
        if wait := rates.take("a", most):
            clock.now += wait
            assert rates.take("a", most) == 0


@given(st.integers(1, 20), st.lists(st.floats(0, 30), max_size=150))
def test_no_caller_has_twice_the_calls_in_any_minute(most: int, pauses: list[float]) -> None:
    """The count estimates how calls of the minute before were spread; it is never far off."""
    clock = Clock()
    rates = SlidingMinute(clock)
    allowed: list[float] = []
    for pause in pauses:
        clock.now += pause / 10
        if not rates.take("a", most):
            allowed.append(clock.now)
            assert sum(at > clock.now - 60 for at in allowed) < 2 * most + 1


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("no address", "no address"),
    ],
)
def test_who_is_counted_as_one(address: str, place: str) -> None:
    assert place_of(address) == place
