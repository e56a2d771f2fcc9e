"""Reconciliation in plain words, for people who read it and not its code."""

from collections.abc import Mapping

from db.reconciliation_views import FindingView, RunView
from domain.cases import CaseOutcome, CaseStatus
from domain.findings import Answer, Match, Plan, RepairState
from domain.money import Money
from domain.reconciliations import RunState

MATCHES = {
    Match.OK_PAID: "Paid on both sides",
    Match.FAIL_FAIL: "Unpaid on both sides",
    Match.FAIL_PAID: "Paid at the gateway, not in our orders",
    Match.OK_UNPAID: "Paid in our orders, not at the gateway",
    Match.MISSING_IN_ORDERS: "At the gateway, and no order of ours",
    Match.MISSING_AT_GATEWAY: "In our orders, and nothing at the gateway",
    Match.AMOUNT_MISMATCH: "Another amount",
    Match.CURRENCY_MISMATCH: "Another currency",
    Match.DUPLICATE_PAYMENT: "Paid twice",
    Match.REFUND_MISMATCH: "Refunds that differ",
    Match.REFUND_OK: "Refunded on both sides",
    Match.EXPECTED: "Too young to have both sides",
    Match.REPEATED: "Rows that came twice",
    Match.OTHER: "Transfers, adjustments and the like",
}
PLANS = {
    Plan.TELL: "tell the running checkout or refund",
    Plan.HONOUR: "mark the order paid",
    Plan.REFUND: "send the money back",
    Plan.ASK: "ask the gateway first",
    Plan.CASE: "leave it to an operator",
}
OUTCOMES = {
    CaseOutcome.REFUNDED: "The money was sent back",
    CaseOutcome.HONOURED: "The order was marked paid",
}
ANSWERS = {
    Answer.CONFIRMED: "The gateway confirms the payment: all is well",
    Answer.RETRACTED: "The gateway has no such payment: the order was taken back",
}
STATES = {
    RunState.STAGING: "Reading",
    RunState.MATCHING: "Comparing",
    RunState.REPAIRING: "Repairing",
    RunState.WAITING: "Waits for an approval",
    RunState.DONE: "Done",
    RunState.REFUSED: "Refused",
}


def what_became_of(view: FindingView) -> str:
    if view.is_settled:
        return _settled(view)
    if view.case_status is CaseStatus.WAITING:
        return "Waits for an operator"
    if view.finding.plan is Plan.NONE or view.state is RepairState.KNOWN:
        return "Dealt with before"
    if view.state is RepairState.PLANNED:
        return f"Planned: {PLANS[view.finding.plan]}"
    if view.state is RepairState.LEFT:
        return f"Left: {view.note}"
    return "Under repair"


def _settled(view: FindingView) -> str:
    if view.answer in ANSWERS:
        return ANSWERS[view.answer]
    if view.case_outcome:
        return OUTCOMES.get(view.case_outcome, f"Settled: {spaced(view.case_outcome)}")
    if view.finding.is_refund:
        return "The refund agrees by now"
    return "The order agrees by now"


def source_of(run: RunView) -> str:
    if run.file:
        return run.file.name
    return f"report of {run.report}"


def spaced(name: str) -> str:
    return name.replace("_", " ")


def grouped(money: Money) -> str:
    """The amount as people read it: ₹12,34,567.00 as in India, $1,234,567.00 elsewhere."""
    sign, symbol, whole, part = _parts(money)
    head, tail = whole[:-3], whole[-3:]
    size = 2 if money.currency == "INR" else 3
    groups = [head[max(end - size, 0) : end] for end in range(len(head), 0, -size)][::-1]
    return f"{sign}{symbol}{','.join([*groups, tail])}{part}"


def _parts(money: Money) -> tuple[str, str, str, str]:
    plain = Money(abs(money.minor), money.currency)
    number = plain.major_text()
    whole, point, part = number.partition(".")
    return "-" if money.minor < 0 else "", str(plain).removesuffix(number), whole, point + part


def amounts(minor_by_currency: Mapping[str, int]) -> list[str]:
    """One text per currency: currencies are never added up."""
    sums = sorted(minor_by_currency.items())
    return [grouped(Money(minor, currency)) for currency, minor in sums]


def heading_of(run: RunView) -> str:
    """What was reconciled, as a heading; the name of a file stays as it is."""
    return run.file.name if run.file else f"Report of {run.report}"
