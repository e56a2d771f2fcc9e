"""The judge of the demo says so whenever something is not as it must be."""

from dataclasses import replace
from typing import Any

import pytest

from demo.aftermath import AFTERMATH
from demo.cases import CHECKOUTS, Case
from demo.gateways import ABILITIES, LATE_AUTHORIZATION, missing
from demo.verdict import Seen, disagreements

CASES = CHECKOUTS + AFTERMATH
PRICE = 49900
IN_FULL = Case("paid", CHECKOUTS[0].act, "paid", captured="all", evidence=frozenset({"webhook"}))
NEVER = Case("abandoned", CHECKOUTS[0].act, "expired")
REVIEW = Case("another amount", CHECKOUTS[0].act, "needs_review", captured="other", waits=True)
GIVEN_BACK = Case("late", CHECKOUTS[0].act, "expired", captured="all", refunded=PRICE, notices=1)
TWICE = Case("twice", CHECKOUTS[0].act, "paid", captured="twice", refunded=PRICE, notices=1)
UNASKED = Case("no link", CHECKOUTS[0].act, "expired", evidence=frozenset({"no_link"}), links=0)


def payment(amount: int = PRICE, **changes: Any) -> dict[str, Any]:
    evidence = {"kind": "webhook", "reference": "evt_1", "digest": "00"}
    shape = {"status": "captured", "method": "card", "captured": True, "evidence": evidence}
    return {"amount": amount, "currency": "INR"} | shape | changes


def seen(status: str, **changes: Any) -> Seen:
    """An order that nobody paid and that was concluded by a query; `changes` say what differs."""
    facts: dict[str, Any] = {"payments": [], "links": ["cancelled"], "mails": [], "cases": []}
    facts |= {"calls": [200], "webhooks": [], "refunds": [], "back": []}
    facts |= {"taken": [], "proof": {"kind": "status_query"}} | changes
    order = {"status": status, "amount": PRICE, "currency": "INR", "payments": facts["payments"]}
    order["timeline"] = [{"status": "created", "evidence": None}]
    order["timeline"] += [{"status": status, "evidence": facts["proof"]}]
    order["refunds"] = [{"amount": one, "status": "succeeded"} for one in facts["refunds"]]
    order["cases"] = [{"status": one} for one in facts["cases"]]
    links = [{"id": f"plink_{n}", "status": one} for n, one in enumerate(facts["links"])]
    mails = [{"message_id": one} for one in facts["mails"]]
    ledger = {"links": links, "payments": facts["taken"]}
    ledger["refunds"] = [{"amount": one, "status": "processed"} for one in facts["back"]]
    ledger["calls"] = [{"status": one} for one in facts["calls"]]
    ledger["deliveries"] = [{"status_code": one} for one in facts["webhooks"]]
    return Seen(order, ledger, mails)


def paid(**changes: Any) -> Seen:
    """An order paid in full, with one mail about it."""
    facts = {"payments": [payment()], "taken": [payment()], "links": ["paid"], "mails": ["<1>"]}
    return seen(changes.pop("status", "paid"), **(facts | changes))


AGREED = {
    "paid": (IN_FULL, paid()),
    "paid after a declined attempt": (
        IN_FULL,
        paid(
            payments=[payment(status="failed"), payment()],
            taken=[payment(captured=False), payment()],
        ),
    ),
    "paid, the mail copied": (IN_FULL, paid(mails=["<1>", "<1>"])),
    "abandoned": (NEVER, seen("expired")),
    "abandoned, link expired": (NEVER, seen("expired", links=["expired"])),
    "never asked for a link": (UNASKED, seen("expired", links=[], proof="no_link")),
    "late, and sent back": (
        GIVEN_BACK,
        seen(
            "expired",
            payments=[payment()],
            taken=[payment()],
            refunds=[PRICE],
            back=[PRICE],
            mails=["<r>"],
        ),
    ),
    "paid twice, one sent back": (
        TWICE,
        paid(taken=[payment()] * 2, refunds=[PRICE], back=[PRICE], mails=["<1>", "<r>"]),
    ),
    "a method that no webhook of this gateway's tells": (
        IN_FULL,
        paid(payments=[payment(gateway="stripe", method=None)]),
    ),
    "another amount": (
        REVIEW,
        seen("needs_review", taken=[payment(100)], links=["paid"], cases=["waiting"]),
    ),
}

DISAGREED = {
    "not paid although it must be": (IN_FULL, seen("expired"), "is expired, not paid"),
    "paid although nobody paid": (NEVER, paid(taken=[]), "is paid, not expired"),
    "paid, but nothing was taken": (IN_FULL, paid(taken=[]), "kept 0, but the order is owed 49900"),
    "paid, but not captured": (IN_FULL, paid(taken=[payment(captured=False)]), "took nothing"),
    "paid with less": (IN_FULL, paid(taken=[payment(100)]), "kept 100, but"),
    "paid in another currency": (
        IN_FULL,
        paid(taken=[payment(currency="USD")]),
        "took $499.00: not all",
    ),
    "taken twice": (IN_FULL, paid(taken=[payment(), payment()]), "took ₹499.00 + ₹499.00"),
    "taken, but expired": (
        NEVER,
        seen("expired", taken=[payment()]),
        "kept 49900, but the order is owed 0",
    ),
    "late, and kept": (
        GIVEN_BACK,
        seen("expired", payments=[payment()], taken=[payment()], mails=["<r>"]),
        "0 went back, not 49900",
    ),
    "sent back by us alone": (
        TWICE,
        paid(taken=[payment()] * 2, refunds=[PRICE], mails=["<1>", "<r>"]),
        "kept 99800, but the order is owed 49900",
    ),
    "nobody told of the refund": (
        TWICE,
        paid(taken=[payment()] * 2, refunds=[PRICE], back=[PRICE]),
        "1 different mails, not 2",
    ),
    "failed instead of expired": (NEVER, seen("failed"), "is failed, not expired"),
    "two live links": (IN_FULL, paid(links=["paid", "created"]), "2 live links"),
    "a second link": (IN_FULL, paid(links=["paid", "cancelled"]), "2 links were made, not 1"),
    "a link nobody asked for": (UNASKED, seen("expired", proof="no_link"), "1 links were made"),
    "link left open": (NEVER, seen("expired", links=["created"]), "link can still be paid"),
    "no mail": (IN_FULL, paid(mails=[]), "0 different mails, not 1"),
    "two mails": (IN_FULL, paid(mails=["<1>", "<2>"]), "2 different mails, not 1"),
    "a mail though nothing was paid": (
        NEVER,
        seen("expired", mails=["<1>"]),
        "1 different mails, not 0",
    ),
    "no proof": (NEVER, seen("expired", proof=None), "concluded without proof"),
    "another proof": (
        IN_FULL,
        paid(payments=[payment(evidence={"kind": "status_query"})]),
        "proof is status_query, not webhook",
    ),
    "another method": (
        IN_FULL,
        paid(payments=[payment(method="upi")]),
        "paid by ['upi'], not card",
    ),
    "a method that a webhook should have told": (
        IN_FULL,
        paid(payments=[payment(gateway="razorpay", method=None)]),
        "paid by [None], not card",
    ),
    "a method that a query should have told": (
        replace(IN_FULL, evidence=frozenset()),
        paid(
            payments=[
                payment(gateway="stripe", method=None, evidence={"kind": "status_query"}),
            ]
        ),
        "paid by [None], not card",
    ),
    "no payment shown": (IN_FULL, paid(payments=[]), "paid by [], not card"),
    "an open case": (IN_FULL, paid(cases=["open"]), "a case is left that nobody expected"),
    "wrong amount called paid": (
        REVIEW,
        paid(taken=[payment(100)], cases=["waiting"]),
        "is paid, not needs_review",
    ),
    "wrong amount without a case": (
        REVIEW,
        seen("needs_review", taken=[payment(100)], links=["paid"], cases=["settled"]),
        "no case waits for an operator",
    ),
    "in review for the right amount": (
        REVIEW,
        seen("needs_review", taken=[payment()], links=["paid"], cases=["waiting"]),
        "the order's own amount",
    ),
}


@pytest.mark.parametrize(("case", "facts"), AGREED.values(), ids=AGREED)
def test_what_is_as_it_must_be_is_not_complained_of(case: Case, facts: Seen) -> None:
    assert disagreements(case, facts) == []


@pytest.mark.parametrize(("case", "facts", "said"), DISAGREED.values(), ids=DISAGREED)
def test_what_is_not_as_it_must_be_is_said(case: Case, facts: Seen, said: str) -> None:
    assert [text for text in disagreements(case, facts) if said in text]


@pytest.mark.parametrize(
    ("fault", "happened"),
    [
        ("no_webhook", {"webhooks": []}),
        ("wrong_webhook_signature", {"webhooks": [401, 401]}),
        ("lost_create_answer", {"calls": [None, 200]}),
        ("server_errors", {"calls": [500, 200]}),
        ("rate_limited", {"calls": [429, 200]}),
        ("unavailable_for", {"calls": [503, 200]}),
    ],
)
def test_a_fault_that_never_came_about_proves_nothing(fault: str, happened: Any) -> None:
    case = replace(NEVER, faults={fault: 1})
    said = f"the gateway's ledger shows no trace of {fault}"
    assert disagreements(case, seen("expired", **happened)) == []
    assert said in disagreements(case, seen("expired", calls=[200], webhooks=[200]))


def test_proof_is_that_of_the_captured_payment_before_that_of_the_last_status() -> None:
    assert paid().evidence == "webhook"
    assert seen("expired").evidence == "status_query"


def test_cases_are_many_and_told_apart_by_name() -> None:
    assert len(CASES) >= 24
    assert len({case.name for case in CASES}) == len(CASES)
    ends = {
        "paid",
        "failed",
        "expired",
        "canceled",
        "needs_review",
        "partially_refunded",
        "refunded",
    }
    assert {case.status for case in CASES} == ends


def test_a_case_says_what_it_needs_of_its_gateway() -> None:
    needs = frozenset({LATE_AUTHORIZATION})
    assert [bool(missing(name, needs)) for name in ("razorpay", "stripe")] == [False, True]
    assert not missing("a gateway of one's own", needs)
    assert {need for case in CASES for need in case.needs} <= set().union(*ABILITIES.values())
