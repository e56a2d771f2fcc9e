"""From what is recorded of a reconciliation to what is answered."""

from collections.abc import Mapping, Sequence

from api.models import MoneyOut
from api.reconciliation_models import (
    ApprovalOut,
    FileOut,
    FindingOut,
    PeriodOut,
    ReconciliationOut,
    RunOut,
    SettlementOut,
    TallyOut,
)
from db.reconciliation_views import FindingView, RunView, SettlementView
from domain.money import Money


def run_out(view: RunView) -> RunOut:
    file, period = view.file, view.period
    return RunOut(
        run_id=view.run_id,
        gateway=view.gateway,
        report=view.report,
        file=FileOut(name=file.name, sha256=file.sha256, size=file.size) if file else None,
        period=PeriodOut(**{"from": period.start, "to": period.end}) if period else None,
        dry_run=view.dry_run,
        state=view.state,
        why=view.why,
        rows=view.rows,
        tallies=[
            TallyOut(match=tally.match, rows=tally.rows, amounts=_amounts(tally.minor_by_currency))
            for tally in view.tallies
        ],
        findings=view.findings,
        handed_over=view.handed_over,
        settled=view.settled,
        at_risk=_amounts(view.at_risk),
        approvals=[
            ApprovalOut(actor=each.approval.actor, reason=each.approval.reason, at=each.at)
            for each in view.approvals
        ],
        as_of=view.as_of,
        began_at=view.began_at,
        matched_at=view.matched_at,
        ended_at=view.ended_at,
    )


def reconciliation_out(
    view: RunView,
    settlements: Sequence[SettlementView],
    findings: Sequence[FindingView],
    limit: int,
) -> ReconciliationOut:
    is_full = len(findings) == limit
    return ReconciliationOut(
        **dict(run_out(view)),
        settlements=[settlement_out(each) for each in settlements],
        disagreements=[finding_out(each) for each in findings],
        next=findings[-1].finding.finding_id if is_full else None,
    )


def finding_out(view: FindingView) -> FindingOut:
    finding = view.finding
    return FindingOut(
        finding_id=finding.finding_id,
        match=finding.match,
        plan=finding.plan,
        reference=finding.reference,
        payment_reference=finding.payment_reference,
        order_id=finding.order_id,
        order_status=view.order_status,
        refund_id=view.refund_id,
        refund_status=view.refund_status,
        file_status=finding.file_status,
        file_amount=_money(finding.file_amount),
        our_amount=_money(finding.our_amount),
        method=finding.method,
        occurred_at=finding.occurred_at,
        state=view.state,
        note=view.note,
        answer=view.answer,
        case_id=view.case_id,
        case_status=view.case_status,
        case_outcome=view.case_outcome,
        settled=view.is_settled,
    )


def settlement_out(view: SettlementView) -> SettlementOut:
    return SettlementOut(
        settlement_id=view.settlement_id,
        rows=view.rows,
        currency=view.net.currency,
        gross=view.gross.minor,
        fee=view.fee.minor,
        tax=view.tax.minor,
        net=view.net.minor,
        total=view.total.minor if view.total else None,
        settled_at=view.settled_at,
        bank_reference=view.bank_reference,
    )


def _money(money: Money | None) -> MoneyOut | None:
    return MoneyOut(amount=money.minor, currency=money.currency) if money else None


def _amounts(minor_by_currency: Mapping[str, int]) -> list[MoneyOut]:
    return [
        MoneyOut(amount=minor, currency=currency)
        for currency, minor in sorted(minor_by_currency.items())
    ]
