"""Temporal's own metrics, which its core offers only on an address of their own."""

import socket

import httpx
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig


class TemporalMetrics:
    """A runtime for this process's client, and what it counted."""

    def __init__(self) -> None:
        self._address = _free_address()
        exporter = PrometheusConfig(
            bind_address=self._address,
            counters_total_suffix=True,
            unit_suffix=True,
            durations_as_seconds=True,
        )
        self.runtime = Runtime(telemetry=TelemetryConfig(metrics=exporter))

    async def read(self) -> bytes:
        """In Prometheus' text format."""
        async with httpx.AsyncClient(trust_env=False) as http:
            return (await http.get(f"http://{self._address}/metrics")).content


def _free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"
