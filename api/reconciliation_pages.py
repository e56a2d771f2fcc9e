"""Reconciliations as pages that a finance person can read at a glance."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import reduce
from itertools import groupby
from operator import add
from zoneinfo import ZoneInfo

from fastapi import Response

from api import wording
from api.charts import chart_of
from api.results import page
from api.services import Opened
from db.reconciliation_views import RunView, SettlementView
from domain.findings import FINDINGS, Match, Tally
from domain.money import Money
from domain.reconciliations import RunState

COUNTED, LISTED, LAST_RUNS = 500, 50, 30
ENDED = (RunState.DONE, RunState.REFUSED)
SCENARIOS = (Match.OK_PAID, Match.OK_UNPAID, Match.FAIL_PAID, Match.FAIL_FAIL)
BREAKS = [match for match in Match if match in FINDINGS and match not in SCENARIOS]
REST = [match for match in Match if match not in FINDINGS and match not in SCENARIOS]


async def run_page(run_id: str, services: Opened) -> Response:
    """One run. Raises `RunNotFound`."""
    reads = services.reconciliations
    run, settlements = await reads.run(run_id), await reads.settlements(run_id)
    findings = await reads.findings(run_id, limit=COUNTED)
    history = await reads.history(run.gateway, LAST_RUNS)
    nothing = {match: Tally(match, 0) for match in Match}
    return page(
        "reconciliation.html",
        services.settings,
        run=run,
        tallies=nothing | {tally.match: tally for tally in run.tallies},
        breaks=BREAKS,
        rest=REST,
        findings=findings[:LISTED],
        became=Counter(map(wording.what_became_of, findings)).most_common(),
        counted=len(findings),
        settlements=settlements,
        sums=sums_of(settlements),
        chart=chart_of(history, run_id),
        is_running=run.state not in ENDED,
        words=wording,
        local=_clock(services),
    )


async def list_page(runs: Sequence[RunView], services: Opened) -> Response:
    """Many runs, the newest first, and a picture of each gateway's last ones."""
    histories = {
        gateway: await services.reconciliations.history(gateway, LAST_RUNS)
        for gateway in sorted({run.gateway for run in runs})
    }
    return page(
        "reconciliations.html",
        services.settings,
        runs=runs,
        charts={gateway: chart_of(last) for gateway, last in histories.items() if last},
        is_running=any(run.state not in ENDED for run in runs),
        words=wording,
        local=_clock(services),
    )


def sums_of(settlements: Sequence[SettlementView]) -> list[tuple[Money, ...]]:
    """Gross, fees, tax and net of all of them, once for each currency."""
    by_currency = sorted(settlements, key=_currency)
    return [
        tuple(reduce(add, column) for column in zip(*map(_parts, group), strict=True))
        for _, group in groupby(by_currency, key=_currency)
    ]


def _currency(settlement: SettlementView) -> str:
    return settlement.net.currency


def _parts(settlement: SettlementView) -> tuple[Money, ...]:
    return settlement.gross, settlement.fee, settlement.tax, settlement.net


def _clock(services: Opened) -> Callable[[datetime, str], str]:
    """Moments as the gateway's own days have them: its file and its statements do."""
    zones = {
        name: ZoneInfo(gateway.capabilities.settles_at)
        for name, gateway in services.gateways.items()
    }

    def local(moment: datetime, gateway: str) -> str:
        there = moment.astimezone(zones.get(gateway, ZoneInfo("UTC")))
        return f"{there:%d %b %Y, %H:%M %Z}"

    return local
