"""What shall go wrong: the seed decides everything, and the same seed decides the same again."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

Faults = dict[str, Any]

AT_ONCE = 16
SECONDS_PER_ORDER = 0.75
VICTIMS = ("worker", "worker-2", "api", "simulator", "temporal")
SKUS = ("coffee-beans", "mug", "electricity-bill")
METHODS = ("card", "upi", "netbanking", "wallet")

# How often each may befall an order, and what it is set to.
DICE: tuple[tuple[float, str, Callable[[Random], Any]], ...] = (
    (0.20, "no_webhook", lambda dice: True),
    (0.20, "no_callback", lambda dice: True),
    (0.20, "duplicate_webhooks", lambda dice: dice.randint(1, 4)),
    (0.15, "late_webhook", lambda dice: dice.uniform(1, 12)),
    (0.20, "shuffled_webhooks", lambda dice: True),
    (0.06, "wrong_amount", lambda dice: dice.choice([100, 7700])),
    (0.08, "wrong_webhook_signature", lambda dice: True),
    (0.08, "wrong_callback_signature", lambda dice: True),
    (0.15, "lost_create_answer", lambda dice: dice.randint(1, 2)),
    (0.15, "lost_refund_answer", lambda dice: 1),
    (0.10, "refund_pending", lambda dice: True),
    (0.06, "refund_fails", lambda dice: True),
    (0.15, "server_errors", lambda dice: dice.randint(1, 4)),
    (0.10, "rate_limited", lambda dice: {"times": dice.randint(1, 3), "retry_after": 1}),
    (0.15, "slow", lambda dice: dice.uniform(0.1, 1.5)),
    (0.10, "unavailable_for", lambda dice: dice.uniform(2, 12)),
)
# What customers do, and how many of a hundred do it.
WAYS = {
    "pays": 30,
    "pays and returns": 14,
    "fails, then pays": 8,
    "fails": 4,
    "looks": 6,
    "never clicks": 2,
    "pays slowly": 6,
    "pays twice": 8,
    "pays after the end": 8,
    "cancels": 4,
    "cancels while paying": 6,
    "authorizes only": 4,
}
PAYING = frozenset({"pays", "pays and returns", "fails, then pays", "pays twice"})


@dataclass(frozen=True)
class Script:
    """One customer: what goes wrong around the order, what is done, and how much is sent back.

    `refunds` are parts of the price in percent, each asked for so many times under one key.
    """

    number: int
    sku: str
    quantity: int
    way: str
    method: str
    clicks: int
    pause: float
    faults: Faults
    forged: bool
    refunds: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Blow:
    """A process is killed with -9, or (the mail server) frozen for a while, at that second."""

    at: float
    victim: str
    frozen_for: float = 0


@dataclass(frozen=True)
class ChaosPlan:
    """Everything that a seed decides."""

    seed: int
    database: str
    scripts: tuple[Script, ...]
    blows: tuple[Blow, ...]

    @property
    def injected(self) -> Counter[str]:
        """How often each kind of fault is in it."""
        counts = Counter(name for script in self.scripts for name in script.faults)
        counts += Counter(f"customer {script.way}" for script in self.scripts)
        counts["forged webhooks"] = sum(script.forged for script in self.scripts)
        counts["refunds asked for"] = sum(len(script.refunds) for script in self.scripts)
        counts += Counter(
            f"{blow.victim} {'frozen' if blow.frozen_for else 'killed'}" for blow in self.blows
        )
        return +counts


@dataclass
class Deck:
    """Draws everything from one generator, in one order."""

    seed: int
    database: str = "sqlite"
    dice: Random = field(init=False)

    def __post_init__(self) -> None:
        self.dice = Random(f"{self.seed} {self.database}")

    def plan(self, orders: int) -> ChaosPlan:
        scripts = tuple(self._script(number) for number in range(orders))
        return ChaosPlan(
            self.seed, self.database, scripts, tuple(self._blows(orders * SECONDS_PER_ORDER))
        )

    def _script(self, number: int) -> Script:
        dice = self.dice
        way = dice.choices(list(WAYS), list(WAYS.values()))[0]
        return Script(
            number=number,
            sku=dice.choice(SKUS),
            quantity=dice.randint(1, 3),
            way=way,
            method=dice.choice(METHODS),
            clicks=dice.choice([1, 1, 1, 2, 5]),
            pause=dice.uniform(0, 1.5),
            faults={name: value(dice) for chance, name, value in DICE if dice.random() < chance},
            forged=dice.random() < 0.1,
            refunds=self._refunds() if way in PAYING and dice.random() < 0.4 else (),
        )

    def _refunds(self) -> tuple[tuple[int, int], ...]:
        dice = self.dice
        whole = dice.random() < 0.4
        parts = [100] if whole else [dice.randint(1, 60) for _ in range(dice.randint(1, 3))]
        return tuple((part, dice.choice([1, 1, 3])) for part in parts)

    def _blows(self, seconds: float) -> list[Blow]:
        dice, at, blows = self.dice, 3.0, []
        victims = VICTIMS if self.database == "sqlite" else (*VICTIMS, "database")
        while at < seconds:
            if dice.random() < 0.15:
                blows.append(Blow(at, "mailbox", frozen_for=dice.uniform(2, 8)))
            else:
                blows.append(Blow(at, dice.choice(victims)))
            at += dice.uniform(2, 5)
        return blows


def drawn(seed: int, orders: int, database: str = "sqlite") -> ChaosPlan:
    """The plan of a seed; for each database its own."""
    return Deck(seed, database).plan(orders)
