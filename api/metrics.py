"""Metrics in Prometheus' text format."""

from collections.abc import Iterable

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from api.problems import documented
from api.services import Services
from db.reports import Report

BOUNDS = (1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 86400)
router = APIRouter(tags=["operations"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, **documented(503)},
)
async def show_metrics(services: Services) -> Response:
    """Orders by status, money at risk, seconds from the click on Pay to proof; and Temporal's."""
    registry = CollectorRegistry()
    registry.register(_Collected(await services.reports.report(BOUNDS)))
    ours = generate_latest(registry)
    return Response(ours + await services.temporal_metrics.read(), media_type=CONTENT_TYPE_LATEST)


class _Collected(Collector):
    def __init__(self, report: Report) -> None:
        self._report = report

    def collect(self) -> Iterable[Metric]:
        orders = GaugeMetricFamily(
            "paidonce_orders", "Orders by where they stand", labels=["status"]
        )
        for status, count in self._report.orders_by_status.items():
            orders.add_metric([status], count)
        risk = GaugeMetricFamily(
            "paidonce_money_at_risk_minor",
            "Money that was taken and is not settled, in minor units",
            labels=["currency"],
        )
        for currency, minor in self._report.money_at_risk.items():
            risk.add_metric([currency], minor)
        yield from (orders, risk, self._inbox(), self._time_to_proof())

    def _inbox(self) -> GaugeMetricFamily:
        text = "Webhooks that are stored and not yet forwarded"
        return GaugeMetricFamily("paidonce_inbox_waiting", text, self._report.inbox_waiting)

    def _time_to_proof(self) -> HistogramMetricFamily:
        times = self._report.seconds_to_paid
        buckets = [(str(bound), count) for bound, count in times.at_most.items()]
        return HistogramMetricFamily(
            "paidonce_time_to_proof_seconds",
            "From the click on Pay to proof of the payment",
            buckets=[*buckets, ("+Inf", times.count)],
            sum_value=times.total_seconds,
        )
