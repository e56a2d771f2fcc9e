"""When to ask, and for how long: the settings of a checkout as values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

from domain.money import Money

FIRST_PAUSE = timedelta(seconds=30)


@dataclass(frozen=True)
class Timetable:
    """When a checkout asks its gateway.

    `window` is the business deadline for paying. With no word at all, the gateway is asked after
    each of `quiet_delays`; after a hint, after each of `hint_delays`; but at most
    `queries_in_window` times before the deadline. After it, the pauses grow up to `slowest`.
    """

    window: timedelta = timedelta(minutes=15)
    hint_delays: tuple[timedelta, ...] = tuple(timedelta(seconds=s) for s in (0, 2, 5, 10, 20))
    quiet_delays: tuple[timedelta, ...] = tuple(timedelta(minutes=m) for m in (2, 5, 10))
    queries_in_window: int = 6
    slowest: timedelta = timedelta(hours=6)

    def quiet_asks(self, opened_at: datetime) -> list[datetime]:
        return [opened_at + delay for delay in self.quiet_delays]

    def hinted_asks(self, hinted_at: datetime) -> list[datetime]:
        return [hinted_at + delay for delay in self.hint_delays]

    def pause(self, in_doubt: timedelta) -> timedelta:
        """How long to wait when the end has been in doubt for so long: as long again."""
        first = min(FIRST_PAUSE, self.window / 4)
        return min(max(in_doubt, first), self.slowest)


@dataclass(frozen=True)
class Patience:
    """How long somebody keeps asking: after `first`, then as long again, up to `slowest`.

    After `longest` without a final answer, a person must look.
    """

    first: timedelta = timedelta(seconds=30)
    slowest: timedelta = timedelta(hours=6)
    longest: timedelta = timedelta(days=10)

    def pause(self, waited: timedelta) -> timedelta:
        """How long to wait for the next look, after having waited so long."""
        return min(max(waited, self.first), self.slowest)


@dataclass(frozen=True)
class Notices:
    """Which letters a checkout sends besides the confirmation; by default none.

    `doubt_after` is how long the end has to be in doubt before the customer is told.
    """

    doubt_after: timedelta | None = None
    expiry: bool = False


@dataclass(frozen=True)
class Budget:
    """The one brake on automatic refunds: how many, and how much of a currency, within an hour.

    A currency that is not named has no limit of its own.
    """

    count: int = 20
    minor_by_currency: dict[str, int] = field(default_factory=dict)
    period: timedelta = timedelta(hours=1)

    def less(self, count: int, minor_by_currency: dict[str, int]) -> Self:
        """What is left of it once so much was spent."""
        left = {
            currency: minor - minor_by_currency.get(currency, 0)
            for currency, minor in self.minor_by_currency.items()
        }
        return replace(self, count=self.count - count, minor_by_currency=left)


@dataclass(frozen=True)
class RepairPolicy:
    """What becomes of money that comes late, as the settings say.

    Within `grace` after the order's end a late payment is honoured whatever its products say;
    and never, if `same_price_only` and the catalogue would price the order differently by now.
    """

    grace: timedelta = timedelta(0)
    same_price_only: bool = True
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True)
class GatewayRule:
    """By which gateways such amounts are paid: the first, or the next one that can make a link.

    It is for amounts of one currency, or of any; in minor units from `at_least` up to, and
    without, `below`.
    """

    gateways: tuple[str, ...]
    currency: str | None = None
    at_least: int = 0
    below: int | None = None

    def is_for(self, amount: Money) -> bool:
        under = self.below is None or amount.minor < self.below
        return self.currency in (None, amount.currency) and self.at_least <= amount.minor and under


def gateways_for(
    amount: Money, rules: Iterable[GatewayRule], takes: Mapping[str, frozenset[str]]
) -> tuple[str, ...]:
    """What the first rule for this amount names, as far as it exists and takes the currency.

    `takes` has the currencies of every gateway that there is. None of them if no rule speaks.
    """
    rule = next((rule for rule in rules if rule.is_for(amount)), None)
    named = rule.gateways if rule else ()
    return tuple(name for name in dict.fromkeys(named) if amount.currency in takes.get(name, ()))


@dataclass(frozen=True)
class ReconciliationPolicy:
    """How often a gateway's transactions are compared with the orders, and how much that may cost.

    A run looks back over `every` and `overlap`, so that nothing falls between two. What is younger
    than `ageing` may have no other side yet; what is paid out takes `settlement_ageing` to be so.
    The budget is that of automatic refunds in one run.
    """

    every: timedelta = timedelta(hours=4)
    overlap: timedelta = timedelta(hours=2)
    ageing: timedelta = timedelta(hours=1)
    settlement_ageing: timedelta = timedelta(days=2)
    budget: Budget = field(default_factory=lambda: Budget(50, {"INR": 10_000_000}))


@dataclass(frozen=True)
class Policies:
    """Everything that settings say about time and money, for workflows that are yet to start."""

    timetable: Timetable = field(default_factory=Timetable)
    repair: RepairPolicy = field(default_factory=RepairPolicy)
    budget: Budget = field(default_factory=Budget)
    refund_patience: Patience = field(default_factory=Patience)
    gateway_rules: tuple[GatewayRule, ...] = ()
    notices: Notices = field(default_factory=Notices)
    reconciliation: ReconciliationPolicy = field(default_factory=ReconciliationPolicy)
