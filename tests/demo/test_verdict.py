"""The judge of the demo says so whenever something is not as it must be."""

from dataclasses import replace
from typing import Any

import pytest

from demo.cases import CASES, Case
from demo.verdict import Seen, disagreements

PRICE = 49900
IN_FULL = Case("paid", CASES[0].act, "paid", captured="all", evidence=frozenset({"webhook"}))
NEVER = Case("abandoned", CASES[0].act, "expired")
REVIEW = Case("another amount", CASES[0].act, "needs_review", captured="other")
UNASKED = Case("no link", CASES[0].act, "expired", evidence=frozenset({"no_link"}), links=0)


def payment(amount: int = PRICE, **changes: Any) -> dict[str, Any]:
    evidence = {"kind": "webhook", "reference": "evt_1", "digest": "00"}
    shape = {"status": "captured", "method": "card", "captured": True, "evidence": evidence}
    return {"amount": amount, "currency": "INR"} | shape | changes


def seen(status: str, **changes: Any) -> Seen:
    """An order that nobody paid and that was concluded by a query; `changes` say what differs."""
    facts: dict[str, Any] = {"payments": [], "links": ["cancelled"], "mails": [], "cases": []}
    facts |= {"calls": [200], "webhooks": []}
    facts |= {"taken": [], "proof": {"kind": "status_query"}} | changes
    order = {"status": status, "amount": PRICE, "currency": "INR", "payments": facts["payments"]}
    order["timeline"] = [{"status": "created", "evidence": None}]
    order["timeline"] += [{"status": status, "evidence": facts["proof"]}]
    order["cases"] = [{"status": one} for one in facts["cases"]]
    links = [{"id": f"plink_{n}", "status": one} for n, one in enumerate(facts["links"])]
    mails = [{"message_id": one} for one in facts["mails"]]
    ledger = {"links": links, "payments": facts["taken"]}
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
    "another amount": (
        REVIEW,
        seen("needs_review", taken=[payment(100)], links=["paid"], cases=["open"]),
    ),
}

DISAGREED = {
    "not paid although it must be": (IN_FULL, seen("expired"), "is expired, not paid"),
    "paid although nobody paid": (NEVER, paid(taken=[]), "is paid, not expired"),
    "paid, but nothing was taken": (IN_FULL, paid(taken=[]), "paid, yet nothing"),
    "paid, but not captured": (IN_FULL, paid(taken=[payment(captured=False)]), "took nothing"),
    "paid with less": (IN_FULL, paid(taken=[payment(100)]), "paid, yet ₹1.00"),
    "paid in another currency": (IN_FULL, paid(taken=[payment(currency="USD")]), "yet $499.00"),
    "taken twice": (IN_FULL, paid(taken=[payment(), payment()]), "took ₹499.00 + ₹499.00"),
    "taken, but expired": (NEVER, seen("expired", taken=[payment()]), "expired, yet ₹499.00"),
    "failed instead of expired": (NEVER, seen("failed"), "is failed, not expired"),
    "two live links": (IN_FULL, paid(links=["paid", "created"]), "2 live links"),
    "a second link": (IN_FULL, paid(links=["paid", "cancelled"]), "2 links were made, not 1"),
    "a link nobody asked for": (UNASKED, seen("expired", proof="no_link"), "1 links were made"),
    "link left open": (NEVER, seen("expired", links=["created"]), "link can still be paid"),
    "no mail": (IN_FULL, paid(mails=[]), "0 confirmation mails, not 1"),
    "two mails": (IN_FULL, paid(mails=["<1>", "<2>"]), "2 confirmation mails, not 1"),
    "a mail though nothing was paid": (NEVER, seen("expired", mails=["<1>"]), "1 confirmation"),
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
    "no payment shown": (IN_FULL, paid(payments=[]), "paid by [], not card"),
    "an open case": (IN_FULL, paid(cases=["open"]), "an open case nobody expected"),
    "wrong amount called paid": (
        REVIEW,
        paid(taken=[payment(100)], cases=["open"]),
        "is paid, not needs_review",
    ),
    "wrong amount without a case": (
        REVIEW,
        seen("needs_review", taken=[payment(100)], links=["paid"], cases=["closed"]),
        "no open case for an operator",
    ),
    "in review for the right amount": (
        REVIEW,
        seen("needs_review", taken=[payment()], links=["paid"], cases=["open"]),
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
    ends = {"paid", "failed", "expired", "canceled", "needs_review"}
    assert {case.status for case in CASES} == ends
