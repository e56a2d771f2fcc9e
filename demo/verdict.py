"""Whether what became of an order is what had to become of it. Pure: no clock, no network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from demo.cases import WEBHOOK, Case
from demo.client import Json
from demo.gateways import POWERLESS_WITHOUT_US, SILENT_ON_METHOD, method_at
from demo.money import money_text

FULFILLED = frozenset({"paid", "partially_refunded", "refunded"})
MONEYLESS = frozenset({"failed", "expired", "canceled"})
# A gateway's words for a link that can, or could, take money.
POWERFUL = frozenset({"created", "partially_paid", "paid"})
# How the ledger shows that a fault came about: a case must not pass because nothing went wrong.
TRACES: dict[str, Callable[[Json], bool]] = {
    "no_webhook": lambda ledger: not ledger["deliveries"],
    "wrong_webhook_signature": lambda ledger: (
        {delivery["status_code"] for delivery in ledger["deliveries"]} == {401}
    ),
    "lost_create_answer": lambda ledger: None in _answers(ledger),
    "lost_capture_answer": lambda ledger: None in _answers(ledger),
    "server_errors": lambda ledger: 500 in _answers(ledger),
    "rate_limited": lambda ledger: 429 in _answers(ledger),
    "unavailable_for": lambda ledger: 503 in _answers(ledger),
}


@dataclass(frozen=True)
class Seen:
    """What the API, the gateway's ledger and the mailbox say of one order."""

    order: Json
    ledger: Json
    mails: Sequence[Json]

    @property
    def status(self) -> str:
        """The order's status by the API."""
        return str(self.order["status"])

    @property
    def price(self) -> tuple[int, str]:
        """What the order costs, by the API: minor units and currency."""
        return self.order["amount"], self.order["currency"]

    @property
    def captures(self) -> list[tuple[int, str]]:
        """What the gateway took, payment by payment."""
        payments = self.ledger["payments"]
        return [(paid["amount"], paid["currency"]) for paid in payments if paid["captured"]]

    @property
    def kept(self) -> int:
        """What the gateway took and did not give back, in minor units."""
        refunds = [r for r in self.ledger["refunds"] if r["status"] != "failed"]
        taken = sum(amount for amount, _ in self.captures)
        return taken - sum(int(refund["amount"]) for refund in refunds)

    @property
    def refunded(self) -> int:
        """What went back by the API, in minor units."""
        return sum(int(r["amount"]) for r in self.order["refunds"] if r["status"] == "succeeded")

    @property
    def captured_text(self) -> str:
        """What the gateway took, for people."""
        return " + ".join(money_text(*capture) for capture in self.captures) or "nothing"

    @property
    def evidence(self) -> str:
        """The kind of proof cited: of the captured payment, else of the last status."""
        proofs = [payment.get("evidence") for payment in _captured(self.order["payments"])]
        proofs += [event.get("evidence") for event in reversed(self.order["timeline"])]
        return next((_kind(proof) for proof in proofs if proof), "none")

    @property
    def letters(self) -> int:
        """Different mails: copies with one Message-ID are one."""
        return len({mail["message_id"] for mail in self.mails})


def disagreements(case: Case, seen: Seen) -> list[str]:
    """Everything that is not as the case says; nothing if all agree."""
    checks = (_status, _money, _links, _proof, _method, _letters, _open_case, _faults)
    return [text for check in checks for text in check(case, seen)]


def _status(case: Case, seen: Seen) -> list[str]:
    return _unless(seen.status == case.status, f"is {seen.status}, not {case.status}")


def _money(case: Case, seen: Seen) -> list[str]:
    in_full = seen.captures == [seen.price]
    agreed = {
        "all": in_full,
        "twice": seen.captures == [seen.price] * 2,
        "nothing": not seen.captures,
        "other": len(seen.captures) == 1,
    }
    found = _unless(
        agreed[case.captured], f"gateway took {seen.captured_text}: not {case.captured}"
    )
    other = seen.price not in seen.captures
    found += _unless(case.captured != "other" or other, "gateway took the order's own amount")
    found += _unless(
        seen.refunded == case.refunded, f"{seen.refunded} went back, not {case.refunded}"
    )
    return found + _unless(
        seen.kept == owed(case, seen), f"kept {seen.kept}, but the order is owed {owed(case, seen)}"
    )


def owed(case: Case, seen: Seen) -> int:
    """What the gateway must still hold for the order, in minor units: money is conserved."""
    taken = sum(amount for amount, _ in seen.captures)
    if case.captured == "other":
        return taken - case.refunded
    if seen.status not in FULFILLED:
        return 0
    surplus = seen.price[0] if case.captured == "twice" else 0
    return seen.price[0] + surplus - case.refunded


def _links(case: Case, seen: Seen) -> list[str]:
    links = seen.ledger["links"]
    powerful = [link["id"] for link in links if link["status"] in POWERFUL]
    found = _unless(len(links) == case.links, f"{len(links)} links were made, not {case.links}")
    found += _unless(len(powerful) <= 1, f"{len(powerful)} live links")
    powerless = seen.order.get("gateway") in POWERLESS_WITHOUT_US
    closed = seen.status not in MONEYLESS or not powerful or powerless or case.refunded > 0
    return found + _unless(closed, f"{seen.status}, but its link can still be paid")


def _proof(case: Case, seen: Seen) -> list[str]:
    allowed = not case.evidence or seen.evidence in case.evidence
    wanted = " or ".join(sorted(case.evidence))
    found = _unless(allowed, f"proof is {seen.evidence}, not {wanted}")
    return found + _unless(seen.evidence != "none", "concluded without proof")


def _method(case: Case, seen: Seen) -> list[str]:
    if case.captured != "all":
        return []
    payments = _captured(seen.order["payments"])
    methods = [payment.get("method") for payment in payments]
    silent = {payment.get("gateway") for payment in payments} <= SILENT_ON_METHOD
    untold = silent and methods == [None] and seen.evidence in WEBHOOK
    wanted = method_at(str(seen.order.get("gateway")), case.method)
    return _unless(untold or methods == [wanted], f"paid by {methods}, not {wanted}")


def _letters(case: Case, seen: Seen) -> list[str]:
    due = case.confirmations + case.notices
    return _unless(seen.letters == due, f"{seen.letters} different mails, not {due}")


def _open_case(case: Case, seen: Seen) -> list[str]:
    unsettled = [one["status"] for one in seen.order["cases"] if one["status"] != "settled"]
    if case.waits:
        return _unless(unsettled == ["waiting"], "no case waits for an operator")
    return _unless(not unsettled, "a case is left that nobody expected")


def _faults(case: Case, seen: Seen) -> list[str]:
    set_for_it = (name for name in case.faults if name in TRACES)
    absent = [name for name in set_for_it if not TRACES[name](seen.ledger)]
    return [f"the gateway's ledger shows no trace of {name}" for name in absent]


def _answers(ledger: Json) -> set[int | None]:
    return {call["status"] for call in ledger["calls"]}


def _captured(payments: Sequence[Json]) -> list[Json]:
    return [payment for payment in payments if payment["status"] == "captured"]


def _kind(proof: Json | str) -> str:
    return proof if isinstance(proof, str) else str(proof["kind"])


def _unless(agreed: bool, otherwise: str) -> list[str]:
    return [] if agreed else [otherwise]
