"""What must hold when the dust has settled. Pure: everything that is known goes in as values."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from demo.client import Json
from domain.orders import TRANSITIONS, OrderStatus

FULFILLED = frozenset({"paid", "partially_refunded", "refunded"})
ENDS = FULFILLED | {"failed", "expired", "canceled", "needs_review"}
POWERFUL = frozenset({"created", "partially_paid"})


@dataclass(frozen=True)
class Facts:
    """One order as the API, the gateway's ledger and the mail catcher know it; and its story.

    Of each mail the Message-ID and the digest of its bytes are known.
    """

    order: Json
    ledger: Json
    mails: Sequence[Json] = ()
    said: Sequence[str] = ()

    @property
    def status(self) -> str:
        return str(self.order["status"])

    @property
    def waiting(self) -> set[str]:
        """The payments of cases that nobody but an operator can settle."""
        cases = self.order["cases"]
        return {case["gateway_reference"] for case in cases if case["status"] == "waiting"}

    @property
    def captures(self) -> list[Json]:
        return [payment for payment in self.ledger["payments"] if payment["captured"]]

    def kept(self, payment: Json) -> int:
        """What the gateway still holds of a captured payment, in minor units."""
        return int(payment["amount"]) - self.sent_back(payment)

    def sent_back(self, payment: Json) -> int:
        """What it gave back of it, or is about to."""
        refunds = [r for r in self.ledger["refunds"] if r["payment_id"] == payment["id"]]
        return sum(int(r["amount"]) for r in refunds if r["status"] != "failed")

    def story(self) -> str:
        """All that is known, on one line."""
        events = [_told(entry) for entry in self.order["timeline"]]
        links = [f"{each['id']} {each['status']} {_times(each)}" for each in self.ledger["links"]]
        money = [
            f"{p['id']} {p['status']} {p['amount']} kept {self.kept(p)}"
            for p in self.ledger["payments"]
        ]
        cases = [f"{c['verdict']} {c['status']} {c['why'] or ''}" for c in self.order["cases"]]
        refunds = [f"{r['refund_id']} {r['status']}" for r in self.order["refunds"]]
        parts = (self.said, events, links, money, cases, refunds)
        return " | ".join("; ".join(part) or "-" for part in parts)


def _told(entry: Json) -> str:
    proof = entry["evidence"] or {}
    words = f"{entry['event']}→{entry['status']}", entry.get("at"), proof.get("reference")
    return " ".join(str(word) for word in words if word)


def _times(link: Json) -> str:
    return " ".join(f"{name} {link[name]}" for name in ("created_at", "closed_at") if name in link)


def violations(facts: Facts) -> list[str]:
    """Every broken promise; nothing if all hold."""
    return [broken for check in CHECKS for broken in check(facts)]


def ends(facts: Facts) -> Iterator[str]:
    """I1: every accepted order ends, and is left to an operator only with a case."""
    if facts.status not in ENDS:
        yield f"the order is still {facts.status}"
    if facts.status == "needs_review" and not facts.waiting:
        yield "it needs review, and no case waits"
    if open_cases := [c["case_id"] for c in facts.order["cases"] if c["status"] == "open"]:
        yield f"cases that nobody settles: {open_cases}"


def money_is_conserved(facts: Facts) -> Iterator[str]:
    """I2, I3: what the gateway holds is what the order is owed, payment by payment."""
    held = [p for p in facts.captures if p["id"] not in facts.waiting and facts.kept(p)]
    if facts.status in ("paid", "partially_refunded") and len(held) != 1:
        yield f"{facts.status}, and the gateway holds {len(held)} payments for it"
    if facts.status not in ("paid", "partially_refunded") and held:
        yield f"{facts.status}, and the gateway still holds {[p['id'] for p in held]}"
    for payment in held:
        if facts.kept(payment) != payment["amount"] - _live_refunds(facts, payment):
            yield f"{payment['id']}: the gateway keeps {facts.kept(payment)}, we know other refunds"


def amounts_are_the_price(facts: Facts) -> Iterator[str]:
    """I2: what fulfils an order without a word of an operator is exactly its price."""
    decided = any(case["decision"] for case in facts.order["cases"])
    price = (facts.order["amount"], facts.order["currency"])
    held = [p for p in facts.captures if p["id"] not in facts.waiting and facts.kept(p)]
    if facts.status in FULFILLED and not decided:
        for payment in held:
            if (payment["amount"], payment["currency"]) != price:
                yield f"{payment['id']} is not the price, and fulfils the order"


def never_more_than_captured(facts: Facts) -> Iterator[str]:
    for payment in facts.captures:
        if facts.sent_back(payment) > payment["amount"]:
            yield f"{payment['id']}: {facts.sent_back(payment)} sent back of {payment['amount']}"


def status_follows_the_sums(facts: Facts) -> Iterator[str]:
    back = {"paid": False, "partially_refunded": True}
    held = [p for p in facts.captures if p["id"] not in facts.waiting and facts.kept(p)]
    for payment in held if facts.status in back else []:
        if bool(facts.sent_back(payment)) is not back[facts.status]:
            yield f"{facts.status}, and {facts.sent_back(payment)} of {payment['id']} went back"


def one_live_link(facts: Facts) -> Iterator[str]:
    """I3: never two links that can be paid, and none once the order has ended unpaid."""
    live = [link["id"] for link in facts.ledger["links"] if link["status"] in POWERFUL]
    if len(live) > 1:
        yield f"{len(live)} live links"
    if live and facts.status in ENDS:
        yield f"{facts.status}, and its link can still be paid"


def one_letter_each(facts: Facts) -> Iterator[str]:
    """I4: one Message-ID for the confirmation and for each refund; copies are the same bytes."""
    by_id: dict[str, set[str]] = {}
    for mail in facts.mails:
        by_id.setdefault(mail["message_id"], set()).add(mail["digest"])
    if changed := [name for name, digests in by_id.items() if len(digests) > 1]:
        yield f"copies that differ: {changed}"
    confirmed = [name for name in by_id if "confirmation" in name]
    if len(confirmed) > 1:
        yield f"{len(confirmed)} different confirmations"
    refunds = [name for name in by_id if "refund" in name]
    told = [r for r in facts.order["refunds"] if r["status"] == "succeeded"]
    if len(refunds) < len(told):
        yield f"{len(told)} refunds succeeded, and the customer was told of {len(refunds)}"
    if facts.status in FULFILLED and not confirmed:
        yield f"{facts.status}, and nobody was told"


def legal_path(facts: Facts) -> Iterator[str]:
    """I6: the timeline is a path that the rules allow, and concludes once."""
    statuses = [OrderStatus(entry["status"]) for entry in facts.order["timeline"]]
    for before, after in pairwise(statuses):
        if before is not after and after not in TRANSITIONS[before]:
            yield f"from {before} to {after}"
    concluded = [e for e in facts.order["timeline"] if e["event"] == "concluded"]
    if len(concluded) > 1 and "needs_review" not in statuses:
        yield f"concluded {len(concluded)} times"
    if any(entry["evidence"] is None for entry in concluded):
        yield "concluded without proof"


CHECKS: Sequence[Callable[[Facts], Iterator[str]]] = (
    ends,
    money_is_conserved,
    amounts_are_the_price,
    never_more_than_captured,
    status_follows_the_sums,
    one_live_link,
    one_letter_each,
    legal_path,
)


def _live_refunds(facts: Facts, payment: Json) -> int:
    mine = [r for r in facts.order["refunds"] if r["gateway_reference"] == payment["id"]]
    return sum(int(r["amount"]) for r in mine if r["status"] in ("pending", "succeeded"))
