"""Health, readiness and metrics, for those who keep the service running."""

from time import monotonic

from prometheus_client.parser import text_string_to_metric_families

from tests.support.neighbours import Neighbours
from tests.support.ports import free_port
from tests.support.proxy import proxy_to
from tests.support.razorpay_webhooks import deliver, paid
from tests.support.service import Service, running_service

Samples = dict[tuple[str, str], float]


async def metrics(service: Service) -> Samples:
    """Our own samples by name and the value of their first label."""
    response = await service.stranger.get("/metrics")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


async def test_it_is_alive_and_ready(api_on_both: Service) -> None:
    for path in ("/healthz", "/readyz"):
        response = await api_on_both.stranger.get(path)
        assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_without_temporal_it_is_alive_but_not_ready(
    neighbours: Neighbours, sqlite_database_url: str
) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    async with running_service(
        neighbours, sqlite_database_url, worker=False, temporal_address=nobody
    ) as service:
        assert (await service.stranger.get("/healthz")).status_code == 200
        response = await service.stranger.get("/readyz")
        assert response.status_code == 503
        assert response.headers["content-type"] == "application/problem+json"
        assert (await service.stranger.get("/metrics")).status_code == 200


async def test_temporal_may_go_and_come_back(
    neighbours: Neighbours, sqlite_database_url: str
) -> None:
    host, _, port = neighbours.temporal_address.rpartition(":")
    async with proxy_to(int(port)) as wire:
        address = f"{host}:{wire.port}"
        async with running_service(
            neighbours, sqlite_database_url, temporal_address=address
        ) as service:
            assert (await service.stranger.get("/readyz")).status_code == 200
            order_id = await service.place()
            await wire.cut()
            assert (await service.stranger.get("/readyz")).status_code == 503
            began = monotonic()
            answer = await service.shop.post(f"/orders/{order_id}/checkout")
            assert answer.status_code == 503
            assert answer.json()["type"] == "/problems/temporal-unavailable"
            assert monotonic() - began < 6
            await wire.restore()
            assert (await service.stranger.get("/readyz")).status_code == 200
            assert await service.check_out(order_id)


async def test_metrics_count_orders_and_time_to_proof(service_on_both: Service) -> None:
    before = await metrics(service_on_both)
    assert before["paidonce_orders", "paid"] == 0
    await service_on_both.paid()
    await service_on_both.place()
    after = await metrics(service_on_both)
    assert after["paidonce_orders", "paid"] == 1
    assert after["paidonce_orders", "created"] == 1
    assert after["paidonce_orders", "canceled"] == 0
    assert after["paidonce_time_to_proof_seconds_count", ""] == 1
    assert 0 < after["paidonce_time_to_proof_seconds_sum", ""] < 60
    assert after["paidonce_time_to_proof_seconds_bucket", "60"] == 1
    assert after["paidonce_inbox_waiting", ""] == 0


async def test_metrics_tell_of_money_at_risk(service: Service) -> None:
    order_id, url = await service.place_and_check_out(wrong_amount=100)
    await service.simulator.pay(url)
    assert await service.ends_as(order_id) == "needs_review"
    samples = await metrics(service)
    assert samples["paidonce_money_at_risk_minor", "INR"] == 100
    assert samples["paidonce_orders", "needs_review"] == 1


async def test_metrics_tell_of_webhooks_that_wait(api: Service) -> None:
    await deliver(api, paid("ord_of_somebody_else"))
    assert (await metrics(api))["paidonce_inbox_waiting", ""] == 1


async def test_temporals_own_metrics_are_among_them(service: Service) -> None:
    order_id, _ = await service.place_and_check_out()
    assert order_id
    names = {name for name, _ in await metrics(service)}
    assert "temporal_request_total" in names
    assert any(name.startswith("temporal_request_latency_seconds") for name in names)
