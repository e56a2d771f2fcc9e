"""The worker: runs the workflows, and does their activities."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import structlog
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.client import Client
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError
from temporalio.worker import Worker

import logs
from activities.discretion import Discretion
from activities.heartbeats import Heartbeats
from activities.sweeps import SweepTimes
from activities.world import World
from db.books import BookStore
from db.cases import CaseStore
from db.engine import Database
from db.files import FileStore
from db.inbox import InboxStore
from db.letters import LetterStore
from db.orders import OrderStore
from db.refunds import RefundStore
from domain.reconciliations import Routine
from gateways.base import Gateway
from gateways.registry import gateways
from letters.confirmation import Confirmations
from letters.mail import MailServer
from letters.sender import Sender
from settings import Settings, load
from workflows.checkout import CheckoutWorkflow
from workflows.delivery import WorkflowDelivery
from workflows.options import SEARCH_ATTRIBUTES
from workflows.payloads import DATA_CONVERTER
from workflows.reconciliation import ReconciliationWorkflow
from workflows.refund import RefundWorkflow
from workflows.repair import RepairWorkflow
from workflows.routine import RoutineWorkflow
from workflows.sandbox import SANDBOX
from workflows.schedules import keep_reconciling, keep_sweeping
from workflows.sweep import SweepWorkflow

log = structlog.get_logger()
SECONDS_BETWEEN_TRIES = 1
WORKFLOWS = (
    CheckoutWorkflow,
    ReconciliationWorkflow,
    RefundWorkflow,
    RepairWorkflow,
    RoutineWorkflow,
    SweepWorkflow,
)


def build_worker(
    client: Client,
    task_queue: str,
    activities: Sequence[Callable[..., Any]],
    workflows: Sequence[type] = WORKFLOWS,
) -> Worker:
    """A worker as production runs it; a killed one is replaced within seconds."""
    return Worker(
        client,
        task_queue=task_queue,
        workflows=workflows,
        activities=activities,
        workflow_runner=SANDBOX,
        interceptors=[Discretion(), Heartbeats()],
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
        graceful_shutdown_timeout=timedelta(seconds=10),
    )


async def serve(settings: Settings) -> None:
    """Work until SIGINT or SIGTERM; what has begun is finished within the grace period."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    client = await _connected(settings, stopping)
    if client is None:
        return
    await _register_search_attributes(client)
    await _keep_schedules(settings, client)
    async with at_work(settings, client):
        log.info("worker ready", task_queue=settings.task_queue)
        await stopping.wait()


@asynccontextmanager
async def at_work(settings: Settings, client: Client) -> AsyncIterator[None]:
    """A worker on its real database, gateways and mail server, until the context ends."""
    async with AsyncExitStack() as life:
        database = await life.enter_async_context(Database(settings.database_url))
        books = BookStore(database)
        known = await life.enter_async_context(gateways(settings.gateways))
        mail = await life.enter_async_context(_mail_server(settings))
        activities = _world(settings, client, database, books, known, mail).activities()
        await life.enter_async_context(build_worker(client, settings.task_queue, activities))
        yield


async def _keep_schedules(settings: Settings, client: Client) -> None:
    queue, policies = settings.task_queue, settings.policies
    await keep_sweeping(client, queue, timedelta(seconds=settings.sweep_interval))
    async with gateways(settings.gateways) as known:
        for name, can in ((name, gateway.capabilities) for name, gateway in known.items()):
            if can.reports or settings.transaction_arrivals:
                routine = Routine(name, policies.reconciliation, can.reports, can.settles_at)
                await keep_reconciling(client, queue, routine)


def _world(
    settings: Settings,
    client: Client,
    database: Database,
    books: BookStore,
    known: Mapping[str, Gateway],
    mail: MailServer,
) -> World:
    orders = OrderStore(database, settings.invoicing)
    refunds, inbox = RefundStore(database), InboxStore(database)
    policies = settings.policies
    sender = Sender(settings.mail_from, settings.shop_name, settings.public_url)
    unclaimed = timedelta(seconds=settings.unknown_order_after)
    return World(
        orders=orders,
        refunds=refunds,
        cases=CaseStore(database, settings.invoicing),
        inbox=inbox,
        books=books,
        files=FileStore(settings.transaction_files, settings.transaction_arrivals),
        gateways=known,
        letters=Confirmations(
            LetterStore(database),
            mail,
            sender,
            tell_refunds=settings.mail_refunds,
        ),
        delivery=WorkflowDelivery(
            client,
            settings.task_queue,
            orders=orders,
            refunds=refunds,
            inbox=inbox,
            policies=policies,
        ),
        public_url=settings.public_url,
        times=SweepTimes(policies.timetable.window, unclaimed),
    )


def _mail_server(settings: Settings) -> MailServer:
    password = settings.smtp_password
    return MailServer(
        settings.smtp_host,
        settings.smtp_port,
        username=settings.smtp_username,
        password=password.get_secret_value() if password else None,
        tls=settings.smtp_tls,
    )


async def _connected(settings: Settings, stopping: asyncio.Event) -> Client | None:
    """A client, as soon as Temporal answers; None if it is time to stop before that."""
    while not stopping.is_set():
        try:
            return await Client.connect(
                settings.temporal_address,
                namespace=settings.temporal_namespace,
                data_converter=DATA_CONVERTER,
                runtime=_runtime(settings),
            )
        except RuntimeError:
            log.warning("Temporal does not answer yet", address=settings.temporal_address)
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), SECONDS_BETWEEN_TRIES)
    return None


def _runtime(settings: Settings) -> Runtime | None:
    if settings.worker_metrics_address is None:
        return None
    exporter = PrometheusConfig(
        bind_address=settings.worker_metrics_address,
        counters_total_suffix=True,
        unit_suffix=True,
        durations_as_seconds=True,
    )
    return Runtime(telemetry=TelemetryConfig(metrics=exporter))


async def _register_search_attributes(client: Client) -> None:
    """Without them every checkout would hang; raises `RPCError` if they cannot be registered."""
    namespace, service = client.namespace, client.operator_service
    listed = await service.list_search_attributes(ListSearchAttributesRequest(namespace=namespace))
    missing = {
        key.name: IndexedValueType.ValueType(key.indexed_value_type.value)
        for key in SEARCH_ATTRIBUTES
        if key.name not in listed.custom_attributes
    }
    if missing:
        request = AddSearchAttributesRequest(namespace=namespace, search_attributes=missing)
        await service.add_search_attributes(request)


def main() -> int:
    config = load(needs=["gateways"])
    logs.configure(config.log_level)
    try:
        asyncio.run(serve(config))
    except RPCError as error:
        log.error("Temporal refuses us", reason=error.message)
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    sys.stdout.flush()
    # Temporal's client can crash while the interpreter takes itself apart.
    os._exit(code)
