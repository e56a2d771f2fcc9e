"""What the routes work with: opened once, when the process starts."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection
from temporalio.client import Client

from api.looks import Looks
from api.rates import SlidingMinute
from api.telemetry import TemporalMetrics
from api.temporal import RETRIES
from db.baskets import BasketStore
from db.books import BookStore
from db.cases import CaseStore
from db.catalogue import CatalogueStore
from db.engine import Database
from db.files import FileStore
from db.inbox import InboxStore
from db.orders import OrderStore
from db.papers import PaperStore
from db.reads import OrderReads
from db.reconciliation_reads import ReconciliationReads
from db.refunds import RefundStore
from db.reports import Reports
from domain.books import Books, Files
from domain.policies import Policies
from domain.ports import Delivery
from gateways.base import Gateway
from gateways.registry import gateways
from setting_types import ApiKey
from settings import Settings
from workflows.delivery import WorkflowDelivery
from workflows.payloads import DATA_CONVERTER


@dataclass(frozen=True)
class Opened:
    """Everything that is open while the API runs. `stopping` is set when it is to end."""

    settings: Settings
    temporal: Client
    gateways: Mapping[str, Gateway]
    database: Database
    baskets: BasketStore
    orders: OrderStore
    inbox: InboxStore
    reads: OrderReads
    looks: Looks
    papers: PaperStore
    reports: Reports
    catalogue: CatalogueStore
    delivery: Delivery
    refunds: RefundStore
    cases: CaseStore
    files: Files
    books: Books
    reconciliations: ReconciliationReads
    policies: Policies
    temporal_metrics: TemporalMetrics
    keys: Mapping[str, ApiKey]
    rates: SlidingMinute = field(default_factory=SlidingMinute)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def takes(self) -> dict[str, frozenset[str]]:
        """The currencies of each gateway that there is."""
        return {name: known.capabilities.currencies for name, known in self.gateways.items()}


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Opened]:
    """Connections are made when they are first needed: the API starts before its neighbours."""
    metrics = TemporalMetrics()
    temporal = await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        data_converter=DATA_CONVERTER,
        runtime=metrics.runtime,
        retry_config=RETRIES,
        lazy=True,
    )
    async with AsyncExitStack() as life:
        database = await life.enter_async_context(Database(settings.database_url))
        known = await life.enter_async_context(gateways(settings.gateways))
        reads = OrderReads(database)
        looks = await life.enter_async_context(Looks(reads))
        orders = OrderStore(database, settings.invoicing)
        refunds, inbox = RefundStore(database), InboxStore(database)
        delivery = WorkflowDelivery(
            temporal,
            settings.task_queue,
            orders=orders,
            refunds=refunds,
            inbox=inbox,
            policies=settings.policies,
        )
        yield Opened(
            settings=settings,
            temporal=temporal,
            gateways=known,
            database=database,
            baskets=BasketStore(database),
            orders=orders,
            inbox=inbox,
            reads=reads,
            looks=looks,
            papers=PaperStore(database),
            reports=Reports(database),
            catalogue=CatalogueStore(database),
            delivery=delivery,
            refunds=refunds,
            cases=CaseStore(database, settings.invoicing),
            files=FileStore(settings.transaction_files, settings.transaction_arrivals),
            books=BookStore(database),
            reconciliations=ReconciliationReads(database),
            policies=settings.policies,
            temporal_metrics=metrics,
            keys={key.sha256: key for key in settings.api_keys},
        )


async def _services(connection: HTTPConnection) -> Opened:
    services: Opened = connection.app.state.services
    return services


Services = Annotated[Opened, Depends(_services)]
